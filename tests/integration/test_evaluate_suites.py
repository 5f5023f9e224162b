"""Whole evaluations of students that are known: right, wrong, blind, always yes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.qa_questions import QaQuestion
from instructgen.evaluate.results import RESULTS_NAME, Model
from instructgen.evaluate.suites.qa import QaSuite
from instructgen.jobs.evaluate import EvaluateOptions, Evaluation, SuiteResult
from instructgen.lexicon.mentions import find_mentions
from instructgen.records import ImageRecord
from instructgen.resources import shared_folder
from instructgen.sources import open_source
from instructgen.student.ask import Ask
from tests.support.students import ScriptedStudent, always

SAMPLE = SourceConfig()
MODEL = Model("scripted", "0" * 64)


def run(
    out: Path, student: ScriptedStudent, *suites: str, model: Model = MODEL, **changes: Any
) -> tuple[dict[str, Any], tuple[SuiteResult, ...]]:
    options = EvaluateOptions(suites, out, **{"source": SAMPLE, **changes})
    return Evaluation(options).run(student, model)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery(open_source(SAMPLE, 0))


@pytest.fixture(scope="module")
def record_of(gallery: Gallery) -> Callable[[Ask], ImageRecord | None]:
    by_picture = {gallery.read(record.image_id): record for record in gallery.records}
    return lambda ask: by_picture[ask.pictures[0]] if ask.pictures[0] is not None else None


@pytest.fixture(scope="module")
def seer(record_of: Callable[[Ask], ImageRecord | None]) -> ScriptedStudent:
    """Answers whether something is there by the boxes of the picture that it is shown."""

    def speak(ask: Ask) -> str:
        record = record_of(ask)
        asked = {mention.category for mention in find_mentions(ask.turns[-1].content)}
        there = set() if record is None else {box.category for box in record.boxes}
        return "Yes, there is." if asked & there else "No, there is not."

    return ScriptedStudent(speak)


def test_pope_of_a_student_that_sees_is_perfect(tmp_path: Path, seer: ScriptedStudent) -> None:
    results, (measured,) = run(tmp_path, seer, "pope")
    pope = results["suites"]["pope"]
    assert measured.num_failed == 0
    for figures in (pope, *pope["groups"]["setting"].values()):
        assert [figures[name] for name in ("accuracy", "precision", "recall", "f1")] == [1.0] * 4
        assert figures["yes_share"] == 0.5
    assert pope["asked"] == pope["samples"] == 18 * pope["counts"]["images"] > 0
    assert set(pope["groups"]["setting"]) == {"random", "popular", "adversarial"}


def test_pope_of_a_yes_sayer_is_half_right(tmp_path: Path) -> None:
    results, _ = run(tmp_path, always("Yes."), "pope", limit=10)
    pope = results["suites"]["pope"]
    assert (pope["accuracy"], pope["precision"], pope["recall"], pope["yes_share"]) == (0.5, 0.5, 1.0, 1.0)
    assert pope["f1"] == pytest.approx(2 / 3, abs=1e-6)
    # Each picture has as many questions of yes as of no: the share is exact.
    assert pope["accuracy_stderr"] == 0.0
    assert pope["counts"]["images"] <= 10


def test_chair_counts_what_is_not_there(tmp_path: Path, record_of: Callable[[Ask], ImageRecord | None]) -> None:
    def tell_boxes(ask: Ask) -> str:
        record = record_of(ask)
        assert record is not None
        return " ".join(f"There is a {name}." for name in sorted({box.category for box in record.boxes}))

    honest, _ = run(tmp_path / "honest", ScriptedStudent(tell_boxes), "chair")
    chair = honest["suites"]["chair"]
    assert (chair["chair_i"], chair["chair_s"]) == (0.0, 0.0)
    assert chair["recall"] > 0.9
    lying, _ = run(tmp_path / "lying", always("There is a giraffe and a toaster."), "chair")
    chair = lying["suites"]["chair"]
    assert chair["chair_i"] > 0.9
    assert chair["chair_s"] > 0.9
    assert chair["recall"] < 0.1
    assert chair["words"] == 7.0
    assert chair["words_stderr"] == 0.0


def make_qa_student(*, sees: bool) -> tuple[ScriptedStudent, list[QaQuestion]]:
    """Return a student who knows the right answers, and needs the right picture for them or not."""
    gallery = Gallery(open_source(SAMPLE, 0))
    suite = QaSuite(gallery, 0, None)
    suite.questions()
    questions = suite._made
    right = {(one.text, gallery.read(one.image_id)): one for one in questions}
    wrong = {one.text: next(a for a, label in zip(one.answers, one.labels, strict=True)) for one in questions}

    def speak(ask: Ask) -> str:
        found = right.get((ask.turns[-1].content, ask.pictures[0])) if sees else None
        if found is None:
            return wrong[ask.turns[-1].content]
        return found.answers[found.labels.index(found.truth)]

    return ScriptedStudent(speak, lambda ask, candidate: float(candidate == speak(ask))), questions


@pytest.mark.parametrize("by", ["answer", "likeliest"])
def test_qa_of_a_student_that_sees_stands_above_its_blind_controls(tmp_path: Path, by: str) -> None:
    student, questions = make_qa_student(sees=True)
    results, _ = run(tmp_path, student, "qa", qa_by=by)
    qa = results["suites"]["qa"]
    assert qa["accuracy"] == 1.0
    assert qa["blind_accuracy"] == max(qa["shuffled_accuracy"], qa["zero_accuracy"]) < 0.8
    assert qa["difference"] == pytest.approx(1 - qa["blind_accuracy"], abs=1e-6)
    assert 0 < qa["difference_stderr"] < 0.1
    assert qa["samples"] == qa["counts"]["questions"]
    assert sum(part["samples"] for part in qa["groups"]["kind"].values()) == qa["samples"]
    if by == "answer":
        # The same words with an image of zeros are one ask.
        assert len(student.asked) <= 3 * len(questions)


def test_qa_of_a_student_that_sees_nothing_gains_nothing_by_the_picture(tmp_path: Path) -> None:
    student, _ = make_qa_student(sees=False)
    qa = run(tmp_path, student, "qa")[0]["suites"]["qa"]
    assert qa["accuracy"] == qa["shuffled_accuracy"] == qa["zero_accuracy"] == qa["blind_accuracy"]
    assert (qa["difference"], qa["difference_stderr"]) == (0.0, 0.0)


def test_answers_that_name_no_candidate_are_wrong_and_counted(tmp_path: Path) -> None:
    qa = run(tmp_path, always("Well."), "qa")[0]["suites"]["qa"]
    assert qa["accuracy"] == 0.0
    assert qa["counts"]["unread_seen"] == qa["counts"]["unread_zero"] == qa["samples"]


def test_kind_without_a_shuffled_control_has_no_figure_of_it_and_spoils_none(tmp_path: Path) -> None:
    """Who always says one thing is as right whatever is shown: a control that was not asked is no wrong answer."""
    for limit in range(2, 12):
        qa = run(tmp_path / str(limit), always("Yes, on the left."), "qa", limit=limit)[0]["suites"]["qa"]
        kinds = qa["groups"]["kind"]
        alone = [name for name, part in kinds.items() if any(note.startswith(f"{name}:") for note in qa["notes"])]
        if alone and any(kinds[name]["accuracy"] for name in alone) and len(alone) < len(kinds):
            break
    else:
        pytest.fail("no draw has a kind with a shuffled control and one without")
    assert all(kinds[name]["shuffled_accuracy"] is None for name in alone)
    assert qa["blind_accuracy"] == qa["accuracy"] > 0
    assert (qa["difference"], qa["difference_stderr"]) == (0.0, 0.0)


def test_images_left_out_are_told_with_the_suites_that_ask_about_them(tmp_path: Path) -> None:
    root = tmp_path / "science"
    root.mkdir()
    problem = {"question": "?", "choices": ["a", "b"], "answer": 0, "split": "test"}
    (root / "problems.json").write_text(json.dumps({"1": problem}))
    (root / "pid_splits.json").write_text(json.dumps({"test": ["1"]}))
    evaluation = Evaluation(EvaluateOptions(("pope", "scienceqa"), tmp_path / "out", SAMPLE, scienceqa=root))
    evaluation.prepare()
    assert evaluation._gallery is not None
    evaluation._gallery._rejected["image_invalid"] = 3
    suites = evaluation.run(always("A"), MODEL)[0]["suites"]
    assert suites["pope"]["images_left_out"]["image_invalid"] == 3
    assert suites["scienceqa"]["images_left_out"] == {}


def test_question_with_a_control_that_failed_is_in_no_figure(tmp_path: Path) -> None:
    student = ScriptedStudent(
        lambda ask: None if ask.pictures == (None,) and "people" in ask.turns[0].content else "Yes."
    )
    results, (measured,) = run(tmp_path, student, "qa")
    qa = results["suites"]["qa"]
    assert qa["failed"] == measured.num_failed > 0
    assert qa["asked"] == 3 * (qa["samples"] + qa["failed"])


def test_stopped_evaluation_goes_on_and_asks_nothing_twice(tmp_path: Path, seer: ScriptedStudent) -> None:
    at_once = ScriptedStudent(seer._speak)
    whole, _ = run(tmp_path / "whole", at_once, "pope", batch=7)

    class Ending(ScriptedStudent):
        def answer_all(self, asks, sampling):  # type: ignore[no-untyped-def]
            if len(self.asked) >= 21:
                raise RunStoppedError("the machine goes down")
            return super().answer_all(asks, sampling)

    first = Ending(seer._speak)
    with pytest.raises(RunStoppedError):
        run(tmp_path / "cut", first, "pope", batch=7)
    assert not (tmp_path / "cut" / RESULTS_NAME).exists()
    second = ScriptedStudent(seer._speak)
    resumed, _ = run(tmp_path / "cut", second, "pope", batch=7)
    assert first.asked + second.asked == at_once.asked
    assert len(first.asked) == 21
    assert resumed == whole


def test_suites_of_one_model_gather_and_those_of_another_are_dropped(tmp_path: Path, seer: ScriptedStudent) -> None:
    run(tmp_path, seer, "pope", limit=5)
    both, _ = run(tmp_path, seer, "chair", limit=5)
    assert list(both["suites"]) == ["pope", "chair"]
    assert json.loads((tmp_path / RESULTS_NAME).read_text()) == both
    other, _ = run(tmp_path, seer, "chair", limit=5, model=Model("scripted", "1" * 64))
    assert list(other["suites"]) == ["chair"]
    assert other["model"]["digest"] == "1" * 64


def test_another_model_in_the_same_folder_is_asked_anew(tmp_path: Path) -> None:
    run(tmp_path, always("Yes."), "pope", limit=3)
    student = always("No.")
    run(tmp_path, student, "pope", limit=3, model=Model("scripted", "1" * 64))
    assert student.asked


def test_picture_that_cannot_be_answered_is_counted_not_dropped(tmp_path: Path, gallery: Gallery) -> None:
    spoilt = gallery.read(gallery.draw("chair", 0, 6, lambda _one: True)[0].image_id)

    def speak(ask: Ask) -> str | None:
        return None if ask.pictures == (spoilt,) else "There is a dog."

    results, (measured,) = run(tmp_path, ScriptedStudent(speak), "chair", limit=6)
    chair = results["suites"]["chair"]
    assert (chair["asked"], chair["answered"], chair["failed"]) == (6, 5, 1)
    assert chair["failures"] == {"not_answered": 1}
    assert chair["samples"] == 5
    assert measured.num_failed == 1
    assert "not answered: 1 x not_answered" in measured.table


def test_images_without_a_picture_are_passed_over(tmp_path: Path) -> None:
    root = tmp_path / "coco"
    shutil.copytree(shared_folder("data") / "sample", root)
    pictures = sorted(path for path in root.rglob("*.jpg"))
    for path in pictures[::2]:
        path.unlink()
    results, (measured,) = run(tmp_path / "out", always("A dog."), "chair", source=SourceConfig(root=str(root)))
    chair = results["suites"]["chair"]
    assert chair["asked"] == len(pictures) - len(pictures[::2])
    assert chair["images_left_out"] == {"image_missing": len(pictures[::2])}
    assert measured.num_failed == 0


def test_settings_that_figures_depend_on_stand_beside_them(tmp_path: Path) -> None:
    results, _ = run(tmp_path, always("Yes."), "pope", limit=3, seed=4, max_tokens=5)
    pope = results["suites"]["pope"]
    assert (pope["version"], pope["seed"], pope["sampling"]["max_tokens"]) == (1, 4, 5)
    assert pope["sampling"]["temperature"] == 0.0
    assert pope["source"]


def test_seed_draws_no_answers_where_the_likeliest_is_taken(tmp_path: Path) -> None:
    greedy, _ = run(tmp_path / "a", always("Yes."), "pope", limit=2, seed=4)
    drawn, _ = run(tmp_path / "b", always("Yes."), "pope", limit=2, seed=4, temperature=0.7)
    assert greedy["suites"]["pope"]["sampling"]["seed"] == 0
    assert drawn["suites"]["pope"]["sampling"]["seed"] == 4


@pytest.mark.parametrize(
    ("suites", "message"),
    [
        (("mmlu",), "no suite called 'mmlu'"),
        ((), "--suite names none"),
        (("llava-bench",), "--judge"),
        (("scienceqa",), "--scienceqa FOLDER"),
    ],
)
def test_suite_that_lacks_something_is_told_before_anything_is_asked(
    tmp_path: Path, suites: tuple[str, ...], message: str
) -> None:
    student = always("Yes.")
    with pytest.raises(InstructgenError, match=message):
        run(tmp_path / "out", student, *suites)
    assert not student.asked
    assert not (tmp_path / "out").exists()


def test_captions_of_the_references_own_words_score_high(
    tmp_path: Path, record_of: Callable[[Ask], ImageRecord | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pycocoevalcap", reason="the extra [evaluate] is not installed")
    from instructgen.evaluate import captioning

    monkeypatch.setattr(captioning.shutil, "which", lambda _name: None)

    def tell(ask: Ask) -> str:
        record = record_of(ask)
        assert record is not None
        return record.captions[0]

    own = run(tmp_path / "own", ScriptedStudent(tell), "captions")[0]["suites"]["captions"]
    other = run(tmp_path / "other", always("A pizza."), "captions")[0]["suites"]["captions"]
    assert own["bleu_4"] > 0.99
    assert own["cider"] > 1 > other["cider"]
    assert "meteor" not in own
