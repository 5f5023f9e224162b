"""Wrong counts, mirrored sides and wrong colours for the planted-fault benchmark."""

import random
import re

from planted_frames_more import COLOURS, COUNTS, SIDES
from planted_say import UNFIT, Pairs, say_both, say_true
from planted_text import Plant, article, capital, count_slots, fill, lines_of
from planted_truth import Scene, count_before
from planted_words import COLOUR_OF, NATURAL, NEAR_WORDS, NUMBERS, OTHER_COLOURS, SAME

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import find_mentions

# Words of a sentence that may state another count.
_NUMBER_WORDS = frozenset(
    {
        *NUMBERS,
        *map(str, range(13)),
        "couple",
        "pair",
        "several",
        "many",
        "single",
        "another",
        "group",
        "both",
        "some",
        "few",
        "second",
    }
)


def draw_wrong(number: int, draw: random.Random) -> int:
    """Return a wrong count, mostly below the true one where that can be: often it cannot, and both should occur."""
    below = [n for n in (number - 1, number - 2) if n >= 1]
    above = [number + 1, number + 2, number + 3]
    return draw.choice(below if below and draw.random() < 0.75 else above)


def plant_count(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    counts = {name: n for name in sorted(scene.boxes) if (n := scene.sure_count(name)) and name not in UNFIT}
    if source != "frame":
        return _count_in_text(counts, source, texts, draw)
    if not counts:
        return None
    many = [name for name in counts if counts[name] > 1]
    if not many and draw.random() < 0.94:
        return None
    name = draw.choice(many or list(counts))
    number, wrong = counts[name], draw_wrong(counts[name], draw)
    noun = _plural_noun(name, draw)
    frame = draw.choice(lines_of(COUNTS))
    as_digit = draw.random() < 0.2
    question, _, said = frame.partition("=>")
    clean, faulty = (fill(said.strip(), noun, **count_slots(noun, n, as_digit=as_digit)) for n in (number, wrong))
    asked = fill(question.strip(), noun)
    return Plant("wrong_count", asked, clean, faulty, f"{name}: {number} -> {wrong}", source, _NUMBER_WORDS)


def _plural_noun(category: str, draw: random.Random) -> str:
    return "person" if category == "person" else draw.choice(SAME.get(category, (CATEGORIES[category].spoken,)))


def _count_in_text(counts: dict[str, int], source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    for question, text in texts:
        for mention in find_mentions(text):
            number = counts.get(mention.category, 0)
            if number < 2 or count_before(text, mention) != number or not mention.is_plural:
                continue
            start = text.lower().rfind(NUMBERS[number], 0, mention.start)
            if start < 0:
                continue
            wrong = draw_wrong(number, draw)
            wrong = wrong if wrong > 1 else number + 1
            word = capital(NUMBERS[wrong]) if text[start].isupper() else NUMBERS[wrong]
            new = text[:start] + word + text[start + len(NUMBERS[number]) :]
            clean, faulty = say_both(text, new, draw, source)
            detail = f"{mention.category}: {number} -> {wrong}"
            return Plant("wrong_count", question, clean, faulty, detail, source, _NUMBER_WORDS)
    return None


def plant_side(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    sides = {name: side for name in sorted(scene.boxes) if name not in UNFIT and (side := scene.sure_side(name))}
    if not sides:
        return None
    if source == "program":
        return _side_in_text(sides, texts, draw)
    name = draw.choice(list(sides))
    side = sides[name]
    noun = say_true(scene, name, draw)
    frame = draw.choice(lines_of(SIDES))
    slots = _side_slots(scene, frame, sides, name, draw)
    if slots is None:
        return None
    question, _, said = frame.partition("=>")
    false = "right" if side == "left" else "left"
    if "{side}" in question:
        clean = fill(said.strip(), noun, side=side)
        other_name = next((n for n in sides if sides[n] == false), None)
        if not other_name:
            return None
        faulty = fill(said.strip(), say_true(scene, other_name, draw), side=side)
        asked, detail = fill(question.strip(), noun, side=side), f"{other_name}: {false} -> {side}"
        return Plant("mirrored_side", asked, clean, faulty, detail, source, frozenset({"left", "right"}))
    clean, faulty = (fill(said.strip(), noun, side=s, far=f, **slots) for s, f in ((side, false), (false, side)))
    asked = fill(question.strip(), noun, **slots)
    return Plant(
        "mirrored_side", asked, clean, faulty, f"{name}: {side} -> {false}", source, frozenset({"left", "right"})
    )


def _side_slots(
    scene: Scene, frame: str, sides: dict[str, str], name: str, draw: random.Random
) -> dict[str, str] | None:
    """Return the other things that the frame names; None where the image has none of that place."""
    slots = {}
    if "{y}" in frame:
        other = _far_thing(scene, name, sides[name], draw)
        if not other:
            return None
        slots["y"] = say_true(scene, other, draw)
    if "{z}" in frame:
        far = [other for other in sides if sides[other] != sides[name]]
        if not far:
            return None
        slots["z"] = say_true(scene, draw.choice(far), draw)
    if "{vert}" in frame:
        box = scene.boxes[name][0]
        centre = (box.y0 + box.y1) / 2
        if 0.36 < centre < 0.64:
            return None
        slots["vert"] = draw.choice(("upper", "top")) if centre < 0.5 else draw.choice(("lower", "bottom"))
    return slots


def _far_thing(scene: Scene, category: str, side: str, draw: random.Random) -> str | None:
    """Return another single thing that lies wholly past this one, on the far side."""
    box = scene.boxes[category][0]
    names = [
        name
        for name in sorted(scene.sure)
        if name != category
        and len(scene.boxes[name]) == 1
        and scene.num_captions_with(name) >= 2
        and not any(m.is_plural for some in scene.mentions for m in some if m.category == name)
        and (box.x1 < scene.boxes[name][0].x0 + 0.02 if side == "left" else box.x0 > scene.boxes[name][0].x1 - 0.02)
    ]
    return draw.choice(names) if names else None


def _side_in_text(sides: dict[str, str], texts: Pairs, draw: random.Random) -> Plant | None:  # noqa: ARG001
    for question, text in texts:
        for sentence in re.split(r"(?<=[.])\s+", text):
            named = {m.category for m in find_mentions(sentence)}
            told = re.findall(r"\b(left|right)\b", sentence)
            if len(named) != 1 or len(told) != 1 or sides.get(next(iter(named))) != told[0]:
                continue
            false = "right" if told[0] == "left" else "left"
            new = text.replace(sentence, re.sub(rf"\b{told[0]}\b", false, sentence))
            return Plant(
                "mirrored_side", question, text, new, f"{next(iter(named))}: {told[0]} -> {false}", "program"
            )
    return None


def plant_colour(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    colours = list(scene.sure_colours)
    draw.shuffle(colours)
    for noun, colour, name in colours:
        false = _false_colour(scene, colour, name, draw)
        if not false:
            continue
        avoid = frozenset({colour, false})
        if source == "frame":
            word = noun if not name or draw.random() < 0.6 else say_true(scene, name, draw)
            frame = draw.choice(lines_of(COLOURS))
            question, _, said = frame.partition("=>")
            if word.endswith("s") and (not name):
                continue
            clean, faulty = (fill(said.strip(), word, c=c) for c in (colour, false))
            asked = fill(question.strip(), word, c_true=colour, c_false=false)
            return Plant("wrong_colour", asked, clean, faulty, f"{word}: {colour} -> {false}", source, avoid)
        for question, text in texts:
            new = _recolour(text, noun, colour, false)
            if new:
                clean, faulty = say_both(text, new, draw, source)
                return Plant("wrong_colour", question, clean, faulty, f"{noun}: {colour} -> {false}", source, avoid)
    return None


def _false_colour(scene: Scene, colour: str, category: str, draw: random.Random) -> str | None:
    """Return a colour that no caption has, not even under a near name; for an animal mostly a natural one."""
    others = OTHER_COLOURS.get(colour, "").split()
    if category and CATEGORIES[category].group == "animal" and draw.random() < 0.8:
        others = NATURAL.get(colour, "").split()
    free = [c for c in others if not any(f" {w} " in scene.words for w in (c, *NEAR_WORDS.get(c, "").split()))]
    return draw.choice(free) if free else None


def _recolour(text: str, noun: str, colour: str, false: str) -> str | None:
    spelled = "|".join([colour, *(word for word, same in COLOUR_OF.items() if same == colour)])
    near = rf"\b(a |an |A |An )?({spelled})( (?:\w+ )?{re.escape(noun)}\b)"
    match = re.search(near, text)
    if match:
        lead = article(false).split()[0] + " " if match[1] else ""
        lead = capital(lead) if match[1] and match[1][0] == "A" else lead
        return text[: match.start()] + lead + false + match[3] + text[match.end() :]
    match = re.search(rf"\b{re.escape(noun)} (?:\w+ ){{0,3}}(?:is|looks) ({spelled})\b(?! and)", text)
    return text[: match.start(1)] + false + text[match.end(1) :] if match else None
