"""What a sentence says is not there, and whether it means all of it or only some.

"There is no dog" denies every dog; "no dog on the bed" or "he is not holding a cup" leave room for others.
"""

from collections.abc import Sequence

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.subjects import is_led_in
from instructgen.grounding.words import AUXILIARIES, DETERMINERS, PICTURE_NOUNS, PREPOSITIONS, STOPS, as_words

_CUES = as_words("""
    no not never nobody nowhere none neither nor nothing vain without lacks lack lacking absent absence missing devoid
    free zero cannot isn't aren't wasn't weren't doesn't don't didn't can't couldn't won't wouldn't hasn't haven't
    """)
# Cues that are about the things named after them alone.
_CUES_OF = as_words("lack absence devoid free lacking")
_REACH = 12
# Behind a cue, words that only say that something is to be seen.
_APPEAR = as_words("""
    appear appears seen see part visible present there shown pictured exist exists here anywhere found featured caught
    captured included depicted be been to in on among is are was were can could spotted any a an the of it at all
    whatsoever itself themselves around and or nor nearby detected made out contain displayed noticed but only show
    feature have single such
    """)
_SIDES = as_words("middle center left right side front back background foreground top bottom corner")
_TO_BE_SEEN = as_words("visible seen shown present here there in around nearby anywhere be pictured")
_PLACES = PICTURE_NOUNS | as_words("""
    air sky area surroundings room bedroom place hall kitchen bathroom restaurant shop store street
    field park building beach water court house yard view sight it here camera all space
    """)
_PLAIN = as_words("visible actual single real discernible")
_SHOWING = as_words("showing containing resembling missing")
_NAMED_MISSING = (("missing", "is"), ("absent", "is"), ("missing", "are"))
# "Not to be missed", "not only", "I am not sure": a thing is there all the same, or nothing is said of it.
_OVERLOOKED = as_words("missed overlooked forgotten ignored mistaken wrong")
_IDLE_BEFORE = tuple((word,) for word in ("only", "just", "sure", "necessarily", "doubt", "longer", "far"))
_BETWEEN = as_words("be been to a the really")
_PLACE_WORDS = as_words("in on of at")


