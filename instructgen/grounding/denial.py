"""What a sentence says is not there, and whether it means all of it or only some.

"There is no dog" denies every dog; "no dog on the bed" or "he is not holding a cup" leave room for others.
"""

from collections.abc import Sequence

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.subjects import is_led_in
from instructgen.grounding.words import AUXILIARIES, DETERMINERS, PICTURE_NOUNS, PREPOSITIONS, STOPS, as_words

_CUES = as_words(
    """
    no not never nobody nowhere none neither nor nothing vain without lacks lack lacking absent absence missing devoid
    free zero cannot isn't aren't wasn't weren't doesn't don't didn't can't couldn't won't wouldn't hasn't
    haven't
    """
)
# Cues that are about the things named after them alone.
_CUES_OF = frozenset({"lack", "absence", "devoid", "free", "lacking"})
_REACH = 12
# Behind a cue, words that only say that something is to be seen.
_APPEAR = as_words(
    """
    appear appears seen see part visible present there shown pictured exist exists here anywhere found
    featured caught captured included depicted be been to in on among is are was were can could be spotted any
    a an the of it at all whatsoever around and or nor nearby detected made out contain displayed noticed but
    only show feature have single such
    """
)
_SIDES = frozenset(
    {
        "middle",
        "center",
        "left",
        "right",
        "side",
        "front",
        "back",
        "background",
        "foreground",
        "top",
        "bottom",
        "corner",
    }
)
_PLACES = PICTURE_NOUNS | {
    "air",
    "sky",
    "area",
    "surroundings",
    "room",
    "place",
    "hall",
    "kitchen",
    "bathroom",
    "street",
    "field",
    "park",
    "building",
    "beach",
    "water",
    "court",
    "house",
    "yard",
    "view",
    "sight",
    "it",
    "here",
    "camera",
    "all",
    "space",
}
_PLAIN = frozenset({"visible", "actual", "single", "real", "discernible"})


