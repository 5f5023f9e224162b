"""One part of a build, as an engine runs it: wherever it runs, however often, in a folder of its own."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from instructgen.config import BuildConfig
from instructgen.engine.work import PartReport, PartWork
from instructgen.errors import InstructgenError
from instructgen.generate.meter import Lender
from instructgen.jobs.build import Build
from instructgen.jobs.facts import Spending
from instructgen.jobs.generate import Gauges
from instructgen.jobs.outcomes import Outcome
from instructgen.jobs.parts import make_parts
from instructgen.ledger.reading import open_for_replay
from instructgen.ledger.store import decode_state
from instructgen.records import Cost, Failed, Reply
from instructgen.sources.shares import Share


class QuietWatch:
    """Tells of a part what people must hear, and nothing of its course."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def say(self, text: str) -> None:
        self._say(text)

    def begin(self, stage: str, num_units: int | None) -> None:
        """Not told."""

    def expect(self, num_units: int) -> None:
        """Not told."""

    def count(self, bought: Spending) -> None:
        """Not told."""

    def observe(self, gauges: Gauges) -> None:
        """Not told."""

    def waiting(self, num_in_flight: int) -> None:
        """Not told."""

    def answered(self, reply: Reply | Failed, outcome: Outcome | None) -> None:
        """Not told."""

    def outcome(self, outcome: Outcome) -> None:
        """Not told."""

    def end(self) -> None:
        """Not told."""


def build_part(work: PartWork, index: int, lender: Lender, say: Callable[[str], None] = lambda _: None) -> PartReport:
    """Build the part, or go on with it; a user's mistake and a run that stopped early are in the report."""
    os.chdir(work.cwd)
    config = msgspec.json.decode(work.config, type=BuildConfig)
    folder = work.folder(index)
    error, exit_code, num_new = "", 0, 0
    try:
        parts = make_parts(config, Share(index, work.num_parts))
        result = Build(parts, folder, QuietWatch(say), lender=lender).run()
        num_new = result.num_new_requests
    except InstructgenError as met:
        error, exit_code = str(met), met.exit_code
    return PartReport(index, read_spent(folder / "run"), num_new, error, exit_code)


def read_spent(run: Path) -> Cost:
    """Return what the runs in a folder have spent, or may have; nothing where there was none."""
    try:
        connection = open_for_replay(run)
    except InstructgenError:
        return Cost()
    with closing(connection):
        row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
        marks = connection.execute("SELECT TOTAL(nano_usd), TOTAL(tokens) FROM sent").fetchone()
    in_doubt = Cost(int(marks[0]), int(marks[1]))
    if row is None:
        return in_doubt
    totals = decode_state(row).totals
    bought = Cost(totals.nano_usd, totals.prompt_tokens + totals.completion_tokens)
    return bought + Cost(totals.maybe_nano_usd, totals.maybe_tokens) + in_doubt
