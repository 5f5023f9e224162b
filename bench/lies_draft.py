"""An answer while lies are put into it, and what boxes and captions allow to be called a lie."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import lies_wording as wording

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of
from instructgen.records import Box, ImageRecord

_SENTENCES = re.compile(r"[^\s].*?(?:[.!?](?=\s)|$)", re.DOTALL)
_WORDS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Lie:
    """`before` is what stood there, "" where something was added; `evidence` is why `after` is false."""

    kind: str
    before: str
    after: str
    evidence: str


@dataclass
class Pair:
    """A question and its answer, as they are changed; the question of a description is ""."""

    question: str
    answer: str


@dataclass(frozen=True)
class Facts:
    """`boxes` by category, without crowds; `words` are the captions' words."""

    boxes: dict[str, list[Box]]
    crowds: frozenset[str]
    words: frozenset[str]
    captions: str
    absent: tuple[str, ...]

    def is_there(self, name: str) -> bool:
        return name in self.boxes or name in self.crowds


@dataclass
class Draft:
    """An answer while lies are put into it; `told` are the sentences that are lies already."""

    pairs: list[Pair]
    sample_type: str
    facts: Facts
    draw: random.Random
    told: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[tuple[Pair, str]]:
        """Yield what is said of the image and is no lie yet, in a drawn order.

        Of reasoning that is the first sentence; what follows holds of such scenes in general.
        """
        found = [(pair, sentence) for pair in self.pairs for sentence in _SENTENCES.findall(pair.answer)]
        found = found[:1] if self.sample_type == "reasoning" else found
        self.draw.shuffle(found)
        yield from ((pair, sentence) for pair, sentence in found if not any(sentence in one for one in self.told))

    def replace(self, pair: Pair, before: str, after: str) -> None:
        pair.answer = pair.answer.replace(before, after, 1)
        self.told.append(after)

    def add(self, sentence: str) -> None:
        """Put a sentence behind a drawn one."""
        pair = self.draw.choice(self.pairs)
        told = _SENTENCES.findall(pair.answer)
        place = 1 if self.sample_type == "reasoning" else self.draw.randint(1, len(told))
        told.insert(place, sentence)
        pair.answer = " ".join(told)
        self.told.append(sentence)

    def ask(self, question: str, answer: str) -> None:
        self.pairs.insert(self.draw.randint(0, len(self.pairs)), Pair(question, answer))
        self.told.append(answer)

    def draw_absent(self) -> str:
        """Draw an absent category: half of the time one of the kind of what is there, where there is any."""
        groups = {CATEGORIES[name].group for name in self.facts.boxes if name in CATEGORIES}
        near = [name for name in self.facts.absent if CATEGORIES[name].group in groups]
        return self.draw.choice(near if near and self.draw.random() < 0.5 else self.facts.absent)

    def fill(self, forms: tuple[str, ...], **values: str) -> str:
        """Draw one of the forms and fill it in; the first letter is made large."""
        text = self.draw.choice(forms).format(**values)
        return text[0].upper() + text[1:]


def read_facts(record: ImageRecord) -> Facts:
    boxes: dict[str, list[Box]] = {}
    for box in record.boxes:
        if not box.is_crowd:
            boxes.setdefault(box.category, []).append(box)
    captions = " ".join(record.captions).lower()
    words = frozenset(_WORDS.findall(captions))
    boxed = {box.category for box in record.boxes}
    mixed_up = {name for group in wording.MIXED_UP if boxed & group for name in group}
    absent = tuple(
        name for name in CATEGORIES if name not in boxed and name not in mixed_up and not is_hinted(name, captions)
    )
    return Facts(boxes, frozenset(box.category for box in record.boxes if box.is_crowd), words, captions, absent)


def is_hinted(name: str, captions: str) -> bool:
    """Return whether a caption names the thing, or has a word under which it may hide."""
    category = CATEGORIES[name]
    said = {form for word in category.synonyms for form in (word, plural_of(word))} | set(category.hints)
    return re.search(rf"\b(?:{'|'.join(map(re.escape, said))})\b", captions) is not None


def single(name: str) -> str:
    return wording.SINGULAR.get(name) or CATEGORIES[name].spoken


def plural(name: str) -> str:
    return plural_of(single(name)) if " of " not in single(name) else f"several {CATEGORIES[name].plural}"


def is_named(name: str, captions: str) -> bool:
    said = {form for word in CATEGORIES[name].synonyms for form in (word, plural_of(word))}
    return re.search(rf"\b(?:{'|'.join(map(re.escape, said))})\b", captions) is not None
