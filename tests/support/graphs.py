"""Hand-checked scene graphs ("gold") of 64 val2017 images, and how far the graphs that are read agree with them.

`python -m tests.support.graphs [VAL2017]` prints what was told, precision and recall by kind, and every fault.

Precision: a fact is right if a line of gold says it in other words at most, and none of `wrong` does. What merely
"is" somewhere is right if gold has it do anything there. Recall: gold says one fact in several ways, so its lines are
folded first (a thing by its last word, an attribute by thing and value, an action by doer and verb; everybody is a
"person"). A place, time or weather is found if any accepted word is told. Gold knows far more ways to say a thing
than the graph reads, so recall tells how it changes rather than how much of a picture it misses.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import inflect
from msgspec import Struct, convert

from instructgen.records import ImageRecord
from instructgen.scenegraph.graph import Action, Attribute, Entity, SceneGraph
from instructgen.scenegraph.read import read_graph
from instructgen.sources.coco import CocoSource

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "tests" / "graphs"
KINDS = ("things", "unboxed", "attributes", "actions", "places", "times", "weathers")
_ENGINE = inflect.engine()
_PEOPLE = frozenset((
    "person", "man", "woman", "boy", "girl", "child", "kid", "baby", "guy", "lady", "male", "player", "surfer",
    "skier", "snowboarder", "skateboarder", "skater", "batter", "rider", "biker", "bicyclist", "member", "competitor",
    "spectator", "conductor", "somebody", "team",
))  # fmt: skip
_GROUPS = frozenset({"group", "herd", "flock", "couple", "pair", "row"})
# Other words of captions, and so of gold, for what the graph calls by one.
_VALUES = {
    "wooden": "wood", **dict.fromkeys(("big", "huge", "giant"), "large"),
    **dict.fromkeys(("little", "tiny"), "small"), **dict.fromkeys(("older", "elderly", "antique", "vintage"), "old"),
    **dict.fromkeys(("dusty", "muddy"), "dirty"), **dict.fromkeys(("multicolored", "multi-colored"), "colorful"),
    "modern": "new", "grey": "gray", "golden": "gold", "blonde": "blond", "metallic": "metal", "cement": "concrete",
    "furry": "fluffy", "ornate": "decorated",
}  # fmt: skip
_VERBS = {"lay": "lie", "seat": "sit", "perform": "do", "toss": "throw"}
_ATTRIBUTE_KINDS = frozenset({"color", "material", "size", "age", "pattern", "state"})
_BESIDE = frozenset({"next to", "near", "behind", "in front of", "beside", "by"})


class Gold(Struct, frozen=True, forbid_unknown_fields=True):
    """One image's hand-checked facts; the files' headers explain the lists."""

    id: int
    things: tuple[str, ...]
    doubtful: tuple[str, ...]
    unboxed: tuple[str, ...]
    attributes: tuple[str, ...]
    actions: tuple[str, ...]
    relations: tuple[str, ...]
    setting: tuple[str, ...]
    time: tuple[str, ...]
    weather: tuple[str, ...]
    contradictions: tuple[str, ...]
    wrong: tuple[str, ...]


class Read(NamedTuple):
    record: ImageRecord
    graph: SceneGraph
    gold: Gold


class Fact(NamedTuple):
    """Told by the graph and right or not, or held by gold and found or not."""

    image: int
    kind: str
    text: str
    holds: bool


def load_gold() -> dict[int, Gold]:
    files = (tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("val2017_*.toml")))
    return {one["id"]: convert(one, Gold) for file in files for one in file["image"]}


@cache
def read_gold_images(root: Path) -> tuple[Read, ...]:
    gold = load_gold()
    records = {int(r.image_id.split("/")[1]): r for r in CocoSource(root).records() if isinstance(r, ImageRecord)}
    return tuple(Read(records[number], read_graph(records[number]), one) for number, one in gold.items())


def judge(read: Read) -> list[Fact]:
    """Return every fact that the graph tells, and whether gold agrees."""
    graph, gold = read.graph, read.gold
    said = [("things", one.name, _is_thing(one, gold)) for one in graph.boxed_entities()]
    said += [("unboxed", one.name, _is_unboxed(one, gold)) for one in graph.entities if _is_told_alone(one)]
    said += [
        ("attributes", f"{graph.entities[one.entity].name} {one.kind} {one.value}", _is_attribute(one, graph, gold))
        for one in graph.attributes
    ]
    said += [
        ("actions", f"{one.subject} {one.verb} | {one.held} | {one.where}", _is_action(one, graph, gold))
        for one in graph.actions
    ]
    accepted = {"place": gold.setting, "time": gold.time, "weather": gold.weather}
    said += [
        (f"{one.kind}s", one.value, _is_tail(one.value, accepted[one.kind]) and one.value not in gold.wrong)
        for one in graph.circumstances
    ]
    return [Fact(gold.id, kind, text, holds) for kind, text, holds in said]


def recall(read: Read) -> list[Fact]:
    """Return every folded fact of gold, and whether the graph tells it."""
    graph, gold = read.graph, read.gold
    things = {one.name for one in graph.boxed_entities()}
    said = [("things", name, name in things) for name in gold.things]
    named = {_head(one.name) for one in graph.entities if not one.category}
    named |= {_head(one.value) for one in graph.circumstances if one.kind == "place"}
    said += [("unboxed", head, head in named) for head in sorted({_head(line) for line in gold.unboxed})]
    told = {
        (_fold(name), value)
        for one in graph.attributes
        if _is_attribute(one, graph, gold)
        for name in _names_of(graph.entities[one.entity])
        for value in (one.value, *one.value.split(" and "))
    }
    wanted = sorted({(_fold(thing), value) for thing, _, value in _split_attributes(gold.attributes)})
    said += [("attributes", " ".join(pair), pair in told) for pair in wanted]
    did = {pair for one in graph.actions if _is_action(one, graph, gold) for pair in _doers_of(one, graph)}
    pairs = sorted({pair for line in gold.actions if (pair := _fold_action(line))})
    said += [("actions", " ".join(pair), pair in did) for pair in pairs]
    for kind, accepted in (("place", gold.setting), ("time", gold.time), ("weather", gold.weather)):
        values = [one.value for one in graph.circumstances if one.kind == kind]
        if accepted:
            said.append((f"{kind}s", accepted[0], any(_is_tail(value, accepted) for value in values)))
    return [Fact(gold.id, kind, text, holds) for kind, text, holds in said]


def share(facts: Iterable[Fact], kind: str) -> float:
    holds = [fact.holds for fact in facts if fact.kind == kind]
    return sum(holds) / len(holds)


def list_faults(facts: Iterable[Fact], kind: str) -> str:
    faults = [f"{fact.image}: {fact.text}" for fact in facts if fact.kind == kind and not fact.holds]
    return f"{len(faults)} {kind} without gold:\n" + "\n".join(faults)


def _is_thing(entity: Entity, gold: Gold) -> bool:
    return entity.name in (*gold.things, *gold.doubtful) and entity.name not in gold.wrong


def _is_told_alone(entity: Entity) -> bool:
    return not entity.category and (entity.is_listed or entity.kind == "wear")


def _is_unboxed(entity: Entity, gold: Gold) -> bool:
    return _is_tail(entity.name, (*gold.unboxed, *gold.setting)) and entity.name not in gold.wrong


def _is_tail(name: str, lines: Iterable[str]) -> bool:
    """True if a line is the name, or a narrower word for it: "cruise ship" for "ship"."""
    bent = _singular(name)
    return any(f" {_singular(line)}".endswith(f" {bent}") for line in lines)


def _is_attribute(told: Attribute, graph: SceneGraph, gold: Gold) -> bool:
    """True if gold has thing, kind and value in one line; of several colors each may have its own."""
    names = _names_of(graph.entities[told.entity])
    parts = {told.value} if told.kind != "color" else set(told.value.split(" and "))
    wrong, agreed = (
        {value for thing, kind, value in _split_attributes(lines) if kind == told.kind and thing in names}
        for lines in (gold.wrong, gold.attributes)
    )
    return not (parts | {told.value}) & wrong and (told.value in agreed or parts <= agreed)


def _split_attributes(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield thing, kind and value of every line that is an attribute's."""
    for line in lines:
        words = line.split()
        at = next((index for index, word in enumerate(words) if index and word in _ATTRIBUTE_KINDS), None)
        if at is not None and at + 1 < len(words):
            yield " ".join(words[:at]), words[at], " ".join(_VALUES.get(word, word) for word in words[at + 1 :])


