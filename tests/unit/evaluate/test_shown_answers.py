"""What is shown of a suite's answers: each kind, right and wrong alike, with small pictures, bounded."""

import io
from collections import Counter
from pathlib import Path

import pytest

from instructgen.evaluate.questions import Prediction, ShownAnswer, ShownFailure
from instructgen.evaluate.shown import (
    MOST_SHOWN,
    choose,
    choose_failures,
    find_shown,
    keep_shown,
    read_shown,
)
from instructgen.evaluate.suites.scienceqa import Problem, ScienceQaSuite


def make_answer(number: int, group: str, *, is_right: bool | None) -> ShownAnswer:
    return ShownAnswer(str(number), "Is it?", f"image/{number}", "Yes.", ("yes",), is_right, group=group)


def make_picture(width: int, height: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def test_rare_kinds_and_outcomes_are_shown_beside_the_many() -> None:
    answers = [make_answer(number, "colour", is_right=False) for number in range(500)]
    answers += [make_answer(number, "colour", is_right=True) for number in range(500, 503)]
    answers += [make_answer(number, "place", is_right=True) for number in range(503, 510)]
    chosen = choose(answers, 24)
    counts = Counter((one.group, one.is_right) for one in chosen)
    assert counts == {("colour", False): 14, ("colour", True): 3, ("place", True): 7}
    assert chosen == [one for one in answers if one in chosen]
    assert choose(answers, 24) == chosen


def test_all_are_shown_where_they_are_few() -> None:
    answers = [make_answer(number, "", is_right=None) for number in range(5)]
    assert choose(answers, MOST_SHOWN) == answers


def test_few_failures_of_each_reason_are_kept() -> None:
    predictions = {
        str(number): Prediction("pope", str(number), "d", failure="refused" if number % 10 else "no_picture")
        for number in range(100)
    }
    counts = Counter(one.reason for one in choose_failures(predictions))
    assert counts == {"refused": 5, "no_picture": 5}


def make_suite(folder: Path) -> ScienceQaSuite:
    """Return a suite of one problem, whose question is very long."""
    import msgspec

    problem = Problem("Which? " + "x" * 5000, ["<b>this</b>", "that"], 1, subject="natural science", grade="grade3")
    (folder / "problems.json").write_bytes(msgspec.json.encode({"7": problem}))
    (folder / "pid_splits.json").write_bytes(msgspec.json.encode({"test": ["7"]}))
    return ScienceQaSuite(folder, "test", 0, None)


def test_what_is_kept_is_read_again_and_replaced_by_the_next_run(tmp_path: Path) -> None:
    suite = make_suite(tmp_path)
    suite.questions()
    keep_shown(tmp_path, suite, {"7": Prediction("scienceqa", "7", "d", text="B. that")})
    (answer,), failures = read_shown(tmp_path, "scienceqa")
    assert (answer.truth, answer.is_right, answer.group, answer.said) == (("B. that",), True, "NAT", "B. that")
    assert len(answer.question) < 2100
    assert failures == []
    keep_shown(tmp_path, suite, {"7": Prediction("scienceqa", "7", "d", failure="refused", detail="no")})
    assert read_shown(tmp_path, "scienceqa") == ([], [ShownFailure("7", "refused", "no")])


def test_line_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    suite = make_suite(tmp_path)
    keep_shown(tmp_path, suite, {"7": Prediction("scienceqa", "7", "d", text="A")})
    path = find_shown(tmp_path, "scienceqa")
    path.write_bytes(b'{"is": "answer", "key": 3}\n' + path.read_bytes())
    (answer,), _ = read_shown(tmp_path, "scienceqa")
    assert answer.is_right is False


@pytest.mark.parametrize("suite", ["qa", "captions"])
def test_nothing_is_shown_of_a_suite_that_kept_nothing(tmp_path: Path, suite: str) -> None:
    assert read_shown(tmp_path, suite) == ([], [])
