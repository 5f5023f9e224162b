"""Reads documents of text with pictures between it: MMC4's JSON lines, and OBELICS's Parquet or JSON lines.

A document is one sample of the type `interleaved`. Each of its texts is a turn of the assistant, for all of it is
what a model is to write, and `image_at` says before which turn each picture stands. MMC4 lists pictures in the order
of the page but matches them to sentences out of order; here they come in the order of their sentences, so that each
stays with its own. Which line belongs to which corpus its keys tell.

Pictures are files of `settings.images`, by default the folder images/ beside the file. Without either the names alone
are kept, for MMC4 and OBELICS give addresses, and nothing is fetched.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.checks import (
    RecordError,
    check_answered,
    check_read_whole,
    find_files,
    find_image,
    find_json_files,
    make_turn,
    name_sample,
    read_lines,
    reject,
    shown,
    with_unique_ids,
)
from instructgen.dataset.imports.parquet import read_rows
from instructgen.records import Message, Rejected

_TYPE = "interleaved"
_IMAGES = "images"
_ROLES = ("system", "user", "assistant")
_OTHERS = ("general_metadata",)
# A document: its texts, its pictures' names and before which text each stands, and what else it says of itself.
_Parts = tuple[Sequence[object], list[str], list[int], Mapping[str, Any]]


def read_interleaved(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield the documents of a file, or of a folder's .parquet files, else its .jsonl files."""
    return with_unique_ids(_read_files(path, settings))


def _read_files(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    number = 0
    for file in _find_files(path):
        folder = _find_folder(file, path, settings)
        for record in _read_records(file, settings.max_bytes):
            number += 1
            record_id = f"#{number}"
            try:
                if isinstance(record, RecordError):
                    raise record
                texts, names, places, ours = _take_apart(record)
                record_id = str(ours.get("sample_id") or record_id)
                images = _read_images(names, settings, folder)
                yield _make_document(texts, images, places, ours, f"{file.stem}-{number}")
            except RecordError as error:
                yield reject(record_id, error)


def _find_files(path: Path) -> list[Path]:
    if path.is_dir() and not any(path.rglob("*.parquet")):
        return find_files(path, ".jsonl")
    found = find_files(path, ".parquet")
    if path.is_dir():
        check_read_whole(path, found, (file for file in find_json_files(path) if file.suffix == ".jsonl"))
    return found


def _find_folder(file: Path, path: Path, settings: ImportSettings) -> Path | None:
    """Return where pictures are: exports put them beside the lines, or beside the folder data/."""
    if settings.images is not None:
        return settings.images
    beside = (path, file.parent, file.parent.parent) if path.is_dir() else (file.parent, file.parent.parent)
    return next((one / _IMAGES for one in beside if (one / _IMAGES).is_dir()), None)


def _read_records(file: Path, max_bytes: int) -> Iterator[dict[str, Any] | RecordError]:
    if file.suffix == ".parquet":
        for _, row in read_rows(file, ("images", "texts"), _OTHERS):
            yield RecordError("broken_text", "a text is not UTF-8") if row is None else row
        return
    for _, line in read_lines(file, max_bytes):
        if line is None:
            yield RecordError("record_too_large", f"more than {max_bytes} bytes")
            continue
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield RecordError("not_json", str(error))
            continue
        yield record if isinstance(record, dict) else RecordError("not_an_object", shown(record))


def _take_apart(record: Mapping[str, Any]) -> _Parts:
    if isinstance(record.get("text_list"), list):
        return _take_apart_mmc4(record)
    if isinstance(record.get("texts"), list) and isinstance(record.get("images"), list):
        return _take_apart_obelics(record)
    raise RecordError("unknown_form", ", ".join(map(shown, list(record)[:8])))


def _take_apart_mmc4(record: Mapping[str, Any]) -> _Parts:
    texts, infos = record["text_list"], record.get("image_info")
    if infos is not None and not isinstance(infos, list):
        raise RecordError("image_missing", shown(infos))
    found: list[tuple[int, str]] = []
    for info in infos or ():
        name = info.get("image_name") if isinstance(info, dict) else None
        if not isinstance(name, str):
            raise RecordError("image_missing", shown(info))
        place = info.get("matched_text_index")
        if type(place) is not int or not 0 <= place < len(texts):
            raise RecordError("image_place_unknown", f"{name}: {place!r} of {len(texts)} texts")
        found.append((place, name))
    found.sort(key=lambda one: one[0])  # those of one sentence stay in the order of the page
    return texts, [name for _, name in found], [place for place, _ in found], record


def _take_apart_obelics(record: Mapping[str, Any]) -> _Parts:
    if len(record["images"]) != len(record["texts"]):
        raise RecordError("not_parallel", f"{len(record['images'])} images beside {len(record['texts'])} texts")
    texts: list[object] = []
    names: list[str] = []
    places: list[int] = []
    for image, text in zip(record["images"], record["texts"], strict=True):
        if (image is None) == (text is None):
            raise RecordError("not_parallel", f"{shown(image)} beside {shown(text)}")
        if image is None:
            texts.append(text)
        elif isinstance(image, str):
            names.append(image)
            places.append(len(texts))
        else:
            raise RecordError("image_missing", shown(image))
    return texts, names, places, _decode_ours(record.get("general_metadata"))


def _decode_ours(text: object) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any]) if isinstance(text, str) else {}
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {}  # nothing of a crawler's notes is needed


def _read_images(names: Sequence[str], settings: ImportSettings, folder: Path | None) -> tuple[ImportedImage, ...]:
    images = tuple(find_image(name, settings, folder) for name in names)
    if sum(len(image.data or b"") for image in images) > settings.max_bytes:
        raise RecordError("record_too_large", f"more than {settings.max_bytes} bytes of pictures")
    return images


def _make_document(
    texts: Sequence[object],
    images: tuple[ImportedImage, ...],
    places: Sequence[int],
    ours: Mapping[str, Any],
    name: str,
) -> Imported:
    roles = ours.get("roles")
    roles = ["assistant"] * len(texts) if roles is None else roles
    if not isinstance(roles, list) or len(roles) != len(texts) or any(role not in _ROLES for role in roles):
        raise RecordError("unknown_speaker", shown(roles))
    turns: tuple[Message, ...] = tuple(make_turn(role, text) for role, text in zip(roles, texts, strict=True))
    check_answered(turns)
    names = name_sample(ours, f"{_TYPE}/{name}", _TYPE, 0)
    image_at = None if ours.get("has_image_at") is False else tuple(places)
    return Imported(names.sample_id, names.image_id, names.sample_type, turns, images, image_at, names.fields)
