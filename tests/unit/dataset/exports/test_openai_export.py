"""OpenAI's fine-tuning files: the documented form, and what its limits leave out."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from instructgen.dataset.exports.base import DEFAULT_SETTINGS, Exported
from instructgen.dataset.exports.openai import FileLimits, write_openai
from instructgen.dataset.stored import LocalVersion
from tests.support.exports import make_hostile_rows, make_picture, make_row, with_system, write_rows
from tests.support.interleaved import make_document, write_documents
from tests.support.versions import write_version


def export(version: LocalVersion, out: Path, **options: Any) -> Exported:
    return write_openai(version, out, lambda _, __: None, DEFAULT_SETTINGS, **options)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def encode(mode: str, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8)).save(buffer, form)
    return buffer.getvalue()


def test_line_is_what_the_guide_to_vision_fine_tuning_shows(tmp_path: Path) -> None:
    picture = make_picture(7)
    row = with_system(
        make_row(1, ("What is it?", "A dog."), ("Sure?", "Yes."), pictures={"a.jpg": picture}), "Brief."
    )
    write_rows([row], "openai", tmp_path)
    url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    assert read_lines(tmp_path / "out" / "train.jsonl") == [
        {
            "messages": [
                {"role": "system", "content": "Brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": url, "detail": "auto"}},
                        {"type": "text", "text": "What is it?"},
                    ],
                },
                {"role": "assistant", "content": "A dog."},
                {"role": "user", "content": "Sure?"},
                {"role": "assistant", "content": "Yes."},
            ]
        }
    ]
    assert read_lines(tmp_path / "out" / "train.ids.jsonl") == [
        {
            "sample_id": "coco/000000000001/conv/0",
            "image_id": "coco/000000000001",
            "sample_type": "conv",
            "source": "coco",
            "teacher": "openai",
            "model": "test-model",
            "images": ["a.jpg"],
        }
    ]


def test_every_line_passes_the_types_of_the_openai_package(tmp_path: Path) -> None:
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter

    write_rows(make_hostile_rows(), "openai", tmp_path)
    adapter = TypeAdapter(list[ChatCompletionMessageParam])
    lines = read_lines(tmp_path / "out" / "train.jsonl")
    assert len(lines) == len(read_lines(tmp_path / "out" / "train.ids.jsonl"))
    for line in lines:
        assert line.keys() == {"messages"}
        adapter.validate_python(line["messages"])


def test_suffix_of_the_path_does_not_decide_the_media_type(tmp_path: Path) -> None:
    pictures = {"a.jpg": encode("RGBA", "PNG"), "b.png": encode("RGB", "WEBP")}
    write_rows([make_row(1, pictures=pictures)], "openai", tmp_path)
    [line] = read_lines(tmp_path / "out" / "train.jsonl")
    urls = [part["image_url"]["url"] for part in line["messages"][0]["content"][:2]]
    assert [url.partition(";")[0] for url in urls] == ["data:image/png", "data:image/webp"]


@pytest.mark.parametrize(
    ("reason", "pictures"),
    [
        ("too_many_images", {f"{number}.jpg": make_picture(number) for number in range(11)}),
        ("image_mode", {"grey.jpg": encode("L", "JPEG")}),
        ("image_format", {"a.gif": encode("L", "GIF")}),
        ("image_unreadable", {"a.jpg": b"\xff\xd8\xff no picture"}),
        ("image_too_large", {"a.jpg": make_picture(1) + bytes(10_000_000)}),
    ],
)
def test_picture_that_the_api_refuses_leaves_its_row_out(
    reason: str, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    exported = write_rows([make_row(1, pictures=pictures), make_row(2)], "openai", tmp_path)
    assert (exported.num_rows, exported.left_out) == (1, {reason: 1})


def test_ten_pictures_are_not_too_many(tmp_path: Path) -> None:
    pictures = {f"{number}.jpg": make_picture(number) for number in range(10)}
    assert write_rows([make_row(1, pictures=pictures)], "openai", tmp_path).num_rows == 1


def test_row_that_does_not_end_with_an_answer_is_left_out(tmp_path: Path) -> None:
    row = make_row(1)
    row["messages"] = row["messages"][:1]
    assert write_rows([row, make_row(2)], "openai", tmp_path).left_out == {"no_answer": 1}


def test_picture_before_an_answer_is_left_out_and_before_a_later_question_stays(tmp_path: Path) -> None:
    asked = make_row(2, ("First?", "One."), ("Second?", "Two."))
    rows = [make_document(1, ["One.", "Two."], [1]), {**asked, "image_at": [2]}]
    exported = export(write_documents(tmp_path / "v", rows), tmp_path / "out")
    assert exported.left_out == {"interleaved": 1}
    [line] = read_lines(tmp_path / "out" / "train.jsonl")
    kinds = [type(message["content"]) for message in line["messages"]]
    assert kinds == [str, str, list, str]


def test_file_that_is_full_goes_on_in_another(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row(1), make_row(2), make_row(3, pictures={}), make_row(4)])
    export(version, tmp_path / "out", limits=FileLimits(num_pictured=2))
    counts = {path.name: len(read_lines(path)) for path in (tmp_path / "out").iterdir()}
    assert counts == {
        "train.jsonl": 3,
        "train.ids.jsonl": 3,
        "train-00002.jsonl": 1,
        "train-00002.ids.jsonl": 1,
    }
    assert read_lines(tmp_path / "out" / "train-00002.ids.jsonl")[0]["sample_id"] == "coco/000000000004/conv/0"


def test_file_passes_no_bound_of_bytes(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row(1), make_row(2), make_row(3, ("Why?", "x" * 4000))])
    exported = export(version, tmp_path / "out", limits=FileLimits(num_bytes=2000))
    assert exported.left_out == {"example_too_large": 1}
    sizes = [path.stat().st_size for path in (tmp_path / "out").glob("*.jsonl") if ".ids." not in path.name]
    assert len(sizes) == 2
    assert max(sizes) <= 2000


def test_detail_is_said_for_every_picture(tmp_path: Path) -> None:
    export(write_version(tmp_path / "v", [make_row(1)]), tmp_path / "out", detail="low")
    [line] = read_lines(tmp_path / "out" / "train.jsonl")
    assert line["messages"][0]["content"][0]["image_url"]["detail"] == "low"
