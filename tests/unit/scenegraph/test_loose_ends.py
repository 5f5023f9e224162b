"""What hangs loose at the end of a statement, is cut from its noun, or is told beside what it is a part of."""

import pytest

from instructgen.scenegraph.phrases import find_noun_phrases, tokenise
from instructgen.scenegraph.prepositions import find_placings, is_misplaced
from instructgen.scenegraph.reading import read_captions
from tests.unit.scenegraph.pictures import circumstances, make_picture, read, unboxed
from tests.unit.scenegraph.test_corroboration import told
from tests.unit.scenegraph.test_graph_statements import said

_SMOKER = " | ".join(
    (
        "A man walking down a city street lighting a cigarette.",
        "A man lighting a cigarette as he walks on a city street.",
        "A man holding a cigarette.",
    )
)


@pytest.mark.parametrize(
    ("captions", "boxes", "statement"),
    [
        (
            "A man holding a kite while standing in a cave. | A man holding a kite. | A man with a kite.",
            "person, kite",
            "a man is holding a kite",
        ),
        (
            "A skier flying through the air while skiing. | A skier in the air. | A skier.",
            "person",
            "a skier is flying through the air",
        ),
        (
            "Children and people sitting on a bench. | Children sitting on a bench. | People on a bench.",
            "5 person, bench",
            "people are sitting on a bench",
        ),
        (
            "A man and a woman sitting on a bench. | Two men sitting on a bench. | People on a bench.",
            "2 person, bench",
            "people are sitting on a bench",
        ),
    ],
    ids=["a posture", "a skier's own doing", "children and people", "a man and a person"],
)
def test_loose_end_of_a_statement_is_cut(captions: str, boxes: str, statement: str) -> None:
    assert statement in said(read(captions, boxes))


@pytest.mark.parametrize(
    ("captions", "boxes", "never"),
    [
        (
            _SMOKER,
            "person",
            "man walking down a cigarette",
        ),
        (
            "A cat sitting in between bikes. | A cat sitting in between the bikes. | A cat sitting.",
            "cat, 2 bicycle",
            "cat sitting in bikes",
        ),
        (
            "A man walking along a bicycle. | A man walking along a bicycle. | A man walking.",
            "person, bicycle",
            "man walking along a bicycle",
        ),
        (
            "A girl standing next to a teddy bear using a toilet. | A girl in a bathroom. | A girl.",
            "person, teddy bear, toilet",
            "girl using a toilet",
        ),
        (
            "A woman standing in front of a camera. | A woman standing behind a camera. | A woman standing.",
            "person",
            "woman standing in front of a camera",
        ),
    ],
    ids=["a street cut out", "between", "no way", "a doll's doing", "in front of and behind"],
)
def test_doing_is_not_told_of_the_wrong_thing(captions: str, boxes: str, never: str) -> None:
    assert never not in told(read(captions, boxes))


def test_what_is_between_things_is_in_none_of_them() -> None:
    placings = find_placings(read_captions(make_picture("A cat in between bikes. | A cat on bikes.")))
    assert len(placings["bike"]) == 1
    assert not is_misplaced("in front of", "bike", placings)


@pytest.mark.parametrize("caption", ["a cat on a toilet lid", "a cake with a two pronged fork"])
def test_noun_cut_from_its_compound_is_not_read(caption: str) -> None:
    assert not {"lid", "fork"} & {one.noun.lemma for one in find_noun_phrases(tokenise(caption))}


def test_one_box_of_bikes_is_no_single_bicycle() -> None:
    bicycle = read("A cat between bikes. | A cat by two bikes. | A cat.", "cat, bicycle").find("bicycle")
    assert bicycle is not None
    assert (bicycle.is_single, bicycle.is_unclear) == (False, True)


def test_field_that_is_a_forest_to_more_captions_is_no_place() -> None:
    field, forest = "Birds walking in a field.", "Birds near a forest."
    assert circumstances(read(f"{field} | {field} | {forest} | {forest} | {forest}", "2 bird")) == set()


@pytest.mark.parametrize(
    ("boxes", "weather"), [("tv", set()), ("car", {"weather sunny"})], ids=["in a room", "under the sky"]
)
def test_weather_of_one_caption_needs_the_sky(boxes: str, weather: set[str]) -> None:
    assert {
        one for one in circumstances(read("A thing on a sunny day. | A. | B.", boxes)) if "weather" in one
    } == weather


def test_plate_that_is_a_platter_to_fewer_captions_is_told_by_its_own_word() -> None:
    captions = "Cake on a plate. | Cake on a gray plate. | Cake on a gray platter. | Cake on a cutting board."
    assert unboxed(read(captions, "cake")) == {"plate"}
