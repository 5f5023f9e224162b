"""Captions told whole: what of a caption is told to its end, and what is not told."""

import pytest

from instructgen.scenegraph.whole import find_whole
from tests.unit.scenegraph.pictures import read

BEAR = (
    "A bear on a dashboard. | A stuffed bear wedged into a car dashboard. | A teddy bear on the dashboard. | A bear."
)
PARK = "A man in a park. | A man by a zorb in a park. | A man in a park. | A man by a zorb."


def tell(captions: str, boxes: str, said: str = "", *, margin: int = 1, needs_verb: bool = False) -> str:
    """Return the caption that is told whole, its predicate behind a bar."""
    sources = read(captions, boxes).sources
    assert sources is not None
    one = find_whole(sources, said, margin, needs_verb=needs_verb)
    if one is None:
        return ""
    parts = ("".join(part.text for part in parts).strip() for parts in (one.subject, one.predicate))
    return " | ".join(filter(None, parts))


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        (
            f"{BEAR} | The teddy bear is propped into the dashboard.",
            "teddy bear",
            "a teddy bear | propped into the dashboard",
        ),
        (f"{PARK} | A man polishes a zorb in a park.", "person", "a man by a zorb in a park |"),
        (f"{PARK} | A man washing a zorb in a park.", "person", "a man | washing a zorb in a park"),
        (f"{PARK} | A man washing a zrob in a park.", "person", "a man by a zorb in a park |"),  # misspelled
        (f"{PARK} | A man about to wash a zorb in a park.", "person", "a man by a zorb in a park |"),
        (
            "A sink. | A kitchen. | Cabinets. | A stove. | A kitchen with cabinets, a sink and a stove.",
            "sink, oven",
            "a kitchen with cabinets, a sink and a stove |",
        ),
        ("A cat. | A dog. | A house. | A tree. | A pen on a ledge.", "", ""),  # nobody else has seen it
    ],
)
def test_caption_is_told_to_its_end_where_others_share_it(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told.removesuffix(" |")


def test_it_has_to_tell_more_than_what_was_said() -> None:
    captions = f"{PARK} | A man washing a zorb in a park."
    assert tell(captions, "person", "A man and a park.") == "a man | washing a zorb in a park"
    assert not tell(captions, "person", "A man with a zorb in a park.")
    assert not tell(captions, "person", "A man and a park.", margin=9)


def test_no_doing_is_given_up_for_what_is_there() -> None:
    assert not tell(f"{PARK} | A man.", "person", needs_verb=True)


def tell_early(captions: str, boxes: str) -> str:
    sources = read(captions, boxes).sources
    assert sources is not None
    one = find_whole(sources, "", 0, needs_verb=False, may_end_early=True)
    return "" if one is None else "".join(part.text for part in (*one.subject, *one.predicate))


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("with zrobs.", "a cat on a rug"),  # a word that nobody knows
        ("scratching zrobs.", "a cat on a rug"),
        ("of zrobs.", ""),  # it is not known what kind of rug
        ("with a zrob on a tv.", ""),  # it may be a picture of one
    ],
)
def test_end_that_is_not_understood_is_left_out_where_that_changes_nothing(end: str, told: str) -> None:
    captions = f"A cat. | A rug. | A cat. | A house. | A cat on a rug {end}"
    assert tell_early(captions, "cat") == told
    assert not tell(captions, "cat")


def test_posture_on_which_captions_differ_is_left_out() -> None:
    captions = "A cat laying on a rug. | A cat. | A rug. | A zorb. | A cat sitting on a rug."
    assert tell(captions, "cat", margin=0) == "a cat | on a rug"


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("A woman by a house.", ""),  # most tell of two
        ("Two people by a house.", "two people by a house"),
    ],
)
def test_one_of_several_is_not_told_of(caption: str, told: str) -> None:
    captions = f"Two people in a park. | Two people. | People. | A house. | {caption}"
    assert tell(captions, "2 person", margin=0) == told


def test_several_play_and_one_brushes_their_teeth() -> None:
    captions = "A group of people play soccer. | People playing soccer. | People play soccer. | People. | A field."
    assert tell(captions, "5 person", margin=0).startswith("a group of people | playing soccer")
    captions = (
        "A woman brushes her teeth. | A man. | A girl brushing her teeth. | A boy brushes teeth. | A toothbrush."
    )
    assert tell(captions, "person, toothbrush", margin=0) == "a person | brushing their teeth"


def test_two_things_that_nobody_else_has_are_too_many() -> None:
    captions = (
        "A sandwich. | A sandwich and coffee. | A sandwich. | A meal. | A sandwich in a zorb by a glass of coffee."
    )
    assert "zorb" not in tell(captions, "sandwich", margin=0)


@pytest.mark.parametrize(
    ("first", "rest", "boxes", "told"),
    [
        ("A man washing a zorb smiling.", "A man smiles. | A man washes a zorb.", "person",
         "a man | washing a zorb and smiling"),
        ("A man washing a zorb talking to a girl.", "A man talking to a girl. | A man washes a zorb.", "2 person",
         "a man | washing a zorb and talking to a girl"),
        ("A man guiding a dog running.", "A dog runs. | A man guiding a dog.", "person, dog",
         "a man | guiding a dog running"),
    ],
    ids=["a zorb", "with an object", "a dog"],
)  # fmt: skip
def test_what_a_thing_does_not_do_is_joined_to_what_was_done(first: str, rest: str, boxes: str, told: str) -> None:
    assert tell(f"{first} | {rest} | A man.", boxes) == told
