"""What most captions bear out is told before what one has."""

import random

import pytest

from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence, SceneGraph, Span
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program.conversation import make_conversation
from instructgen.teachers.scene_program.firmness import FIRM, Firmness
from instructgen.teachers.scene_program.generators import GENERATORS
from instructgen.teachers.scene_program.talk import Talk
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.unit.teachers.scene_program.making import at, make

RIDER = make(
    (
        "A man riding a brown horse on a beach.",
        "A man rides his brown horse along the beach.",
        "A man riding a horse near a wooden cart.",
        "A man is riding on a horse.",
        "A man on a horse beside a dog.",
    ),
    at("middle", "person"),
    at("right bottom", "horse"),
    at("left bottom", "dog"),
    at("left top", "kite"),
)
HORSE, DOG, KITE = 1, 2, 3


@pytest.fixture
def graph() -> SceneGraph:
    return read_graph(RIDER)


def evidence(*captions: int, boxes: tuple[int, ...] = ()) -> Evidence:
    return Evidence(tuple(Span(number, 0, 5) for number in captions), boxes)


@pytest.mark.parametrize(
    ("claim", "num"),
    [
        (Claim("region", "horse", "right", evidence=evidence(boxes=(HORSE,))), 3),
        (Claim("region", "dog", "left", evidence=evidence(boxes=(DOG,))), 1),
        (Claim("region", "kite", "left", evidence=evidence(boxes=(KITE,))), 2),  # no caption calls it otherwise
        (Claim("overlap", "horse", other="dog", evidence=evidence(boxes=(HORSE, DOG))), 1),
        (Claim("exists", "cart", evidence=evidence(2)), 1),
        (Claim("absent", "boat"), 3),
        (Claim("attribute", "horse", "brown", "color", evidence=evidence(0, 1)), 3),  # of a detail two are enough
        (Claim("attribute", "cart", "wood", "material", evidence=evidence(2)), 1),
        (Claim("place", value="beach", evidence=evidence(0, 1)), 3),
        (Claim("doing", "man", "riding a horse", evidence=evidence(2)), 3),  # four tell it, and one is cited
    ],
    ids=lambda one: f"{one.kind} {one.subject}" if isinstance(one, Claim) else str(one),
)
def test_claim_is_as_firm_as_what_bears_it_out(graph: SceneGraph, claim: Claim, num: int) -> None:
    firmness = Firmness(graph)
    assert [firmness.is_firm([claim], least) for least in (1, 2, 3)] == [num >= least for least in (1, 2, 3)]


def test_statement_is_as_firm_as_its_doing(graph: SceneGraph) -> None:
    riding = next(one for one in graph.statements if one.verb == "ride")
    assert Firmness(graph).is_firm([Claim("told", evidence=Evidence((riding.span,)))])


def test_all_claims_of_an_answer_have_to_be_firm(graph: SceneGraph) -> None:
    firm, weak = (Claim("region", evidence=evidence(boxes=(box,))) for box in (HORSE, DOG))
    assert Firmness(graph).is_firm([firm, firm])
    assert not Firmness(graph).is_firm([firm, weak])


def test_of_one_caption_one_is_enough() -> None:
    alone = read_graph(make(["A horse on a beach."], at("middle", "horse")))
    assert Firmness(alone).is_firm([Claim("region", "horse", evidence=evidence(boxes=(0,)))])


def test_generator_passes_over_what_is_not_firm(graph: SceneGraph) -> None:
    for seed in range(20):
        talk = Talk(graph, random.Random(seed), load_wordings(), "plain")
        firm = talk.find_firm(GENERATORS["region"], FIRM)
        assert firm is not None
        assert {claim.subject for claim in firm.claims} <= {"man", "horse"}


def test_generator_without_a_firm_move_is_asked_again_for_less(graph: SceneGraph) -> None:
    talk = Talk(graph, random.Random(0), load_wordings(), "plain")
    talk.said.update(("region person", "region horse", "region kite"))
    assert talk.find_firm(GENERATORS["region"], FIRM) is None
    assert talk.find_firm(GENERATORS["region"], 1) is not None


def test_conversations_rather_ask_about_what_most_captions_name(graph: SceneGraph) -> None:
    turns = [turn for seed in range(60) for turn in make_conversation(graph, random.Random(seed), "plain")]
    weak = [turn for turn in turns if not Firmness(graph).is_firm(turn.claims)]
    assert len(turns) >= 180
    assert len(weak) < 0.3 * len(turns)
