"""A model as judge, as LLaVA does it (arXiv 2304.08485, section 5.1): a reference and an answer get a mark each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from instructgen.prompting.prompts import load_pair
from instructgen.prompting.templates import PromptTemplate
from instructgen.records import Decoding, Message, Surrogate

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)


class Comparison(Struct, frozen=True):
    """What user.j2 is given as `comparison`; the reference always comes first, as in LLaVA's scores."""

    surrogate_text: str
    question: str
    reference: str
    answer: str


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """The prompt of the judge, read once. `sha256` covers both files."""

    system: PromptTemplate
    user: PromptTemplate
    sha256: str


@dataclass(frozen=True, slots=True)
class JudgeScore:
    """`score` is 100 where answers are as good as their references; None where no mark could be read.

    `num_dropped` counts the judgements without two numbers in their first line: they are part of no mean.
    """

    score: float | None
    num_judged: int
    num_dropped: int
    mean_reference: float | None
    mean_answer: float | None


def load_judge_prompt(folder: Path | None = None) -> JudgePrompt:
    """Read `<folder>/judge/`; None reads the shipped prompt. Raises InstructgenError naming the file."""
    return JudgePrompt(*load_pair(folder, "judge", "comparison"))


def make_judge_messages(
    prompt: JudgePrompt, surrogate: Surrogate, question: str, answer: str, reference: str
) -> tuple[Message, ...]:
    """Return the chat that asks for the marks of one answer."""
    comparison = Comparison(surrogate.text, question, reference, answer)
    return (
        Message("system", prompt.system.render(decoding=Decoding()).strip()),
        Message("user", prompt.user.render(comparison=comparison)),
    )


def read_two_numbers(text: str) -> tuple[float, float] | None:
    """Return the marks in the first line; None unless it holds two numbers, parted by commas or blanks, alone."""
    words = text.split("\n", 1)[0].replace(",", " ").split()
    if len(words) != 2 or not all(_NUMBER.fullmatch(word) for word in words):
        return None
    return float(words[0]), float(words[1])


def score_judgements(texts: Iterable[str]) -> JudgeScore:
    """Return the mean of the second marks over that of the first, times 100."""
    marks = [read_two_numbers(text) for text in texts]
    read = [pair for pair in marks if pair is not None]
    num_dropped = len(marks) - len(read)
    if not read:
        return JudgeScore(None, 0, num_dropped, None, None)
    mean_reference = sum(first for first, _ in read) / len(read)
    mean_answer = sum(second for _, second in read) / len(read)
    score = 100 * mean_answer / mean_reference if mean_reference > 0 else None
    return JudgeScore(score, len(read), num_dropped, mean_reference, mean_answer)
