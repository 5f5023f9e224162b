from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from instructgen.dataset.batches import make_batches
from instructgen.dataset.columns import make_schema
from instructgen.dataset.manifest import (
    Counts,
    Manifest,
    ReviewFacts,
    SourceFacts,
    TeacherFacts,
    decode_manifest,
    encode_manifest,
    make_version,
    read_manifest,
)
from instructgen.dataset.publish import check_out, find_version, publish, read_tag
from instructgen.dataset.shards import MIXED, Shard, hash_file
from instructgen.errors import InstructgenError
from instructgen.sample_types import SAMPLE_TYPES
from tests.support.versions import make_row_of

SHARD = "data/train-00000-of-00001.parquet"


def make_manifest(**changes: object) -> Manifest:
    counts = Counts({"conv": 2}, {"conv": 1}, {"conv": 1}, {"conv": 0}, {"conv": {"empty_reply": 1}})
    manifest = Manifest(
        format=1,
        version="",
        parent=None,
        created_at="2026-01-01T00:00:00+00:00",
        code={"instructgen": "0.1.0"},
        config={"seed": 0},
        prompts={"conv": "a" * 64},
        source=SourceFacts("coco", "COCO val2017", 2, {"crowd_box": 1}),
        teacher=TeacherFacts("openai", "m", {}, 10, 5, None),
        counts=counts,
        splits={"train": 1},
        embeds_images=False,
        unpublished_sha256="b" * 64,
        shards=(Shard("data/train-00000-of-00001.parquet", "train", "conv", 1, 3, "c" * 64, "d" * 64),),
    )
    changed = replace(manifest, **changes)
    return replace(changed, version=make_version(changed))


def stage(out: Path, text: str = "abc") -> Path:
    staging = out / "run" / "staging"
    (staging / "data").mkdir(parents=True)
    row = make_row_of(1, pairs=[("What is there?", text)])
    table = pa.Table.from_batches(make_batches([row], make_schema([], embeds_images=False)))
    pq.write_table(table, staging / SHARD, use_dictionary=False, compression="none")
    (staging / "rejected.jsonl").write_text("{}\n")
    return staging


def test_version_is_whole_and_tagged(tmp_path: Path) -> None:
    manifest = make_manifest()
    folder = publish(stage(tmp_path), manifest, tmp_path)
    assert folder == tmp_path / "versions" / manifest.version
    assert {path.name for path in folder.iterdir()} == {
        *("data", "assets", "README.md", "manifest.json", "SHA256SUMS", "rejected.jsonl", "statistics.json"),
        "croissant.json",
    }
    assert read_tag(tmp_path, "latest") == manifest.version
    assert find_version(tmp_path) == find_version(folder) == folder
    assert read_manifest(folder) == manifest
    assert not (tmp_path / "run" / "staging").exists()


def test_version_published_before_is_never_touched(tmp_path: Path) -> None:
    staging = stage(tmp_path, "first")
    size, sha256 = (staging / SHARD).stat().st_size, hash_file(staging / SHARD)
    manifest = make_manifest(shards=(Shard(SHARD, "train", "conv", 1, size, sha256, "d" * 64),))
    folder = publish(staging, manifest, tmp_path)
    publish(stage(tmp_path, "other bytes"), manifest, tmp_path)
    assert b"first" in (folder / SHARD).read_bytes()


def test_older_version_stays_beside_a_newer_one(tmp_path: Path) -> None:
    old = publish(stage(tmp_path), make_manifest(), tmp_path)
    new = publish(stage(tmp_path), make_manifest(config={"seed": 1}), tmp_path)
    assert old != new
    assert old.is_dir()
    assert find_version(tmp_path) == new


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"seed": 1}},
        {"prompts": {"conv": "b" * 64}},
        {"unpublished_sha256": "e" * 64},
        {"shards": ()},
        {"embeds_images": True},
    ],
)
def test_what_shapes_the_data_is_in_the_versions_name(changes: dict[str, object]) -> None:
    assert make_manifest(**changes).version != make_manifest().version


