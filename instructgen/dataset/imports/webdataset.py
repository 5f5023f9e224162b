"""Reads WebDataset tars: those that instructgen wrote, and captioned pictures as img2dataset downloads them.

The files of one sample share a name up to the first dot and lie one behind the other. A .json with `messages` is a
conversation of ours. Any other sample needs one picture and a caption, in a .txt or as `caption` of the .json, and
gives a sample of the type `caption`; its question is one draw from the list for pairs of picture and caption
(prompts/brief/questions.txt), by the sample's id and a seed of 0, for the files have none.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.checks import (
    FORMATS,
    RecordError,
    check_answered,
    check_image,
    find_files,
    make_turn,
    name_sample,
    reject,
    shown,
    with_unique_ids,
)
from instructgen.dataset.imports.image_names import base_name, coco_number, is_full_name
from instructgen.dataset.imports.parse import find_type
from instructgen.dataset.imports.tars import TarSample, read_samples
from instructgen.draws import make_generator
from instructgen.prompting.prompts import load_questions
from instructgen.records import Message, Rejected

_CAPTION_TYPE = "caption"
_SEED = 0
_MAX_DIGITS = 9  # of a picture's number; int() refuses thousands of them
_SUFFIXES = {*FORMATS.values(), "jpeg", "tiff"}
_ROLES = ("system", "user", "assistant")


def read_webdataset(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield the samples of a tar, or of all .tar files below a folder, in the order of their names."""
    return with_unique_ids(_read_files(path, settings))


def _read_files(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    questions = load_questions(None, "brief")
    for file in find_files(path, ".tar"):
        for sample in read_samples(file, settings.max_bytes):
            try:
                yield _read_sample(sample, settings, questions)
            except RecordError as error:
                yield reject(sample.key, error)


def _read_sample(sample: TarSample, settings: ImportSettings, questions: tuple[str, ...]) -> Imported:
    if sample.fault is not None:
        raise sample.fault
    record = _decode(sample.files["json"]) if "json" in sample.files else {}
    if isinstance(record.get("messages"), list):
        return _read_ours(sample, record, settings)
    return _read_caption(sample, record, settings, questions)


def _decode(text: bytes) -> dict[str, Any]:
    try:
        record = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError("not_json", str(error)) from None
    if not isinstance(record, dict):
        raise RecordError("not_an_object", shown(record))
    return record


def _read_ours(sample: TarSample, record: Mapping[str, Any], settings: ImportSettings) -> Imported:
    turns = tuple(map(_read_message, record["messages"]))
    check_answered(turns)
    paths = record.get("images")
    images = _read_images(sample, paths if isinstance(paths, list) else [], settings)
    if isinstance(paths, list) and len(paths) != len(images):
        raise RecordError("image_missing", f"{len(paths)} pictures are named, {len(images)} are there")
    names = name_sample(record, f"webdataset/{sample.key}", find_type({}, turns), 0)
    image_at = _read_places(record, len(images), len(turns))
    return Imported(names.sample_id, names.image_id, names.sample_type, turns, images, image_at, names.fields)


def _read_message(message: object) -> Message:
    if not isinstance(message, dict):
        raise RecordError("not_a_turn", shown(message))
    role = message.get("role")
    if role not in _ROLES:
        raise RecordError("unknown_speaker", shown(role))
    return make_turn(role, message.get("content"))


def _read_places(record: Mapping[str, Any], num_images: int, num_turns: int) -> tuple[int, ...] | None:
    places = record.get("image_at")
    if not record.get("has_image_at") or places is None:
        return None
    if not isinstance(places, list) or len(places) != num_images:
        raise RecordError("image_place_unknown", shown(places))
    if not all(type(place) is int and 0 <= place <= num_turns for place in places):
        raise RecordError("image_place_unknown", shown(places))
    return tuple(places)


def _read_images(sample: TarSample, paths: list[object], settings: ImportSettings) -> tuple[ImportedImage, ...]:
    """Return the pictures in the order of their numbers, "jpg" alone or "0.jpg", "1.jpg"."""
    found = [suffix for suffix in sample.files if suffix.rpartition(".")[2] in _SUFFIXES]
    found.sort(key=_number)
    images = []
    for place, suffix in enumerate(found):
        path = paths[place] if place < len(paths) else None
        path = path if isinstance(path, str) else f"{base_name(sample.key)}.{suffix}"
        images.append(check_image(path, sample.files[suffix], settings))
    return tuple(images)


def _number(suffix: str) -> tuple[int, str]:
    number = suffix.partition(".")[0]
    is_number = len(number) <= _MAX_DIGITS and number.isascii() and number.isdigit()
    return (int(number) if is_number else -1, suffix)


def _read_caption(
    sample: TarSample, record: Mapping[str, Any], settings: ImportSettings, questions: tuple[str, ...]
) -> Imported:
    status = record.get("status")
    if status not in (None, "success"):
        raise RecordError("not_downloaded", shown(status))
    answer = make_turn("assistant", _find_caption(sample, record))
    check_answered([answer])
    images = _read_images(sample, [], settings)
    if len(images) != 1:
        raise RecordError("several_images" if images else "image_missing", ", ".join(sample.files))
    url = record.get("url")
    name = next((one for one in (url, base_name(sample.key)) if is_full_name(one)), None)
    number = None if name is None else coco_number(base_name(name))
    image_id = f"webdataset/{sample.key}" if number is None else f"coco/{number:012d}"
    sample_id = f"{image_id}/{_CAPTION_TYPE}/0"
    question = make_generator(_SEED, "webdataset", sample_id).choice(questions)
    return Imported(sample_id, image_id, _CAPTION_TYPE, (make_turn("user", question), answer), images)


def _find_caption(sample: TarSample, record: Mapping[str, Any]) -> object:
    if "txt" not in sample.files:
        if "caption" not in record:
            raise RecordError("no_answer", ", ".join(sample.files))
        return record["caption"] or ""
    try:
        return sample.files["txt"].decode().strip()
    except UnicodeDecodeError as error:
        raise RecordError("broken_text", str(error)) from None
