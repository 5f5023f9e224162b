"""The answers of all parts in one ledger, so that a build in the merged dataset's folder asks for none of them."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.jobs.ledgers import import_replies
from instructgen.jobs.merge_open import OpenedPart
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.reading import open_for_replay
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME
from instructgen.teachers.replay import TeacherIdentity, add_identity


class MergedAnswers(Struct, frozen=True):
    """Answers that are new to the merged ledger, those that it had, and the parts that came without a ledger."""

    num_new: int
    num_known: int
    without: tuple[str, ...]


def merge_ledgers(opened: Sequence[OpenedPart], out: Path, say: Callable[[str], None]) -> MergedAnswers:
    """Take the parts' answers into `out`'s ledger; of two answers to one request the first part's stays."""
    runs = [folder for part in opened if (folder := _find_run(part)) is not None]
    without = tuple(part.ref for part in opened if _find_run(part) is None)
    if without:
        say(
            f"{len(without)} parts came without their run/ ({', '.join(without[:3])}): a later build in {out} would "
            "ask again for what they answered"
        )
    if not runs:
        return MergedAnswers(0, 0, without)
    counts = import_replies(out / "run", runs, say)
    return MergedAnswers(counts.num_new, counts.num_known, without)


def note_teachers(opened: Sequence[OpenedPart], ledger: Ledger) -> None:
    """Write down whom the parts have asked, for a later replay."""
    listed = ledger.read_meta("teachers")
    known = listed
    for part in opened:
        run = _find_run(part)
        for identity in () if run is None else _read_teachers(run):
            known = add_identity(known, identity)
    if known is not None and known != listed:
        ledger.write_meta("teachers", known)


def _read_teachers(run: Path) -> tuple[TeacherIdentity, ...]:
    with closing(open_for_replay(run)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'teachers'").fetchone()
    return () if row is None else msgspec.json.decode(row[0], type=tuple[TeacherIdentity, ...])


def _find_run(part: OpenedPart) -> Path | None:
    if part.folder is None:
        return None
    run = part.folder / "run"
    return run if any((run / name).exists() for name in (LEDGER_NAME, JOURNAL_NAME)) else None
