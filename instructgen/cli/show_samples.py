"""Prints samples with what can be seen of their images: the picture, or its boxes in their places."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from instructgen.cli.terminal_boxes import draw_boxes
from instructgen.cli.terminal_picture import Room, Way, draw_picture
from instructgen.cli.terminal_picture_query import find_way, measure_room
from instructgen.cli.terminal_text import clean_text, wrap_text
from instructgen.dataset.read import ShownRow
from instructgen.dataset.row_pictures import RowPicture, read_row_pictures
from instructgen.dataset.stored import StoredVersion
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.review.annotations import PictureFinder, open_annotations, read_records
from instructgen.review.doubts import list_box_lines

Pictures = Literal["auto", "kitty", "sixel", "iterm", "blocks", "layout", "none"]

_MAX_WIDTH = 110
_NO_WRAP = 1_000_000
_SPEAKERS = {"user": "Q: ", "assistant": "A: "}


@dataclass(frozen=True, slots=True)
class Look:
    """How samples are printed. `way` None: the text alone; `width` None: text is not wrapped."""

    way: Way | Literal["layout"] | None
    width: int | None
    is_styled: bool
    is_ascii: bool
    room: Room

    def style(self, text: str, **styles: str | bool) -> str:
        return typer.style(text, **styles) if self.is_styled and text else text  # type: ignore[arg-type]

    def wrap(self, text: str, start: str) -> list[str]:
        return wrap_text(text, self.width or _NO_WRAP, start)


@dataclass(frozen=True, slots=True)
class Sights:
    """What is known of the images of some rows."""

    records: Mapping[str, ImageRecord]
    pictures: Mapping[str, Sequence[RowPicture]]
    finder: PictureFinder

    def find_pictures(self, row: ShownRow) -> list[bytes]:
        """Return the pictures of a row that are to be had, its own the last."""
        named = list(self.pictures.get(row["sample_id"], ()))
        whole = {"image_id": row["image_id"], "images": named}
        found = [self.finder.find(whole, number) for number in range(len(named))]
        return [picture for picture in found if picture is not None]


def make_look(pictures: Pictures, *, plain: bool) -> Look:
    """Return what the flags and the terminal make of it. Raises InstructgenError where the flags do not agree."""
    is_terminal = sys.stdout.isatty() and not plain
    is_ascii = not (sys.stdout.encoding or "ascii").lower().startswith("utf")
    if plain and pictures not in ("auto", "none"):
        raise InstructgenError(f"--plain prints the text alone, without --pictures {pictures}; leave one of them out")
    if pictures == "blocks" and is_ascii:
        raise InstructgenError("half blocks are no ASCII; --pictures layout is, or set PYTHONIOENCODING=utf-8")
    way: Way | Literal["layout"] | None
    if plain or pictures == "none":
        way = None
    else:
        way = (find_way(os.environ) or "layout") if pictures == "auto" else pictures
    room = measure_room()
    return Look(
        way=way,
        width=min(os.get_terminal_size(sys.stdout.fileno()).columns - 1, _MAX_WIDTH) if is_terminal else None,
        is_styled=is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        is_ascii=is_ascii,
        room=room,
    )


def find_sights(
    version: StoredVersion, rows: Sequence[ShownRow], look: Look, root: Path | None, images: Path | None
) -> Sights:
    """Return the pictures and annotations of the rows, as far as the look wants them and they are to be had."""
    ids = {row["image_id"] for row in rows}
    source = None if look.way is None else open_annotations(version.manifest, ids, root)
    wants_pictures = look.way not in ("layout", None)
    named = read_row_pictures(version, {row["sample_id"] for row in rows}) if wants_pictures else {}
    sights = Sights({}, named, PictureFinder(images, source))
    if look.way is None:
        return sights
    unseen = {row["image_id"] for row in rows if not wants_pictures or not sights.find_pictures(row)}
    records = read_records(source, unseen, _say) if unseen and source is not None else {}
    num_unknown = len(unseen - set(records))
    if num_unknown:
        of = f"{num_unknown} of the {len(ids)} images"
        _say(f"no picture or boxes of {of}; --images FOLDER or --root COCO has them")
    return Sights(records, named, sights.finder)


def print_sample(row: ShownRow, sights: Sights, look: Look) -> None:
    """Print one sample, its image before its turns."""
    about = f"({row['image_path']}; {row['teacher']}, {row['model']})"
    for line in look.wrap(f"--- {row['sample_id']}  {about}", ""):
        typer.echo(look.style(line, bold=True))
    if look.way is not None and not _print_pictures(row, sights, look):
        _print_layout(row, sights, look)
    for message in row["messages"]:
        is_question = message["role"] == "user"
        for line in look.wrap(message["content"], _SPEAKERS.get(message["role"], f"{clean_text(message['role'])}: ")):
            typer.echo(look.style(line, fg="cyan") if is_question else line)
    typer.echo("")


def _print_pictures(row: ShownRow, sights: Sights, look: Look) -> bool:
    """Print the row's pictures; return whether there was one."""
    if look.way is None or look.way == "layout":
        return False
    num_printed = 0
    for picture in sights.find_pictures(row):
        try:
            typer.echo(draw_picture(picture, look.way, look.room), nl=False, color=True)
            num_printed += 1
        except InstructgenError as error:
            _say(f"the picture of {row['sample_id']}: {error}")
    return num_printed > 0


def _print_layout(row: ShownRow, sights: Sights, look: Look) -> None:
    """Print what the annotations say of the sample's own image; nothing where there are none."""
    record = sights.records.get(row["image_id"])
    if record is None:
        return
    for line in draw_boxes(record, look.room.columns, look.room.rows, is_ascii=look.is_ascii):
        typer.echo(look.style(line, fg="green"))
    lines = [line for caption in record.captions for line in look.wrap(caption, " - ")]
    if record.boxes:
        lines += look.wrap("; ".join(list_box_lines(record.boxes)), "boxes: ")
    for line in lines:
        typer.echo(look.style(line, dim=True))


def _say(text: str) -> None:
    typer.echo(clean_text(text), err=True)
