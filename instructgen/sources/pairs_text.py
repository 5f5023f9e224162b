"""Tables of pairs as lines: TSV as CC3M and CC12M have it, SBU's two parallel files, and JSON lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.records import Fault
from instructgen.sources.pairs_rows import (
    CAPTION_NAMES,
    Fields,
    Pair,
    find_fields,
    make_bad,
    make_pair,
    read_within,
)

_MAX_LINE_BYTES = 65_536
_LOOK_AT = 100  # lines, at most, until one tells which column holds the addresses
_SCHEMES = ("http://", "https://")


def read_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one that is too long, whose rest is passed over."""
    while line := file.readline(_MAX_LINE_BYTES):
        if len(line) < _MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line.rstrip(b"\r\n")
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_MAX_LINE_BYTES)
        yield None


def _decode(row: int, line: bytes | None) -> str | Pair:
    if line is None:
        return make_bad(row, Fault("too_long", f"a line of more than {_MAX_LINE_BYTES:,} bytes"))
    try:
        return line.decode("utf-8-sig" if row == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return make_bad(row, Fault("not_utf8", f"byte {error.start} of the line"))


class TsvFile:
    """Columns parted by tabs, without quotes: with a line of names, or two columns, one of them addresses."""

    row_noun = "line"

    def __init__(self, path: Path, columns: ColumnsConfig) -> None:
        self.path = path
        self._columns = columns

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        places, num_columns, has_names = self._find_places()
        with self.path.open("rb") as file:
            for row, line in enumerate(read_lines(file), 1):
                text = _decode(row, line)
                if isinstance(text, Pair):
                    yield text
                elif row > 1 or not has_names:
                    fields = text.split("\t")
                    if len(fields) == num_columns:
                        yield make_pair(row, [None if place < 0 else fields[place] for place in places])
                    else:
                        yield make_bad(row, Fault("bad_column", f"{len(fields)} columns, wants {num_columns}"))

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path.parent, file_name)

    def _find_places(self) -> tuple[list[int], int, bool]:
        """Return where caption, address, file name, key, width and height are (-1: nowhere), how many columns there
        are, and whether the first line names them.
        """
        with self.path.open("rb") as file:
            for row, line in enumerate(read_lines(file), 1):
                text = _decode(row, line)
                if row > _LOOK_AT:
                    break
                if isinstance(text, Pair):
                    continue
                fields = text.split("\t")
                if row == 1 and self._are_names(fields):
                    found = find_fields(self.path, fields, self._columns)
                    return [fields.index(name) if name else -1 for name in found.names], len(fields), True
                is_url = [field.strip().startswith(_SCHEMES) for field in fields]
                if len(fields) == 2 and is_url.count(True) == 1:
                    return [is_url.index(False), is_url.index(True), -1, -1, -1, -1], 2, False
        raise InstructgenError(
            f"{self.path}: which column holds the captions and which the addresses cannot be told; wants two columns "
            "parted by a tab, or a first line that names them, as: caption<TAB>url"
        )

    def _are_names(self, fields: list[str]) -> bool:
        wanted = {*CAPTION_NAMES, (self._columns.caption or "caption").lower()}
        return not wanted.isdisjoint(field.strip().lower() for field in fields)


class TwoFiles:
    """SBU's form: addresses in one file and captions in another, line by line."""

    row_noun = "line"

    def __init__(self, captions: Path, urls: Path) -> None:
        self.path = captions
        self._urls = urls

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        with self.path.open("rb") as captions, self._urls.open("rb") as urls:
            url_lines = read_lines(urls)
            row = 0
            for row, line in enumerate(read_lines(captions), 1):
                caption, url = _decode(row, line), _decode(row, next(url_lines, b""))
                if isinstance(caption, Pair):
                    yield caption
                elif isinstance(url, Pair):
                    yield url
                else:
                    yield make_pair(row, (caption, url, None, None, None, None))
            for later, _ in enumerate(url_lines, row + 1):
                yield make_bad(later, Fault("no_caption", f"{self._urls.name} has more lines"))

    def read_picture(self, file_name: str) -> bytes | None:  # noqa: ARG002
        return None


class JsonLinesFile:
    """One JSON object a line."""

    row_noun = "line"

    def __init__(self, path: Path, columns: ColumnsConfig) -> None:
        self.path = path
        self._columns = columns

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        decoder = msgspec.json.Decoder(dict[str, object])
        fields: Fields | None = None
        with self.path.open("rb") as file:
            for row, line in enumerate(read_lines(file), 1):
                if line is None:
                    yield make_bad(row, Fault("too_long", f"a line of more than {_MAX_LINE_BYTES:,} bytes"))
                    continue
                try:
                    found = decoder.decode(line)
                except UnicodeDecodeError:
                    yield make_bad(row, Fault("not_utf8", "the line"))
                    continue
                except msgspec.DecodeError as error:
                    yield make_bad(row, Fault("bad_column", str(error)))
                    continue
                fields = fields or find_fields(self.path, list(found), self._columns)
                yield make_pair(row, [found.get(name) for name in fields.names])

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path.parent, file_name)
