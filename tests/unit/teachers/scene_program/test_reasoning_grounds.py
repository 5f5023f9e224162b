"""What a reasoning answer starts from: what most captions tell, as many things as there are, a game that goes on."""

import re

import pytest

from instructgen.records import ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.rules import SEVERAL, find_matches, load_rules
from instructgen.teachers.scene_program.support import Support
from instructgen.teachers.scene_program.talk import Told
from tests.unit.scenegraph.pictures import make_picture, read

SEEDS = range(12)
_COMFORTER = "A bed with a comforter. | A cat lying on a bed. | A bed and a comforter. | A bed. | A cat on a bed."
_SUNNY = (
    "A bus on a street on a sunny day. | A bus on a street with people. | People by a bus. | A bus. | A man by a bus."
)


def reason(record: ImageRecord, seed: int) -> Told:
    (turn,) = write(Task("reasoning", record), seed).turns
    return turn


def begin(record: ImageRecord, seed: int) -> str:
    return reason(record, seed).answer.split(". ")[0].lower()


@pytest.mark.parametrize("seed", SEEDS)
def test_grounds_are_what_most_captions_tell(seed: int) -> None:
    captions = (
        "Horse in fenced pasture with others grazing on grasses. | a brown horse in the field gazing around | "
        "a blonde horse is standing in a field | A horse standing in the dirt near a fence. | "
        "A tan horse with a blond mane inside of a coral."
    )
    assert read(captions, "horse").statements[0].verb == "stand"
    assert "standing" not in begin(make_picture(captions, "horse"), seed)


def test_support_counts_captions() -> None:
    graph = read(_COMFORTER, "cat, bed")
    support = Support(graph)
    lie, on_bed = (next(one for one in graph.statements if one.verb == verb) for verb in ("lie", "be"))
    assert support.is_shared(on_bed)
    assert not support.is_shared(lie)
    assert support.rate(on_bed) > support.rate(lie)
    alone = read("A dog is licking a bowl.", "dog, bowl")
    assert alone.statements
    assert all(Support(alone).is_shared(one) for one in alone.statements)


@pytest.mark.parametrize(("where", "told"), [("through", ""), ("over", "over a mountain")])
def test_nothing_goes_through_a_single_mountain(where: str, told: str) -> None:
    graph = read(f"A plane flies {where} the mountains. | A plane over a mountain. | A mountain.", "airplane")
    flying = next(one for one in graph.told if one.verb == "fly")
    assert flying.where == f"{where} mountains"
    assert Support(graph).settle_place(flying).where == told


@pytest.mark.parametrize("seed", SEEDS)
def test_rule_that_captions_bear_out_goes_before_one_of_one_caption(seed: int) -> None:
    resting = {"cat-resting-spot", "sun-exposure-protection"}
    assert resting & names_of(_COMFORTER, "cat, bed")
    assert reason(make_picture(_COMFORTER, "cat, bed"), seed).family not in resting
    assert resting & names_of(_SUNNY, "bus, person")
    assert reason(make_picture(_SUNNY, "bus, person"), seed).family not in resting


@pytest.mark.parametrize("seed", SEEDS)
def test_one_animal_is_not_spoken_of_as_several(seed: int) -> None:
    one = "A horse in a field. | A horse grazing in a field. | A brown horse in a field. | A horse eats grass."
    assert not SEVERAL.search(reason(make_picture(one, "horse"), seed).question)


def test_several_are_spoken_of_as_several() -> None:
    assert SEVERAL.search("How do animals like these live?")
    assert SEVERAL.search("Why do such animals live so?")
    assert not SEVERAL.search("Why do people like surroundings like these?")
    assert not SEVERAL.search("What helps in such conditions?")
    assert not SEVERAL.search("How do animals of this kind live?")


def test_rule_for_one_thing_has_a_question_about_one() -> None:
    of_one = [one for one in load_rules() if not one.when.many and len(one.when.things - {"person"}) < 2]
    without = [one.name for one in of_one if all(SEVERAL.search(question) for question in one.questions)]
    assert without == []


def names_of(captions: str, boxes: str) -> set[str]:
    return {match.rule.name for match in find_matches(read(captions, boxes))}


