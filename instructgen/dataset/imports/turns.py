"""The turns of a record and the places of its pictures, as the forms write them: as `<image>` in a text, or as parts.

A placeholder is taken out of the front or the end of a user's text, with the one line break or space that parts it
from the words, and the words stay as they are. One that stands elsewhere cannot be taken out without changing what is
said, so that its record is turned away.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from instructgen.dataset.imports.checks import RecordError, make_turn, shown
from instructgen.records import Message, Role

PLACEHOLDER = "<image>"
_GAPS = ("\n", " ")
_NAME_KEYS = ("path", "url", "image", "image_url")
_TEXT = "text"
_IMAGES = ("image", "image_url")


class Keys(Struct, frozen=True):
    """What a form calls the parts of a turn. `has_placeholders`: an `<image>` in a text stands for a picture."""

    has_placeholders: bool
    roles: dict[str, Role]
    role: tuple[str, ...] = ("from", "role")
    content: tuple[str, ...] = ("value", "content")


class Slot(Struct, frozen=True):
    """Where a picture stands: the number of its turn, and its name where that is said there."""

    turn: int
    name: str | None


def read_turns(messages: Sequence[object], keys: Keys) -> tuple[tuple[Message, ...], list[Slot]]:
    """Return the turns without placeholders, and a slot for each of these; raises RecordError."""
    turns: list[Message] = []
    slots: list[Slot] = []
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            raise RecordError("not_a_turn", shown(message))
        role = _read_role(message, keys)
        content = next((message[key] for key in keys.content if message.get(key) is not None), "")
        if isinstance(content, list):
            text, names = _read_parts(content)
        elif keys.has_placeholders and isinstance(content, str):
            text, names = _take_placeholders(content, role)
        else:
            text, names = content, []
        if names and role != "user":
            raise RecordError("placeholder_in_answer", shown(text))
        turns.append(make_turn(role, text))
        slots += [Slot(number, name) for name in names]
    return tuple(turns), slots


def _read_role(message: Mapping[str, Any], keys: Keys) -> Role:
    speaker = next((message[key] for key in keys.role if message.get(key) is not None), None)
    role = (keys.roles.get(speaker) or keys.roles.get(speaker.lower())) if isinstance(speaker, str) else None
    if role is None:
        raise RecordError("unknown_speaker", shown(speaker))
    return role


def _take_placeholders(text: str, role: Role) -> tuple[str, list[str | None]]:
    if role != "user":
        if PLACEHOLDER in text:
            raise RecordError("placeholder_in_answer", shown(text))
        return text, []
    num_found, start, end = 0, 0, len(text)  # the text is cut once: there may be many placeholders
    while text.startswith(PLACEHOLDER, start, end):
        num_found += 1
        start += len(PLACEHOLDER)
        start += text.startswith(_GAPS, start, end)
    while text.endswith(PLACEHOLDER, start, end):
        num_found += 1
        end -= len(PLACEHOLDER)
        end -= text.endswith(_GAPS, start, end)
    text = text[start:end]
    if PLACEHOLDER in text:
        raise RecordError("placeholder_inside", shown(text))
    return text, [None] * num_found


def _read_parts(parts: Sequence[object]) -> tuple[str, list[str | None]]:
    """Return the text and the pictures of a message in parts, whose texts follow each other without a gap."""
    texts: list[str] = []
    names: list[str | None] = []
    is_closed = False  # pictures came after a text
    for part in parts:
        if isinstance(part, dict) and part.get("type") in _IMAGES:
            names.append(_read_name(part))
            is_closed = bool(texts)
            continue
        text = part.get(_TEXT) if isinstance(part, dict) and part.get("type", _TEXT) == _TEXT else part
        if not isinstance(text, str):
            raise RecordError("unknown_part", shown(part))
        if is_closed:
            raise RecordError("placeholder_inside", shown(text))
        texts.append(text)
    return "".join(texts), names


def _read_name(part: Mapping[str, Any]) -> str | None:
    found = next((part[key] for key in _NAME_KEYS if part.get(key) is not None), None)
    if isinstance(found, dict):
        found = found.get("url")
    if found is not None and not isinstance(found, str):
        raise RecordError("unknown_part", shown(part))
    return found
