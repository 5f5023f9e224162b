"""What the imports share: files and lines in bounded memory, names, texts and pictures that can be taken over."""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.image_names import base_name, coco_number, is_full_name
from instructgen.errors import InstructgenError
from instructgen.records import Message, Rejected, Role

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
_FIELDS = ("source", "teacher", "model")
_MAX_SHOWN_CHARS = 80
_ID_CHARS = 24  # of a digest in hex: 96 bits
_BLOCK_BYTES = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_TYPE = re.compile(r"(?!\.)[\w.-]{1,64}")  # a type is part of a shard's name
# What lies beside data and tells of it: Hugging Face's files, and those of a version of ours.
_NOT_DATA = (
    *("dataset_info.json", "dataset_infos.json", "state.json"),
    *("manifest.json", "statistics.json", "croissant.json", "rejected.jsonl"),
)


class RecordError(Exception):
    """A record that cannot be taken over; `reason` is a fixed word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Names(Struct, frozen=True):
    """What a record calls its sample, or what is made for it."""

    sample_id: str
    image_id: str
    sample_type: str
    fields: dict[str, str]


def reject(record_id: str, error: RecordError) -> Rejected:
    return Rejected(whole_or_shown(record_id), "source", error.reason, shown(error.detail))


def read_names(record: Mapping[str, Any], image_id: str, sample_type: str, number: int) -> Names:
    """Return the names that an export of ours wrote into the record; what is missing is made of the others."""
    image_id = _named(record, "image_id") or image_id
    sample_type = _named(record, "sample_type") or sample_type
    sample_id = _named(record, "sample_id") or f"{image_id}/{sample_type}/{number}"
    return Names(sample_id, image_id, sample_type, {key: text for key in _FIELDS if (text := _named(record, key))})


def name_sample(record: Mapping[str, Any], image_id: str, sample_type: str, number: int) -> Names:
    """Return what `read_names` does; raises RecordError for a type that cannot be a part of a shard's name."""
    names = read_names(record, image_id, sample_type, number)
    check_type(names.sample_type)
    return names


def is_safe_type(sample_type: str) -> bool:
    return _TYPE.fullmatch(sample_type) is not None


def check_type(sample_type: str) -> str:
    if not is_safe_type(sample_type):
        raise RecordError("unsafe_type", shown(sample_type))
    return sample_type


class UniqueIds:
    """Knows the ids that it gave, by their digests."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # digest of an id -> the number that was given last

    def make(self, sample_id: str) -> str:
        """Return the id, with a number behind it where it was there before: LLaVA's are those of the images."""
        digest, unique = _hash_id(sample_id), sample_id
        number = self._numbers.get(digest, 0)
        while _hash_id(unique) in self._numbers:
            number += 1
            unique = f"{sample_id}#{number}"
        self._numbers[digest] = max(number, 1)
        self._numbers.setdefault(_hash_id(unique), 1)
        return unique


def with_unique_ids(found: Iterator[Imported | Rejected]) -> Iterator[Imported | Rejected]:
    """Yield what is found; a sample whose id was there before gets one with a number behind it."""
    ids = UniqueIds()
    for one in found:
        yield replace(one, sample_id=ids.make(one.sample_id)) if isinstance(one, Imported) else one


def _hash_id(sample_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(sample_id.encode(), digest_size=8).digest(), "big")


def _named(record: Mapping[str, Any], key: str) -> str:
    found = record.get(key)
    return whole(found) if isinstance(found, str) else ""


def make_image_id(form: str, images: Sequence[ImportedImage], otherwise: str) -> str:
    """Return COCO's id where a name can be nothing else, else one of the last picture's bytes or path.

    The own picture of a sample is its last, as in rows of ours. `otherwise` names what has no picture.
    """
    if not images:
        return f"{form}/{otherwise}"
    image = images[-1]
    number = coco_number(base_name(image.path)) if is_full_name(image.path) else None
    if number is not None:
        return f"coco/{number:012d}"
    if image.data is None:
        return f"{form}/{image.path}"
    return f"{form}/{hashlib.sha256(image.data).hexdigest()[:_ID_CHARS]}"


def make_turn(role: Role, content: object) -> Message:
    if not isinstance(content, str):
        raise RecordError("not_a_turn", shown(content))
    return Message(role, whole(content))


def check_answered(turns: Sequence[Message]) -> None:
    if not any(turn.role == "assistant" and turn.content for turn in turns):
        raise RecordError("no_answer")


