"""Small made-up images for the scene program's tests, and what its generators find in them."""

import random
from collections.abc import Iterable

from msgspec import structs

from instructgen.config import SourceConfig, Style
from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.sources import open_source
from instructgen.teachers.scene_program.generators import ADDERS, FOLLOWERS, GENERATORS
from instructgen.teachers.scene_program.talk import Move, Subject, Talk, subject_of, subject_of_action
from instructgen.teachers.scene_program.wordings import load_wordings

SEEDS = range(40)
ALL = {**GENERATORS, **FOLLOWERS, **ADDERS}
# Where a box of this name lies clearly.
SPOTS = {
    "left": (0.05, 0.35, 0.3, 0.65),
    "right": (0.7, 0.35, 0.95, 0.65),
    "middle": (0.4, 0.4, 0.6, 0.6),
    "left top": (0.05, 0.05, 0.3, 0.3),
    "right top": (0.7, 0.05, 0.95, 0.3),
    "left bottom": (0.05, 0.7, 0.3, 0.95),
    "right bottom": (0.7, 0.7, 0.95, 0.95),
    "nowhere": (0.2, 0.2, 0.65, 0.65),  # neither left nor middle to a careful eye
}


def at(spot: str, category: str) -> Box:
    return Box(category, *SPOTS[spot])


def make(captions: Iterable[str], *boxes: Box, image_id: str = "made/1") -> ImageRecord:
    return ImageRecord(image_id, "1.jpg", 640, 480, tuple(captions), boxes)


def say(record: ImageRecord, *captions: str) -> ImageRecord:
    """Return the record with more captions."""
    return structs.replace(record, captions=(*record.captions, *captions))


def swap(record: ImageRecord, old: str, new: str) -> ImageRecord:
    """Return the record with other words in its captions."""
    return structs.replace(record, captions=tuple(one.replace(old, new) for one in record.captions))


def swap_first(record: ImageRecord, old: str, new: str) -> ImageRecord:
    """Return the record with other words in its first caption alone."""
    first, *rest = record.captions
    assert old in first
    return structs.replace(record, captions=(first.replace(old, new), *rest))


def place(record: ImageRecord, *boxes: Box) -> ImageRecord:
    """Return the record with other boxes."""
    return structs.replace(record, boxes=boxes)


def talk_about(record: ImageRecord, seed: int = 0, style: Style = "plain", about: str = "") -> Talk:
    """Open a talk; `about` names what was spoken of just before, a thing or one who does something."""
    talk = Talk(read_graph(record), random.Random(seed), load_wordings(), style)
    talk.last = find_subject(talk, about) if about else None
    return talk


def find_subject(talk: Talk, about: str) -> Subject:
    for action in talk.graph.actions:
        if action.subject == about:
            return subject_of_action(action, talk.graph)
    return next(subject_of(one) for one in talk.graph.entities if about in (one.name, one.word, one.plural))


def find(name: str, record: ImageRecord, *told: str, about: str = "") -> list[Move]:
    """Return what the generator finds over many seeds, where the keys of `told` were told before."""
    found: list[Move] = []
    for seed in SEEDS:
        talk = talk_about(record, seed, about=about)
        talk.said.update(told)
        found += ALL[name].find(talk)
    return found


Fact = tuple[str, str, str, str, int]


def facts_of(moves: Iterable[Move]) -> set[Fact]:
    """Return what is claimed, without the evidence."""
    return {(one.kind, one.subject, one.value, one.other, one.number) for move in moves for one in move.claims}


def fact(kind: str, subject: str = "", value: str = "", other: str = "", number: int = 0) -> Fact:
    return kind, subject, value, other, number


def families_of(moves: Iterable[Move]) -> set[str]:
    return {move.family for move in moves}


def slots_of(moves: Iterable[Move], name: str) -> set[str]:
    return {{**move.tell, **move.ask}[name] for move in moves}


def read_bundled(num_scenes: int = 60) -> list[ImageRecord]:
    """Return the bundled sample and some rendered scenes, none of which needs a file beside the repository."""
    sources = (SourceConfig(name="coco"), SourceConfig(name="scenes", limit=num_scenes))
    read = (one for config in sources for one in open_source(config, 7).records())
    return [one for one in read if isinstance(one, ImageRecord)]
