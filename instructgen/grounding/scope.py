"""What of a sentence is said of this picture, and what of the world: an answer that reasons speaks of both."""

from collections.abc import Sequence

from msgspec.structs import replace

from instructgen.grounding.denial import is_denied
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.objects import find_presence
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import HABITS, MODALS, PICTURE_NOUNS

_ANCHORS = frozenset(
    {"presence", "visible", "seen", "depicted", "shown", "nearby", "background", "foreground", "pictured"}
)
_SEEING = frozenset(["count", "counted", "see", "sees", "notice", "notices", "spot", "spots", "find", "finds", "shows", "show", "made", "found"])
_BE = frozenset({"is", "are"})


def settle_scope(sentence: Sentence, phrases: Sequence[Phrase], evidence: Evidence, *, reasons: bool) -> list[Phrase]:
    """Return the phrases with what their neighbours say of them: denial goes over "or", doubt over a list.

    With `reasons`, things without any article are only supposed where nothing ties the sentence to the picture.
    """
    found: list[Phrase] = []
    for phrase in phrases:
        settled = phrase
        if is_denied(sentence, phrases, phrase) or (
            found and found[-1].is_negated and not phrase.is_negated and _is_listed(sentence, found[-1], phrase)
        ):
            settled = replace(phrase, is_negated=True)
        elif found and found[-1].is_unreal and _is_listed(sentence, found[-1], phrase) and not phrase.is_definite:
            settled = replace(phrase, is_unreal=True)
        found.append(settled)
    if reasons:
        found = [_suppose(sentence, phrase, evidence, found) for phrase in found]
    return found


def _is_listed(sentence: Sentence, one: Phrase, other: Phrase) -> bool:
    """Return whether nothing but "or", "nor" or a comma stands between; "and" begins something new after "no"."""
    between = sentence.words[one.end : other.first]
    if between in (("or",), ("nor",)):
        return True
    if between == ("and",):
        return one.is_unreal
    return not between and sentence.gaps[other.first] == "," and not other.determiner


def _suppose(sentence: Sentence, phrase: Phrase, evidence: Evidence, phrases: Sequence[Phrase]) -> Phrase:
    if phrase.is_definite and phrase.category == "person" and not find_presence("person", evidence):
        return replace(phrase, is_supposed=True)  # whoever eats this meal
    if phrase.is_supposed or phrase.is_negated:
        return phrase
    if _is_of_the_world(sentence) and (not phrase.is_definite or phrase.determiner in ("their", "his", "her", "its")):
        return replace(phrase, is_supposed=True)
    if phrase.determiner or phrase.number is not None or phrase.at_least:
        return phrase
    if _is_tied(sentence, phrase, evidence, phrases):
        return phrase
    return replace(phrase, is_supposed=True)


def _is_of_the_world(sentence: Sentence) -> bool:
    """Return whether a sentence says what is usual or possible, and nothing of what is to be seen."""
    words = set(sentence.words)
    if (PICTURE_NOUNS | _ANCHORS | _SEEING) & words or "there" in words:
        return False
    return bool((HABITS | MODALS | {"can", "many"}) & words)


def _is_tied(sentence: Sentence, phrase: Phrase, evidence: Evidence, phrases: Sequence[Phrase]) -> bool:
    """Return whether the clause is about the picture: it says so, says "there is", or that the seen are doing."""
    clause = sentence.clauses[phrase.start]
    before = [other for other in phrases if other.end == phrase.first - 1 and other.is_asserted]
    lead = sentence.words[phrase.first - 1] if phrase.first else ""
    if (before and lead in ("with", "of", "and")) or (
        lead.endswith("ing") and any(other.is_asserted for other in phrases)
    ):
        return True
    indexes = [index for index in range(len(sentence.words)) if sentence.clauses[index] == clause]
    words = [sentence.words[index] for index in indexes]
    if (PICTURE_NOUNS | _ANCHORS | _SEEING) & set(words):
        return True
    if any(pair in (("there", "is"), ("there", "are")) for pair in zip(words, words[1:], strict=False)):
        return True
    for other in phrases:
        if other is phrase or sentence.clauses[other.start] != clause or not other.is_definite or not other.category:
            continue
        if (
            find_presence(other.category, evidence)
            and other.end < phrase.first
            and _BE & set(sentence.words[other.end : phrase.first])
        ):
            return True
    return False
