"""Places in the frame and beside other things, against boxes."""

import pytest

from instructgen.grounding.claims import Kind
from instructgen.records import Box
from tests.support.claims import find_claims, image, tell

PAIR = image(
    "", Box("dog", 0.05, 0.3, 0.25, 0.6), Box("cat", 0.7, 0.3, 0.95, 0.6), Box("person", 0.45, 0.1, 0.55, 0.9)
)
BED = image("", Box("clock", 0.4, 0.05, 0.5, 0.15), Box("bed", 0.2, 0.6, 0.9, 0.95))
DOGS = image("", Box("dog", 0.05, 0.3, 0.25, 0.6), Box("dog", 0.7, 0.3, 0.95, 0.6), Box("cat", 0.1, 0.3, 0.15, 0.6))


def mirror(text: str) -> str:
    return text.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")


@pytest.mark.parametrize(
    "text",
    [
        "A dog is on the left side of the picture.",
        "On the right there is a cat.",
        "There is a dog. It is on the left.",
        "The dog sits to the left of the cat.",
        "To the right of the dog is a cat.",
        "The person is right of the dog.",
        "The dog is on the left and the cat is on the right.",
        "On the left is a dog, on the right is a cat.",
        "The dog is farther to the left than the cat.",
        "The dog is on the viewer's left.",
        "If you look to the left, you'll see a dog.",
    ],
)
def test_true_side_is_supported_and_its_mirror_contradicted(text: str) -> None:
    kinds = ("position", "relation")
    assert {one.truth for one in find_claims(PAIR, text) if one.kind in kinds} == {"supported"}
    mirrored = mirror(text)
    assert {one.truth for one in find_claims(PAIR, mirrored) if one.kind in kinds} == {"contradicted"}


@pytest.mark.parametrize(
    "text",
    [
        "From left to right there are a cat and a dog.",
        "The dog is on the cat's right.",
        "The other is further to the right.",
        "Another dog, further right, cannot be made out.",
    ],
)
def test_directions_owned_and_compared_sides_place_nothing(text: str) -> None:
    assert not tell(find_claims(PAIR, text), "position", "relation")


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("What is on the left?", "A dog.", "position"),
        ("Which animal can be seen on the left side of the picture?", "The dog.", "position"),
        ("What do you see to the left of the cat?", "I see a dog.", "relation"),
        ("Where is the dog relative to the cat?", "To the left.", "relation"),
        ("Where is the dog in relation to the cat?", "It's on the left.", "relation"),
        ("Which side is the dog on?", "The left.", "position"),
    ],
)
def test_question_says_where_the_answer_puts_things(question: str, answer: str, kind: Kind) -> None:
    assert [one.truth for one in find_claims(PAIR, question, answer) if one.kind == kind] == ["supported"]
    mirrored = find_claims(PAIR, mirror(question), answer if "left" in question else mirror(answer))
    assert [one.truth for one in mirrored if one.kind == kind] == ["contradicted"]


def test_what_a_thing_on_the_left_does_places_nothing_else() -> None:
    claims = find_claims(PAIR, "What is the dog on the left doing?", "It plays with a cat.")
    assert not tell(claims, "position", "relation")


PLAYERS = image(
    "A woman plays tennis.",
    Box("person", 0.1, 0.2, 0.4, 0.9),
    Box("person", 0.8, 0.1, 0.85, 0.2),
    Box("cell phone", 0.82, 0.1, 0.84, 0.14),
)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("A woman plays tennis. She is on the right.", "contradicted"),
        ("The woman is on the right.", "contradicted"),
        ("In the foreground, on the right, a woman plays.", "contradicted"),
        ("A woman is on the right.", "supported"),
        ("The other woman is on the right.", "supported"),
        ("The woman is on the right in the background.", "supported"),
        ("The woman is on the left.", "supported"),
    ],
)
def test_the_one_spoken_of_is_much_the_largest(text: str, truth: str) -> None:
    assert {one.truth for one in find_claims(PLAYERS, text) if one.kind == "position"} == {truth}


