"""Strings that a chat template takes for its own."""

import pytest

from instructgen.filters.control_strings import ControlStrings
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

CONTROLS = [
    "<image>\nA dog.",
    "A dog.</s>",
    "<s>A dog.",
    "A dog.<unk>",
    "<Img>A dog.</Img>",
    "<ImageHere> a dog",
    "<image_1> a dog",
    "<im_start>A dog.<im_end>",
    "A dog.<|endofchunk|>",
    "<|im_start|>assistant",
    "A dog.<|im_end|>",
    "A dog.<|eot_id|>",
    "<|reserved_special_token_5|>",
    "A dog.<end_of_turn>",
    "[INST] What is it? [/INST]",
    "<<SYS>> be kind <</SYS>>",
    "A dog. ### Human: and now?",
    "###",
    "A dog. USER: and now?",
    "A dog. ASSISTANT: It sleeps.",
    "A dog. HUMAN : and now?",
    "A dog.\nassistant: It sleeps.",
    "A dog.\nUser: and now?",
    "A dog.\n**Assistant:** It sleeps.",
    "A dog.\nQuestion: What else?",
    "A dog.\n===\nA cat.",
    "A dog.\x00",
    "A dog.\x1b[31m",
]

HARMLESS = [
    "A dog sleeps.",
    "I <3 dogs.",
    "The sum 2 < 3 > 1 stands on the board.",
    "The sign reads [closed].",
    "Steps:\n1. Look left.\n2. Look right.",
    "The question is: who left the bag?",
    "She asks the assistant: a young man in a blue shirt.",
    "The user: a woman at the desk.",
    "The system consists of two parts: a pump and a hose.",
    "A hash sign # and two ## are painted on the wall.",
    "The equation a == b is on the board.",
    "The equation is === in the middle of this line.",
    "<b>bold</b> is written on the screen.",
    "[1] and [2] are numbered.",
    "Tabs\tand\nlines are fine.",
    "Ein Hund schläft, 犬が眠る, собака спит.",
]


def make_sample(answer: str) -> Sample:
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", CONTROLS)
def test_answer_with_a_control_string_is_rejected(answer: str) -> None:
    verdict = ControlStrings().check(make_sample(answer), RECORD)
    assert verdict.score == 1.0
    assert verdict.fault is not None
    assert verdict.fault.reason == "control_string"


@pytest.mark.parametrize("answer", HARMLESS)
def test_ordinary_text_passes(answer: str) -> None:
    assert ControlStrings().check(make_sample(answer), RECORD).fault is None


def test_question_with_a_control_string_is_rejected() -> None:
    turns = (Message("user", "<image>\nWhat is it?"), Message("assistant", "A dog."))
    sample = Sample("own/1/conv/0", "own/1", "conv", turns, (), {})
    assert ControlStrings().check(sample, RECORD).fault is not None


def test_label_at_the_start_of_a_later_turn_is_found() -> None:
    turns = (Message("user", "What is it?"), Message("assistant", "Assistant: A dog."))
    sample = Sample("own/1/conv/0", "own/1", "conv", turns, (), {})
    assert ControlStrings().check(sample, RECORD).fault is not None
