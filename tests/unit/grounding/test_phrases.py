"""Which things a sentence names, in which colours, and which words only look like one."""

import pytest

from tests.support.claims import phrase, phrases

CATEGORIES = [
    ("A dog and two cats sleep on a couch.", ["dog", "cat", "couch"]),
    ("A hot dog on a plate.", ["hot dog", None]),
    ("The pizza hut is open.", [None]),
    ("the pizza emporium", []),
    ("A bowl of cat food", ["bowl"]),
    ("the cat food bowl", ["bowl"]),
    ("A dog house behind a bus stop", []),
    ("a zebra crossing", []),
    ("a cow boy with a cup holder", []),
    ("a kite surfer", []),
    ("a teddy bear", ["teddy bear"]),
    ("a stuffed bear", ["teddy bear"]),
    ("a black bear", ["bear"]),
    ("a sports car", ["car"]),
    ("the bike", ["bicycle"]),
    ("nobody", ["person"]),
    ("an orange", ["orange"]),
    ("an orange on a table", ["orange", "dining table"]),
    ("two oranges", ["orange"]),
    ("an orange cat", ["cat"]),
    ("The cat is orange and white.", ["cat"]),
    ("geese and sheep", ["bird", "sheep"]),
    ("The buses wait.", ["bus"]),
]


@pytest.mark.parametrize(("text", "categories"), CATEGORIES)
def test_longest_known_noun_wins_and_a_noun_that_says_what_another_is_for_counts_not(
    text: str, categories: list[str | None]
) -> None:
    assert [one.category for one in phrases(text)] == categories


@pytest.mark.parametrize(
    ("text", "lemma", "colours"),
    [
        ("a red and white bus", "bus", ("red", "white")),
        ("a big, brown dog", "dog", ("brown",)),
        ("a dark green umbrella", "umbrella", ("green",)),
        ("a black bear", "black bear", ("black",)),
        ("a blonde, golden dog", "dog", ("gold", "gold")),
        ("a red velvet seat", "seat", ("red",)),
        ("a navy suitcase", "suitcase", ("blue",)),
        ("a sleeping dog", "dog", ()),
    ],
)
def test_colours_before_a_noun_are_its_own(text: str, lemma: str, colours: tuple[str, ...]) -> None:
    assert phrase(text, lemma).colours == colours


def test_noun_of_no_table_is_read_where_a_colour_stands_before_it() -> None:
    (found,) = phrases("a purple gizmo")
    assert (found.lemma, found.category, found.is_known, found.colours) == ("gizmo", None, False, ("purple",))
    assert phrases("a gizmo") == []


def test_colour_of_the_picture_is_no_thing() -> None:
    assert phrases("a black and white photo") == []


@pytest.mark.parametrize(
    ("text", "determiner", "is_definite"),
    [("the dog", "the", True), ("a dog", "a", False), ("his dog", "his", True), ("dogs", "", False)],
)
def test_article_belongs_to_the_phrase(text: str, determiner: str, is_definite: bool) -> None:
    (found,) = phrases(text)
    assert (found.determiner, found.is_definite, found.first, found.end) == (
        determiner,
        is_definite,
        0,
        len(text.split()),
    )


def test_adjectives_stop_at_a_verb_that_ends_in_ing() -> None:
    assert phrase("a sleeping dog", "dog").adjectives == ("sleeping",)
    assert phrase("people walking dogs", "dog").adjectives == ()


def test_vague_word_is_weak_until_a_number_or_an_article_makes_it_clear() -> None:
    assert phrase("people walk", "people").is_weak
    assert not phrase("two people walk", "people").is_weak
    assert phrase("a group of people", "people").is_weak
    assert phrase("plants", "plant").is_weak


def test_comma_ends_a_phrase_unless_it_lists_adjectives() -> None:
    assert phrase("In the old, big, brown house a dog sleeps", "dog").first == 6
    assert phrase("Near two, dogs sleep", "dog").number is None
