"""Whose verb it is: subjects, clothes, passives and lists, each read from one caption."""

import pytest

from tests.unit.scenegraph.pictures import actions, read


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        # A phone wears nothing: it is the man.
        (
            "A man holding a phone wearing a hat.",
            "person, cell phone",
            {"person holding a cell phone", "person wearing a hat"},
        ),
        (
            "A man in a suit holding a phone.",
            "person, cell phone",
            {"person wearing a suit", "person holding a cell phone"},
        ),
        ("A man in a red shirt.", "person", {"person wearing a shirt"}),
        (
            "The boy in the red shirt is holding a bat.",
            "person, baseball bat",
            {"person wearing a shirt", "person holding a baseball bat"},
        ),
        (
            "A woman next to a man holding an umbrella.",
            "2 person, umbrella",
            {"woman next to a man"},
        ),
        # One after the other.
        (
            "A man riding a horse on the beach and holding a kite.",
            "person, horse, kite",
            {"person riding a horse on a beach", "person holding a kite"},
        ),
        (
            "A man sits on a bench, holding a cup.",
            "person, bench, cup",
            {"person sitting on a bench", "person holding a cup"},
        ),
        # Of two people, both.
        ("A man and a woman wearing hats.", "2 person", {"people wearing hats"}),
        # How they stand to one another.
        ("Two zebras standing next to each other.", "2 zebra", {"zebras standing next to each other"}),
        ("Two zebras stand next to one another.", "2 zebra", {"zebras standing next to each other"}),
        ("Two dogs sit side by side on a couch.", "2 dog, couch", {"dogs sitting side by side on a couch"}),
        # Relative clauses and auxiliaries.
        ("A dog that is sitting on a couch.", "dog, couch", {"dog sitting on a couch"}),
        ("A woman who holds a kite.", "person, kite", {"person holding a kite"}),
        # Passives that say who.
        ("A boat pulled by a horse.", "boat, horse", {"boat pulled by a horse"}),
        # "Atop" and others are said plainly.
        ("A cat sits atop a car.", "cat, car", {"cat sitting on top of a car"}),
        ("A cat sleeping underneath a bench.", "cat, bench", {"cat sleeping under a bench"}),
        ("A cat sitting up on a couch.", "cat, couch", {"cat sitting on a couch"}),
    ],
)
def test_each_verb_has_its_subject(captions: str, boxes: str, said: set[str]) -> None:
    assert actions(read(captions, boxes)) == said


@pytest.mark.parametrize(
    ("captions", "boxes", "unsaid"),
    [
        ("A man is pulled by a dog.", "person, dog", "pull"),
        ("A dog is being held by a man.", "person, dog", "hold"),
        ("A horse ridden by a man.", "person, horse", "ride"),
        ("A horse carries a man.", "person, horse", "carry"),
        ("A man and a woman in a red shirt.", "2 person", "wear"),
        ("A dog on a couch wearing a hat. | A man.", "dog, person, couch", "wear"),
        ("A couch in a red shirt.", "couch", "wear"),
        ("A dog and a man holding a kite.", "dog, 2 person, kite", "hold"),
        ("A man next to a hat.", "person", "wear"),
        ("A man and his dog sitting on a couch.", "person, dog, couch", "sit"),
        ("A man with a dog standing on a rug.", "person, dog", "stand"),
        ("A man likes to ride a horse.", "person, horse", "ride"),
        ("A man hold a horse.", "person, horse", "hold"),
        ("A man standing next to each other.", "person", "stand"),
        ("A man sitting on a zorp.", "person", "sit"),
        ("A man sitting on no bench.", "person, bench", "sit"),
        ("A man next to a statue holding a kite.", "person, kite", "be"),
        ("A sign of a man riding a horse.", "person, horse", "ride"),
        ("A kitchen with a laptop on a desk.", "laptop", "be"),  # placements only of the first noun
    ],
)
def test_whose_it_is_not_is_not_said(captions: str, boxes: str, unsaid: str) -> None:
    told = [one for one in read(captions, boxes).actions if one.verb == unsaid]
    if unsaid == "be":
        told = [one for one in told if one.subject == "laptop" or one.where.startswith("next to a kite")]
    assert told == []


def test_an_event_cites_the_words_from_its_subject_to_its_last() -> None:
    caption = "Near a lake a man in a hat is riding a brown horse on the beach with zorps."
    graph = read(f"{caption} | A man.", "person, horse")
    (ride,) = [one for one in graph.actions if one.verb == "ride"]
    (span,) = ride.evidence.spans
    assert caption[span.start : span.end].endswith("riding a brown horse on the beach")
    assert " man " in caption[span.start - 1 : span.end]
