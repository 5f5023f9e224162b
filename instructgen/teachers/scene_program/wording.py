"""Small words: articles, regions, lists and verbs in agreement with what they go with."""

import random

from instructgen.lexicon.words import NUMBER_NAMES, join_words, with_article
from instructgen.records import Box
from instructgen.teachers.scene_program.geometry import height_of, side_of
from instructgen.teachers.scene_program.scene import Scene, Thing

_REGIONS = {
    ("left", "top"): ("in the upper left of the {pic}", "in the upper left part of the {pic}"),
    ("left", "bottom"): ("in the lower left of the {pic}", "in the lower left part of the {pic}"),
    ("right", "top"): ("in the upper right of the {pic}", "in the upper right part of the {pic}"),
    ("right", "bottom"): ("in the lower right of the {pic}", "in the lower right part of the {pic}"),
    ("left", "middle"): ("on the left side of the {pic}", "at the left of the {pic}"),
    ("left", ""): ("on the left side of the {pic}", "at the left of the {pic}"),
    ("right", "middle"): ("on the right side of the {pic}", "at the right of the {pic}"),
    ("right", ""): ("on the right side of the {pic}", "at the right of the {pic}"),
    ("middle", "middle"): ("in the middle of the {pic}", "in the center of the {pic}"),
    ("middle", "top"): ("near the top of the {pic}", "in the upper part of the {pic}"),
    ("middle", "bottom"): ("near the bottom of the {pic}", "in the lower part of the {pic}"),
    ("", "top"): ("near the top of the {pic}", "in the upper part of the {pic}"),
    ("", "bottom"): ("near the bottom of the {pic}", "in the lower part of the {pic}"),
}


def say_region(box: Box, draw: random.Random, pic: str) -> str:
    """Say where in the frame a box lies; "" where its place is not clear."""
    forms = _REGIONS.get((side_of(box), height_of(box)))
    return draw.choice(forms).format(pic=pic) if forms else ""


def say_thing(thing: Thing) -> str:
    """Word a thing for a list: "a dog", "dogs", "a pair of scissors"."""
    if thing.is_many:
        return thing.plural
    return say_one(thing.word)


def say_one(word: str) -> str:
    """Put an article before a singular; things that come in pairs are said as a pair."""
    if word == "broccoli":
        return word
    return f"a pair of {word}" if word in ("scissors", "skis") else with_article(word)


def say_number(number: int) -> str:
    return NUMBER_NAMES.get(number, str(number))


def say_list(things: list[str]) -> str:
    return join_words(things)


def be(*, is_plural: bool) -> str:
    return "are" if is_plural else "is"


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def is_countable(thing: Thing) -> bool:
    """Pairs and what is a plural by itself are left out of counts and of "a"."""
    return thing.name not in ("skis", "scissors", "broccoli")


def pick_single(scene: Scene) -> list[Thing]:
    """Return the things that "the X" names without doubt: one box, and no caption speaks of several."""
    return [thing for thing in scene.things if thing.is_single and is_countable(thing)]
