"""Reads conversations with pictures: LLaVA, ShareGPT, LLaMA-Factory, Hugging Face messages, TRL and axolotl.

A form's name says whether `<image>` in a text means a picture and which key holds the turns; all else is told by the
record. Files are a JSON list, JSON lines or Parquet, whatever the form, alone or in a folder. Pictures are looked for
in `settings.images`, else in images/ beside the file, where our exports put them; without either, paths are kept.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.checks import (
    RecordError,
    UniqueIds,
    check_answered,
    check_image,
    check_type,
    find_image,
    is_safe_type,
    read_names,
    reject,
    shown,
    whole,
)
from instructgen.dataset.imports.image_names import coco_number
from instructgen.dataset.imports.llamafactory_info import INFO_NAME, InfoEntry, read_info
from instructgen.dataset.imports.parse import ROLES, find_id, find_type
from instructgen.dataset.imports.record_files import Found, find_record_files, read_records
from instructgen.dataset.imports.turns import Keys, Slot, read_turns
from instructgen.records import Message, Rejected

_IMAGES = "images"
_IMAGE_KEYS = ("images", "image")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|data:", re.IGNORECASE)
_NAMES = ("question_id", "sample_id", "id", "image_id", "sample_type", "type", "category")
_COLUMNS = (*_NAMES, "source", "teacher", "model", *_IMAGE_KEYS)


class Form(Struct, frozen=True):
    """`turns` are the keys that the conversation may be under, `system` that of a text before it."""

    name: str
    turns: tuple[str, ...]
    keys: Keys
    images: tuple[str, ...] = _IMAGE_KEYS
    system: str | None = None


_MARKED = Keys(has_placeholders=True, roles=ROLES)
_UNMARKED = Keys(has_placeholders=False, roles=ROLES)


def read_llava(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    return _read_files(find_record_files(path), Form("llava", ("conversations",), _MARKED), settings)


def read_sharegpt(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    return _read_files(find_record_files(path), Form("sharegpt", ("conversations", "messages"), _MARKED), settings)


def read_messages(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield what is found; an `<image>` in a text is text here, for the pictures are beside it or parts of it."""
    return _read_files(find_record_files(path), Form("messages", ("messages",), _UNMARKED), settings)


