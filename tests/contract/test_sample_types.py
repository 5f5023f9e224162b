"""What holds for every sample type in the table."""

import random

import msgspec
import pytest

from instructgen.prompting.prompts import load_prompt
from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types import PROMPTED_TYPES, SAMPLE_TYPES

# A type that only a model that sees can write has no examples: no surrogate could stand for a picture.
OWN_TURNS = (Message("user", "What is there?"), Message("assistant", "A brown dog sleeps on a blue mat by the door."))
FORMATS = [Decoding(), Decoding(output_format="json")]


@pytest.mark.parametrize("key", SAMPLE_TYPES)
def test_name_is_the_key(key: str) -> None:
    assert SAMPLE_TYPES[key].name == key


@pytest.mark.parametrize("decoding", FORMATS, ids=["text", "json"])
@pytest.mark.parametrize("key", PROMPTED_TYPES)
def test_shipped_examples_are_read_back_as_they_were_written(key: str, decoding: Decoding) -> None:
    sample_type = SAMPLE_TYPES[key]
    for turns in [shot.turns for shot in load_prompt(None, key).shots] or [OWN_TURNS]:
        text = sample_type.write(turns, decoding)
        assert sample_type.parse(text, (turns[0].content,), random.Random(0)) == turns


@pytest.mark.parametrize("key", PROMPTED_TYPES)
def test_parse_is_pure(key: str) -> None:
    prompt = load_prompt(None, key)
    text = SAMPLE_TYPES[key].write(find_turns(key), Decoding())
    first = SAMPLE_TYPES[key].parse(text, prompt.questions, random.Random(3))
    assert first == SAMPLE_TYPES[key].parse(text, prompt.questions, random.Random(3))
    assert not isinstance(first, Fault)


@pytest.mark.parametrize("text", ["", " \n", "{", "{}"])
@pytest.mark.parametrize("key", SAMPLE_TYPES)
def test_unusable_reply_gives_a_reason_that_can_be_counted(key: str, text: str) -> None:
    fault = SAMPLE_TYPES[key].parse(text, ("What is there?",), random.Random(0))
    assert isinstance(fault, Fault)
    assert fault.reason.isidentifier()
    assert fault.reason == fault.reason.lower()


@pytest.mark.parametrize("key", PROMPTED_TYPES)
def test_json_reply_has_the_keys_that_its_schema_requires(key: str) -> None:
    sample_type = SAMPLE_TYPES[key]
    text = sample_type.write(find_turns(key), Decoding(output_format="json"))
    check_schema(msgspec.json.decode(text), sample_type.json_schema())


@pytest.mark.parametrize("key", SAMPLE_TYPES)
def test_every_schema_is_strict(key: str) -> None:
    objects = [SAMPLE_TYPES[key].json_schema()]
    while objects:
        schema = objects.pop()
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(properties)
        objects += [*properties.values(), *([schema["items"]] if "items" in schema else [])]


def find_turns(key: str) -> tuple[Message, ...]:
    shots = load_prompt(None, key).shots
    return shots[0].turns if shots else OWN_TURNS


def check_schema(value: object, schema: dict[str, object]) -> None:
    kinds = {"object": dict, "array": list, "string": str}
    assert isinstance(value, kinds[str(schema["type"])])
    if isinstance(value, dict):
        assert set(value) == set(schema["required"])  # type: ignore[call-overload]
        for key, inner in value.items():
            check_schema(inner, schema["properties"][key])  # type: ignore[index]
    if isinstance(value, list):
        for inner in value:
            check_schema(inner, schema["items"])  # type: ignore[arg-type]
