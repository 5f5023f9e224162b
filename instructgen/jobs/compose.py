"""Writes one version's rows and rejections, in the source's order."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, make_row, make_schema
from instructgen.dataset.manifest import Counts, Manifest
from instructgen.dataset.shards import ShardWriter
from instructgen.evaluate.assess import SCORES
from instructgen.evaluate.quality import Metrics
from instructgen.grounding.samples import find_claims, find_evidence, join_records
from instructgen.jobs.course import Ended
from instructgen.jobs.facts import Digests, Spending, make_manifest
from instructgen.jobs.gates import KEPT_SHARE
from instructgen.jobs.merge_part import PartWriter, measure_sample
from instructgen.jobs.outcomes import Outcome, Tally
from instructgen.jobs.parts import BuildParts
from instructgen.jobs.plan import PlannedImage, find_split
from instructgen.jobs.refined import RefinedFile
from instructgen.ledger.ledger import Ledger
from instructgen.records import Failed, Fault, Rejected, Reply, Sample, Unit
from instructgen.sample_types import SHOT_TYPES


@dataclass(frozen=True, slots=True)
class Files:
    """What is written beside the shards; `earlier` are the content digests of those that the dataset has.

    `part` takes what a merge must know, in a build of one share.
    """

    rejected: BinaryIO
    refined: RefinedFile
    earlier: frozenset[str]
    part: PartWriter | None = None


class Composer:
    """Takes images in order; every unit ends in a shard or in `rejected_file`, and is counted."""

    def __init__(
        self, parts: BuildParts, ledger: Ledger, staging: Path, files: Files, dropped: Mapping[str, Fault]
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._rejected_file = files.rejected
        self._refined = files.refined
        self._part = files.part
        self._dropped = dropped
        self._metrics = Metrics()
        self._rejected_digest = hashlib.sha256()
        self._tally = Tally(parts.config.types)
        self._spending = Spending()
        self._shards = ShardWriter(
            staging,
            make_schema(
                _list_scores(parts),
                embeds_images=parts.embeds_images,
                has_places=not set(SHOT_TYPES).isdisjoint(parts.config.types),
            ),
            parts.config.dataset.rows_per_shard,
            parts.embeds_images,
            files.earlier,
        )

    def write(self, image: PlannedImage) -> Iterator[Outcome]:
        """Yield the outcome of each of the image's units once it is written."""
        for sample_type, unit in image.units:
            outcome = self._set_aside(unit, None) if isinstance(unit, Rejected) else self._settle(unit, image)
            self._tally.count(sample_type, outcome)
            yield outcome

    def finish(self, out: Path) -> Manifest:
        """Close the shards and return the manifest; asserts that the counts add up."""
        counts = self._tally.close(self._parts.planner.num_images)
        shards = self._shards.finish()
        refinement = self._refined.make_facts(self._parts)
        metrics = None
        if self._part is None:
            looked = "near_duplicate" in self._parts.corpus_filters  # and left none
            metrics = close_metrics(self._metrics, counts, has_looked=looked)
        else:
            self._part.finish(self._metrics)
        digests = Digests(self._rejected_digest.hexdigest(), self._shards.contents, refinement, metrics)
        return make_manifest(self._parts, counts, self._spending, shards, digests, out)

    def _settle(self, unit: Unit, image: PlannedImage) -> Outcome:
        """Write what becomes of the unit at the end of its course."""
        ended = self._parts.course.walk(unit, self._find_answer)
        assert isinstance(ended, Ended)
        outcome = self._drop(ended.outcome)
        if isinstance(outcome, Rejected) and outcome is not ended.outcome:
            ended = _take_back(ended, outcome)
        self._refined.write(unit, ended)
        if not isinstance(outcome, Sample):
            return self._set_aside(outcome, ended)
        self._publish(outcome, unit, ended, image)
        return outcome

    def _drop(self, outcome: Outcome) -> Outcome:
        """Return what the filters over the whole dataset leave of an outcome."""
        fault = self._dropped.get(outcome.sample_id) if isinstance(outcome, Sample) else None
        if fault is None or not isinstance(outcome, Sample):
            return outcome
        return Rejected(outcome.sample_id.rpartition("/")[0], "filter", fault.reason, fault.detail)

    def _find_answer(self, request_id: str) -> Reply | Failed:
        reply = self._ledger.find_reply(request_id)
        if reply is None:
            failure = self._ledger.find_failure(request_id)
            assert failure is not None, f"the request {request_id} was neither answered nor failed"
            return failure
        if self._ledger.is_first_use(request_id):  # a reply that serves several units was paid for once
            self._spending.add(reply)
            if self._part is not None:
                self._part.use(reply)
        return reply

    def _publish(self, sample: Sample, unit: Unit, ended: Ended, image: PlannedImage) -> None:
        prompt_sha256 = self._parts.prompt_sha256[sample.sample_type]
        provenance = Provenance(self._parts.source.name, prompt_sha256, ended.written)
        row = make_row(sample, unit.record, provenance, image.picture, image.other_pictures)
        split = find_split(self._parts.config, sample.image_id)
        self._shards.write(split, row)
        findings = find_claims(sample.turns, unit.record, sample.sample_type, unit.partner, unit.shots)
        evidence = find_evidence(join_records(*sample.others, unit.record) if sample.others else unit.record)
        self._metrics.observe(sample.turns, sample.sample_type, findings, evidence)
        if self._part is not None:
            text = ended.answer.text if isinstance(ended.answer, Reply) else ""
            measures = measure_sample(sample, findings, evidence)
            self._part.publish(sample, split, row, measures, (describe_end(ended), text))

    def _set_aside(self, outcome: Rejected | Failed, ended: Ended | None) -> Rejected | Failed:
        """Write a line of rejected.jsonl; `ended` is None for a unit that nothing was asked for."""
        line: dict[str, Any] = {
            "unit_id": outcome.record_id,
            "outcome": "failed" if isinstance(outcome, Failed) else "rejected",
            "stage": outcome.stage,
            "reason": outcome.reason,
        }
        if ended is not None:
            line |= describe_end(ended)
        self._rejected_digest.update(msgspec.json.encode(line))
        line["image_id"], _, line["sample_type"] = outcome.record_id.rpartition("/")
        line["detail"] = outcome.detail
        if ended is not None and isinstance(ended.answer, Reply):
            line["text"] = ended.answer.text
        self._rejected_file.write(msgspec.json.encode(line) + b"\n")
        if self._part is not None:
            self._part.set_aside()
        return outcome