def _is_action(told: Action, graph: SceneGraph, gold: Gold) -> bool:
    """True if gold has doer, verb and object in one line, and doer and place in one (or the place as a setting)."""
    doers = {doer for doer in (_singular(told.subject), *_names_for(told, graph)) if doer}
    wrong = [tail for verb, tail in _tails(gold.wrong, doers) if verb == _verb(told.verb)]
    if any(tail and _ends(tail, (told.object, told.place)) for tail in wrong):
        return False
    tails = list(_tails(gold.actions, doers | _GROUPS if told.is_plural else doers))
    done = [tail for verb, tail in tails if verb == _verb(told.verb)]
    if told.verb == "be":
        done = [tail for _, tail in tails if _ends(tail, (told.place,))]
        return bool(done) or _is_related(told, doers, gold) or _is_set(told, gold)
    if told.object and not any(_ends(tail, (told.object, *told.things)) for tail in done):
        return False
    if told.place and not _is_set(told, gold):
        return bool(done) and any(_ends(tail, (told.place,)) for _, tail in tails)
    return bool(done)


def _is_set(told: Action, gold: Gold) -> bool:
    return bool(told.place) and told.preposition not in _BESIDE and _is_tail(told.place, gold.setting)


def _is_related(told: Action, doers: set[str], gold: Gold) -> bool:
    words = [line.split("-of ")[-1] for line in gold.relations if any(line.startswith(f"{doer} ") for doer in doers)]
    return told.preposition in _BESIDE and any(_ends(line, (told.place,)) for line in words)


