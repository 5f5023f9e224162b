"""Garments: what two words may mean one of is told once."""

import pytest

from instructgen.scenegraph.garments import clashes, may_be_one_garment
from tests.unit.scenegraph.pictures import actions, read


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("dress", "shorts", True),
        ("suit", "jacket", True),
        ("hat", "cap", True),
        ("jacket", "parka", True),
        ("dress shirt", "shirt", True),
        ("shirt", "shorts", False),
        ("hat", "dress", False),
        ("suit", "tie", False),
        ("dress", "horse", False),
    ],
)
def test_words_of_one_part_of_the_body_may_mean_one_garment(one: str, other: str, *, alike: bool) -> None:
    assert may_be_one_garment(one, other) is alike
    assert may_be_one_garment(other, one) is alike


def test_a_garment_clashes_with_any_that_is_worn() -> None:
    assert clashes("dress", {"hat", "shorts"})
    assert not clashes("dress", {"hat", "tie"})


def test_two_captions_words_for_one_garment_are_told_as_one_and_one_captions_as_two() -> None:
    worn = {
        one for one in actions(read("A man wearing a robe. | A man wearing shorts.", "person")) if "wearing" in one
    }
    assert len(worn) == 1
    told = actions(read("A man wearing a suit. | A man wearing a tie.", "person, tie"))
    assert {"man wearing a suit", "man wearing a tie"} <= told


def test_a_joined_subject_wears_no_single_garment() -> None:
    assert actions(read("A bride and a man wearing a suit. | A bride and a man.", "2 person")) == set()
    assert "people wearing hats" in actions(read("A man and a woman wearing hats. | A man. | A woman.", "2 person"))


def test_skis_are_not_worn() -> None:
    assert actions(read("A man wearing skis. | A man.", "person, skis")) == set()
