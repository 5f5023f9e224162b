"""Adds up what the units of all parts came to: counts, costs, measures and the digests of a version's name."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec
from msgspec.structs import replace

from instructgen.dataset.lines import read_lines
from instructgen.dataset.manifest import Counts, Manifest, RefinementFacts
from instructgen.dataset.publish import REFINED_NAME, REJECTED_NAME
from instructgen.errors import InstructgenError
from instructgen.evaluate.quality import Metrics
from instructgen.jobs.compose import close_metrics
from instructgen.jobs.facts import Spending
from instructgen.jobs.merge_measures import Distinct, add_ngrams
from instructgen.jobs.merge_open import OpenedPart
from instructgen.jobs.merge_part import PartUnit, RowFacts, make_tally, read_units
from instructgen.jobs.outcomes import Tally
from instructgen.ledger.first_uses import FirstUses
from instructgen.records import Failed, Fault, Rejected, Reply

_NOT_DIGESTED = ("image_id", "sample_type", "detail", "text")
Series = tuple[str, str]
"""Split and sample type."""
Gone = dict[Series, list[int]]
"""Places, in a part's series, of the rows that it loses; rising."""


@dataclass(slots=True)
class RejectedLines:
    """The rejected.jsonl of the merged version."""

    file: BinaryIO
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, line: dict[str, Any]) -> None:
        """Write a line whose last keys are those that the digest leaves out."""
        digested = {key: value for key, value in line.items() if key not in _NOT_DIGESTED}
        self._digest.update(msgspec.json.encode(digested))
        self.file.write(msgspec.json.encode(line) + b"\n")


@dataclass(slots=True)
class RefinedLines:
    """The refined.jsonl of the merged version, which is made when it is first wanted."""

    path: Path
    file: BinaryIO | None = None
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _steps: dict[str, Counter[str]] = field(default_factory=dict)
    _rules: Counter[str] = field(default_factory=Counter)

    def take(self, part: OpenedPart, dropped: Mapping[str, Fault]) -> None:
        """Write a part's lines; of a sample that is dropped, none of the changes led to a row."""
        for line in read_lines(part.stored, REFINED_NAME, dict[str, Any]):
            fault = dropped.get(f"{line['unit_id']}/0")
            if fault is not None and line["outcome"] == "accepted":
                line["outcome"] = fault.reason
            counts = self._steps.setdefault(line["step"], Counter(changed=0, unchanged=0))
            counts["unchanged" if line["is_unchanged"] else "changed"] += 1
            counts[line["outcome"]] += 1
            self._rules.update(line["rules"])
            encoded = msgspec.json.encode(line)
            self._digest.update(encoded)
            self._open().write(encoded + b"\n")

    def make_facts(self, opened: Sequence[OpenedPart]) -> RefinementFacts | None:
        """Return what the manifest says of it; None where no part refines and none changed a text."""
        found = [facts for part in opened if (facts := part.stored.manifest.refinement) is not None]
        if not found:
            return None
        self._open()
        return replace(
            found[0],
            steps={step: dict(sorted(counts.items())) for step, counts in sorted(self._steps.items())},
            rules=dict(sorted(self._rules.items())),
            refined_sha256=self._digest.hexdigest(),
        )

    def _open(self) -> BinaryIO:
        if self.file is None:
            self.file = self.path.open("wb")
        return self.file


