"""Conversations: three to six questions of different families about one image."""

import random
from collections.abc import Callable, Iterator

from instructgen.lexicon.words import plural_of, with_article
from instructgen.teachers.scene_program import forms
from instructgen.teachers.scene_program.absence import find_absent
from instructgen.teachers.scene_program.facts import Fact
from instructgen.teachers.scene_program.geometry import relation_of
from instructgen.teachers.scene_program.scene import Scene, Thing
from instructgen.teachers.scene_program.wording import (
    be,
    capitalise,
    is_countable,
    pick_single,
    say_list,
    say_number,
    say_one,
    say_region,
    say_thing,
)

_MIN_TURNS = 3
_MAX_TURNS = 6
_SIZE_MARGIN = 1.8  # one box is called larger where it has this many times the other's area
_SOLID_AREA = 0.01  # things smaller than this are not asked about by place or size


class Talk:
    """One conversation in the making. `said` holds what was told of which thing, so that nothing comes twice."""

    def __init__(self, scene: Scene, draw: random.Random) -> None:
        self.scene = scene
        self.draw = draw
        self.said: set[str] = set()

    def pair(self, asks: tuple[str, ...], tells: tuple[str, ...], **slots: str) -> tuple[str, str]:
        """Fill a question and an answer, each with its own word for the picture."""
        words = [self.draw.choice(forms.PICTURE_WORDS) for _ in range(2)]
        asked = self.draw.choice(asks).format(pic=words[0], **slots)
        told = self.draw.choice(tells).format(pic=words[1], **slots)
        return capitalise(asked), capitalise(told)

    def region(self, thing: Thing) -> str:
        return say_region(thing.boxes[0], self.draw, self.draw.choice(forms.PICTURE_WORDS))

    def is_new(self, *keys: str) -> bool:
        """True, and from now on false, if none of the keys was told before."""
        if self.said.intersection(keys):
            return False
        self.said.update(keys)
        return True


Family = Callable[[Talk], tuple[str, str] | None]


def make_conversation(scene: Scene, draw: random.Random) -> list[tuple[str, str]]:
    """Return three to six question and answer pairs, or none where less can be said for certain."""
    talk = Talk(scene, draw)
    num_turns = draw.choices((3, 4, 5, 6), (2, 4, 3, 1))[0]
    polar = [pair for pair in (family(talk) for family in _polar(draw)) if pair is not None]
    pairs: list[tuple[str, str]] = []
    for family in _order(draw):
        pair = family(talk) if len(pairs) + len(polar) < num_turns else None
        if pair is not None:
            pairs.append(pair)
    for family in (_ask_one, _ask_missing, _ask_second_absent):
        pair = family(talk) if len(pairs) + len(polar) < _MIN_TURNS else None
        if pair is not None:
            pairs.append(pair)
    for pair in polar:
        pairs.insert(draw.randint(min(1, len(pairs)), len(pairs)), pair)
    return pairs if len(pairs) >= _MIN_TURNS else []


def _polar(draw: random.Random) -> list[Family]:
    """Choose the questions of yes or no: one kind or the other alike often, sometimes both."""
    families: list[Family] = [_ask_present, _ask_absent]
    draw.shuffle(families)
    return families if draw.random() < 0.4 else families[:1]


def _order(draw: random.Random) -> Iterator[Family]:
    """Yield families: two openings, then a mix, then whatever is left."""
    opening: list[Family] = [_ask_doing, _ask_place, _ask_overview, _ask_setting]
    middle: list[Family] = [_ask_color, _ask_count, _ask_region, _ask_relation, _ask_size, _ask_missing]
    draw.shuffle(opening)
    draw.shuffle(middle)
    mixed = [opening[1], *middle[:3], opening[2]]
    draw.shuffle(mixed)
    yield opening[0]
    yield from mixed
    yield from (opening[3], *middle[3:], _ask_color, _ask_region)


