"""Graphs against 64 hand-checked ones of val2017: nearly all that is told must be there, and no less than before."""

from pathlib import Path

import pytest

from instructgen.lexicon.categories import CATEGORIES
from tests.support.graphs import (
    KINDS,
    Fact,
    Gold,
    Read,
    find_facts,
    judge,
    list_faults,
    load_gold,
    make_table,
    read_gold_images,
    recall,
    share,
)
from tests.unit.scenegraph.pictures import make_picture, read

# A bit under what is measured (`python -m tests.support.graphs`); to be raised with it. Lowered once, where what one
# caption of five alone tells is left out, as other captions of read samples told it otherwise: a size, or the color
# of a bed (attributes, from 0.14), and an open place (from 0.36).
PRECISION = {
    "things": 0.98, "unboxed": 0.95, "attributes": 0.97, "actions": 0.95, "places": 0.96,
    "times": 1.0, "weathers": 1.0,
}  # fmt: skip
RECALL = {
    "things": 0.94, "unboxed": 0.34, "attributes": 0.118, "actions": 0.15, "places": 0.34,
    "times": 0.5, "weathers": 0.5,
}  # fmt: skip


@pytest.mark.coco
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_is_in_gold(coco_root: Path, kind: str) -> None:
    told, _ = find_facts(read_gold_images(coco_root))
    assert share(told, kind) >= PRECISION[kind], list_faults(told, kind)


@pytest.mark.coco
@pytest.mark.parametrize("kind", KINDS)
def test_no_less_of_gold_is_told_than_before(coco_root: Path, kind: str) -> None:
    _, wanted = find_facts(read_gold_images(coco_root))
    assert share(wanted, kind) >= RECALL[kind], list_faults(wanted, kind)


@pytest.mark.coco
def test_counts_that_gold_has_as_disputed_are_not_told(coco_root: Path) -> None:
    faults = []
    for one in read_gold_images(coco_root):
        disputed = {line.removeprefix("count ") for line in one.gold.contradictions if line.startswith("count ")}
        told = {entity.name for entity in one.graph.entities if entity.count is not None}
        told |= {action.category for action in one.graph.actions if action.number}
        faults += [f"{one.gold.id}: {name}" for name in sorted(disputed & told)]
    assert faults == []


@pytest.mark.coco
def test_the_table_has_all_kinds(coco_root: Path) -> None:
    rows = make_table(read_gold_images(coco_root)).splitlines()
    assert [row.split()[0] for row in rows] == ["kind", *KINDS]
    assert len({len(row) for row in rows}) == 1


def test_gold_is_well_formed() -> None:
    gold = load_gold()
    assert len(gold) == 64
    for number, one in gold.items():
        assert {*one.things, *one.doubtful} <= set(CATEGORIES), number
        assert not {*one.things} & {*one.doubtful, *one.wrong}, number
        for lines in (one.attributes, one.actions):
            assert not set(lines) & set(one.wrong), number
            assert len(set(lines)) == len(lines), number


def make_gold(**changes: tuple[str, ...]) -> Gold:
    """Return what is true of `READ`'s picture; `changes` replaces lists."""
    lists: dict[str, tuple[str, ...]] = {
        "things": ("person", "horse", "bus"),
        "doubtful": ("vase",),
        "unboxed": ("straw hat",),
        "attributes": ("bus color red", "bus color white", "horse size big"),
        "actions": ("man ride horse", "man ride beach", "man wear hat", "horse stand"),
        "relations": (),
        "setting": ("sandy beach",),
        "time": ("night",),
        "weather": (),
        "contradictions": (),
        "wrong": (),
    }
    return Gold(id=1, **{**lists, **changes})


CAPTIONS = (
    "A man rides a large horse on a beach at night. | The man in the hat is riding the horse on the beach."
    " | A red and white bus. | A big horse."
)
RECORD = make_picture(CAPTIONS, "person, horse, bus, vase")
GRAPH = read(CAPTIONS, "person, horse, bus, vase")


def faults(**changes: tuple[str, ...]) -> set[str]:
    return {
        f"{fact.kind}: {fact.text}" for fact in judge(Read(RECORD, GRAPH, make_gold(**changes))) if not fact.holds
    }


def test_what_gold_says_in_other_words_is_right() -> None:
    told = judge(Read(RECORD, GRAPH, make_gold()))
    assert {fact.kind for fact in told} == {"things", "unboxed", "attributes", "actions", "places", "times"}
    assert len(told) >= 10
    assert faults() == set()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"things": ("person", "bus")}, "things: horse"),
        ({"wrong": ("vase",)}, "things: vase"),
        ({"unboxed": ("hatch",)}, "unboxed: hat"),
        ({"attributes": ("bus color red", "horse size large")}, "attributes: bus color red and white"),
        ({"attributes": ("bus color red and white", "horse age large")}, "attributes: horse size large"),
        ({"wrong": ("bus color white",)}, "attributes: bus color red and white"),
        ({"wrong": ("horse size large",)}, "attributes: horse size large"),
        (
            {"actions": ("horse ride man", "man ride beach", "man wear hat")},
            "actions: man ride | a horse | on a beach",
        ),
        ({"actions": ("man lead horse", "man wear hat")}, "actions: man ride | a horse | on a beach"),
        ({"actions": ("woman ride horse", "man wear hat")}, "actions: man ride | a horse | on a beach"),
        ({"actions": ("man ride horse",), "setting": ()}, "actions: man ride | a horse | on a beach"),
        ({"actions": ("man ride horse",)}, "actions: man wear | a hat | "),
        ({"wrong": ("man ride horse",)}, "actions: man ride | a horse | on a beach"),
        ({"setting": ("street",)}, "places: beach"),
        ({"time": ()}, "times: night"),
    ],
)
def test_what_gold_does_not_say_is_a_fault(changes: dict[str, tuple[str, ...]], fault: str) -> None:
    assert fault in faults(**changes)


def test_recall_counts_what_is_not_told() -> None:
    wanted = recall(Read(RECORD, GRAPH, make_gold(unboxed=("straw hat", "palm tree"), weather=("rainy",))))
    missed = {(fact.kind, fact.text) for fact in wanted if not fact.holds}
    assert missed == {("unboxed", "tree"), ("actions", "horse stand"), ("weathers", "rainy")}


def test_a_share_is_of_its_kind() -> None:
    facts = [
        Fact(1, "things", "a", holds=True),
        Fact(1, "things", "b", holds=False),
        Fact(2, "actions", "c", holds=False),
    ]
    assert share(facts, "things") == 0.5
    assert share(facts, "actions") == 0.0
    assert "1: b" in list_faults(facts, "things")
    assert "2: c" not in list_faults(facts, "things")
