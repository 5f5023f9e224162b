"""Which categories a text mentions: the longest phrase wins, so that a hot dog is no dog."""

# ruff: noqa: E501 - a row of the table is a line

import re
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of

# Phrases that contain a category's word and mean something else.
_DECOYS = (
    "bus stop", "bus station", "bus lane", "train station", "train track", "train platform", "train yard",
    "train car", "cable car", "trolley car", "car seat", "car park", "car door", "car window", "dog house",
    "dog bed", "dog park", "dog bowl", "cat food", "dog food", "dog toy", "bird feeder", "bird house", "bird bath",
    "bird cage", "horse shoe", "horse trailer", "horse race", "cow girl", "sheep skin", "bear claw",
    "teddy bears picnic", "chair lift", "ski lift", "ski slope", "ski lodge", "ski pole", "ski jump", "ski resort",
    "ski suit", "ski mask", "ski trail", "ski run", "ski area", "ski hill", "ski gear", "ski boot", "water ski",
    "jet ski",
    "orange juice", "orange slice", "orange peel", "orange tree", "apple juice", "apple pie", "apple tree",
    "apple computer", "apple laptop", "apple logo", "apple sauce", "carrot cake", "banana bread", "banana tree",
    "banana split", "banana peel", "pizza oven", "pizza box", "pizza cutter", "pizza pan", "pizza shop",
    "pizza place", "pizza restaurant", "pizza dough", "pizza crust", "pizza peel", "cake pan", "cake stand",
    "cake plate", "cake knife", "donut shop", "bed of", "flower bed", "truck bed", "river bed", "bed spread",
    "bed room", "bed sheet", "bed frame", "couch cushion", "toilet paper", "toilet tissue", "toilet seat lid",
    "toilet brush", "tv stand", "tv show", "tv remote", "tv tray", "tv cabinet", "tv dinner", "laptop case",
    "laptop bag", "mouse pad", "mickey mouse", "minnie mouse", "keyboard tray", "book shelf", "book store",
    "book case", "book bag", "book mobile", "guest book", "comic book", "clock face", "bottle cap",
    "bottle opener", "pedestrian crossing",
    "tie dye", "kite string", "kite surfer", "kite boarder", "kite surfing", "kite boarding", "kite festival",
    "boat dock", "boat house", "boat ramp", "bike rack", "bat man", "orange sauce", "stop light sign",
    "table cloth", "table top", "side table", "end table", "night table", "table tennis", "time table",
    "counter top", "sink faucet", "oven mitt", "oven door", "oven rack", "microwave door", "range rover",
    "mountain range", "driving range", "refrigerator magnet", "refrigerator door", "vase holder",
    "fork lift", "remote area", "remote location", "remote place", "remote road", "remote region",
    "cup holder", "cup cake", "world cup", "suction cup", "cup board", "knife holder", "knife block", "knife rack",
    "bowl cut", "toilet bowl cleaner", "super bowl", "fruit plate", "man made", "person's", "baby carriage",
    "baby stroller", "frisbee golf", "sports car dealer", "fish tank", "duck pond", "chicken salad",
    "chicken soup", "fried chicken", "grilled chicken", "chicken wing", "chicken sandwich", "chicken breast",
    "pieces of chicken", "chicken dish", "rubber duck", "turkey sandwich", "coach purse", "pool table", "ping pong table",
    "changing table", "massage table", "sail board", "bull horn", "bull dog", "hot plate", "ball game",
    "ball field", "ball park", "ball player", "ball cap", "ball point", "phone booth", "phone call", "pay phone",
    "pay phones", "head phone", "ram truck", "crane truck", "construction crane", "jet engine", "jet stream", "jet pack",
    "ship yard", "space ship", "train set", "hot dog stand", "hot dog bun", "hot dog cart", "motorcycle helmet",
    "motorcycle jacket", "motorcycle gear", "bike helmet", "elephant ear", "zebra crossing", "zebra print", "zebra stripes",
    "giraffe print", "cow boy", "cow print", "bear suit", "elephant statue", "horse statue", "bear statue", "dog statue",
    "cat statue", "horse drawn", "dining table cloth", "stop sign pole", "parking meter pole", "couple of",
)  # fmt: skip