def _ask_overview(talk: Talk) -> tuple[str, str] | None:
    fresh = [thing for thing in talk.scene.things if f"there {thing.name}" not in talk.said]
    things = [thing for thing in fresh if thing.num_captions or thing.area > 5 * _SOLID_AREA][:3]
    things = things if len(things) > 1 else fresh[:2]
    listed = [say_thing(thing) for thing in things] + list(talk.scene.extras[:2])
    if len(listed) < 2 or not talk.is_new("overview"):
        return None
    talk.said.update(f"there {thing.name}" for thing in things)
    return talk.pair(forms.ASK_OVERVIEW, forms.TELL_OVERVIEW, list=say_list(listed[:4]))


def _ask_present(talk: Talk) -> tuple[str, str] | None:
    things = [
        thing
        for thing in talk.scene.things
        if is_countable(thing) and (thing.num_captions > 1 or thing.area > _SOLID_AREA)
    ]
    fresh = [thing for thing in things[:6] if f"there {thing.name}" not in talk.said]
    if not fresh or not talk.is_new("yes"):
        return None
    thing = talk.draw.choice(fresh)
    talk.said.add(f"there {thing.name}")
    if thing.is_many:
        return talk.pair(forms.ASK_MANY, forms.YES_MANY, x=thing.word, xs=thing.plural)
    where = talk.region(thing) if talk.is_new(f"region {thing.name}") else ""
    where = where or f"in the {talk.draw.choice(forms.PICTURE_WORDS)}"
    return talk.pair(forms.ASK_ONE, forms.YES_ONE, a=say_one(thing.word), where=where)


def _ask_absent(talk: Talk) -> tuple[str, str] | None:
    absent = find_absent(talk.scene, talk.draw, 1)
    if not absent or not talk.is_new("no", f"absent {absent[0].name}"):
        return None
    kind = absent[0]
    many = kind.name == "person" or talk.draw.random() < 0.4
    present = [thing for thing in talk.scene.things if thing.num_captions and is_countable(thing)]
    but = ""
    if present and talk.draw.random() < 0.75:
        endings = forms.BUT_MANY if present[0].is_many else forms.BUT
        but = talk.draw.choice(endings).format(y=say_thing(present[0]))
    if many or kind.name in ("skis", "scissors"):
        return talk.pair(forms.ASK_MANY, forms.NO_MANY, xs=kind.plural, but=but)
    return talk.pair(forms.ASK_ONE, forms.NO_ONE, a=with_article(kind.spoken), x=kind.spoken, but=but)


def _ask_missing(talk: Talk) -> tuple[str, str] | None:
    absent = [
        kind for kind in find_absent(talk.scene, talk.draw, 3) if kind.name not in ("person", "skis", "scissors")
    ]
    things = [thing for thing in talk.scene.things[:5] if thing.name != "person" and is_countable(thing)]
    things = [thing for thing in things if f"there {thing.name}" not in talk.said] or things
    present = [thing for thing in things if thing.is_single] or things
    if not absent or not present:
        return None
    kind, thing = absent[0], talk.draw.choice(present)
    if not talk.is_new(f"absent {kind.name}", "missing"):
        return None
    fresh = thing.is_single and talk.is_new(f"region {thing.name}")
    where = talk.region(thing) if fresh else ""
    two = [with_article(kind.spoken), say_one(thing.word)]
    talk.draw.shuffle(two)
    return talk.pair(
        forms.ASK_MISSING,
        forms.TELL_MISSING if thing.is_single else forms.TELL_MISSING_MANY,
        a=two[0],
        b=two[1],
        x=kind.spoken,
        ax=with_article(kind.spoken),
        y=say_thing(thing) if not thing.is_single else say_one(thing.word),
        where=where or f"in the {talk.draw.choice(forms.PICTURE_WORDS)}",
    )


