from pathlib import Path

import pyarrow.parquet as pq
import pytest

from instructgen.dataset.columns import PLACES, Provenance, Row, hash_row, make_row, make_schema
from instructgen.dataset.shards import Shard, ShardWriter, hash_file
from tests.support.make import make_record, make_reply, make_sample


def row(number: int, sample_type: str = "conv", picture: bytes | None = None) -> Row:
    sample = make_sample(number, sample_type)
    sample.checks.update({"leakage": 0.0})
    return make_row(sample, make_record(number), Provenance("coco", "p" * 64, make_reply(number)), picture)


def write(folder: Path, rows: list[tuple[str, Row]], rows_per_shard: int = 3, *, embeds: bool = False) -> list[Shard]:
    schema = make_schema(["leakage"], embeds_images=embeds)
    writer = ShardWriter(folder, schema, rows_per_shard, embeds)
    for split, one in rows:
        writer.write(split, one)
    return writer.finish()


def test_shards_are_cut_at_the_number_of_rows_for_each_split_and_type(tmp_path: Path) -> None:
    rows = [("train", row(n)) for n in range(1, 8)]
    rows += [("train", row(1, "detail")), ("val", row(9)), ("val", row(9, "detail"))]
    shards = write(tmp_path, rows)
    assert [(shard.path, shard.sample_type, shard.num_rows) for shard in shards] == [
        ("data/train-00000-of-00004.parquet", "conv", 3),
        ("data/train-00001-of-00004.parquet", "conv", 3),
        ("data/train-00002-of-00004.parquet", "conv", 1),
        ("data/train-00003-of-00004.parquet", "detail", 1),
        ("data/val-00000-of-00002.parquet", "conv", 1),
        ("data/val-00001-of-00002.parquet", "detail", 1),
    ]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(
        Path(shard.path).name for shard in shards
    )


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = row(1, picture=b"\x89PNG bytes")
    (shard,) = write(tmp_path, [("train", written)], embeds=True)
    assert written.pop(PLACES) is None  # no sample has a picture between its turns, and the file no such column
    assert pq.read_table(tmp_path / shard.path).to_pylist() == [written]


def test_shard_knows_its_digest_and_size(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, [("train", row(1))])
    assert shard.sha256 == hash_file(tmp_path / shard.path)
    assert shard.num_bytes == (tmp_path / shard.path).stat().st_size


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [("train", row(n)) for n in range(1, 5)]
    first, second = write(tmp_path / "a", rows), write(tmp_path / "b", rows)
    assert [shard.sha256 for shard in first] == [shard.sha256 for shard in second]


def test_content_digest_does_not_depend_on_how_the_file_is_written(tmp_path: Path) -> None:
    rows = [("train", row(n)) for n in range(1, 4)]
    (embedding,) = write(tmp_path / "a", rows, embeds=True)
    (referring,) = write(tmp_path / "b", rows, embeds=False)
    assert embedding.content_sha256 == referring.content_sha256
    assert embedding.sha256 != referring.sha256


@pytest.mark.parametrize("key", ["sample_id", "messages", "images", "request_ids", "cost_usd", "scores"])
def test_every_column_counts_in_a_rows_digest(key: str) -> None:
    one, other = row(1, picture=b"a"), row(2, picture=b"b")
    other["cost_usd"], other["scores"] = 0.5, {"leakage": 1.0}
    other["messages"] = [*other["messages"][::-1]]
    assert hash_row({**one, key: other[key]}) != hash_row(one)


def test_pictures_are_not_compressed_and_text_is(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, [("train", row(1, picture=b"x" * 100))], embeds=True)
    group = pq.ParquetFile(tmp_path / shard.path).metadata.row_group(0)
    codecs = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert codecs.pop("images.list.element.bytes") == "UNCOMPRESSED"
    assert set(codecs.values()) == {"ZSTD"}


def test_groups_with_pictures_are_small_for_random_reads(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, [("train", row(n, picture=b"x")) for n in range(1, 251)], 1000, embeds=True)
    assert pq.ParquetFile(tmp_path / shard.path).metadata.num_row_groups == 3


def test_image_struct_is_exactly_hugging_faces() -> None:
    kind = make_schema([], embeds_images=True).field("images").type
    assert str(kind.value_type) == "struct<bytes: binary, path: string>"


def test_readers_are_told_to_decode_pictures_only_where_they_are_inside() -> None:
    assert b"huggingface" in (make_schema([], embeds_images=True).metadata or {})
    assert b"huggingface" not in (make_schema([], embeds_images=False).metadata or {})


def test_text_waits_in_batches_and_is_written_in_large_groups(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, [("train", row(n)) for n in range(1, 10_602)], 60_000)
    metadata = pq.ParquetFile(tmp_path / shard.path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [10_000, 601]
    assert pq.read_table(tmp_path / shard.path, columns=["image_id"])["image_id"].to_pylist() == [
        f"coco/{n:012d}" for n in range(1, 10_602)
    ]


def test_long_texts_are_written_in_smaller_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instructgen.dataset.shards._GROUP_BYTES_TEXT", 50_000)
    (shard,) = write(tmp_path, [("train", row(n)) for n in range(1, 1_001)], 20_000)
    metadata = pq.ParquetFile(tmp_path / shard.path).metadata
    assert metadata.num_rows == 1000
    assert metadata.num_row_groups > 1