class Mention(Struct, frozen=True):
    """A category's word in a text. `start` and `end` are offsets; `phrase` is lower case."""

    category: str
    phrase: str
    start: int
    end: int
    is_plural: bool
    is_negated: bool


_ALWAYS_PLURAL = frozenset({"people", "crowd", "family", "couple", "cattle"})
_NEGATION = re.compile(r"\b(?:no|without|not an?|never|nor|isn't an?|zero)\s+(?:[\w'-]+\s+)?$")


def _make_phrases() -> dict[str, tuple[str, bool] | None]:
    """Map each phrase, words parted by a space, to (category, is plural); None for a decoy."""
    phrases: dict[str, tuple[str, bool] | None] = {}
    for decoy in _DECOYS:
        phrases[decoy] = phrases[plural_of(decoy)] = None
    for category in CATEGORIES.values():
        for word in category.synonyms:
            if word in _ALWAYS_PLURAL:
                phrases[word] = (category.name, True)
                continue
            phrases.setdefault(plural_of(word), (category.name, True))
            phrases[word] = (category.name, word in ("skis", "scissors"))
    phrases["busses"] = ("bus", True)
    return phrases


def lengths_by_first_word(phrases: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return how many words the phrases have that begin with a word, the longest first."""
    lengths: dict[str, set[int]] = {}
    for phrase in phrases:
        words = phrase.split(" ")
        lengths.setdefault(words[0], set()).add(len(words))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


# Key: a phrase in lower case, words parted by one space; value: (category, is plural), None for a decoy.
CATEGORY_PHRASES = _make_phrases()
_LENGTHS = lengths_by_first_word(CATEGORY_PHRASES)
_WORD = re.compile(r"[a-z0-9]+(?:'(?!s\b)[a-z]+)?")
# "orange" names a colour where a noun follows or a form of "be" precedes it.
_AFTER_FRUIT = re.compile(
    r"\s*(?:$|[.,;!?)]|(?:and|or|on|in|is|are|with|that|sitting|next|hanging|at|near|beside|being|cut|sits|by|which"
    r"|sliced|peeled|growing|from|inside|for|half|grows|has|hangs|still|to|it|alone|lying|laying|under)\b)"
)
_BEFORE_COLOUR = re.compile(r"(?:\b(?:is|are|in|and|bright|dark|light|wearing|colored)|,)\s+$")


def _is_colour(text: str, start: int, end: int) -> bool:
    return not _AFTER_FRUIT.match(text, end) or bool(_BEFORE_COLOUR.search(text[max(0, start - 12) : start]))


def find_mentions(text: str) -> list[Mention]:
    """Return the mentions in order of their place; a possessive ("dog's") counts, a verb is not told apart."""
    lowered = text.lower()
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(lowered)]
    found = []
    index = 0
    while index < len(words):
        taken = 1
        for length in _LENGTHS.get(words[index][0], ()):
            span = words[index : index + length]
            phrase = " ".join(word for word, _, _ in span)
            if len(span) < length or phrase not in CATEGORY_PHRASES or not _is_unbroken(lowered, span):
                continue
            taken = length
            mention = _make_mention(lowered, phrase, span[0][1], span[-1][2])
            if mention:
                found.append(mention)
            break
        index += taken
    return found


def _is_unbroken(text: str, span: list[tuple[str, int, int]]) -> bool:
    """True if nothing but spaces and hyphens lies between the words."""
    return all(not text[left[2] : right[1]].strip(" -\n") for left, right in pairwise(span))


def _make_mention(text: str, phrase: str, start: int, end: int) -> Mention | None:
    known = CATEGORY_PHRASES[phrase]
    if known is None or (phrase == "orange" and _is_colour(text, start, end)):
        return None
    category, is_plural = known
    negated = bool(_NEGATION.search(text[max(0, start - 24) : start]))
    return Mention(category, phrase, start, end, is_plural, negated)
