"""The Cauldron's form, as datasets and nanoVLM open it."""

from pathlib import Path

import datasets
from PIL import Image

from instructgen.dataset.exports.base import DEFAULT_SETTINGS
from instructgen.dataset.exports.texts import write_texts
from tests.support.exports import make_hostile_rows, make_picture, make_row, with_system, write_rows
from tests.support.interleaved import make_document, write_documents


def load(folder: Path, cache: Path) -> datasets.DatasetDict:
    return datasets.load_dataset(str(folder), cache_dir=str(cache))


def test_rows_load_as_pictures_and_pairs(tmp_path: Path) -> None:
    rows = [make_row(1, ("What?", "A dog."), ("Where?", "There.")), make_row(2, pictures={})]
    write_rows(rows, "texts", tmp_path)
    loaded = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [image.size for image in loaded[0]["images"]] == [(40, 30)]
    assert loaded[0]["texts"] == [
        {"user": "What?", "assistant": "A dog.", "source": "coco"},
        {"user": "Where?", "assistant": "There.", "source": "coco"},
    ]
    assert loaded[1]["images"] == []
    assert loaded[1]["sample_id"] == "coco/000000000002/conv/0"


def test_two_pictures_keep_their_order(tmp_path: Path) -> None:
    write_rows([make_row(1, pictures={"b.jpg": make_picture(10), "a.jpg": make_picture(200)})], "texts", tmp_path)
    [row] = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert [image.getpixel((0, 0))[0] for image in row["images"]] == [10, 200]


def test_every_hostile_row_that_is_written_decodes(tmp_path: Path) -> None:
    exported = write_rows(make_hostile_rows(), "texts", tmp_path)
    loaded = load(tmp_path / "out", tmp_path / "cache")["train"]
    assert len(loaded) == exported.num_rows
    for row in loaded:
        assert all(isinstance(image, Image.Image) for image in row["images"])
        assert all(text.keys() == {"user", "assistant", "source"} for text in row["texts"])


def test_splits_are_files_of_their_own(tmp_path: Path) -> None:
    write_rows([make_row(1)], "texts", tmp_path, split="val")
    assert [path.name for path in (tmp_path / "out" / "data").iterdir()] == ["val-00000-of-00001.parquet"]
    assert list(load(tmp_path / "out", tmp_path / "cache")) == ["val"]


def test_what_pairs_have_no_room_for_is_left_out_and_counted(tmp_path: Path) -> None:
    odd = make_row(4)
    odd["messages"] = odd["messages"][:1]
    rows = [
        make_row(1),
        with_system(make_row(2), "Be brief."),
        with_system(make_row(6), ""),
        make_row(3, ("What is <|image|>?", "A token of nanoVLM's.")),
        odd,
        make_document(5, ["One.", "Two."], [1]),
    ]
    version = write_documents(tmp_path / "v", rows)
    exported = write_texts(version, tmp_path / "out", lambda _, __: None, DEFAULT_SETTINGS)
    assert exported.num_rows == 1
    assert exported.left_out == {
        "system_turn": 2,
        "placeholder_in_text": 1,
        "turns_do_not_alternate": 1,
        "interleaved": 1,
    }


def test_path_of_a_picture_leads_nowhere(tmp_path: Path) -> None:
    write_rows([make_row(1, pictures={"../../up.jpg": make_picture(1)})], "texts", tmp_path)
    loaded = load(tmp_path / "out", tmp_path / "cache")["train"]
    plain = loaded.cast_column("images", datasets.List(datasets.Image(decode=False)))
    assert [image["path"] for image in plain[0]["images"]] == ["up.jpg"]
