"""What the scene program can ask of a picture with one right answer among few: found, and balanced.

A kind's questions are drawn so that different answers are right for the same thing (the same category for "is there a
dog?", the same two things for "which is larger?"), in rounds that take each once. Who sees nothing gains next to
nothing by knowing the world; the blind controls say how much.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.lexicon.categories import CATEGORIES
from instructgen.records import ImageRecord
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program.absence import UNFIT, is_absent
from instructgen.teachers.scene_program.generators import GENERATORS
from instructgen.teachers.scene_program.speech import say_number, say_one
from instructgen.teachers.scene_program.talk import Move, Talk
from instructgen.teachers.scene_program.wordings import load_wordings

KINDS = ("existence", "counting", "color", "region", "relation", "larger")
_GENERATORS = {
    "existence": ("existence",),
    "counting": ("counting", "counting-to-one"),
    "color": ("color",),
    "region": ("region",),
    "relation": ("relation",),
    "larger": ("larger",),
}
MAX_COUNT = 6
_SIDES = ("left", "right")


class Fact(Struct, frozen=True):
    """One thing that is so of one picture. Within a `group` labels are to be asked for equally often.

    `slots` fill the question and the answers; `family` is the scene program's word for its forms.
    """

    kind: str
    image_id: str
    group: str
    label: str
    family: str
    slots: dict[str, str]


def find_facts(records: Sequence[ImageRecord], seed: int) -> list[Fact]:
    """Return all that can be asked, kind by kind, in the order of the records."""
    graphs = [(record, read_graph(record, None)) for record in records]
    seen = sorted({name for _, graph in graphs for name in graph.boxed if name in CATEGORIES})
    found: list[Fact] = []
    for kind in KINDS:
        for record, graph in graphs:
            found += _find(kind, record, graph, seed)
            if kind == "existence":
                found += _find_absent(record, graph, seen)
    return found


def balance(facts: Iterable[Fact], limit: int, draw: random.Random) -> list[Fact]:
    """Return up to `limit` facts, in rounds of one fact for each label of a group.

    Whole rounds come first; a round of fewer labels stands where the rarer ones have run out. One label alone makes
    no round: its questions would answer themselves.
    """
    groups: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        groups[fact.group][fact.label].append(fact)
    rounds: list[tuple[int, float, tuple[Fact, ...]]] = []
    for _, by_label in sorted(groups.items()):
        labels = [by_label[label] for label in sorted(by_label)]
        for of_label in labels:
            draw.shuffle(of_label)
        for place in range(max(map(len, labels))):
            together = tuple(of_label[place] for of_label in labels if place < len(of_label))
            if len(together) > 1:
                rounds.append((len(labels) - len(together), draw.random(), together))
    chosen: list[Fact] = []
    for _, _, together in sorted(rounds, key=lambda one: one[:2]):
        if len(chosen) + len(together) <= limit:
            chosen += together
    return chosen


def _find(kind: str, record: ImageRecord, graph: SceneGraph, seed: int) -> Iterator[Fact]:
    draw = make_generator(seed, f"evaluate/qa/{kind}", record.image_id)
    talk = Talk(graph, draw, load_wordings(), "plain")
    if not graph.entities:
        return
    for name in _GENERATORS[kind]:
        for move in GENERATORS[name].find(talk):
            fact = _make_fact(kind, record, move, draw)
            if fact is not None:
                yield fact


def _make_fact(kind: str, record: ImageRecord, move: Move, draw: random.Random) -> Fact | None:
    claim = move.claims[0]
    group = move.about.entity.name if move.about is not None and move.about.entity is not None else ""
    match kind:
        case "existence":
            return _fact_of_presence(record, group, "yes", move.tell)
        case "counting" if 0 < claim.number <= MAX_COUNT:
            return Fact(kind, record.image_id, group, say_number(claim.number), "count", move.tell)
        case "color" if " " not in claim.value:
            return Fact(kind, record.image_id, group, claim.value, "color", move.tell)
        case "region":
            return Fact(kind, record.image_id, "", claim.value, "region", move.tell)
        case "relation" if claim.value in _SIDES:
            return Fact(kind, record.image_id, "", claim.value, "side_choice", move.tell)
        case "larger":
            return _fact_of_size(record, claim, draw)
    return None


def _fact_of_presence(record: ImageRecord, name: str, label: str, slots: dict[str, str]) -> Fact | None:
    """Ask in the singular whatever the number, or the question's form would tell the answer."""
    if name not in CATEGORIES:
        return None
    category = CATEGORIES[name]
    spoken = {"x": category.spoken, "xs": category.plural, "a_x": say_one(category.spoken)}
    family = "present_many" if name in UNFIT else "present_one_bare"
    return Fact("existence", record.image_id, name, label, family, {**slots, **spoken})


def _find_absent(record: ImageRecord, graph: SceneGraph, seen: Sequence[str]) -> Iterator[Fact]:
    for name in seen if record.captions else ():
        if is_absent(name, graph):
            fact = _fact_of_presence(record, name, "no", {})
            if fact is not None:
                yield fact


def _fact_of_size(record: ImageRecord, claim: Claim, draw: random.Random) -> Fact:
    """Name the larger one first or second, by a toss; the pair is one group in either order."""
    pair = sorted((claim.subject, claim.other))
    first, second = draw.sample((claim.subject, claim.other), 2)
    slots = {"a": f"the {first}", "b": f"the {second}", "first": first, "second": second}
    return Fact("larger", record.image_id, "/".join(pair), claim.subject, "larger", slots)
