"""One record of anybody's instruction data as turns about an image, or the reason why it is none.

The forms are told apart by their keys, record by record: `conversations` (LLaVA, ShareGPT), `messages` (Hugging Face,
and our own rows), else a question and an answer on their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.checks import RecordError, shown, whole
from instructgen.dataset.imports.image_names import is_full_name
from instructgen.records import Message, Role

FORMS = (
    "LLaVA JSON (id, image, conversations), ShareGPT (conversations), Hugging Face messages (messages, images), "
    "question and answer (question_id, image, instruction or text, output or text, type), each as a JSON list, as "
    "JSON lines or as Parquet, and datasets that instructgen built"
)
_ID_KEYS = ("question_id", "sample_id", "id")
_IMAGE_KEYS = ("image_id", "image", "images", "image_file", "image_path", "file_name")
_PATH_KEYS = ("path", "file_name", "image", "url", "image_url")  # of an image that is an object
_TURN_KEYS = ("conversations", "messages", "conversation")
_QUESTION_KEYS = ("instruction", "question", "prompt")
_ANSWER_KEYS = ("output", "answer", "response", "caption")
_TYPE_KEYS = ("sample_type", "type", "category")
ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "bard"), "assistant"),
    "system": "system",
}
# LLaVA's names of the three types, and ours.
_TYPES = {
    "conversation": "conv",
    "detailed_description": "detail",
    "detail_description": "detail",
    "complex": "reasoning",
    "complex_reasoning": "reasoning",
}
_MAX_SHOWN_CHARS = 80
_MAX_NAME_CHARS = 512
_PLACEHOLDER = "<image>"


class AuditRecord(Struct, frozen=True):
    """A conversation about one image. `id` is as the data has it, or "#<number>" where it has none.

    `image` is an id, a file name or a path. Without a type of its own a record is "multi_turn" or "single_turn".
    """

    id: str | int
    image: str | int
    turns: tuple[Message, ...]
    sample_type: str


class Unusable(Struct, frozen=True):
    """A record that cannot be held against an image; `reason` is a fixed word, `image` "" where none is named."""

    id: str | int
    image: str | int
    reason: str
    detail: str = ""


def parse_json(text: bytes, number: int) -> AuditRecord | Unusable:
    """Return the record in one JSON text; `number` is its line or its place in the file, from 1."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unusable(f"#{number}", "", "not_json", f"{error}: {shown(text.decode('utf-8', 'replace'))}")
    return parse_record(value, number)


def parse_record(value: object, number: int) -> AuditRecord | Unusable:
    if not isinstance(value, dict):
        return Unusable(f"#{number}", "", "not_an_object", shown(value))
    record_id: str | int = f"#{number}"
    images: list[str | int] = []
    try:
        record_id = find_id(value, number)
        images = _find_images(value) or _image_from_id(value)
        turns, shown_images = _read_turns(value)
        images = images or shown_images
        several = _image_names(value.get("images"))
        if len(several) > 1:  # whatever single image another key names: our own rows are named for one of two
            images = several
        _check(turns, images)
        return AuditRecord(record_id, images[0], turns, find_type(value, turns))
    except RecordError as error:
        return Unusable(record_id, images[0] if images else "", error.reason, error.detail)


def _check(turns: Sequence[Message], images: Sequence[str | int]) -> None:
    if not any(turn.role == "assistant" and turn.content for turn in turns):
        raise RecordError("no_answer")
    if not images:
        raise RecordError("no_image")
    if len(images) > 1:
        raise RecordError("several_images", ", ".join(map(shown, images[:3])))


def find_id(value: Mapping[str, Any], number: int) -> str | int:
    for key in _ID_KEYS:
        found = value.get(key)
        if isinstance(found, int) or (isinstance(found, str) and found):
            return whole(found) if isinstance(found, str) else found
    return f"#{number}"


def _find_images(value: Mapping[str, Any]) -> list[str | int]:
    """Return the images of the first key that names any, each once."""
    for key in _IMAGE_KEYS:
        names = _image_names(value.get(key))
        if names:
            return names
    return []


def _image_names(value: object) -> list[str | int]:
    if isinstance(value, list):
        return list(dict.fromkeys(name for one in value for name in _image_names(one)))
    if isinstance(value, dict):
        return next((names for key in _PATH_KEYS if (names := _image_names(value.get(key)))), [])
    if isinstance(value, str) and value:
        return [whole(value[:_MAX_NAME_CHARS])]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def _image_from_id(value: Mapping[str, Any]) -> list[str | int]:
    """Return `id` where it must be the image's: it is a COCO name, or the record has another id besides."""
    found = value.get("id")
    if is_full_name(found) or (isinstance(found, str | int) and "question_id" in value):
        return _image_names(found)
    return []


def find_type(value: Mapping[str, Any], turns: Sequence[Message]) -> str:
    for key in _TYPE_KEYS:
        found = value.get(key)
        if isinstance(found, str) and found:
            name = whole(found[:_MAX_SHOWN_CHARS])
            return _TYPES.get(name.lower(), name)
    num_answers = sum(turn.role == "assistant" for turn in turns)
    return "multi_turn" if num_answers > 1 else "single_turn"


def _read_turns(value: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[str | int]]:
    """Return the turns and the images that stand in them."""
    for key in _TURN_KEYS:
        if isinstance(value.get(key), list):
            return _read_messages(value[key])
    question = _first_text(value, _QUESTION_KEYS)
    answer = _first_text(value, _ANSWER_KEYS)
    text = _first_text(value, ("text",))
    # What `text` is follows from what else is there; alone it is what a model said.
    if not answer:
        answer = text
    elif not question:
        question = text
    if not question and not answer:
        known = any(key in value for key in (*_TURN_KEYS, *_QUESTION_KEYS, *_ANSWER_KEYS, "text", *_IMAGE_KEYS))
        raise RecordError("no_answer" if known else "unknown_form", ", ".join(map(shown, list(value)[:8])))
    turns = [Message("user", question)] if question else []
    return (*turns, Message("assistant", answer)), []


def _first_text(value: Mapping[str, Any], keys: Sequence[str]) -> str:
    for key in keys:
        found = value.get(key)
        if isinstance(found, str) and found.strip():
            return _clean(found)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
    return ""


def _read_messages(messages: Sequence[object]) -> tuple[tuple[Message, ...], list[str | int]]:
    turns: list[Message] = []
    images: list[str | int] = []
    for message in messages:
        if not isinstance(message, dict):
            raise RecordError("not_a_turn", shown(message))
        speaker = message.get("from", message.get("role"))
        role = ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
        if role is None:
            raise RecordError("unknown_speaker", shown(speaker))
        text, found = _read_content(message.get("value", message.get("content")))
        turns.append(Message(role, _clean(text)))
        images += found
    return tuple(turns), list(dict.fromkeys(images))


def _read_content(content: object) -> tuple[str, list[str | int]]:
    """Return the text and the images of a message, which is a text or a list of parts."""
    if content is None:
        return "", []
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list):
        raise RecordError("not_a_turn", shown(content))
    texts, images = [], list[str | int]()
    for part in content:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, str):
            texts.append(part)
        else:
            images += _image_names(part)
    return "\n".join(texts), images


def _clean(text: str) -> str:
    return whole(text.replace(_PLACEHOLDER, "").strip())
