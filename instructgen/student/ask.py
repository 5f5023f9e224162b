"""What a student can be asked, whoever answers: a model in this process, or a stand-in in a test."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from instructgen.records import Message


class Sampling(Struct, frozen=True):
    """How an answer is drawn; temperature 0 takes the likeliest token each time."""

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts that end the answer, beside the template's own; they are not part of it."""


class Ask(Struct, frozen=True):
    """Turns that end with the user's, and the encoded pictures that they speak of, first to last.

    `pictures` None in a place asks with an image of zeros there: the control of an evaluation.
    """

    turns: tuple[Message, ...]
    pictures: tuple[bytes | None, ...] = ()
    system: str = ""


class Answer(Struct, frozen=True):
    text: str
    finish_reason: str
    """"stop" or "length"."""
    prompt_tokens: int
    completion_tokens: int
    """Of the text alone: what ended it is not counted."""


class Piece(Struct, frozen=True):
    """A part of the answer to ask number `ask`; the last one of it brings the whole `answer`."""

    ask: int
    text: str
    answer: Answer | None = None


class Student(Protocol):
    """Answers questions about pictures."""

    @property
    def name(self) -> str: ...

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        """Answer each, in order; batched as the model likes it."""
        ...

    def stream(self, ask: Ask, sampling: Sampling) -> Iterator[str]:
        """Yield the answer piece by piece; the pieces joined are the answer."""
        ...

    def score(self, ask: Ask, candidates: Sequence[str]) -> list[float]:
        """Return the summed log-probability of each candidate, its stop included, as the answer."""
        ...


class Crowd(Student, Protocol):
    """A student that answers several askers in one batch, each as it wishes."""

    def check(self, ask: Ask) -> int:
        """Return the prompt's tokens; raises InstructgenError for an ask that cannot be answered."""
        ...

    def answer_together(
        self, asks: Sequence[tuple[Ask, Sampling]], is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        """Yield the pieces of all answers as they come; an ask that is wanted no more ends without an answer."""
        ...