def is_denied(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> bool:
    """Return whether the sentence says that the thing is not there, wholly or in part."""
    if phrase.determiner == "no" or phrase.number == 0:
        return True
    return _find_cue(sentence, phrases, phrase) is not None or _is_denied_behind(sentence, phrases, phrase)


def denies_some(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, known: frozenset[str]) -> bool:
    """Return whether less than all is denied: "no dog on the bed", "no red car", "is not holding a cup".

    `known` are the words of the captions: a place that they do not have narrows nothing.
    """
    words = sentence.words
    is_picked = phrase.colours or any(word not in _PLAIN for word in phrase.adjectives)
    if is_picked or phrase.determiner == "another":
        return True
    if words[-1] == "none" or {"anywhere", "whatsoever"} & set(words[phrase.end :]):
        return False
    if words[phrase.start] in ("nobody", "no"):
        return not _is_nobody_there(words[phrase.end : phrase.end + 3])
    if phrase.is_definite and not _is_denied_behind(sentence, phrases, phrase):
        return True
    cue = None if phrase.determiner == "no" else _find_cue(sentence, phrases, phrase)
    if cue is not None:
        if _is_nobody(sentence, cue):
            return False
        if _is_of_one(sentence, phrases, cue) or _is_doing(words[cue + 1 : phrase.first]):
            return True
    return _is_narrowed(sentence, phrase, known)


def _is_nobody_there(after: tuple[str, ...]) -> bool:
    """Return whether what follows "nobody" says that nobody is to be seen, and not what nobody does."""
    if after[:1] in (("is",), ("can",), ("appears",)) or after[:2] == ("to", "be"):
        after = after[1:]
    return after[:1] != () and after[0] in _TO_BE_SEEN


def _is_of_one(sentence: Sentence, phrases: Sequence[Phrase], cue: int) -> bool:
    """Return whether it is something that has none: "the man has no hat"; a place without is the picture itself."""
    clause = sentence.clauses[cue]
    owners = [
        other
        for other in phrases
        if other.end <= cue and sentence.clauses[other.start] == clause and not is_led_in(sentence, other)
    ]
    is_of_place = sentence.words[cue] == "without" or sentence.words[cue] in _CUES_OF
    return any(other.category for other in owners) or (bool(owners) and not is_of_place)


def _is_doing(between: tuple[str, ...]) -> bool:
    """Return whether a verb stands between cue and thing: "not holding a cup"."""
    return any(word.endswith("ing") and word not in _SHOWING for word in between)


def _find_cue(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> int | None:
    """Return the nearest word before the phrase that denies it; "not only" and the "no" of an answer do not."""
    words = sentence.words
    if phrase.is_definite:
        is_named = words[max(0, phrase.first - 2) : phrase.first] in _NAMED_MISSING
        return phrase.first - 2 if is_named else None
    for index in range(phrase.first - 1, max(-1, phrase.first - 1 - _REACH), -1):
        if sentence.clauses[index] != sentence.clauses[phrase.first]:
            break
        between = next((other for other in phrases if other.start == index and other.is_known), None)
        if between is not None and words[max(0, between.first - 2) : between.first] == ("none", "of"):
            return between.first - 2
        is_and_a = phrase.determiner in ("a", "an") and words[phrase.first - 1] == "and"  # "no cat and a dog"
        if between is not None and (between.determiner != "no" or is_and_a):
            break
        is_apart = words[index] in _CUES_OF and "of" not in words[index : phrase.first]
        if words[index] in _CUES and not _is_idle(sentence, index) and not is_apart:
            return index
    return None


def _is_nobody(sentence: Sentence, cue: int) -> bool:
    """Return whether the cue is "nobody", "no one" or "none of them": what nobody has is not there."""
    return sentence.words[cue] == "nobody" or sentence.words[cue : cue + 2] in (("no", "one"), ("none", "of"))


def _is_idle(sentence: Sentence, index: int) -> bool:
    """Return whether a cue denies nothing: "not only", "it would not do without", the "no" of an answer."""
    words = sentence.words
    is_answer = index == 0 and words[0] == "no" and len(words) > 1 and "," in sentence.gaps[1]
    is_undone = (
        {"not", "never"} & set(words[max(0, index - 5) : index])
        if words[index] == "without"
        else words[index] in ("not", "never") and "without" in words[index : index + 6]
    )
    if is_answer or is_undone or _OVERLOOKED & set(words[index + 1 : index + 4]):
        return True
    is_me_neither = words[index] in ("neither", "nor") and words[max(0, index - 1) : index] == ("me",)
    return is_me_neither or words[index + 1 : index + 2] in _IDLE_BEFORE


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
            following = next((word for word in words[index + 1 : index + 4] if word not in _BETWEEN), "")
            return not is_led_in(sentence, phrase) and following in _APPEAR
    return False


def _is_narrowed(sentence: Sentence, phrase: Phrase, known: frozenset[str]) -> bool:
    """Return whether a place behind the thing leaves room for others elsewhere: "no dog on the bed"."""
    words = sentence.words
    end = phrase.end
    while end < len(words) and words[end] in _APPEAR | AUXILIARIES | _CUES and words[end] not in _PLACE_WORDS:
        end += 1
    after = words[end] if end < len(words) else ""
    if not after or sentence.gaps[end].strip("-") or sentence.clauses[end] != sentence.clauses[phrase.start]:
        return False
    if after in PREPOSITIONS:
        place = set(words[end + 1 : end + 5])
        if _SIDES & place:
            return True
        is_known = not known or bool(known & place - DETERMINERS - STOPS)
        return not _PLACES & place and (phrase.is_definite or is_known)
    return end == phrase.end