def _ask_count(talk: Talk) -> tuple[str, str] | None:
    things = [thing for thing in talk.scene.things if (thing.count or 0) > 1 and is_countable(thing)]
    if not things or not talk.is_new("count"):
        return None
    thing = talk.draw.choice(things)
    talk.said.add(f"there {thing.name}")
    return talk.pair(forms.ASK_COUNT, forms.TELL_COUNT, xs=thing.plural, number=say_number(thing.count or 0))


def _ask_one(talk: Talk) -> tuple[str, str] | None:
    """Count to one: the last resort, of the main thing alone."""
    for thing in pick_single(talk.scene)[:2]:
        if thing.count != 1 or thing.num_captions < 2 or not talk.is_new("count"):
            continue
        where = talk.region(thing) if talk.is_new(f"region {thing.name}") else ""
        tells = forms.TELL_ONE_WHERE if where else forms.TELL_ONE
        return talk.pair(forms.ASK_COUNT, tells, xs=plural_of(thing.word), x=thing.word, where=where)
    return None


def _ask_second_absent(talk: Talk) -> tuple[str, str] | None:
    """Ask for two absent things at once: the very last resort."""
    absent = [kind for kind in find_absent(talk.scene, talk.draw, 4) if f"absent {kind.name}" not in talk.said]
    absent = [kind for kind in absent if kind.name not in ("skis", "scissors", "person")]
    if len(absent) < 2:
        return None
    slots = {"a": with_article(absent[0].spoken), "b": with_article(absent[1].spoken)}
    return talk.pair(forms.ASK_NEITHER, forms.TELL_NEITHER, **slots)


def _ask_color(talk: Talk) -> tuple[str, str] | None:
    colours = [color for color in talk.scene.colours[:4] if f"color {color.word}" not in talk.said]
    if not colours:
        return None
    color = colours[0] if talk.draw.random() < 0.6 else talk.draw.choice(colours)
    talk.said.add(f"color {color.word}")
    slots = {"x": color.word, "color": color.text, "acolor": with_article(color.text)}
    thing = talk.scene.find_thing(color.category)
    where = talk.region(thing) if thing is not None else ""
    if where and talk.draw.random() < 0.6 and talk.is_new(f"region {color.category}"):
        return talk.pair(forms.ASK_COLOR, forms.TELL_COLOR_WHERE, where=where, **slots)
    return talk.pair(forms.ASK_COLOR, forms.TELL_COLOR, **slots)


def _ask_doing(talk: Talk) -> tuple[str, str] | None:
    facts = [fact for fact in talk.scene.facts if fact.verb != "be" and is_alive(fact)]
    facts = [
        fact for fact in facts if f"doing {fact.subject}" not in talk.said and "place " + fact.place not in talk.said
    ]
    if not facts:
        return None
    fact = facts[0]
    talk.said.update((f"doing {fact.subject}", f"place {fact.place}" if fact.place else "doing"))
    what = f"{fact.doing} {fact.where}".strip()
    second = find_companion(facts, fact)
    if second is not None:
        what += f" and {second.doing}"
        what += f" {second.where}" if second.where and not fact.where else ""
    asks = forms.ASK_DOING if fact.kind in ("person", "animal") else forms.ASK_DOING[:-2]
    return talk.pair(asks, forms.TELL_DOING, x=fact.subject, what=what, **{"is": be(is_plural=fact.is_plural)})


def is_alive(fact: Fact) -> bool:
    """True for doings that one asks about with "doing"."""
    return fact.verb not in ("top", "fill", "cover", "decorate", "hang", "mount", "park", "dock")


def find_companion(facts: list[Fact], first: Fact) -> Fact | None:
    """Return another doing of the same subject, with an object, that adds something."""
    for fact in facts:
        same = fact.subject == first.subject and fact.is_plural == first.is_plural
        if same and fact.verb != first.verb and " " in fact.doing and not fact.things & first.things:
            return fact
    return None


