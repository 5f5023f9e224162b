"""What filters allow the types that go from image to image, and nobody else."""

import pytest

from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.repetition import RepeatedText
from instructgen.records import Message, Sample
from tests.support.make import make_record

RECORD = make_record(1)


def make(sample_type: str, *turns: Message) -> Sample:
    return Sample("s", RECORD.image_id, sample_type, turns, (), {})


def test_document_may_begin_a_text_with_flamingos_labels() -> None:
    text = Message("assistant", "Question:How many? Short answer:Two")
    assert ControlStrings().check(make("interleaved", text, text), RECORD).fault is None
    assert ControlStrings().check(make("conv", Message("user", "How?"), text), RECORD).fault is not None


@pytest.mark.parametrize(
    "text", ["A dog.<|endofchunk|>", "<image>Output:A dog.", "A dog.</s>", "A dog.\nUSER: and now?"]
)
def test_document_may_hold_no_other_control_string(text: str) -> None:
    fault = ControlStrings().check(make("interleaved", Message("assistant", text)), RECORD).fault
    assert fault is not None
    assert fault.reason == "control_string"


def test_few_shot_chat_may_ask_the_same_of_every_image() -> None:
    turns = [Message("user", "What is it?"), Message("assistant", "A dog."), Message("user", "What is it?")]
    turns.append(Message("assistant", "A bus."))
    assert RepeatedText().check(make("few-shot", *turns), RECORD).fault is None
    assert RepeatedText().check(make("conv", *turns), RECORD).fault is not None
