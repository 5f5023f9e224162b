"""Place, time and weather, as captions set the picture in them."""

import pytest

from instructgen.lexicon.categories import CATEGORIES
from instructgen.scenegraph.circumstances import find_outdoors
from instructgen.scenegraph.settings import SETTINGS, infer_setting
from tests.unit.scenegraph.pictures import circumstances, disputes, read


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A man in a kitchen. | A man in the kitchen.", "person", {"place kitchen"}),
        ("A kitchen with an oven.", "oven", {"place kitchen"}),  # one caption, and a box that fits
        ("A dog in a kitchen.", "dog", {"place kitchen"}),  # one caption, no other place
        ("A dog in a room. | A room.", "dog", {"place room"}),
        ("A view of a city street.", "car", {"place city street"}),
        ("A dog swims in the water. | A dog in the water.", "dog", {"place water"}),
        ("A bus at night. | A bus at night time.", "bus", {"time night"}),
        ("A bus on a sunny day.", "bus", {"time day", "weather sunny"}),
        ("A bus in the rain.", "bus", {"weather rainy"}),
        ("A boat at sunset.", "boat", {"time sunset"}),
        ("A bus under an overcast sky.", "bus", {"weather cloudy"}),
        ("A dog in a foggy meadow.", "dog", {"place meadow", "weather foggy"}),
    ],
)
def test_what_captions_name_is_read(captions: str, boxes: str, said: set[str]) -> None:
    assert circumstances(read(captions, boxes)) == said


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A dog in a room.", "dog"),  # too wide for one caption
        ("A dog in the snow.", "dog"),
        ("A man near a beach.", "person"),
        ("A bathroom sink. | A kitchen sink.", "sink"),
        ("Kitchens with ovens.", "oven"),
        ("There is no beach. | A dog.", "dog"),
        ("A poster of a beach.", "person"),
        ("A painting with a view of a beach.", "person"),
        ("A man on a beach. | A boy on a road.", "person"),  # two places, each of one caption
        ("A painting of a boat at night.", "boat"),
        ("A bus at night on a television screen.", "tv"),
        ("A woman in an evening gown.", "person"),
        ("A sunny side up egg. | A sunny kitchen scene.", ""),
        ("A knight in a chair.", "chair"),
        ("A rug.", "oven, sink"),  # a place that only things give away is no caption's word
    ],
)
def test_what_captions_do_not_set_the_picture_in_is_not(captions: str, boxes: str) -> None:
    assert circumstances(read(captions, boxes)) == set()


@pytest.mark.parametrize(
    ("captions", "kind"),
    [
        ("A bus at night. | A bus in the afternoon.", "time"),
        ("A bus at sunrise. | A bus at sunset.", "time"),
        ("A bus at night. | A bus at sunset.", "time"),
        ("A bus in the rain. | A sunny street.", "weather"),
        ("A bus on a sunny street. | A cloudy street.", "weather"),
    ],
)
def test_what_captions_disagree_on_is_a_contradiction(captions: str, kind: str) -> None:
    graph = read(captions, "bus")
    assert f"scene {kind}" in disputes(graph)
    assert graph.circumstance(kind) is None  # type: ignore[arg-type]
    (dispute,) = [one for one in graph.contradictions if one.kind == kind]
    assert len(set(dispute.values)) == 2
    assert {span.caption for span in dispute.evidence.spans} == {0, 1}


def test_what_goes_together_is_no_contradiction() -> None:
    graph = read("A dark evening. | A bus at night in the rain. | A cloudy night sky.", "bus")
    assert {"time night", "time evening", "weather rainy", "weather cloudy"} <= circumstances(graph)
    assert not graph.contradictions


@pytest.mark.parametrize(
    ("captions", "certainty"), [("A dog on a beach.", "likely"), ("A beach. | A dog on a beach.", "sure")]
)
def test_two_captions_make_a_place_sure(captions: str, certainty: str) -> None:
    place = read(captions, "dog").circumstance("place")
    assert place is not None
    assert (place.certainty, place.phrase) == (certainty, "on a beach")
    assert place.num_captions == captions.count("|") + 1


def test_the_best_supported_place_comes_first() -> None:
    graph = read(
        "A dog on a beach. | A dog on the beach. | A dog in a park. | Dog on a beach in a park.", "dog, frisbee"
    )
    assert [one.value for one in graph.circumstances if one.kind == "place"] == ["beach", "park"]


def test_a_place_of_one_caption_yields_to_the_others() -> None:
    graph = read("A dog on a beach. | A dog on the beach. | A dog in a park with a frisbee.", "dog, frisbee")
    assert [one.value for one in graph.circumstances if one.kind == "place"] == ["beach"]


def test_every_place_says_where_and_what() -> None:
    for lemma, setting in SETTINGS.items():
        assert setting.phrase.split()[0] in ("in", "on", "at")
        assert setting.phrase.endswith(lemma)
        assert setting.phrase == f"{setting.phrase.split()[0]} {setting.name}"
        assert setting.signs <= set(CATEGORIES), lemma


@pytest.mark.parametrize(
    ("boxed", "lemma"),
    [({"oven", "sink"}, "kitchen"), ({"toilet", "sink"}, "bathroom"), ({"couch", "remote"}, "living room")],
)
def test_a_pair_of_things_gives_a_place_away(boxed: set[str], lemma: str) -> None:
    inferred = infer_setting(frozenset(boxed))
    assert inferred is not None
    setting, signs = inferred
    assert setting.lemma == lemma
    assert set(signs) == boxed


@pytest.mark.parametrize("boxed", [set(), {"sink"}, {"oven"}, {"couch", "oven"}, {"toilet", "tv"}])
def test_one_thing_alone_does_not(boxed: set[str]) -> None:
    assert infer_setting(frozenset(boxed)) is None


@pytest.mark.parametrize(("tree", "is_told"), [("oak tree", True), ("Christmas tree", False)])
def test_tree_that_may_stand_in_a_room_shows_no_open_air(tree: str, *, is_told: bool) -> None:
    sources = read(f"A cat under a {tree}. | A cat by a {tree}. | A {tree}.", "cat").sources
    assert sources is not None
    assert (find_outdoors(sources.readings, frozenset(("cat",))) is not None) is is_told
