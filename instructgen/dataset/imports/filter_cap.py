"""Reads MiniGPT-4's second-stage data: filter_cap.json and image/<image_id>.jpg beside it (arXiv 2304.10592).

    {"annotations": [{"image_id": "000000000042", "caption": "..."}, ...]}

MiniGPT-4's trainer asks for each description in words of its own, and the file has no question. An imported sample is
of the type `detail`; its question is one draw from the list that detail samples are asked with
(prompts/detail/questions.txt), by the sample's id and a seed of 0, so that reading the file again gives the same.
"""

import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from instructgen.dataset.imports.base import Imported, ImportSettings
from instructgen.dataset.imports.checks import (
    RecordError,
    check_answered,
    find_image,
    make_turn,
    reject,
    shown,
)
from instructgen.dataset.imports.image_names import coco_number, is_full_name
from instructgen.dataset.imports.json_pieces import Piece, cut_list, is_list, read_list
from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_questions
from instructgen.records import Rejected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_FILE_NAME = "filter_cap.json"
_FOLDER_NAME = "image"
_TYPE = "detail"
_SEED = 0
_BEFORE_LIST = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"annotations"\s*:\s*(?=\[)')
_AFTER_LIST = re.compile(rb"\]\s*\}\s*\Z")
_EDGE_BYTES = 4096


def read_filter_cap(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield the annotations of the file, or of the one in the folder; `settings.images` None is image/ beside it."""
    path = path / _FILE_NAME if path.is_dir() else path
    folder = path.parent / _FOLDER_NAME if settings.images is None else settings.images
    if not folder.is_dir():
        raise InstructgenError(
            f"{path} has no folder {folder} beside it; --images FOLDER says where the pictures are"
        )
    questions = load_questions(None, _TYPE)
    try:
        for piece in _read_pieces(path):
            try:
                yield _read_annotation(piece, settings, folder, questions)
            except RecordError as error:
                yield reject(f"#{piece.number}", error)
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def _read_annotation(piece: Piece, settings: ImportSettings, folder: Path, questions: tuple[str, ...]) -> Imported:
    try:
        annotation = msgspec.json.decode(piece.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError("not_json", str(error)) from None
    if not isinstance(annotation, dict):
        raise RecordError("not_an_object", shown(annotation))
    name = annotation.get("image_id")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        raise RecordError("no_image", shown(name))
    answer = make_turn("assistant", annotation.get("caption"))
    check_answered([answer])
    image = find_image(f"{name}.jpg", settings, folder)
    number = coco_number(name) if is_full_name(name) else None
    image_id = f"filter_cap/{name}" if number is None else f"coco/{number:012d}"
    sample_id = f"{image_id}/{_TYPE}/{piece.number}"
    question = make_generator(_SEED, "filter_cap", sample_id).choice(questions)
    return Imported(sample_id, image_id, _TYPE, (make_turn("user", question), answer), (image,))


def _read_pieces(path: Path) -> Iterator[Piece]:
    if is_list(path):
        yield from read_list(path)
        return
    with _ListInside(path) as file:
        yield from cut_list(file, path)


class _ListInside(FileIO):
    """The file of an object with one member as if it were that member's list alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        size = path.stat().st_size
        before = _BEFORE_LIST.match(self.read(_EDGE_BYTES))
        self.seek(max(size - _EDGE_BYTES, 0))
        after = _AFTER_LIST.search(self.read())
        if before is None or after is None:
            self.close()
            raise InstructgenError(
                f'{path} is not {{"annotations": [...]}} and nothing else; copy or download it again'
            )
        self.seek(before.end())
        self._left = size - len(after[0]) + 1 - before.end()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with memoryview(buffer)[: self._left] as part:
            num_read = super().readinto(part) or 0
        self._left -= num_read
        return num_read
