"""Things without a box that most captions name are there all the same."""

import pytest

from instructgen.scenegraph.graph import Entity
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.missed import find_missed
from tests.unit.scenegraph.pictures import make_picture, read

_THREE = "A dog by a table. | A dog under a table. | A cup on a table."
_FOUR = f"{_THREE} | A dog."


def find(captions: str, boxes: str = "dog, cup") -> list[Entity]:
    return list(find_missed(read(captions, boxes)))


@pytest.mark.parametrize(
    ("captions", "names"),
    [
        (f"{_THREE} | A dog. | A dog.", {"table"}),
        (f"{_THREE} | A dog by a table by a table.| A dog.", {"table"}),
        ("A dog by a table. | A dog under a table. | A dog. | A dog. | A dog.", set()),
        ("A dog by a table, a table and a table. | A dog. | A dog. | A dog. | A dog.", set()),
        (f"{_FOUR} | Tables.", set()),
        (f"{_FOUR} | A dog without a table.", set()),
        (f"{_FOUR} | A couch shaped like a table.", set()),
        (f"{_FOUR} | A dog by a painting of a table.", set()),
        (f"{_FOUR} | A dog by a coffee table.", set()),
        (f"{_THREE} | A chair. | A chair by a chair.", {"table"}),
        ("A dog by a chair. | A table and a chair. | A table by a chair. | A table. | A dog.", {"table", "chair"}),
        ("A dog and a cat. | A dog by a cat. | A cat. | A cat. | A dog.", set()),
        ("A dog and a car. | A dog by a car. | A car. | A car. | A dog.", set()),
    ],
    ids=["three captions", "four", "two", "three times", "in two numbers", "denied", "shaped like it", "painted",
         "by two words", "beside others", "two things", "no animal", "no vehicle"],
)  # fmt: skip
def test_thing_without_a_box_is_there_where_three_captions_name_it_alike(captions: str, names: set[str]) -> None:
    assert {one.name for one in find(captions)} == names


@pytest.mark.parametrize("like", ["a cake shaped like a pizza", "a cake like a pizza", "a toy pizza"])
def test_likeness_is_not_there_though_all_name_it(like: str) -> None:
    captions = " | ".join([f"{like.capitalize()}."] * 5)
    assert find(captions, "cake") == []


@pytest.mark.parametrize("boxes", ["dog, cup, dining table", "dog, cup, 2 dining table", "dog, cup, dining table*"])
def test_what_is_boxed_was_not_missed(boxes: str) -> None:
    assert find(f"{_FOUR} | A dog.", boxes) == []


@pytest.mark.parametrize(
    ("captions", "is_many"),
    [(f"{_FOUR} | A dog.", False), (f"{_FOUR} | A dog.".replace("a table", "tables"), True)],
    ids=["one", "several"],
)
def test_missed_thing_is_told_in_the_number_of_captions(captions: str, *, is_many: bool) -> None:
    (table,) = find(captions)
    assert (table.is_single, table.is_many, table.num_plural) == (not is_many, is_many, 3 * is_many)
    assert (table.name, table.plural, table.category, table.boxes) == ("table", "tables", "", ())
    assert (table.num_captions, table.certainty, table.count) == (3, "sure", None)
    assert {span.caption for span in table.evidence.spans} == {0, 1, 2}


def test_missed_things_are_numbered_behind_the_others() -> None:
    captions = "A dog by a chair. | A table and a chair. | A table by a chair. | A table. | A dog."
    graph = read(captions, "dog, cup")
    num = len(graph.entities)
    assert [one.number for one in find_missed(graph)] == [num, num + 1]


@pytest.mark.parametrize(
    ("second", "is_told"), [("A dog and a bowl on a table.", True), ("A dog with a bowl.", False)]
)
def test_description_tells_what_was_missed(second: str, *, is_told: bool) -> None:
    captions = f"A table with a bowl on it. | {second} | A bowl. A table. | A dog is sitting. | A dog sits."
    picture = make_picture(captions, "dog, bowl")
    told = [write(Task("detail", picture), seed).text.lower() for seed in range(6)]
    assert all(("table" in text) is is_told for text in told)
