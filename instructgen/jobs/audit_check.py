"""What one process of an audit does: some records in, their verdicts and measures out."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.json_pieces import Piece
from instructgen.dataset.imports.parse import AuditRecord, Unusable, parse_json
from instructgen.evaluate.distinct import WordHashes
from instructgen.evaluate.quality import Metrics, Tally
from instructgen.filters.leakage import SourceLeakage
from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Claim, Findings, Truth
from instructgen.grounding.evidence import Evidence, read_evidence
from instructgen.jobs.audit_images import ImageShelf
from instructgen.records import ImageRecord, Message, Sample

NUM_WORST = 10
_NUM_FAULTS_SHOWN = 5
_NUM_UNUSABLE_SHOWN = 20
# Types are apart in most data, so that an image comes back late; an image's evidence takes some KB.
_CACHED_IMAGES = 4096


class ShownFault(Struct, frozen=True):
    kind: str
    text: str
    evidence: str


class AuditVerdict(Struct, frozen=True, omit_defaults=True):
    """One line of --verdicts; the first four fields are what every reader may rely on."""

    id: str | int
    image_id: str | int | None
    verdict: Truth
    faults: list[ShownFault]
    num_supported: int
    num_unverifiable: int
    type: str
    reason: str = ""
    """Why the record could not be held against an image."""


class UnusableAt(Struct, frozen=True):
    number: int
    id: str | int
    reason: str
    detail: str


@dataclass(slots=True)
class ChunkResult:
    """What came of some records that follow each other."""

    num_records: int = 0
    verdict_lines: bytes = b""
    by_type: dict[str, Tally] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    left_out: set[str] = field(default_factory=set)
    """The numbers of those whose image is not known."""
    unusable: list[UnusableAt] = field(default_factory=list)
    """The first of them."""
    worst: list[tuple[int, AuditVerdict]] = field(default_factory=list)
    """(number, verdict) of those with the most faults."""
    check_s: float = 0.0
    """Processor time of the grounding alone."""


def audit_chunk(folder: Path, pieces: Sequence[Piece]) -> ChunkResult:
    """Judge the records against the images in the folder (instructgen.jobs.audit_images)."""
    return _open_checker(folder).check(pieces)


@lru_cache(maxsize=1)
def _open_checker(folder: Path) -> "_Checker":
    """A process opens the images once, and keeps what it has read of them from chunk to chunk."""
    return _Checker(folder)


def close_checker(folder: Path) -> None:
    """Let go of the folder in this process, so that it can be removed."""
    _open_checker(folder).close()
    _open_checker.cache_clear()


def add_leaks(findings: Findings, turns: Sequence[Message], record: ImageRecord) -> Findings:
    """Return the findings with a fault of kind "leakage" for each turn that gives away its source."""
    if any(claim.kind == "leakage" for claim in findings.claims):
        return findings
    leaks: list[Claim] = []
    for place, turn in enumerate(turns):
        sample = Sample("", record.image_id, "", (turn,), (), {})
        fault = SourceLeakage().check(sample, record).fault if turn.role != "system" else None
        if fault:
            evidence = "speaks of the text behind the picture"
            leaks.append(Claim("leakage", "contradicted", fault.detail, evidence, "", place, 0, len(turn.content)))
    return Findings((*findings.claims, *leaks)) if leaks else findings


class _Checker:
    def __init__(self, folder: Path) -> None:
        self._shelf = ImageShelf(folder)
        self._hashes = WordHashes()
        self._evidence = lru_cache(maxsize=_CACHED_IMAGES)(self._read_evidence)
        self._encoder = msgspec.json.Encoder()

    def close(self) -> None:
        self._shelf.close()

    def _read_evidence(self, number: int) -> Evidence:
        return read_evidence(self._shelf.read(number))

    def check(self, pieces: Sequence[Piece]) -> ChunkResult:
        result = ChunkResult(num_records=len(pieces))
        metrics = Metrics(self._hashes)
        verdicts = []
        for piece in pieces:
            record = parse_json(piece.text, piece.number)
            number = self._shelf.index.find(record.image)
            if number is None and not isinstance(record, Unusable):
                record = Unusable(record.id, record.image, "unknown_image", str(record.image))
            if isinstance(record, Unusable):
                _note_unusable(result, record, piece.number)
                verdicts.append(_unverifiable(record))
                continue
            assert number is not None
            verdict = self._judge(record, number, metrics, result)
            verdicts.append(verdict)
            if verdict.faults:
                result.worst.append((piece.number, verdict))
        result.worst = choose_worst(result.worst)
        result.by_type = metrics.by_type
        result.verdict_lines = b"".join(self._encoder.encode(verdict) + b"\n" for verdict in verdicts)
        return result

    def _judge(self, record: AuditRecord, number: int, metrics: Metrics, result: ChunkResult) -> AuditVerdict:
        start_s = time.process_time()
        evidence = self._evidence(number)
        findings = check_turns(record.turns, evidence, record.sample_type)
        result.check_s += time.process_time() - start_s
        findings = add_leaks(findings, record.turns, evidence.record)
        metrics.observe(record.turns, record.sample_type, findings, evidence)
        return _make_verdict(record, evidence.record.image_id, findings)


def choose_worst(found: Sequence[tuple[int, AuditVerdict]]) -> list[tuple[int, AuditVerdict]]:
    """Return the records with the most faults, the earlier first where they have as many."""
    return sorted(found, key=lambda one: (-len(one[1].faults), one[0]))[:NUM_WORST]


def _note_unusable(result: ChunkResult, record: Unusable, number: int) -> None:
    result.reasons[record.reason] += 1
    if record.reason == "unknown_image":
        result.left_out.add(str(number))
    if len(result.unusable) < _NUM_UNUSABLE_SHOWN:
        result.unusable.append(UnusableAt(number, record.id, record.reason, record.detail))


def _unverifiable(record: Unusable) -> AuditVerdict:
    image = record.image if record.image != "" else None
    return AuditVerdict(record.id, image, "unverifiable", [], 0, 0, "", record.reason)


def _make_verdict(record: AuditRecord, image_id: str, findings: Findings) -> AuditVerdict:
    return AuditVerdict(
        id=record.id,
        image_id=image_id,
        verdict=findings.truth,
        faults=[ShownFault(fault.kind, fault.text, fault.evidence) for fault in findings.faults],
        num_supported=findings.count("supported"),
        num_unverifiable=findings.count("unverifiable"),
        type=record.sample_type,
    )
