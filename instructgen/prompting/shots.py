"""Few-shot examples: an image as a record, and the turns that a perfect teacher would write for it."""

from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import Box, ImageRecord, Message


class Shot(Struct, frozen=True):
    record: ImageRecord
    turns: tuple[Message, ...]


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    image: ImageRecord
    turns: tuple[Message, ...]


def read_shots(path: Path, text: str) -> tuple[Shot, ...]:
    """Read a shots.jsonl: one JSON object a line; an empty file means no examples.

    Raises InstructgenError naming file and line for whatever is not a usable example.
    """
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    return tuple(_read_shot(f"{path} line {number}", line) for number, line in enumerate(lines, 1))


def _read_shot(where: str, line: str) -> Shot:
    try:
        found = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError as error:
        raise InstructgenError(f"{where}: {error}; docs/prompts.md shows the form of an example") from None
    if not found.image.captions:
        raise InstructgenError(f"{where}: the image has no captions")
    for box in found.image.boxes:
        if not _is_within_image(box):
            raise InstructgenError(
                f"{where}: the box of '{box.category}' wants fractions 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1"
            )
    roles = [turn.role for turn in found.turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise InstructgenError(f"{where}: turns must alternate user, assistant and end with the assistant")
    if any(turn.content != turn.content.strip() or not turn.content for turn in found.turns):
        raise InstructgenError(f"{where}: a turn is empty or has white space around it")
    return Shot(found.image, found.turns)


def _is_within_image(box: Box) -> bool:
    return 0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1
