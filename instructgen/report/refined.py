"""Some of the texts that were changed on their way, before and after, word by word."""

import heapq
from dataclasses import dataclass, field

from msgspec import Struct

from instructgen.dataset.lines import read_lines
from instructgen.dataset.publish import REFINED_NAME
from instructgen.dataset.stored import LocalVersion
from instructgen.draws import draw_fraction

_PER_STEP = 2
_MAX_PIECES = 400
_MAX_CHARS = 6_000


class RefinedLine(Struct, frozen=True):
    """`diff` has pieces in order: "=" kept, "-" taken away, "+" put in."""

    unit_id: str
    step: str
    outcome: str
    is_unchanged: bool
    diff: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(slots=True)
class Refined:
    shown: dict[str, list[tuple[float, int, RefinedLine]]] = field(default_factory=dict)
    num_seen: int = 0

    def observe(self, line: RefinedLine) -> None:
        self.num_seen += 1
        if line.is_unchanged or sum(len(text) for _, text in line.diff) > _MAX_CHARS or len(line.diff) > _MAX_PIECES:
            return
        kept = self.shown.setdefault(line.step, [])
        entry = (-draw_fraction(0, "report", line.unit_id), -self.num_seen, line)
        if len(kept) < _PER_STEP:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)

    def list_shown(self) -> list[RefinedLine]:
        return [
            line
            for step in sorted(self.shown)
            for _, _, line in sorted(self.shown[step], key=lambda one: one[:2], reverse=True)
        ]


def read_refined(version: LocalVersion) -> Refined:
    """Read refined.jsonl line by line; a version without one has refined nothing."""
    found = Refined()
    for line in read_lines(version, REFINED_NAME, RefinedLine):
        found.observe(line)
    return found
