"""What a run tells: metrics.jsonl, loggers, the picture, signals."""

import os
import signal
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError
from instructgen.train.curves import draw_curves, smooth
from instructgen.train.stop import StopSignals
from instructgen.train.watch import MetricsFile, StepReport, average, open_logger, read_metrics


def make_report(step: int, loss: float = 1.0, learned: int = 10, grad_norm: float = 1.0) -> StepReport:
    return StepReport(step, loss, grad_norm, {"connector": 0.1 * step}, learned, step * 100, step * 4, step * 0.5)


def test_steps_after_the_checkpoint_are_taken_back_when_a_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first = MetricsFile(path, 0)
    for step in range(1, 6):
        first.write(make_report(step))
    first.close()
    with path.open("ab") as file:
        file.write(b'{"step": 6, "lo')
    again = MetricsFile(path, 3)
    again.write(make_report(4, loss=7.0))
    again.close()
    assert [(report.step, report.loss) for report in read_metrics(path)] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 7.0)]


def test_loggers_are_told_the_mean_over_tokens_not_over_steps() -> None:
    told = average([make_report(1, loss=1.0, learned=30, grad_norm=5.0), make_report(2, loss=2.0, learned=10)])
    assert told["loss"] == 1.25
    assert told["grad_norm"] == 5.0
    assert told["rate/connector"] == 0.2
    assert told["samples"] == 8


def test_tensorboard_shows_a_step_once_though_it_was_computed_twice(tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
    )
    first = open_logger("tensorboard", tmp_path, {}, 0)
    for step in range(1, 5):
        first.log(step, {"loss": 1.0})
    first.close()
    again = open_logger("tensorboard", tmp_path, {}, 2)
    again.log(3, {"loss": 9.0})
    again.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 1.0), (2, 1.0), (3, 9.0)]


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_logger_that_is_not_installed_is_told_with_the_cure(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InstructgenError, match=f"pip install {name}"):
        open_logger(name, tmp_path, {}, 0)


def test_picture_holds_loss_and_rates_of_each_part(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "loss.svg"
    draw_curves([], path, "empty")
    assert not path.exists()
    draw_curves([make_report(step, loss=5 / step) for step in range(1, 50)], path, "my run")
    assert "<svg" in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["loss.svg"]


def test_smoothing_keeps_the_ends() -> None:
    assert smooth([1.0, 2.0, 6.0, 3.0], 1) == [1.5, 3.0, 11 / 3, 4.5]
    assert smooth([1.0, 2.0], 0) == [1.0, 2.0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_the_second_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    said: list[str] = []
    with StopSignals(said.append) as stop, stop.while_stepping():
        assert not stop.is_asked
        os.kill(os.getpid(), number)
        assert stop.is_asked
        assert len(said) == 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_that_torchrun_passes_on_as_another_signal_is_one_wish() -> None:
    with StopSignals(lambda _text: None) as stop, stop.while_stepping():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_asked


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_signal_before_the_first_step_stops_at_once() -> None:
    with StopSignals(lambda _text: None), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
