"""The prover has teeth: it objects to planted faults, and accepts the same sentence without the fault."""

# ruff: noqa: E501 - a row of the table is a line

import pytest

from instructgen.records import ImageRecord
from tests.provers.images import DOGS, GIRAFFE, KITCHEN, STREET, SURFER
from tests.provers.scene_program import find_objections

FAULTS = [
    ("swapped object", SURFER, "The man is riding a wave.", "The man is riding a horse."),
    ("swapped object in a list", STREET, "The picture shows a bus and cars.", "The picture shows a bus and boats."),
    ("swapped actor", KITCHEN, "The woman is holding a knife.", "The man is holding a knife."),
    ("swapped action", DOGS, "The dogs are lying on a couch.", "The dogs are running on a couch."),
    ("wrong count", DOGS, "There are two dogs in the picture.", "There are three dogs in the picture."),
    ("count no caption gives", STREET, "This picture features cars.", "There are two cars in the picture."),
    ("plural of one", SURFER, "There is a surfboard in the picture.", "There are surfboards in the picture."),
    ("wrong color", STREET, "The bus in the picture is red.", "The bus in the picture is blue."),
    ("color of another thing", SURFER, "The surfboard is yellow in color.", "The surfboard is black in color."),
    ("color of one of two", DOGS, "The color of the couch is red.", "The color of the dog is brown."),
    ("mirrored side", STREET, "The bus is on the left side of the image.", "The bus is on the right side of the image."),
    ("mirrored corner", SURFER, "The surfboard is in the lower right of the photo.",
     "The surfboard is in the upper right of the photo."),
    ("mirrored relation", SURFER, "The man is to the left of the surfboard.", "The man is to the right of the surfboard."),
    ("turned relation", SURFER, "The man is higher up in the picture than the surfboard.",
     "The surfboard is higher up in the picture than the man."),
    ("turned size", KITCHEN, "The woman takes up more of the picture than the knife.",
     "The knife takes up more of the picture than the woman."),
    ("denied existence", GIRAFFE, "There is a tree in view.", "There is no giraffe in the picture."),
    ("absence a word puts in doubt", GIRAFFE, "There is no dog in the picture.", "There are no people in the picture."),
    ("invented absence pair", DOGS, "Neither a boat nor a bus is part of the scene.",
     "Neither a boat nor a couch is part of the scene."),
    ("wrong setting", KITCHEN, "The scene takes place in a kitchen.", "The scene takes place in a bathroom."),
    ("wrong extent", GIRAFFE, "The giraffe spans most of the height of the frame.",
     "The giraffe spans most of the width of the frame."),
    ("wrong half", DOGS, "There are dogs in the left half of the frame as well as in the right half.",
     "The dogs are all found in the left half of the image."),
    ("unknown sentence", GIRAFFE, "The giraffe is standing in a field.", "The giraffe dreams of better days."),
    ("color that is a fruit too", STREET, "The picture shows a red bus.", "The picture shows an orange and cars."),
    ("second clause", STREET, "The bus is red, and it is on the left side of the photo.",
     "The bus is red, and it is on the right side of the photo."),
    ("last in a list", KITCHEN, "The scene includes a woman, a knife and a carrot.",
     "The scene includes a woman, a knife and a pizza."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "sound", "faulty"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_prover_accepts_the_sound_and_objects_to_the_faulty(record: ImageRecord, sound: str, faulty: str) -> None:
    assert find_objections(record, "detail", sound) == []
    assert find_objections(record, "detail", faulty) != []


def pair(question: str, answer: str) -> str:
    return f"Question:\n{question}\n===\nAnswer:\n{answer}"


@pytest.mark.parametrize(
    "answer",
    [
        "No, there is no giraffe in the picture.",
        "Yes, there is a dog in the picture.",
        "Yes, there is a tree in the picture.",
    ],
)
def test_answer_of_yes_or_no_must_fit_its_question(answer: str) -> None:
    question = "Is there a giraffe in the picture?"
    assert find_objections(GIRAFFE, "conv", pair(question, "Yes, there is a giraffe in the picture.")) == []
    assert find_objections(GIRAFFE, "conv", pair(question, answer)) != []


def test_question_may_not_take_for_granted_what_is_absent() -> None:
    assert (
        find_objections(GIRAFFE, "conv", pair("What color is the dog?", "There is a giraffe in the picture.")) != []
    )


def test_missing_one_of_two_must_be_exactly_one() -> None:
    asked = "Which of these is missing from the image: a {} or a {}?"
    told = "You will not find a bus here, but there is a giraffe in the image."
    assert find_objections(GIRAFFE, "conv", pair(asked.format("bus", "giraffe"), told)) == []
    assert find_objections(GIRAFFE, "conv", pair(asked.format("bus", "car"), told)) != []


@pytest.mark.parametrize(
    ("sentence", "is_sound"),
    [
        ("Giraffes usually need space.", True),
        ("All of this suggests tennis, which usually needs quick feet.", False),
        ("There is a dog in the picture, which may be hungry.", False),
        ("Giraffes need space.", False),
    ],
)
def test_background_must_be_hedged_and_claim_nothing_of_the_image(sentence: str, *, is_sound: bool) -> None:
    text = pair("What do such animals need?", f"One can see a giraffe in the photo. {sentence}")
    assert (find_objections(GIRAFFE, "reasoning", text) == []) is is_sound
