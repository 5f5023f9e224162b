"""Types with their own rules: a description whose question is drawn, and a single hard question."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructgen.draws import make_generator
from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.description import Description
from instructgen.sample_types.reasoning import Reasoning

QUESTIONS = ("What is there?", "Tell me all.", "Describe it.")


def read(text: str) -> str:
    turns = Description("detail").parse(text, QUESTIONS, random.Random(0))
    return turns.reason if isinstance(turns, Fault) else turns[1].content


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("A dog sleeps.\n\nA cat watches.", "A dog sleeps.\n\nA cat watches."),
        ("  A dog sleeps.\r\n", "A dog sleeps."),
        ("Description: A dog sleeps.", "A dog sleeps."),
        ("**Description:**\nA dog sleeps.", "A dog sleeps."),
        ("**Detailed Description**\nA dog sleeps.", "A dog sleeps."),
        ("Descriptions of dogs hang on the wall.", "Descriptions of dogs hang on the wall."),
        ('{"description": "A dog sleeps.\\n\\nA cat watches."}', "A dog sleeps.\n\nA cat watches."),
        ('```json\n{"description": " A dog sleeps. "}\n```', "A dog sleeps."),
        ("```\nA dog sleeps.\n```", "A dog sleeps."),
    ],
)
def test_description_is_the_text_alone(text: str, answer: str) -> None:
    assert read(text) == answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty_reply"),
        ("\n \n", "empty_reply"),
        ("Description:", "empty_turn"),
        ('{"description": ""}', "empty_turn"),
        ('{"description": "A dog', "invalid_json"),
        ('Here it is:\n```json\n{"description": "A dog."}\n```', "invalid_json"),
        ('{"text": "A dog."}', "json_wrong_shape"),
        ('{"description": ["A dog."]}', "json_wrong_shape"),
    ],
)
def test_unusable_description_has_its_fixed_reason(text: str, reason: str) -> None:
    assert read(text) == reason


def test_question_is_drawn_with_the_given_generator_alone() -> None:
    drawn = [
        Description("detail").parse("A dog.", QUESTIONS, make_generator(7, "parse", f"own/{number}/detail"))
        for number in range(60)
    ]
    again = [
        Description("detail").parse("A dog.", QUESTIONS, make_generator(7, "parse", f"own/{number}/detail"))
        for number in range(60)
    ]
    assert drawn == again
    assert {turns[0].content for turns in drawn if not isinstance(turns, Fault)} == set(QUESTIONS)


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip),
    st.sampled_from(["text", "json"]),
)
def test_written_description_is_read_back(answer: str, output_format: str) -> None:
    if not answer or answer.startswith(("{", "`")) or "description" in answer.lower():
        return
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    text = Description("detail").write(turns, Decoding(output_format=output_format))  # type: ignore[arg-type]
    assert Description("detail").parse(text, ("What is there?",), random.Random(0)) == turns


def test_reasoning_takes_exactly_one_pair() -> None:
    one = Reasoning().parse("Question:\nWhy?\n===\nAnswer:\nBecause.", (), random.Random(0))
    assert one == (Message("user", "Why?"), Message("assistant", "Because."))
    two = Reasoning().parse("Question: Why?\nAnswer: Because.\nQuestion: How?\nAnswer: So.", (), random.Random(0))
    assert two == Fault("more_than_one_pair", "How?")