def check_relative(path: str) -> str:
    """Return a path that stays in its folder; raises RecordError for any other."""
    parts = whole(path).replace("\\", "/").split("/")
    if not path or parts[0] == "" or ".." in parts or "\0" in path or _DRIVE.match(path):
        raise RecordError("unsafe_path", path)
    return path


def find_image(path: str, settings: ImportSettings, folder: Path | None) -> ImportedImage:
    """Return a picture by its path below `folder`, checked; without a folder the path alone.

    Raises RecordError where it is not there, leads out of the folder (by a link, too), or cannot be taken over.
    """
    check_relative(path)
    if folder is None:
        return ImportedImage(path)
    try:
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise RecordError("unsafe_path", path)
        if not file.is_file():
            raise RecordError("image_missing", path)
        if file.stat().st_size > settings.max_bytes:
            raise RecordError("image_too_large", f"{path}: more than {settings.max_bytes} bytes")
        data = file.read_bytes()
    except OSError as error:
        raise RecordError("image_unreadable", f"{path}: {error}") from None
    return check_image(path, data, settings)


def check_image(path: str, data: bytes, settings: ImportSettings) -> ImportedImage:
    """Return a picture that came with the record; nothing is decoded past its header.

    Of a path that leads out of its folder the last part is kept, for such a path is a name alone; without one the
    digest is the name.
    """
    suffix = find_format(path, data, settings)
    try:
        check_relative(path)
    except RecordError:
        path = re.sub(r"[\0\\/:]", "", base_name(whole(path)))
    if path.strip(". ") == "":
        path = f"{hashlib.sha256(data).hexdigest()[:_ID_CHARS]}.{suffix}"
    return ImportedImage(path, data)


def find_format(path: str, data: bytes, settings: ImportSettings) -> str:
    """Return the suffix that fits a picture's bytes; raises RecordError for what is no picture, or too large."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > settings.max_bytes:
        raise RecordError("image_too_large", f"{path}: {len(data)} bytes, at most {settings.max_bytes}")
    try:
        with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as image:
            width_px, height_px = image.size
            suffix = FORMATS.get(image.format or "", "")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordError("image_unreadable", f"{path}: {error}") from None
    if width_px * height_px > settings.max_pixels:
        raise RecordError(
            "image_too_large", f"{path}: {width_px} x {height_px}, at most {settings.max_pixels} pixels"
        )
    return suffix


def find_files(path: Path, suffix: str) -> list[Path]:
    """Return the file itself, or the folder's files with that suffix in the order of their names."""
    if not path.is_dir():
        if not path.is_file():
            raise InstructgenError(f"{path} is no file and no folder")
        return [path]
    found = sorted(file for file in path.rglob(f"*{suffix}") if file.is_file())
    if not found:
        raise InstructgenError(f"{path} has no {suffix} file")
    return found


def find_json_files(folder: Path) -> list[Path]:
    """Return the JSON files at any depth that may be data: none in a hidden folder, none that describes others."""
    files = (file for file in folder.rglob("*.json*") if file.suffix in (".json", ".jsonl"))
    found = (file for file in files if file.name not in _NOT_DATA and not _is_hidden(file.relative_to(folder)))
    return sorted(file for file in found if file.is_file())


def check_read_whole(folder: Path, found: Sequence[Path], others: Iterable[Path]) -> None:
    """Raise InstructgenError if a folder holds data besides `found`, which would be passed over."""
    known = frozenset(found)
    other = next((file for file in others if file not in known), None)
    if other is not None:
        raise InstructgenError(
            f"{folder} holds {found[0].relative_to(folder)} and {other.relative_to(folder)}, which are not read "
            "together; name one file, or a folder with one kind of data"
        )


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_lines(path: Path, max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines that are not blank by their number, from 1; None for one of more than `max_bytes`."""
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(max_bytes + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if len(line) > max_bytes and not line.endswith(b"\n"):
                    while (rest := file.readline(_BLOCK_BYTES)) and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                elif line.strip():
                    yield number, line
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def whole(text: str) -> str:
    """Return the text, if it can be written again: JSON allows half of a pair, UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RecordError("broken_text", "half of a \\u pair stands alone") from None
    return text


def whole_or_shown(text: str) -> str:
    try:
        return whole(text)
    except RecordError:
        return shown(text)


def shown(value: object) -> str:
    return " ".join(str(value)[:_MAX_SHOWN_CHARS].encode("utf-8", "replace").decode().split())
