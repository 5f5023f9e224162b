"""What an evaluation asks, what came of it, and what a suite of questions offers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from instructgen.evaluate.scores import Score
from instructgen.train.marks import Part

Arm = Literal["seen", "shuffled", "zero"]
"""With the picture; with another question's picture; with an image of zeros."""


class Question(Struct, frozen=True):
    """One ask. `key` tells it from all others of its suite; `image_id` None shows an image of zeros, "" nothing.

    With `candidates` the likeliest of them is the answer; without, the student writes one. With `parts` it is asked
    as a document that shows the pictures `shown`, of which the last is the question's own.
    """

    key: str
    text: str
    image_id: str | None
    candidates: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    shown: tuple[str | None, ...] = ()


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

    `is_of_part` says that `scores` repeat those of a part, for there are none of all together.
    `counts` are plain numbers (answers that could not be read, questions that could not be made); `notes` are what
    whoever reads the figures has to know.
    """

    scores: dict[str, Score]
    groups: dict[str, dict[str, dict[str, Score]]] = {}
    counts: dict[str, int] = {}
    notes: tuple[str, ...] = ()
    is_of_part: bool = False


class BlindAnswer(Struct, frozen=True):
    """What was said to the same question without its picture."""

    arm: Arm
    said: str
    is_right: bool


class AnswerNote(Struct, frozen=True):
    """What is known of the characters `start` to `end` of an answer, and why."""

    start: int
    end: int
    truth: Literal["supported", "contradicted", "unverifiable"]
    kind: str
    evidence: str


class ShownAnswer(Struct, frozen=True, omit_defaults=True, tag_field="is", tag="answer"):
    """An answer beside the truth, for people. `is_right` is None where a suite counts otherwise than right or wrong.

    `group` is the kind of question, or of answer, "" for none; `truth` are texts that would be right.
    """

    key: str
    question: str
    image_id: str
    said: str
    truth: tuple[str, ...]
    is_right: bool | None
    group: str = ""
    blind: tuple[BlindAnswer, ...] = ()
    notes: tuple[AnswerNote, ...] = ()
    picture: bytes = b""
    """A thumbnail; b"" for none."""


class ShownFailure(Struct, frozen=True, tag_field="is", tag="failure"):
    """A question without an answer: a fixed word, and what was the matter with this one."""

    key: str
    reason: str
    detail: str


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

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        """Yield what was answered beside the truth, without pictures; the answers are those of `measure`."""
        ...
