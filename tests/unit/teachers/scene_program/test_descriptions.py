"""Descriptions begin with what the image is about, and do not measure trifles."""

import pytest

from instructgen.records import Box
from instructgen.teachers.scene_program import Task, write
from tests.support.make import make_record
from tests.unit.teachers.scene_program.test_told_plainly import describe

_SEEDS = range(12)
_TABLE = Box("dining table", 0.0, 0.4, 1.0, 1.0)


def write_of(captions: str, *boxes: Box) -> list[str]:
    record = make_record(captions=tuple(captions.split(" | ")), boxes=boxes)
    return [write(Task("detail", record), seed).text for seed in _SEEDS]


@pytest.mark.parametrize("seed", _SEEDS)
def test_quote_goes_before_a_list(seed: int) -> None:
    captions = (
        "An elephant draped with a shawl. | An elephant in a shawl. | A draped elephant. | An elephant. | A dog."
    )
    first = describe(captions, "elephant, dog", seed).split(".")[0]
    assert "an elephant" in first
    assert first.endswith("draped with a shawl")


def test_quote_without_predicate_is_told_as_shown() -> None:
    captions = "A zorb that is rolling by a kiosk. | A rolling zorb. | A zorb by a kiosk. | A zorb. | A zorb."
    told = write_of(captions)
    assert all("a zorb that is rolling by a kiosk" in text.lower().split(".")[0] for text in told)
    assert not any(" is ." in text for text in told)


def test_what_most_captions_name_goes_before_what_fewer_name() -> None:
    captions = "A statue. | A statue. | A statue and a bench. | A statue and a bench. | A statue."
    told = write_of(captions, Box("bench", 0.1, 0.7, 0.3, 0.9))
    assert all("a statue" in text.lower().split(".")[0].split("bench")[0] for text in told)


def test_things_that_are_not_there_are_told_of_next_to_nothing_only() -> None:
    captions = (
        "A chair by a fence at night. | A chair by a fence at night. | A chair by a fence. | A chair. | A chair."
    )
    told = write_of(captions, Box("chair", 0.05, 0.35, 0.3, 0.65))
    assert not any(word in text.lower() for text in told for word in ("there is no ", "neither", "has no"))


def test_trifles_are_not_measured() -> None:
    captions = "A man eating pizza at a table. | A man eating a pizza. | A man eating pizza. | A man. | A man."
    cups = (Box("cup", 0.02, 0.1, 0.14, 0.3), Box("cup", 0.3, 0.1, 0.33, 0.15))
    told = write_of(captions, _TABLE, Box("person", 0.3, 0.1, 0.7, 0.6), Box("pizza", 0.4, 0.6, 0.6, 0.8), *cups)
    assert any("cups" in text for text in told)
    assert not any(f"{word} cup" in text for text in told for word in ("The", "Both", "of the", "larger"))


def test_ground_is_no_thing_of_a_list() -> None:
    captions = "A boy on a bike. | A boy with a bike. | A boy and a bike. | A bike and dirt. | Dirt and a boy."
    boxes = (Box("bicycle", 0.3, 0.3, 0.7, 0.7), Box("person", 0.4, 0.1, 0.6, 0.4))
    assert not any("dirt" in text for text in write_of(f"{captions} | Dirt and a bike.", *boxes))


def test_who_jumps_is_in_the_air() -> None:
    captions = (
        "A person on a motorcycle in the dirt. | A boy on a motorcycle flying through the air. | A rider in the air."
    )
    more = "A kid jumps on a dirt bike. | A boy jumping on a motorcycle in the dirt."
    boxes = (Box("motorcycle", 0.3, 0.3, 0.7, 0.7), Box("person", 0.4, 0.1, 0.6, 0.4))
    assert not any("in the air" in text for text in write_of(f"{captions} | {more}", *boxes))


def test_night_is_told_once() -> None:
    captions = "A chair lit up in the night. | A chair lit up at night. | A chair at night. | A chair. | A chair."
    told = [text.lower() for text in write_of(captions, Box("chair", 0.05, 0.35, 0.3, 0.65))]
    assert all(text.count("night") == 1 for text in told)


def test_place_is_told_once() -> None:
    captions = "A man swinging a racket on a tennis court. | A man on a court. | A man on a court."
    told = write_of(
        f"{captions} | A man on a tennis court.",
        Box("person", 0.1, 0.1, 0.5, 0.9),
        Box("tennis racket", 0.6, 0.4, 0.7, 0.5),
    )
    assert not any(text.count("court") > 1 for text in told)
