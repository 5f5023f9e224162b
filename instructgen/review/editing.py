"""Edited answers: as a text file for an editor, and what may not be published."""

import re
from collections.abc import Sequence

from instructgen.errors import InstructgenError
from instructgen.filters.control_strings import ControlStrings
from instructgen.records import Box, ImageRecord, Message, Sample

_HEAD = "==== answer {} of {}, to: {}"
_HEAD_LINE = re.compile(r"^==== answer (\d+) of \d+, to: .*$", re.MULTILINE)


def list_answers(turns: Sequence[Message]) -> tuple[str, ...]:
    return tuple(turn.content for turn in turns if turn.role == "assistant")


def replace_answers(turns: Sequence[Message], answers: Sequence[str]) -> tuple[Message, ...]:
    left = iter(answers)
    return tuple(Message(turn.role, next(left)) if turn.role == "assistant" else turn for turn in turns)


def write_edit_file(turns: Sequence[Message]) -> str:
    """Return the text that the editor opens: the answer, or several below lines that tell them apart."""
    answers = list_answers(turns)
    if len(answers) == 1:
        return f"{answers[0]}\n"
    blocks: list[str] = []
    question = ""
    for turn in turns:
        if turn.role == "user":
            question = " ".join(turn.content.split())
        elif turn.role == "assistant":
            blocks.append(f"{_HEAD.format(len(blocks) + 1, len(answers), question)}\n{turn.content}\n")
    return "\n".join(blocks)


def read_edit_file(text: str, turns: Sequence[Message]) -> tuple[str, ...]:
    """Return the answers; raises InstructgenError where the lines between them are gone."""
    answers = list_answers(turns)
    if len(answers) == 1:
        return (text.strip(),)
    before, *parts = _HEAD_LINE.split(text)
    numbers, texts = parts[::2], parts[1::2]
    if before.strip() or numbers != [str(number) for number in range(1, len(answers) + 1)]:
        raise InstructgenError(f"keep the {len(answers)} lines that begin with '==== answer', each in its place")
    return tuple(part.strip() for part in texts)


def check_answers(turns: Sequence[Message], answers: Sequence[str]) -> tuple[str, ...]:
    """Return the answers, stripped; raises InstructgenError for what may not be published."""
    wanted = len(list_answers(turns))
    if len(answers) != wanted:
        raise InstructgenError(f"the sample has {wanted} answers, and {len(answers)} came back")
    stripped = tuple(answer.strip() for answer in answers)
    for number, answer in enumerate(stripped, 1):
        if not answer:
            raise InstructgenError(f"answer {number} is empty; reject the sample instead")
        fault = ControlStrings().check(_as_sample(answer), _NO_IMAGE).fault
        if fault is not None:
            raise InstructgenError(f"answer {number} holds a control string: {fault.detail}")
    return stripped


_NO_IMAGE = ImageRecord("", "", 1, 1, (), (Box("person", 0, 0, 1, 1),))


def _as_sample(answer: str) -> Sample:
    return Sample("", "", "", (Message("assistant", answer),), (), {})
