"""What an evaluation by questions found, read from its results.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

_SUITE = "qa"


class Shares(Struct, frozen=True):
    """In percent, over all questions and by kind."""

    all: float
    by_kind: dict[str, float]


class Accuracies(Struct, frozen=True):
    """Of one student: with the picture, with another question's, with zeros, and of one who guesses.

    A kind with too few pictures to shuffle has no `shuffled` figure: that of zeros stands for it, as in the suite's
    own blind_accuracy.
    """

    seen: Shares
    shuffled: Shares
    zero: Shares
    chance: Shares
    num_questions: int


def read_accuracies(path: Path) -> Accuracies:
    suite = json.loads(path.read_text(encoding="utf-8"))["suites"][_SUITE]
    kinds = suite["groups"]["kind"]

    def read(measure: str) -> Shares:
        return Shares(_percent(suite, measure), {kind: _percent(of_kind, measure) for kind, of_kind in kinds.items()})

    return Accuracies(
        seen=read("accuracy"),
        shuffled=read("shuffled_accuracy"),
        zero=read("zero_accuracy"),
        chance=read("chance"),
        num_questions=suite["counts"]["questions"],
    )


def _percent(table: Mapping[str, Any], measure: str) -> float:
    share = table[measure]
    if share is None:
        share = table["zero_accuracy"] or 0.0
    return round(100 * float(share), 1)
