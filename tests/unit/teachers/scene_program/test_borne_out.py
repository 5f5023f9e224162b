"""Clauses are told where each of their words stands in another caption, or in a box."""

import pytest

from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.teachers.scene_program.borne_out import is_called_otherwise, is_sure_statement
from tests.unit.scenegraph.pictures import read

_DOG = "A dog. | A dog on a street. | A dog on a street. | A dog."
_CUP = "A cup. | A cup."


def ask(subject: str, predicate: str, captions: str, boxes: str, kind: str = "animal") -> tuple[bool, bool]:
    """Return whether the first caption's clause is sure, and whether others call its things otherwise."""
    graph = read(captions, boxes)
    assert graph.sources is not None
    reading = graph.sources.readings[0]
    one = Statement(
        span=reading.span(0, len(reading.tokens)),
        subject=(StatementPart(subject, None),),
        predicate=(StatementPart(f" {predicate}", None),) if predicate else (),
        verb="",
        is_plural=False,
        lemma=reading.phrases[0].noun.lemma,
        category=reading.phrases[0].noun.category or "",
        kind=kind,
        keys=frozenset(),
        looks=frozenset(),
    )
    return is_sure_statement(one, graph), is_called_otherwise(one, graph)


@pytest.mark.parametrize(
    ("thing", "boxes", "is_sure"),
    [
        ("a market", "dog", False),
        ("a bench", "dog, bench", True),
        ("two benches", "dog, 2 bench", True),
        ("a street", "dog", True),
        ("a road", "dog", True),
        ("the big red street", "dog", True),
    ],
    ids=["one caption's", "boxed", "boxed in the plural", "shared", "borne out", "looks"],
)
def test_noun_of_one_caption_is_not_sure_unless_it_is_boxed(thing: str, boxes: str, *, is_sure: bool) -> None:
    captions = f"A dog sitting by {thing}. | {_DOG}"
    assert ask("a dog", f"sitting by {thing}", captions, boxes)[0] is is_sure


@pytest.mark.parametrize(
    ("doing", "is_sure"),
    [("chasing a dog", False), ("sitting on a street", True), ("standing on a street", True)],
)
def test_doing_of_one_caption_is_not_sure_unless_it_is_a_posture(doing: str, *, is_sure: bool) -> None:
    assert ask("a dog", doing, f"A dog {doing}. | {_DOG}", "dog")[0] is is_sure


@pytest.mark.parametrize(("num", "is_sure"), [(3, True), (4, False)])
def test_few_captions_are_not_asked(num: int, *, is_sure: bool) -> None:
    captions = " | ".join(("A dog by a market.", *["A dog."] * num))
    assert ask("a dog by a market", "", captions, "dog")[0] is is_sure


def test_collage_is_sure_by_whatever_word_others_tell_it() -> None:
    graph = read(f"A collage of a dog. | Different angles of a dog. | {_DOG}", "dog")
    assert [one.text for one in graph.statements] == ["a collage"]
    assert is_sure_statement(graph.statements[0], graph)


@pytest.mark.parametrize(
    ("captions", "called_otherwise"),
    [
        ("A cup on a counter. | A cup on a table. | A cup. | A cup. | A cup.", True),
        ("A cup on a counter. | A cup on counters. | A cup on a table. | A cup. | A cup.", False),
        ("A cup on a counter. | A cup on counters. | A cup on a desk. | Cups on shelves. | A cup.", True),
        ("A cup on a counter. | A cup on a counter by a table. | A cup. | A cup. | A cup.", False),
        ("A cup on a counter. | A cup on a lemon. | A cup. | A cup. | A cup.", False),
    ],
    ids=["as many", "fewer", "by two words", "both of one", "of another row"],
)
def test_counter_that_others_call_a_table_is_called_otherwise(captions: str, *, called_otherwise: bool) -> None:
    assert ask("a cup on a counter", "", captions, "cup", "kitchen")[1] is called_otherwise


def test_what_is_boxed_is_called_by_its_word() -> None:
    captions = f"A cup on a bench. | A cup on a table. | A cup on a table. | {_CUP}"
    assert ask("a cup on a bench", "", captions, "cup", "kitchen") == (False, True)
    assert ask("a cup on a bench", "", captions, "cup, bench", "kitchen") == (True, False)


@pytest.mark.parametrize(
    ("rest", "boxes", "is_missed"),
    [
        ("A cat on flowers. | A cat on flowers. | A cat. | A cat.", "cat", True),
        ("A cat on a bed. | A cat on flowers. | A cat. | A cat.", "cat", True),
        ("A cat on a bed. | A cat on beds of flowers. | A cat. | A cat.", "cat", False),
        ("A cat on flowers. | A cat on flowers. | A cat. | A cat.", "cat, bed", False),
    ],
    ids=["one", "two", "three", "boxed"],
)
def test_bed_of_flowers_that_no_box_holds_is_not_told(rest: str, boxes: str, *, is_missed: bool) -> None:
    found = ask("a cat", "lying on a bed of flowers", f"A cat lying on a bed of flowers. | {rest}", boxes)
    assert found == (not is_missed, is_missed)


@pytest.mark.parametrize(("food", "boxes"), [("a hot dog", "hot dog"), ("an orange street", "")])
def test_part_of_a_name_or_a_color_is_no_thing_that_was_missed(food: str, boxes: str) -> None:
    captions = f"A man by {food}. | A man by {food}. | A man. | A man. | A man."
    assert ask("a man", f"standing by {food}", captions, f"person, {boxes}", "person") == (True, False)


@pytest.mark.parametrize(
    ("own", "other", "is_sure"),
    [
        ("wooden", "big", False),
        ("wooden", "wood", True),
        ("wooden", "hardwood", True),
        ("metal", "steel", True),
        ("metal", "wooden", False),
        ("brick", "stone", False),
        ("brick", "brick", True),
    ],
)
def test_material_of_one_caption_is_not_sure(own: str, other: str, *, is_sure: bool) -> None:
    captions = f"A dog on a {own} bench. | A dog by a {other} bench. | {_DOG}"
    assert ask("a dog", f"lying on a {own} bench", captions, "dog, bench")[0] is is_sure


@pytest.mark.parametrize(
    ("subject", "kind", "is_sure"),
    [
        ("a plate with eggs", "kitchen", True),
        ("a plate by eggs", "kitchen", False),
        ("a man with eggs", "person", False),
    ],
)
def test_what_a_thing_has_beside_others_need_not_be_shared(subject: str, kind: str, *, is_sure: bool) -> None:
    rest = "A plate and a man. | A plate and a man. | A plate and a man. | A plate and a man."
    assert ask(subject, "", f"{subject}. | {rest}", "person", kind)[0] is is_sure


@pytest.mark.parametrize(
    ("caption", "told", "is_sure"),
    [
        ("A dog by a leaf free tree.", "a dog by a leaf tree", False),
        ("A dog by a leaf of a tree.", "a dog by a leaf of a tree", True),
        ("A dog by a leaf tree.", "a dog by a leaf tree", True),
    ],
)
def test_nouns_that_stand_apart_in_the_caption_are_not_joined(caption: str, told: str, *, is_sure: bool) -> None:
    captions = f"{caption} | A dog by a leaf. | A dog by a tree. | A dog. | A dog."
    assert ask(told, "", captions, "dog")[0] is is_sure
