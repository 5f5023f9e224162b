"""Reads large arrays out of a JSON object in bounded memory, at the speed of a typed decoder.

The file is read in blocks. Inside a wanted array the text is cut behind the last "}," that stands before a "{",
and the piece between a known record start and the cut is decoded as a list. A cut inside a string or a nested
object leaves that open, so the piece cannot decode: one that does decode ends, by induction, at a record's end.
Where it does not, brackets and strings are followed one by one, which finds every cut and every broken record.
Members that are not wanted are passed over by their brackets and strings; what they hold is not checked.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.sources.json_window import Window

T = TypeVar("T")

DEFAULT_BLOCK_BYTES = 1 << 18  # at train2017 size 8 MB took as long and 48 MB more memory

_SPACE = b" \t\n\r"
_BOUNDARY = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_ARRAY_END = re.compile(rb"\}[ \t\n\r]*\]")
# The lone quote comes last: it is met only where a string does not end in the text at hand.
_STRING = re.compile(rb'(?s)"(?:[^"\\]++|\\.)*+"')
_BRACKET = re.compile(_STRING.pattern + rb'|["\[\]{}]')
_BRACKET_OR_COMMA = re.compile(_STRING.pattern + rb'|["\[\]{},]')
_SCALAR = re.compile(rb'[^ \t\n\r,\[\]{}"]*')
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Member(Struct, Generic[T], frozen=True):
    """An array that is wanted: its records go to `take` in the order of the file, some thousands at a time.

    `noun` names one record in messages; `explain` says in the words of the format what is wrong with a plain
    value that is not a `record_type`, or None. Numbers may be NaN or infinite: Python's writers do that.
    """

    name: str
    noun: str
    record_type: type[T]
    take: Callable[[list[T]], None]
    explain: Callable[[object], str | None] | None = None
    is_optional: bool = False
    """Whether the file may lack it, or hold something else than a list there: that is passed over."""


def read_members(path: Path, members: Sequence[Member[Any]], block_bytes: int = DEFAULT_BLOCK_BYTES) -> None:
    """Read the file once and hand every wanted array to its member; each must occur once, but optional ones.

    Raises InstructgenError, with the place, for a file that is no such JSON object.
    """
    try:
        with path.open("rb", buffering=0) as file:
            _read_object(Window(file, path, block_bytes), {member.name: member for member in members})
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def _read_object(window: Window, wanted: dict[str, Member[Any]]) -> None:
    _check_start(window)
    window.expect(b"{", "at the start")
    seen: list[str] = []
    separator = b"}" if window.peek() == b"}" else b","
    if separator == b"}":
        window.at += 1
    while separator == b",":
        name = _read_name(window)
        if name in wanted and name in seen and not wanted[name].is_optional:
            raise window.error(f"'{name}' occurs twice; keep one of them")
        seen.append(name)
        if name in wanted and not (wanted[name].is_optional and window.peek() != b"["):
            _ArrayReader(window, wanted[name]).read()
        else:
            _skip_value(window)
        separator = window.expect(b",}", f"after '{name}'")
    if window.peek():
        raise window.error(f"something follows the end of the JSON: {window.shown()}")
    for name, member in wanted.items():
        if name not in seen and not member.is_optional:
            there = ", ".join(seen[:8]) or "nothing"
            raise InstructgenError(f"{window.path} has no '{name}'; it has: {there}")


def _check_start(window: Window) -> None:
    """Name the usual mistakes: what people hand over in place of the JSON object."""
    while len(window.text) < 4 and window.grow():
        pass
    if window.text.startswith(b"\xef\xbb\xbf"):
        window.at = 3
    start = window.peek()
    if not start:
        raise InstructgenError(f"{window.path} is empty; copy or download it again")
    if start == b"[":
        raise window.error("the file is a list, wants an object with named members, as COCO's files are")
    if start == b"<":
        raise window.error("the file is a web page, not JSON; the download went wrong, fetch it again")
    if window.text.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InstructgenError(f"{window.path} is compressed; unpack it first (gunzip or unzip)")
    if window.text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InstructgenError(f"{window.path} is in UTF-16; save it as UTF-8")


def _read_name(window: Window) -> str:
    if (found := window.peek()) != b'"':
        if not found:
            raise window.truncated()
        raise window.error(f"not JSON: wants a name in quotes, found {window.shown()}")
    start, quoted = window.dropped_bytes + window.at, window.take_match(_STRING)
    try:
        name: str = json.loads(quoted)
    except ValueError as error:
        raise InstructgenError(f"{window.path} byte {start}: not JSON: {error}") from error
    window.expect(b":", f"after '{name}'")
    return name


def _skip_value(window: Window) -> None:
    start = window.peek()
    if start and start in b"[{":
        _skip_brackets(window)
    elif start == b'"':
        window.take_match(_STRING)
    elif scalar := window.take_match(_SCALAR):
        try:
            json.loads(scalar)
        except ValueError as error:
            raise window.error(f"not JSON: {scalar[:20]!r} is no value", window.at - len(scalar)) from error
    else:
        raise window.error(f"not JSON: wants a value, found {window.shown()}")


def _skip_brackets(window: Window) -> None:
    open_brackets = bytearray()
    while True:
        done = len(window.text)
        for token in _BRACKET.finditer(window.text, window.at):
            character = window.text[token.start()]
            if character in b"[{":
                open_brackets.append(character)
            elif character in b"]}":
                # In ASCII a closing bracket comes two after its opening one.
                if open_brackets.pop() + 2 != character:
                    raise window.error("not JSON: a bracket is closed by the wrong one", token.start())
                if not open_brackets:
                    window.at = token.end()
                    return
            elif token.end() - token.start() == 1:
                done = token.start()
                break
        window.at = done
        if not window.grow():
            raise window.truncated()


class _ArrayReader(Generic[T]):
    def __init__(self, window: Window, member: Member[T]) -> None:
        self.window = window
        self.member = member
        self.many = msgspec.json.Decoder(list[member.record_type])  # type: ignore[name-defined]
        self.one = msgspec.json.Decoder(member.record_type)
        self.num_taken = 0
        self.searched_to_byte = 0

    def read(self) -> None:
        window = self.window
        if (found := window.peek()) != b"[":
            if not found:
                raise window.truncated()
            raise window.error(f"'{self.member.name}' is not a list; found {window.shown()}")
        window.at += 1
        if window.peek() == b"]":
            window.at += 1
            return
        while not self._take_to_end():
            if not window.grow() and window.end_byte == self.searched_to_byte:
                raise window.truncated()

    def _take_to_end(self) -> bool:
        """Take what can be had, the cheapest way first; True where the closing bracket has been stepped over."""
        self._take_blocks()
        return self._take_last_block() or self._take_by_brackets()

    def _take_blocks(self) -> None:
        """Take and read on while the last boundary in the window proves to be one."""
        window = self.window
        while cut := _last_boundary(window.text, window.at):
            if not self._take_records(window.at, cut.start() + 1):
                return
            window.at = cut.end()
            window.grow()

    def _take_last_block(self) -> bool:
        """Take the records up to the first thing that looks like the array's end, if it is that."""
        window = self.window
        end = _ARRAY_END.search(window.text, window.at)
        if not end or not self._take_records(window.at, end.start() + 1):
            return False
        window.at = end.end()
        return True

    def _take_records(self, start: int, end: int) -> bool:
        """Read text[start:end] as a list; brackets stand in for the characters around it meanwhile."""
        text = self.window.text
        around = text[start - 1], text[end]
        text[start - 1], text[end] = b"[]"
        try:
            records = self.many.decode(memoryview(text)[start - 1 : end + 1])
        except _UNDECODABLE:
            return False
        finally:
            text[start - 1], text[end] = around
        self.num_taken += len(records)
        self.member.take(records)
        return True

    def _take_by_brackets(self) -> bool:
        """Take all records that end in the window, if need be one by one; raises where one of them is wrong."""
        window = self.window
        self.searched_to_byte = window.end_byte
        ends = _record_ends(window.text, window.at)
        if not ends:
            return False
        if not self._take_records(window.at, ends[-1]):
            starts = [window.at, *(end + 1 for end in ends)]
            self.member.take([self._decode_one(start, end) for start, end in zip(starts, ends, strict=False)])
        window.at = ends[-1] + 1
        closing = window.text[ends[-1]]
        if closing == ord("}"):
            raise window.error(f"not JSON: '{self.member.name}' is closed by the wrong bracket", ends[-1])
        return closing == ord("]")

    def _decode_one(self, start: int, end: int) -> T:
        text = self.window.text[start:end]
        self.num_taken += 1
        if not text.strip(_SPACE):
            raise self._record_error(start, "not JSON: a comma too many")
        try:
            return self.one.decode(text)
        except _UNDECODABLE as error:
            refusal = str(error)
        try:
            value = json.loads(text.decode("utf-8").strip())
        except (ValueError, RecursionError) as error:
            raise self._record_error(start, f"not JSON: {error or refusal}") from error
        try:
            record = msgspec.convert(value, self.member.record_type)
            msgspec.json.encode(record)
        except UnicodeEncodeError as error:
            raise self._record_error(start, "half of a \\u pair stands alone; mend the text") from error
        except msgspec.ValidationError as error:
            explained = self.member.explain(value) if self.member.explain else None
            raise self._record_error(start, explained or str(error)) from error
        return record

    def _record_error(self, start: int, what: str) -> InstructgenError:
        window = self.window
        at_byte = window.dropped_bytes + start
        return InstructgenError(f"{window.path} {self.member.noun} {self.num_taken}: {what} [at byte {at_byte}]")


def _last_boundary(text: bytearray, start: int) -> re.Match[bytes] | None:
    """Return the last place in the text where one record may end and the next begin."""
    tail_bytes = 4096
    while True:
        low = max(start, len(text) - tail_bytes)
        last = None
        for last in _BOUNDARY.finditer(text, low):  # noqa: B007 (the last one is wanted)
            pass
        if last or low == start:
            return last
        tail_bytes *= 16


def _record_ends(text: bytearray, start: int) -> list[int]:
    """Return where the array's records end: its commas and, if it is in the text, its closing bracket."""
    ends: list[int] = []
    depth = 0
    for token in _BRACKET_OR_COMMA.finditer(text, start):
        character = text[token.start()]
        if character in b"[{":
            depth += 1
        elif character in b"]}":
            depth -= 1
            if depth < 0:
                ends.append(token.start())
                break
        elif character == ord(",") and depth == 0:
            ends.append(token.start())
        elif token.end() - token.start() == 1 and character == ord('"'):
            break
    return ends
