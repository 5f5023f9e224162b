"""Who does what, and where things are by their surroundings."""

from collections.abc import Iterator

from msgspec import structs

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import Action, SceneGraph, Statement
from instructgen.scenegraph.settings import SETTINGS
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.teachers.scene_program.generators.outdone import (
    IDLE,
    are_alike,
    is_outdone,
    is_outnumbered,
    is_renamed,
    lacks_rider,
    loses_doing,
    says_itself,
    tells_itself,
)
from instructgen.teachers.scene_program.phrasing import (
    IsNew,
    Phrase,
    after,
    doing_claim,
    say_doer,
    say_doing,
    say_held,
    say_parts,
    told_claim,
)
from instructgen.teachers.scene_program.speech import be
from instructgen.teachers.scene_program.talk import (
    Generator,
    Move,
    Subject,
    Talk,
    subject_of_action,
)

STILL = frozenset(
    (
        "be",
        "wear",
        "dress",
        "surround",
        "attach",
        "arrange",
        "display",
        "top",
        "fill",
        "cover",
        "decorate",
        "hang",
        "mount",
        "park",
        "dock",
        "place",
        "stack",
    )
)
_PLACED = frozenset(("be", "park", "dock", "hang", "mount", "sit", "lie", "lay", "perch", "stand", "sleep", "rest"))
_GEAR = frozenset(("skis", "snowboard", "skateboard", "surfboard"))  # one on these is not asked for by place
_NOWHERE = frozenset(("party", "game", "meal"))
_MOVING = frozenset(("around", "through", "past", "across", "along"))
_POSTURES = frozenset(("sit", "stand", "seat"))
_BARE = frozenset(("be", "sit", "lie", "lay", "stand", "rest"))


def doings(talk: Talk) -> list[Action]:
    """Return what one asks about with "doing"."""
    clear = [one for one in _clear(talk.graph) if (one.verb not in STILL and one.doing) or _is_on_phone(one)]
    clear = [one for one in clear if not _is_idle(one) or one.num_bearing_out > 1 or talk.graph.num_captions < FEW]
    clear = [one for one in clear if not (is_outdone(one, talk.graph) or says_itself(one))]
    return sorted(clear, key=lambda one: (_is_idle(one), not one.is_main))


def _is_on_phone(one: Action) -> bool:
    return one.verb == "be" and one.preposition == "on" and "cell phone" in one.things


def _is_idle(one: Action) -> bool:
    """True for standing and walking nowhere, which says little of a scene, unless most captions tell it."""
    return one.verb in IDLE and not (one.object or one.place or one.is_main)


def _clear(graph: SceneGraph) -> list[Action]:
    """Return the actions of whom "the" names: of several "the person" is nobody in particular."""
    people = graph.find("person")
    several = people is not None and people.is_many
    return [one for one in graph.told if one.subject != "person" or one.is_plural or not several]


def keys_of(action: Action) -> tuple[str, ...]:
    place = (f"place {action.place}",) if action.place else ()
    setting = ("setting",) if action.place in SETTINGS else ()
    names = {*action.things, action.category or action.subject, action.object, action.place} - {""}
    things = tuple(f"there {name}" for name in sorted(names))
    does = (f"doing {action.subject}", f"does {action.category}", f"{action.verb} {action.subject}")
    return (*does, *things, *place, *setting)


def is_like(one: Action, other: Action) -> bool:
    """True where a subject's two doings are one, said twice: "riding skis" and "skiing"."""
    return one.subject == other.subject and are_alike(one.verb, other.verb)


def find_companion(actions: list[Action], first: Action) -> Action | None:
    """Return another doing of the same subject, with an object, that adds something."""
    for action in actions:
        same = action.subject == first.subject and action.is_plural == first.is_plural
        again = {first.object, first.place, *SAID_TWICE.get(first.object, ()), *SAID_TWICE.get(first.place, ())}
        apart = not action.things & first.things and action.object not in again
        if same and apart and not is_like(action, first) and " " in action.doing and _may_join(action, first):
            return action
    return None


def _is_outshone(one: Action, actions: list[Action]) -> bool:
    """True for who sits or stands, and does something else to as many as most captions."""
    others = (other for other in actions if other.subject == one.subject and other.is_plural == one.is_plural)
    return one.verb in _POSTURES and any(
        other.is_main and other.verb not in IDLE and " " in other.doing for other in others
    )


def _may_join(one: Action, other: Action) -> bool:
    """True for two doings of one, or of several in one caption: of people some may do this and some that."""
    captions = {span.caption for span in one.evidence.spans} & {span.caption for span in other.evidence.spans}
    return not one.is_plural or bool(captions)


