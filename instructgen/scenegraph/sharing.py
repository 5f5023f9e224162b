"""Which words of a caption others have too, or bear out by another word: "skiing" by "skis", "market" by "stalls"."""

from collections.abc import Iterable
from functools import lru_cache

from instructgen.lexicon.meanings import BORNE_OUT
from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.corroboration import verbs_of
from instructgen.scenegraph.hearsay import stem_of
from instructgen.scenegraph.plain_words import EMPTY
from instructgen.scenegraph.vocabulary import NOUNS, PREPOSITIONS
from instructgen.scenegraph.whole_nouns import name_key

_KEPT_WORDS = 1 << 15
_KEPT_IMAGES = 64
_SMALL = frozenset((
    "a", "an", "the", "and", "of", "to", "is", "are", "it", "its", "his", "her", "their", "him", "them", "up", "down",
    "out", "off", "away", "back", "together", "each", "other", "some", "several", "many", "next", "top", "front",
    "side", "close", "for", "very", "all", "along", "into", "onto", "between", "among", "during", "himself",
    "herself", "while", "one", "another", "that", "who", "has", "have",
))  # fmt: skip
# Words that tell nothing by themselves, and that nobody has to bear out.
FUNCTION_WORDS = _SMALL | {word for words in PREPOSITIONS for word in words.split()}


@lru_cache(maxsize=_KEPT_WORDS)
def may_mean(word: str, other: str) -> bool:
    """True where another caption's word is a form of this one, or bears it out."""
    if name_key(word) == name_key(other) or stem_of(word) == stem_of(other):
        return True
    noun = NOUNS.get(word)
    if noun is not None:
        return other in BORNE_OUT.get(noun.lemma, frozenset())
    return not verbs_of(word).isdisjoint(verbs_of(other))


class Sharing:
    """Of the captions of one image; each word is looked up once."""

    def __init__(self, sources: Sources) -> None:
        self._captions = [frozenset(one.tokens) for one in sources.readings]
        self._words = frozenset[str]().union(*self._captions)
        self._bearing: dict[str, frozenset[int]] = {}
        self._looking: dict[str, frozenset[int]] = {}

    def is_shared(self, word: str, own: int) -> bool:
        """True if a caption other than the one of this number has the word, or bears it out."""
        if word not in self._bearing:
            self._bearing[word] = self._find({one for one in self._words if may_mean(word, one)})
        return bool(self._bearing[word] - {own})

    def is_look_shared(self, word: str, own: int) -> bool:
        """True if another caption has the look, a color in whatever spelling."""
        if word not in self._looking:
            said = COLOURS.get(word, word)
            self._looking[word] = self._find({one for one in self._words if COLOURS.get(one, one) == said})
        return bool(self._looking[word] - {own})

    def are_shared(self, words: Iterable[str], own: int) -> bool:
        """True if all words that tell something are shared."""
        telling = (word for word in words if word.isalpha() and word not in EMPTY and word not in FUNCTION_WORDS)
        return all(self.is_shared(word, own) for word in telling)

    def _find(self, words: set[str]) -> frozenset[int]:
        return frozenset(number for number, tokens in enumerate(self._captions) if not tokens.isdisjoint(words))


class Held:
    """Sources by which of them it is, for the cache: all that is in them need not be compared."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def __hash__(self) -> int:
        return id(self.sources)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.sources is self.sources


@lru_cache(maxsize=_KEPT_IMAGES)
def _share(held: Held) -> Sharing:
    return Sharing(held.sources)


def share(sources: Sources) -> Sharing:
    """Return what the captions share, found once for an image whose graph is at hand."""
    return _share(Held(sources))