def test_what_is_held_is_where_its_holder_is() -> None:
    for side, truth in (("left", "contradicted"), ("right", "supported")):
        claims = find_claims(PLAYERS, f"A person on the {side} is holding a cell phone.")
        (found,) = [one for one in claims if one.kind == "position"]
        assert found.truth == truth


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The clock hangs above the bed.", "relation supported: above the bed"),
        ("The clock hangs below the bed.", "relation contradicted: below the bed"),
        ("The clock is at the top of the picture.", "position supported: at the top of the picture"),
        ("The clock is at the bottom of the picture.", "position contradicted: at the bottom of the picture"),
    ],
)
def test_height_is_held_against_boxes(text: str, told: str) -> None:
    assert tell(find_claims(BED, text), "position", "relation") == [told]


def test_overlapping_boxes_are_neither_above_nor_below() -> None:
    record = image("", Box("umbrella", 0.3, 0.1, 0.7, 0.8), Box("person", 0.4, 0.3, 0.6, 0.95))
    for text in ("The umbrella is above the person.", "The umbrella is below the person."):
        (found,) = [one for one in find_claims(record, text) if one.kind == "relation"]
        assert found.truth == "supported"


@pytest.mark.parametrize(("x0", "truth"), [(0.41, "supported"), (0.44, "unverifiable"), (0.46, "contradicted")])
def test_left_ends_a_little_beyond_the_middle(x0: float, truth: str) -> None:
    record = image("", Box("dog", x0, 0.4, x0 + 0.2, 0.6))
    (found,) = [one for one in find_claims(record, "On the left is a dog.") if one.kind == "position"]
    assert found.truth == truth


def test_middle_is_contradicted_only_where_no_part_of_the_box_is_in_the_middle_third() -> None:
    assert tell(find_claims(PAIR, "The dog is in the middle of the picture."), "position") == [
        "position contradicted: in the middle of the picture"
    ]
    assert tell(find_claims(PAIR, "The person is in the middle of the picture."), "position") == [
        "position supported: in the middle of the picture"
    ]


def test_one_of_several_is_enough() -> None:
    assert tell(find_claims(DOGS, "A dog is on the right."), "position") == ["position supported: on the right"]
    (one,) = [one for one in find_claims(DOGS, "One dog is at the top of the picture.") if one.kind == "position"]
    assert one.truth == "supported"


def test_one_of_several_may_be_anywhere() -> None:
    record = image("", Box("dog", 0.05, 0.3, 0.25, 0.6), Box("dog", 0.1, 0.3, 0.3, 0.6))
    assert tell(find_claims(record, "One dog is on the right."), "position") == [
        "position unverifiable: on the right"
    ]
    assert tell(find_claims(record, "The dogs are on the right."), "position") == [
        "position contradicted: on the right"
    ]


def test_the_kindest_reading_of_whom_a_place_is_said_of_counts() -> None:
    (found,) = [one for one in find_claims(PAIR, "A dog near a cat on the right.") if one.kind == "position"]
    assert (found.truth, found.subject) == ("supported", "cat")


def test_crowd_without_boxes_and_unboxed_targets_leave_a_place_open() -> None:
    crowd = image("", Box("person", 0.0, 0.0, 0.4, 1.0, is_crowd=True))
    assert tell(find_claims(crowd, "People are on the right."), "position") == ["position unverifiable: on the right"]
    (found,) = [one for one in find_claims(PAIR, "The dog is to the left of the lamp.") if one.kind == "relation"]
    assert (found.truth, found.evidence) == ("unverifiable", "no box of lamp")


def test_thing_without_a_box_has_no_place() -> None:
    assert tell(find_claims(image("A dog."), "The dog is on the right."), "position") == []


def test_evidence_gives_the_centres_of_the_boxes() -> None:
    (found,) = [one for one in find_claims(PAIR, "The dog is on the right.") if one.kind == "position"]
    assert found.evidence == "dog at 15% across and 45% down"
