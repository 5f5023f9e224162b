"""What was not published, and why: counted by stage, reason and type, with some of the texts."""

import heapq
from collections import Counter
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from instructgen.dataset.lines import read_lines
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.stored import LocalVersion
from instructgen.draws import draw_fraction

_PER_REASON = 3
_MAX_TEXT_CHARS = 1_200


class RejectedLine(Struct, frozen=True):
    """What a line of rejected.jsonl says; other versions of instructgen may write less or more."""

    unit_id: str
    reason: str
    stage: str = "unknown"
    outcome: str = "rejected"
    sample_type: str = ""
    detail: str = ""
    text: str = ""

    @property
    def type_name(self) -> str:
        return self.sample_type or self.unit_id.rpartition("/")[2]


@dataclass(slots=True)
class Rejections:
    """`counts` are by (stage, reason) and type; `shown` some lines of each reason, by their draw."""

    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    shown: dict[tuple[str, str], list[tuple[float, int, RejectedLine]]] = field(default_factory=dict)

    def observe(self, line: RejectedLine) -> None:
        key = line.stage, line.reason
        self.counts.setdefault(key, Counter())[line.type_name] += 1
        kept = self.shown.setdefault(key, [])
        entry = (-draw_fraction(0, "report", line.unit_id), -self.counts[key].total(), _cut(line))
        if len(kept) < _PER_REASON:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)

    def count(self, *stages: str) -> int:
        return sum(counts.total() for (stage, _), counts in self.counts.items() if stage in stages)

    def reasons(self, *stages: str) -> dict[str, int]:
        """Return the reasons of some stages, the most frequent first."""
        found: Counter[str] = Counter()
        for (stage, reason), counts in self.counts.items():
            if stage in stages:
                found[reason] += counts.total()
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def list_keys(self) -> list[tuple[str, str]]:
        """Return stage and reason, the most frequent first."""
        return sorted(self.counts, key=lambda key: (-self.counts[key].total(), key))

    def list_shown(self, key: tuple[str, str]) -> list[RejectedLine]:
        """Return some of the lines of a reason, by their draw."""
        return [line for _, _, line in sorted(self.shown[key], key=lambda one: one[:2], reverse=True)]


def read_rejections(version: LocalVersion) -> Rejections:
    """Read rejected.jsonl line by line; a version without one has rejected nothing.

    Raises InstructgenError for a line that cannot be read.
    """
    found = Rejections()
    for line in read_lines(version, REJECTED_NAME, RejectedLine):
        found.observe(line)
    return found


def _cut(line: RejectedLine) -> RejectedLine:
    if len(line.text) <= _MAX_TEXT_CHARS and len(line.detail) <= _MAX_TEXT_CHARS:
        return line
    return msgspec.structs.replace(line, text=cut_text(line.text), detail=cut_text(line.detail))


def cut_text(text: str, max_chars: int = _MAX_TEXT_CHARS) -> str:
    """Return the text, or its beginning with a word on how much is left out."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]} … [{len(text) - max_chars:,} characters more]"
