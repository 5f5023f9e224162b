"""The judge's prompt, and what is made of its replies."""

import shutil
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.evaluate.judge import load_judge_prompt, make_judge_messages, read_two_numbers, score_judgements
from instructgen.records import Surrogate
from instructgen.resources import shared_folder

SURROGATE = Surrogate("own/1", "A dog sleeps.\ndog: [0.1, 0.2, 0.5, 0.9]", 1, 1)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("8 9", (8.0, 9.0)),
        ("8, 9", (8.0, 9.0)),
        ("8,9\nThe second answer is more exact.", (8.0, 9.0)),
        ("  7.5   10 \r\nBoth are good.", (7.5, 10.0)),
        ("The first answer is better.", None),
        ("8", None),
        ("8 9 10", None),
        ("8/10 9/10", None),
        ("Answer 1: 8", None),
        ("eight nine", None),
        ("nan 9", None),
        ("inf 9", None),
        ("1e3 9", None),
        ("٨ ٩", None),
        ("\n8 9", None),
        ("", None),
    ],
)
def test_marks_are_two_numbers_alone_in_the_first_line(text: str, marks: tuple[float, float] | None) -> None:
    assert read_two_numbers(text) == marks


def test_score_is_the_second_mean_over_the_first_in_percent() -> None:
    score = score_judgements(["8 6", "10, 9\nGood."])
    assert score.score == pytest.approx(100 * 7.5 / 9)
    assert (score.num_judged, score.mean_reference, score.mean_answer) == (2, 9.0, 7.5)


def test_judgement_without_marks_is_dropped_and_counted() -> None:
    with_bad = score_judgements(["8 6", "I cannot say.", "8"])
    assert with_bad.score == score_judgements(["8 6"]).score == 75.0
    assert (with_bad.num_judged, with_bad.num_dropped) == (1, 2)


@pytest.mark.parametrize("texts", [[], ["I cannot say."], ["0 9"]])
def test_without_a_mark_to_compare_with_there_is_no_score(texts: list[str]) -> None:
    assert score_judgements(texts).score is None


def test_chat_shows_the_reference_first_and_the_image_before_both() -> None:
    system, user = make_judge_messages(load_judge_prompt(), SURROGATE, "What is it?", "It is a cat.", "It is a dog.")
    assert (system.role, user.role) == ("system", "user")
    places = [user.content.index(text) for text in (SURROGATE.text, "What is it?", "It is a dog.", "It is a cat.")]
    assert places == sorted(places)
    assert SURROGATE.text not in system.content


def test_prompt_of_ones_own_is_read_and_has_another_hash(tmp_path: Path) -> None:
    shutil.copytree(shared_folder("prompts") / "judge", tmp_path / "judge")
    assert load_judge_prompt(tmp_path).sha256 == load_judge_prompt().sha256
    (tmp_path / "judge" / "system.j2").write_text("Two marks, please.", encoding="utf-8")
    prompt = load_judge_prompt(tmp_path)
    assert prompt.sha256 != load_judge_prompt().sha256
    assert make_judge_messages(prompt, SURROGATE, "What?", "A.", "B.")[0].content == "Two marks, please."


def test_missing_prompt_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="no prompt for 'judge'"):
        load_judge_prompt(tmp_path)
