"""A model that marks finished samples for truth and for use, as GAVIE does (arXiv 2306.14565)."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from instructgen.config import JudgeConfig
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_pair
from instructgen.prompting.templates import PromptTemplate
from instructgen.records import Decoding, Fault, Message

SCORES = ("judge_accuracy", "judge_relevancy")
_BEST = 10
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_SHOWN_CHARS = 80


class ShownPair(Struct, frozen=True):
    """One question of the text and its answer."""

    number: int
    question: str
    answer: str


class Assessed(Struct, frozen=True):
    """What user.j2 is given as `sample`."""

    surrogate: str
    pairs: tuple[ShownPair, ...]


class Assessor(Struct, frozen=True):
    """The prompt of whoever judges, and the marks that a sample needs."""

    system: PromptTemplate
    user: PromptTemplate
    sha256: str
    config: JudgeConfig

    def messages(self, surrogate_text: str, turns: Sequence[Message], decoding: Decoding) -> tuple[Message, ...]:
        """Return the chat that asks for the marks of one sample."""
        pairs = zip(turns[::2], turns[1::2], strict=True)
        shown = tuple(ShownPair(at, query.content, answer.content) for at, (query, answer) in enumerate(pairs, 1))
        rules = Message("system", self.system.render(decoding=decoding).strip())
        return (rules, Message("user", self.user.render(sample=Assessed(surrogate_text, shown)).strip()))

    def read(self, text: str) -> dict[str, float] | Fault:
        """Return the scores, none where they cannot be read and need not be, or why the sample is turned away."""
        marks = read_marks(text)
        if marks is None:
            return {} if self.config.unreadable == "keep" else Fault("judge_unreadable", text.strip()[:_SHOWN_CHARS])
        accuracy, relevancy = marks
        if accuracy < self.config.min_accuracy or relevancy < self.config.min_relevancy:
            why = " ".join(text.lstrip().partition("\n")[2].split())[:_SHOWN_CHARS]
            return Fault(
                "judged_low", f"accuracy {accuracy:g}, relevancy {relevancy:g}" + (f": {why}" if why else "")
            )
        return dict(zip(SCORES, marks, strict=True))


def read_marks(text: str) -> tuple[float, float] | None:
    """Return the two marks in the first line that is not blank, parted by commas or blanks.

    None unless the line is two numbers from 0 to 10, alone.
    """
    words = text.lstrip().split("\n", 1)[0].replace(",", " ").split()
    if len(words) != 2 or not all(_NUMBER.fullmatch(word) for word in words):
        return None
    marks = float(words[0]), float(words[1])
    return marks if all(0 <= mark <= _BEST for mark in marks) else None


def load_assessor(folder: Path | None, config: JudgeConfig) -> Assessor | None:
    """Read `<folder>/assess/`, the shipped prompt for None; nothing is read where nobody judges.

    Raises InstructgenError naming the file for one that is missing or cannot be used.
    """
    if not config.is_on:
        return None
    assessor = Assessor(*load_pair(folder, "assess", "sample"), config)
    # Rendered once, so that a mistake shows before any money is spent.
    shown = ("A cat sits.", "What is there?", "A dog sleeps.")
    turns = (Message("user", shown[1]), Message("assistant", shown[2]))
    rules, query = assessor.messages(shown[0], turns, Decoding())
    if not rules.content:
        raise InstructgenError(f"{assessor.system.path} renders to nothing")
    for field, text in zip(("surrogate", "questions", "answers"), shown, strict=True):
        if text not in query.content:
            raise InstructgenError(
                f"{assessor.user.path} leaves out the {field} of the sample: nothing can be judged"
            )
    return assessor
