"""What is surely true of one image: read strictly from its boxes and captions, for the planted-fault benchmark."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from planted_words import (
    CARRIED,
    COLOUR_OF,
    COLOUR_WORDS,
    CONFUSED,
    MORE_HINTS,
    NUMBERS,
    OUTDOOR_GROUPS,
    SMALL_INDOOR,
    THINGS,
    WORN,
)

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import Mention, find_mentions
from instructgen.lexicon.words import plural_of
from instructgen.records import Box, ImageRecord
from instructgen.sources.coco import CocoSource

_NUMBER = re.compile(
    rf"\b({'|'.join(NUMBERS[1:])}|\d{{1,2}}|a couple of|a pair of)((?: (?!of\b)[a-z\-]+){{0,2}}) $", re.IGNORECASE
)
_MANY = re.compile(r"\b(several|many|group|lots?|bunch|herd|flock|crowd|some|few|multiple|various|row|another|other|"
                   r"others|both|family|team|pack|line|dozen|dozens|numerous|each)\b", re.IGNORECASE)  # fmt: skip
_COLOURS = "|".join(COLOUR_WORDS)
_SIZES = "large|big|small|little|old|long|short|double|decker|fire|passenger|commuter|tennis|wooden|plastic|metal"
_BETWEEN = rf"(?:(?:{_SIZES}) )?"
_UNSURE_COLOUR = re.compile(
    r"\b(black and white|sepia|multi|multicolored|colorful|striped|spotted|plaid|rainbow|calico|two tone)\b"
)
_ODD = re.compile(
    r"\b(left|right|no|not|without|empty|nothing|i|i'm|we|you|your|my|me|picture|photo|image|photograph|view|close|"
    r"shot|none|can't|don't|nobody|un\w+|black and white|reflection|statue|fake|toy|painting|poster|mirror|appears?|"
    r"looks? like|seems?|someone's|there|it|its|another|other)\b",
    re.IGNORECASE,
)
_BAD_ENGLISH = re.compile(
    r"\b(\w+) \1\b|\ba [aeio](?!ne)|\ban [^aeiouh]|^(?:Some|Several) (?:are|is|on|in)\b|\b(?:theres|alot)\b",
    re.IGNORECASE,
)
_START = re.compile(r"^(A|An|The|Two|Three|Four|Five|Six|Some|Several)\s[A-Za-z ,'\-]+\.?$")
# What may follow a noun that is whole; another noun after it would make a longer one.
_AFTER_NOUN = (
    "and or on in is are with that who which at near beside by from inside under while to as of for next has have "
    "down up over through across along against behind above below around outside into between during where was were "
    r"can walks? stands? sits? lays? lies? \w+ing \w+ed"
)
_CLOSED = re.compile(rf"\s*(?:$|[.,;!?]|(?:{'|'.join(_AFTER_NOUN.split())})\b)", re.IGNORECASE)


# Parts of a category's longer names that say nothing by themselves.
_ADJECTIVES = frozenset(
    (
        "pair", "wall", "water", "flat", "screen", "game", "coffee", "soup", "green", "baby", "black", "brown",
        "fire", "stop", "light", "house", "smart", "video", "street", "double", "school", "high", "beach",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One image with what can be trusted of it."""

    record: ImageRecord
    mentions: tuple[tuple[Mention, ...], ...] = field(repr=False)

    @cached_property
    def boxes(self) -> dict[str, list[Box]]:
        found: dict[str, list[Box]] = {}
        for box in self.record.boxes:
            found.setdefault(box.category, []).append(box)
        return found

    @cached_property
    def words(self) -> str:
        text = " ".join(re.sub(r"[^a-z0-9']+", " ", caption.lower()) for caption in self.record.captions)
        return f" {text} "

    def num_captions_with(self, category: str) -> int:
        return sum(any(m.category == category for m in found) for found in self.mentions)

    @cached_property
    def sure(self) -> set[str]:
        """Categories that have a box and two captions."""
        return {name for name in self.boxes if self.num_captions_with(name) >= 2}

    @cached_property
    def groups(self) -> set[str]:
        return {CATEGORIES[name].group for name in self.boxes}

    def is_absent(self, category: str) -> bool:
        """True if neither a box nor a caption's word hints at it, and nothing here could be taken for it."""
        known = CATEGORIES[category]
        if category in self.boxes or CONFUSED.get(category, set()) & self.boxes.keys():
            return False
        if not self.boxes or len(self.record.captions) < 5:
            return False
        if category in SMALL_INDOOR and not self.groups <= OUTDOOR_GROUPS | {"person"}:
            return False
        if category in CARRIED and "person" in self.boxes:
            return False
        forms = {form for word in (*known.synonyms, *known.hints) for form in (word, plural_of(word))}
        forms |= set(MORE_HINTS.get(category, "").split())
        forms |= {part for form in forms for part in form.split() if len(part) > 3 and part not in _ADJECTIVES}
        return not any(f" {form} " in self.words for form in forms)

    def stated_counts(self, category: str) -> Counter[int]:
        """Return how many captions state each count; -1 counts captions that are vague or state several."""
        found: Counter[int] = Counter()
        for caption, mentions in zip(self.record.captions, self.mentions, strict=True):
            ours = [m for m in mentions if m.category == category]
            stated = [n for m in ours if (n := count_before(caption, m)) is not None]
            if len(stated) == 1 and not (len(ours) > 1 and _MANY.search(caption)):
                found[stated[0]] += 1
            elif len(stated) > 1 or (ours and _MANY.search(caption)):
                found[-1] += 1
            elif ours:
                found[1 if all(not m.is_plural for m in ours) and len(ours) == 1 else 0] += 1
        return found

    def sure_count(self, category: str) -> int | None:
        """Return the count that boxes and captions agree on: at least one caption for many, three for one."""
        num = len(self.boxes.get(category, ()))
        stated = self.stated_counts(category)
        told = {n for n in stated if n >= 1}
        if 2 <= num <= 8 and told == {num} and stated[num] >= (1 if stated[-1] == 0 else 2):
            return num
        if num == 1 and set(stated) == {1} and stated[1] >= 3 and category != "person":
            return 1
        return None

    def sure_side(self, category: str) -> str | None:
        """Return left or right for a category's only box, clearly on one side; None if in doubt."""
        boxes = self.boxes.get(category, ())
        if len(boxes) != 1 or boxes[0].area < 0.006 or boxes[0].x1 - boxes[0].x0 > 0.6:
            return None
        if any(m.is_plural for found in self.mentions for m in found if m.category == category):
            return None
        if category == "person" and _MANY.search(self.words):
            return None
        if any(n > 1 for n in self.stated_counts(category)) or not self.num_captions_with(category):
            return None
        centre = (boxes[0].x0 + boxes[0].x1) / 2
        return "left" if centre < 0.38 else "right" if centre > 0.62 else None

    @cached_property
    def sure_colours(self) -> list[tuple[str, str, str]]:
        """Return (noun as captions say it, colour word, category or "") for what has surely one colour."""
        if _UNSURE_COLOUR.search(self.words):
            return []
        found = []
        for name in sorted(self.sure - {"person", "orange", "bear", "wine glass", "broccoli", "traffic light"}):
            nouns = {m.phrase for some in self.mentions for m in some if m.category == name and not m.is_plural}
            told = [pair for noun in sorted(nouns) for pair in self.colours_of(noun)]
            enough = 2 if CATEGORIES[name].group == "animal" else 1
            if (
                len(self.boxes[name]) == 1
                and len({c for _, c in told}) == 1
                and len(told) >= enough
                and self._is_one(name)
            ):
                found.append((told[0][0], told[0][1], name))
        alone = len(self.boxes.get("person", ())) == 1 and not _MANY.search(self.words)
        for noun in [*(WORN if alone else ()), *THINGS]:
            told = self.colours_of(noun)
            plural = f" {plural_of(noun)} " in self.words and not noun.endswith("s")
            if len(told) >= 2 and len({c for _, c in told}) == 1 and not plural:
                found.append((noun, told[0][1], ""))
        return found

    def _is_one(self, category: str) -> bool:
        return not any(m.is_plural for some in self.mentions for m in some if m.category == category)

    def colours_of(self, noun: str) -> list[tuple[str, str]]:
        """Return (noun, colour) for each caption that ties a colour; two entries of different colour if mixed."""
        found = []
        for caption in self.record.captions:
            text = re.sub(r"\s+", " ", caption.lower())
            near = re.findall(rf"\b({_COLOURS})(?: colou?red)? {_BETWEEN}{noun}\b", text)
            near += re.findall(rf"\b{noun} (?:is|that is|painted|which is) ({_COLOURS})\b", text)
            found += [(noun, COLOUR_OF.get(colour, colour)) for colour in near[:1]]
            mixed = rf"\b({_COLOURS})(?:,| and| or|/|-| with)? ?(?:and )?(?:{_COLOURS})(?: \w+)? {noun}\b"
            mixed_after = (
                rf"\b{noun} (?:\w+ )?(?:{_COLOURS}) (?:and|with) (?:{_COLOURS})\b|\b{noun} with (?:{_COLOURS})\b"
            )
            mixed_far = rf"\b(?:{_COLOURS}) and (?!an? )(?:\w+ ){{1,3}}{noun}\b"
            if any(re.search(odd, text) for odd in (mixed, mixed_after, mixed_far)) or len(set(near)) > 1:
                return [(noun, "mixed"), (noun, "mixed too")]
        return found


