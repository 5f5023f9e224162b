"""What captions tell otherwise: who is outvoted, and who is not."""

import pytest

from instructgen.scenegraph.rivals import is_outvoted

EATING = "a woman eating cake"
SERVING = "a woman serving cake"
ON_GRASS = "a boy sitting on the grass"
ON_BLANKET = "a boy sitting on a blanket"


@pytest.mark.parametrize(
    ("told", "verb", "captions", "outvoted"),
    [
        (EATING, "eat", [EATING], False),
        ("men loading luggage", "load", ["men loading luggage", "men offloading luggage"], True),
        ("people playing tennis", "play", ["people playing tennis"] * 3 + ["people play a video game"], True),
        ("people playing tennis", "play", ["people playing tennis", "people with a video"], False),
        ("people flying kites", "fly", ["people flying kites"] * 2 + ["a crowd watching kites"] * 2, True),
        ("people flying kites", "fly", ["people flying kites", "a crowd watching kites"], False),
        ("people playing", "play", ["people playing"] * 2 + ["people watch others play"] * 2, False),
        ("a man serving", "serve", ["a man serving", "a player reaching"], True),
        ("a man serving", "serve", ["a man serving", "a player swinging"], False),
        (EATING, "eat", [EATING, SERVING], True),
        (EATING, "eat", [EATING, EATING, SERVING], False),
        (ON_GRASS, "sit", [ON_GRASS, ON_BLANKET], True),
        (ON_GRASS, "sit", [ON_GRASS, "a boy"], False),
        (ON_GRASS, "hold", [ON_GRASS, ON_BLANKET], False),
        ("two people sitting on a table", "sit", ["two people sitting on a table", "a couple at a table"], True),
        ("a bird on a fence", "perch", ["a bird on top of a metal fence", "a bird on a wire fence"], False),
        ("a cat on a car", "lie", ["a cat on a car", "a cat on the roof of a car", "a cat on a roof"], True),
        ("a man riding down a ramp", "ride", ["a man riding down a ramp", "a man doing a trick"], True),
        ("a man doing a trick", "do", ["a man riding down a ramp", "a man doing a trick"], False),
        ("planes on a runway", "be", ["two planes on a runway and a plane in the sky"], True),
        ("planes on a runway", "be", ["two planes on a runway"], False),
        ("a man flying a kite", "fly", ["a man flying a kite", "a man trying to fly a kite"], True),
        ("a man flying a kite", "fly", ["a man flying a kite"] * 3 + ["a man trying to fly a kite"], False),
    ],
)
def test_what_as_many_captions_tell_otherwise_loses(
    told: str, verb: str, captions: list[str], *, outvoted: bool
) -> None:
    assert is_outvoted(told.split(), verb, [tuple(one.split()) for one in captions]) is outvoted


RIDING, SITTING = "a man riding a motorcycle", "a man sitting on a motorcycle"


def test_who_rides_sits_and_who_sits_may_not_ride() -> None:
    captions = [tuple(one.split()) for one in (RIDING, SITTING)]
    assert is_outvoted(RIDING.split(), "ride", captions)
    assert not is_outvoted(SITTING.split(), "sit", captions)


@pytest.mark.parametrize(
    "other", ["people taking surfing lessons", "people ready for surfing", "people carrying their surf boards"]
)
def test_name_or_aim_bears_out_no_doing(other: str) -> None:
    told, against = ("people", "surfing"), ("people", "walking", "with", "boards")
    captions = [told, tuple(other.split()), against]
    assert is_outvoted(told, "surf", captions)
    assert not is_outvoted(told, "surf", [told, told, against])
