"""Actions in words: with what the image shows of their things ("holding a red umbrella"), and who does them."""

from collections.abc import Callable, Collection

from msgspec import Struct

from instructgen.lexicon.words import with_article
from instructgen.scenegraph.attributes import BEFORE_NOUN
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, Attribute, Entity, Evidence, SceneGraph, Statement, StatementPart
from instructgen.teachers.scene_program.speech import say_number

_BEFORE_NOUN = ("size", "age", "pattern", "color", "material")
_MAX_ADJECTIVES = 2
_METALS = ("steel", "metal", "iron")

IsNew = Callable[[str], bool]


class Phrase(Struct, frozen=True):
    """Words with the claims that they make; `keys` are the facts told beside what the words are for."""

    words: str
    claims: tuple[Claim, ...] = ()
    keys: tuple[str, ...] = ()


def after(is_new: IsNew, keys: tuple[str, ...]) -> IsNew:
    """Return what is new once `keys` are told too."""
    return lambda key: is_new(key) and key not in keys


def doing_claim(action: Action) -> Claim:
    return Claim("doing", action.subject, action.doing, action.where, evidence=action.evidence)


def attribute_claim(entity: Entity, attribute: Attribute) -> Claim:
    return Claim("attribute", entity.word, attribute.value, attribute.kind, evidence=attribute.evidence)


def say_described(graph: SceneGraph, entity: Entity, is_new: IsNew) -> Phrase:
    """Return a single thing with up to two adjectives before it ("large brown dog"), none told before."""
    if not entity.is_single or entity.kind == "person":
        return Phrase(entity.word)
    by_kind: dict[str, Attribute] = {}
    for one in graph.attributes_of(entity):
        if is_new(f"{one.kind} {entity.name}"):
            by_kind.setdefault(one.kind, one)
    if any(one.value == "colorful" for one in by_kind.values()):
        by_kind.pop("color", None)  # "a colorful white truck" is no good English
    if "color" in by_kind and "material" in by_kind and by_kind["material"].value in _METALS:
        by_kind.pop("color")  # nobody says "a silver steel oven"
    told = [by_kind[kind] for kind in _BEFORE_NOUN if kind in by_kind][:_MAX_ADJECTIVES]
    if not told or any(one.value in entity.word.split() for one in told):
        return Phrase(entity.word)
    words = " ".join([*(BEFORE_NOUN.get(one.value, one.value) for one in told), entity.word])
    keys = (*(f"{one.kind} {entity.name}" for one in told), f"looks {entity.name}")
    keys += (f"color {entity.name}",) if any(one.value in _METALS for one in told) else ()
    return Phrase(words, tuple(attribute_claim(entity, one) for one in told), keys)


def say_held(graph: SceneGraph, action: Action, is_new: IsNew) -> Phrase:
    """Return what it is done to, with its article: "a red umbrella"; "" for an action without an object."""
    entity = _entity_in(graph, action.held)
    if entity is None:
        return Phrase(action.held)
    described = say_described(graph, entity, is_new)
    return Phrase(with_article(described.words), described.claims, described.keys)


def say_doing(graph: SceneGraph, action: Action, is_new: IsNew) -> Phrase:
    """Return what is done and where ("riding a brown horse on a beach"), claims of both and of the looks."""
    doing, where = action.doing, action.where
    claims: tuple[Claim, ...] = (doing_claim(action),)
    held = say_held(graph, action, is_new)
    if held.claims:
        doing = f"{doing.removesuffix(action.held)}{held.words}"
    entity = None if held.claims else _entity_in(graph, where.removeprefix(f"{action.preposition} "))
    placed = say_described(graph, entity, is_new) if entity is not None else Phrase("")
    if placed.claims:
        where = f"{action.preposition} {with_article(placed.words)}"
    return Phrase(f"{doing} {where}".strip(), (*claims, *held.claims, *placed.claims), (*held.keys, *placed.keys))


def _entity_in(graph: SceneGraph, said: str) -> Entity | None:
    """Return the single thing that the words name, if they name one with "a"."""
    for entity in graph.entities:
        if entity.member_of is None and entity.kind != "person" and said == with_article(entity.word):
            return entity
    return None


def say_doer(graph: SceneGraph, action: Action, is_new: IsNew) -> Phrase:
    """Return who does it as first named: "two men", "a small dog", "people"."""
    entity = graph.entities[action.entity] if action.entity is not None else None
    if action.is_plural:
        if entity is None or action.number < 2 or entity.count != action.number or not is_new(f"count {entity.name}"):
            return Phrase(action.subject)
        claim = Claim("count", action.subject, number=action.number, evidence=entity.evidence)
        return Phrase(f"{say_number(action.number)} {action.subject}", (claim,), (f"count {entity.name}",))
    if entity is not None and entity.member_of is None and action.subject == entity.word:
        described = say_described(graph, entity, is_new)
        return Phrase(with_article(described.words), described.claims, described.keys)
    return Phrase(with_article(action.subject))


def say_parts(
    graph: SceneGraph, parts: tuple[StatementPart, ...], is_new: IsNew, mentioned: Collection[str] = ()
) -> Phrase:
    """Put a statement's parts together, each single thing with the looks that other captions tell of it."""
    words = ""
    claims: tuple[Claim, ...] = ()
    keys: tuple[str, ...] = ()
    for part in parts:
        entity = graph.entities[part.entity] if part.entity is not None else None
        if entity is None or entity.word in mentioned:
            words += part.text
            continue
        described = say_described(graph, entity, after(is_new, keys))
        words += with_article(described.words)
        claims += described.claims
        keys += described.keys
    return Phrase(words.strip(), claims, keys)


def told_claim(one: Statement) -> Claim:
    subject, predicate = one.said_of.strip(), one.said.strip()
    return Claim("told", subject, predicate, evidence=Evidence((one.span,)))
