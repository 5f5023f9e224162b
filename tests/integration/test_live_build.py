"""A build on a terminal: what it leaves there, and how it gives the terminal back."""

import os
import re
import select
import time
from pathlib import Path

import pytest

from tests.support.cli import start_on_terminal

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


def build_on_terminal(*arguments: str | Path, interrupt_at: str = "", **env: str) -> tuple[int, str]:
    """Run a build on a pseudo terminal, with Ctrl-C once a text has come; return exit code and what was written."""
    pytest.importorskip("pty")
    changed = {"TERM": "xterm-256color", "NO_COLOR": "", **env}
    process, terminal = start_on_terminal("build", *arguments, size=(30, 90, 0, 0), **changed)
    written, end_s = b"", time.monotonic() + 100
    while time.monotonic() < end_s and select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the end, on Linux
            break
        if not data:
            break
        written += data
        if interrupt_at and interrupt_at.encode() in written:
            os.write(terminal, b"\x03")
            interrupt_at = ""
    code = process.wait()
    os.close(terminal)
    return code, written.decode("utf-8", "replace")


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", text).replace("\r", "")


def test_last_drawing_stays_with_both_stages_and_the_cursor_is_back(tmp_path: Path) -> None:
    code, written = build_on_terminal("--limit", "4", "--out", tmp_path / "ds")
    assert code == 0
    assert written.rindex(_SHOW) > written.rindex(_HIDE)
    left = without_codes(written[written.rindex("instructgen build") :])
    assert re.search(r"✓ generate 12 of 12", left)
    assert re.search(r"✓ write    12 of 12", left)
    assert re.search(r"12 kept  0 rejected  0 failed\nversion ", left)


def test_ctrl_c_is_told_above_the_drawing_and_gives_the_cursor_back(tmp_path: Path) -> None:
    code, written = build_on_terminal(
        *("--source", "scenes", "--limit", "5000", "--out", tmp_path / "ds"), interrupt_at="answered"
    )
    assert code == 3
    assert written.rindex(_SHOW) > written.rindex(_HIDE)
    text = without_codes(written)
    assert text.index("stopping: waiting") < text.rindex("instructgen build") < text.rindex("error: stopped")


@pytest.mark.parametrize("how", ["--plain", "dumb"])
def test_plain_and_a_dumb_terminal_get_lines_alone(tmp_path: Path, how: str) -> None:
    flags, env = (["--plain"], {}) if how == "--plain" else ([], {"TERM": "dumb"})
    code, written = build_on_terminal("--limit", "2", "--out", tmp_path / "ds", *flags, **env)
    assert code == 0
    assert "\x1b" not in written
    assert "write: 6 of 6 units, 6 accepted" in written
