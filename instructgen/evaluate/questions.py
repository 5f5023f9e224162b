"""What an evaluation asks, what came of it, and what a suite of questions offers."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from instructgen.evaluate.scores import Score

Arm = Literal["seen", "shuffled", "zero"]
"""With the picture; with another question's picture; with an image of zeros."""


class Question(Struct, frozen=True):
    """One ask. `key` tells it from all others of its suite; `image_id` None shows an image of zeros, "" nothing.

    With `candidates` the likeliest of them is the answer; without, the student writes one.
    """

    key: str
    text: str
    image_id: str | None
    candidates: tuple[str, ...] = ()


class Prediction(Struct, frozen=True, omit_defaults=True):
    """One line of predictions.jsonl. `digest` covers the model, the ask, its picture and how the answer is drawn.

    `failure` is a fixed word where there is no answer; such a question is asked again by the next run.
    """

    suite: str
    key: str
    digest: str
    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    scores: tuple[float, ...] = ()
    failure: str = ""
    detail: str = ""

    @property
    def best(self) -> int:
        """The number of the likeliest candidate; the first of equals."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)


class Report(Struct, frozen=True):
    """What a suite measured. `groups` holds the same measures of parts: table -> part -> measure.

    `counts` are plain numbers (answers that could not be read, questions that could not be made); `notes` are what
    whoever reads the figures has to know.
    """

    scores: dict[str, Score]
    groups: dict[str, dict[str, dict[str, Score]]] = {}
    counts: dict[str, int] = {}
    notes: tuple[str, ...] = ()


class Suite(Protocol):
    """A set of questions, the same for the same pictures and seed, and the measures of the answers."""

    name: str

    version: int
    """Changes with the questions or the measures, so that figures are compared only where they may be."""

    max_tokens: int
    """Of one answer."""

    shown: tuple[str, ...]
    """The measures that a table shows first."""

    def questions(self) -> Sequence[Question]: ...

    def read_picture(self, image_id: str) -> bytes | None:
        """Return an encoded picture that a question shows, or None where it is gone."""
        ...

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """Return the measures of what was answered, by key; questions that failed are not among them."""
        ...
