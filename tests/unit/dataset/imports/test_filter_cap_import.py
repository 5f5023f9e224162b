"""MiniGPT-4's second-stage data as samples."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.imports.base import ImportSettings
from instructgen.dataset.imports.filter_cap import read_filter_cap
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_questions
from tests.support.exports import make_picture, make_row, read_form, write_rows


def write_data(folder: Path, annotations: object, names: tuple[str, ...] = ("1", "2", "000000000139")) -> Path:
    (folder / "image").mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(names):
        (folder / "image" / f"{name}.jpg").write_bytes(make_picture(shade))
    (folder / "filter_cap.json").write_text(json.dumps({"annotations": annotations}), encoding="utf-8")
    return folder


def caption(image_id: object, text: object = "A dog lies there.") -> dict[str, Any]:
    return {"image_id": image_id, "caption": text}


def test_caption_becomes_a_detail_sample_with_a_question_of_ours(tmp_path: Path) -> None:
    folder = write_data(tmp_path, [caption("1"), caption("000000000139", 'Ein "Hund"\n犬')])
    imported, rejected = read_form(folder, "filter_cap")
    assert rejected == []
    assert [one.image_id for one in imported] == ["filter_cap/1", "coco/000000000139"]
    assert [one.sample_id for one in imported] == ["filter_cap/1/detail/1", "coco/000000000139/detail/2"]
    assert imported[1].turns[1].content == 'Ein "Hund"\n犬'
    assert imported[1].images[0].data == make_picture(2)
    questions = load_questions(None, "detail")
    assert all(one.sample_type == "detail" and one.turns[0].content in questions for one in imported)


def test_question_is_the_same_whenever_the_file_is_read_and_differs_between_samples(tmp_path: Path) -> None:
    folder = write_data(tmp_path, [caption("1")] * 40)
    first, second = (read_form(folder, "filter_cap")[0] for _ in range(2))
    assert first == second
    assert len({one.turns[0].content for one in first}) > 5


@pytest.mark.parametrize(
    ("reason", "annotation"),
    [
        ("image_missing", caption("gone")),
        ("unsafe_path", caption("../1")),
        ("unsafe_path", caption("/etc/passwd")),
        ("no_image", {"caption": "A dog."}),
        ("no_image", caption(["1"])),
        ("no_answer", caption("1", "")),
        ("not_a_turn", caption("1", None)),
        ("not_json", caption("1", "\ud83d")),
        ("not_an_object", 7),
    ],
)
def test_bad_annotation_is_rejected_and_the_next_is_read(reason: str, annotation: object, tmp_path: Path) -> None:
    imported, rejected = read_form(write_data(tmp_path, [annotation, caption(2)]), "filter_cap")
    assert [(one.record_id, one.stage, one.reason) for one in rejected] == [("#1", "source", reason)]
    assert [one.image_id for one in imported] == ["filter_cap/2"]


def test_plain_list_is_read_as_well(tmp_path: Path) -> None:
    folder = write_data(tmp_path, [])
    (folder / "filter_cap.json").write_text(json.dumps([caption("1")]))
    assert len(read_form(folder, "filter_cap")[0]) == 1


@pytest.mark.parametrize("indent", [None, 1])
def test_file_is_read_whatever_the_white_space_and_the_byte_order_mark(indent: int | None, tmp_path: Path) -> None:
    folder = write_data(tmp_path, [])
    text = json.dumps({"annotations": [caption("1"), caption("2")]}, indent=indent)
    (folder / "filter_cap.json").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n \n")
    assert len(read_form(folder, "filter_cap")[0]) == 2


def test_empty_list_gives_nothing(tmp_path: Path) -> None:
    assert read_form(write_data(tmp_path, []), "filter_cap") == ([], [])


@pytest.mark.parametrize("end", [1, 2, 20])
def test_truncated_file_is_an_error(end: int, tmp_path: Path) -> None:
    folder = write_data(tmp_path, [caption("1"), caption("2")])
    path = folder / "filter_cap.json"
    path.write_text(path.read_text()[:-end])
    with pytest.raises(InstructgenError, match="copy or download it again"):
        read_form(path, "filter_cap")


def test_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "filter_cap.json").write_text('{"annotations": []}')
    with pytest.raises(InstructgenError, match="--images FOLDER"):
        read_form(tmp_path, "filter_cap")


def test_large_file_is_never_all_in_memory(tmp_path: Path) -> None:
    read_form(write_data(tmp_path, [caption("1")]), "filter_cap")  # imports what it needs
    folder = write_data(tmp_path, [caption("1", "word " * 20_000)] * 300)
    assert (folder / "filter_cap.json").stat().st_size > 30_000_000
    tracemalloc.start()
    count = sum(1 for _ in read_filter_cap(folder, ImportSettings()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 300
    assert peak < 12_000_000


def test_round_trip_keeps_the_answer_the_picture_and_coco_s_id(tmp_path: Path) -> None:
    row = {**make_row(1, ("Asked otherwise?", 'It says "<image>".\n犬')), "sample_type": "caption"}
    write_rows([row], "filter_cap", tmp_path)
    [one], rejected = read_form(tmp_path / "out", "filter_cap")
    assert rejected == []
    assert (one.image_id, one.sample_type) == ("coco/000000000001", "detail")
    assert one.turns[1].content == row["messages"][1]["content"]
    assert one.images[0].data == row["images"][0]["bytes"]
