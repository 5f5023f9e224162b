from pathlib import Path

import pytest

from instructgen.dataset.columns import Provenance, make_row, make_schema
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import ShardWriter
from instructgen.review.decisions import DecisionLog
from instructgen.review.desk import Desk
from instructgen.review.rows import RowReader, read_places
from tests.support.make import make_manifest, make_record, make_reply, make_sample

GENERAL = "People often bring an elephant to such a place."


def write_version(folder: Path, sample_type: str) -> Manifest:
    """A version of one row."""
    writer = ShardWriter(folder, make_schema([], embeds_images=False), 10, embeds_images=False)
    row = make_row(make_sample(1, sample_type, GENERAL), make_record(), Provenance("coco", "", make_reply()), None)
    writer.write("train", row)
    return make_manifest(splits={"train": 1}, shards=tuple(writer.finish()))


@pytest.mark.parametrize(("sample_type", "truth"), [("conv", "contradicted"), ("reasoning", "unverifiable")])
def test_what_is_said_of_the_world_is_judged_by_the_type_of_the_sample(
    tmp_path: Path, sample_type: str, truth: str
) -> None:
    manifest = write_version(tmp_path, sample_type)
    queue = read_places(tmp_path, manifest)
    record = make_record()
    with DecisionLog(tmp_path / "reviews", "ann") as log:
        desk = Desk(queue, log, RowReader(tmp_path, manifest), {record.image_id: record}, lambda _: None)
        (doubt,) = [line for line in desk.view(0).doubts if "elephant" in line]
    assert doubt.startswith(f"{truth} object")
