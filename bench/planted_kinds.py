"""The six faults of the planted-fault benchmark: each makes a false statement of an image, and its true twin."""

import random
import re
from collections.abc import Callable

from planted_claims import plant_colour, plant_count, plant_side
from planted_frames import ADDED, DENIED
from planted_say import UNFIT, Pairs, say_absent, say_both, say_true
from planted_text import Plant, article, capital, fill, lines_of
from planted_truth import Scene, is_whole
from planted_words import PARTNERS

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import Mention, find_mentions
from instructgen.lexicon.words import plural_of

KIND_OF = {
    "swapped_object": "object",
    "added_object": "object",
    "wrong_count": "count",
    "mirrored_side": "position",
    "wrong_colour": "colour",
    "negated_existence": "object",
}
_ADD_TAILS = (
    "{cap} next to {a}", "{cap}, with {a} in the background", "{cap} near {a}", "{cap} and {a}", "{cap} beside {a}",
    "{cap}, and {a} can be seen too", "{cap} while {a} is close by", "{cap}, together with {a}",
    "{cap} in front of {a}", "{cap}, along with {a}", "{cap} with {a} nearby", "{cap} as well as {a}",
)  # fmt: skip
_NO_TAILS = (
    "{cap}, with no {x} in sight", "{cap} without {a} anywhere", "{cap}, and there is no {x}", "{cap}, but no {xs}",
    "{cap}, and no {x} is visible",
)  # fmt: skip
_COMMON = {
    "person",
    "dog",
    "cat",
    "car",
    "bicycle",
    "bird",
    "boat",
    "umbrella",
    "motorcycle",
    "bus",
    "truck",
    "horse",
    "train",
}
_COUNTABLE = re.compile(
    r"\b(an?|the|one|his|her|their|its|this|that|each|another|no|\w+'s)( (?!of\b)[a-z\-]+){0,3} $", re.IGNORECASE
)


def draw_absent(scene: Scene, draw: random.Random) -> str | None:
    """Return a category that is surely not there: half the time a common one or one that suits the picture."""
    near = [name for name in CATEGORIES if name in _COMMON or CATEGORIES[name].group in scene.groups]
    names = near if draw.random() < 0.6 else list(CATEGORIES)
    draw.shuffle(names)
    return next((name for name in names if name not in UNFIT and scene.is_absent(name)), None)


def _put(text: str, mention: Mention, word: str) -> str:
    """Put a word in a mention's place and bend the article before it."""
    before, after = text[: mention.start], text[mention.end :]
    match = re.search(r"\b(an?|An?) $", before)
    if match and not mention.is_plural:
        wanted = article(word).split()[0]
        before = before[: match.start()] + (capital(wanted) if match[1][0] == "A" else wanted) + " "
    return before + (capital(word) if not before else word) + after


def _is_counted(text: str, mention: Mention) -> bool:
    """True if another thing's name fits in: "a pizza", not "eating pizza"."""
    before = text[: mention.start].rpartition("\n")[2]
    return mention.is_plural or bool(_COUNTABLE.search(before))


def swap_in(text: str, scene: Scene, draw: random.Random) -> tuple[str, str, str] | None:
    """Return (text, true category, false category) with every mention of one sure thing replaced."""
    found = find_mentions(text)
    names = sorted(
        {m.category for m in found if m.category in PARTNERS and m.category in scene.sure and not m.is_negated}
    )
    draw.shuffle(names)
    for name in names:
        ours = [m for m in found if m.category == name]
        partners = [other for other in PARTNERS[name].split("|") if scene.is_absent(other)]
        if not partners or not all(is_whole(text, m) and _is_counted(text, m) for m in ours):
            continue
        other = draw.choice(partners)
        word = say_absent(other, draw)
        for mention in reversed(ours):
            text = _put(text, mention, plural_of(word) if mention.is_plural else word)
        return text, name, other
    return None