def read_trl(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    return _read_files(find_record_files(path), Form("trl", ("messages",), _UNMARKED), settings)


def read_axolotl(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    return _read_files(find_record_files(path), Form("axolotl", ("messages",), _UNMARKED), settings)


def read_llamafactory(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield what is found; of a folder with a dataset_info.json, the files it names under the keys it names."""
    form = Form("llamafactory", ("conversations", "messages"), _MARKED)
    if not (path / INFO_NAME).is_file():
        yield from _read_files(find_record_files(path), form, settings)
        return
    reader = _Reader(form, settings)
    for entry in read_info(path / INFO_NAME):
        if isinstance(entry, Rejected):
            yield entry
            continue
        reader.form = _name_keys(form, entry)
        yield from reader.read([path / entry.file_name])


def _name_keys(form: Form, entry: InfoEntry) -> Form:
    keys = Keys(
        has_placeholders=True,
        roles={**ROLES, **entry.roles},
        role=(entry.role, *form.keys.role),
        content=(entry.content, *form.keys.content),
    )
    turns = (entry.messages, *form.turns) if entry.messages else form.turns
    images = (entry.images,) if entry.images else form.images
    return replace(form, turns=turns, keys=keys, images=images, system=entry.system)


def _read_files(files: list[Path], form: Form, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    return _Reader(form, settings).read(files)


class _Reader:
    """Reads the files of one import; it knows which ids it gave."""

    def __init__(self, form: Form, settings: ImportSettings) -> None:
        self.form = form
        self._settings = settings
        self._num_records = 0
        self._ids = UniqueIds()

    def read(self, files: list[Path]) -> Iterator[Imported | Rejected]:
        for path in files:
            folder = self._settings.images or path.parent / _IMAGES
            is_found = self._settings.images is not None or folder.is_dir()
            columns = (*self.form.turns, *self.form.images, self.form.system or "", *_COLUMNS)
            for found in read_records(path, self._settings.max_bytes, dict.fromkeys(columns)):
                self._num_records += 1
                yield self._take(found, folder if is_found else None)

    def _take(self, found: Found, folder: Path | None) -> Imported | Rejected:
        record_id = f"#{self._num_records}"
        try:
            if isinstance(found, RecordError):
                raise found
            record_id = str(find_id(found, self._num_records))
            imported = self._read_record(found, record_id, folder)
            return replace(imported, sample_id=self._ids.make(imported.sample_id))
        except RecordError as error:
            return reject(record_id, error)

    def _read_record(self, record: Mapping[str, Any], record_id: str, folder: Path | None) -> Imported:
        form = self.form
        messages = next((record[key] for key in form.turns if isinstance(record.get(key), list)), None)
        if messages is None:
            raise RecordError("unknown_form", ", ".join(map(shown, list(record)[:8])))
        turns, slots = read_turns(messages, form.keys)
        system = record.get(form.system) if form.system else None
        if isinstance(system, str) and system:
            turns = (Message("system", whole(system)), *turns)
            slots = [replace(slot, turn=slot.turn + 1) for slot in slots]
        check_answered(turns)
        wanted, image_at = _place(slots, _list_images(record, form.images), turns)
        images = tuple(_take_image(image, folder, self._settings) for image in wanted)
        if sum(len(image.data or b"") for image in images) > self._settings.max_bytes:
            raise RecordError("record_too_large", f"more than {self._settings.max_bytes} bytes of pictures")
        fields = read_names(record, "", "", 0).fields
        image_id = _find_image_id(record, form.name, record_id, images)
        return Imported(record_id, image_id, _find_type(record, turns), turns, images, image_at, fields)


def _list_images(record: Mapping[str, Any], keys: tuple[str, ...]) -> list[object]:
    """Return the images of the first key that names any."""
    for key in keys:
        found = record.get(key)
        if found is not None and found not in ("", []):
            return list(found) if isinstance(found, list) else [found]
    return []


def _place(
    slots: list[Slot], listed: list[object], turns: tuple[Message, ...]
) -> tuple[list[object], tuple[int, ...] | None]:
    """Return the images in the order of their slots, and before which turn each stands unless it is where all do."""
    if not slots:
        return listed, None
    num_unnamed = sum(slot.name is None for slot in slots)
    if num_unnamed != len(listed):
        raise RecordError("placeholder_count", f"{num_unnamed} placeholders for {len(listed)} images")
    rest = iter(listed)
    images = [next(rest) if slot.name is None else slot.name for slot in slots]
    first = next(number for number, turn in enumerate(turns) if turn.role == "user")
    if all(slot.turn == first for slot in slots):
        return images, None
    return images, tuple(slot.turn for slot in slots)


def _take_image(image: object, folder: Path | None, settings: ImportSettings) -> ImportedImage:
    if isinstance(image, dict):  # Hugging Face's Image
        if isinstance(image.get("bytes"), bytes):
            return check_image(image.get("path") or "", image["bytes"], settings)
        image = image.get("path")
    if not isinstance(image, str) or not image:
        raise RecordError("image_missing", shown(image))
    if _ADDRESS.match(image):
        raise RecordError("image_not_local", shown(image))
    inside = image.removeprefix(f"{_IMAGES}/")
    if folder is not None and inside != image and not (folder / image).is_file():
        image = inside  # the path is of the folder above
    return find_image(image, settings, folder)


def _is_ours(record: Mapping[str, Any]) -> bool:
    return all(isinstance(record.get(key), str) and record[key] for key in ("image_id", "sample_type"))


def _find_image_id(record: Mapping[str, Any], form: str, record_id: str, images: tuple[ImportedImage, ...]) -> str:
    """Return the id that an export of ours wrote, COCO's, or a name that begins with the form's."""
    known = record.get("image_id")
    if isinstance(known, str) and _is_ours(record):
        return whole(known)
    is_name = isinstance(known, str | int) and not isinstance(known, bool) and known != ""
    name = known if is_name else images[-1].path if images else None
    if name is None:
        return f"{form}/{record_id}"
    number = coco_number(name)
    return f"coco/{number:012d}" if number is not None else f"{form}/{whole(str(name))}"


def _find_type(record: Mapping[str, Any], turns: tuple[Message, ...]) -> str:
    """Return the sample type; of others' records one that cannot be a part of a file's name is not taken over."""
    if _is_ours(record):
        return check_type(record["sample_type"])
    sample_type = find_type(record, turns)
    return sample_type if is_safe_type(sample_type) else find_type({}, turns)
