"""What a student can be asked, whoever answers: a model in this process, or a stand-in in a test."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Protocol

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import Message
from instructgen.train.marks import PICTURE, Part


class Sampling(Struct, frozen=True):
    """How an answer is drawn; temperature 0 takes the likeliest token each time."""

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts that end the answer, beside the template's own; they are not part of it."""


class BeamSampling(Sampling, frozen=True):
    """The likeliest answer of several that are followed at once (BLIP-2: 5 beams, length penalty -1).

    A penalty below 0 is for short answers, above 0 for long ones.
    """

    beams: int = 5
    length_penalty: float = -1.0


class Ask(Struct, frozen=True):
    """Turns that end with the user's, and the encoded pictures that they speak of, first to last.

    `pictures` None in a place asks with an image of zeros there: the control of an evaluation.
    """

    turns: tuple[Message, ...]
    pictures: tuple[bytes | None, ...] = ()
    system: str = ""
    frames: tuple[int, ...] = ()
    """How many pictures each place takes, a clip's frames; empty is one each."""


class Document(Struct, frozen=True):
    """Texts with pictures between them, which the answer goes on with: no template, no turns (Flamingo's prompts).

    `parts` are texts and the marks of train.marks; `pictures` stand in the places of PICTURE, first to last, None for
    an image of zeros. The answer ends where the model ends the chunk.
    """

    parts: tuple[Part, ...]
    pictures: tuple[bytes | None, ...] = ()
    frames: tuple[int, ...] = ()
    """How many pictures each place takes, a clip's frames; empty is one each."""

    @property
    def num_places(self) -> int:
        """How many pictures the parts have a place for."""
        return sum(part is PICTURE for part in self.parts)


AnyAsk = Ask | Document


def split_pictures(ask: AnyAsk, *, groups_frames: bool) -> list[tuple[bytes | None, ...]]:
    """Return the pictures of each place, or of each frame by itself where a model does not group them."""
    frames = ask.frames if ask.frames and groups_frames else (1,) * len(ask.pictures)
    if sum(frames) != len(ask.pictures) or min(frames, default=1) < 1:
        raise InstructgenError(f"frames of {sum(frames)} pictures for {len(ask.pictures)}")
    ends = list(accumulate(frames))
    return [ask.pictures[end - count : end] for end, count in zip(ends, frames, strict=True)]


def spread_clips(document: Document) -> Document:
    """Return the document with a place for each frame."""
    if not document.frames:
        return document
    frames = iter(document.frames)
    parts = [[part] * next(frames, 1) if part is PICTURE else [part] for part in document.parts]
    return Document(tuple(chain.from_iterable(parts)), document.pictures)


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

    def answer_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer]:
        """Answer each, in order; batched as the model likes it."""
        ...

    def stream(self, ask: AnyAsk, sampling: Sampling) -> Iterator[str]:
        """Yield the answer piece by piece; the pieces joined are the answer."""
        ...

    def score(self, ask: AnyAsk, candidates: Sequence[str]) -> list[float]:
        """Return the summed log-probability of each candidate, its stop included, as the answer."""
        ...


class Crowd(Student, Protocol):
    """A student that answers several askers in one batch, each as it wishes."""

    def check(self, ask: AnyAsk) -> int:
        """Return the prompt's tokens; raises InstructgenError for an ask that cannot be answered."""
        ...

    def answer_together(
        self, asks: Sequence[tuple[AnyAsk, Sampling]], is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        """Yield the pieces of all answers as they come; an ask that is wanted no more ends without an answer."""
        ...
