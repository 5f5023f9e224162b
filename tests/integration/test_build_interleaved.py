"""`instructgen build --source interleaved`, from the command line to whoever reads the rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.places import Slot, find_places, find_slots
from tests.support.cli import Done, run_cli
from tests.support.mmc4 import README_SIMILARITIES, make_clip, make_mmc4, write_mmc4
from tests.support.pair_tables import make_jpeg, make_shard
from tests.support.rows import read_rows

DOCUMENTS: list[Any] = [
    make_mmc4(README_SIMILARITIES),
    make_mmc4([[0.5, 0.2, 0.1], [0.1, 0.5, 0.2], [0.1, 0.2, 0.6]]),
    "{",
    make_mmc4([[0.1, 0.1]]),
    {"id": "own", "parts": [{"image": "3.jpg"}, {"text": "First."}, {"text": "Second."}, {"image": "4.jpg"}]},
    {"id": "own", "parts": [{"image": "3.jpg"}, {"image": "4.jpg"}, {"text": "Again."}]},
    *({"parts": [{"image": "5.jpg"}, {"text": f"Single {number}."}]} for number in range(40)),
]


def build(root: Path, out: Path, *options: str) -> Done:
    done = run_cli("build", "--source", "interleaved", "--root", root, "--out", out, "--json", *options)
    assert done.code == 0, done.err
    return done


def write_pipeline(path: Path, **settings: object) -> Path:
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    path.write_text('[source]\nname = "interleaved"\n[source.documents]\n' + "".join(lines))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interleaved")


@pytest.fixture(scope="module")
def built(folder: Path) -> Done:
    return build(write_mmc4(folder / "in", DOCUMENTS), folder / "ds")


@pytest.fixture(scope="module")
def rows(built: Done) -> dict[str, dict[str, Any]]:
    return {row["image_id"]: row for row in read_rows(Path(built.result["out"]))}


def test_every_document_ends_accepted_rejected_or_failed(built: Done) -> None:
    found = built.result
    num_single = found["reasons"]["single_picture"]
    assert 10 < num_single < 30
    assert found["planned"] == {"interleaved": len(DOCUMENTS)}
    assert found["accepted"] == {"interleaved": len(DOCUMENTS) - 3 - num_single}
    assert found["rejected"] == {"interleaved": 3 + num_single}
    assert found["failed"] == {"interleaved": 0}
    assert found["reasons"] == {"not_json": 1, "no_picture": 1, "duplicate_id": 1, "single_picture": num_single}
    assert found["cost_usd"] == 0


def test_rejected_documents_are_listed_with_their_reasons(built: Done) -> None:
    shown = run_cli("show", "--rejected", built.result["out"], "--json", "-n", "100")
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert len(lines) == built.result["rejected"]["interleaved"]
    assert {line["reason"] for line in lines} == set(built.result["reasons"])


def test_rows_are_texts_with_places_of_pictures(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["interleaved/documents.jsonl-000000001"]
    assert row["sample_id"] == "interleaved/documents.jsonl-000000001/interleaved/0"
    assert row["sample_type"] == "interleaved"
    assert row["messages"] == [{"role": "assistant", "content": f"Sentence {n}."} for n in range(3)]
    assert [picture["path"] for picture in row["images"]] == ["1.jpg", "0.jpg"]
    assert all(picture["bytes"][:2] == b"\xff\xd8" for picture in row["images"])
    assert (row["image_at"], row["frames"]) == ([1, 2], None)
    assert row["image_urls"] == ["http://a.example/1.jpg", "http://a.example/0.jpg"]
    assert rows["interleaved/own"]["image_at"] == [0, 2], "one stands behind the last text"


def test_same_documents_again_are_the_same_version(built: Done, folder: Path) -> None:
    again = build(folder / "in", folder / "ds")
    assert again.result["version"] == built.result["version"]
    other = build(folder / "in", folder / "ds", "--seed", "1")
    assert other.result["version"] != built.result["version"]
    assert (folder / "ds" / "tags" / "latest").read_text().strip() == other.result["version"]


def test_version_is_whole_and_can_be_read_shown_and_exported(built: Done, folder: Path, tmp_path: Path) -> None:
    verified = run_cli("dataset", "verify", built.result["out"], "--deep")
    assert verified.code == 0, verified.err
    shown = run_cli("show", built.result["out"], "-n", "1")
    assert "Sentence 0." in shown.out
    exported = run_cli("export", "interleaved", built.result["out"], "--out", tmp_path / "mmc4")
    assert exported.code == 0, exported.err
    given = write_pipeline(tmp_path / "given.toml", match="given", keep_single=1.0)
    again = build(tmp_path / "mmc4", tmp_path / "again", "--pipeline", str(given))
    wanted = built.result["accepted"]["interleaved"]
    assert again.result["accepted"]["interleaved"] == wanted - 1, "the own form's picture behind the last text"
    manifest = read_manifest(Path(again.result["out"]))
    assert manifest.config["source"]["documents"]["match"] == "given"


def test_hugging_face_reads_pictures_and_places(built: Done, folder: Path) -> None:
    import datasets

    files = str(Path(built.result["out"]) / "data" / "*.parquet")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(folder / "cache"))
    row = next(one for one in loaded if one["image_id"] == "interleaved/documents.jsonl-000000001")
    assert (row["image_at"], [picture.size for picture in row["images"]]) == ([1, 2], [(100, 100)] * 2)


def test_pairs_become_documents_of_a_picture_and_its_text(tmp_path: Path) -> None:
    make_shard(tmp_path / "0.tar", 12)
    done = build(tmp_path / "0.tar", tmp_path / "ds")
    assert done.result["accepted"] == {"interleaved": 12}
    for row in read_rows(Path(done.result["out"])):
        assert len(row["messages"]) == len(row["images"]) == 1
        assert row["image_at"] == [0]
        assert row["messages"][0]["role"] == "assistant"


def test_names_alone_are_kept_where_no_picture_is_there(tmp_path: Path) -> None:
    write_mmc4(tmp_path / "in", DOCUMENTS[:2], {})
    done = build(tmp_path / "in", tmp_path / "ds")
    assert done.result["accepted"] == {"interleaved": 2}
    assert not read_manifest(Path(done.result["out"])).embeds_images
    embedded = run_cli(
        *("build", "--source", "interleaved", "--images", "embed"),
        "--root",
        tmp_path / "in",
        "--out",
        tmp_path / "no",
    )
    assert embedded.code != 0
    assert "no document can be used: 2 x no_picture" in " ".join(embedded.err.split())
    assert not (tmp_path / "no").exists()


def test_clips_are_slots_of_several_frames(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed: pip install instructgen[video]")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(make_clip(75))
    (tmp_path / "in" / "b.mp4").write_bytes(b"no clip")
    (tmp_path / "in" / "c.jpg").write_bytes(make_jpeg())
    records = [
        {"video": "a.mp4", "caption": "It gets lighter."},
        {"video": "b.mp4", "caption": "Broken."},
        {"video": "gone.mp4", "caption": "Gone."},
        {"id": "mixed", "parts": [{"image": "c.jpg"}, {"text": "A."}, {"clip": "a.mp4"}, {"text": "B."}]},
        {"id": "half", "parts": [{"clip": "b.mp4"}, {"text": "A."}, {"clip": "a.mp4"}, {"image": "c.jpg"}]},
    ]
    (tmp_path / "in" / "clips.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    pipeline = write_pipeline(tmp_path / "p.toml", min_picture_bytes=0, max_frames=2)
    done = build(tmp_path / "in", tmp_path / "ds", "--pipeline", str(pipeline))
    assert done.result["reasons"] == {"video_broken": 1, "video_missing": 1}
    assert done.result["source_issues"] == {"video_broken": 1}
    rows = {row["image_id"].partition("/")[2]: row for row in read_rows(Path(done.result["out"]))}
    assert {name: (row["image_at"], row["frames"]) for name, row in rows.items()} == {
        "clips.jsonl-000000001": ([0], [2]),
        "mixed": ([0, 1], [1, 2]),
        "half": ([1, 1], [2, 1]),
    }
    assert [picture["path"] for picture in rows["mixed"]["images"]] == ["c.jpg", "a.mp4/000.jpg", "a.mp4/001.jpg"]
    assert find_slots(rows["mixed"]) == [Slot(0, 1), Slot(1, 2)]
    assert find_places(rows["mixed"]) == [0, 1, 1]
    verified = run_cli("dataset", "verify", done.result["out"], "--deep")
    assert verified.code == 0, verified.err
    listed = run_cli("export", "obelics", done.result["out"], "--out", tmp_path / "obelics")
    assert listed.code == 0, listed.err
    differed = run_cli("dataset", "diff", tmp_path / "ds", tmp_path / "ds")
    assert differed.code == 0, differed.err


def test_bad_requests_say_what_to_do(tmp_path: Path) -> None:
    write_mmc4(tmp_path, DOCUMENTS[:1], {})
    for options, said in (
        (("--source", "interleaved"), "--root PATH"),
        (("--source", "interleaved", "--root", str(tmp_path), "--types", "conv"), "leave --types out"),
        (("--source", "interleaved", "--root", str(tmp_path), "--split", "train"), "no --split"),
        (("--source", "none"), "interleaved"),
    ):
        done = run_cli("build", *options, "--out", tmp_path / "ds")
        assert done.code == 2, options
        assert said in " ".join(done.err.split())
    planned = run_cli("plan", "--source", "interleaved", "--root", tmp_path)
    assert planned.code == 2
    assert "at no cost" in " ".join(planned.err.split())
