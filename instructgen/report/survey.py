"""One pass over all texts of a version for what is counted, a second for what stands out."""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from instructgen.draws import draw_fraction
from instructgen.evaluate.pope import asks_existence, read_answer
from instructgen.report.texts import TextRow
from instructgen.text import split_words

NUM_CHECKED = 2_000
"""Rows whose claims are held against annotations for the report; the build has done it for all of them."""
_MAX_PATHS = 50_000  # of first words; a version of natural questions has some thousand
_MAX_WORDS = 400_000
_MIN_WORDS = 12  # of different words in a sample, to call it unusual: fewer say nothing of the rest
_FIRST_WORDS = 3


@dataclass(slots=True)
class Top:
    """Keeps the rows with the highest values; equal ones by their draw, so that the order of reading is nothing."""

    size: int
    heap: list[tuple[float, float, str, int, int, TextRow]] = field(default_factory=list)
    """Value, draw, id and place, which no two rows share: rows themselves have no order, and ids may be double."""

    def offer(self, value: float, draw: float, row: TextRow) -> None:
        entry = (value, draw, row.sample_id, row.shard, row.row, row)
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, entry)
        elif (value, draw) > self.heap[0][:2]:
            heapq.heapreplace(self.heap, entry)

    def rows(self) -> list[tuple[float, TextRow]]:
        """Return value and row, the highest first."""
        return [(one[0], one[-1]) for one in sorted(self.heap, reverse=True)]


@dataclass(slots=True)
class TypeCounts:
    num_rows: int = 0
    answer_words: Counter[int] = field(default_factory=Counter)
    """How many answers have how many words."""
    num_questions: int = 0
    existence: Counter[str] = field(default_factory=Counter)
    """Questions whether something is there: "yes" and "no"."""
    begins: Counter[str] = field(default_factory=Counter)
    """Answers whose first word is "yes" or "no"."""


@dataclass(slots=True)
class Survey:
    """`drawn` are rows of each type by the seed, the lowest draw first; the others are the extremes."""

    types: dict[str, TypeCounts] = field(default_factory=dict)
    first_words: Counter[tuple[str, ...]] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    drawn: dict[str, Top] = field(default_factory=dict)
    doubtful: Top = field(default_factory=lambda: Top(24))
    longest: Top = field(default_factory=lambda: Top(8))
    shortest: Top = field(default_factory=lambda: Top(8))
    unusual: Top = field(default_factory=lambda: Top(16))

    @property
    def num_rows(self) -> int:
        return sum(counts.num_rows for counts in self.types.values())

    def observe(self, row: TextRow, num_drawn: int) -> None:
        draw = draw_fraction(0, "report", row.sample_id)
        counts = self.types.setdefault(row.sample_type, TypeCounts())
        counts.num_rows += 1
        # The lowest draws: a larger report of the same version shows those of a smaller one, too.
        self.drawn.setdefault(row.sample_type, Top(num_drawn)).offer(-draw, 0.0, row)
        if row.doubt > 0:
            self.doubtful.offer(row.doubt, draw, row)
        num_words = self._count_turns(row, counts)
        self.longest.offer(num_words, draw, row)
        if num_words:
            self.shortest.offer(-num_words, draw, row)

    def _count_turns(self, row: TextRow, counts: TypeCounts) -> int:
        """Count questions and answers; return how many words the longest answer has."""
        longest = 0
        for turn in row.turns:
            if turn.role == "user":
                counts.num_questions += 1
                _count_bounded(self.first_words, tuple(split_words(turn.content[:80])[:_FIRST_WORDS]), _MAX_PATHS)
            elif turn.role == "assistant":
                words = split_words(turn.content)
                counts.answer_words[len(turn.content.split())] += 1
                longest = max(longest, len(words))
                if words and words[0] in ("yes", "no"):
                    counts.begins[words[0]] += 1
                if len(self.words) < _MAX_WORDS:
                    self.words.update(words)
        for question, answer in pairwise(row.turns):
            if question.role == "user" and answer.role == "assistant" and asks_existence(question.content):
                counts.existence[read_answer(answer.content)] += 1
        return longest

    def find_unusual(self, rows: Iterable[TextRow]) -> None:
        """Take the rows whose answers have the words that this version has least."""
        total = self.words.total()
        bits = {word: math.log2(total / number) for word, number in self.words.items()}
        most = math.log2(total) if total else 0.0
        for row in rows:
            words = {word for answer in row.answers for word in split_words(answer)}
            if len(words) >= _MIN_WORDS:
                mean = sum(bits.get(word, most) for word in words) / len(words)
                self.unusual.offer(round(mean, 6), draw_fraction(0, "report", row.sample_id), row)

    def list_rarest(self, row: TextRow) -> tuple[str, ...]:
        """Return the three words of a row's answers that this version has least."""
        words = {word for answer in row.answers for word in split_words(answer)}
        return tuple(sorted(words, key=lambda word: (self.words[word], word))[:3])

    def walk_drawn(self) -> Iterator[TextRow]:
        """Yield the drawn rows, the types in turn."""
        by_type = [[row for _, row in self.drawn[name].rows()] for name in sorted(self.drawn)]
        for place in range(max(map(len, by_type), default=0)):
            yield from (rows[place] for rows in by_type if place < len(rows))


def survey_texts(rows: Iterable[TextRow], num_types: int) -> Survey:
    """Return what one pass counts; NUM_CHECKED rows are drawn in all, each type as many as another."""
    survey = Survey()
    for row in rows:
        survey.observe(row, max(1, NUM_CHECKED // max(1, num_types)))
    return survey


def _count_bounded(counter: Counter[tuple[str, ...]], key: tuple[str, ...], limit: int) -> None:
    if key and (key in counter or len(counter) < limit):
        counter[key] += 1
