"""Readings that were once wrong, each with the fault that it would have made or missed."""

import pytest

from instructgen.records import Box, ImageRecord
from tests.support.claims import find_claims, image

BUS = image("A red bus on a street.", Box("bus", 0.1, 0.2, 0.5, 0.8))
DOG = image("A dog on a bed.", Box("dog", 0.05, 0.3, 0.25, 0.6), "bed")


def find_contradicted(record: ImageRecord, *texts: str) -> list[str]:
    return [one.kind for one in find_claims(record, *texts) if one.truth == "contradicted"]


@pytest.mark.parametrize(
    ("record", "texts"),
    [
        (DOG, ("There is no cat and a dog sleeps.",)),
        (DOG, ("There's no sign of a cat.",)),
        (DOG, ("The dog isn't in the middle but on the left.",)),
        (BUS, ("Is the bus on the left?", "The bus may be blue inside.")),
        (DOG, ("How many dogs are there?", "One.")),
        (DOG, ("Is there one dog?", "Yes.")),
        (DOG, ("Are there two dogs?", "No.")),
        (DOG, ("A toy cat lies beside the dog.",)),
    ],
)
def test_right_answer_is_let_pass(record: ImageRecord, texts: tuple[str, ...]) -> None:
    assert find_contradicted(record, *texts) == []


@pytest.mark.parametrize(
    ("record", "texts", "kind"),
    [
        (DOG, ("There is no dog and a cat sleeps.",), "object"),
        (DOG, ("How many dogs are there?", "None."), "count"),
        (DOG, ("Are there two dogs?", "Yes."), "count"),
        (DOG, ("A wooden chair stands beside the dog.",), "object"),
        (BUS, ("Is the bus blue?", "Yes."), "colour"),
        (BUS, ("Is the bus red?", "No."), "colour"),
        (BUS, ("Is there a bus? Say yes or no.", "No. It is a street without one."), "object"),
    ],
)
def test_wrong_answer_is_contradicted(record: ImageRecord, texts: tuple[str, ...], kind: str) -> None:
    assert kind in find_contradicted(record, *texts)
