"""POPE (Li et al. 2023, arXiv 2305.10355): yes/no questions on objects, read from answers and made from boxes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.lexicon.categories import CATEGORIES, find_category
from instructgen.lexicon.mentions import find_mentions
from instructgen.lexicon.words import with_article
from instructgen.records import ImageRecord, Message
from instructgen.text import split_words

Answer = Literal["yes", "no"]
Setting = Literal["random", "popular", "adversarial"]
SETTINGS: tuple[Setting, ...] = ("random", "popular", "adversarial")

NUM_EACH = 3  # the paper asks 3 + 3 questions on each image with at least 3 objects
_PICTURE = r"(?:the|this|that) (?:image|picture|photo|photograph|scene)"
_ASKS_EXISTENCE = re.compile(
    r"(?:is|are|was|were) there\b"
    r"|(?:can|could|do) (?:you|we|i) (?:see|spot|find|notice)\b"
    rf"|(?:does|do) {_PICTURE} (?:show|contain|include|have|feature|depict)\b"
    rf"|(?:is|are) (?:there |any |an? |some |the )?[^?]* (?:visible|present|shown|in {_PICTURE})\W*$"
)
# These ask for more than yes or no.
_ASKS_MORE = re.compile(r"\b(?:or|how|what|which|where|who|whose|why|when|describe|name|list)\b")
_NO = {"no", "not"}


def asks_existence(question: str) -> bool:
    """Return whether a question asks if something is there, and nothing else."""
    lowered = " ".join(question.lower().split())
    return bool(_ASKS_EXISTENCE.match(lowered)) and not _ASKS_MORE.search(lowered)


def read_answer(text: str) -> Answer:
    """Read yes or no as POPE does: "no" where the first sentence has "No", "no" or "not" as a word, else "yes"."""
    words = text.partition(".")[0].replace(",", "").split()
    return "no" if any(word in _NO or word == "No" for word in words) else "yes"


@dataclass(slots=True)
class YesNoCounts:
    """The answers to questions of existence."""

    num_yes: int = 0
    num_no: int = 0

    def observe(self, turns: Sequence[Message]) -> None:
        for question, answer in pairwise(turns):
            if question.role == "user" and answer.role == "assistant" and asks_existence(question.content):
                is_yes = read_answer(answer.content) == "yes"
                self.num_yes += is_yes
                self.num_no += not is_yes

    def merge(self, other: "YesNoCounts") -> None:
        self.num_yes += other.num_yes
        self.num_no += other.num_no

    @property
    def yes_share(self) -> float | None:
        """0 to 1; None where nothing was asked."""
        num_asked = self.num_yes + self.num_no
        return self.num_yes / num_asked if num_asked else None


class PopeQuestion(Struct, frozen=True):
    image_id: str
    category: str
    question: str
    answer: Answer
    setting: Setting


@dataclass(slots=True)
class CategoryCounts:
    """In how many images each category is, and each two together: what popular and adversarial ones are drawn by."""

    num_images: Counter[str] = field(default_factory=Counter)
    together: dict[str, Counter[str]] = field(default_factory=dict)

    def observe(self, record: ImageRecord) -> None:
        present = _boxed(record)
        self.num_images.update(present)
        for category in present:
            self.together.setdefault(category, Counter()).update(other for other in present if other != category)


def count_categories(records: Iterable[ImageRecord]) -> CategoryCounts:
    counts = CategoryCounts()
    for record in records:
        counts.observe(record)
    return counts


def make_questions(
    record: ImageRecord, counts: CategoryCounts, setting: Setting, seed: int = 0, min_area: float = 0.0
) -> tuple[PopeQuestion, ...]:
    """Return 3 questions whose answer is yes and 3 whose answer is no, in turns.

    Asked for as there are categories with a box of their own, no crowd's, that takes `min_area` of the image. Nothing
    for an image with fewer than 3 of them, or without 3 that are surely absent: not boxed at all, and not in the
    captions by any name or hint. Absent ones are drawn at random, or are the most frequent ones of the data, or those
    that are most often seen together with what is there.
    """
    generator = make_generator(seed, f"pope/{setting}", record.image_id)
    present = _boxed(record)
    clear = find_clear(record, min_area)
    absent = _surely_absent(record, [name for name in counts.num_images if name not in present])
    if len(clear) < NUM_EACH or len(absent) < NUM_EACH:
        return ()
    if setting == "random":
        chosen = generator.sample(sorted(absent), NUM_EACH)
    else:
        chosen = sorted(absent, key=lambda name: (-_frequency(name, present, counts, setting), name))[:NUM_EACH]
    questions = []
    for there, not_there in zip(generator.sample(sorted(clear), NUM_EACH), chosen, strict=True):
        questions.append(PopeQuestion(record.image_id, there, _ask(there), "yes", setting))
        questions.append(PopeQuestion(record.image_id, not_there, _ask(not_there), "no", setting))
    return tuple(questions)


def _boxed(record: ImageRecord) -> list[str]:
    """Return the categories in the order of their first box."""
    return list(dict.fromkeys(box.category for box in record.boxes))


def find_clear(record: ImageRecord, min_area: float) -> list[str]:
    """Return the categories that have a box of one thing, large enough to be asked for."""
    return list(dict.fromkeys(box.category for box in record.boxes if not box.is_crowd and box.area >= min_area))


def _surely_absent(record: ImageRecord, categories: Iterable[str]) -> list[str]:
    mentioned = {mention.category for caption in record.captions for mention in find_mentions(caption)}
    words = {word for caption in record.captions for word in split_words(caption)}
    return [
        name
        for name in categories
        if name not in mentioned and words.isdisjoint(CATEGORIES[name].hints if name in CATEGORIES else ())
    ]


def _frequency(name: str, present: Iterable[str], counts: CategoryCounts, setting: Setting) -> int:
    if setting == "popular":
        return counts.num_images[name]
    return sum(counts.together.get(other, Counter())[name] for other in present)


def _ask(name: str) -> str:
    category = find_category(name)
    if category.plural == category.spoken and category.spoken.endswith("s"):
        return f"Are there any {category.spoken} in the image?"
    return f"Is there {with_article(category.spoken)} in the image?"
