"""Documents as replies: texts without questions, and where their images stand."""

import json

import pytest

from instructgen.draws import make_generator
from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types import MATCHED_TYPES, PAIRED_TYPES, SAMPLE_TYPES, SHOT_TYPES, place_images

DOCUMENT = SAMPLE_TYPES["interleaved"]
TURNS = (Message("assistant", "Question:How many? Short answer:two"), Message("assistant", "Two lines\nof text."))


def parse(text: str) -> tuple[Message, ...] | Fault:
    return DOCUMENT.parse(text, (), make_generator(0, "parse", "d"))


def test_what_is_written_is_read_back() -> None:
    for decoding in (Decoding(), Decoding(output_format="json")):
        assert parse(DOCUMENT.write(TURNS, decoding)) == TURNS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty_reply"),
        ("A.\n===\n \n===\nB.", "empty_turn"),
        ('{"texts": []}', "empty_turn"),
        ('{"texts": 5}', "json_wrong_shape"),
        ('{"texts": ["A."', "invalid_json"),
    ],
)
def test_reply_that_is_no_document_has_a_reason(text: str, reason: str) -> None:
    found = parse(text)
    assert isinstance(found, Fault)
    assert found.reason == reason


def test_schema_is_that_of_what_is_written() -> None:
    found = json.loads(DOCUMENT.write(TURNS, Decoding(output_format="json")))
    assert set(found) == set(DOCUMENT.json_schema()["required"])  # type: ignore[call-overload]


def test_images_stand_before_their_turns() -> None:
    assert place_images("few-shot", 6, 3) == (0, 2, 4)
    assert place_images("interleaved", 3, 3) == (0, 1, 2)
    assert place_images("multi-image", 6, 2) is None
    for num_turns in (0, 5):
        with pytest.raises(ValueError, match="turns for 3 images"):
            place_images("few-shot", num_turns, 3)


def test_types_of_several_images_are_apart() -> None:
    assert not set(SHOT_TYPES) & set(PAIRED_TYPES)
    assert set(SHOT_TYPES) < set(MATCHED_TYPES)
