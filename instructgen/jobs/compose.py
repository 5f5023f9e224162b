"""Writes one version's rows and rejections, in the source's order."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, make_row, make_schema
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import ShardWriter
from instructgen.draws import draw_fraction
from instructgen.jobs.facts import Spending, make_manifest
from instructgen.jobs.outcomes import Outcome, Tally, wants_fallback
from instructgen.jobs.parts import BuildParts
from instructgen.jobs.plan import PlannedImage
from instructgen.ledger.ledger import Ledger
from instructgen.records import Failed, Rejected, Reply, Sample, Unit


class Composer:
    """Takes images in order; every unit ends in a shard or in `rejected_file`, and is counted."""

    def __init__(self, parts: BuildParts, ledger: Ledger, staging: Path, rejected_file: BinaryIO) -> None:
        self._parts = parts
        self._ledger = ledger
        self._rejected_file = rejected_file
        self._rejected_digest = hashlib.sha256()
        self._tally = Tally(parts.config.types)
        self._spending = Spending()
        self._shards = ShardWriter(
            staging,
            make_schema(list(parts.judge.filters), embeds_images=parts.embeds_images),
            parts.config.dataset.rows_per_shard,
            parts.embeds_images,
        )

    def write(self, image: PlannedImage) -> Iterator[Outcome]:
        """Yield the outcome of each of the image's units once it is written."""
        for sample_type, unit in image.units:
            outcome = self._set_aside(unit, None) if isinstance(unit, Rejected) else self._settle(unit, image.picture)
            self._tally.count(sample_type, outcome)
            yield outcome

    def finish(self, out: Path) -> Manifest:
        """Close the shards and return the manifest; asserts that the counts add up."""
        counts = self._tally.close(self._parts.planner.num_images)
        shards = self._shards.finish()
        return make_manifest(self._parts, counts, self._spending, shards, self._rejected_digest.hexdigest(), out)

    def _settle(self, unit: Unit, picture: bytes | None) -> Outcome:
        """Write what the teacher's answer makes of the unit, or else what the fallback's does."""
        reply = self._find_answer(unit, 0)
        outcome = self._parts.judge.judge(unit, reply)
        first, first_reply = None, None
        if self._parts.fallback is not None and wants_fallback(outcome):
            assert not isinstance(outcome, Sample)
            first, first_reply = outcome, reply
            reply = self._find_answer(unit, 1)
            outcome = self._parts.judge.judge(unit, reply)
        if not isinstance(outcome, Sample):
            return self._set_aside(outcome, reply, first, first_reply)
        assert isinstance(reply, Reply)
        if isinstance(first_reply, Reply):
            outcome = replace(outcome, request_ids=(first_reply.request_id, *outcome.request_ids))
        self._publish(outcome, unit, reply, picture)
        return outcome

    def _find_answer(self, unit: Unit, lane: int) -> Reply | Failed:
        request_id = self._parts.make_request(unit, lane).request_id
        reply = self._ledger.find_reply(request_id)
        if reply is None:
            failure = self._ledger.find_failure(request_id)
            assert failure is not None, f"{unit.unit_id} was neither answered nor failed"
            return failure
        if self._ledger.is_first_use(request_id):  # a reply that serves several units was paid for once
            self._spending.add(reply)
        return reply

    def _publish(self, sample: Sample, unit: Unit, reply: Reply, picture: bytes | None) -> None:
        config = self._parts.config
        is_val = draw_fraction(config.seed, "split", sample.image_id) < config.dataset.val_fraction
        provenance = Provenance(self._parts.source.name, self._parts.prompt_sha256[sample.sample_type], reply)
        row = make_row(sample, unit.record, provenance, picture)
        self._shards.write("val" if is_val else "train", row)

    def _set_aside(
        self,
        outcome: Rejected | Failed,
        reply: Reply | Failed | None,
        first: Rejected | Failed | None = None,
        first_reply: Reply | Failed | None = None,
    ) -> Rejected | Failed:
        """Write a line of rejected.jsonl; `first` is what became of the teacher's answer before the fallback's."""
        line: dict[str, Any] = {
            "unit_id": outcome.record_id,
            "outcome": "failed" if isinstance(outcome, Failed) else "rejected",
            "stage": outcome.stage,
            "reason": outcome.reason,
        }
        if isinstance(reply, Reply):
            line["request_id"] = reply.request_id
        if first is not None:
            line["first_reason"] = first.reason
        if isinstance(first_reply, Reply):
            line["first_request_id"] = first_reply.request_id
        self._rejected_digest.update(msgspec.json.encode(line))
        line["image_id"], _, line["sample_type"] = outcome.record_id.rpartition("/")
        line["detail"] = outcome.detail
        if isinstance(reply, Reply):
            line["text"] = reply.text
        self._rejected_file.write(msgspec.json.encode(line) + b"\n")
        return outcome
