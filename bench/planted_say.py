"""Words for the things of an image, true or absent, and captions said twice the same way."""

import random

from planted_text import say_caption
from planted_truth import Scene
from planted_words import KINDS, SAME

from instructgen.lexicon.categories import CATEGORIES

# A question and its answer; the question is "" for a text that answers none.
Pairs = list[tuple[str, str]]
UNFIT = {"skis", "scissors", "broccoli", "baseball glove"}


def say_true(scene: Scene, category: str, draw: random.Random) -> str:
    """Return a singular word for a thing that is there: one of its own, or the captions'."""
    said = [m.phrase for some in scene.mentions for m in some if m.category == category and not m.is_plural]
    if category == "person":
        kinds = {word for word in said if word in ("man", "woman", "boy", "girl", "child", "baby", "lady")}
        return draw.choice(sorted(kinds)) if len(kinds) == 1 and len(said) >= 3 else "person"
    words = SAME.get(category, (CATEGORIES[category].spoken,))
    if said and draw.random() < 0.3 and said.count(said[0]) >= 2:
        return said[0]
    return draw.choice(words)


def say_absent(category: str, draw: random.Random) -> str:
    return draw.choice(KINDS.get(category) or SAME.get(category) or (CATEGORIES[category].spoken,))


def say_both(text: str, new: str, draw: random.Random, source: str) -> tuple[str, str]:
    """Say the true and the false text the same way."""
    if source == "program":
        return text, new
    state = draw.getstate()
    clean = say_caption(text, draw)
    draw.setstate(state)
    faulty = say_caption(new, draw)
    # Another noun may allow other forms; then both are said bare, so that nothing but the fault differs.
    return (clean, faulty) if num_changed(clean, faulty) <= num_changed(text, new) + 1 else (text + ".", new + ".")


def num_changed(left: str, right: str) -> int:
    """Return how many words lie between the first and the last one that differ."""
    words, others = left.split(), right.split()
    same = 0
    while same < min(len(words), len(others)) and words[same] == others[same]:
        same += 1
    tail = 0
    while tail < min(len(words), len(others)) - same and words[-1 - tail] == others[-1 - tail]:
        tail += 1
    return max(len(words), len(others)) - same - tail
