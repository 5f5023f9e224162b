"""Does a number claim to be a total?

"Two men are talking" leaves room for a third, "there are two men" does not.
"""

from collections.abc import Sequence
from itertools import pairwise

from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import PICTURE_NOUNS, as_words, number_of

_TOTALS = as_words("total altogether all exactly only just")
_COUNTING = as_words("number count counting total tally")
_THERE_ARE = frozenset({("there", "are"), ("there", "is"), ("there", "were")})
_SHOWS = as_words("""
    shows show features feature contains contain includes depicts depict displays captures has have see count find
    finds spot out identify consists
    """)
_SHOWN = as_words("shown seen visible present pictured photographed depicted spotted captured")
_OTHERS = as_words("""
    another other others second third fourth remaining rest additional more first last each besides also
    """)
_SIDES = as_words("left right top bottom background foreground center middle")
# Behind a thing, words that pick none of many.
_GOES_ON = as_words("visible present and shown here altogether in seen can total but")
# Of "there are four of them" and "there are three": what may stand before the number.
_BEFORE_TOTALS = as_words("is are number count see spot gives give to equals makes total of only just exactly")
_IN_ALL = as_words("all total altogether visible just only exactly there here")


def claims_total(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> bool:
    """Return whether the sentence counts all there are: "there are three dogs [in the picture]"."""
    words = sentence.words
    if phrase.is_part or _OTHERS & set(words[phrase.first : phrase.start]):
        return False
    before = words[max(0, phrase.first - 4) : phrase.first]
    if _TOTALS & set(before) or _COUNTING & set(words):
        return True
    same = [other for other in phrases if other.category == phrase.category and other is not phrase]
    if phrase.category and any(_is_apart(sentence, other) for other in same):
        return False
    if _says_there(before) or _SHOWS & set(before):
        return not _is_narrowed(sentence, phrase)
    return _is_shown(sentence, phrase)


def is_stressed(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the sentence leaves no room for more: "exactly four", "the number of dogs is four"."""
    return phrase.is_only or bool(_COUNTING & set(sentence.words))


def names_others(sentence: Sentence) -> bool:
    """Return whether the sentence speaks of the rest of them, too: "one is larger than the others"."""
    return bool(_OTHERS & set(sentence.words))


def find_total(sentence: Sentence) -> tuple[int, int] | None:
    """Return the number that a sentence gives for a thing named apart from it, and its word."""
    words = sentence.words
    if not (_COUNTING | {"them", "there"}) & set(words):
        return None
    found = find_number(sentence)
    if found is None:
        return None
    _, index = found
    is_there = words[max(0, index - 2) : index] in (("there", "are"), ("there", "is"))
    is_of_them = words[index + 1 : index + 3] == ("of", "them") and bool(_IN_ALL & set(words))
    is_given = index > 0 and words[index - 1] in _BEFORE_TOTALS
    return found if is_of_them or is_there or is_given else None


def find_number(sentence: Sentence) -> tuple[int, int] | None:
    """Return the number of an answer that names no thing ("Three.", "I can count 3."), and its word.

    The word "zero" gives none.
    """
    told = {phrase.number for phrase in read_phrases(sentence)}
    for index, word in enumerate(sentence.words):
        number = number_of(word)
        if number is not None and word != "zero" and number not in told:
            return number, index
    return None


def _is_shown(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether all that is said is that they are to be seen: "one person is shown"."""
    after = sentence.words[phrase.end : phrase.end + 4]
    is_verb = bool(after) and after[0] in ("is", "are", "can", "has", "have", "was", "were")
    return is_verb and phrase.first == 0 and bool(_SHOWN & set(after[1:]))


def _is_apart(sentence: Sentence, other: Phrase) -> bool:
    """Return whether the same kind of thing comes again as another one: "and another dog", "two more cars"."""
    return other.is_part or bool(_OTHERS & set(sentence.words[other.first : other.start])) or other.number is not None


def _says_there(before: tuple[str, ...]) -> bool:
    return "there's" in before or any(pair in _THERE_ARE for pair in pairwise(before))


def _is_narrowed(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether something behind the thing picks some of many: "two dogs on the bed", "two men talking"."""
    words, end = sentence.words, phrase.end
    if end >= len(words) or sentence.gaps[end].strip("-"):
        return False
    after = words[end : end + 5]
    is_place = after[0] in ("in", "on", "within", "of", "throughout", "across", "at")
    if is_place and PICTURE_NOUNS & set(after[1:]):
        return bool(_SIDES & set(words[end : end + 8]))
    if after[0] in ("that", "which", "who"):
        return not _SHOWN & set(after)
    return after[0] not in _GOES_ON
