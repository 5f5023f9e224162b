import pytest

from instructgen.errors import InstructgenError
from instructgen.records import Box, Message
from instructgen.review.doubts import list_box_lines, list_doubts
from instructgen.review.editing import check_answers, read_edit_file, write_edit_file
from tests.support.make import make_record

ONE = (Message("user", "What is there?"), Message("assistant", "A dog.\n\nIt sleeps."))
TWO = (*ONE, Message("user", "And the\nball?"), Message("assistant", "It is red."))


@pytest.mark.parametrize("turns", [ONE, TWO], ids=["one", "two"])
def test_file_that_was_not_changed_gives_the_answers_again(turns: tuple[Message, ...]) -> None:
    answers = tuple(turn.content for turn in turns if turn.role == "assistant")
    assert read_edit_file(write_edit_file(turns), turns) == answers


def test_each_answer_of_several_can_be_edited_below_its_question() -> None:
    text = write_edit_file(TWO).replace("It is red.", "It is blue.")
    assert "to: And the ball?" in text
    assert read_edit_file(text, TWO) == ("A dog.\n\nIt sleeps.", "It is blue.")


@pytest.mark.parametrize("change", [("==== answer 2", "answer 2"), ("==== answer 1", "note\n==== answer 1")])
def test_lines_between_answers_must_stay(change: tuple[str, str]) -> None:
    with pytest.raises(InstructgenError, match="keep the 2 lines"):
        read_edit_file(write_edit_file(TWO).replace(*change), TWO)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (("A dog.", " \n"), "answer 2 is empty"),
        (("A dog.",), "has 2 answers, and 1 came back"),
        (("A dog.</s>", "Red."), "answer 1 holds a control string"),
        (("A dog.", "USER: more"), "answer 2 holds a control string"),
    ],
)
def test_answer_that_may_not_be_published_is_refused(answers: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InstructgenError, match=reason):
        check_answers(TWO, answers)


def test_claims_that_annotations_contradict_are_pointed_at() -> None:
    turns = (Message("user", "What is there?"), Message("assistant", "A dog and an elephant lie on the grass."))
    doubts = list_doubts({"grounding": 0.25, "length": 9.0}, turns, "conv", make_record())
    assert doubts[0].startswith("grounding 0.25")
    assert any(line.startswith("contradicted object") and "elephant" in line for line in doubts)


def test_without_annotations_only_scores_can_doubt() -> None:
    assert list_doubts({"length": 9.0, "repetition": 0.0}, ONE, "conv", None) == ()


def test_boxes_are_counted_with_where_they_lie() -> None:
    boxes = (
        Box("dog", 0.0, 0.7, 0.2, 1.0),
        Box("ball", 0.4, 0.4, 0.6, 0.6),
        Box("dog", 0.8, 0.0, 1.0, 0.2, is_crowd=True),
    )
    assert list_box_lines(boxes) == (
        "2 dog (some of it a crowd): 1 bottom left, 1 top right",
        "1 ball: middle centre",
    )
