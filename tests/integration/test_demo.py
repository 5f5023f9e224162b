"""The demo end to end, so small that nothing is learned: what it leaves, what it says, and that it goes on."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("transformers", reason="the extra [train] is not installed")

from instructgen.errors import InstructgenError
from instructgen.jobs.demo import RESULT_NAME, Demo, Worker, make_steps
from instructgen.jobs.demo_plan import DemoPlan
from instructgen.jobs.demo_report import write_report
from instructgen.train.example_rows import open_source
from tests.support.cli import command_of

TINY = DemoPlan(
    num_other_scenes=24,
    vision_steps=2,
    language_steps=(1, 1, 1),
    num_scenes=16,
    stage1_steps=2,
    stage2_steps=2,
    num_held_out=4,
)
WORKER = (sys.executable, "-m", "instructgen.cli.demo_worker")


def warm_worker() -> tuple[str, ...]:
    """Return a command that does as WORKER does, and finds the heavy packages loaded."""
    return command_of("instructgen.cli.demo_worker", with_models=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], list[str]]:
    out = tmp_path_factory.mktemp("demo") / "out"
    said: list[str] = []
    return out, Demo(out, TINY, said.append, warm_worker()).run(), said


def test_result_names_accuracy_controls_and_captions_alone(
    finished: tuple[Path, dict[str, object], list[str]],
) -> None:
    out, result, _ = finished
    assert {"accuracy", "blind_accuracy", "captions_only_accuracy", "seconds", "by_kind", "controls"} <= set(result)
    assert set(result["controls"]) == {"images_shuffled", "image_zero", "question_only"}  # type: ignore[call-overload]
    assert json.loads((out / RESULT_NAME).read_text(encoding="utf-8")) == result


def test_every_step_left_what_it_is_known_by(finished: tuple[Path, dict[str, object], list[str]]) -> None:
    out, _, _ = finished
    assert [step.name for step in make_steps(out, TINY) if not step.done.exists()] == []


def test_blind_student_gets_the_same_chats_with_a_gray_picture_for_each_scene(
    finished: tuple[Path, dict[str, object], list[str]],
) -> None:
    from PIL import Image

    out, _, _ = finished
    rows = [json.loads(line) for line in (out / "data" / "blind" / "chats.jsonl").read_text("utf-8").splitlines()]
    seen = list(open_source(out / "data" / "chats", "train").rows())
    assert [row["messages"][1]["content"] for row in rows] == [row.messages[1].content for row in seen]
    names = [row["images"][0] for row in rows]
    assert len(set(names)) == len({row.keys[0] for row in seen}) > 1
    with Image.open(out / "data" / "blind" / names[0]) as picture:
        assert len(picture.getcolors() or ()) == 1


def test_finished_demo_takes_no_step_again(finished: tuple[Path, dict[str, object], list[str]]) -> None:
    out, result, _ = finished
    said: list[str] = []
    again = Demo(out, TINY, said.append, ("false",)).run()
    assert said == []
    assert again["accuracy"] == result["accuracy"]


def test_only_the_step_whose_result_is_gone_is_taken_again(
    finished: tuple[Path, dict[str, object], list[str]],
) -> None:
    out, result, _ = finished
    (out / "evaluation" / "blind" / "results.json").unlink()
    said: list[str] = []
    again = Demo(out, TINY, said.append, warm_worker()).run()
    assert [line.partition(":")[0] for line in said] == ["evaluate-blind", "evaluate-blind"]
    assert again["controls"] == result["controls"]


def test_another_plan_in_the_same_folder_is_refused(finished: tuple[Path, dict[str, object], list[str]]) -> None:
    out, _, _ = finished
    with pytest.raises(InstructgenError, match="another plan"):
        Demo(out, DemoPlan(), lambda _: None, WORKER).run()


def test_report_holds_table_curves_and_pictures(finished: tuple[Path, dict[str, object], list[str]]) -> None:
    out, result, _ = finished
    page = write_report(out, result).read_text(encoding="utf-8")
    shown = page.partition("<body>")[2].partition("<script>")[0]
    assert "student of captions alone" in shown
    assert '<img src="data:image/jpeg;base64,' in shown
    assert shown.count("data-chart") == 2 + 5  # figures, gains, five runs; so short a stage 0 has no curve
    assert 'href="runs/stage2/report.html"' in shown
    assert "http" not in shown


def test_failed_step_says_which_and_what(tmp_path: Path) -> None:
    script = "import sys\nfor line in sys.stdin: print(7, flush=True)"
    with pytest.raises(InstructgenError, match="failed"):
        Demo(tmp_path / "out", TINY, lambda _: None, (sys.executable, "-c", script)).run()


def test_worker_answers_each_command_with_its_exit_code(tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = Worker(WORKER)
    codes = [worker.run(command, log) for command in (["--version"], ["show", "nowhere"])]
    worker.stop()
    assert codes == [0, 2]
    assert "instructgen" in log.read_text(encoding="utf-8")


def test_command_is_stopped_where_nobody_waits_for_the_worker_any_more(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with subprocess.Popen(warm_worker(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        chats = ("--source", "scenes", "--limit", "4000", "--types", "conv", "--out", str(tmp_path / "out"), "--json")
        worker.stdin.write(json.dumps([str(log), "build", *chats]) + "\n")
        worker.stdin.flush()
        while not (tmp_path / "out" / "run").exists():
            assert worker.poll() is None
            time.sleep(0.05)
        worker.stdin.close()
        assert worker.stdout.read().split() == ["3"]
    assert "stopped" in log.read_text(encoding="utf-8")