def close_metrics(metrics: Metrics, counts: Counts, *, has_looked: bool) -> dict[str, Any]:
    """Return the measures of what was published, with the share of the units that this is.

    `has_looked` says that near duplicates were looked for, and none is left.
    """
    measured = metrics.close(dict.fromkeys(counts.planned, 0) if has_looked else None, tuple(counts.planned))
    for name, measures in measured["types"].items():
        measures[KEPT_SHARE] = round(counts.accepted[name] / max(1, counts.planned[name]), 6)
    num_planned = sum(counts.planned.values())
    measured["total"][KEPT_SHARE] = round(sum(counts.accepted.values()) / max(1, num_planned), 6)
    return measured


def _list_scores(parts: BuildParts) -> list[str]:
    return [*parts.judge.filters, *(SCORES if parts.course.assessor is not None else ())]


def _take_back(ended: Ended, dropped: Rejected) -> Ended:
    """Return the end of a sample that is dropped because of others: none of its changes led to a row."""
    changes = tuple(
        replace(change, outcome=dropped.reason) if change.outcome == "accepted" else change
        for change in ended.changes
    )
    return with_fields(ended, changes=changes)


def describe_end(ended: Ended) -> dict[str, Any]:
    """Return which requests a rejection rests on, and what became of the teacher's answer before the fallback's.

    Every answer that was paid for is named, so that `ledger gc` lets none of them go.
    """
    found: dict[str, Any] = {}
    if isinstance(ended.answer, Reply):
        found["request_id"] = ended.answer.request_id
    if ended.first is not None:
        found["first_reason"] = ended.first.reason
    if isinstance(ended.first_answer, Reply):
        found["first_request_id"] = ended.first_answer.request_id
    if isinstance(ended.judged, Reply):
        found["judge_request_id"] = ended.judged.request_id
    has_one = isinstance(ended.answer, Reply) and len(ended.replies) == 1 and not ended.changes
    if ended.replies and not has_one:
        found["request_ids"] = [reply.request_id for reply in ended.replies]
    return found
