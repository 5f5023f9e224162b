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
