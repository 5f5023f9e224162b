"""Actions that boxes bear out: who does what to what, and where; and what is left unsaid."""

import pytest

from instructgen.scenegraph.graph import Action, SceneGraph
from tests.unit.scenegraph.pictures import actions, disputes, read


def find(graph: SceneGraph, verb: str) -> Action:
    (action,) = [one for one in graph.actions if one.verb == verb]
    return action


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A man holding a frisbee. | A man.", "person, frisbee", "man holding a frisbee"),
        ("A man rides a horse on the beach. | A man.", "person, horse", "man riding a horse on a beach"),
        ("A dog lies on a couch.", "dog, couch", "dog lying on a couch"),
        ("A dog laying on a couch.", "dog, couch", "dog lying on a couch"),
        ("A laptop on a desk.", "laptop", "laptop on a desk"),
        ("A laptop sitting on a desk.", "laptop", "laptop on a desk"),
        ("Two dogs lying on a rug.", "2 dog", "dogs lying on a rug"),
        ("Elephants walk down a road.", "elephant*", "elephants walking down a road"),
        ("People walking on a pedestrian crossing. | People walking.", "3 person", "people walking"),
        ("A man plays guitar. | A man playing the guitar.", "person", "man playing a guitar"),
        ("A boy playing a Wii game. | A boy.", "person", "boy playing a Wii game"),
        (
            "A woman cutting paper with scissors. | A woman.",
            "person, scissors",
            "woman cutting paper with a pair of scissors",
        ),
        ("A jeep parked on a street. | A jeep. | A jeep.", "car", "jeep parked on a street"),
        ("A man eating a pizza. | A man.", "person, pizza", "man eating pizza"),
        ("A cat drinking water.", "cat", "cat drinking water"),
        ("A hill covered in snow. | A hill in snow.", "", "hill covered in snow"),
        ("A man sitting at a bench. | A man.", "person, bench", "man sitting on a bench"),
    ],
)
def test_what_captions_tell_in_full_is_read(captions: str, boxes: str, said: str) -> None:
    assert said in actions(read(captions, boxes))


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man holding a frisbee.", "person"),  # no box holds one
        ("A man holding frisbees.", "person, frisbee"),
        ("A dog holding a frisbee.", "frisbee"),
        ("Dogs lying on a rug.", "dog"),
        ("A dog lying on a rug.", "2 dog"),  # which?
        ("A man holding a racket. | Two men.", "2 person, tennis racket"),
        ("A man sleeping.", "person"),  # one caption, and nothing to bear it out
        ("A man riding a zorp on the beach.", "person"),
        ("A man holding zorps and a frisbee.", "person, frisbee"),
        ("A man not holding a frisbee.", "person, frisbee"),
        ("A man holding no frisbee.", "person, frisbee"),
        ("A statue of a man holding a frisbee.", "person, frisbee"),
        ("A man dressed as a bear holding an umbrella.", "person, umbrella"),
        ("A man throwing tennis. | A man throws tennis.", "person"),
        ("A man playing a dog.", "person, dog"),
        ("A vase holding an umbrella.", "vase, umbrella"),  # vases hold nothing
    ],
)
def test_what_is_not_borne_out_is_not_said(captions: str, boxes: str) -> None:
    assert actions(read(captions, boxes)) == set()


def test_a_number_is_told_only_where_it_is_that_of_the_boxes() -> None:
    told = read("Two men ride horses on a beach.", "2 person, 2 horse")
    assert [one.number for one in told.actions] == [2]
    other = read("Two men ride horses on a beach.", "3 person, 2 horse")
    assert [one.number for one in other.actions] == [0]
    assert [one.number for one in read("Two dogs lie on a rug.", "2 dog, dog*").actions] == [0]


def test_an_unsure_place_is_dropped_and_the_rest_kept() -> None:
    graph = read("A man riding a horse on a couch. | A man.", "person, horse")
    assert actions(graph) == {"man riding a horse"}


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man sitting on a bench. | A man standing on a bench.", "person, bench"),
        ("A dog lying on a rug. | A dog sitting on a rug.", "dog"),
        ("A dog runs on grass. | A dog walks on grass.", "dog"),
        ("Two cows lying in a field. | Two cows standing in a field.", "2 cow"),
    ],
)
def test_postures_that_disagree_are_a_contradiction(captions: str, boxes: str) -> None:
    graph = read(captions, boxes)
    assert actions(graph) == set()
    (dispute,) = graph.contradictions
    assert dispute.kind == "posture"
    assert len(set(dispute.values)) == 2
    assert {span.caption for span in dispute.evidence.spans} == {0, 1}


