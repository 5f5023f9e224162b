"""ScienceQA: prompts, and the letter that an answer means."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.errors import InstructgenError
from instructgen.evaluate.questions import Prediction, Report
from instructgen.evaluate.suites.scienceqa import Problem, ScienceQaSuite, read_letter, write_problem

PROBLEMS: dict[str, dict[str, Any]] = {
    "1": {
        "question": "Which is a mammal?", "choices": ["dog", "frog"], "answer": 0, "hint": "Look at the picture.",
        "image": "image.png", "subject": "natural science", "grade": "grade2", "split": "test", "lecture": "L",
    },
    "2": {
        "question": "Which word rhymes?", "choices": ["cat", "cup", "hat"], "answer": 2, "hint": "", "image": None,
        "subject": "language science", "grade": "grade8", "split": "test",
    },
    "3": {"question": "Train?", "choices": ["a", "b"], "answer": 1, "hint": "", "split": "train"},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problems.json").write_text(json.dumps(PROBLEMS))
    (tmp_path / "pid_splits.json").write_text(json.dumps({"test": ["1", "2"], "train": ["3"]}))
    picture = tmp_path / "images" / "test" / "1" / "image.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    return tmp_path


def measure(suite: ScienceQaSuite, **texts: str) -> Report:
    suite.questions()
    return suite.measure({key[1:]: Prediction("scienceqa", key[1:], "d", text) for key, text in texts.items()})


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("A", "A"),
        (" B\n", "B"),
        ("C. a hat", "C"),
        ("The answer is B.", "B"),
        ("Dogs are mammals. The answer is A. That is all.", "A"),
        ("The answer is A. The answer is B.", None),
        ("The answer is A. The answer is A.", None),
        ("The answer is B", None),
        ("the answer is B.", None),
        ("B) frog", None),
        ("AB", None),
        ("", None),
        ("dog", None),
    ],
)
def test_letter_is_bare_or_first_or_told_once(answer: str, letter: str | None) -> None:
    assert read_letter(answer) == letter


def test_prompt_is_question_context_and_options() -> None:
    problem = Problem("Which?", ["x", "y"], 0, hint="A hint.")
    assert write_problem(problem) == "Question: Which?\nContext: A hint.\nOptions: (A) x (B) y\n"
    assert "\nContext: N/A\n" in write_problem(Problem("Which?", ["x", "y"], 0, hint=" "))


def test_problems_of_the_split_are_asked_with_their_pictures(folder: Path) -> None:
    suite = ScienceQaSuite(folder, "test", 0, None)
    assert [(one.key, one.image_id) for one in suite.questions()] == [("1", "1"), ("2", "")]
    assert suite.read_picture("1") == b"a picture"


def test_unread_answer_is_wrong_and_counted(folder: Path) -> None:
    report = measure(ScienceQaSuite(folder, "test", 0, None), _1="The answer is A.", _2="A hat, I think")
    assert report.scores["accuracy"].value == 0.5
    assert report.counts == {"unread": 1}


def test_tables_are_by_subject_context_and_grade(folder: Path) -> None:
    groups = measure(ScienceQaSuite(folder, "test", 0, None), _1="A", _2="A").groups
    values = {
        table: {part: scores["accuracy"].value for part, scores in parts.items()} for table, parts in groups.items()
    }
    assert values == {
        "subject": {"NAT": 1.0, "LAN": 0.0},
        "context": {"TXT": 1.0, "IMG": 1.0, "NO": 0.0},
        "grade": {"G1-6": 1.0, "G7-12": 0.0},
    }


def test_letter_beyond_the_choices_is_wrong(folder: Path) -> None:
    assert measure(ScienceQaSuite(folder, "test", 0, None), _1="E").scores["accuracy"].value == 0.0


def test_unknown_split_and_missing_files_are_named(folder: Path) -> None:
    with pytest.raises(InstructgenError, match="no split 'val'; it has: test, train"):
        ScienceQaSuite(folder, "val", 0, None)
    (folder / "problems.json").unlink()
    with pytest.raises(InstructgenError, match=r"problems\.json"):
        ScienceQaSuite(folder, "test", 0, None)


def test_picture_outside_the_folder_is_not_read(folder: Path) -> None:
    problems = {**PROBLEMS, "1": {**PROBLEMS["1"], "image": "../../../../secret"}}
    (folder / "problems.json").write_text(json.dumps(problems))
    (folder.parent / "secret").write_bytes(b"secret")
    assert ScienceQaSuite(folder, "test", 0, None).read_picture("1") is None


@pytest.mark.parametrize(("answer", "num_choices"), [(2, 2), (-1, 2), (0, 6), (0, 0)])
def test_problem_that_no_letter_can_answer_is_named(folder: Path, answer: int, num_choices: int) -> None:
    wrong = {**PROBLEMS["2"], "answer": answer, "choices": ["x"] * num_choices}
    (folder / "problems.json").write_text(json.dumps({**PROBLEMS, "2": wrong}))
    with pytest.raises(InstructgenError, match="problem 2 has"):
        ScienceQaSuite(folder, "test", 0, None)
