"""Two images side by side: what certainly is in both, in one alone, and in what numbers."""

import random

from msgspec import Struct

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.teachers.scene_program.absence import is_absent
from instructgen.teachers.scene_program.speech import is_countable
from instructgen.teachers.scene_program.talk import SOLID_AREA


class Counted(Struct, frozen=True):
    """A category, the word for it, and how many of it each image has, 0 for none."""

    name: str
    word: str
    numbers: tuple[int, int]
    claims: tuple[Claim, ...]


class Pair:
    """The two graphs, the first image's first; `said` holds the keys of what was told."""

    def __init__(self, first: SceneGraph, second: SceneGraph, draw: random.Random) -> None:
        self.graphs = (first, second)
        self.draw = draw
        self.said: set[str] = set()

    def is_new(self, name: str) -> bool:
        return name not in self.said

    def shared(self) -> list[tuple[Entity, Entity]]:
        """Return what is certainly in both, in the order of the first image."""
        there = {one.name: one for one in _tellable(self.graphs[1])}
        return [(one, there[one.name]) for one in _tellable(self.graphs[0]) if one.name in there]

    def alone(self) -> list[tuple[int, Entity]]:
        """Return what one image has, with its number, and the other certainly has not."""
        return [
            (image, one)
            for image, graph in enumerate(self.graphs)
            for one in _tellable(graph)
            if is_absent(one.name, self.graphs[1 - image])
        ]

    def counted(self) -> list["Counted"]:
        """Return what has a confirmed number in both images, or in one of them and is not in the other."""
        found = []
        for name in dict.fromkeys(one.name for graph in self.graphs for one in _tellable(graph)):
            ones = [graph.find(name) for graph in self.graphs]
            word = word_for_all([one for one in ones if one is not None])
            claims = [self._count(image, name, word) for image in (0, 1)]
            if word and all(claims):
                told = tuple(claim for claim in claims if claim is not None)
                found.append(Counted(name, word, (told[0].number, told[1].number), told))
        return found

    def _count(self, image: int, name: str, word: str) -> Claim | None:
        one = self.graphs[image].find(name)
        if one is None:
            return Claim("absent", plural_of(word), image=image) if is_absent(name, self.graphs[image]) else None
        if one.count is None:
            return None
        said = word if one.count == 1 else plural_of(word)
        return Claim("count", said, number=one.count, evidence=one.evidence, image=image)


def _tellable(graph: SceneGraph) -> list[Entity]:
    """Return what may be named as there, and asked after in the other image."""
    return [
        one
        for one in graph.boxed_entities()
        if is_countable(one) and one.name in CATEGORIES and (one.num_captions > 1 or one.area > SOLID_AREA)
    ]


def word_for_all(ones: list[Entity]) -> str:
    """Return the word that fits all of a category, or "" where it is called one thing here and another there."""
    words = {one.word for one in ones}
    if ones and ones[0].name == "person":
        return "person"  # of men and women together
    return words.pop() if len(words) == 1 else ""
