"""Reads the JSON lines that a version may hold beside its shards: rejected.jsonl, refined.jsonl."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from instructgen.dataset.stored import StoredVersion
from instructgen.errors import InstructgenError

T = TypeVar("T")


def read_lines(version: StoredVersion, name: str, kind: type[T]) -> Iterator[T]:
    """Yield each line of the version's file; a version without it has none.

    Raises InstructgenError, with its number, for a line that cannot be read.
    """
    decoder = msgspec.json.Decoder(kind)
    try:
        file = version.open(name)
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                where = f"{version.place}: {name} line {number}"
                raise InstructgenError(f"{where} cannot be read: {error}; build or copy the version again") from None
