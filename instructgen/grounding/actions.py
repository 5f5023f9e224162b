"""Does somebody do what an answer says? Captions can bear it out; nothing contradicts it: people do much at once."""

from collections.abc import Sequence

from instructgen.grounding.claims import Truth
from instructgen.grounding.evidence import Evidence, stem_of
from instructgen.grounding.judged import Judged
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import as_words
from instructgen.lexicon.categories import find_category

_LIVING = as_words("person animal")
# Stems of one posture; "lying" and "laying" are mixed up.
_POSTURES = ({"sit", "seat", "sat"}, {"stand", "stood"}, {"lay", "ly", "lie", "lying"})
# Who is told to be in a shirt, or with glasses, wears them.
_WORN = as_words(
    "shirt suit dress jacket hat helmet uniform coat cap tie glass goggl vest sweater jean short pant skirt robe"
    " costum apron mask bikini wetsuit hoodi scarf glov boot shoe sunglass cloth outfit gear jersey swimsuit"
)
_HELPERS = as_words("is are can be seen appears appear seems to and both all currently")
_NOT_ACTIONS = as_words("being including during according surrounding having remaining something king")


def find_actions(sentence: Sentence, phrases: Sequence[Phrase], evidence: Evidence) -> list[Judged]:
    """Return a claim for each "-ing" that follows a person or an animal."""
    words = sentence.words
    found = []
    for phrase in phrases:
        if phrase.category is None or not phrase.is_asserted or find_category(phrase.category).group not in _LIVING:
            continue
        index, last = phrase.end, min(len(words), phrase.end + 4)
        while index < last and words[index] in _HELPERS:
            index += 1
        word = words[index] if index < len(words) else ""
        is_action = word.endswith("ing") and len(word) > 4 and word not in _NOT_ACTIONS
        if is_action and not sentence.gaps[index].strip("-"):
            truth, said = _weigh(stem_of(word), evidence)
            found.append(Judged("action", truth, phrase.category, phrase.first, index + 1, said))
    return found


def _weigh(stem: str, evidence: Evidence) -> tuple[Truth, str]:
    if stem in evidence.stems or any(stem in posture and posture & evidence.stems for posture in _POSTURES):
        return "supported", "captions say so"
    if stem == "wear" and _WORN & evidence.stems:
        return "supported", "captions tell of clothes"
    return "unverifiable", "no caption says so"
