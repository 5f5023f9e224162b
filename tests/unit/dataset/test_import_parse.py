"""One record of anybody's data as turns, or the reason why it is none."""

import json
from typing import Any

import pytest

from instructgen.dataset.imports.parse import AuditRecord, Unusable, parse_json, parse_record
from instructgen.records import Message

QUESTION, ANSWER = "What is there?", "A dog."


def read(value: object) -> AuditRecord:
    record = parse_json(json.dumps(value).encode(), 7)
    assert isinstance(record, AuditRecord), record
    return record


def reason_of(value: object) -> str:
    record = parse_record(value, 7)
    assert isinstance(record, Unusable)
    return record.reason


def llava(*values: str, **more: Any) -> dict[str, Any]:
    speakers = ("human", "gpt") * len(values)
    turns = [{"from": speaker, "value": value} for speaker, value in zip(speakers, values, strict=False)]
    return {"id": "000000000139", "image": "000000000139.jpg", "conversations": turns, **more}


def test_llava_record_loses_its_image_tag_and_keeps_its_turns() -> None:
    record = read(llava(f"<image>\n{QUESTION}", ANSWER, "And\n<image>", "No."))
    assert record.turns == (
        Message("user", QUESTION),
        Message("assistant", ANSWER),
        Message("user", "And"),
        Message("assistant", "No."),
    )
    assert (record.id, record.image, record.sample_type) == ("000000000139", "000000000139.jpg", "multi_turn")


@pytest.mark.parametrize(
    "value",
    [
        {"question_id": 3, "image": "a/139.jpg", "instruction": QUESTION, "output": ANSWER, "type": "conv"},
        {"question_id": 3, "image": "a/139.jpg", "text": QUESTION, "output": ANSWER, "category": "conv"},
        {"question_id": 3, "image": "a/139.jpg", "instruction": QUESTION, "text": ANSWER, "type": "conv"},
        {"question_id": 3, "image": "a/139.jpg", "question": QUESTION, "answer": ANSWER, "type": "conversation"},
        {"id": 3, "image": "a/139.jpg", "prompt": QUESTION, "text": ANSWER, "sample_type": "conv"},
        {"id": 3, "images": ["a/139.jpg"], "messages": [
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]},
            {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]},
        ], "type": "conv"},
        {"id": 3, "messages": [
            {"role": "user", "content": [{"image": "a/139.jpg"}, {"type": "text", "text": QUESTION}]},
            {"role": "assistant", "content": ANSWER},
        ], "type": "conv"},
        {"id": 3, "image": {"bytes": None, "path": "a/139.jpg"}, "type": "conv", "conversations": [
            {"from": "user", "value": QUESTION}, {"from": "assistant", "value": ANSWER},
        ]},
    ],
)  # fmt: skip
def test_every_form_of_one_question_and_its_answer_is_the_same_record(value: dict[str, Any]) -> None:
    turns = (Message("user", QUESTION), Message("assistant", ANSWER))
    assert read(value) == AuditRecord(3, "a/139.jpg", turns, "conv")


def test_text_alone_is_an_answer() -> None:
    assert read({"question_id": 1, "image": "139.jpg", "text": ANSWER}).turns == (Message("assistant", ANSWER),)


def test_llavas_names_of_types_are_read_as_ours() -> None:
    assert read(llava(QUESTION, ANSWER, category="complex")).sample_type == "reasoning"


def test_id_that_is_a_coco_name_stands_for_the_image() -> None:
    assert read({"id": "000000441147", "instruction": QUESTION, "output": ANSWER}).image == "000000441147"


def test_id_beside_a_question_id_stands_for_the_image() -> None:
    record = read({"question_id": 5, "id": 139, "text": QUESTION, "output": ANSWER})
    assert (record.id, record.image) == (5, 139)


def test_other_ids_stand_for_no_image() -> None:
    assert reason_of({"id": "wgByO4Y_0", "conversations": llava(QUESTION, ANSWER)["conversations"]}) == "no_image"


def test_record_without_an_id_is_called_by_its_number() -> None:
    assert read({"image_id": 139, "caption": ANSWER}).id == "#7"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([1], "not_an_object"),
        ({"id": 1, "label": "x"}, "unknown_form"),
        ({"id": 1, "image": "139.jpg", "instruction": QUESTION}, "no_answer"),
        ({"id": 1, "image": "139.jpg", "instruction": QUESTION, "output": " "}, "no_answer"),
        (llava(QUESTION), "no_answer"),
        (llava(), "no_answer"),
        ({"id": 1, "instruction": QUESTION, "output": ANSWER}, "no_image"),
        (llava(QUESTION, ANSWER, image=["1.jpg", "2.jpg"]), "several_images"),
        (llava(QUESTION, ANSWER) | {"conversations": [{"from": "dog", "value": "Wuff"}]}, "unknown_speaker"),
        (llava(QUESTION, ANSWER) | {"conversations": ["Wuff"]}, "not_a_turn"),
        (llava(QUESTION, ANSWER) | {"conversations": [{"from": "gpt", "value": 3}]}, "not_a_turn"),
        (llava(QUESTION, "half a \ud83d pair"), "broken_text"),
    ],
)
def test_what_cannot_be_used_has_a_reason(value: object, reason: str) -> None:
    assert reason_of(value) == reason


def test_broken_json_has_a_reason_and_shows_its_start() -> None:
    record = parse_json(b'{"id": 1, "image', 7)
    assert isinstance(record, Unusable)
    assert (record.id, record.reason) == ("#7", "not_json")
    assert '{"id": 1' in record.detail
