"""Reads The Cauldron's form, which nanoVLM reads: Parquet with `images` and `texts` of {user, assistant, source}.

A row that tells no id gets one of its picture and its number, and the type `single_turn` or `multi_turn`. `source` is
kept where all pairs of the row have the same.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.checks import (
    RecordError,
    check_answered,
    check_image,
    find_image,
    make_image_id,
    make_turn,
    name_sample,
    reject,
    shown,
    with_unique_ids,
)
from instructgen.dataset.imports.parquet import read_rows
from instructgen.dataset.imports.parse import find_type
from instructgen.records import Message, Rejected

_OURS = ("sample_id", "image_id", "sample_type", "source", "teacher", "model")


def read_texts(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield the rows of a file or of all .parquet files below a folder, in the order of their names."""
    return with_unique_ids(_read_files(path, settings))


def _read_files(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    for number, row in read_rows(path, ("images", "texts"), _OURS):
        try:
            if row is None:
                raise RecordError("broken_text", "a text is not UTF-8")
            yield _read_row(row, number, settings)
        except RecordError as error:
            sample_id = row.get("sample_id") if row else None
            yield reject(sample_id if isinstance(sample_id, str) and sample_id else f"#{number}", error)


def _read_row(row: Mapping[str, Any], number: int, settings: ImportSettings) -> Imported:
    images = tuple(_read_image(image, settings) for image in row["images"] or ())
    if sum(len(image.data or b"") for image in images) > settings.max_bytes:
        raise RecordError("record_too_large", f"more than {settings.max_bytes} bytes of pictures")
    turns: list[Message] = []
    for text in row["texts"] or ():
        if not isinstance(text, dict):
            raise RecordError("not_a_turn", shown(text))
        turns += [make_turn("user", text.get("user")), make_turn("assistant", text.get("assistant"))]
    check_answered(turns)
    names = name_sample(row, make_image_id("texts", images, str(number)), find_type({}, turns), number)
    sources = {text.get("source") for text in row["texts"]}
    source = sources.pop() if len(sources) == 1 else None
    fields = names.fields
    if isinstance(source, str) and source and "source" not in fields:
        fields = {**fields, "source": source}
    return Imported(names.sample_id, names.image_id, names.sample_type, tuple(turns), images, None, fields)


def _read_image(image: object, settings: ImportSettings) -> ImportedImage:
    if not isinstance(image, dict):
        raise RecordError("image_missing", shown(image))
    path = image.get("path") or ""
    data = image.get("bytes")
    if data:
        return check_image(path, data, settings)
    if not path:
        raise RecordError("image_missing", "neither bytes nor a path")
    return find_image(path, settings, settings.images)
