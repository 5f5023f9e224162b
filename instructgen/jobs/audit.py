"""Holds data that exists already against COCO's annotations: reads, checks in several processes, adds up."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Set
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from instructgen.dataset.imports.json_pieces import Piece
from instructgen.dataset.imports.parse import FORMS, Unusable, parse_json
from instructgen.dataset.imports.read import DataFiles, find_data
from instructgen.errors import InstructgenError
from instructgen.evaluate.quality import Metrics
from instructgen.filters.near_duplicate import NearDuplicate, NearDuplicatePass
from instructgen.jobs.audit_check import (
    AuditVerdict,
    ChunkResult,
    UnusableAt,
    audit_chunk,
    choose_worst,
    close_checker,
)
from instructgen.jobs.audit_images import ShelfIndex, Tell, Wanted, gather_images, open_sources
from instructgen.records import ImageRecord, Sample

_CHUNK_RECORDS = 64
_CHUNK_BYTES = 1 << 20
_CHUNKS_AHEAD = 4  # for each process, so that none waits and memory stays bounded
_MIN_RECORDS_TO_SHARE = 400  # starting processes takes as long as checking some hundred records
_NUM_UNUSABLE_SHOWN = 20
_TELL_EVERY = 500  # records
_NO_IMAGE = ImageRecord("", "", 1, 1, (), ())  # near duplicates are told by their text alone


class AuditOptions(Struct, frozen=True):
    """What to audit. Without a root the bundled sample's images are meant; `processes` None takes every core."""

    data: Path
    root: Path | None = None
    split: str | None = None
    verdicts: Path | None = None
    limit: int | None = None
    processes: int | None = None


class Survey(Struct, frozen=True):
    """What the data holds, before anything is checked."""

    num_records: int
    types: dict[str, str]
    """Of each usable record: its number and its sample type."""
    wanted: Wanted
    near_duplicates: NearDuplicatePass
    unusable: tuple[UnusableAt, ...]
    """The first of them."""

    def count_near_duplicates(self, left_out: Set[str]) -> Counter[str]:
        """Return by type how many records all but repeat an earlier one, those left out aside."""
        return Counter(self.types[number] for number in self.near_duplicates.decide(left_out))


class AuditReport(Struct, frozen=True):
    """What an audit found. `metrics` has "total" and "types" (docs/audit.md)."""

    layout: str
    unit: str
    annotations: tuple[str, ...]
    num_records: int
    num_checked: int
    num_images: int
    reasons: dict[str, int]
    """Of records that could not be checked: reason -> count."""
    unusable: tuple[UnusableAt, ...]
    metrics: dict[str, Any]
    worst: tuple[tuple[int, AuditVerdict], ...]
    processes: int
    seconds: float
    check_seconds: float
    """Processor time of the grounding, of all processes together."""


def audit(options: AuditOptions, tell: Tell) -> AuditReport:
    """Check every record and return the report; the verdicts are written in the order of the data.

    Raises InstructgenError where nothing can be checked: no record is usable, or no image is known.
    """
    start_s = time.perf_counter()
    data = find_data(options.data)
    if options.verdicts is not None and options.verdicts.exists() and options.verdicts.samefile(options.data):
        raise InstructgenError(f"--verdicts would write over the data, {options.data}; name another file")
    survey = survey_data(data, options.limit, tell)
    if not survey.types:
        raise InstructgenError(f"{options.data}: {_why_nothing(survey, data)}; what can be read: {FORMS}")
    with tempfile.TemporaryDirectory(prefix="instructgen-audit-") as name:
        folder = Path(name)
        index = gather_images(open_sources(options.root, options.split), survey.wanted, folder, tell)
        _check_images(options, survey, index)
        processes = _choose_processes(options.processes, survey.num_records)
        with _open_verdicts(options.verdicts) as file:
            total, metrics = _check_all(_chunks(data, options.limit), folder, processes, file, _Watch(survey, tell))
    return AuditReport(
        layout=data.layout,
        unit=data.unit,
        annotations=index.titles,
        num_records=total.num_records,
        num_checked=total.num_records - total.reasons.total(),
        num_images=len(index.places),
        reasons=dict(total.reasons.most_common()),
        unusable=tuple(total.unusable[:_NUM_UNUSABLE_SHOWN]),
        metrics=metrics.close(survey.count_near_duplicates(total.left_out)),
        worst=tuple(total.worst),
        processes=processes,
        seconds=round(time.perf_counter() - start_s, 3),
        check_seconds=round(total.check_s, 3),
    )


