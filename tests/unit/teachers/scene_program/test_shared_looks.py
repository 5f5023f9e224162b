"""What most captions tell goes into a description, and what no caption names stays short."""

import pytest

from instructgen.records import Box
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.detail_shared import _find_look
from tests.support.make import make_record

_BUS = Box("bus", 0.1, 0.2, 0.9, 0.9)
_PEOPLE = tuple(Box("person", 0.1 * n, 0.3, 0.1 * n + 0.08, 0.9) for n in range(5))


def write_of(captions: str, *boxes: Box) -> list[str]:
    record = make_record(captions=tuple(captions.split(" | ")), boxes=boxes)
    return [write(Task("detail", record), seed).text for seed in range(8)]


@pytest.mark.parametrize(
    ("last", "is_told"),
    [("A pink and white bus.", True), ("A white bus.", False)],
)
def test_color_of_most_captions_is_in_the_first_sentence(last: str, *, is_told: bool) -> None:
    told = write_of(f"A pink bus. | A pink bus on a street. | A pink bus. | A bus. | {last}", _BUS)
    assert all(("pink bus" in text.split(".")[0]) == is_told for text in told)


@pytest.mark.parametrize("kind", ["baby", "city", "fire", "food", "park", "street", "tour", "water"])
def test_color_goes_before_a_word_of_kind_that_as_many_have(kind: str) -> None:
    """The text is the same in each process, whatever the order of a set there."""
    bus = read_graph(make_record(captions=("A bus.",), boxes=(_BUS,))).find("bus")
    assert bus is not None
    assert _find_look([("a", "red", kind)] * 3, bus, is_plural=False) == "red"


def test_color_that_most_tell_with_another_is_not_told_of_the_whole() -> None:
    captions = "A red bus. | A white and red bus. | A red, white and black bus. | A red and white bus. | A bus."
    assert not any("a red bus" in text.lower() for text in write_of(captions, _BUS))


@pytest.mark.parametrize(("last", "is_told"), [("A dinner.", True), ("Three men at a dinner.", False)])
def test_number_of_most_captions_is_told_whatever_is_boxed(last: str, *, is_told: bool) -> None:
    captions = (
        "Two men are shaking hands at a gathering. | Two men shaking hands after a speech. | A man is shaking hands"
        f" with another man. | Two men standing next to each other holding hands. | {last}"
    )
    told = write_of(captions, *_PEOPLE)
    assert all(("two men" in text.lower()) == is_told for text in told)


def test_kind_that_most_captions_tell_is_told() -> None:
    captions = "A baby cow. | A baby cow. | A baby cow by a man. | A cow. | A cow and a man."
    told = write_of(captions, Box("cow", 0.1, 0.3, 0.5, 0.9), Box("person", 0.6, 0.2, 0.8, 0.9))
    assert all("baby cow" in text for text in told if "cow" in text.split(".")[0])


def test_place_of_what_no_caption_names_is_not_told() -> None:
    captions = "A man on a street. | A man standing on a street. | A man. | A man. | A man on a street."
    told = write_of(captions, Box("person", 0.3, 0.1, 0.6, 0.9), Box("motorcycle", 0.0, 0.4, 0.2, 0.8))
    assert not any("The motorcycle" in text for text in told)


def test_five_things_that_no_caption_names_are_enough() -> None:
    captions = "A man on a street. | A man standing on a street. | A man. | A man. | A man on a street."
    names = ("car", "truck", "bench", "backpack", "handbag", "kite", "umbrella")
    others = [Box(name, 0.13 * n, 0.5, 0.13 * n + 0.1, 0.8) for n, name in enumerate(names)]
    told = write_of(captions, Box("person", 0.3, 0.1, 0.6, 0.9), *others)
    assert all(sum(name in text for name in names) <= 5 for text in told)


def test_skis_of_skiers_are_not_listed() -> None:
    captions = "Skiers skiing on snow. | Skiers on snow. | People skiing. | Skiers skiing. | Skiers skiing on snow."
    told = write_of(captions, *_PEOPLE, Box("skis", 0.2, 0.8, 0.5, 0.95))
    assert not any("skis" in text for text in told)


def test_clause_of_most_captions_is_not_left_out() -> None:
    captions = (
        "A cat lying in the sun under a bench. | A black cat sitting under a park bench. | A cat sits under a bench."
        " | A black cat sits beneath a bench in the sun. | There is a cat lying in the sun by the bench."
    )
    told = write_of(captions, Box("cat", 0.1, 0.4, 0.4, 0.9), Box("bench", 0.1, 0.1, 0.9, 0.9))
    assert all("in the sun" in text for text in told)
