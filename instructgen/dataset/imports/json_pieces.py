"""Cuts a JSON list or a file of JSON lines into its records, in bounded memory; a broken one costs itself alone.

A list is cut where a record may begin: at a comma, a brace and the key that the first record begins with. What lies
between two such places and decodes is whole records, for a cut inside a string or a nested object leaves that open.
What does not decode, alone or with what follows it, is a broken record, and reading goes on behind it.
"""

import re
from collections.abc import Generator, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import msgspec

from instructgen.errors import InstructgenError
from instructgen.sources.json_window import MAX_VALUE_BYTES, Window

_BLOCK_BYTES = 1 << 20
# How many cuts one record may hold: texts that quote JSON are rare, and a lost quote must not swallow the file.
_MAX_CUTS_INSIDE = 32
_BOM = b"\xef\xbb\xbf"
_FIRST_KEY = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.)*")\s*:')
_ANY_CUT = re.compile(rb',(?=\s*\{\s*")')
_MAX_UNCUT_BYTES = 1 << 23  # then the records do not all begin alike
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])


class Piece(NamedTuple):
    """The text of one record, broken or not; `number` is its line, or its place in the list, from 1."""

    number: int
    text: bytes


def is_list(path: Path) -> bool:
    """Return whether the file is one JSON list, whatever its name is."""
    with path.open("rb") as file:
        start = file.read(len(_BOM))
        while start := (start.removeprefix(_BOM).lstrip() or file.read(1 << 16)):
            if start.strip():
                break
    return start.lstrip().startswith(b"[")


def read_lines(path: Path) -> Iterator[Piece]:
    """Yield the lines that are not blank."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_VALUE_BYTES):
            number += 1
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                yield Piece(number, line)


def read_list(path: Path, block_bytes: int = _BLOCK_BYTES) -> Iterator[Piece]:
    """Yield the records of a list. Raises InstructgenError for one value longer than 64 MB."""
    with path.open("rb", buffering=0) as file:
        yield from cut_list(file, path, block_bytes)


def cut_list(file: FileIO, path: Path, block_bytes: int = _BLOCK_BYTES) -> Iterator[Piece]:
    """Yield the records of a list that begins where `file` stands and ends with it; `path` is for messages."""
    window = Window(file, path, block_bytes)
    while len(window.text) < len(_BOM) and window.grow():
        pass
    window.at = len(_BOM) if window.text.startswith(_BOM) else 0
    if window.peek() != b"[":
        raise InstructgenError(f"{path} is no JSON list")
    window.at += 1
    for number, text in enumerate(_records(window), 1):
        yield Piece(number, text)


def _records(window: Window) -> Iterator[bytes]:
    cut = _find_cut(window)
    is_end = False
    while not is_end:
        is_end = not window.grow()
        places = [found.start() for found in cut.finditer(window.text, window.at)]
        if is_end:
            places.append(_end_of_list(window))
        elif not places:
            cut = _ANY_CUT if len(window.text) > _MAX_UNCUT_BYTES else cut
            continue
        text = bytes(window.text[window.at : places[-1]])
        try:
            yield from map(bytes, _RECORDS.decode(b"[" + text + b"]"))
            window.at = places[-1] + (not is_end)
        except _UNDECODABLE:
            window.at += yield from _mend(text, [0, *(place - window.at for place in places)], is_end=is_end)


def _find_cut(window: Window) -> re.Pattern[bytes]:
    while not (found := _FIRST_KEY.match(window.text, window.at)) and len(window.text) < _BLOCK_BYTES:
        if not window.grow():
            break
    return re.compile(rb",(?=\s*\{\s*" + re.escape(found[1]) + rb")") if found else _ANY_CUT


def _end_of_list(window: Window) -> int:
    """Return where the list's bracket is, or the end of the file where that is missing."""
    rest = bytes(window.text).rstrip()
    return max(window.at, len(rest) - 1 if rest.endswith(b"]") else len(rest))


def _mend(text: bytes, bounds: list[int], *, is_end: bool) -> Generator[bytes, None, int]:
    """Yield the records between the cuts, a broken one as it is; return how much of the text is done with."""
    first = 0
    while first + 1 < len(bounds):
        start = bounds[first] + (first > 0)
        for last in range(first + 1, min(len(bounds), first + 1 + _MAX_CUTS_INSIDE)):
            try:
                found = _RECORDS.decode(b"[" + text[start : bounds[last]] + b"]")
            except _UNDECODABLE:
                continue
            yield from map(bytes, found)
            first = last
            break
        else:
            if not is_end and len(bounds) - first <= _MAX_CUTS_INSIDE:
                return start  # its end may still be to come
            yield text[start : bounds[first + 1]]
            first += 1
    return bounds[-1] + (not is_end)
