"""Where boxes lie: said with a margin, and left unsaid within it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructgen.records import Box
from instructgen.scenegraph.geometry import height_of, lean_of, relation_of, side_of

_OPPOSITE = {"left": "right", "right": "left", "higher": "lower", "lower": "higher", "": ""}


def across(low: float, high: float) -> Box:
    return Box("dog", low, 0.2, high, 0.4)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    edges = st.lists(st.floats(0, 1, allow_nan=False), min_size=2, max_size=2).map(sorted)
    (x0, x1), (y0, y1) = draw(edges), draw(edges)
    return Box("dog", x0, y0, x1, y1)


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [
        (0.0, 0.3, "left"),
        (0.7, 1.0, "right"),
        (0.4, 0.6, "middle"),
        (0.0, 0.55, ""),  # reaches over the middle
        (0.45, 1.0, ""),
        (0.3, 0.5, ""),  # neither clearly left nor in the middle
        (0.1, 0.9, ""),  # too wide to be anywhere
        (0.0, 1.0, ""),
    ],
)
def test_sides_and_heights_have_a_margin(low: float, high: float, side: str) -> None:
    assert side_of(across(low, high)) == side
    upright = Box("dog", 0.2, low, 0.4, high)
    assert height_of(upright) == {"left": "top", "right": "bottom"}.get(side, side)


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        (Box("a", 0.0, 0.1, 0.2, 0.3), Box("b", 0.5, 0.1, 0.7, 0.3), "left"),
        (Box("a", 0.5, 0.1, 0.7, 0.3), Box("b", 0.0, 0.1, 0.2, 0.3), "right"),
        (Box("a", 0.1, 0.0, 0.3, 0.2), Box("b", 0.1, 0.5, 0.3, 0.7), "higher"),
        (Box("a", 0.1, 0.5, 0.3, 0.7), Box("b", 0.1, 0.0, 0.3, 0.2), "lower"),
        (Box("a", 0.0, 0.1, 0.2, 0.3), Box("b", 0.22, 0.1, 0.4, 0.3), ""),  # hardly apart
        (Box("a", 0.0, 0.0, 0.5, 0.5), Box("b", 0.2, 0.2, 0.7, 0.7), ""),
    ],
)
def test_relations_need_a_gap(one: Box, other: Box, relation: str) -> None:
    assert relation_of(one, other) == relation


@given(boxes(), boxes())
def test_a_relation_turned_round_is_its_opposite_and_true(one: Box, other: Box) -> None:
    relation = relation_of(one, other)
    assert relation_of(other, one) == _OPPOSITE[relation]
    holds = {
        "left": one.x1 < other.x0,
        "right": one.x0 > other.x1,
        "higher": one.y1 < other.y0,
        "lower": one.y0 > other.y1,
    }
    assert holds.get(relation, True)


@given(boxes())
def test_a_side_is_true_and_mirrors(box: Box) -> None:
    mirrored = Box("dog", 1 - box.x1, box.y0, 1 - box.x0, box.y1)
    side, other = side_of(box), side_of(mirrored)
    centre = (box.x0 + box.x1) / 2
    assert {"left": centre < 0.4, "right": centre > 0.6, "middle": 0.4 < centre < 0.6}.get(side, True)
    if side in ("left", "right") and other:
        assert other == _OPPOSITE[side]


@pytest.mark.parametrize(
    ("low", "high", "lean"),
    [
        (0.3, 0.5, "left"),
        (0.5, 0.7, "right"),
        (0.2, 0.65, "left"),
        (0.1, 0.7, ""),
        (0.4, 0.6, ""),
        (0.0, 0.3, ""),
        (0.7, 1.0, ""),
        (0.1, 0.58, ""),
        (0.35, 0.54, ""),
        (0.3, 0.41, ""),
        (0.4, 0.47, ""),
    ],
    ids=[
        "left",
        "right",
        "broad",
        "too broad",
        "middle",
        "left side",
        "right side",
        "too far",
        "too near",
        "just left",
        "just the middle",
    ],
)
def test_what_lies_beside_the_middle_leans_to_a_side(low: float, high: float, lean: str) -> None:
    assert lean_of(Box("dog", low, 0.4, high, 0.6)) == lean


@pytest.mark.parametrize(("top", "lean"), [(0.1, ""), (0.25, "left"), (0.4, "left"), (0.6, "")])
def test_only_what_is_level_with_the_middle_leans_to_a_side(top: float, lean: str) -> None:
    """What lies low is no more left of the center than below it."""
    assert lean_of(Box("dog", 0.3, top, 0.5, top + 0.3)) == lean


@given(boxes())
def test_a_lean_mirrors_and_is_told_of_what_is_on_no_side(box: Box) -> None:
    lean = lean_of(box)
    assert lean_of(Box("dog", 1 - box.x1, box.y0, 1 - box.x0, box.y1)) == _OPPOSITE[lean]
    assert not (lean and side_of(box))
