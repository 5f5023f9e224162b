"""Where a recipe's numbers come from, as its file notes it."""

import pytest

from instructgen.train.recipe_notes import DEFAULT, OF_FILE, SET_BY_HAND, find_note, read_notes

TEXT = """
# The whole file
template = "a # b"  # of the tower # twice
[model.vision]
name = "x"
[optim]             # AdamW
learning_rate = 2e-4                # LLaVA's script
rates = { connector = 2e-5 }        # LLaVA's script: mm_projector_lr
warmup = 0.03
betas = [
  0.9, 0.98
]
[[mixture]]         # twice
weight = 0.2        # Flamingo's
"""


@pytest.mark.parametrize(
    ("key", "note"),
    [
        ("template", "of the tower # twice"),
        ("model.vision.name", OF_FILE),
        ("optim.learning_rate", "LLaVA's script"),
        ("optim.rates.connector", "LLaVA's script: mm_projector_lr"),
        ("optim.rates.language", DEFAULT),
        ("optim.warmup", OF_FILE),
        ("optim.betas", OF_FILE),
        ("optim.schedule", DEFAULT),
        ("name", DEFAULT),
        ("mixture.weight", "Flamingo's"),
    ],
)
def test_note_is_the_comment_on_the_keys_own_line(key: str, note: str) -> None:
    assert find_note(read_notes(TEXT), key) == note


def test_key_of_the_command_line_loses_the_files_note() -> None:
    notes = read_notes(TEXT, ["optim.learning_rate=1e-3", "optim.rates.language = 1e-5", "train.steps=5"])
    assert find_note(notes, "optim.learning_rate") == SET_BY_HAND
    assert find_note(notes, "train.steps") == SET_BY_HAND
    assert find_note(notes, "optim.rates.language") == SET_BY_HAND
    assert find_note(notes, "optim.rates.connector") == "LLaVA's script: mm_projector_lr"


def test_table_that_the_command_line_sets_takes_its_keys_along() -> None:
    notes = read_notes("[optim.rates]\nconnector = 1  # a paper\n", ["optim.rates={ connector = 2 }"])
    assert find_note(notes, "optim.rates.connector") == SET_BY_HAND
