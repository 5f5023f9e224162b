"""OpenAI's fine-tuning files as others write them, and the round trip of ours."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.exports.base import DEFAULT_SETTINGS
from instructgen.dataset.exports.openai import write_openai
from instructgen.errors import InstructgenError
from instructgen.records import Message
from tests.support.exports import make_picture, make_row, read_form, tell_imported, tell_row, write_rows
from tests.support.interleaved import write_documents

ANSWER = {"role": "assistant", "content": "A dog."}


def image(data: bytes = b"", **fields: str) -> dict[str, Any]:
    encoded = base64.b64encode(data or make_picture(1)).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{encoded}", **fields}}


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def write_lines(path: Path, *chats: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats), encoding="utf-8")
    return path


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": parts[0] if isinstance(parts[0], str) else list(parts)}


def test_example_of_the_guide_with_its_picture_in_a_message_of_its_own_is_one_question(tmp_path: Path) -> None:
    system = {"role": "system", "content": "You know cheese."}
    path = write_lines(tmp_path / "a.jsonl", [system, user("What is it?"), user(image(detail="low")), ANSWER])
    [one], rejected = read_form(path, "openai")
    assert rejected == []
    assert one.turns == (
        Message("system", "You know cheese."),
        Message("user", "What is it?"),
        Message("assistant", "A dog."),
    )
    assert [picture.data for picture in one.images] == [make_picture(1)]
    assert one.image_at is None
    assert one.image_id.startswith("openai/")
    assert one.images[0].path.endswith(".jpg")


def test_picture_alone_before_the_words_belongs_to_them(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [user(image()), user("What is it?"), ANSWER])
    [one], _ = read_form(path, "openai")
    assert [turn.content for turn in one.turns] == ["What is it?", "A dog."]
    assert one.image_at is None


def test_picture_alone_is_asked_about_without_words(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [user(image()), ANSWER])
    assert read_form(path, "openai")[0][0].turns == (Message("user", ""), Message("assistant", "A dog."))


def test_picture_of_a_later_question_keeps_its_place(tmp_path: Path) -> None:
    chat = [user(image(), text("First?")), ANSWER, user(text("And"), image(make_picture(2)), text("this?")), ANSWER]
    [one], _ = read_form(write_lines(tmp_path / "a.jsonl", chat), "openai")
    assert one.image_at == (0, 2)
    assert one.turns[2].content == "And\nthis?"


@pytest.mark.parametrize(
    ("reason", "chat"),
    [
        ("image_not_local", [user({"type": "image_url", "image_url": {"url": "https://x.org/a.jpg"}}), ANSWER]),
        ("image_not_local", [user({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}), ANSWER]),
        ("image_unreadable", [user(image(b"no picture")), ANSWER]),
        (
            "image_unreadable",
            [user({"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}), ANSWER],
        ),
        ("unknown_part", [user({"type": "input_audio"}), ANSWER]),
        ("unknown_speaker", [user("Hi."), {"role": "tool", "content": "x"}, ANSWER]),
        ("not_a_turn", [user("Hi."), "text"]),
        ("not_a_turn", [user("Hi."), {"role": "assistant", "content": None}]),
        ("tool_call", [user("Hi."), {"role": "assistant", "content": "", "tool_calls": [{}]}]),
        ("untrained_turn", [user("Hi."), {**ANSWER, "weight": 0}]),
        ("image_outside_user_turn", [user("Hi."), {"role": "assistant", "content": [image()]}]),
        ("no_answer", [user("Hi.")]),
    ],
)
def test_line_that_cannot_be_kept_whole_is_rejected(reason: str, chat: list[Any], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", chat, [user("Hi."), {**ANSWER, "weight": 1}])
    imported, rejected = read_form(path, "openai")
    assert [(one.record_id, one.reason) for one in rejected] == [("#1", reason)]
    assert len(imported) == 1


def test_broken_lines_are_rejected_and_reading_goes_on(tmp_path: Path) -> None:
    good = json.dumps({"messages": [user("Hi."), ANSWER]})
    half = json.dumps({"messages": [user("\ud83d"), ANSWER]})
    tools = json.dumps({"messages": [user("Hi."), ANSWER], "tools": [{"type": "function"}]})
    lines = ["{", "[]", '{"prompt": "a"}', half, tools, "", good]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    imported, rejected = read_form(tmp_path / "a.jsonl", "openai")
    reasons = [one.reason for one in rejected]
    assert reasons == ["not_json", "not_an_object", "unknown_form", "not_json", "tool_call"]
    assert len(imported) == 1


def test_line_over_the_bound_is_passed_over_unread(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [user("x" * 5000), ANSWER], [user("Hi."), ANSWER])
    imported, rejected = read_form(path, "openai", max_bytes=1000)
    assert [one.reason for one in rejected] == ["record_too_large"]
    assert [one.turns[0].content for one in imported] == ["Hi."]


def test_picture_of_too_many_pixels_is_rejected(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [user(image(make_picture(1, size_px=(100, 100)))), ANSWER])
    _, rejected = read_form(path, "openai", max_pixels=9999)
    assert [one.reason for one in rejected] == ["image_too_large"]


@pytest.mark.parametrize("change", ["fewer", "more", "broken"])
def test_ids_that_do_not_fit_their_file_are_an_error(change: str, tmp_path: Path) -> None:
    write_rows([make_row(1), make_row(2)], "openai", tmp_path)
    beside = tmp_path / "out" / "train.ids.jsonl"
    lines = beside.read_text().splitlines()
    changed = {"fewer": lines[:1], "more": [*lines, lines[0]], "broken": [lines[0], "{"]}[change]
    beside.write_text("\n".join(changed) + "\n")
    with pytest.raises(InstructgenError, match=r"train\.ids\.jsonl"):
        read_form(tmp_path / "out", "openai")


def test_path_in_the_ids_cannot_lead_out_of_a_folder(tmp_path: Path) -> None:
    write_rows([make_row(1)], "openai", tmp_path)
    beside = tmp_path / "out" / "train.ids.jsonl"
    beside.write_text(beside.read_text().replace("000000000001.jpg", "../../up.jpg"))
    assert read_form(tmp_path / "out", "openai")[0][0].images[0].path == "up.jpg"


def test_round_trip_keeps_turns_that_an_import_of_others_would_join(tmp_path: Path) -> None:
    row = make_row(1)
    row["messages"] = [
        {"role": "user", "content": ""},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "A dog."},
    ]
    write_rows([row], "openai", tmp_path)
    [one], _ = read_form(tmp_path / "out", "openai")
    assert tell_imported(one) == tell_row(row)


def test_round_trip_keeps_the_places_of_pictures(tmp_path: Path) -> None:
    pictures = {"a.jpg": make_picture(1), "b.jpg": make_picture(2)}
    row = make_row(1, ("First?", "One."), ("Second?", "Two."), pictures=pictures)
    rows = [{**row, "image_at": [0, 2]}, {**make_row(2), "image_at": [0]}, make_row(3)]
    version = write_documents(tmp_path / "v", rows)
    write_openai(version, tmp_path / "out", lambda _, __: None, DEFAULT_SETTINGS)
    imported, _ = read_form(tmp_path / "out", "openai")
    assert [one.image_at for one in imported] == [(0, 2), (0,), None]
    assert [tell_imported(one) for one in imported] == [tell_row(row) for row in rows]