class Settlement:
    """Takes the parts in order. Use it as a context manager; memory does not grow with the number of units."""

    def __init__(
        self, manifest: Manifest, rejected_file: BinaryIO, refined_path: Path, dropped: Mapping[str, Fault]
    ) -> None:
        self.types = tuple(manifest.config["types"])
        self.rejected = RejectedLines(rejected_file)
        self.refined = RefinedLines(refined_path)
        self.spending = Spending()
        self.num_paid_twice = 0
        self.gone: list[Gone] = []
        self._has_looked = "near_duplicate" in manifest.config["filters"]
        self._dropped = dropped
        self._uses = FirstUses()
        self._tally = Tally(self.types)
        self._metrics = Metrics()
        self._distinct = Distinct()
        self._series: dict[Series, hashlib._Hash] = {}
        self._num_images = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._uses.close()
        self._distinct.close()
        if self.refined.file is not None:
            self.refined.file.close()

    @property
    def contents(self) -> dict[str, str]:
        """Return a digest of the rows of each "<split>/<type>", as the writer of one build's shards does."""
        return {f"{split}/{name}": digest.hexdigest() for (split, name), digest in sorted(self._series.items())}

    def take(self, part: OpenedPart) -> None:
        """Settle a part's units."""
        lines = read_lines(part.stored, REJECTED_NAME, dict[str, Any])
        gone: Gone = {}
        places: Counter[Series] = Counter()
        for unit in read_units(part.stored):
            self._count_uses(unit)
            row = unit.row
            if row is None:
                self._reject(_next_line(lines, part))
                continue
            series = row.split, row.sample_type
            fault = self._dropped.get(row.sample_id)
            if fault is None:
                self._accept(row)
            else:
                gone.setdefault(series, []).append(places[series])
                self._drop(row, fault)
            places[series] += 1
        if next(lines, None) is not None:
            raise _not_whole(part, f"{REJECTED_NAME} has more lines than the part has units without a row")
        _check_rows(part, places)
        self.refined.take(part, self._dropped)
        add_ngrams(self._metrics, part, self._dropped, {name for _, name in gone})
        self.gone.append(gone)
        self._num_images += part.stored.manifest.source.num_images

    def close(self) -> tuple[Counts, dict[str, Any]]:
        """Return the counts and the measures of all parts; asserts that the counts add up."""
        counts = self._tally.close(self._num_images)
        measured = close_metrics(self._metrics, counts, has_looked=self._has_looked)
        return counts, self._distinct.add_to(measured)

    def _count_uses(self, unit: PartUnit) -> None:
        for use in unit.uses:
            request_id = use.request_id.hex()
            if self._uses.add(request_id):
                tokens = use.prompt_tokens, use.completion_tokens
                self.spending.add(Reply(request_id, "", "stop", *tokens, use.cost_usd, "", ""))
            else:
                self.num_paid_twice += 1

    def _accept(self, row: RowFacts) -> None:
        series = row.split, row.sample_type
        self._series.setdefault(series, hashlib.sha256()).update(row.digest)
        self._tally.accepted[row.sample_type] += 1
        tally = make_tally(row.measures)
        tally.digests = tally.digests[:0]
        self._metrics.merge({row.sample_type: tally})
        self._distinct.add(row.sample_type, row.measures.digest)

    def _drop(self, row: RowFacts, fault: Fault) -> None:
        unit_id = row.sample_id.rpartition("/")[0]
        image_id, _, sample_type = unit_id.rpartition("/")
        line: dict[str, Any] = {
            "unit_id": unit_id,
            "outcome": "rejected",
            "stage": "filter",
            "reason": fault.reason,
            **row.end,
            "image_id": image_id,
            "sample_type": sample_type,
            "detail": fault.detail,
        }
        if "request_id" in row.end:
            line["text"] = row.text
        self._reject(line)

    def _reject(self, line: dict[str, Any]) -> None:
        told = line["unit_id"], line["stage"], line["reason"]
        outcome = Failed(*told) if line["outcome"] == "failed" else Rejected(*told)
        self._tally.count(line["sample_type"], outcome)
        self.rejected.write(line)


def _next_line(lines: Iterator[dict[str, Any]], part: OpenedPart) -> dict[str, Any]:
    line = next(lines, None)
    if line is None:
        raise _not_whole(part, f"{REJECTED_NAME} has fewer lines than the part has units without a row")
    return line


def _check_rows(part: OpenedPart, places: Mapping[Series, int]) -> None:
    """Raise where the part's shards do not have as many rows as its units say."""
    rows: Counter[Series] = Counter()
    for shard in part.stored.manifest.shards:
        rows[shard.split, shard.sample_type] += shard.num_rows
    if rows != places:
        raise _not_whole(part, "its shards have other rows than its units")


def _not_whole(part: OpenedPart, why: str) -> InstructgenError:
    return InstructgenError(
        f"{part.stored.place} is not whole: {why}; `instructgen dataset verify` it, or build it again"
    )
