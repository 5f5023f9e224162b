"""Commands that use a model in processes of their own: signals, a terminal, a kill."""

import json
import os
import select
import signal
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from tests.support.cli import Process, start_cli, start_on_terminal
from tests.support.tiny_students import make_picture, make_spec, save_student

_WAIT_S = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = make_spec(max_position_embeddings=60_000)
    return save_student(tmp_path_factory.mktemp("models") / "tiny", spec, template="chatml")


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_terminal_streams_stops_at_ctrl_c_and_leaves_at_ctrl_d(model: Path, tmp_path: Path) -> None:
    picture = tmp_path / "0.png"
    picture.write_bytes(make_picture())
    flags = ("--max-tokens", "50000", "--temperature", "1")
    process, terminal = start_on_terminal("chat", model, picture, *flags, TERM="xterm", NO_COLOR="1")
    shown = Shown(terminal)
    assert "0.png" in shown.until("you: ")
    shown.press(b"/help\r")
    shown.until("/reset")
    shown.until("you: ")
    shown.press(b"What is it?\r")
    seen = shown.until("tiny: ")
    shown.until("")  # the first piece
    shown.press(b"\x03")
    seen += shown.until("[stopped]") + shown.until("you: ")
    assert "\x1b[1" not in seen  # NO_COLOR
    shown.until("Ctrl-D", press=b"\x03")
    assert shown.leave(process) == 0


class Shown:
    """What a terminal shows, read up to one text after another."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._unread = b""

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def leave(self, process: Process) -> int:
        """Press Ctrl-D until the process has ended, for readline drops what comes before its prompt is there."""
        deadline_s = time.monotonic() + _WAIT_S
        while True:
            with suppress(OSError):  # it may be gone
                self.press(b"\x04")
            code = process.poll()
            if code is not None:
                return code
            if time.monotonic() > deadline_s:
                process.kill()
                raise AssertionError("it did not leave")
            with suppress(OSError):
                if select.select([self._terminal], [], [], 0.5)[0]:
                    os.read(self._terminal, 4096)

    def until(self, text: str, press: bytes = b"") -> str:
        """`press` is pressed again and again: a Ctrl-C right after a prompt waits in readline for the next key."""
        deadline_s = time.monotonic() + _WAIT_S
        while not self._unread or text.encode() not in self._unread:
            assert time.monotonic() < deadline_s, f"'{text}' never came: {self._unread[-2000:]!r}"
            if press:
                self.press(press)
            if select.select([self._terminal], [], [], 0.5)[0]:
                self._unread += os.read(self._terminal, 4096)
        seen, self._unread = self._unread.split(text.encode(), 1) if text else (self._unread[:1], self._unread[1:])
        return seen.decode(errors="replace")


def test_killed_description_goes_on_where_it_was(model: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        (photos / f"{number:02}.png").write_bytes(make_picture(number))
    flags = ("--max-tokens", "40", "--batch", "1", "--json")
    process = start_cli("describe", model, photos, *flags)
    captions = photos / "captions.jsonl"
    deadline_s = time.monotonic() + _WAIT_S
    while not captions.exists() or captions.read_bytes().count(b"\n") < 2:
        assert time.monotonic() < deadline_s, "it never got that far"
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    process.kill()
    process.communicate()
    before = captions.read_bytes()
    num_before = before.count(b"\n")
    assert num_before < 12
    out, errors = start_cli("describe", model, photos, *flags).communicate(timeout=_WAIT_S)
    told = json.loads(out)
    assert (told["described"], told["new"]) == (12, 12 - num_before), errors
    assert captions.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    images = [json.loads(line)["image"] for line in captions.read_text().splitlines()]
    assert images == sorted(set(images))


def test_served_model_answers_until_it_is_told_to_stop(model: Path) -> None:
    process = start_cli("serve", model, "--port", "0", "--name", "pupil", "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["model"] == "pupil"
    body = {"model": "pupil", "messages": [{"role": "user", "content": "What?"}], "max_tokens": 5}
    request = urllib.request.Request(
        f"{told['url']}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:
        assert json.load(answer)["usage"]["completion_tokens"] <= 5
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 0
    assert "no more requests are taken" in errors
