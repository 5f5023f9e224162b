"""The report of an evaluation: figures beside blind controls, answers beside truths, failures with their reasons."""

import re
from pathlib import Path
from typing import Any

import pytest

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.results import Model
from instructgen.evaluate.shown import MOST_SHOWN, find_shown, read_shown
from instructgen.jobs.evaluate import EvaluateOptions, Evaluation
from instructgen.report.evaluation import choose_pictures, write_evaluation_report
from instructgen.student.ask import Ask
from tests.support.cli import run_cli
from tests.support.students import ScriptedStudent, always

HOSTILE = "Yes, </div></script><script>document.title = 'stolen'</script> a dog sits there."
MODEL = Model("scripted <i>", "0" * 64)


def run(out: Path, student: ScriptedStudent, *suites: str, **changes: Any) -> Evaluation:
    options = EvaluateOptions(suites, out, **{"source": SourceConfig(), "limit": 12, **changes})
    evaluation = Evaluation(options)
    evaluation.run(student, MODEL)
    return evaluation


def read_text(path: Path) -> str:
    """Return what is between the page's tags, in one line."""
    html = path.read_text(encoding="utf-8")
    body = re.sub(r"<(script|style).*?</\1>", " ", html.partition("<body>")[2], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return run(tmp_path_factory.mktemp("evaluation") / "out", always(HOSTILE), "pope", "chair", "qa")


def test_every_suite_is_shown_with_figures_and_answers(finished: Evaluation) -> None:
    assert finished.report is not None
    text = read_text(finished.report)
    for name, count in (("pope", MOST_SHOWN), ("chair", 12), ("qa", MOST_SHOWN)):
        answers, _ = read_shown(finished.options.out, name)
        assert len(answers) == count
        assert all(one.picture for one in answers)
    assert "POPE has no blind control here" in text
    assert "not above the best blind control by more than two standard errors" in text
    assert "kind existence" in text
    assert finished.report.stat().st_size < 5_000_000


def test_answers_without_the_picture_stand_beside_the_one_with_it(finished: Evaluation) -> None:
    answers, _ = read_shown(finished.options.out, "qa")
    for one in answers:
        assert "zero" in {arm.arm for arm in one.blind}
        assert all(arm.is_right == one.is_right for arm in one.blind)  # it says the same, whatever it is shown
    assert {one.is_right for one in answers if one.group == "existence"} == {True, False}


def test_what_a_description_names_wrongly_is_marked(finished: Evaluation) -> None:
    answers, _ = read_shown(finished.options.out, "chair")
    marks = [one.said[note.start : note.end] for one in answers for note in one.notes if note.truth == "contradicted"]
    assert marks
    assert set(marks) == {"a dog"}
    groups = {one.group for one in answers if any(note.truth == "contradicted" for note in one.notes)}
    assert groups == {"names what is not there"}


def test_text_of_an_answer_is_no_markup(finished: Evaluation) -> None:
    assert finished.report is not None
    html = finished.report.read_text(encoding="utf-8")
    assert "<script>document.title" not in html
    assert "Evaluation of scripted &lt;i&gt;" in html
    assert "https://" not in html.partition("<body>")[2].partition("<script>")[0]


def test_second_suite_leaves_the_first_ones_answers_in_the_report(tmp_path: Path) -> None:
    run(tmp_path, always("Yes."), "pope", limit=3)
    second = run(tmp_path, always("A dog."), "chair", limit=3)
    assert second.report is not None
    text = read_text(second.report)
    assert "pope answers" in text
    assert "chair answers" in text


def test_failures_are_counted_with_their_reasons_and_shown(tmp_path: Path) -> None:
    def speak(ask: Ask) -> str | None:
        return None if "dog" in ask.turns[-1].content else "No."

    evaluation = run(tmp_path, ScriptedStudent(speak), "pope", limit=6)
    _, failures = read_shown(tmp_path, "pope")
    assert failures
    assert evaluation.report is not None
    text = read_text(evaluation.report)
    assert "Without an answer" in text
    assert f"{failures[0].reason} {failures[0].key} {failures[0].detail}" in text


def test_report_that_cannot_be_written_is_told_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.html" / "in the way").mkdir(parents=True)
    said: list[str] = []
    options = EvaluateOptions(("pope",), tmp_path, source=SourceConfig(), limit=2)
    evaluation = Evaluation(options, say=said.append)
    results, _ = evaluation.run(always("Yes."), MODEL)
    assert results["suites"]["pope"]["accuracy"] == 0.5
    assert evaluation.report is None
    assert [line for line in said if "could not be written: " in line]


def test_folder_of_a_run_keeps_the_runs_own_report(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "report.html").write_text("the run's")
    assert run(tmp_path, always("Yes."), "pope", limit=2).report == tmp_path / "evaluation.html"
    assert (tmp_path / "report.html").read_text() == "the run's"


def test_pictures_beyond_the_room_are_left_out_and_counted(finished: Evaluation) -> None:
    answers, _ = read_shown(finished.options.out, "chair")
    room = sum(len(one.picture) for one in answers[:5])
    sizes, num_left_out = choose_pictures(answers, room)
    assert set(sizes) == {one.picture for one in answers[:5]}
    assert num_left_out == len(answers) - 5


def test_report_is_written_again_from_the_files_alone(finished: Evaluation) -> None:
    assert finished.report is not None
    before = finished.report.read_bytes()
    finished.report.unlink()
    assert write_evaluation_report(finished.options.out).read_bytes() == before
    kept = find_shown(finished.options.out, "qa").read_bytes()
    find_shown(finished.options.out, "qa").unlink()
    assert "qa answers" not in read_text(write_evaluation_report(finished.options.out))
    find_shown(finished.options.out, "qa").write_bytes(kept)
    write_evaluation_report(finished.options.out)


def test_folder_without_results_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"no results\.json"):
        write_evaluation_report(tmp_path)


def test_command_writes_the_page_of_a_run_and_of_an_evaluation_anew(finished: Evaluation, tmp_path: Path) -> None:
    folder = finished.options.out
    written = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()

    done = run_cli("report", folder, "--json")

    assert done.result == {"reports": [str(folder / "report.html")]}
    assert (folder / "report.html").read_bytes() == written
    assert "takes no other flag" in run_cli("report", folder, "--root", tmp_path).err
