"""A conversation in the making: what can be said next, and what was said."""

import random
import re
from collections.abc import Callable, Iterator
from functools import cached_property

from msgspec import Struct

from instructgen.config import Style
from instructgen.records import Box
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, Circumstance, Entity, SceneGraph
from instructgen.scenegraph.pieces import FACING
from instructgen.surrogate.boxes import overlap
from instructgen.teachers.scene_program.firmness import Firmness
from instructgen.teachers.scene_program.risks import find_risky
from instructgen.teachers.scene_program.speech import (
    PICTURE_WORDS,
    Pronouns,
    find_singles,
    is_countable,
    polish,
    pronouns_of,
    region_of,
)
from instructgen.teachers.scene_program.wordings import Family

_DETAILS = ("attribute", "place")  # claims of turns that ask for one detail
_DETAIL_KEYS = ("place", "color", "material", "pattern", "state", "age", "size")
_LAIN_ON = frozenset(("dining table", "bed", "couch", "bench"))
_PART_OF = re.compile(
    r"\b(?:person|persons|someone|somebody|people|man|men|woman|women|child|children|boy|girl|baby|kid)(?: ?'?s)? "
    r"(?:hands?|arms?|fingers?|legs?|foot|feet)\b|\b(?:hands?|arms?|fingers?|legs?|feet) of an? "
)
_AT_FRAME = 0.02  # how near the frame's edge a box must come to be cut by it
SOLID_AREA = 0.01  # things smaller than this are not asked about by place or size


class Subject(Struct, frozen=True):
    """What a turn was about, for the next to take up: the word without article, and the entity if it is one."""

    word: str
    kind: str
    is_plural: bool
    entity: Entity | None = None

    @property
    def pronouns(self) -> Pronouns:
        return pronouns_of(self.word, self.kind, is_plural=self.is_plural)


class Move(Struct, frozen=True):
    """One question with its answer, not yet worded. `keys` are told by it, and block what would tell them again.

    `ask` and `tell` fill the family's slots; `claims` are what has to be proved of the answer.
    """

    family: str
    keys: tuple[str, ...]
    claims: tuple[Claim, ...]
    tell: dict[str, str]
    ask: dict[str, str] = {}
    about: Subject | None = None


class Told(Struct, frozen=True):
    """A turn as it reads, and the claims of its answer."""

    family: str
    question: str
    answer: str
    claims: tuple[Claim, ...]


