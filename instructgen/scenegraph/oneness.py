"""Whether what is boxed is one or several, where captions and boxes do not have the same number."""

from collections.abc import Sequence
from functools import cache

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import plural_of
from instructgen.records import Box
from instructgen.scenegraph.people import tells_several
from instructgen.scenegraph.reading import CaptionReading, Mentions
from instructgen.surrogate.boxes import shared_area

_IN_PARTS = frozenset(
    ("clock", "pizza", "cake", "sandwich", "train", "refrigerator", "oven", "dining table", "toilet", "umbrella")
)
_MOSTLY_ONE = frozenset(("oven", "refrigerator"))  # of these one caption in the singular is enough
_MOST = 3  # captions
_NEARLY_ALL = 4  # captions
_SPECK, _SPECKS_IN_ONE = 0.005, 20  # share of the picture, and of the largest one's box, below which a box is a speck
_PARTS = 3  # boxes that may be of one thing
_SEVERAL = 2  # captions with a plural, whether or not it is understood
_PAIR = 2  # boxes
_NESTED = 0.8  # of the smaller box, that lies in the larger one: both are of one thing
_PLAYED_WITH = frozenset(("sports ball", "frisbee"))  # of these one is in play
_ANOTHER = frozenset(("another", "each", "other", "every", "any"))  # of these one is not all
# Words for more people than one, whether or not they are understood.
_OTHERS = frozenset((
    "people", "persons", "men", "women", "boys", "girls", "kids", "children", "crowd", "group", "other", "others",
    "another", "two", "three", "couple", "several", "friends", "players", "team", "spectators", "family", "they",
    "their", "pedestrians", "ladies", "guys", "adults", "passengers", "someone", "everyone", "fans", "audience",
    "workers", "students", "both", "each", "onlookers", "together", "hands", "males", "females", "mother",
))  # fmt: skip
# Plurals that may mean the category and others.
_GENERAL = {"bicycle": frozenset(("bikes", "cycles")), "motorcycle": frozenset(("bikes", "cycles"))}


def is_one(name: str, boxes: Sequence[Box], said: Mentions, readings: Sequence[CaptionReading]) -> bool:
    """True for one thing that has several boxes: in parts, with specks beside it, or one to nearly all captions."""
    if len(boxes) < 2 or any(phrase.is_plural for _, phrase in said) or _has_plural(name, readings):
        return False
    if _is_in_parts(name, boxes, readings):
        return True
    if name == "person":
        return _is_one_person(said, readings)
    enough = _MOST if len(boxes) == _PAIR else _NEARLY_ALL
    enough = _SEVERAL if len(boxes) == _PAIR and (name in _PLAYED_WITH or _is_nested(*boxes)) else enough
    return _is_beside_specks(boxes, said, readings) or _is_one_to_all(said, enough)


def _is_one_person(said: Mentions, readings: Sequence[CaptionReading]) -> bool:
    """True where nearly all captions tell one person, and none a second: who else is boxed may be a reflection."""
    if any(tells_several(one.phrases) or not _OTHERS.isdisjoint(one.tokens) for one in readings):
        return False
    return len({reading.number for reading, phrase in said if not phrase.is_likeness}) >= max(
        _SEVERAL, len(readings) - 1
    )


def may_be_several(name: str, readings: Sequence[CaptionReading]) -> bool:
    """True for one box of what two captions have in the plural, in whatever phrase."""
    plurals = _plurals_of(name) | _GENERAL.get(name, frozenset())
    return sum(not plurals.isdisjoint(reading.tokens) for reading in readings) >= _SEVERAL


def _plurals_of(name: str) -> frozenset[str]:
    return _plural_forms(name) - frozenset(find_category(name).synonyms)


@cache
def _plural_forms(name: str) -> frozenset[str]:
    """Return the plurals of all its words, also those that are like the singular."""
    return frozenset(map(plural_of, find_category(name).synonyms))


def _has_plural(name: str, readings: Sequence[CaptionReading]) -> bool:
    plurals = _plural_forms(name)
    return any(not plurals.isdisjoint(reading.tokens) for reading in readings)


def _is_in_parts(name: str, boxes: Sequence[Box], readings: Sequence[CaptionReading]) -> bool:
    """True for two or three boxes of what most captions call one: the faces of a clock, the pieces of a pizza."""
    # "A slice of pizza" is a word of its own, and of a pizza for all that.
    num_captions = sum(any(word in reading.tokens for word in find_category(name).synonyms) for reading in readings)
    is_named = 2 * num_captions > len(readings) or (name in _MOSTLY_ONE and num_captions > 0)
    return name in _IN_PARTS and len(boxes) <= _PARTS and is_named


def _is_nested(one: Box, other: Box) -> bool:
    """True for two boxes of which the smaller lies mostly within the larger."""
    return shared_area(one, other) > _NESTED * min(one.area, other.area)


def _is_beside_specks(boxes: Sequence[Box], said: Mentions, readings: Sequence[CaptionReading]) -> bool:
    """True for one that nearly all captions name, where the other boxes of its kind are specks."""
    first, second = sorted((box.area for box in boxes), reverse=True)[:2]
    naming = len({reading.number for reading, _ in said})
    return second < min(_SPECK, first / _SPECKS_IN_ONE) and naming >= max(_MOST, len(readings) - 1)


def _is_one_to_all(said: Mentions, enough: int) -> bool:
    """True for what so many captions name once each: another box may be its picture, or of another thing."""
    real = [(reading, phrase) for reading, phrase in said if not phrase.is_likeness]
    first = {reading.number: phrase.start for reading, phrase in reversed(real)}
    # "An elephant looks like the elephant in the sign."
    real = [
        (reading, phrase)
        for reading, phrase in real
        if phrase.start == first[reading.number] or reading.tokens[phrase.start] != "the"
    ]
    numbers = {reading.number for reading, _ in real}
    is_first = all(reading.tokens[phrase.start] not in _ANOTHER for reading, phrase in real)
    return len(real) == len(numbers) >= enough and is_first
