"""What one thing looks like: color, material, and the adjectives that captions give it."""

from collections.abc import Iterator

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.graph import Attribute, Entity, SceneGraph
from instructgen.teachers.scene_program.phrasing import attribute_claim
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, subject_of

_COLORS = ("red", "blue", "green", "yellow", "black", "white", "brown", "orange", "pink", "purple", "gray")
# Colors that one viewer may call the one and another the other.
NEAR_COLORS = (
    *({"red", "orange"}, {"red", "pink"}, {"brown", "orange"}, {"black", "gray"}, {"white", "gray"}),
    *({"pink", "purple"}, {"yellow", "orange"}, {"blue", "purple"}, {"blue", "green"}, {"brown", "red"}),
    *({"brown", "black"}, {"yellow", "white"}),
)
_SAID = ("size", "age", "pattern", "state")
# Ages and states of people are told with care: a stranger is not called old.
_NOT_OF_PEOPLE = ("age", "size")


def colors_of(talk: Talk) -> list[tuple[Entity, Attribute]]:
    return [(talk.graph.entities[one.entity], one) for one in talk.graph.attributes if one.kind == "color"]


def find_color(talk: Talk) -> Iterator[Move]:
    colors = [pair for pair in colors_of(talk) if talk.is_new(f"color {pair[0].name}")]
    if len(colors) > 1 and talk.draw.random() < 0.4:
        colors = [*colors[1:], colors[0]]
    for entity, color in colors:
        keys = (f"color {entity.name}", f"there {entity.name}")
        slots = {"x": entity.word, "color": color.value}
        claims = (attribute_claim(entity, color),)
        other = _other_color(talk, color.value)
        if other and talk.draw.random() < 0.25:
            named = talk.draw.sample((color.value, other), 2)
            ask = {"c1": named[0], "c2": named[1]}
            yield Move("color_choice", keys, claims, slots, ask, subject_of(entity))
        else:
            yield Move("color", keys, claims, slots, about=subject_of(entity))


def _other_color(talk: Talk, color: str) -> str:
    """Draw a color that nobody would take this one for; "" for a thing of several colors."""
    if color not in _COLORS:
        return ""
    far = [other for other in _COLORS if other != color and {color, other} not in NEAR_COLORS]
    return talk.draw.choice(far)


def find_material(talk: Talk) -> Iterator[Move]:
    for attribute in talk.graph.attributes:
        entity = talk.graph.entities[attribute.entity]
        key = f"material {entity.name}"
        if attribute.kind == "material" and talk.is_new(key):
            slots = {"x": entity.word, "material": attribute.value}
            keys = (key, f"there {entity.name}")
            yield Move("material", keys, (attribute_claim(entity, attribute),), slots, about=subject_of(entity))


def looks_of(graph: SceneGraph, entity: Entity) -> list[Attribute]:
    """Return what may be told together: at most one of a kind, the color last."""
    found: dict[str, Attribute] = {}
    for one in graph.attributes_of(entity):
        person = entity.kind == "person" and one.kind in _NOT_OF_PEOPLE
        if one.kind in _SAID and not person:
            found.setdefault(one.kind, one)
    color = next((one for one in graph.attributes_of(entity) if one.kind == "color"), None)
    return [*(found[kind] for kind in _SAID if kind in found), *([color] if color else [])][-3:]


def _is_look(one: Attribute) -> bool:
    """True for what alone answers what a thing looks like: that it is closed says how it is used."""
    return one.kind not in ("color", "size") and one.value not in ("open", "closed")


def join_adjectives(values: list[str]) -> str:
    """Join what is said of a thing: "tall and red", "tall, red and white"."""
    return ", ".join(values) if " and " in values[-1] else join_words(values)


def find_looks(talk: Talk) -> Iterator[Move]:
    for entity in talk.graph.entities:
        looks = looks_of(talk.graph, entity) if talk.is_new(f"looks {entity.name}") else []
        looks = [one for one in looks if talk.is_new(f"{one.kind} {entity.name}")]
        if len(looks) > 1 or (looks and _is_look(looks[0])):
            told = (f"{one.kind} {entity.name}" for one in looks)
            keys = (f"looks {entity.name}", f"color {entity.name}", f"there {entity.name}", *told)
            claims = tuple(attribute_claim(entity, one) for one in looks)
            adjectives = join_adjectives([one.value for one in looks])
            yield Move("looks", keys, claims, {"x": entity.word, "adjectives": adjectives}, about=subject_of(entity))


LOOKS = (
    Generator("color", find_color, ("color", "color_choice"), ("attribute",)),
    Generator("material", find_material, ("material",), ("attribute",)),
    Generator("looks", find_looks, ("looks",), ("attribute",)),
)