@pytest.mark.parametrize(
    "changes",
    [{"created_at": "later"}, {"parent": "abc"}, {"code": {"pyarrow": "99"}}],
    ids=["time", "parent", "code"],
)
def test_when_and_by_which_code_is_not(changes: dict[str, object]) -> None:
    assert make_manifest(**changes).version == make_manifest().version


def make_review(**changes: object) -> ReviewFacts:
    fields: dict[str, object] = {
        "of": "abc",
        "reviewers": {"ann": 3},
        "first_at": "2026-01-01",
        "last_at": "2026-01-02",
        "reviewed": 3,
        "accepted": 2,
        "edited": 0,
        "rejected": 1,
        "keep_rate": 0.6667,
        "left_out": 0,
        "is_strict": False,
        "agreement": (),
        "decisions_sha256": "a" * 64,
    }
    return ReviewFacts(**{**fields, **changes})  # type: ignore[arg-type]


def test_manifest_without_a_review_says_nothing_of_one() -> None:
    assert b"review" not in encode_manifest(make_manifest())


def test_review_is_in_the_manifest_the_name_and_the_card(tmp_path: Path) -> None:
    manifest = make_manifest(review=make_review())
    names = {
        make_manifest().version,
        manifest.version,
        make_manifest(review=make_review(reviewers={"bob": 3})).version,
    }
    assert len(names) == 3
    folder = publish(stage(tmp_path), manifest, tmp_path)
    assert read_manifest(folder) == manifest
    assert (
        "3 samples of version `abc`: 2 accepted, 0 edited, 1 rejected (67% kept)"
        in (folder / "README.md").read_text()
    )


def test_shard_written_by_another_library_gives_the_same_version() -> None:
    shard = make_manifest().shards[0]
    assert make_manifest(shards=(replace(shard, sha256="f" * 64, num_bytes=9),)).version == make_manifest().version


def test_card_opens_the_latest_version_and_counts_what_was_left_out(tmp_path: Path) -> None:
    manifest = make_manifest()
    folder = publish(stage(tmp_path), manifest, tmp_path)
    assert f"path: versions/{manifest.version}/data/train-*.parquet" in (tmp_path / "README.md").read_text()
    card = (folder / "README.md").read_text()
    assert "path: data/train-*.parquet" in card
    assert "1 x `empty_reply`" in card
    assert "cost: unknown" in card


def test_build_to_an_address_says_what_to_do() -> None:
    with pytest.raises(InstructgenError, match="--send-to puts what it made"):
        check_out(Path("s3://bucket/x"))


@pytest.mark.parametrize(
    "changes",
    [
        *({"path": path} for path in ("data/../../x", "/data/x", "x.parquet", "data\\x", "data/a\0", "data/C:x")),
        *({"split": split} for split in ("../x", "/tmp/x", "a-b", "", "a\n")),
        *({"sample_type": name} for name in ("../x", ".", ".x", "a/b", "", "a" * 65)),
        {"sha256": "../x"},
    ],
    ids=str,
)
def test_manifest_whose_names_lead_elsewhere_is_refused(changes: dict[str, str]) -> None:
    manifest = make_manifest()
    manifest = replace(manifest, shards=(replace(manifest.shards[0], **changes),))
    with pytest.raises(InstructgenError, match=r"place is not a manifest .* has the (path|split|sample type|digest)"):
        decode_manifest(encode_manifest(manifest), "place")


@pytest.mark.parametrize("version", ["../../x", "", "latest", "a/b"])
def test_manifest_of_a_version_that_is_no_folders_name_is_refused(version: str) -> None:
    with pytest.raises(InstructgenError, match="it has the version"):
        decode_manifest(encode_manifest(replace(make_manifest(), version=version)), "place")


def test_names_of_all_types_are_taken() -> None:
    [shard] = make_manifest().shards
    for name in (*SAMPLE_TYPES, MIXED, "interleaved"):
        manifest = make_manifest(shards=(replace(shard, sample_type=name, split="val_2017"),))
        assert decode_manifest(encode_manifest(manifest), "place") == manifest


def test_folder_without_a_manifest_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no dataset"):
        find_version(tmp_path)
    with pytest.raises(InstructgenError, match=r"no manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InstructgenError, match="is not a manifest"):
        read_manifest(tmp_path)
