"""Which word is safe for the people of an image."""

import pytest

from tests.unit.scenegraph.pictures import read


@pytest.mark.parametrize(
    ("captions", "word"),
    [
        ("A man. | A man. | A person.", "man"),
        ("A surfer. | A surfer. | A man.", "surfer"),
        ("A man.", "person"),  # one caption alone may be mistaken
        ("A man. | A woman.", "person"),
        ("A man. | A man. | A woman.", "person"),
        ("A boy. | A boy. | A man.", "person"),  # of one sex, but not of one age
        ("A boy. | A boy. | A child.", "boy"),
        ("A woman. | A woman. | A woman. | A girl. | A girl.", "woman"),  # a woman may be a girl to two of five
        ("A man. | A man. | A man. | A boy. | A boy.", "person"),
        ("A man. | A man. | A man. | A boy.", "man"),
        ("A girl. | A girl. | A child. | A boy.", "person"),
        ("A statue of a man. | A woman. | A woman.", "woman"),
        ("A rug. | A rug.", "person"),
    ],
)
def test_a_single_person_is_called_what_captions_agree_on(captions: str, word: str) -> None:
    (person,) = read(captions, "person").boxed_entities()
    assert person.word == word


def test_both_kinds_are_safe_where_one_caption_has_both() -> None:
    safe = read("A man and a woman. | A man. | A woman.", "2 person").person.safe
    assert {"man", "woman"} <= safe


def test_nobody_is_safe_where_captions_differ() -> None:
    assert read("A man. | A woman.", "person").person.safe == frozenset()


def test_who_is_named_twice_among_many_is_a_member_of_the_group() -> None:
    graph = read("A man by a bench. | A man with a woman. | A bench.", "2 person, bench")
    group = graph.find("person")
    (member,) = [one for one in graph.entities if one.member_of is not None]
    assert group is not None
    assert (member.word, member.member_of, member.boxes, member.is_listed) == ("man", group.number, (), False)
    assert member.evidence.boxes == group.evidence.boxes
    assert {span.caption for span in member.evidence.spans} == {0, 1}


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man by a bench. | A bench.", "2 person, bench"),  # one caption only
        ("A man. | A man. | Two men.", "2 person"),  # which of them?
        ("A man. | A man. | A woman.", "2 person"),  # disputed
        ("A man. | A man.", "person"),  # no group to be a member of
    ],
)
def test_others_are_no_members(captions: str, boxes: str) -> None:
    assert not [one for one in read(captions, boxes).entities if one.member_of is not None]


@pytest.mark.parametrize(
    ("captions", "safe"),
    [
        ("A man with a boy. | Two men. | A man.", {"man"}),
        ("A man with a boy. | A man with a boy. | Two men.", {"man", "boy"}),
        ("A man with a boy. | A man.", {"man", "boy"}),
        ("A man and a woman. | Two men.", {"man"}),
        ("A man and a woman. | A couple. | Two men.", {"man", "woman"}),
        ("A woman with a boy. | Two boys.", {"boy"}),
        ("A woman with children. | A group of children.", {"woman", "child"}),
    ],
)
def test_nobody_is_told_whom_as_many_captions_of_several_dispute(captions: str, safe: set[str]) -> None:
    assert read(captions, "2 person").person.safe == safe