def is_denied(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> bool:
    """Return whether the sentence says that the thing is not there, wholly or in part."""
    if phrase.determiner == "no" or phrase.number == 0:
        return True
    return _find_cue(sentence, phrases, phrase) is not None or _is_denied_behind(sentence, phrases, phrase)


def denies_some(
    sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, known: frozenset[str] = frozenset()
) -> bool:
    """Return whether less than all is denied: "no dog on the bed", "no red car", "is not holding a cup".

    `known` are the words of the captions: a place that they do not have narrows nothing.
    """
    if phrase.colours or any(word not in _PLAIN for word in phrase.adjectives) or phrase.determiner == "another":
        return True
    if sentence.words[-1] == "none" or {"anywhere", "whatsoever"} & set(sentence.words[phrase.end :]):
        return False
    if sentence.words[phrase.start] in ("nobody", "no"):
        after = sentence.words[phrase.end : phrase.end + 3]
        return not (
            after[:1] in (("is",), ("can",), ("in",), ("here",), ("appears",))
            and bool(_APPEAR & set(after[1:] or after))
        )
    if phrase.is_definite and not _is_denied_behind(sentence, phrases, phrase):
        return True
    cue = _find_cue(sentence, phrases, phrase)
    if cue is not None and phrase.determiner != "no":
        clause = sentence.clauses[cue]
        owners = [
            other
            for other in phrases
            if other.end <= cue and sentence.clauses[other.start] == clause and not is_led_in(sentence, other)
        ]
        is_without = sentence.words[cue] == "without"
        is_of_place = is_without or sentence.words[cue] in _CUES_OF
        if _is_nobody(sentence, cue):
            return False
        if any(other.category for other in owners) or (owners and not is_of_place):
            return True
        between = sentence.words[cue + 1 : phrase.first]
        if any(
            word.endswith("ing") and word not in ("showing", "containing", "resembling", "missing")
            for word in between
        ):
            return True
    return _is_narrowed(sentence, phrase, known)


def _find_cue(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> int | None:
    """Return the nearest word before the phrase that denies it; "not only" and the "no" of an answer do not."""
    words = sentence.words
    if phrase.is_definite:
        is_named = words[max(0, phrase.first - 2) : phrase.first] in (
            ("missing", "is"),
            ("absent", "is"),
            ("missing", "are"),
        )
        return phrase.first - 2 if is_named else None
    for index in range(phrase.first - 1, max(-1, phrase.first - 1 - _REACH), -1):
        if sentence.clauses[index] != sentence.clauses[phrase.first]:
            break
        if any(other.start == index and other.is_known and _is_own(other, phrases) for other in phrases):
            break
        if words[index] in _CUES and not _is_idle(sentence, index):
            if words[index] in _CUES_OF and "of" not in words[index : phrase.first]:
                continue
            return index
    return None


def _is_nobody(sentence: Sentence, cue: int) -> bool:
    """Return whether the cue is "nobody" or "no one": what nobody has is not there."""
    return sentence.words[cue] == "nobody" or sentence.words[cue : cue + 2] == ("no", "one")


def _is_own(other: Phrase, phrases: Sequence[Phrase]) -> bool:
    """Return whether a phrase between cue and thing is what the cue denies, unless it is denied itself already."""
    return other.determiner != "no" and other in phrases


def _is_idle(sentence: Sentence, index: int) -> bool:
    words = sentence.words
    following = words[index + 1] if index + 1 < len(words) else ""
    if index == 0 and words[0] == "no" and "," in (sentence.gaps[1] if len(words) > 1 else ""):
        return True
    if words[index] == "without" and {"not", "never"} & set(words[max(0, index - 5) : index]):
        return True
    if words[index] in ("not", "never") and "without" in words[index : index + 6]:
        return True
    if {"missed", "overlooked", "forgotten", "ignored", "mistaken", "wrong"} & set(words[index + 1 : index + 4]):
        return True
    return following in ("only", "just", "sure", "necessarily", "doubt", "longer", "far") or (
        words[index] in ("neither", "nor") and index > 0 and words[index - 1] in ("me",)
    )


def _is_denied_behind(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> bool:
    """Return whether the words behind the phrase deny it: "a dog is not visible", "the dog is missing"."""
    words = sentence.words
    if words[-1:] == ("none",) or words[-2:-1] == ("none",):
        return len([other for other in phrases if other.category]) == 1
    limit = min((other.first for other in phrases if other.start >= phrase.end), default=len(words))
    for index in range(phrase.end, min(limit, phrase.end + 6, len(words))):
        if sentence.clauses[index] != sentence.clauses[phrase.start] or sentence.gaps[index].strip("-"):
            return False
        if words[index] in ("absent", "missing", "nowhere"):
            return not is_led_in(sentence, phrase) and words[index - 1] not in ("a", "the", "with")
        if words[index] in _CUES:
            following = [
                word
                for word in words[index + 1 : index + 4]
                if word not in ("be", "been", "to", "a", "the", "really")
            ]
            return not is_led_in(sentence, phrase) and bool(following) and following[0] in _APPEAR
    return False


def _is_narrowed(sentence: Sentence, phrase: Phrase, known: frozenset[str]) -> bool:
    words = sentence.words
    end = phrase.end
    while (
        end < len(words)
        and (words[end] in _APPEAR | AUXILIARIES or words[end] in _CUES)
        and words[end] not in ("in", "on", "of", "at")
    ):
        end += 1
    after = words[end] if end < len(words) else ""
    if not after or sentence.gaps[end].strip("-") or sentence.clauses[end] != sentence.clauses[phrase.start]:
        return False
    if after in PREPOSITIONS:
        place = words[end + 1 : end + 5]
        if phrase.is_definite or _SIDES & set(place):
            return not _PLACES & set(place) or bool(_SIDES & set(place))
        return not _PLACES & set(place) and (not known or bool(known & set(place) - DETERMINERS - STOPS))
    return end == phrase.end