def say_both(graph: SceneGraph, action: Action, second: Action | None, is_new: IsNew) -> Phrase:
    """Join one or two doings of a subject: "sitting on a couch and holding a remote"."""
    first = say_doing(graph, action, is_new)
    if second is None:
        return first
    # The place of the second is left out where the first has one.
    bare = structs.replace(second, where="") if action.where else second
    other = say_doing(graph, bare, after(is_new, first.keys))
    words = f"{first.words} and {other.words}"
    return Phrase(words, (*first.claims, *other.claims), (*first.keys, *other.keys))


def find_doing(talk: Talk) -> Iterator[Move]:
    actions = [one for one in doings(talk) if talk.is_new(f"doing {one.subject}", "summary")]
    for action in actions:
        is_old = action.place and not talk.is_new(f"place {action.place}") and " " not in action.doing
        if is_old or is_renamed(talk, action):
            continue
        second = find_companion(actions, action)
        if second is None and _is_outshone(action, actions):
            continue
        what = say_both(talk.graph, action, second, talk.is_new)
        keys = (*keys_of(action), *(keys_of(second) if second is not None else ()), *what.keys)
        slots = {"the_x": f"the {action.subject}", "is": be(is_plural=action.is_plural), "doing": what.words}
        about = subject_of_action(action, talk.graph)
        yield Move("doing", tuple(dict.fromkeys(keys)), what.claims, slots, about=about)


def find_who(talk: Talk) -> Iterator[Move]:
    """Ask for the one who does it: only where one subject alone does so."""
    actions = doings(talk)
    for action in actions:
        alike = [one for one in actions if one.verb == action.verb and one.subject != action.subject]
        fresh = talk.is_new(f"doing {action.subject}", f"there {action.category or action.subject}")
        is_named = action.kind == "person" and action.subject not in ("person", "people")
        if alike or not is_named or not fresh:
            continue
        entity = talk.graph.entities[action.entity] if action.entity is not None else None
        crowd = entity is not None and entity.is_many and not action.is_plural
        if crowd or " " not in action.doing:
            continue
        what = f"{action.doing} {action.where}".strip()
        who = say_doer(talk.graph, action, talk.is_new)
        slots = {"a_x": who.words, "is": be(is_plural=action.is_plural), "doing": what}
        about = subject_of_action(action, talk.graph)
        claims = (doing_claim(action), *who.claims)
        yield Move("who", (*keys_of(action), *who.keys), claims, slots, {"doing": what}, about)


def find_where(talk: Talk) -> Iterator[Move]:
    for action in _clear(talk.graph):
        told = not talk.is_new(f"doing {action.subject}", f"place {action.place}", f"where {action.subject}")
        unfit = action.verb not in _PLACED or action.things & _GEAR or is_renamed(talk, action)
        if not action.place or told or unfit:
            continue
        if talk.names_both(action.subject, action.place) or _is_told_better(action, talk.graph):
            continue  # "the food is on a plate" after "a plate of food"
        if (
            action.subject in _NOWHERE
            or action.where == "on the corner"
            or (action.preposition == "on" and "cell phone" in action.things)
        ):
            continue
        is_bare = action.verb in _BARE and action.preposition not in _MOVING  # "standing around a room"
        place = action.where if is_bare else f"{action.doing} {action.where}"
        slots = {"the_x": f"the {action.subject}", "is": be(is_plural=action.is_plural), "place": place}
        keys = (*keys_of(action), f"where {action.subject}")
        about = subject_of_action(action, talk.graph)
        yield Move("where_at", keys, (doing_claim(action),), slots, about=about)


def _is_told_better(action: Action, graph: SceneGraph) -> bool:
    """True for who "is on a horse" to one caption, and rides it to most."""
    doings_of_most = (one for one in graph.told if one.subject == action.subject and one.is_main)
    return any(action.things <= one.things and one.verb not in _PLACED for one in doings_of_most if action.things)


def _follow(talk: Talk) -> Iterator[Action]:
    """Yield what else the one does who was just spoken of."""
    last = talk.last
    for action in talk.graph.told if last is not None else ():
        if last is not None and action.subject == last.word and action.is_plural == last.is_plural:
            yield action


def _pronoun_slots(talk: Talk) -> dict[str, str]:
    assert talk.last is not None
    it = talk.last.pronouns
    return {"it": it.it, "its": it.its, "is": it.be}