def count_before(text: str, mention: Mention) -> int | None:
    """Return the number that stands before a mention, as "two small dogs"; None if there is none."""
    match = _NUMBER.search(text[max(0, mention.start - 40) : mention.start])
    if not match or (
        mention.start < len(text)
        and not mention.is_plural
        and match[1].lower() != "one"
        and mention.category != "sheep"
    ):
        return None
    word = match[1].lower()
    if word.startswith("a "):
        return 2
    return NUMBERS.index(word) if word in NUMBERS else int(word)


def is_whole(text: str, mention: Mention) -> bool:
    """True if the mention is no part of a longer noun ("train" of "train tracks")."""
    return bool(_CLOSED.match(text, mention.end))


def good_captions(scene: Scene, frequency: Counter[str]) -> list[str]:
    """Return captions that are good English and that boxes and the other captions bear out, without a full stop."""
    found = []
    for caption, mentions in zip(scene.record.captions, scene.mentions, strict=True):
        text = re.sub(r"\s+", " ", caption).strip()
        words = re.findall(r"[a-z'\-]+", text.lower())
        if not _START.match(text) or not 6 <= len(words) <= 22 or _ODD.search(text) or _BAD_ENGLISH.search(text):
            continue
        if any(frequency[word] < 6 for word in words) or not _is_borne_out(scene, caption, mentions):
            continue
        found.append(text.rstrip("."))
    return list(dict.fromkeys(found))


def _is_borne_out(scene: Scene, caption: str, mentions: tuple[Mention, ...]) -> bool:
    for mention in mentions:
        if mention.category not in scene.boxes and scene.num_captions_with(mention.category) < 3:
            return False
        stated = count_before(caption, mention)
        boxes = scene.boxes.get(mention.category, [])
        if stated is not None and stated != len(boxes) and scene.stated_counts(mention.category)[stated] < 3:
            return False
    for colour, noun in re.findall(rf"\b({_COLOURS})(?: colou?red)? ([a-z]+)\b", caption.lower()):
        if {COLOUR_OF.get(colour, colour)} != {told for _, told in scene.colours_of(noun)}:
            return False
    return True


def read_scenes(root: Path) -> Iterator[Scene]:
    for record in CocoSource(root).records():
        if isinstance(record, ImageRecord) and record.captions:
            yield Scene(record, tuple(tuple(find_mentions(caption)) for caption in record.captions))


def word_frequency(scenes: list[Scene]) -> Counter[str]:
    return Counter(w for s in scenes for c in s.record.captions for w in re.findall(r"[a-z'\-]+", c.lower()))
