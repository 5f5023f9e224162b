"""What somebody sees of a run where there is no terminal."""

import pytest

from instructgen.cli.training_progress import TrainingProgress
from instructgen.train.watch import StepReport


def make_report(step: int) -> StepReport:
    return StepReport(step, 2.5, 1.0, {"connector": 1e-3, "language": 2e-5}, 10, step * 1000, step * 4, step * 0.5)


def test_plain_progress_is_a_line_for_the_first_and_the_last_step(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(is_live=False)
    progress.begin(50, 0)
    for step in range(1, 51):
        progress.step(make_report(step))
    progress.end()
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "step 1 of 50: loss 2.5000, rate 1.00e-03",
        "step 50 of 50: loss 2.5000, rate 1.00e-03, 2,000 tokens/s",
    ]


def test_bar_begins_where_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(is_live=True)
    progress.begin(50, 20)
    progress.step(make_report(21))
    progress.end()
    assert "21/50" in capsys.readouterr().err
