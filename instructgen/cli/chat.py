"""`instructgen chat`: ask a trained model about a picture."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.students import DEVICE, DTYPE, MODEL, TEMPLATE, open_student
from instructgen.errors import InstructgenError
from instructgen.records import Message

if TYPE_CHECKING:
    from instructgen.student.ask import Answer, Crowd, Sampling
    from instructgen.student.dialogue import Dialogue

_HELP = "/image PATH another picture, from the start   /reset forget the talk   /quit leave   Ctrl-C stops an answer"
STOPS = ("User:", "Assistant:")
"""Where a model goes on with turns of its own in a document; its answer ends before."""
_HELP_DOCUMENT = "/image PATH one more picture, for the next question   /reset forget the talk   /quit leave"


def add_to(app: typer.Typer) -> None:
    app.command("chat")(chat)


def chat(
    model: Path = MODEL,
    images: list[Path] | None = typer.Argument(None, metavar="[IMAGE]...", help="The picture, or several at once."),
    system: str = typer.Option("", help="What stands before the talk.  [default: the template's own]"),
    document: bool = typer.Option(
        False, "--document", help="Talk in one document without a template, as Flamingo: pictures in any turn."
    ),
    shots: Path | None = typer.Option(
        None, help="Examples before the talk: JSON lines of image, question, answer. It is a document then."
    ),
    max_tokens: int = typer.Option(512, min=1, help="Longest answer."),
    temperature: float = typer.Option(0.2, min=0, max=2, help="0 takes the likeliest token each time."),
    top_p: float = typer.Option(1.0, min=0, max=1, help="Draw from the likeliest tokens of this share."),
    repetition_penalty: float = typer.Option(1.0, min=0.1, max=10, help="Above 1 words come again less often."),
    seed: int = typer.Option(0, help="Of the draws; the same talk and seed give the same answer."),
    device: str = DEVICE,
    dtype: str = DTYPE,
    template: str = TEMPLATE,
    as_json: bool = typer.Option(False, "--json", help="One JSON object for each answer, and nothing else."),
) -> None:
    """Ask about a picture; the answer comes word by word, and the talk goes on.

    \b
    Examples:
      instructgen chat runs/stage2 photo.jpg
      echo "What is on the table?" | instructgen chat runs/stage2 photo.jpg
      instructgen chat my-llava left.jpg right.jpg --temperature 0 --json < questions.txt
      instructgen chat runs/flamingo photo.jpg --shots examples.jsonl

    \b
    In the talk: /image PATH shows another picture and begins anew, /reset forgets what was said, /help lists these,
    /quit or Ctrl-D leaves. Ctrl-C stops an answer. Where the input is no terminal, each line is a question.
    In a document /image adds a picture that the next question shows, and the talk goes on.
    """
    from instructgen.student.ask import Sampling

    stops = STOPS if document or shots else ()
    sampling = Sampling(max_tokens, temperature, top_p, repetition_penalty, seed, stops)
    pictures = tuple(_read_picture(path) for path in images or ())
    dialogue = _open_dialogue(system, shots) if document or shots else None
    student = open_student(model, device, dtype, template=template)
    talk = Talk(student, sampling, pictures, system, as_json=as_json, dialogue=dialogue)
    talk.greet(images or [])
    talk.run()
    if talk.num_failed and not talk.is_live:
        raise typer.Exit(4)


@dataclass
class Talk:
    """One talk at a time, about the pictures that were shown last."""

    student: "Crowd"
    sampling: "Sampling"
    pictures: tuple[bytes, ...]
    system: str
    as_json: bool
    dialogue: "Dialogue | None" = None
    """Where the talk is a document; `pictures` are then those that no question has shown yet."""
    turns: list[Message] = field(default_factory=list)
    num_failed: int = 0

    def __post_init__(self) -> None:
        self.is_live = sys.stdin.isatty() and sys.stdout.isatty() and not self.as_json

    def greet(self, images: list[Path]) -> None:
        if self.is_live:
            shown = ", ".join(path.name for path in images) or "no picture"
            self._say(f"{self.student.name}: {shown}\n{self._help}")

    @property
    def _help(self) -> str:
        return _HELP_DOCUMENT if self.dialogue else _HELP

    def run(self) -> None:
        """Return where the input ends."""
        for line in self._lines():
            text = line.strip()
            if text in ("/quit", "/exit"):
                return
            if not text:
                continue
            try:
                if text.startswith("/"):
                    self._obey(text)
                else:
                    self._ask(text)
            except InstructgenError as error:
                self.num_failed += 1
                self._complain(str(error), text)

    def _lines(self) -> Iterator[str]:
        if not self.is_live:
            yield from sys.stdin
            return
        _edit_lines()
        while True:
            try:
                yield input(_paint("you: ", "1", in_prompt=True))
            except EOFError:
                typer.echo("")
                return
            except KeyboardInterrupt:
                typer.echo("\n" + _paint("Ctrl-D or /quit leaves", "2"))

    def _obey(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "/image" and rest.strip():
            picture = _read_picture(Path(rest.strip().strip("\"'")).expanduser())
            if self.dialogue is not None:
                self.pictures = (*self.pictures, picture)
                self._say(f"{rest.strip()}; the next question shows it")
                return
            self.pictures = (picture,)
            self.turns.clear()
            self._say(f"{rest.strip()}; the talk begins anew")
        elif word == "/reset":
            self.turns.clear()
            if self.dialogue is not None:
                self.dialogue.begin_anew()
            self._say("nothing was said")
        elif word == "/help":
            self._say(self._help)
        else:
            raise InstructgenError(f"no command {text}; {self._help}")

    def _ask(self, question: str) -> None:
        from instructgen.student.ask import AnyAsk, Ask

        turns = (*self.turns, Message("user", question))
        ask: AnyAsk = Ask(turns, self.pictures, self.system)
        if self.dialogue is not None:
            ask = self.dialogue.ask(question, self.pictures)
        if self.is_live:
            typer.echo(_paint(f"{self.student.name}: ", "1;36"), nl=False)
        said, answer = "", None
        try:
            for piece in self.student.answer_together([(ask, self.sampling)], lambda _: True):
                said += piece.text
                answer = piece.answer
                self._show(piece.text)
        except KeyboardInterrupt:
            if not self.is_live:
                raise
            typer.echo(_paint(" [stopped]", "2"), nl=False)
        self._end(question, answer)
        if said.strip() and self.dialogue is not None:
            self.dialogue.add(question, said.strip(), self.pictures)
            self.pictures = ()
        elif said.strip():
            self.turns = [*turns, Message("assistant", said)]

    def _show(self, piece: str) -> None:
        if not self.as_json:
            typer.echo(_make_safe(piece) if sys.stdout.isatty() else piece, nl=False)
            sys.stdout.flush()

    def _end(self, question: str, answer: "Answer | None") -> None:
        if not self.as_json:
            typer.echo("")
        elif answer is not None:
            told = {
                "question": question,
                "answer": answer.text,
                "finish_reason": answer.finish_reason,
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": answer.completion_tokens,
            }
            typer.echo(json.dumps(told))
            sys.stdout.flush()

    def _say(self, text: str) -> None:
        if not self.as_json:
            typer.echo(_paint(text, "2"), err=not self.is_live)

    def _complain(self, error: str, question: str) -> None:
        if self.as_json:
            typer.echo(json.dumps({"question": question, "error": error}))
        else:
            typer.echo(_paint(f"error: {error}", "31"), err=True)


def _open_dialogue(system: str, shots: Path | None) -> "Dialogue":
    from instructgen.cli.students import check_packages
    from instructgen.prompting.prompts import load_text

    check_packages()
    from instructgen.student.dialogue import Dialogue, read_exchanges

    preamble = system or load_text(None, "dialogue", "preamble.txt")[0]
    return Dialogue(preamble.strip(), () if shots is None else read_exchanges(shots))


def _read_picture(path: Path) -> bytes:
    """Raises InstructgenError for what is no picture."""
    from instructgen.cli.students import check_packages

    check_packages()
    from instructgen.student.reading import open_checked

    try:
        picture = path.read_bytes()
    except OSError as error:
        raise InstructgenError(f"the picture {path} cannot be read: {error.strerror or error}") from None
    try:
        open_checked(picture)
    except InstructgenError as error:
        raise InstructgenError(f"{path}: {error}") from None
    return picture


def _paint(text: str, code: str, *, in_prompt: bool = False) -> str:
    """Colour a text on a terminal whose owner wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    if in_prompt:  # readline counts what stands between these as nothing
        return f"\001\x1b[{code}m\002{text}\001\x1b[0m\002"
    return f"\x1b[{code}m{text}\x1b[0m"


def _make_safe(text: str) -> str:
    """Return the text without what would command the terminal: a model may write anything."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def _edit_lines() -> None:
    """Let arrow keys move and recall, where Python was built with it."""
    import contextlib

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401
