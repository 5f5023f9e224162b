"""Asking a student: batches, what is kept, what fails."""

from pathlib import Path

import pytest

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.evaluate.answering import Asker, count_failures
from instructgen.evaluate.predictions import PredictionFile
from instructgen.evaluate.questions import Question
from instructgen.student.ask import Ask, Sampling
from tests.support.students import ScriptedStudent, always

PICTURES = {"a": b"picture a", "b": b"picture b", "c": b"picture c"}
QUESTIONS = [Question(f"q/{name}", "What is there?", name) for name in PICTURES]


def ask_all(
    folder: Path,
    student: ScriptedStudent,
    questions: list[Question] = QUESTIONS,
    *,
    model: str = "m",
    sampling: Sampling = Sampling(8),  # noqa: B008
    pictures: dict[str, bytes] = PICTURES,
) -> dict[str, str]:
    """Return the answers' texts, or the reasons of failures."""
    with PredictionFile(folder) as file:
        asker = Asker(student, model, file, sampling, batch=2)
        predictions = asker.answer("s", questions, pictures.get)
    return {key: one.failure or one.text for key, one in predictions.items()}


def tell_picture(ask: Ask) -> str | None:
    shown = ask.pictures[0] if ask.pictures else b"nothing"
    return "zeros" if shown is None else shown.decode()


def test_every_question_is_asked_once_in_batches_with_its_picture(tmp_path: Path) -> None:
    student = ScriptedStudent(tell_picture)
    questions = [*QUESTIONS, Question("zero", "What?", None), Question("text", "What?", "")]
    assert ask_all(tmp_path, student, questions) == {
        "q/a": "picture a",
        "q/b": "picture b",
        "q/c": "picture c",
        "zero": "zeros",
        "text": "nothing",
    }
    assert student.batches == [2, 2, 1]


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    first = ask_all(tmp_path, always("Yes."), QUESTIONS[:2])
    student = always("No.")
    assert ask_all(tmp_path, student) == {**first, "q/c": "No."}
    assert len(student.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"sampling": Sampling(9)},
        {"pictures": {**PICTURES, "a": b"a new picture"}},
        {"questions": [Question("q/a", "And what is here?", "a")]},
        {"questions": [Question("q/a", "What is there?", None)]},
    ],
)
def test_another_model_picture_question_or_sampling_is_asked_anew(tmp_path: Path, change: dict[str, object]) -> None:
    ask_all(tmp_path, always("Yes."))
    student = always("No.")
    found = ask_all(tmp_path, student, **{"questions": QUESTIONS[:1], **change})  # type: ignore[arg-type]
    assert found == {"q/a": "No."}


def test_same_ask_of_two_questions_is_asked_once(tmp_path: Path) -> None:
    student = always("Yes.")
    found = ask_all(tmp_path, student, [Question("1", "Any dog?", None), Question("2", "Any dog?", None)])
    assert found == {"1": "Yes.", "2": "Yes."}
    assert len(student.asked) == 1


def test_one_bad_ask_loses_itself_alone(tmp_path: Path) -> None:
    def speak(ask: Ask) -> str | None:
        return None if ask.pictures == (b"picture b",) else "Yes."

    assert ask_all(tmp_path, ScriptedStudent(speak)) == {"q/a": "Yes.", "q/b": "not_answered", "q/c": "Yes."}


def test_missing_picture_is_a_failure_that_is_counted_and_asked_again(tmp_path: Path) -> None:
    found = ask_all(tmp_path, always("Yes."), pictures={"a": b"picture a", "c": b"picture c"})
    assert found["q/b"] == "image_missing"
    assert ask_all(tmp_path, always("No."))["q/b"] == "No."


def test_failures_are_counted_by_reason(tmp_path: Path) -> None:
    with PredictionFile(tmp_path) as file:
        predictions = Asker(always("Yes."), "m", file, Sampling(), 4).answer("s", QUESTIONS, {}.get)
    assert count_failures(predictions) == {"image_missing": 3}


def test_student_that_cannot_go_on_ends_the_run_and_keeps_what_came(tmp_path: Path) -> None:
    calls = 0

    class Ending(ScriptedStudent):
        def answer_all(self, asks, sampling):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls > 1:
                raise RunStoppedError("the server refuses everything")
            return super().answer_all(asks, sampling)

    with pytest.raises(RunStoppedError):
        ask_all(tmp_path, Ending(lambda _ask: "Yes."))
    student = always("No.")
    assert list(ask_all(tmp_path, student).values()) == ["Yes.", "Yes.", "No."]


def test_candidates_are_weighed_not_answered(tmp_path: Path) -> None:
    student = ScriptedStudent(lambda _ask: None, lambda _ask, candidate: -float(len(candidate)))
    with PredictionFile(tmp_path) as file:
        found = Asker(student, "m", file, Sampling(), 4).answer(
            "qa", [Question("1", "Color?", "a", ("Brown.", "Red."))], PICTURES.get
        )
    assert found["1"].scores == (-6.0, -4.0)
    assert found["1"].best == 1


def test_reader_that_raises_is_a_missing_picture(tmp_path: Path) -> None:
    def read(image_id: str) -> bytes | None:
        raise InstructgenError("the folder is gone")

    with PredictionFile(tmp_path) as file:
        found = Asker(always("Yes."), "m", file, Sampling(), 4).answer("s", QUESTIONS[:1], read)
    assert found["q/a"].failure == "image_missing"
