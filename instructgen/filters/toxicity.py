"""Obscene words and slurs (docs/filters.md), by the word lists of glin-profanity, the extra `[safety]`."""

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.filters.quotes import join_turns
from instructgen.records import Fault, ImageRecord, Sample, Verdict

if TYPE_CHECKING:
    from glin_profanity import Filter as WordList

# On the list, and in COCO val2017's captions 30 times without harm: a dog tied up, a big black bear, a girl on a bed.
_HARMLESS = (
    "big black",
    "butt",
    "cock",
    "cocks",
    "escort",
    "girl on",
    "girl on top",
    "hoe",
    "tied up",
    "tit",
    "tits",
)


class OffensiveText(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample with a word of the list; the score is how many there are.

    `allow` names words of the list that may be said.
    """

    reasons: ClassVar[tuple[str, ...]] = ("offensive_text",)
    is_default: ClassVar[bool] = False

    languages: tuple[str, ...] = ("english",)
    allow: tuple[str, ...] = _HARMLESS

    def __post_init__(self) -> None:
        _load_words(self.languages, self.allow)

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        words = _load_words(self.languages, self.allow).check_profanity(join_turns(sample.turns))["profane_words"]
        if not words:
            return Verdict(0.0)
        return Verdict(float(len(words)), Fault("offensive_text", ", ".join(words)[:80]))


@lru_cache(maxsize=4)
def _load_words(languages: tuple[str, ...], allow: tuple[str, ...]) -> "WordList":
    try:
        from glin_profanity import Filter
        from glin_profanity.data.dictionary import dictionary
    except ImportError:
        raise InstructgenError("the filter toxicity needs glin-profanity: pip install instructgen[safety]") from None
    known = dictionary.available_languages
    for name in languages:
        if name not in known:
            raise InstructgenError(
                f"[filters.options.toxicity]: no words for '{name}'; there are: {', '.join(known)}"
            )
    return Filter({"languages": list(languages), "ignore_words": list(allow)})
