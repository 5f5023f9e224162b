"""The report of a run: what it shows after a stop, at the end, and after a failure; it never costs the run."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError, RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions  # noqa: E402
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.report.names import REPORT_NAME  # noqa: E402
from instructgen.report.training import write_training_report  # noqa: E402
from instructgen.report.training_facts import collect_training, find_fill, list_settings  # noqa: E402
from instructgen.train.recipe_notes import SET_BY_HAND  # noqa: E402
from instructgen.train.watch import StepReport, read_metrics  # noqa: E402
from tests.support.training import make_options  # noqa: E402
from tests.support.training_kills import QuietWatch  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def read_text(out: Path) -> str:
    """Return what is between the page's tags, in one line."""
    html = (out / REPORT_NAME).read_text(encoding="utf-8")
    body = re.sub(r"<(script|style).*?</\1>", " ", html.partition("<body>")[2], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def stop_after(options: TrainingOptions, num_steps: int) -> None:
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGINT) if len(watch.reports) == num_steps else None
    with pytest.raises(RunStoppedError):
        train(options, watch)


def test_stopped_run_says_so_and_the_finished_one_where_it_went_on(tmp_path: Path) -> None:
    notes = {"optim.learning_rate": "a paper, table 5", "train.steps": SET_BY_HAND}
    options = replace(make_options(tmp_path, "run"), recipe_notes=notes)
    stop_after(options, 2)
    text = read_text(options.out)
    assert "Stopped after step 3 of 6" in text
    assert "stopped after step 3 of 6, with a checkpoint" in text
    train(options, QuietWatch())
    text = read_text(options.out)
    assert "All 6 steps are done." in text
    assert "went on after step 3" in text
    assert "optim.learning_rate 0.01 a paper, table 5" in text
    assert f"train.steps 6 {SET_BY_HAND}" in text
    facts = collect_training(options.out)
    assert [one.began.step for one in facts.sittings] == [0, 3]
    assert [one.step for one in facts.checkpoints] == [4, 6]
    assert facts.peak_bytes > 1 << 20
    assert facts.record.facts is not None
    assert facts.record.facts.data.rows_by_type == {"conv": 8, "detail": 8}
    assert facts.record.facts.memory.total > 0
    assert "http" not in text


def test_measured_rows_are_the_planned_ones_and_their_fill_is_at_most_that(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    planned = plan_training(options).rows
    assert planned.rows > planned.steps
    train(options, QuietWatch())
    steps = read_metrics(options.out / "metrics.jsonl")
    assert sum(step.rows for step in steps) == planned.rows
    fill = collect_training(options.out).fill
    assert fill == steps[-1].tokens / (planned.rows * 256)
    assert 0.9 * planned.fill < fill <= planned.fill  # what is planned is the most that a row computes


def test_rows_of_steps_from_before_they_were_counted_are_in_no_fill() -> None:
    def step(number: int, tokens: int, rows: int) -> StepReport:
        return StepReport(number, 1.0, 1.0, {}, 1, tokens, 1, 1.0, rows)

    assert find_fill([step(1, 100, 0), step(2, 150, 1)], 100) == 0.5
    assert find_fill([step(1, 100, 0)], 100) is None


def test_rows_left_out_and_answers_cut_are_told(tmp_path: Path) -> None:
    train(make_options(tmp_path, "run", train={"steps": 1}, rows={"max_tokens": 80}), QuietWatch())
    text = read_text(tmp_path / "run")
    assert "answer_cut_to_nothing 8 coco/000000000000/conv/0, coco/000000000001/conv/0" in text
    assert "8 answers lost their end" in text
    train(make_options(tmp_path, "longer", train={"steps": 1}, rows={"max_tokens": 88}), QuietWatch())
    text = read_text(tmp_path / "longer")
    assert "No row was left out." in text
    assert "13 answers lost their end" in text
    assert "14 turns were left out" in text


def test_failed_run_leaves_a_report_with_the_reason(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", optim={"learning_rate": 1e30, "max_grad_norm": 0.0, "warmup": 0})
    with pytest.raises(InstructgenError, match="is nan"):
        train(options, QuietWatch())
    text = read_text(options.out)
    assert re.search(r"failed Failed after step \d of 6: the (loss|gradient) of step", text)
    assert collect_training(options.out).state == "failed"


def test_report_that_cannot_be_written_is_told_and_costs_nothing(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"steps": 1})
    watch = QuietWatch(lambda: (options.out / REPORT_NAME / "in the way").mkdir(parents=True))
    assert train(options, watch).progress.num_steps == 1
    assert (options.out / "model").is_dir()
    assert [line for line in watch.said if f"{REPORT_NAME} could not be written: " in line]


def test_finished_run_gets_the_report_that_it_lacks_and_keeps_the_one_it_has(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"steps": 1})
    train(options, QuietWatch())
    path = options.out / REPORT_NAME
    path.unlink()
    assert train(options, QuietWatch()).was_finished
    assert "All 1 steps are done." in read_text(options.out)
    path.write_text("mine")
    train(options, QuietWatch())
    assert path.read_text() == "mine"


def test_text_of_the_run_is_no_markup_in_its_page(tmp_path: Path) -> None:
    hostile = "</td></script><script>alert(1)</script>"
    options = replace(make_options(tmp_path, "run", train={"steps": 1}), recipe_notes={"train.steps": hostile})
    train(options, QuietWatch())
    assert hostile not in (options.out / REPORT_NAME).read_text(encoding="utf-8")
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in (options.out / REPORT_NAME).read_text(encoding="utf-8")


def test_settings_name_every_key_with_its_value() -> None:
    found = list(list_settings({"a": {"b": 1, "c": {}}, "d": [2]}, {"a.b": "x"}))
    assert [(one.key, one.value, one.note) for one in found] == [
        ("a.b", "1", "x"),
        ("a.c", "{}", "default"),
        ("d", "[2]", "default"),
    ]


def test_folder_without_a_run_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="cannot be read as a run"):
        write_training_report(tmp_path)


def test_name_of_a_runs_record_is_one() -> None:
    from instructgen.report import names
    from instructgen.train import run_folder

    assert names.RUN_NAME == run_folder.RUN_NAME