def _ask_place(talk: Talk) -> tuple[str, str] | None:
    facts = [
        fact
        for fact in talk.scene.facts
        if fact.where
        and (fact.verb in ("be", "park", "dock", "hang", "mount", "sit", "lie", "lay", "perch", "stand", "sleep"))
        and f"doing {fact.subject}" not in talk.said
    ]
    if not facts:
        return None
    fact = facts[0]
    talk.said.update((f"doing {fact.subject}", f"place {fact.place}", f"where {fact.subject}"))
    where = fact.where if fact.verb in ("be", "sit", "lie", "lay", "stand") else f"{fact.doing} {fact.where}"
    slots = {"is": be(is_plural=fact.is_plural)}
    return talk.pair(forms.ASK_PLACE, forms.TELL_PLACE, x=fact.subject, where=where, **slots)


def _ask_region(talk: Talk) -> tuple[str, str] | None:
    things = [thing for thing in pick_single(talk.scene) if thing.area > _SOLID_AREA]
    talk.draw.shuffle(things)
    for thing in things:
        where = talk.region(thing)
        if where and talk.is_new(f"region {thing.name}", f"where {thing.word}"):
            return talk.pair(forms.ASK_REGION, forms.TELL_REGION, x=thing.word, where=where)
    return None


def _pairs_of(talk: Talk) -> Iterator[tuple[Thing, Thing]]:
    things = [thing for thing in pick_single(talk.scene) if thing.area > _SOLID_AREA][:5]
    pairs = [(one, other) for one in things for other in things if one is not other]
    talk.draw.shuffle(pairs)
    yield from pairs


def _ask_relation(talk: Talk) -> tuple[str, str] | None:
    for one, other in _pairs_of(talk):
        relation = relation_of(one.boxes[0], other.boxes[0])
        if relation and talk.is_new("relation"):
            return talk.pair(forms.ASK_RELATION, forms.TELL_RELATION[relation], x=one.word, y=other.word)
    return None


def _ask_size(talk: Talk) -> tuple[str, str] | None:
    for one, other in _pairs_of(talk):
        if one.area > _SIZE_MARGIN * other.area and talk.is_new("size"):
            slots = {"x": one.word, "y": other.word}
            asked, _ = talk.pair(forms.ASK_SIZE, forms.TELL_SIZE, **_swap(slots, talk.draw))
            return asked, talk.pair(forms.ASK_SIZE, forms.TELL_SIZE, **slots)[1]
    return None


def _swap(slots: dict[str, str], draw: random.Random) -> dict[str, str]:
    """Change the order of the two half of the time, so that the first named is not always the answer."""
    return {"x": slots["y"], "y": slots["x"]} if draw.random() < 0.5 else slots


def _ask_setting(talk: Talk) -> tuple[str, str] | None:
    scene = talk.scene
    told = scene.setting is not None and any(key.endswith(f" {scene.setting.lemma}") for key in talk.said)
    if scene.setting is not None and not told and talk.is_new(f"place {scene.setting.lemma}", "setting"):
        listed = [thing for thing in scene.things if f"there {thing.name}" not in talk.said][:2]
        seen = f", where {say_list([say_thing(thing) for thing in listed])} can be seen" if listed else ""
        talk.said.update(f"there {thing.name}" for thing in listed if seen)
        return talk.pair(forms.ASK_SETTING, forms.TELL_SETTING, where=scene.setting.phrase, **{"with": seen})
    if scene.inferred is not None and talk.is_new("setting"):
        setting, signs = scene.inferred
        things = [thing for thing in scene.things if thing.name in signs]
        if len(things) == len(signs):
            slots = {"is": be(is_plural=things[0].is_many), "list": say_list([say_thing(thing) for thing in things])}
            return talk.pair(forms.ASK_SETTING, forms.TELL_INFERRED, name=setting.name, **slots)
    return None
