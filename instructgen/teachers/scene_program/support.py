"""How far the captions of an image bear each other out, for the choice of what a reasoning answer starts from."""

from collections import defaultdict
from functools import cached_property

from instructgen.scenegraph.graph import Action, Circumstance, Entity, SceneGraph, Statement

_SHARED = 2  # captions that tell one thing
_MOST = 3
_ALONE = -0.75  # what a word costs that one caption has
_FEW = 0.5
_MANY = 1.0
_VERB = 1.5  # a doing weighs more than a noun


def is_clear(entity: Entity) -> bool:
    """True where it is known whether it is one or several: of one box captions may agree that it holds several."""
    return not entity.is_unclear or entity.num_plural >= _MOST


def is_several(entity: Entity) -> bool:
    """True for several boxes, unless captions speak of one, and for one box of what most captions have several."""
    if entity.is_unclear:
        return entity.num_plural >= _MOST
    is_denied = entity.num_captions and not entity.num_plural and entity.name != "person"
    if is_denied and not entity.is_plural_noun and not entity.has_crowd and entity.word != entity.plural:
        return False
    return entity.is_many


class Support:
    """Counts captions; of an image with one caption everything is as sure as can be."""

    def __init__(self, graph: SceneGraph) -> None:
        self._graph = graph
        self._shared = min(_SHARED, graph.num_captions)

    def rate(self, statement: Statement) -> float:
        """Return how much of a statement other captions tell too, less what they do not."""
        nouns = sum(self._weigh(self._keys[key]) for key in statement.keys if key != statement.verb)
        doing = self._weigh(self._count_doing(statement)) * _VERB if statement.verb not in ("", "be") else 0.0
        return nouns + doing

    def is_shared(self, statement: Statement) -> bool:
        """True if another caption tells the doing, or, of what only is there, its thing."""
        if statement.verb and statement.verb != "be":
            return self._count_doing(statement) >= self._shared
        return self._keys[statement.category or statement.lemma] >= self._shared

    def is_shared_doing(self, action: Action) -> bool:
        return action.num_bearing_out >= self._shared

    def is_shared_thing(self, entity: Entity) -> bool:
        """True for what captions name: a box is the second witness."""
        return entity.num_captions >= (1 if entity.boxes else self._shared)

    def is_shared_circumstance(self, circumstance: Circumstance) -> bool:
        return circumstance.num_captions >= self._shared

    def _count_doing(self, statement: Statement) -> int:
        return max(self._doings[statement.verb, statement.category or statement.lemma], self._keys[statement.verb])

    @staticmethod
    def _weigh(num_captions: int) -> float:
        if num_captions >= _MOST:
            return _MANY
        return _FEW if num_captions >= _SHARED else _ALONE

    @cached_property
    def _doings(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = defaultdict(int)
        for one in self._graph.actions:
            key = one.verb, one.category or one.lemma
            found[key] = max(found[key], one.num_bearing_out)
        return found

    @cached_property
    def _keys(self) -> dict[str, int]:
        """In how many captions each word of a statement is told."""
        captions: dict[str, set[int]] = defaultdict(set)
        for statement in self._graph.statements:
            for key in statement.keys:
                captions[key].add(statement.span.caption)
        found: dict[str, int] = defaultdict(int)
        found.update({key: len(numbers) for key, numbers in captions.items()})
        for entity in self._graph.entities:
            if entity.member_of is None:
                found[entity.name] = max(found[entity.name], entity.num_captions)
        return found
