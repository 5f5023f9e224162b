"""Rows that an export must not change, and ways to write and read them in a form."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructgen.dataset.columns import Row
from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import DEFAULT_SETTINGS, Exported, ExportSettings
from instructgen.dataset.imports import IMPORTS
from instructgen.dataset.imports.base import Imported, ImportSettings
from instructgen.records import Rejected
from tests.support.versions import make_row_of, write_version


def make_picture(shade: int, form: str = "JPEG", size_px: tuple[int, int] = (40, 30)) -> bytes:
    """Return an encoded picture of one grey; another shade gives other bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", size_px, (shade, shade, shade)).save(buffer, form)
    return buffer.getvalue()


def make_row(number: int, *pairs: tuple[str, str], pictures: Mapping[str, bytes | None] | None = None) -> Row:
    """Return row `number`; `pictures` are its images by path, one of its own if that is None."""
    row = make_row_of(number, pairs=pairs or (("What is there?", "A dog."),))
    found = {f"{number:012d}.jpg": make_picture(number)} if pictures is None else pictures
    return {**row, "images": [{"bytes": data, "path": path} for path, data in found.items()]}


def with_system(row: Row, text: str) -> Row:
    return {**row, "messages": [{"role": "system", "content": text}, *row["messages"]]}


def make_hostile_rows() -> list[Row]:
    """Return rows with texts and paths that a careless writer or reader would change."""
    return [
        make_row(1),
        make_row(2, ('He said: "Was ist das?" \\n {"id": 1}', 'Ein Hund – 犬 🐕, it\'s "one"\\.\u2028Next.')),
        make_row(3, ("  Two spaces first,\n\nthen lines\n", "\tA tab, and a line break last\n")),
        make_row(4, ("First?", "One."), ("Second?", "Two."), ("Third?", "Three.")),
        make_row(5, ("What does <image> mean?", "It is a tag.")),
        make_row(6, ("What is the tag?", "It is <image>, as in <image>\n<image>.")),
        with_system(make_row(7), ""),
        with_system(make_row(8), "Be brief."),
        make_row(
            9, ("Which is darker?", "The first."), pictures={"a.jpg": make_picture(9), "b.png": make_picture(99)}
        ),
        make_row(10, ("What is two and two?", "Four."), pictures={}),
        make_row(11, pictures={"same.jpg": make_picture(11)}),
        make_row(12, pictures={"same.jpg": make_picture(12)}),
        make_row(13, pictures={"SAME.jpg": make_picture(13)}),
        make_row(14, pictures={"same.jpg/inside.jpg": make_picture(14)}),
        make_row(15, pictures={"../../outside.jpg": make_picture(15)}),
        make_row(16, pictures={"/etc/outside.jpg": make_picture(16)}),
        make_row(17, pictures={"C:\\outside.jpg": make_picture(17)}),
        make_row(18, pictures={"train2017/Фото 1.png": make_picture(18, "PNG")}),
        make_row(19, pictures={"nul": make_picture(19)}),
        make_row(20, ("Is that <video> or <audio>?", "Neither.")),
        make_row(21, ("", "A dog.")),
    ]


def write_rows(
    rows: list[Row], form: str, folder: Path, settings: ExportSettings = DEFAULT_SETTINGS, **fields: Any
) -> Exported:
    """Write the rows as a version to `folder`/version and that in a form to `folder`/out."""
    version = write_version(folder / "version", rows, **fields)
    return EXPORTS[form](version, folder / "out", lambda _, __: None, settings)


def read_form(path: Path, form: str, **settings: Any) -> tuple[list[Imported], list[Rejected]]:
    found = list(IMPORTS[form](path, ImportSettings(**settings)))
    return (
        [one for one in found if isinstance(one, Imported)],
        [one for one in found if isinstance(one, Rejected)],
    )


def tell_row(row: Row) -> tuple[object, ...]:
    """Return what a form must keep of a row: who it is, what is said, and the pictures' bytes."""
    turns = [(message["role"], message["content"]) for message in row["messages"]]
    pictures = [image["bytes"] for image in row["images"]]
    return row["sample_id"], row["image_id"], row["sample_type"], turns, pictures


def tell_imported(imported: Imported) -> tuple[object, ...]:
    turns = [(turn.role, turn.content) for turn in imported.turns]
    pictures = [image.data for image in imported.images]
    return imported.sample_id, imported.image_id, imported.sample_type, turns, pictures
