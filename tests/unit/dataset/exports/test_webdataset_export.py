"""Tar shards, as the webdataset package and datasets' builder of that name open them."""

import io
import itertools
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from instructgen.dataset.exports.base import DEFAULT_SETTINGS, Exported
from instructgen.dataset.exports.webdataset import write_webdataset
from instructgen.dataset.stored import LocalVersion
from tests.support.exports import make_hostile_rows, make_picture, make_row, write_rows
from tests.support.interleaved import make_document, write_documents
from tests.support.versions import write_version


def export(version: LocalVersion, out: Path, **options: Any) -> Exported:
    return write_webdataset(version, out, lambda _, __: None, DEFAULT_SETTINGS, **options)


def list_names(tar: Path) -> list[str]:
    with tarfile.open(tar) as file:
        return file.getnames()


def read_json(tar: Path, number: int = 0) -> dict[str, Any]:
    with tarfile.open(tar) as file:
        [name] = [name for name in file.getnames() if name.startswith(f"{number:08d}") and name.endswith(".json")]
        member = file.extractfile(name)
        assert member is not None
        return json.load(member)


def test_webdataset_package_gives_the_rows_back(tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset", reason="the webdataset package is not installed")
    rows = make_hostile_rows()
    write_rows(rows, "webdataset", tmp_path)
    tars = [str(path) for path in (tmp_path / "out").rglob("*.tar")]
    samples = sorted(wds.WebDataset(tars, shardshuffle=False).decode("pil"), key=lambda sample: sample["__key__"])
    assert len(samples) == len(rows)
    for sample, row in zip(samples, rows, strict=True):
        assert sample["json"]["sample_id"] == row["sample_id"]
        assert sample["json"]["messages"] == row["messages"]
        pictures = [sample[suffix] for suffix in sorted(sample) if suffix.endswith(("jpg", "png"))]
        sizes = [Image.open(io.BytesIO(image["bytes"])).size for image in row["images"]]
        assert [picture.size for picture in pictures] == sizes


def test_builder_of_datasets_decodes_the_pictures(tmp_path: Path) -> None:
    import datasets

    write_rows([make_row(number) for number in range(1, 8)], "webdataset", tmp_path)
    loaded = datasets.load_dataset(
        "webdataset", data_dir=str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["json"]["image_id"] for row in loaded] == [f"coco/{number:012d}" for number in range(1, 8)]
    assert [row["jpg"].size for row in loaded] == [(40, 30)] * 7
    assert loaded[0]["json"]["messages"] == make_row(1)["messages"]


def test_builder_of_datasets_finds_splits_by_their_names(tmp_path: Path) -> None:
    import datasets

    version = write_version(tmp_path / "version", [make_row(1)], split="val")
    export(version, tmp_path / "out")
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"validation": 1}


def test_key_has_no_dot_or_slash_and_comes_once(tmp_path: Path) -> None:
    rows = [{**make_row(number), "sample_id": "../a.b/c d/é/" + "x" * 200} for number in (1, 2)]
    export(write_version(tmp_path / "v", rows), tmp_path / "out")
    names = list_names(tmp_path / "out" / "train-000000.tar")
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"\d{8}-[A-Za-z0-9_-]+\.(json|jpg)", name) and len(name) < 100 for name in names)
    assert read_json(tmp_path / "out" / "train-000000.tar")["sample_id"] == rows[0]["sample_id"]


def test_suffix_is_that_of_the_bytes(tmp_path: Path) -> None:
    pictures = {"a.jpg": make_picture(1, "PNG"), "b.png": make_picture(2, "WEBP"), "c": make_picture(3)}
    write_rows([make_row(1, pictures=pictures)], "webdataset", tmp_path)
    tar = tmp_path / "out" / "train-000000.tar"
    assert [name.partition(".")[2] for name in list_names(tar)] == ["json", "0.png", "1.webp", "2.jpg"]
    assert read_json(tar)["images"] == ["a.jpg", "b.png", "c"]


def test_row_of_many_pictures_is_written(tmp_path: Path) -> None:
    rows = [make_row(1), make_row(2, pictures={f"{number}.jpg": make_picture(1) for number in range(90)})]
    write_rows(rows, "webdataset", tmp_path)
    folders = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert len(folders) == 2
    assert all(len(name) <= 64 for name in folders)


def test_bytes_that_are_no_known_picture_leave_the_row_out(tmp_path: Path) -> None:
    rows = [make_row(1, pictures={"a.jpg": b"no picture"}), make_row(2)]
    assert write_rows(rows, "webdataset", tmp_path).left_out == {"image_format": 1}


def test_shard_that_is_full_goes_on_in_another(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row(number) for number in range(1, 6)])
    export(version, tmp_path / "out", max_shard_bytes=8000)
    tars = sorted((tmp_path / "out").iterdir())
    assert [tar.name for tar in tars] == ["train-000000.tar", "train-000001.tar", "train-000002.tar"]
    names = [name for tar in tars for name in list_names(tar)]
    assert [name.partition("-")[0] for name in names[::2]] == [f"{number:08d}" for number in range(5)]


def test_sample_larger_than_a_shard_has_one_alone(tmp_path: Path) -> None:
    rows = [make_row(1), make_row(2, ("Why?", "x" * 50_000)), make_row(3)]
    export(write_version(tmp_path / "v", rows), tmp_path / "out", max_shard_bytes=8000)
    assert [len(list_names(tar)) for tar in sorted((tmp_path / "out").iterdir())] == [2, 2, 2]


def test_places_of_pictures_are_always_said_in_one_way(tmp_path: Path) -> None:
    rows = [make_document(1, ["One.", "Two."], [1]), make_row(2)]
    export(write_documents(tmp_path / "v", rows), tmp_path / "out")
    tar = tmp_path / "out" / "train-000000.tar"
    found = [(read_json(tar, number)["image_at"], read_json(tar, number)["has_image_at"]) for number in range(2)]
    assert sorted(found) == [([0], False), ([1], True)]


def test_samples_of_other_files_are_a_configuration_of_their_own(tmp_path: Path) -> None:
    import datasets

    two = {"a.jpg": make_picture(1), "b.png": make_picture(2, "PNG")}
    rows = [make_row(1), make_row(2, pictures=two), make_row(3, pictures={}), make_row(4)]
    write_rows(rows, "webdataset", tmp_path)
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["README.md", "jpg-png/train-000000.tar", "jpg/train-000000.tar", "text/train-000000.tar"]
    sizes = {}
    for name in ("jpg", "jpg-png", "text"):
        loaded = datasets.load_dataset(str(tmp_path / "out"), name, cache_dir=str(tmp_path / "cache"))["train"]
        sizes[name] = [[row[key].size for key in row if key.endswith(("jpg", "png"))] for row in loaded]
    assert sizes == {"jpg": [[(40, 30)], [(40, 30)]], "jpg-png": [[(40, 30), (40, 30)]], "text": [[]]}


def test_more_kinds_than_files_that_may_be_open_are_all_written(tmp_path: Path) -> None:
    encoded = [make_picture(1, form) for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]
    kinds = list(itertools.product(encoded, repeat=3))[:70]
    rows = [make_row(place, pictures=dict(zip("abc", kind, strict=True))) for place, kind in enumerate(kinds * 2)]
    exported = write_rows(rows, "webdataset", tmp_path)
    assert exported.num_rows == 140
    counts = [len(list_names(tar)) for tar in (tmp_path / "out").rglob("*.tar")]
    assert (len(counts), sum(counts)) == (140, 4 * 140)