def test_rules_of_a_sport_want_one_that_goes_on() -> None:
    board = "A snowboard stands in a corner. | A snowboard by a wall. | A snowboard leans on a wall."
    ridden = "A man rides a snowboard. | A man riding a snowboard on snow. | A snowboarder on a slope."
    sports = {one.name for one in load_rules() if one.when.under_way}
    assert len(sports) > 10
    assert not names_of(board, "snowboard") & sports
    assert names_of(ridden, "person, snowboard") & sports


@pytest.mark.parametrize("seed", SEEDS)
def test_word_of_the_game_is_its_name(seed: int) -> None:
    captions = "A pitcher is standing on a mound. | A pitcher stands on a mound. | A baseball game. | A pitcher."
    told = reason(make_picture(captions, "person, baseball glove"), seed)
    assert told.family == "wide-bat-and-glove-tactics"
    assert "pitcher" in told.answer.split(". ")[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_thing_that_the_rule_is_about_is_told(seed: int) -> None:
    captions = "Two cats lie on a blanket near a cat. | A group of cats that are sitting on a bed. | "
    more = "A bed and comforter with three cats on the bed. | Three cats on a comforter."
    for turn in write(Task("reasoning", make_picture(captions + more, "cat, bed")), seed).turns:
        assert "cat" in turn.answer.split(". ")[0].lower()


@pytest.mark.parametrize("seed", SEEDS)
def test_rule_for_anything_wants_a_doing(seed: int) -> None:
    rules = {one.name: one for one in load_rules()}
    for captions in (
        "A man and a woman. | Two people. | A man and a woman. | People.",
        "A man. | A man. | A person.",
    ):
        for turn in write(Task("reasoning", make_picture(captions, "2 person")), seed).turns:
            assert not rules[turn.family].when.named <= {"person"} or rules[turn.family].when.words


def test_time_of_one_caption_is_not_shared() -> None:
    graph = read_graph(make_picture("A bus at night. | A bus. | A bus on a street. | A bus.", "bus"))
    time = graph.circumstance("time")
    assert time is not None
    assert not Support(graph).is_shared_circumstance(time)


def test_thing_or_word_of_one_caption_is_no_ground() -> None:
    others = "A bomb squad at a scene. | Police at work. | An officer walks. | Several policemen."
    assert "truck-role" not in names_of(f"A truck on a lawn. | {others}", "truck")
    assert "truck-role" in names_of(f"A truck on a lawn. | A truck. | {others[:-24]}", "truck")
    assert "wide-notice-at-a-glance" not in names_of(f"A sign. | {others}", "person")
    assert "wide-notice-at-a-glance" in names_of(
        "A sign. | Some signs. | A sign by a house. | A house. | A house.", ""
    )


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        (
            "A toilet in a bathroom. | A bathroom with a toilet. | A bathroom. | A bathroom. | A bathroom.",
            "2 toilet",
            "a toilet",
        ),
        (
            "Toilets in a bathroom. | A bathroom with toilets. | A bathroom. | A bathroom. | A bathroom.",
            "2 toilet",
            "toilets",
        ),
        ("Bananas. | A bunch of bananas. | Many bananas. | Some bananas. | Four bananas.", "banana", "bananas"),
    ],
    ids=["captions have one", "captions have several", "one box of several"],
)
def test_thing_is_one_or_several_as_captions_say(captions: str, boxes: str, said: str) -> None:
    for seed in SEEDS:
        assert re.search(rf"\b{said}\b", begin(make_picture(captions, boxes), seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_place_is_not_told_twice(seed: int) -> None:
    captions = "A woman is playing tennis on a court. | A woman plays on a tennis court. | A woman on a court."
    answer = reason(make_picture(captions, "person, tennis racket"), seed).answer
    assert len(re.findall(r"\bon (?:a|the) (?:tennis )?court", answer)) < 2


@pytest.mark.parametrize("seed", SEEDS)
def test_pictures_are_told_to_be_several(seed: int) -> None:
    captions = (
        "A collage of photos of a bed. | A series of photos of a person on a bed. | A bed. | A bed. | A person."
    )
    assert "collage" in begin(make_picture(captions, "bed, person"), seed)
