"""Articles, plurals, colours and number words."""

import re
from functools import lru_cache

NUMBER_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
}
NUMBER_NAMES = {number: word for word, number in NUMBER_WORDS.items()}

# Key: as people write it; value: as we say it.
COLOURS = {
    "black": "black",
    "white": "white",
    "red": "red",
    "blue": "blue",
    "green": "green",
    "yellow": "yellow",
    "orange": "orange",
    "pink": "pink",
    "purple": "purple",
    "brown": "brown",
    "gray": "gray",
    "grey": "gray",
    "tan": "tan",
    "beige": "beige",
    "gold": "gold",
    "golden": "gold",
    "silver": "silver",
    "turquoise": "turquoise",
    "teal": "teal",
    "maroon": "maroon",
}

_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "knife": "knives",
    "loaf": "loaves",
    "shelf": "shelves",
    "leaf": "leaves",
    "calf": "calves",
    "scarf": "scarves",
    "wolf": "wolves",
    "sheep": "sheep",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "ox": "oxen",
    "fish": "fish",
    "deer": "deer",
    "aircraft": "aircraft",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "bus": "buses",
    "scissors": "scissors",
    "skis": "skis",
    "broccoli": "broccoli",
    "luggage": "luggage",
}
_VOWEL_SOUND = re.compile(r"^(?:[aeio]|u(?!ni|ri|se|ten|kul)|hour|honest)", re.IGNORECASE)


@lru_cache(maxsize=8192)
def plural_of(noun: str) -> str:
    """Return the plural of a singular noun; of several words the last is bent."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    head, _, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        bent = _IRREGULAR[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        bent = last + "es"
    elif last.endswith("y") and last[-2:-1] not in tuple("aeiou"):
        bent = last[:-1] + "ies"
    elif last.endswith("man"):
        bent = last[:-3] + "men"
    else:
        bent = last + "s"
    return f"{head} {bent}" if head else bent


def with_article(noun: str) -> str:
    """Put "a" or "an" before a singular noun, by its sound."""
    return f"{'an' if _VOWEL_SOUND.match(noun) else 'a'} {noun}"


def join_words(parts: list[str], conjunction: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {conjunction} {parts[-1]}"
