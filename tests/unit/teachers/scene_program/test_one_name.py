"""Descriptions, conversations and answers name one thing once, in whole sentences, and what they are about."""

import random
import re

import pytest

from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.settings import infer_setting
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.detail_fill import _tell_absence, _tell_subject
from instructgen.teachers.scene_program.generators.presence import apart
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.speech import polish
from instructgen.teachers.scene_program.talk import Talk
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.unit.scenegraph.pictures import make_picture, read


def start(graph: SceneGraph, seed: int) -> Paragraph:
    return Paragraph(graph, random.Random(seed), load_wordings())


def test_list_has_one_name_of_a_thing_and_both_things_that_are_boxed() -> None:
    graph = read("Sausages by a hot dog. | Sausages and hot dogs.", "2 hot dog")
    assert [one.word for one in apart(list(graph.entities))] == ["hot dog"]
    boxed = read("A chair by a bench.", "chair, bench").boxed_entities()
    assert len(apart(boxed)) == 2


def test_one_box_of_what_captions_have_in_the_plural_is_not_listed_as_one() -> None:
    graph = read("Bananas in a bowl. | Bananas.", "banana, bowl")
    talk = Talk(graph, random.Random(0), load_wordings(), "plain")
    assert [one.word for one in talk.listed()] == ["bowl"]


@pytest.mark.parametrize(("words", "named"), [(set(), True), ({"hotel", "room"}, False)])
def test_room_is_inferred_only_where_captions_name_no_other(words: set[str], *, named: bool) -> None:
    found = infer_setting(frozenset({"oven", "refrigerator"}), frozenset(words))
    assert (found is not None) is named


@pytest.mark.parametrize("seed", range(12))
def test_no_two_sentences_begin_with_neither(seed: int) -> None:
    page = start(read("A dog on a rug.", "dog"), seed)
    for _ in range(3):
        _tell_absence(page)
    assert sum(one.startswith("Neither") for one in page.sentences) == 1


@pytest.mark.parametrize("seed", range(4))
def test_scissors_are_several(seed: int) -> None:
    page = start(read("Black scissors. | Scissors. | Scissors on a roll. | Scissors.", "scissors"), seed)
    _tell_subject(page)
    assert not any("scissors is" in one.lower() for one in page.sentences)


def test_description_has_one_name_of_a_garment() -> None:
    captions = "A man in a suit riding a horse. | A man wearing a jacket rides a horse. | A man on a horse."
    text = write(Task("detail", make_picture(captions, "person, horse")), 7).text
    assert "suit" in text
    assert "jacket" not in text


def test_answer_names_what_its_question_is_about() -> None:
    captions = "A woman making cigars. | A woman with scissors in her hands. | A woman in a factory."
    for seed in range(8):
        told = write(Task("reasoning", make_picture(captions, "person, 2 scissors")), seed).turns
        assert all("scissors" in one.answer.lower() for one in told if "scissors" in one.family)


@pytest.mark.parametrize("seed", range(30))
def test_nobody_asks_whether_there_are_airplanes_once_jets_were_told(seed: int) -> None:
    captions = "Two jets are flying in the sky. | Two jets flying. | Airplanes. | Two jets in the sky. | A show."
    turns = write(Task("conv", make_picture(captions, "2 airplane")), seed).turns
    asked = next((at for at, one in enumerate(turns) if one.family.startswith("present_")), 0)
    assert not any(re.search(r"\b(?:jets|airplanes)\b", f"{one.question} {one.answer}") for one in turns[:asked])


@pytest.mark.parametrize("seed", range(30))
def test_conversation_tells_what_most_captions_tell(seed: int) -> None:
    captions = (
        "A man riding a horse. | A man rides a horse. | The man is riding a horse. | A man on a horse. | A dog."
    )
    turns = write(Task("conv", make_picture(captions, "person, horse, dog, 2 car, bench, tv")), seed).turns
    assert any("riding" in f"{one.question} {one.answer}" for one in turns)


def test_names_and_initials_are_written_as_such() -> None:
    assert polish("a tv by two tvs and a wii game at christmas") == "A TV by two TVs and a Wii game at Christmas"