def survey_data(data: DataFiles, limit: int | None, tell: Tell) -> Survey:
    """Read the data once, for its size, the images that it names, and what takes all records at once to say."""
    wanted, near_duplicates = Wanted(), NearDuplicate().start()
    unusable: list[UnusableAt] = []
    types: dict[str, str] = {}
    num_records = 0
    for piece in islice(data.pieces(), limit):
        num_records += 1
        record = parse_json(piece.text, piece.number)
        if not isinstance(record, Unusable):
            name = str(piece.number)
            types[name] = sys.intern(record.sample_type)
            wanted.add(record.image)
            near_duplicates.observe(Sample(name, "", record.sample_type, record.turns, (), {}), _NO_IMAGE)
        elif len(unusable) < _NUM_UNUSABLE_SHOWN:
            unusable.append(UnusableAt(piece.number, record.id, record.reason, record.detail))
        if num_records % _TELL_EVERY == 0:
            tell("reading", num_records, None)
    return Survey(num_records, types, wanted, near_duplicates, tuple(unusable))


def _why_nothing(survey: Survey, data: DataFiles) -> str:
    if not survey.num_records:
        return "it holds no record"
    reasons = Counter(record.reason for record in survey.unusable)
    first = survey.unusable[0]
    detail = f" ({first.detail})" if first.detail else ""
    return (
        f"none of its {survey.num_records:,} records can be used: {', '.join(reasons)}; "
        f"{data.unit} {first.number}: {first.reason}{detail}"
    )


def _check_images(options: AuditOptions, survey: Survey, index: ShelfIndex) -> None:
    """Refuse annotations that are not the data's; a few ids that happen to be there would make false verdicts."""
    num_named = len(survey.wanted.numbers | index.places.keys())
    if options.root is None and 2 * len(index.places) < num_named:
        raise InstructgenError(
            f"{len(index.places)} of the {num_named:,} images that {options.data} names are in the bundled sample; "
            "give --root, the COCO folder that they are from"
        )
    if not index.places:
        example = min(survey.wanted.names, default=str(min(survey.wanted.numbers, default="")))
        raise InstructgenError(
            f"no image that {options.data} names ('{example}', for one) is in {', '.join(index.titles)} of "
            f"{options.root}; give --root, the COCO folder that the data was made from"
        )


def _choose_processes(wanted: int | None, num_records: int) -> int:
    num_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if wanted is None and num_records < _MIN_RECORDS_TO_SHARE:
        return 1
    return wanted or num_cores


def _open_verdicts(path: Path | None) -> Any:
    if path is None:
        return nullcontext()
    try:
        return path.open("wb")
    except OSError as error:
        raise InstructgenError(f"{path} cannot be written: {error.strerror or error}") from error


def _chunks(data: DataFiles, limit: int | None) -> Iterator[tuple[Piece, ...]]:
    chunk: list[Piece] = []
    num_bytes = 0
    for piece in islice(data.pieces(), limit):
        chunk.append(piece)
        num_bytes += len(piece.text)
        if len(chunk) == _CHUNK_RECORDS or num_bytes >= _CHUNK_BYTES:
            yield tuple(chunk)
            chunk, num_bytes = [], 0
    if chunk:
        yield tuple(chunk)


class _Watch(Struct, frozen=True):
    survey: Survey
    tell: Tell

    def count(self, num_done: int) -> None:
        self.tell("checking", num_done, self.survey.num_records)


def _check_all(
    chunks: Iterator[tuple[Piece, ...]], folder: Path, processes: int, file: BinaryIO | None, watch: _Watch
) -> tuple[ChunkResult, Metrics]:
    total, metrics = ChunkResult(), Metrics()
    results = _check_here(chunks, folder) if processes == 1 else _check_shared(chunks, folder, processes)
    for result in results:
        if file is not None:
            _write(file, result.verdict_lines)
        metrics.merge(result.by_type)
        total.num_records += result.num_records
        total.check_s += result.check_s
        total.reasons.update(result.reasons)
        total.left_out |= result.left_out
        total.unusable += result.unusable[: _NUM_UNUSABLE_SHOWN - len(total.unusable)]
        total.worst = choose_worst([*total.worst, *result.worst])
        watch.count(total.num_records)
    return total, metrics


def _write(file: BinaryIO, lines: bytes) -> None:
    try:
        file.write(lines)
        file.flush()
    except OSError as error:
        raise InstructgenError(f"{file.name} cannot be written: {error.strerror or error}") from error


def _check_here(chunks: Iterator[tuple[Piece, ...]], folder: Path) -> Iterator[ChunkResult]:
    try:
        for chunk in chunks:
            yield audit_chunk(folder, chunk)
    finally:
        close_checker(folder)


def _check_shared(chunks: Iterator[tuple[Piece, ...]], folder: Path, processes: int) -> Iterator[ChunkResult]:
    """Yield the results in the order of the chunks."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin_process)
    waiting: deque[Future[ChunkResult]] = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(audit_chunk, folder, chunk))
            if len(waiting) > processes * _CHUNKS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise InstructgenError(
            "a process of the audit was ended from outside, perhaps for want of memory; try --processes 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however it does: the pool's pipe would not tell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
