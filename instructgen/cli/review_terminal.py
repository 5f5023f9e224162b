"""A review in the terminal: one sample a screen, one key a decision."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from instructgen.cli.keys import DOWN, END, ENTER, ESCAPE, LEFT, RIGHT, UP, Keys
from instructgen.cli.review_layout import DONE, KEYS, make_body, make_head, make_reasons
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.review.desk import REASONS, Desk, SampleView
from instructgen.review.editing import check_answers, list_answers, read_edit_file, write_edit_file

_ENTER_SCREEN, _LEAVE_SCREEN, _CLEAR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H\x1b[2J"
_MIN_BODY_LINES = 3


class ReviewTerminal:
    """Runs until q, Ctrl-C or the end of the input; every decision is on disk when the next sample shows."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keys = Keys()
        self._at = desk.next_open(-1)
        self._scroll = 0
        self._told = ""
        self._shown_at = time.monotonic()

    def run(self) -> None:
        with self._screen(), self._keys.held(), contextlib.suppress(KeyboardInterrupt):
            view = self._draw()
            while (key := self._keys.read()) not in ("q", END):
                if key != ENTER:
                    self._press(key, view)
                    view = self._draw()

    def _press(self, key: str, view: SampleView | None) -> None:
        """Do what the key says. What a reviewer can mend is told on the screen; a full disk ends the review."""
        before, self._told = self._at, ""
        try:
            self._act(key, view)
        except InstructgenError as error:
            if isinstance(error, RunStoppedError):
                raise
            self._told = str(error)
        if self._at != before:
            self._scroll, self._shown_at = 0, time.monotonic()

    def _act(self, key: str, view: SampleView | None) -> None:
        if key in (UP, DOWN):
            self._scroll = max(0, self._scroll + (1 if key == DOWN else -1))
        elif key == LEFT:
            self._at = max(0, self._at - 1)
        elif key == RIGHT:
            self._at = min(len(self._desk.queue), self._at + 1)
        elif key == "u":
            at = self._desk.undo()
            self._told = "there is nothing to undo" if at is None else "taken back"
            self._at = self._at if at is None else at
        elif view is not None:
            self._decide(key, view)

    def _decide(self, key: str, view: SampleView) -> None:
        seconds = time.monotonic() - self._shown_at
        if key == "a":
            self._at = self._desk.decide(view.at, "accept", seconds)
        elif key == "s":
            self._at = self._desk.next_open(view.at)
        elif key == "r":
            why = self._ask_why()
            if why is not None:
                self._at = self._desk.decide(view.at, "reject", time.monotonic() - self._shown_at, why=why)
        elif key == "e":
            answers = self._edit(view)
            if answers is not None:
                self._at = self._desk.decide(view.at, "edit", time.monotonic() - self._shown_at, answers)
        else:
            self._told = f"no such key: {key if key.isprintable() else '?'}"

    def _draw(self) -> SampleView | None:
        """Show the sample, or that there is none left, and return it."""
        width, height = self._size()
        desk = self._desk
        view = desk.view(self._at) if self._at < len(desk.queue) else None
        if view is None:
            head, body = [], list(DONE)
        else:
            head, body = make_head(view, desk.count(), len(desk.queue), width), make_body(view, width)
        if not self._keys.is_terminal:
            typer.echo("\n".join([*head, *body, self._told or KEYS]))
            return view
        room = max(_MIN_BODY_LINES, height - len(head) - 2)
        self._scroll = max(0, min(self._scroll, len(body) - room))
        part = body[self._scroll : self._scroll + room]
        below = len(body) - self._scroll - len(part)
        told = self._told or (f"{below} more lines below" if below else "")
        lines = [*head, *part, *[""] * (room - len(part)), typer.style(told[:width], fg="yellow"), KEYS[:width]]
        typer.echo(_CLEAR + "\n".join(lines), nl=False)
        return view

    def _ask_why(self) -> str | None:
        """Return a reason word, what was typed, "" for no reason, or None where the reviewer thinks again."""
        self._echo(make_reasons(self._size()[0]))
        while True:
            key = self._keys.read()
            if key in REASONS:
                return REASONS[key]
            if key == ENTER:
                return ""
            if key == "t":
                return self._ask_line("why: ")
            if key in (ESCAPE, END, LEFT, "r", "q"):
                return None

    def _edit(self, view: SampleView) -> tuple[str, ...] | None:
        """Return the answers as they are to be, or None where the reviewer leaves them."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor or not self._keys.is_terminal:
            return self._edit_inline(view)
        text = write_edit_file(view.shown_turns)
        while True:
            with self._keys.released():
                written = _open_editor(editor, text)
            if written == text:
                self._told = "nothing was changed"
                return None
            try:
                return check_answers(view.turns, read_edit_file(written, view.turns))
            except InstructgenError as error:
                text = written
                self._echo([str(error), "e edits on, any other key leaves the answer as it was"])
                if self._keys.read() != "e":
                    return None

    def _edit_inline(self, view: SampleView) -> tuple[str, ...] | None:
        answers: list[str] = []
        shown = list_answers(view.shown_turns)
        for number, answer in enumerate(shown, 1):
            typed = self._ask_line(f"\nanswer {number} of {len(shown)}: {answer}\nnew text (Enter keeps it): ")
            answers.append(typed or answer)
        if tuple(answers) == shown:
            self._told = "nothing was changed"
            return None
        return tuple(answers)

    def _ask_line(self, prompt: str) -> str:
        typer.echo(prompt, nl=False)
        with self._keys.released():
            return self._keys.read_line()

    def _echo(self, lines: Sequence[str]) -> None:
        typer.echo("\n" + "\n".join(lines))

    def _size(self) -> tuple[int, int]:
        size = shutil.get_terminal_size((80, 24))
        return max(20, size.columns - 1), size.lines  # a full line would wrap in some terminals

    @contextlib.contextmanager
    def _screen(self) -> Iterator[None]:
        if not self._keys.is_terminal:
            yield
            return
        typer.echo(_ENTER_SCREEN, nl=False)
        try:
            yield
        finally:
            typer.echo(_LEAVE_SCREEN, nl=False)


def _open_editor(editor: str, text: str) -> str:
    """Return the text as the editor left it. Raises InstructgenError where the editor cannot be run."""
    with tempfile.TemporaryDirectory(prefix="instructgen-") as folder:
        path = Path(folder) / "answer.txt"
        path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603  the user's own editor
        except (OSError, ValueError) as error:
            raise InstructgenError(f"the editor '{editor}' cannot be run: {error}; set EDITOR") from None
        if done.returncode != 0:
            raise InstructgenError(f"the editor '{editor}' ended with {done.returncode}; nothing was changed")
        return path.read_text(encoding="utf-8", errors="replace")