class Talk:
    """`said` holds keys of what was told or is risky, `used` the forms; `last` is what the last turn was about."""

    def __init__(self, graph: SceneGraph, draw: random.Random, wordings: dict[str, Family], style: Style) -> None:
        self.graph = graph
        self.draw = draw
        self.wordings = wordings
        self.style = style
        self.said: set[str] = set(find_risky(graph))
        self.used: set[str] = set()
        self._asked: set[str] = set()  # details that were asked for: a summary that tells them again says nothing new
        self.picture = draw.choice(PICTURE_WORDS)
        self.last: Subject | None = None
        self.firmness = Firmness(graph)
        self._dry: set[str] = set()  # generators that have nothing more to ask: what was told blocks, and never frees
        self.singles = find_singles(graph)
        self.solid = [one for one in self.singles if one.area > SOLID_AREA]

    @cached_property
    def has_told_part(self) -> bool:
        """True where two captions have somebody's hand or arm: that a person is there would miss what is seen."""
        readings = self.graph.sources.readings if self.graph.sources is not None else ()
        return sum(_PART_OF.search(" ".join(reading.tokens)) is not None for reading in readings) > 1

    def find_firm(self, generator: "Generator", least: int) -> Move | None:
        """Return the generator's first move that `least` captions bear out."""
        if generator.name in self._dry:
            return None
        is_dry = not generator.leans
        for one in generator.find(self):
            if not self._asked.isdisjoint(one.keys):
                continue
            if self.firmness.is_firm(one.claims, least):
                return one
            is_dry = False
        if is_dry:
            self._dry.add(generator.name)
        return None

    def is_new(self, *keys: str) -> bool:
        return not self.said.intersection(keys)

    def has_named(self, word: str) -> bool:
        """True where what was told before has the word in its name: "tracks" after "train tracks"."""
        last = word.rpartition(" ")[2]
        return any(last in key.removeprefix("there ").split() for key in self.said if key.startswith("there "))

    def names_both(self, one: str, other: str) -> bool:
        """True where one name told before holds both: a plate and food, after "a plate of food"."""
        return any({one, other} <= set(key.split()) for key in self.said if key.startswith("there "))

    def has_named_part(self, name: str) -> bool:
        """True for "a plate of food" where the plate or the food was named before."""
        return " of " in name and any(f"there {word}" in self.said for word in name.split())

    def fill(self, forms: tuple[str, ...], slots: dict[str, str]) -> str:
        """Fill a form, one that this talk has not used while there is any."""
        form = self.draw.choice([one for one in forms if one not in self.used] or forms)
        self.used.add(form)
        if "where" in slots:  # a region, which ends with a word for the picture
            slots = {**slots, "where": f"{slots['where'].rpartition(' ')[0]} {self.picture}"}
        return polish(form.format(pic=self.picture, **slots))

    def word(self, move: Move) -> Told:
        """Word a move, and note what it tells."""
        family = self.wordings[move.family]
        self.picture = self.draw.choice(PICTURE_WORDS)
        asked = self.fill(family.ask, {**move.tell, **move.ask})
        told = self.fill(family.tells(self.style), move.tell)
        self.note(move)
        self.last = move.about
        return Told(move.family, asked, told, move.claims)

    def note(self, move: Move) -> None:
        """Remember what a move tells."""
        self.said.update(move.keys)
        if move.claims[0].kind in _DETAILS:
            self._asked.update(key for key in move.keys if key.partition(" ")[0] in _DETAIL_KEYS)

    def listed(self) -> list[Entity]:
        """Return what may be named as there: boxed things first, then what two captions name."""
        listed = [
            one
            for one in self.graph.entities
            if one.is_listed and not one.is_unclear and one.kind not in ("mass", "unique")
        ]
        return [
            one for one in listed if one.category or (one.num_captions > 1 and not is_looked_into(one, self.graph))
        ]

    def counted(self) -> list[Entity]:
        """Return what boxes and captions count alike: most captions that name it speak of several."""
        counted = [one for one in self.graph.boxed_entities() if (one.count or 0) > 1 and is_countable(one)]
        return [one for one in counted if one.kind == "person" or 2 * one.num_plural >= one.num_captions]


Find = Callable[[Talk], Iterator[Move]]


class Generator(Struct, frozen=True):
    """One kind of question. `families` are the forms it uses, `claims` the kinds of claim that it must prove.

    One that `leans` takes up the turn before.
    """

    name: str
    find: Find
    families: tuple[str, ...]
    claims: tuple[str, ...]
    leans: bool = False


def is_looked_into(one: Entity, graph: SceneGraph) -> bool:
    """True for the camera that sheep look at: the one that the picture was taken with."""
    if one.name != "camera" or one.boxes or graph.sources is None:
        return False
    return all(
        reading.tokens[phrase.start - 1] in FACING if phrase.start else False
        for reading in graph.sources.readings
        for phrase in reading.phrases
        if phrase.noun.lemma == one.name
    )


def region_in(one: Entity, graph: SceneGraph) -> str:
    """Return the region of a single thing, "" where its box may hold a part alone.

    That is so of a table or bed that the frame cuts, and of one on which things lie that its box does not hold.
    """
    box = one.boxes[0]
    if one.name in _LAIN_ON:
        is_cut = min(box.x0, box.y0, 1 - box.x1, 1 - box.y1) < _AT_FRAME
        if is_cut or any(not overlap(box, other) for other in _lying_on(one, graph)):
            return ""
    return region_of(box)


def _lying_on(one: Entity, graph: SceneGraph) -> Iterator[Box]:
    for action in graph.actions:
        if action.preposition == "on" and one.name in {*action.things, action.place} and action.entity is not None:
            yield from graph.entities[action.entity].boxes


def subject_of(entity: Entity) -> Subject:
    return Subject(entity.said, entity.kind, entity.is_many, entity)


def subject_of_action(action: Action, graph: SceneGraph) -> Subject:
    entity = graph.entities[action.entity] if action.entity is not None else None
    return Subject(action.subject, action.kind, action.is_plural, entity)


def circumstance_claim(found: Circumstance) -> Claim:
    return Claim(found.kind, value=found.value, evidence=found.evidence)


def exists(entity: Entity) -> Claim:
    return Claim("exists", entity.said, number=2 if entity.is_many else 1, evidence=entity.evidence)
