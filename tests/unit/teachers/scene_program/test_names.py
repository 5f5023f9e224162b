"""Names keep the capitals that captions give them within a sentence."""

import pytest

from instructgen.records import Box
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.names import find_names
from tests.support.make import make_record


@pytest.mark.parametrize(
    ("captions", "text", "written"),
    [
        ("A man on a Honda motorcycle.", "A honda motorcycle.", "A Honda motorcycle."),
        ("A man on a Honda.", "Hondas, hondas and a honda.", "Hondas, hondas and a Honda."),
        ("A man on a Honda.", "A rehonda.", "A rehonda."),
        ("A man from Ohio on a Honda.", "A honda in ohio.", "A Honda in Ohio."),
        ("A LG phone on a bed.", "A lg phone.", "A LG phone."),
        ("A man on a Motorcycle.", "A motorcycle.", "A motorcycle."),
        ("Honda motorcycles on a street.", "A honda.", "A honda."),
        ("A plan B on a paper.", "A b and a plan.", "A b and a plan."),
        ("A MAN ON A HONDA MOTORCYCLE.", "A honda.", "A honda."),
        ("A Man Rides His Honda Home.", "A honda.", "A honda."),
        ("A man on a Honda. | A honda.", "A honda.", "A honda."),
        ("A man on a Honda. | A man.", "A honda.", "A Honda."),
        ("A man.", "A honda and a man.", "A honda and a man."),
    ],
    ids=["a name", "whole words", "not within a word", "two", "letters",
         "a common word", "the first word", "one letter", "all capitals",
         "a headline", "lower case elsewhere", "another has none", "no name"],
)  # fmt: skip
def test_word_is_written_as_captions_write_a_name(captions: str, text: str, written: str) -> None:
    assert find_names(tuple(captions.split(" | ")))(text) == written


@pytest.mark.parametrize(("last", "is_name"), [("A motorcycle.", True), ("A honda motorcycle.", False)])
def test_description_writes_names_with_their_capital(last: str, *, is_name: bool) -> None:
    rest = "A man riding a Honda motorcycle on a street."
    record = make_record(
        captions=(rest, rest, rest, rest, last),
        boxes=(Box("person", 0.3, 0.1, 0.6, 0.6), Box("motorcycle", 0.2, 0.3, 0.8, 0.9)),
    )
    for seed in range(4):
        text = write(Task("detail", record), seed).text
        assert ("Honda motorcycle" in text, "honda" in text) == (is_name, not is_name)
