"""What of a sentence is said of this picture, and what of the world: an answer that reasons speaks of both."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from instructgen.grounding.denial import is_denied
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.objects import find_presence
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import HABITS, MODALS, PICTURE_NOUNS, as_words

_ANCHORS = as_words("presence visible seen depicted shown nearby background foreground pictured")
_SEEING = as_words("count counted see sees notice notices spot spots find finds shows show made found")
_OF_PICTURE = PICTURE_NOUNS | _ANCHORS | _SEEING
_OF_THE_WORLD = HABITS | MODALS | {"can", "many"}
_OWNERS = as_words("their his her its")
_BE = as_words("is are")


def settle_scope(sentence: Sentence, phrases: Sequence[Phrase], evidence: Evidence, *, reasons: bool) -> list[Phrase]:
    """Return the phrases with what their neighbours say of them: denial goes over "or", likeness over a list.

    With `reasons`, things without any article are only supposed where nothing ties the sentence to the picture.
    """
    found: list[Phrase] = []
    for phrase in phrases:
        is_next = bool(found) and _is_listed(sentence, found[-1], phrase)
        if is_denied(sentence, phrases, phrase) or (is_next and found[-1].is_negated):
            found.append(replace(phrase, is_negated=True))
        elif is_next and found[-1].is_unreal and not phrase.is_definite:
            found.append(replace(phrase, is_unreal=True))
        else:
            found.append(phrase)
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
    """Return the phrase as supposed where nothing says that it is to be seen."""
    if phrase.is_definite and phrase.category == "person" and not find_presence("person", evidence):
        return replace(phrase, is_supposed=True)  # whoever eats this meal
    if phrase.is_supposed or phrase.is_negated:
        return phrase
    is_pointed_at = phrase.is_definite and phrase.determiner not in _OWNERS
    if not is_pointed_at and _is_of_the_world(sentence):
        return replace(phrase, is_supposed=True)
    is_told = phrase.determiner or phrase.number is not None or phrase.at_least
    return phrase if is_told or _is_tied(sentence, phrase, evidence, phrases) else replace(phrase, is_supposed=True)


def _is_of_the_world(sentence: Sentence) -> bool:
    """Return whether a sentence says what is usual or possible, and nothing of what is to be seen."""
    words = set(sentence.words)
    return "there" not in words and not _OF_PICTURE & words and bool(_OF_THE_WORLD & words)


def _is_tied(sentence: Sentence, phrase: Phrase, evidence: Evidence, phrases: Sequence[Phrase]) -> bool:
    """Return whether the clause is about the picture: it says so, says "there is", or that the seen are doing."""
    clause = sentence.clauses[phrase.start]
    lead = sentence.words[phrase.first - 1] if phrase.first else ""
    is_joined = lead in ("with", "of", "and") and any(
        other.end == phrase.first - 1 and other.is_asserted for other in phrases
    )
    if is_joined or (lead.endswith("ing") and any(other.is_asserted for other in phrases)):
        return True
    words = [word for index, word in enumerate(sentence.words) if sentence.clauses[index] == clause]
    if {"next", "beside", "near", "behind"} & set(words) and {"them", "him", "her"} & set(words):
        return True
    if _OF_PICTURE & set(words) or any(pair in (("there", "is"), ("there", "are")) for pair in pairwise(words)):
        return True
    return any(
        bool(_BE & set(sentence.words[other.end : phrase.first]))
        for other in phrases
        if other.is_definite
        and other.end < phrase.first
        and sentence.clauses[other.start] == clause
        and other.category
        and find_presence(other.category, evidence)
    )
