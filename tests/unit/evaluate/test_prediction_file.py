"""Answers on disk: what is kept, and what a cut-off run leaves."""

from pathlib import Path

import pytest

from instructgen.errors import InstructgenError, RunLockedError
from instructgen.evaluate.predictions import PREDICTIONS_NAME, PredictionFile
from instructgen.evaluate.questions import Prediction

ANSWERED = Prediction("pope", "a", "1" * 64, "Yes.", "stop", 10, 2)
SCORED = Prediction("qa", "b", "2" * 64, finish_reason="stop", scores=(-1.5, -0.5))
FAILED = Prediction("pope", "c", "3" * 64, failure="image_missing", detail="gone")


def test_answers_are_found_again_and_failures_are_not(tmp_path: Path) -> None:
    with PredictionFile(tmp_path) as file:
        file.write([ANSWERED, SCORED, FAILED])
    with PredictionFile(tmp_path) as file:
        assert file.answered == {ANSWERED.digest: ANSWERED, SCORED.digest: SCORED}


def test_line_that_was_cut_off_is_taken_away(tmp_path: Path) -> None:
    with PredictionFile(tmp_path) as file:
        file.write([ANSWERED])
    path = tmp_path / PREDICTIONS_NAME
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"suite":"pope","key":"d')
    with PredictionFile(tmp_path) as file:
        assert list(file.answered) == [ANSWERED.digest]
        file.write([SCORED])
    assert path.read_bytes().startswith(whole)
    with PredictionFile(tmp_path) as file:
        assert file.answered == {ANSWERED.digest: ANSWERED, SCORED.digest: SCORED}


def test_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / PREDICTIONS_NAME).write_bytes(b"{}\n")
    with pytest.raises(InstructgenError, match=r"predictions.jsonl line 1"):
        PredictionFile(tmp_path)
    # The folder is free again.
    (tmp_path / PREDICTIONS_NAME).unlink()
    with PredictionFile(tmp_path):
        pass


def test_second_process_is_turned_away(tmp_path: Path) -> None:
    with PredictionFile(tmp_path), pytest.raises(RunLockedError):
        PredictionFile(tmp_path)


def test_likeliest_candidate_is_the_first_of_equals() -> None:
    assert SCORED.best == 1
    assert Prediction("qa", "b", "2", scores=(-1.0, -1.0)).best == 0
