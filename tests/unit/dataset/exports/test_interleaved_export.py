"""Documents in MMC4's and OBELICS's form."""

import json
from pathlib import Path
from typing import Any

from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import Exported
from tests.support.exports import make_picture, make_row, with_system
from tests.support.interleaved import make_document, write_documents


def export(rows: list[Any], form: str, folder: Path) -> Exported:
    version = write_documents(folder / "version", rows)
    return EXPORTS[form](version, folder / "out", lambda _, __: None)


def read_mmc4(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / "train.jsonl").read_text().splitlines()]


def read_obelics(folder: Path) -> list[dict[str, Any]]:
    import datasets

    loaded = datasets.load_dataset(str(folder / "out" / "data"), cache_dir=str(folder / "cache"))
    return list(loaded["train"])


def test_document_has_the_keys_that_mmc4_describes(tmp_path: Path) -> None:
    export([make_document(1, ["One.", "Two.", "Three."], [1, 2])], "interleaved", tmp_path)
    [document] = read_mmc4(tmp_path)
    assert document["text_list"] == ["One.", "Two.", "Three."]
    assert document["image_info"] == [
        {"image_name": name, "raw_url": None, "matched_text_index": at, "matched_sim": 1.0, "face_detections": None}
        for name, at in (("1-0.jpg", 1), ("1-1.jpg", 2))
    ]
    assert document["similarity_matrix"] == [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert (tmp_path / "out" / "images" / "1-1.jpg").read_bytes() == make_picture(11)


def test_every_picture_is_most_similar_to_the_text_it_stands_before(tmp_path: Path) -> None:
    export([make_document(1, ["A.", "B.", "C.", "D."], [3, 0, 2])], "interleaved", tmp_path)
    [document] = read_mmc4(tmp_path)
    for info, similarities in zip(document["image_info"], document["similarity_matrix"], strict=True):
        assert similarities.index(max(similarities)) == info["matched_text_index"]


def test_pictures_are_listed_in_the_order_of_their_texts(tmp_path: Path) -> None:
    export([make_document(1, ["A.", "B.", "C."], [2, 0, 2])], "interleaved", tmp_path)
    [document] = read_mmc4(tmp_path)
    assert [info["image_name"] for info in document["image_info"]] == ["1-1.jpg", "1-0.jpg", "1-2.jpg"]


def test_conversation_becomes_a_document_with_its_picture_before_the_question(tmp_path: Path) -> None:
    row = with_system(make_row(1, ("What is it?", "A dog.")), "Be brief.")
    export([row], "interleaved", tmp_path / "a")
    [document] = read_mmc4(tmp_path / "a")
    assert document["text_list"] == ["Be brief.", "What is it?", "A dog."]
    assert [info["matched_text_index"] for info in document["image_info"]] == [1]
    export([row], "obelics", tmp_path / "b")
    [document] = read_obelics(tmp_path / "b")
    assert document["texts"] == ["Be brief.", None, "What is it?", "A dog."]
    assert document["images"] == [None, "000000000001.jpg", None, None]


def test_obelics_document_loads_as_two_lists_side_by_side(tmp_path: Path) -> None:
    export([make_document(1, ["One.", "Two."], [0, 0, 2])], "obelics", tmp_path)
    [document] = read_obelics(tmp_path)
    assert document.keys() == {"images", "metadata", "general_metadata", "texts"}
    assert document["images"] == ["1-0.jpg", "1-1.jpg", None, None, "1-2.jpg"]
    assert document["texts"] == [None, None, "One.", "Two.", None]
    metadata = json.loads(document["metadata"])
    assert [one is None for one in metadata] == [one is None for one in document["images"]]
    assert json.loads(document["general_metadata"])["sample_id"] == "coco/000000000001/conv/0"


def test_picture_behind_the_last_text_has_no_place_in_mmc4(tmp_path: Path) -> None:
    rows = [make_document(1, ["One."], [1]), make_document(2, ["One."], [0])]
    assert export(rows, "interleaved", tmp_path).left_out == {"image_after_text": 1}
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == ["2-0.jpg"]


def test_text_rows_alone_make_documents_without_pictures(tmp_path: Path) -> None:
    export([make_row(1, pictures={})], "interleaved", tmp_path)
    [document] = read_mmc4(tmp_path)
    assert (document["image_info"], document["similarity_matrix"]) == ([], [])
