"""How many an answer says that there are: "two", "a couple of", "at least three", "another"."""

from msgspec import Struct

from instructgen.grounding.nouns import Head, singular_of
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import AMOUNTS, NUMBERS, ONLY, SINGLE, as_words, number_of

# Of these "a pair" is one, and a number with them none to be relied on.
_PAIRED = as_words("scissors skis glasses sunglasses shoe pants shorts glove sock headphones")
# Their plural may look like the singular.
_SAME_PLURAL = as_words("sheep fish deer aircraft broccoli bison buffalo zebra giraffe moose skis")
_GROUPS = as_words("group herd flock bunch row line fleet team collection pack pile stack")
_MANY = as_words("dozens lots hundreds bunch plenty variety number lot") | _GROUPS
_SETS = {"duo": 2, "trio": 3, "threesome": 3, "quartet": 4, "quintet": 5}
_COMPARED = (("more", "than"), ("at", "least"), ("fewer", "than"), ("less", "than"))
_MORE = as_words("other another additional more remaining others")


class Quantity(Struct, frozen=True):
    """`number` is exact, `at_least` a bound. `is_only` where it is stressed that there are no more.

    `is_part` is true for some of more: "another dog", "two other dogs", "three of the dogs". `first` is the first
    word that belongs to it.
    """

    first: int
    number: int | None = None
    at_least: int | None = None
    is_only: bool = False
    is_part: bool = False


def read_quantity(sentence: Sentence, first: int, head: Head) -> Quantity:
    """Read what stands right before the word `first`, where a noun's adjectives begin."""
    if first == 0 or sentence.gaps[first].strip("-"):
        return Quantity(first)
    word = sentence.words[first - 1]
    if sentence.words[max(0, first - 3) : first] == ("half", "a", "dozen"):
        return Quantity(first - 3, number=6)
    if word == "of" and first > 1:
        return _read_amount_of(sentence, first, head)
    if word in SINGLE:
        return Quantity(first - 1, number=1, is_only=True)
    number = number_of(word)
    if number is not None:
        if number > 1 and not head.is_plural and head.lemma not in _SAME_PLURAL:
            return Quantity(first - 1)  # "a two tier cake", "the 41 bus"
        return _read_number(sentence, first, number)
    if word in AMOUNTS and not (word == "few" and not head.is_plural):
        return Quantity(first - 1, at_least=2)
    return Quantity(first, is_part=word in _MORE)


def _read_number(sentence: Sentence, first: int, number: int) -> Quantity:
    words = sentence.words
    compared = words[max(0, first - 3) : first - 1]
    if compared in _COMPARED:
        bound = {"more": number + 1, "at": number}.get(compared[0])
        return Quantity(first - 3, at_least=bound)
    before = words[first - 2] if first > 1 else ""
    is_part = before in _MORE | {"first", "last"} or (first < len(words) and words[first] in _MORE)
    return Quantity(first - 1, number=number, is_only=before in ONLY, is_part=is_part)


def _read_amount_of(sentence: Sentence, first: int, head: Head) -> Quantity:
    """Read "a couple of", "a group of", "three of the", "dozens of"."""
    words = sentence.words
    word = words[first - 2]
    start = first - 2
    if start > 0 and words[start - 1] in ("a", "the"):
        start -= 1
    if word == "number" and words[start] != "a":
        return Quantity(first)  # "the number of dogs"
    if word in _SETS and head.is_plural:
        return Quantity(start, number=_SETS[word])
    is_pair = word in ("couple", "pair") and singular_of(head.lemma) not in _PAIRED
    if (is_pair or word in _MANY) and head.is_plural:
        return Quantity(start, at_least=2)
    return Quantity(first, is_part=word in NUMBERS or word in AMOUNTS)
