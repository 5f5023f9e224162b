"""Denials of some, where captions show the very ones: "no knife on the board", "she carries no umbrella"."""

from collections.abc import Sequence

from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.nouns import singular_of
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.grounding.words import DETERMINERS, PREPOSITIONS, STOPS, as_words
from instructgen.lexicon.categories import find_category

_ON = as_words("on in at inside under")
_CARRYING = as_words("""
    carrying carries carry holding holds hold wearing wears wear with has have using uses riding rides without
    """)
_PEOPLE = as_words("he she his her")
_PLACE_WORDS = 4
_FILLED = as_words("filled topped full loaded covered containing holding")
_FILLED_WITHIN = 8


def is_shown_there(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether a caption has the thing where, or with the one person whom, the sentence denies it to."""
    place = _find_place(sentence, phrase)
    is_carried = place is None and _is_of_only_person(sentence, phrases, phrase, evidence)
    if place is None and not is_carried:
        return False
    if is_carried and _lies_on_person(phrase, evidence):
        return True
    for caption in evidence.record.captions:
        told = read_sentence(caption, 0, len(caption))
        known = read_phrases(told)
        for thing in known:
            if thing.category != phrase.category or thing.is_negated or thing.is_unreal:
                continue
            if _is_at(told, known, thing, place) if place else _is_with(told, known, thing):
                return True
    return False


def _find_place(sentence: Sentence, phrase: Phrase) -> tuple[str, str] | None:
    """Return the preposition and the noun of "[no knife is] on the cutting board"."""
    words = sentence.words
    start = phrase.end
    while start < len(words) and words[start] in STOPS and words[start] not in PREPOSITIONS:
        start += 1
    if start >= len(words) or words[start] not in _ON:
        return None
    noun = ""
    for index in range(start + 1, min(len(words), start + 1 + _PLACE_WORDS)):
        if noun and (words[index] in STOPS or sentence.gaps[index].strip("-")):
            break
        noun = noun if words[index] in DETERMINERS else singular_of(words[index])
    return (words[start], noun) if noun else None


def _is_of_only_person(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> bool:
    before = sentence.words[: phrase.first]
    is_owned = bool(_PEOPLE & set(before)) or any(
        other.category == "person" and other.end <= phrase.first for other in phrases
    )
    is_alone = evidence.num_boxes("person") == 1 and "person" not in evidence.crowds
    return is_owned and is_alone and bool(_CARRYING & set(before[-_PLACE_WORDS:]))


def _lies_on_person(phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether the only one of its kind, which people wear or carry, is boxed within the only person's box."""
    boxes = evidence.boxes.get(phrase.category or "", ())
    if len(boxes) != 1 or find_category(phrase.category or "").group not in ("accessory", "sports"):
        return False
    (thing,), (person,) = boxes, evidence.boxes["person"]
    across, down = (thing.x0 + thing.x1) / 2, (thing.y0 + thing.y1) / 2
    return person.x0 <= across <= person.x1 and person.y0 <= down <= person.y1


def _is_at(told: Sentence, known: Sequence[Phrase], thing: Phrase, place: tuple[str, str]) -> bool:
    preposition, noun = place
    for index in range(
        max(0, thing.first - _FILLED_WITHIN), thing.first - 1
    ):  # "a bowl filled with food and a spoon"
        if singular_of(told.words[index]) == noun and told.words[index + 1] in _FILLED:
            return True
    for index in range(thing.end, len(told.words)):
        if any(other.start == index for other in known):
            return False
        if told.words[index] == preposition:
            return noun in {singular_of(word) for word in told.words[index + 1 : index + 1 + _PLACE_WORDS]}
    return False


def _is_with(told: Sentence, known: Sequence[Phrase], thing: Phrase) -> bool:
    earlier = max((other.end for other in known if other.end <= thing.first), default=0)
    return bool(_CARRYING & set(told.words[earlier : thing.first]))
