"""Readings that were once wrong, each with the fault that it would have made or missed."""

import pytest

from instructgen.records import Box, ImageRecord
from tests.support.claims import find_claims, image

CHOPPED = image("A wooden board and a knife. A knife lies on the cutting board.", "knife")
BOWL = image("A bowl filled with vegetables and a spoon.", "bowl", "spoon")
GLOVE = image("A man on a field.", Box("person", 0.2, 0.1, 0.6, 0.9), Box("baseball glove", 0.4, 0.4, 0.5, 0.5))
UMBRELLA = image("A woman walks, holding an umbrella.", "person", "umbrella")
DESK = image("A laptop and a monitor on a desk.", Box("laptop", 0.1, 0.3, 0.3, 0.6), Box("tv", 0.5, 0.1, 0.9, 0.6))
BOAT = image(
    "A man and his dog in a boat.", Box("person", 0.1, 0.2, 0.3, 0.8), Box("dog", 0.5, 0.4, 0.7, 0.8), "boat"
)
VASE = image("A brown vase with purple flowers.", "vase")
PLATFORM = image("Two men in orange and another man wait.", *["person"] * 3)
WAVE = image("A man rides a board.", "person", "surfboard")
BUS = image("A red bus on a street.", Box("bus", 0.1, 0.2, 0.5, 0.8))
DOG = image("A dog on a bed.", Box("dog", 0.05, 0.3, 0.25, 0.6), "bed")


def find_contradicted(record: ImageRecord, *texts: str) -> list[str]:
    return [one.kind for one in find_claims(record, *texts) if one.truth == "contradicted"]


@pytest.mark.parametrize(
    ("record", "texts"),
    [
        (DOG, ("There is no cat and a dog sleeps.",)),
        (DOG, ("The image shows no cat and a dog.",)),
        (DOG, ("There's no sign of a cat.",)),
        (DOG, ("The dog isn't in the middle but on the left.",)),
        (BUS, ("Is the bus on the left?", "The bus may be blue inside.")),
        (DOG, ("How many dogs are there?", "One.")),
        (DOG, ("Is there one dog?", "Yes.")),
        (DOG, ("Are there two dogs?", "No.")),
        (DOG, ("A toy cat lies beside the dog.",)),
        (DOG, ("Is there more than one dog?", "No, just the one.")),
        (DOG, ("Is there another dog?", "No.")),
        (DOG, ("It is possible that a child put it there.",)),
        (DOG, ("The conductor is on the right, while the dog is asleep.",)),
        (GLOVE, ("He is not holding a bat.",)),
        (CHOPPED, ("There is no knife under the board.",)),
        (DESK, ("The laptop sits to the left of the monitor.",)),
        (BOAT, ("A man is in a boat. His dog sits to the right of him.",)),
        (BOAT, ("A man is in a boat. The dog sits to the left of them.",)),
        (VASE, ("What color are the flowers in the vase?", "They are purple.")),
        (PLATFORM, ("Three men wait.",)),
        (WAVE, ("What is he riding?", "A surfboard.")),
    ],
)
def test_right_answer_is_let_pass(record: ImageRecord, texts: tuple[str, ...]) -> None:
    assert find_contradicted(record, *texts) == []


@pytest.mark.parametrize(
    ("record", "texts", "kind"),
    [
        (DOG, ("There is no dog and a cat sleeps.",), "object"),
        (DOG, ("How many dogs are there?", "None."), "count"),
        (DOG, ("Looking at the right-hand side, one sees the dog.",), "position"),
        (DOG, ("The eye is led to the right, where a dog can be seen.",), "position"),
        (DOG, ("Are there two dogs?", "Yes."), "count"),
        (DOG, ("A wooden chair stands beside the dog.",), "object"),
        (BUS, ("Is the bus blue?", "Yes."), "colour"),
        (CHOPPED, ("There is no knife on the board.",), "object"),
        (BOWL, ("There is no spoon in the bowl.",), "object"),
        (GLOVE, ("No, he is not wearing a baseball glove.",), "object"),
        (image("People pose.", "person", "person", "tie"), ("None of the people are wearing ties.",), "object"),
        (DOG, ("Why is it calm?", "The dog is alert, while a cat is sitting next to him."), "object"),
        (UMBRELLA, ("She is not carrying an umbrella.",), "object"),
        (DESK, ("The laptop sits to the right of the monitor.",), "relation"),
        (BOAT, ("A man is in a boat. His dog sits to the left of him.",), "relation"),
        (VASE, ("What color are the flowers in the vase?", "They are blue."), "colour"),
        (PLATFORM, ("Four men wait.",), "count"),
        (WAVE, ("What is he riding?", "A skateboard."), "object"),
        (BUS, ("Is the bus red?", "No."), "colour"),
        (BUS, ("Is there a bus? Say yes or no.", "No. It is a street without one."), "object"),
    ],
)
def test_wrong_answer_is_contradicted(record: ImageRecord, texts: tuple[str, ...], kind: str) -> None:
    assert kind in find_contradicted(record, *texts)
