"""A talk as one document, as Flamingo was led to talk (2204.14198, appendix D): no template, pictures in any turn."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.student.ask import Document
from instructgen.train.marks import END_OF_CHUNK, PICTURE, Part

_NEXT = "\n"


class Exchange(Struct, frozen=True):
    """What was shown and asked, and what was answered; an example of a shots file is one with a picture."""

    question: str
    answer: str
    pictures: tuple[bytes, ...] = ()


@dataclass
class Dialogue:
    """Grows by an exchange an answer; `begin_anew` leaves the examples."""

    preamble: str
    shots: tuple[Exchange, ...] = ()
    said: list[Exchange] = field(default_factory=list)

    def ask(self, question: str, pictures: tuple[bytes, ...] = ()) -> Document:
        """Return the document up to the answer; `pictures` are those that are shown with this question."""
        parts: list[Part] = [self.preamble, _NEXT]
        shown: list[bytes] = []
        for one in (*self.shots, *self.said):
            parts += [*_write(one.question, one.pictures), f" {one.answer}", END_OF_CHUNK, _NEXT]
            shown += one.pictures
        return Document((*parts, *_write(question, pictures)), (*shown, *pictures))

    def add(self, question: str, answer: str, pictures: tuple[bytes, ...] = ()) -> None:
        self.said.append(Exchange(question, answer, pictures))

    def begin_anew(self) -> None:
        self.said.clear()


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    image: str
    answer: str
    question: str = ""


def read_exchanges(path: Path) -> tuple[Exchange, ...]:
    """Read a file of examples: JSON lines of `image` (a path beside the file), `answer`, and `question` or none.

    Raises InstructgenError naming the line for what is no example or no picture.
    """
    from instructgen.student.reading import open_checked

    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InstructgenError(f"--shots {path} cannot be read: {error.strerror or error}") from None
    found: list[Exchange] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=_Line)
            picture = (path.parent / one.image).read_bytes()
            open_checked(picture)
        except (msgspec.MsgspecError, OSError, InstructgenError) as error:
            raise InstructgenError(
                f'{path} line {number}: {error}; a line is {{"image": "a.jpg", "question": "...", "answer": "..."}}'
            ) from None
        found.append(Exchange(one.question.strip(), one.answer.strip(), (picture,)))
    return tuple(found)


def _write(question: str, pictures: tuple[bytes, ...]) -> list[Part]:
    return [*[PICTURE] * len(pictures), f"User: {question}".rstrip() + f"{_NEXT}Assistant:"]
