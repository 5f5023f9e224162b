"""Single keys from a terminal; from a pipe, single characters."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

LEFT, RIGHT, UP, DOWN, ENTER, ESCAPE, END = "left", "right", "up", "down", "enter", "escape", ""
_ARROWS = {"A": UP, "B": DOWN, "C": RIGHT, "D": LEFT}
_ESCAPE_WAIT_S = 0.05  # what follows an arrow's first byte comes with it; nothing follows the Escape key
_CHARACTERS = {"\n": ENTER, "\r": ENTER, "\x04": END}


class Keys:
    """Reads keys. `is_terminal` is false where standing input comes from a pipe or a file."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._pending = b""
        self._before: list[Any] | None = None

    def read(self) -> str:
        """Return one of the names above, or a character; END at the end of the input."""
        if not self.is_terminal:
            character = sys.stdin.read(1)
            return _CHARACTERS.get(character, character)
        if sys.platform == "win32":
            return _name_key(typer.getchar())
        return self._read_terminal()

    def read_line(self) -> str:
        """Return a line that is typed with echo, stripped."""
        return sys.stdin.readline().strip()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take keys as they are pressed, without echo; as before at the end."""
        if not self.is_terminal or sys.platform == "win32":
            yield
            return
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # which keeps what was typed ahead
        try:
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    @contextmanager
    def released(self) -> Iterator[None]:
        """Give the terminal back for a while: to a line that is typed, or to an editor."""
        if self._before is None or sys.platform == "win32":
            yield
            return
        import termios

        descriptor = sys.stdin.fileno()
        held = termios.tcgetattr(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, self._before)
        try:
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, held)

    def _read_terminal(self) -> str:
        first = self._read_byte()
        if first == b"\x1b":
            return self._read_escape()
        # The rest of a character of several bytes.
        while first and first[0] >= 0xC0 and len(first) < 4 and not _is_whole(first):
            first += self._read_byte()
        character = first.decode("utf-8", "replace")
        return _CHARACTERS.get(character, character)

    def _read_escape(self) -> str:
        if not self._is_waiting():
            return ESCAPE
        self._read_byte()
        last = self._read_byte()
        while last in b"0123456789;" and self._is_waiting():
            last = self._read_byte()
        return _ARROWS.get(last.decode("ascii", "replace"), ESCAPE)

    def _read_byte(self) -> bytes:
        if not self._pending:
            self._pending = os.read(sys.stdin.fileno(), 64)
        first, self._pending = self._pending[:1], self._pending[1:]
        return first

    def _is_waiting(self) -> bool:
        import select

        return bool(self._pending) or bool(select.select([sys.stdin.fileno()], [], [], _ESCAPE_WAIT_S)[0])


def _name_key(text: str) -> str:
    """Name what typer's getchar returns on Windows: arrows come as two characters."""
    windows = {"\xe0H": UP, "\xe0P": DOWN, "\xe0K": LEFT, "\xe0M": RIGHT, "\x1b": ESCAPE}
    return windows.get(text, _CHARACTERS.get(text, text))


def _is_whole(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
