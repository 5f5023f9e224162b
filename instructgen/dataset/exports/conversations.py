"""What the forms share that write a conversation as one JSON record, with pictures beside it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec
from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import (
    Exported,
    ExportSettings,
    LeftOutError,
    ReadPicture,
    Tally,
    check_written,
    find_splits,
    new_folder,
    read_split,
)
from instructgen.dataset.exports.pictures import PictureFolder
from instructgen.dataset.stored import StoredVersion
from instructgen.draws import draw_fraction

PLACEHOLDER = "<image>"
# What a record tells of its sample besides its id, where the consumer lets it.
KEPT_FIELDS = ("image_id", "sample_type", "source", "teacher", "model")
_STAGE = "placeholder"

Record = dict[str, Any]
Turns = list[dict[str, str]]
# Given a row and the names of its pictures, relative to images/: what is written. Raises LeftOutError.
MakeRecord = Callable[[Row, Sequence[str], ExportSettings], Record]
# Given the folder and, for each split that has a file, its name: writes what else belongs there.
Finish = Callable[[Path, Mapping[str, str]], None]


class JsonForm(Struct, frozen=True):
    """A form of one file for each split, `<split><suffix>`: ".json" is one list, ".jsonl" a record on each line."""

    suffix: str
    make_record: MakeRecord
    finish: Finish | None = None


class JsonFile:
    """Writes records one at a time, as one JSON list (`.json`) or as JSON lines; without a record, no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_list = path.suffix == ".json"
        self._file: BinaryIO | None = None
        self.num_records = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if self._file is not None:
            if self._is_list and error is None:
                self._file.write(b"\n]\n")
            self._file.close()

    def write(self, record: object) -> None:
        text = msgspec.json.encode(record)
        if self._file is None:
            self._file = self._path.open("wb")
            before = b"[\n" if self._is_list else b""
        else:
            before = b",\n" if self._is_list else b""
        self._file.write(before + text + (b"" if self._is_list else b"\n"))
        self.num_records += 1


def write_records(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings, form: JsonForm
) -> Exported:
    """Write the files of a form, and the pictures under images/."""
    tally = Tally()
    files: dict[str, str] = {}
    with new_folder(out) as folder:
        pictures = PictureFolder(folder, read_picture, settings)
        for split in find_splits(version):
            with JsonFile(folder / f"{split}{form.suffix}") as file:
                for row in read_split(version, split):
                    with tally:
                        form.make_record(row, [""] * len(row["images"]), settings)  # before a picture is written
                        file.write(form.make_record(row, pictures.place(row), settings))
            if file.num_records:
                files[split] = f"{split}{form.suffix}"
        exported = check_written(tally, out, version)
        if form.finish is not None:
            form.finish(folder, files)
    return exported


def make_fields(row: Row) -> Record:
    """Return what a record says of its sample besides the conversation; what a row does not know is not there."""
    return {name: row[name] for name in KEPT_FIELDS if row.get(name)}


def check_has_room(row: Row) -> None:
    """Raise LeftOutError for a document whose pictures stand between its turns: the form knows the first alone."""
    if row.get("image_at") is not None:
        raise LeftOutError("interleaved")


def check_alternates(turns: Turns) -> None:
    """Raise LeftOutError unless user and assistant take turns, from the user on to the assistant."""
    roles = [turn["role"] for turn in turns]
    if not roles or len(roles) % 2 or roles != ["user", "assistant"] * (len(roles) // 2):
        raise LeftOutError("turns_do_not_alternate")


def split_system(turns: Turns) -> tuple[str | None, Turns]:
    """Return the text of a system turn that comes first, or None, and the turns after it."""
    if turns and turns[0]["role"] == "system":
        return turns[0]["content"], turns[1:]
    return None, turns


def find_first_user(turns: Turns) -> int:
    """Return the number of the turn that shows the pictures; raises LeftOutError where no user speaks."""
    for number, turn in enumerate(turns):
        if turn["role"] == "user":
            return number
    raise LeftOutError("no_user_turn")


def place_images(
    turns: Turns, num_images: int, sample_id: str, seed: int, reserved: Sequence[str] = (PLACEHOLDER,)
) -> Turns:
    """Return the turns with a placeholder for each picture in the first user turn, before or after its text.

    A coin that the seed and the sample's id throw decides the side, as LLaVA's data has it (arXiv 2304.08485).
    Raises LeftOutError for a text that holds a placeholder itself, which its reader would take for a picture, and
    for pictures without a user who shows them.
    """
    for turn in turns:
        if any(token in turn["content"] for token in reserved):
            raise LeftOutError("placeholder_in_text")
    if not num_images:
        return turns
    first = find_first_user(turns)
    shown = "\n".join([PLACEHOLDER] * num_images)
    text = turns[first]["content"]
    is_before = draw_fraction(seed, _STAGE, sample_id) < 0.5
    text = f"{shown}\n{text}" if is_before else f"{text}\n{shown}"
    return [*turns[:first], {"role": "user", "content": text}, *turns[first + 1 :]]
