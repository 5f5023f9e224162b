"""Some of the texts that were changed on their way, before and after, word by word."""

import heapq
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from instructgen.dataset.publish import REFINED_NAME
from instructgen.dataset.stored import LocalVersion
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError

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
    shown: dict[str, list[tuple[float, str, RefinedLine]]] = field(default_factory=dict)

    def observe(self, line: RefinedLine) -> None:
        if line.is_unchanged or sum(len(text) for _, text in line.diff) > _MAX_CHARS or len(line.diff) > _MAX_PIECES:
            return
        kept = self.shown.setdefault(line.step, [])
        entry = (-draw_fraction(0, "report", line.unit_id), line.unit_id, line)
        if len(kept) < _PER_STEP:
            heapq.heappush(kept, entry)
        elif entry[:2] > kept[0][:2]:
            heapq.heapreplace(kept, entry)

    def list_shown(self) -> list[RefinedLine]:
        return [
            line
            for step in sorted(self.shown)
            for _, _, line in sorted(self.shown[step], key=lambda one: one[:2], reverse=True)
        ]


def read_refined(version: LocalVersion) -> Refined:
    """Read refined.jsonl line by line; a version without one has refined nothing."""
    found = Refined()
    decoder = msgspec.json.Decoder(RefinedLine)
    try:
        file = version.open(REFINED_NAME)
    except FileNotFoundError:
        return found
    with file:
        for number, line in enumerate(file, 1):
            try:
                found.observe(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                where = f"{version.place}: {REFINED_NAME} line {number}"
                raise InstructgenError(f"{where} cannot be read: {error}; build or copy the version again") from None
    return found
