"""What the terminal can show: told by its environment, or by itself where asking cannot do harm."""

import os
import re
import sys
from collections.abc import Mapping
from typing import Literal

from instructgen.cli.terminal_picture import Room, Way

_ANSWER_S = 0.3  # a terminal answers in milliseconds, over a slow line in a tenth of a second
_ASK_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # kitty's protocol: is answered before the next where known
_ASK_ATTRIBUTES = "\x1b[c"  # every terminal answers this one
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]+)c")
_HAS_SIXEL = b"4"
_SIXEL_TERMINALS = ("foot", "mlterm", "contour")
# They print what they do not know, or cannot be asked.
_SILENT_TERMINALS = ("", "dumb", "unknown", "linux", "cons25", "ansi", "vt52", "vt100", "vt102")
_DEFAULT_CELL_PX = (8, 16)
_MAX_COLUMNS, _MAX_ROWS = 72, 24
_PAGE = (80, 36)  # columns and rows where there is no terminal


def find_way(env: Mapping[str, str]) -> Way | None:
    """Return how the terminal of stdout shows pictures; None where it does not, or nothing is known of it."""
    if not sys.stdout.isatty():
        return None
    named = name_way(env)
    if named != "ask":
        return named
    return read_answer(_ask(_ASK_ATTRIBUTES if _is_multiplexed(env) else _ASK_KITTY + _ASK_ATTRIBUTES))


def name_way(env: Mapping[str, str]) -> Way | Literal["ask"] | None:
    """Return what the environment alone tells. It says nothing inside tmux or screen, which hand it down."""
    terminal, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    if terminal in _SILENT_TERMINALS or program == "Apple_Terminal":
        return None
    if _is_multiplexed(env):
        return "ask"
    if terminal in ("xterm-kitty", "xterm-ghostty") or "KITTY_WINDOW_ID" in env or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or env.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return "sixel" if terminal.startswith(_SIXEL_TERMINALS) else "ask"


def read_answer(answer: bytes) -> Way | None:
    """Return what a terminal's answer means: OK to kitty's question, or sixel among its attributes."""
    if b"_Gi=31;OK" in answer:
        return "kitty"
    attributes = _ATTRIBUTES.search(answer)
    return "sixel" if attributes is not None and _HAS_SIXEL in attributes[1].split(b";")[1:] else None


def measure_room() -> Room:
    """Return the cells that one picture may take, by the size of stdout's terminal."""
    columns, rows = os.get_terminal_size(sys.stdout.fileno()) if sys.stdout.isatty() else _PAGE
    width_px, height_px = _read_cell_px() or _DEFAULT_CELL_PX
    return Room(max(1, min(columns - 1, _MAX_COLUMNS)), max(1, min(rows // 2, _MAX_ROWS)), width_px, height_px)


def _is_multiplexed(env: Mapping[str, str]) -> bool:
    return "TMUX" in env or "STY" in env or env.get("TERM", "").startswith(("tmux", "screen"))


def _read_cell_px() -> tuple[int, int] | None:
    """Return a cell's width and height as the terminal has told the system; None where it has not."""
    if sys.platform == "win32" or not sys.stdout.isatty():
        return None
    import fcntl
    import struct
    import termios

    size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    rows, columns, width_px, height_px = struct.unpack("HHHH", size)
    if not rows or not columns or width_px < columns or height_px < rows:
        return None
    return width_px // columns, height_px // rows


def _ask(question: str) -> bytes:
    """Return the terminal's answer; nothing where it cannot be asked without taking what somebody types."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        return b""
    import termios
    import tty

    source = sys.stdin.fileno()
    if os.tcgetpgrp(source) != os.getpgrp():  # a job in the background would be stopped for touching the terminal
        return b""
    before = termios.tcgetattr(source)
    how, answer = termios.TCSADRAIN, b""
    try:
        tty.setcbreak(source, termios.TCSANOW)
        if not _is_readable(source, 0.0):  # what is typed ahead is for the shell
            sys.stdout.flush()
            os.write(sys.stdout.fileno(), question.encode("ascii"))
            answer = _read_until_attributes(source)
            # An answer that comes after all must not be typed into the shell.
            how = termios.TCSADRAIN if _ATTRIBUTES.search(answer) else termios.TCSAFLUSH
    finally:
        termios.tcsetattr(source, how, before)
    return answer


def _read_until_attributes(source: int) -> bytes:
    answer = b""
    while _ATTRIBUTES.search(answer) is None and _is_readable(source, _ANSWER_S):
        answer += os.read(source, 256)
    return answer


def _is_readable(source: int, timeout_s: float) -> bool:
    import select

    return bool(select.select([source], [], [], timeout_s)[0])
