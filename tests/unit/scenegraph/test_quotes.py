"""Quotes: what of a caption is told in its own words, and where it is left."""

import pytest

from tests.unit.scenegraph.pictures import read

ELEPHANT = "An elephant draped with a red shawl. | An elephant. | An elephant in a shawl. | An elephant."


def quote(captions: str, boxes: str = "") -> str:
    """Return the best quote, its predicate behind a bar."""
    found = read(captions, boxes).quotes
    if not found:
        return ""
    parts = ("".join(part.text for part in parts).strip() for parts in (found[0].subject, found[0].predicate))
    return " | ".join(filter(None, parts))


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        (f"{ELEPHANT} | An elephant is draped with a blanket.", "elephant", "an elephant | draped with a shawl"),
        (f"{ELEPHANT} | A gray elephant.", "elephant", "an elephant in a shawl"),  # nobody else says "draped"
        ("A cat grooming itself on a rug. | A cat. | A cat on a rug. | A cat. | A cat.", "cat", "a cat on a rug"),
        (
            "A zorb rolling by a hut. | A zorb. | A zorb by a hut. | A zorb rolling. | A zorb.",
            "",
            "a zorb | rolling by a hut",
        ),
        ("A zorb by a kiosk. | A kiosk. | A kiosk. | A ball. | A ball.", "", ""),  # one alone has seen it
    ],
)
def test_quote_goes_as_far_as_others_bear_it_out(captions: str, boxes: str, told: str) -> None:
    assert quote(captions, boxes) == told


@pytest.mark.parametrize(
    "captions",
    [
        "A toy horse on a chair. | A horse on a chair. | A horse on a chair. | A horse on a chair. | A horse.",
        "A painting of a zorb by a kiosk. | A zorb by a kiosk. | A zorb by a kiosk. | A zorb. | A kiosk.",
        "A zorb by kiosks. | A kiosk by a zorb. | A zorb. | A zorb. | A zorb.",  # one kiosk, or several
    ],
)
def test_what_may_not_be_so_is_not_quoted(captions: str) -> None:
    assert not quote(captions)


def test_second_clause_ends_a_quote_before_its_joint() -> None:
    captions = "A mini zorb by a kiosk and a dog is jumping. | A zorb. | A zorb by a kiosk. | A dog. | A dog."
    assert quote(captions, "dog") == "a zorb by a kiosk"


def test_third_person_is_told_as_being_done() -> None:
    captions = "A mini zorb sits by a kiosk. | A zorb. | A zorb. | A kiosk. | A zorb."
    assert quote(captions) == "a zorb | sitting by a kiosk"


def test_nothing_is_quoted_where_a_statement_tells_a_doing() -> None:
    captions = "A man riding a horse by a kiosk. | A man riding a horse. | A man on a horse. | A horse by a kiosk."
    assert not read(captions, "person, horse").quotes
