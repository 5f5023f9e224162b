"""One word of what was written changed into another of its sort: what the prover must not let pass."""

import random
import re

from msgspec import structs

from instructgen.teachers.scene_program import Written
from tests.provers.text import plain

# Words of one sort: each may be changed into any other. No two of a sort say the same.
_SORTS = (
    "red blue green yellow black white brown pink purple gray",
    "two three four five six seven eight",
    "left right",
    "top bottom",
    "upper lower",
    "above below",
    "larger smaller",
    "sunny rainy snowy foggy",
    "dog cat horse zebra giraffe elephant bear cow bus train truck boat bench couch bed toilet oven pizza",
    "refrigerator banana laptop clock vase kite surfboard skateboard umbrella knife fork spoon bottle carrot",
    "dogs cats horses zebras giraffes elephants cows buses trains trucks boats",
    "man woman",
    "riding holding wearing eating throwing standing sitting lying walking cutting driving",
    "kitchen bathroom bedroom street beach field park forest",
    "wood metal glass plastic leather",
    "night day sunset",
)
_OTHERS = {word: [other for other in sort.split() if other != word] for sort in _SORTS for word in sort.split()}
_WORD = re.compile(r"\b(?:" + "|".join(sorted(_OTHERS, key=len, reverse=True)) + r")\b")
# "A cat" and "an elephant" have their articles changed too, so that nothing but the word gives the change away.
_ARTICLE = re.compile(r"\b([Aa])n? ([a-z])")


def mutate(written: Written, draw: random.Random) -> Written | None:
    """Change one word of an answer or of the paragraph; None where there is none to change."""
    if written.text:
        text = _change(written.text, draw)
        return structs.replace(written, text=text) if text else None
    spots = [number for number, told in enumerate(written.turns) if _WORD.search(told.answer)]
    if not spots:
        return None
    at = draw.choice(spots)
    answer = _change(written.turns[at].answer, draw)
    if not answer:
        return None
    turns = list(written.turns)
    turns[at] = structs.replace(turns[at], answer=answer)
    return structs.replace(written, turns=tuple(turns))


def _change(text: str, draw: random.Random) -> str:
    """Leave alone what only frames the talk: it claims nothing, so nothing is wrong with a change."""
    found = [match for match in _WORD.finditer(text) if match.group() in plain(text)]
    if not found:
        return ""
    match = draw.choice(found)
    changed = text[: match.start()] + draw.choice(_OTHERS[match.group()]) + text[match.end() :]
    return _ARTICLE.sub(lambda one: f"{one[1]}{'n' if one[2] in 'aeiou' else ''} {one[2]}", changed)