def plant_swapped(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    if source == "frame":
        names = sorted(name for name in scene.sure if name in PARTNERS)
        draw.shuffle(names)
        for name in names:
            partners = [other for other in PARTNERS[name].split("|") if scene.is_absent(other)]
            if partners:
                other = draw.choice(partners)
                frame = draw.choice([f for f in lines_of(ADDED) if "=>*" not in f and "##" not in f])
                question, _, said = frame.partition("=>")
                clean, faulty = fill(said, say_true(scene, name, draw)), fill(said, say_absent(other, draw))
                detail, avoid = f"{name} -> {other}", frozenset({name, other})
                return Plant("swapped_object", question.strip(), clean.strip(), faulty.strip(), detail, source, avoid)
        return None
    for question, text in texts:
        # A question that names the thing is bent with its answer: nobody asks for a cat and is told of a dog.
        swapped = swap_in(f"{question}\n{text}" if question else text, scene, draw)
        if not swapped or (source == "program" and text.startswith("No")):
            continue
        new, name, other = swapped
        asked, _, new = new.rpartition("\n")
        if new == text:
            continue
        clean, faulty = say_both(text, new, draw, source)
        return Plant(
            "swapped_object", asked, clean, faulty, f"{name} -> {other}", source, frozenset({name, other}), question
        )
    return None


def plant_added(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    name = draw_absent(scene, draw)
    if not name:
        return None
    word = say_absent(name, draw)
    if source == "caption":
        if not texts:
            return None
        caption = texts[0][1]
        tail = draw.choice(_ADD_TAILS).replace("{cap}", caption)
        clean, faulty = say_both(caption, fill(tail, word), draw, source)
        return Plant("added_object", "", clean, faulty, name, source, frozenset({name}))
    frames = lines_of(ADDED)
    if source == "program":
        return _add_to_text(name, word, texts, draw)
    frame = draw.choice(frames)
    question, _, said = frame.partition("=>")
    question, said = question.strip(), said.strip()
    if "##" in said:
        faulty, clean = (part.strip() for part in said.split("##"))
        return Plant(
            "added_object",
            fill(question, word),
            fill(clean, word),
            fill(faulty, word),
            name,
            source,
            frozenset({name}),
        )
    true = [other for other in sorted(scene.sure) if other not in UNFIT]
    if said.startswith("*") or not true:
        clean, avoid = "", frozenset({name})
        if question:
            return None
    else:
        other = draw.choice(true)
        clean, avoid = fill(said, say_true(scene, other, draw)), frozenset({name, other})
    return Plant("added_object", question, clean, fill(said.lstrip("* "), word), name, source, avoid)


def _add_to_text(name: str, word: str, texts: Pairs, draw: random.Random) -> Plant | None:
    """Put a sentence about something that is not there into the scene program's description."""
    for question, text in texts:
        sentences = re.split(r"(?<=[.])\s+", text)
        if len(sentences) < 3 or name in {m.category for m in find_mentions(text)}:
            continue
        said = draw.choice([f for f in lines_of(ADDED) if f.startswith("=>")]).removeprefix("=>").lstrip("* ")
        place = draw.randint(1, len(sentences))
        new = " ".join([*sentences[:place], fill(said, word), *sentences[place:]])
        return Plant("added_object", question, text, new, name, "program")
    return None


def plant_denied(scene: Scene, source: str, texts: Pairs, draw: random.Random) -> Plant | None:
    names = [
        name
        for name in sorted(scene.sure)
        if name not in UNFIT and max(box.area for box in scene.boxes[name]) > 0.01 and name != "dining table"
    ]
    other = draw_absent(scene, draw)
    if not names or not other:
        return None
    things = [name for name in names if name != "person"]
    name = draw.choice(things if things and draw.random() < 0.8 else names)
    true, false = say_true(scene, name, draw), say_absent(other, draw)
    if source == "caption":
        free = [text for _, text in texts if name not in {m.category for m in find_mentions(text)}]
        if not free:
            return None
        tail = draw.choice(_NO_TAILS).replace("{cap}", free[0])
        clean, faulty = say_both(fill(tail, false), fill(tail, true), draw, source)
        return Plant("negated_existence", "", clean, faulty, name, source, frozenset({name}))
    avoid = frozenset({name, other})
    if source == "program":
        return _deny_in_text(scene, texts, draw)
    question, _, said = draw.choice(lines_of(DENIED)).partition("=>")
    question, said = question.strip(), said.strip()
    if "##" in said:
        faulty, clean = (fill(part.strip(), true) for part in said.split("##"))
        return Plant("negated_existence", fill(question, true), clean, faulty, name, source, avoid)
    return Plant("negated_existence", question, fill(said, false), fill(said, true), name, source, avoid)


def _deny_in_text(scene: Scene, texts: Pairs, draw: random.Random) -> Plant | None:
    """Put a thing that is there in the place of the one that the scene program denies, in question and answer."""
    for question, text in texts:
        found = find_mentions(f"{question}\n{text}")
        denied = {m.category for m in found if m.is_negated}
        spare = sorted(scene.sure - {m.category for m in found} - UNFIT)
        if not text.startswith("No") or len(denied) != 1 or not spare:
            continue
        name, gone = draw.choice(spare), next(iter(denied))
        word, new = say_true(scene, name, draw), f"{question}\n{text}"
        if not any(m.category == gone for m in find_mentions(question)) or not scene.is_absent(gone):
            continue
        for mention in reversed([m for m in found if m.category == gone]):
            new = _put(new, mention, plural_of(word) if mention.is_plural else word)
        asked, _, faulty = new.partition("\n")
        return Plant("negated_existence", asked, text, faulty, name, "program", clean_question=question)
    return None


def true_sentences(scene: Scene, draw: random.Random) -> Pairs:
    """Return (kind, true statement) in the benchmark's own words: existence, counts, sides, colours, absence."""
    found = {}
    for what in draw.choices(list(_TRUE), list(_TRUE.values()), k=10):
        plant = PLANTERS[what](scene, "frame", [], draw)
        if plant and plant.clean and not plant.question:
            found[what] = plant.clean
    return list(found.items())


_TRUE = {"added_object": 5, "wrong_count": 2, "mirrored_side": 3, "wrong_colour": 2, "negated_existence": 0.3}
PLANTERS: dict[str, Callable[[Scene, str, Pairs, random.Random], Plant | None]] = {
    "swapped_object": plant_swapped,
    "added_object": plant_added,
    "wrong_count": plant_count,
    "mirrored_side": plant_side,
    "wrong_colour": plant_colour,
    "negated_existence": plant_denied,
}
