"""What all parts of a build may spend together, lent to each in slices: money and tokens once, rates by the second.

Money that is lent counts as spent from the moment on at which it is written down, until its part has ended and told
what it did spend. So a part that dies with its lease costs nobody more than that, and when it goes on it has the same
lease: what it may spend *in all its runs*. All of it is in a file; whoever opens that again goes on from there.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from instructgen.disk import read_whole_lines
from instructgen.errors import InstructgenError
from instructgen.generate.budget import NANO
from instructgen.generate.meter import SLICE_S, RateSlice
from instructgen.records import NOTHING, Cost
from instructgen.teachers.base import Teacher

LEASES_NAME = "leases.jsonl"
_PARTS_OF_REST = 4  # a slice is this part of what is left, for each of the parts
_MINUTE_S = 60.0
_PAUSE_S = SLICE_S / 4  # before a part asks again: with one request's room at a time, asking costs more than sending


class _Line(Struct, frozen=True):
    """From now on a part may spend so much in all its runs; `is_settled`: that is what it did spend."""

    part: int
    nano_usd: int
    tokens: int
    is_settled: bool = False


class Rates(Struct, frozen=True):
    """A server's limits per minute; None for none."""

    requests_per_minute: float | None
    tokens_per_minute: float | None


@dataclass(slots=True)
class _Bucket:
    """A rate that fills up with time, by a slice at most; what is larger than a slice goes when it is full."""

    per_minute: float
    held: float = 0.0
    at_s: float | None = None

    def fill(self, now_s: float) -> None:
        # Slices lapse after SLICE_S, and the bucket holds as much: over any minute no more than the limit goes out.
        rate = self.per_minute / (_MINUTE_S + 2 * SLICE_S)
        if self.at_s is not None:
            self.held = min(self.held + (now_s - self.at_s) * rate, self.capacity)
        self.at_s = now_s

    @property
    def capacity(self) -> float:
        return max(1.0, self.per_minute / (_MINUTE_S + 2 * SLICE_S) * SLICE_S)

    def wait_s(self, wanted: float) -> float:
        """Return the seconds until so many are held, or all that can be."""
        lacking = min(wanted, self.capacity) - self.held
        return max(0.0, lacking * (_MINUTE_S + 2 * SLICE_S) / self.per_minute)


@dataclass(slots=True)
class LeaseBook:
    """The coordinator's book; one process holds it. `limits` None is no limit of that kind."""

    path: Path
    num_parts: int
    max_nano_usd: int | None = None
    max_tokens: int | None = None
    rates: Mapping[str, Rates] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    _lent: dict[int, Cost] = field(default_factory=dict)
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _file: BinaryIO | None = None

    def open(self) -> None:
        """Read what was lent before, and go on from there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lines = [msgspec.json.decode(line, type=_Line) for line in read_whole_lines(self.path)]
        except msgspec.MsgspecError as error:
            raise InstructgenError(
                f"{self.path} is damaged ({error}); remove it and run again: what the parts spent is in their ledgers"
            ) from None
        for line in lines:
            self._lent[line.part] = Cost(line.nano_usd, line.tokens)
        self._file = self.path.open("ab")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def lent(self) -> Cost:
        """All that is lent or spent."""
        return sum(self._lent.values(), NOTHING)

    def lend_budget(self, part: int, wanted: Cost) -> Cost:
        """Return what the part may spend in all its runs; `wanted` or more, unless less is left.

        What it has spent already stands in `wanted`, so that a part from before this book is counted too.
        """
        before = self._lent.get(part, NOTHING)
        lent = self.lent
        after = Cost(
            _raise(before.nano_usd, wanted.nano_usd, lent.nano_usd, self.max_nano_usd, self.num_parts),
            _raise(before.tokens, wanted.tokens, lent.tokens, self.max_tokens, self.num_parts),
        )
        if after != before:
            self._write(_Line(part, after.nano_usd, after.tokens))
        return after

    def settle(self, part: int, spent: Cost) -> None:
        """Take back what an ended part did not spend; nothing of it may be at work any more."""
        if self._lent.get(part, NOTHING) != spent:
            self._write(_Line(part, spent.nano_usd, spent.tokens, is_settled=True))

    def lend_rate(self, server: str, tokens: int) -> RateSlice:
        """Return a slice of a server's rates; nothing of either where one has no room now."""
        rates = self.rates.get(server)
        if rates is None:
            return RateSlice(None, None, 0.0)
        requests = self._fill(server, "requests", rates.requests_per_minute)
        of_tokens = self._fill(server, "tokens", rates.tokens_per_minute)
        wait_s = max(
            0.0 if requests is None else requests.wait_s(1), 0.0 if of_tokens is None else of_tokens.wait_s(tokens)
        )
        if wait_s > 0:
            none = (None if requests is None else 0, None if of_tokens is None else 0)
            return RateSlice(*none, max(wait_s, _PAUSE_S))
        num_requests = None if requests is None else _draw(requests, 1)
        num_tokens = None if of_tokens is None else _draw(of_tokens, tokens)
        return RateSlice(num_requests, num_tokens, 0.0)

    def _fill(self, server: str, kind: str, per_minute: float | None) -> _Bucket | None:
        if per_minute is None:
            return None
        bucket = self._buckets.setdefault((server, kind), _Bucket(per_minute))
        bucket.fill(self.now())
        return bucket

    def _write(self, line: _Line) -> None:
        """Put a line on disk before anybody spends by it."""
        assert self._file is not None, "the book is closed"
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._lent[line.part] = Cost(line.nano_usd, line.tokens)


def _raise(before: int, wanted: int, lent: int, limit: int | None, num_parts: int) -> int:
    """Return the new ceiling of a part."""
    if limit is None:
        return max(before, wanted)
    left = limit - lent
    needed = wanted - before
    if needed <= 0 or needed > left:
        return before
    return before + min(left, max(needed, left // (_PARTS_OF_REST * num_parts)))


def _draw(bucket: _Bucket, at_least: int) -> int:
    """Take all whole ones that a bucket holds, and at least so many."""
    num = max(int(bucket.held), at_least)
    bucket.held -= num
    return num


def list_rates(teachers: Sequence[Teacher]) -> dict[str, Rates]:
    """Return the limits of all servers that have one, by the names that a run knows them by."""
    found: dict[str, Rates] = {}
    for server in (server for teacher in teachers if teacher.is_remote for server in teacher.servers):
        limits = server.limits
        if limits is not None and (limits.requests_per_minute or limits.tokens_per_minute):
            found[server.name] = Rates(limits.requests_per_minute, limits.tokens_per_minute)
    return found


def to_nano(usd: float | None) -> int | None:
    return None if usd is None else int(usd * NANO)
