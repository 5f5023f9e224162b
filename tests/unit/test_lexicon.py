"""Mentions of COCO's categories in text, and the small words around them."""

import inflect
import pytest

from instructgen.lexicon.categories import CATEGORIES, find_category
from instructgen.lexicon.mentions import find_mentions
from instructgen.lexicon.words import join_words, plural_of, with_article


def mentioned(text: str) -> list[str]:
    return [mention.category for mention in find_mentions(text)]


def test_table_has_cocos_eighty_categories() -> None:
    assert len(CATEGORIES) == 80
    assert len({category.group for category in CATEGORIES.values()}) == 12


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("A hot dog next to a teddy bear", ["hot dog", "teddy bear"]),
        ("a dog and a bear", ["dog", "bear"]),
        ("A bus stop by the train station", []),
        ("two hot-dogs and a stop-sign", ["hot dog", "stop sign"]),
        ("An orange cat beside an orange", ["cat", "orange"]),
        ("a couple of elephants", ["elephant"]),
        ("The dog's ball is on the sofa", ["dog", "sports ball", "couch"]),
        ("a wine glass, a mug and a television", ["wine glass", "cup", "tv"]),
        ("A dog. House", ["dog"]),
        ("", []),
    ],
)
def test_longest_phrase_decides_what_is_mentioned(text: str, categories: list[str]) -> None:
    assert mentioned(text) == categories


def test_plural_and_singular_are_told_apart() -> None:
    flags = {mention.phrase: mention.is_plural for mention in find_mentions("two dogs, a man, people and knives")}
    assert flags == {"dogs": True, "man": False, "people": True, "knives": True}


@pytest.mark.parametrize("text", ["There is no dog", "a man without a hat and without a dog", "not a dog"])
def test_negated_mention_is_marked(text: str) -> None:
    assert [mention.is_negated for mention in find_mentions(text) if mention.category == "dog"] == [True]


def test_mention_gives_its_place_in_the_text() -> None:
    text = "One Fire Hydrant here"
    (mention,) = find_mentions(text)
    assert text[mention.start : mention.end] == "Fire Hydrant"


def test_unknown_category_is_said_by_its_name() -> None:
    assert (find_category("gadget").spoken, find_category("gadget").plural) == ("gadget", "gadgets")


def test_plurals_and_articles_agree_with_inflect() -> None:
    oracle = inflect.engine()
    same_in_plural = {"skis", "scissors", "broccoli", "frisbee"}
    for category in CATEGORIES.values():
        if category.spoken not in same_in_plural and category.name != "person":
            assert category.plural == oracle.plural_noun(category.spoken), category.spoken
        assert with_article(category.spoken) == oracle.a(category.spoken), category.spoken


def test_plural_of_irregular_words() -> None:
    words = ["person", "police officer", "tennis player", "knife", "bench", "fireman", "baby", "child"]
    assert [plural_of(word) for word in words] == [
        "people", "police officers", "tennis players", "knives", "benches", "firemen", "babies", "children",
    ]  # fmt: skip


def test_list_of_words_is_joined_in_english() -> None:
    assert [join_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