def _names_of(entity: Entity) -> set[str]:
    return {entity.name, entity.word, entity.category} - {""}


def _names_for(told: Action, graph: SceneGraph) -> set[str]:
    """Return what else gold may call the doer; of people only "person" and the last word ("player")."""
    if told.category == "person":
        last = _head(told.subject)
        return {"person", last} if last in _PEOPLE else {"person"}
    return _names_of(graph.entities[told.entity]) if told.entity is not None else set()


def _tails(lines: Iterable[str], doers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the verb and the rest of every line that one of the doers begins."""
    for line in lines:
        bent = " ".join(map(_singular, line.split()))
        for doer in doers:
            if bent.startswith(f"{_singular(doer)} "):
                verb, _, tail = bent.removeprefix(f"{_singular(doer)} ").partition(" ")
                yield _verb(verb), tail


def _ends(tail: str, names: Iterable[str]) -> bool:
    return any(name and _head(tail) == _head(name) for name in names)


def _doers_of(told: Action, graph: SceneGraph) -> set[tuple[str, str]]:
    verbs = {_verb(told.verb)} if told.verb != "be" else {"sit", "stand", "lie", "be", "hang", "park", "rest"}
    return {(_fold(name), verb) for name in (told.subject, *_names_for(told, graph)) for verb in verbs}


def _fold_action(line: str) -> tuple[str, str] | None:
    words = line.split()
    doer = next((n for n in (2, 1) if " ".join(words[:n]) in _compounds() and len(words) > n), 1)
    return (_fold(" ".join(words[:doer])), _verb(words[doer])) if len(words) > doer else None


@cache
def _compounds() -> frozenset[str]:
    """Return all things of gold of two words, so that a line's doer can be told from its verb."""
    lines = [line for one in load_gold().values() for line in (*one.things, *one.doubtful, *one.unboxed)]
    return frozenset(line for line in lines if line.count(" ") == 1) | {"tennis player", "baseball player"}


def _verb(word: str) -> str:
    return _VERBS.get(word, word)


def _fold(name: str) -> str:
    head = _head(name)
    return "person" if head in _PEOPLE or head in _GROUPS else head


def _head(name: str) -> str:
    return _singular(name.rpartition(" ")[2])


@cache
def _singular(name: str) -> str:
    head, _, last = name.rpartition(" ")
    known = {"people": "person", "men": "man", "women": "woman", "children": "child", "glasses": "glass"}
    bent = (
        known.get(last) or (_ENGINE.singular_noun(last) if last and not last.endswith(("ss", "us")) else "") or last
    )
    return f"{head} {bent}" if head else str(bent)


def make_table(reads: Iterable[Read]) -> str:
    """Return a row for each kind; the last two columns count the images of which gold has, and the graph, any."""
    told, wanted = find_facts(reads)
    rows: list[tuple[str, ...]] = [
        ("kind", "told", "right", "precision", "gold", "found", "recall", "images", "with any")
    ]
    for kind in KINDS:
        said, held = ([fact.holds for fact in facts if fact.kind == kind] for facts in (told, wanted))
        images, served = (
            {fact.image for fact in wanted if fact.kind == kind and fact.holds >= low} for low in (0, 1)
        )
        precision, found = (f"{sum(holds) / len(holds):.3f}" for holds in (said, held))
        numbers = (len(said), sum(said), precision, len(held), sum(held), found, len(images), len(served))
        rows.append((kind, *map(str, numbers)))
    return "\n".join(f"{row[0]:<11}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in rows)


def find_facts(reads: Iterable[Read]) -> tuple[list[Fact], list[Fact]]:
    everything = list(reads)
    return [fact for read in everything for fact in judge(read)], [
        fact for read in everything for fact in recall(read)
    ]


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY.parent / "shared" / "data" / "coco-val2017"
    reads = read_gold_images(root)
    told, _ = find_facts(reads)
    sys.stdout.write(make_table(reads) + "\n\n" + "\n\n".join(list_faults(told, kind) for kind in KINDS) + "\n")


if __name__ == "__main__":
    main()