def test_the_posture_that_more_captions_tell_is_kept() -> None:
    graph = read("A man sitting on a bench. | A man sits on a bench. | A man standing on a bench.", "person, bench")
    assert actions(graph) == {"man sitting on a bench"}
    assert disputes(graph) == {"man posture"}


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man sitting on a bench. | A man resting on a bench.", "person, bench"),
        ("A dog lying on a rug. | A dog sleeping on a rug.", "dog"),
        ("A man sits on a bench holding a cup. | A man sits on a bench.", "person, bench, cup"),
    ],
)
def test_postures_that_go_together_are_no_contradiction(captions: str, boxes: str) -> None:
    graph = read(captions, boxes)
    assert actions(graph)
    assert not graph.contradictions


def test_two_captions_make_an_action_sure_and_both_are_cited() -> None:
    graph = read("A man riding a horse. | A dog. | The man rides the horse on a beach.", "person, horse")
    ride = find(graph, "ride")
    assert (ride.certainty, ride.num_captions) == ("sure", 2)
    assert {span.caption for span in ride.evidence.spans} == {0, 2}
    alone = find(read("A man riding a horse. | A man.", "person, horse"), "ride")
    assert (alone.certainty, alone.num_captions) == ("likely", 1)


def test_another_doer_does_not_make_it_sure() -> None:
    graph = read("A man holding a kite. | Two dogs holding a kite. | A man.", "person, kite, 2 dog")
    assert find(graph, "hold").certainty == "likely"
    many = read("Two dogs lie on a rug. | A dog lies on a rug.", "2 dog")
    assert [(one.is_plural, one.certainty) for one in many.actions] == [(True, "likely")]


def test_an_action_names_its_parts() -> None:
    ride = find(read("A man rides a horse on the beach. | A man.", "person, horse"), "ride")
    assert (ride.subject, ride.verb, ride.object, ride.preposition, ride.place) == (
        "man",
        "ride",
        "horse",
        "on",
        "beach",
    )
    assert (ride.doing, ride.held, ride.where, ride.kind) == ("riding a horse", "a horse", "on a beach", "person")
    assert (ride.things, ride.evidence.boxes, ride.is_plural) == (frozenset({"horse"}), (0, 1), False)


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        (
            "A man holding a racket. | A woman holding a racket.",
            "person, tennis racket",
            "person holding a tennis racket",
        ),
        ("A man holding a kite. | A man with a woman.", "2 person, kite", "man holding a kite"),
        ("A man holding a kite. | A person.", "person, kite", "person holding a kite"),
        ("A puppy lying on a bed. | A dog.", "dog, bed", "dog lying on a bed"),
    ],
)
def test_the_doer_is_called_what_is_safe(captions: str, boxes: str, said: str) -> None:
    assert actions(read(captions, boxes)) == {said}


def test_the_doer_is_linked_to_the_entity() -> None:
    single = read("A man rides a horse. | A man.", "person, horse")
    assert single.entities[find(single, "ride").entity or 0].name in ("person", "horse")
    assert find(single, "ride").entity == single.find("person").number  # type: ignore[union-attr]
    many = read("A man holding a kite. | A man with a woman.", "2 person, kite")
    role = many.entities[find(many, "hold").entity or 0]
    assert (role.word, role.member_of) == ("man", many.find("person").number)  # type: ignore[union-attr]


def test_of_many_people_a_couple_is_not_told_as_the_people() -> None:
    captions = "A couple cutting a cake. | A bride and groom cut a cake. | A couple cutting a cake."
    assert "people cutting a cake" in actions(read(captions, "2 person, cake"))
    assert actions(read(captions, "9 person, cake")) == set()


def test_of_several_as_many_standing_as_walking_do_neither() -> None:
    captions = "People walking in front of a bus. | People walking and standing. | People stand by a bus."
    assert not any("walking" in one for one in actions(read(captions, "3 person, bus")))


@pytest.mark.parametrize(("word", "told"), [("woman", "kissing a woman"), ("girl", "kissing a girl")])
def test_who_it_is_done_to_has_the_word_of_most_captions(word: str, told: str) -> None:
    graph = read(
        f"A man kissing the top of a {word}'s head. | The man is kissing the {word}. | A man kisses a {word}'s head."
        f" | The man kisses the girl. | A man is kissing a {word}.",
        "2 person",
    )
    assert {one.doing for one in graph.actions} == {told}


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("Airplanes are parked on a runway. | Planes on a runway.", "3 airplane", True),
        ("Airplanes are parked on a runway. | A plane in the sky over planes on a runway.", "3 airplane", False),
        ("People are standing on the ground. | A plane in the sky. | People stand on the ground.", "3 person", True),
    ],
    ids=["all on the ground", "one in the sky", "people below it"],
)
def test_planes_are_not_all_on_the_ground_where_one_is_in_the_sky(captions: str, boxes: str, *, said: bool) -> None:
    told = [f"{one.doing} {one.where}" for one in read(captions, boxes).actions if one.is_plural]
    assert any("runway" in one or "ground" in one for one in told) == said
