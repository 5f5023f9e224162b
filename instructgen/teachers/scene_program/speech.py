"""Small words: articles, pronouns, regions, lists and verbs in agreement with what they go with."""

import random
import re

from msgspec import Struct

from instructgen.lexicon.words import NUMBER_NAMES, with_article
from instructgen.records import Box
from instructgen.scenegraph.geometry import height_of, side_of
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.vocabulary import GENDERS, NOUNS

PICTURE_WORDS = ("picture", "image", "photo")
# Key: side and height as `region_of` joins them.
_REGIONS = {
    "left top": ("in the upper left of {p}", "in the upper left part of {p}", "toward the top left of {p}"),
    "left bottom": ("in the lower left of {p}", "in the lower left part of {p}", "toward the bottom left of {p}"),
    "right top": ("in the upper right of {p}", "in the upper right part of {p}", "toward the top right of {p}"),
    "right bottom": ("in the lower right of {p}", "in the lower right part of {p}", "toward the bottom right of {p}"),
    "left": ("on the left side of {p}", "on the left of {p}", "over on the left of {p}", "toward the left of {p}"),
    "right": (
        "on the right side of {p}",
        "on the right of {p}",
        "over on the right of {p}",
        "toward the right of {p}",
    ),
    "near left": ("a little to the left of the center of {p}", "slightly left of the center of {p}"),
    "near right": ("a little to the right of the center of {p}", "slightly right of the center of {p}"),
    "middle": ("in the middle of {p}", "in the center of {p}", "right at the center of {p}"),
    "top": ("in the upper half of {p}", "in the upper part of {p}", "toward the top of {p}"),
    "bottom": ("in the lower half of {p}", "in the lower part of {p}", "toward the bottom of {p}"),
}
_MASS = frozenset({"broccoli"})
_WRITTEN = {
    "t shirt": "T-shirt",
    "t shirts": "T-shirts",
    "tv": "TV",
    "tvs": "TVs",
    "wii": "Wii",
    "christmas": "Christmas",
    "santa": "Santa",
}
_NAMES = (
    *("american", "asian", "british", "canadian", "chinese", "english", "european", "german", "indian", "italian"),
    *("japanese", "korean", "mexican", "spanish", "thai", "victorian", "london", "paris", "halloween", "easter"),
)
_WRITTEN |= {name: name.capitalize() for name in _NAMES}
_AS_WRITTEN = re.compile(rf"\b(?:{'|'.join(sorted(_WRITTEN, key=len, reverse=True))})\b")
PAIRS = ("scissors", "skis")
_UNCOUNTED = ("skis", "scissors", "broccoli")


class Pronouns(Struct, frozen=True):
    """`it` is the subject's form, `its` the possessive; `be` agrees with it."""

    it: str
    its: str
    be: str


_THEY = Pronouns("they", "their", "are")


def region_of(box: Box) -> str:
    """Return where in the frame a box lies ("left top", "middle"), or "" where its place is not clear."""
    side, height = side_of(box), height_of(box)
    if side == height == "middle":
        return "middle"
    return " ".join(word for word in (side, height) if word and word != "middle")


def say_region(region: str, draw: random.Random, pic: str = "") -> str:
    """Say where in the frame, with the given word for the picture or any."""
    return draw.choice(_REGIONS[region]).format(p=f"the {pic or draw.choice(PICTURE_WORDS)}")


def say_one(word: str) -> str:
    """Put an article before a singular; things that come in pairs are said as a pair."""
    noun = NOUNS.get(word)
    if noun is not None and noun.article in ("mass", "the"):
        return f"the {word}" if noun.article == "the" and word != "water" else word
    return f"a pair of {word}" if word in PAIRS else with_article(word)


def say_thing(entity: Entity) -> str:
    """Word a thing for a list: "a dog", "dogs", "a pair of scissors"."""
    if entity.is_many:
        return entity.plural
    return say_one(entity.word)


def say_number(number: int) -> str:
    return NUMBER_NAMES.get(number, str(number))


def be(*, is_plural: bool) -> str:
    return "are" if is_plural else "is"


def be_of(entity: Entity) -> str:
    """Return the verb that goes with how a thing is said; broccoli is one however much there is."""
    return be(is_plural=entity.is_many and entity.name not in _MASS)


def polish(text: str) -> str:
    """Begin with a capital, and write as names and shirts are written."""
    text = _AS_WRITTEN.sub(lambda match: _WRITTEN[match[0]], text)
    return text[:1].upper() + text[1:]


def is_countable(entity: Entity) -> bool:
    """Pairs and what is a plural by itself are left out of counts and of "a"."""
    return entity.name not in _UNCOUNTED


def may_be_one(one: Entity, other: Entity) -> bool:
    """True for words that may mean one thing: "bag" and "handbag", "tree" and "branches"."""
    words, others = ({entity.word, entity.word.split()[-1]} for entity in (one, other))
    if one.category and other.category:
        return False
    if not (one.category or other.category or words & others) and _are_named_together(one, other):
        return False
    return bool(words & others) or any(SAID_TWICE.get(word, frozenset()) & others for word in words)


def _are_named_together(one: Entity, other: Entity) -> bool:
    """True where a caption names both, each in its place: "a clock tower next to a building" is two things."""
    captions, others = ({span.caption for span in thing.evidence.spans} for thing in (one, other))
    return not captions.isdisjoint(others)


def find_singles(graph: SceneGraph) -> list[Entity]:
    """Return the boxed things that "the X" names without doubt: one box, and no caption speaks of several."""
    return [one for one in graph.boxed_entities() if one.is_single and one.boxes and is_countable(one)]


def pronouns_of(word: str, kind: str, *, is_plural: bool) -> Pronouns:
    """Return how a subject is taken up again; a person of unknown sex is "they"."""
    if is_plural:
        return _THEY
    if GENDERS.get(word) == "male":
        return Pronouns("he", "his", "is")
    if GENDERS.get(word) == "female":
        return Pronouns("she", "her", "is")
    return _THEY if kind == "person" else Pronouns("it", "its", "is")
