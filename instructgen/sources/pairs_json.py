"""Tables of pairs in one JSON file of any size: a list of objects, as BLIP's, or two lists side by side, as SBU's."""

import codecs
import json
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.records import Fault
from instructgen.sources.pairs_rows import Fields, Pair, find_fields, make_bad, make_pair, read_within

_BLOCK_BYTES = 1 << 20
_MAX_VALUE_CHARS = 4 << 20
_SPACE = " \t\r\n"
_CAPTION_LISTS = ("captions",)
_URL_LISTS = ("image_urls", "urls")


class JsonReader:
    """Reads a JSON file value by value. Bytes that are no UTF-8 come as lone surrogates, to be told by row."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._parse = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._is_whole = False

    def peek(self) -> str:
        """Return the next character that is no white space, or "" at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text) or not self._grow():
                return text[at : at + 1]

    def take(self, wanted: str) -> str:
        found = self.peek()
        if not found or found not in wanted:
            raise self.error(f"wants {' or '.join(wanted)}, found {found or 'the end'}")
        self._at += 1
        return found

    def value(self) -> object:
        """Return the next value; raises InstructgenError for what is none."""
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except RecursionError:
                raise self.error("lists or objects are nested too deeply") from None
            except ValueError as error:
                if len(self._text) - self._at > _MAX_VALUE_CHARS or not self._grow():
                    raise self.error(f"no JSON value: {error}") from None
                continue
            if end < len(self._text) or not self._grow():  # a number may go on behind the block
                self._at = end
                return value

    def items(self) -> Iterator[object]:
        """Yield the values of the list that comes next."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        yield self.value()
        while self.take(",]") == ",":
            yield self.value()

    def names(self) -> Iterator[str]:
        """Yield the names of the object that comes next; whoever asks for the next one has read the value before."""
        self.take("{")
        if self.peek() == "}":
            return
        more = True
        while more:
            yield str(self.value())
            more = self.take(",}") == ","

    def colon(self) -> None:
        self.take(":")

    def skip(self) -> None:
        if self.peek() != "[":
            self.value()
            return
        for _ in self.items():
            pass

    def error(self, what: str) -> InstructgenError:
        return InstructgenError(
            f"{self._path}: {what}, some characters before byte {self._file.tell():,}; wants a list of objects with "
            'captions and addresses, or an object with the lists "captions" and "image_urls"'
        )

    def _grow(self) -> bool:
        if self._is_whole:
            return False
        block = self._file.read(_BLOCK_BYTES)
        self._is_whole = not block
        self._text = self._text[self._at :] + self._decode(block, self._is_whole)
        self._at = 0
        return bool(block)


class JsonFile:
    row_noun = "record"

    def __init__(self, path: Path, columns: ColumnsConfig) -> None:
        self.path = path
        self._columns = columns

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        with self.path.open("rb") as file:
            reader = JsonReader(self.path, file)
            yield from self._objects(reader) if reader.peek() == "[" else self._lists(reader)

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path.parent, file_name)

    def _objects(self, reader: JsonReader) -> Iterator[Pair]:
        fields: Fields | None = None
        for row, found in enumerate(reader.items(), 1):
            if isinstance(found, dict):
                fields = fields or find_fields(self.path, list(found), self._columns)
                yield make_pair(row, [found.get(name) for name in fields.names])
            else:
                yield make_bad(row, Fault("bad_column", f"no object: {str(found)[:80]!r}"))

    def _lists(self, reader: JsonReader) -> Iterator[Pair]:
        """Yield the rows of two lists; the first of them waits in a nameless file, however long it is."""
        captions = ((self._columns.caption,) if self._columns.caption else ()) + _CAPTION_LISTS
        urls = ((self._columns.url,) if self._columns.url else ()) + _URL_LISTS
        waiting: IO[str] | None = None
        first_is_caption = False
        for name in reader.names():
            reader.colon()
            if name not in (*captions, *urls) or reader.peek() != "[":
                reader.skip()
            elif waiting is None:
                waiting, first_is_caption = _spool(reader.items()), name in captions
            elif (name in captions) != first_is_caption:
                with waiting:
                    firsts = (json.loads(line) for line in waiting)
                    yield from _join(firsts, reader.items(), first_is_caption=first_is_caption)
                return
            else:
                reader.skip()
        raise reader.error("there are no two such lists")


def _spool(values: Iterator[object]) -> IO[str]:
    file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115  closed by who reads it
    try:
        for value in values:
            file.write(json.dumps(value))
            file.write("\n")
        file.seek(0)
    except OSError as error:
        raise InstructgenError(
            f"the folder for temporary files, {tempfile.gettempdir()}, does not take the list ({error}); free space "
            "there, or name another one in TMPDIR"
        ) from None
    return file


def _join(firsts: Iterator[object], seconds: Iterator[object], *, first_is_caption: bool) -> Iterator[Pair]:
    for row, (first, second) in enumerate(zip_longest(firsts, seconds), 1):
        caption, url = (first, second) if first_is_caption else (second, first)
        yield make_pair(row, (caption, url, None, None, None, None))
