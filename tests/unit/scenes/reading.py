"""Reads captions back with its own grammar: how many of what, in which colour."""

import re
from typing import NamedTuple

from instructgen.scenes.phrases import NOUNS

_NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "white", "gray", "black")
_PERSON_WORDS = ("person", "people", "man", "men", "woman", "women", "child", "children")
_BALL_WORDS = ("soccer ball", "soccer balls", "basketball", "basketballs", "beach ball", "beach balls")


def _kinds_by_word() -> dict[str, str]:
    words = {word: kind for kind, pairs in NOUNS.items() for pair in pairs for word in pair}
    words |= dict.fromkeys(_PERSON_WORDS, "person") | dict.fromkeys(_BALL_WORDS, "sports ball")
    words |= {
        "sailboat": "boat",
        "sailboats": "boat",
        "wooden table": "dining table",
        "kitchen table": "dining table",
    }
    return words


_KINDS = _kinds_by_word()
_NOUN = "|".join(sorted(map(re.escape, _KINDS), key=len, reverse=True))
_COLOUR = "|".join(_COLOURS)
_MENTION = re.compile(
    rf"\b({'|'.join(_NUMBERS)}) (?:({_COLOUR}) )?({_NOUN})\b(?: in (?:an? )?({_COLOUR})\b(?! pasture| park))?",
    re.IGNORECASE,
)


class Mention(NamedTuple):
    count: int
    colour: str | None
    kind: str
    start: int


def read_mentions(caption: str) -> list[Mention]:
    return [
        Mention(
            _NUMBERS[found[1].lower()],
            found[2] or found[4],
            _KINDS.get(found[3]) or _KINDS[found[3].lower()],
            found.start(),
        )
        for found in _MENTION.finditer(caption)
    ]
