"""Whether what an answer names is in the picture."""

import pytest

from instructgen.grounding.evidence import read_evidence
from instructgen.grounding.objects import find_hint, find_presence
from instructgen.records import Box
from tests.support.claims import find_claims, image, tell

DOG = image("A brown dog rests on the grass.|The dog lies beside a red ball.", "dog")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("There is a dog.", "object supported: a dog"),
        ("There is a puppy.", "object supported: a puppy"),
        ("A ball lies there.", "object supported: A ball"),
        ("There is a zebra.", "object contradicted: a zebra"),
        ("It might be a zebra.", "object unverifiable: a zebra"),
        ("Plants grow.", "object unverifiable: Plants"),
        ("There is grass.", "thing supported: grass"),
        ("There is a lamp.", "thing unverifiable: a lamp"),
        ("There is a rabbit.", "object contradicted: a rabbit"),
        ("There might be a rabbit.", "thing unverifiable: a rabbit"),
    ],
)
def test_thing_is_held_against_boxes_and_captions(text: str, told: str) -> None:
    assert tell(find_claims(DOG, text)) == [told]


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("There is a dog.", "1 boxes of dog"),
        ("There is a ball.", "1 captions name it"),
        ("There is a zebra.", "no box of zebra, and no caption names one"),
        ("It might be a zebra.", "neither boxed nor named, and only supposed"),
        ("There is a lamp.", "no caption names it"),
        ("There is a rabbit.", "no caption names such an animal"),
        ("Someone waits.", "nothing shows it"),
    ],
)
def test_evidence_says_why(text: str, evidence: str) -> None:
    (found,) = find_claims(DOG, text)
    assert found.evidence == evidence


@pytest.mark.parametrize(
    "text", ["A picture of it.", "A toy giraffe.", "A statue of it and a painting of a cat.", "It looks like a cat."]
)
def test_likened_thing_is_no_claim(text: str) -> None:
    assert tell(find_claims(DOG, text), "object") == []


def test_other_name_of_a_thing_in_a_caption_bears_it_out() -> None:
    assert tell(find_claims(image("A sofa and a coat."), "There is a jacket.")) == ["thing supported: a jacket"]
    assert tell(find_claims(image("A man in a parka."), "There is a coat."), "thing") == ["thing supported: a coat"]


@pytest.mark.parametrize(
    ("captions", "boxes", "category", "hint"),
    [
        ("A vehicle on a road.", (), "truck", "captions say 'vehicle'"),
        ("Fruit.", ("bowl",), "dining table", "there is a box of bowl"),
        ("Animals in a field.", (), "horse", "captions say 'animal'"),
        ("Animals in a field.", ("cow",), "horse", ""),
        ("A pet.", ("cat",), "dog", ""),
        ("A vehicle on a road.", ("car",), "truck", ""),
        ("A quiet street.", (), "truck", ""),
    ],
)
def test_vague_word_or_a_likely_box_leaves_room_until_another_thing_takes_it(
    captions: str, boxes: tuple[str, ...], category: str, hint: str
) -> None:
    assert find_hint(category, read_evidence(image(captions, *boxes))) == hint


def test_hinted_thing_is_unverifiable() -> None:
    assert tell(find_claims(image("A vehicle on a road."), "A truck waits.")) == ["object unverifiable: A truck"]


def test_presence_names_boxes_before_crowds_before_captions() -> None:
    crowd = Box("person", 0.0, 0.0, 1.0, 1.0, is_crowd=True)
    assert find_presence("dog", read_evidence(DOG)) == "1 boxes of dog"
    assert find_presence("person", read_evidence(image("", crowd))) == "boxes of person, a crowd among them"
    assert find_presence("sports ball", read_evidence(DOG)) == "1 captions name it"
    assert find_presence("cat", read_evidence(DOG)) == ""


def test_denial_or_likeness_in_a_caption_shows_nothing() -> None:
    assert find_presence("cat", read_evidence(image("A cat-shaped pillow."))) == ""
    assert find_presence("cat", read_evidence(image("A pillow that looks like a cat."))) == ""


@pytest.mark.parametrize(
    ("text", "truth"),
    [("A woman rides.", "contradicted"), ("A man rides.", "supported"), ("A person rides.", "supported")],
)
def test_woman_who_is_a_man_in_every_caption_is_contradicted(text: str, truth: str) -> None:
    (found,) = find_claims(image("A man rides a horse.", "person", "horse"), text)
    assert found.truth == truth


@pytest.mark.parametrize(
    ("captions", "num_people"), [("A man rides.", 2), ("A person rides with him.", 1), ("Riding a horse.", 1)]
)
def test_gender_is_open_among_several_or_where_captions_do_not_tell(captions: str, num_people: int) -> None:
    (found,) = find_claims(image(captions, *["person"] * num_people), "A woman rides.")
    assert found.truth == "supported"


def test_parrot_that_two_captions_call_an_owl_is_contradicted() -> None:
    assert tell(find_claims(image("An owl.|An owl sits.", "bird"), "A parrot sits.")) == [
        "object contradicted: A parrot"
    ]
    assert tell(find_claims(image("An owl.|A bird sits.", "bird"), "A parrot sits.")) == [
        "object supported: A parrot"
    ]
    assert tell(find_claims(image("An owl.|An owl sits.", "bird"), "A bird sits.")) == ["object supported: A bird"]


def test_bike_may_be_a_bicycle_or_a_motorcycle() -> None:
    assert tell(find_claims(image("", "motorcycle"), "A bike.")) == ["object supported: A bike"]
    assert tell(find_claims(image("", "bicycle"), "A bike.")) == ["object supported: A bike"]
    assert tell(find_claims(image("", "motorcycle"), "A bicycle.")) == ["object contradicted: A bicycle"]
    assert tell(find_claims(image("A bike."), "A bicycle.")) == ["object unverifiable: A bicycle"]
