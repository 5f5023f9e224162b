"""Joining, comparing and reading texts that come back."""

import pytest

from instructgen.refine.diff import diff_words
from instructgen.refine.joining import join_texts
from instructgen.refine.rewrite import says_unchanged

TEXT = "A brown dog lies on the grass of a park, and beside it there is a red ball that belongs to a child."


@pytest.mark.parametrize(
    ("first", "more", "whole"),
    [
        ("A dog sleeps.", "It is brown.", "A dog sleeps. It is brown."),
        ("A dog sleeps on a", " blue mat.", "A dog sleeps on a blue mat."),
        ("A dog sleeps. \n", "", "A dog sleeps."),
        ("Answer:\nA dog.", "===\nQuestion:\nWhere?", "Answer:\nA dog.\n===\nQuestion:\nWhere?"),
        ("Answer:\nA dog.", "**Question:** Where?", "Answer:\nA dog.\n**Question:** Where?"),
        ("1. A dog", "2. A cat", "1. A dog\n2. A cat"),
    ],
)
def test_what_goes_on_is_put_where_it_belongs(first: str, more: str, whole: str) -> None:
    assert join_texts(first, more) == whole


def test_diff_tells_what_was_kept_taken_away_and_put_in() -> None:
    assert diff_words("A dog and a cat sleep.", "A dog sleeps.") == (
        ("=", "A dog"),
        ("-", "and a cat sleep."),
        ("+", "sleeps."),
    )


def test_diff_of_the_same_words_is_empty() -> None:
    assert diff_words("A dog\n\nsleeps.", "A dog sleeps.") == ()


def test_both_texts_can_be_read_off_a_diff() -> None:
    before, after = "the red dog sat on a mat by a door", "a red dog lies on the mat near a red door today"
    pieces = diff_words(before, after)
    assert " ".join(text for sign, text in pieces if sign != "+") == before
    assert " ".join(text for sign, text in pieces if sign != "-") == after


def test_very_long_texts_are_told_as_replaced() -> None:
    assert [sign for sign, _ in diff_words("a " * 5000, "b " * 5000)] == ["-", "+"]


@pytest.mark.parametrize(
    "said",
    [
        "No changes are needed.",
        "No corrections needed",
        "The paragraph is already correct.",
        "The given text is correct as it is.",
        "Unchanged.",
        "There are no mistakes in the text.",
        "*No changes.*",
    ],
)
def test_model_may_say_that_a_text_is_right(said: str) -> None:
    assert says_unchanged(said, TEXT)


@pytest.mark.parametrize(
    "said",
    [TEXT, "The paragraph is already correct. " + TEXT, "", "No people are there.", "The text on the sign is red."],
)
def test_text_is_not_taken_for_such_a_remark(said: str) -> None:
    assert not says_unchanged(said, TEXT)
