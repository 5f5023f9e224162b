"""Which words of a caption others have too: the same, a form of it, or one that bears it out."""

import pytest

from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.sharing import Sharing, may_mean, share
from tests.unit.scenegraph.pictures import read


def sources_of(captions: str) -> Sources:
    sources = read(captions).sources
    assert sources is not None
    return sources


def share_of(captions: str) -> Sharing:
    return share(sources_of(captions))


@pytest.mark.parametrize(
    ("word", "other", "is_meant"),
    [
        ("zorb", "zorbs", True),
        ("wash", "washing", True),
        ("market", "stalls", True),
        ("markets", "vendor", True),
        ("vendor", "market", False),
        ("man", "woman", True),
        ("man", "dog", False),
        ("skiing", "skier", True),
        ("skiing", "eats", False),
        ("water", "ocean", True),
        ("zorb", "the", False),
        ("zorb", "orb", False),
    ],
    ids=["a form", "a doing", "stalls", "a plural", "not the other way", "a person", "another", "who does it",
         "who does another", "what there is of it", "no word", "part of it"],
)  # fmt: skip
def test_word_is_borne_out_by_a_form_or_by_another_word(word: str, other: str, *, is_meant: bool) -> None:
    assert may_mean(word, other) is is_meant


@pytest.mark.parametrize(
    ("rest", "is_shared"),
    [("Stalls on a street.", True), ("A vendor.", True), ("A market.", True), ("A street.", False)],
)
def test_noun_is_shared_where_another_caption_has_a_word_for_it(rest: str, *, is_shared: bool) -> None:
    assert share_of(f"A man at a market. | {rest}").is_shared("market", 0) is is_shared


@pytest.mark.parametrize(
    ("rest", "is_shared"),
    [("A man tosses a ball.", True), ("A pitcher.", True), ("A man eats.", False), ("A skier.", False)],
)
def test_doing_is_shared_by_verbs_of_its_family(rest: str, *, is_shared: bool) -> None:
    assert share_of(f"A man throwing a ball. | {rest}").is_shared("throwing", 0) is is_shared


def test_word_that_its_own_caption_alone_has_is_not_shared() -> None:
    found = share_of("A zorb by a zorb. | A field with a blorp. | A field.")
    assert [found.is_shared("zorb", own) for own in range(3)] == [False, True, True]
    assert all(found.is_shared("field", own) for own in range(3))


@pytest.mark.parametrize(
    ("rest", "is_shared"),
    [("A grey bus.", True), ("A gray bus.", True), ("A green bus.", False), ("A bus.", False)],
)
def test_color_is_shared_in_whatever_spelling(rest: str, *, is_shared: bool) -> None:
    found = share_of(f"A gray bus. | {rest}")
    assert found.is_look_shared("gray", 0) is is_shared
    assert found.is_look_shared("grey", 0) is is_shared


@pytest.mark.parametrize(("rest", "is_shared"), [("A big bus.", True), ("A large bus.", False)])
def test_look_is_shared_by_its_own_word(rest: str, *, is_shared: bool) -> None:
    assert share_of(f"A big bus. | {rest}").is_look_shared("big", 0) is is_shared


@pytest.mark.parametrize(
    ("words", "are_shared"),
    [
        ("a man at a market", True),
        ("a big red man at the market .", True),
        ("a man at a market in snow", False),
        ("back away behind himself", True),
    ],
    ids=["all", "looks", "snow", "small words"],
)
def test_words_that_tell_nothing_need_not_be_shared(words: str, *, are_shared: bool) -> None:
    found = share_of("A man at a market. | A man by stalls. | A man.")
    assert found.are_shared(words.split(), 0) is are_shared


def test_sharing_is_found_once_for_one_images_sources() -> None:
    one, other = sources_of("A man at a market. | A zorb."), sources_of("A man at a market. | A zorb.")
    assert one == other
    assert share(one) is share(one)
    assert share(one) is not share(other)


def test_sharing_of_one_image_is_not_anothers() -> None:
    assert share_of("A zorb. | A zorb.").is_shared("zorb", 0)
    assert not share_of("A zorb. | A man.").is_shared("zorb", 0)