def find_wearing(talk: Talk) -> Iterator[Move]:
    new = [one for one in _follow(talk) if talk.is_new(f"wear {one.subject}", f"there {one.object}")]
    worn = [one for one in new if one.verb == "wear"]
    if worn:
        claims = tuple(doing_claim(one) for one in worn[:2])
        said = [say_held(talk.graph, one, talk.is_new) for one in worn[:2]]
        claims = (*claims, *(claim for phrase in said for claim in phrase.claims))
        slots = {**_pronoun_slots(talk), "wears": join_words([phrase.words for phrase in said])}
        keys = (f"wear {worn[0].subject}", *(key for phrase in said for key in phrase.keys))
        yield Move("wearing", keys, claims, slots, about=talk.last)


def held_keys(action: Action) -> tuple[str, ...]:
    return tuple(f"there {name}" for name in sorted(action.things))


def find_holding(talk: Talk) -> Iterator[Move]:
    for action in _follow(talk):
        key = f"{action.verb} {action.subject}"
        if action.verb == "hold" and action.held and talk.is_new(key, f"there {action.object}", *held_keys(action)):
            held = say_held(talk.graph, action, talk.is_new)
            slots = {**_pronoun_slots(talk), "held": held.words}
            claims = (doing_claim(action), *held.claims)
            yield Move("holding", (*keys_of(action), *held.keys), claims, slots, about=talk.last)


def find_doing_after(talk: Talk) -> Iterator[Move]:
    for action in _follow(talk):
        is_new = talk.is_new(f"doing {action.subject}", f"{action.verb} {action.subject}")
        if is_new and action in doings(talk) and not is_renamed(talk, action):
            what = say_doing(talk.graph, action, talk.is_new)
            slots = {**_pronoun_slots(talk), "doing": what.words}
            yield Move("doing_follow", (*keys_of(action), *what.keys), what.claims, slots, about=talk.last)


def find_summary(talk: Talk) -> Iterator[Move]:
    """Sum up by what most captions state as a whole."""
    for one in talk.graph.statements:
        word = one.word
        is_doing = one.verb not in ("", "be", "wear") and one.kind in ("person", "animal", "vehicle")
        if not is_doing or not talk.is_new("summary", f"doing {word}", f"does {one.category}"):
            continue
        if _is_idle_told(one, talk.graph) or is_outdone(one, talk.graph) or tells_itself(one):
            continue
        if any(is_worse(one, talk.graph) for is_worse in (is_outnumbered, lacks_rider, loses_doing)):
            continue
        who = say_parts(talk.graph, one.subject, talk.is_new)
        what = say_parts(talk.graph, one.predicate, after(talk.is_new, who.keys))
        event = f"{who.words} {be(is_plural=one.is_plural)} {what.words}"
        claims = (told_claim(one), *who.claims, *what.claims)
        keys = (*keys_of_statement(one), *who.keys, *what.keys)
        about = subject_of_told(one, talk.graph)
        yield Move("summary", tuple(dict.fromkeys(keys)), claims, {"event": event}, about=about)
        return


def subject_of_told(one: Statement, graph: SceneGraph) -> Subject:
    entity = graph.find(one.category or one.lemma)
    return Subject(one.word, one.kind, one.is_plural, entity if entity is not None and entity.is_single else None)


def _is_idle_told(one: Statement, graph: SceneGraph) -> bool:
    """True where all it tells is that people stand or sit next to each other, and few captions do."""
    alike = (action for action in graph.actions if action.verb == one.verb and action.is_main)
    alone = one.verb in IDLE and one.keys <= {one.category, one.lemma, one.verb} and graph.num_captions >= FEW
    return alone and next(alike, None) is None


def keys_of_statement(one: Statement) -> tuple[str, ...]:
    word = one.word
    named = sorted({word, *one.keys})
    places = tuple(f"place {name}" for name in named)
    setting = ("setting",) if one.keys & SETTINGS.keys() else ()
    things = tuple(f"there {name}" for name in named)
    does = (f"doing {word}", f"does {one.category}", f"{one.verb} {word}")
    return ("summary", *does, *things, *places, *setting, *sorted(one.looks))


DOINGS = (
    Generator("doing", find_doing, ("doing",), ("doing", "attribute")),
    Generator("who", find_who, ("who",), ("doing", "count")),
    Generator("where-at", find_where, ("where_at",), ("doing",)),
    Generator("summary", find_summary, ("summary",), ("told", "attribute")),
)
FOLLOWING_DOINGS = (
    Generator("wearing", find_wearing, ("wearing",), ("doing", "attribute"), leans=True),
    Generator("holding", find_holding, ("holding",), ("doing", "attribute"), leans=True),
    Generator("doing-after", find_doing_after, ("doing_follow",), ("doing", "attribute"), leans=True),
)
