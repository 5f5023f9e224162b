"""Detailed descriptions: one paragraph of four to seven sentences, from the whole to its parts."""

import itertools
import random

from instructgen.lexicon.words import with_article
from instructgen.teachers.scene_program import detail_forms, forms
from instructgen.teachers.scene_program.conversation import find_companion
from instructgen.teachers.scene_program.detail_close import close_paragraph
from instructgen.teachers.scene_program.facts import Fact
from instructgen.teachers.scene_program.geometry import relation_of, side_of
from instructgen.teachers.scene_program.paragraph import MIN_SENTENCES, Paragraph
from instructgen.teachers.scene_program.scene import Scene, Thing
from instructgen.teachers.scene_program.wording import (
    be,
    is_countable,
    pick_single,
    say_list,
    say_number,
    say_one,
    say_region,
    say_thing,
)

_SIZE_MARGIN = 1.8
_SOLID_AREA = 0.01
_FAR_REACH = 0.75  # share of the frame's width or height that counts as most of it
_SMALL_AREA = 0.04
_HALF = 0.5
_CLEAR = 0.01  # how far from the middle a box must stay to be in one half
_LARGER = 1.5


def make_detail(scene: Scene, draw: random.Random) -> str:
    """Return the paragraph, or "" where fewer than four sentences can be said for certain."""
    page = Paragraph(scene, draw)
    facts = _open(page)
    if not page.sentences:
        return ""
    _tell_facts(page, facts)
    for tell in (_tell_colors, _tell_places, _tell_sides, _tell_count, _tell_others, _tell_extent):
        if page.room() > 0:
            tell(page)
    for tell in (_tell_largest, _tell_size, _tell_spread, _tell_relation):
        if page.room() > 1:
            tell(page)
    if len(page.sentences) < MIN_SENTENCES:
        _tell_only(page)
    close_paragraph(page)
    return " ".join(page.sentences) if len(page.sentences) >= MIN_SENTENCES else ""


def _open(page: Paragraph) -> list[Fact]:
    """Write the first sentence; return the facts that are left to tell."""
    scene = page.scene
    told = [fact for fact in scene.facts if fact.doing and fact.kind in ("person", "animal", "vehicle")]
    if told:
        return _open_with_fact(page, told)
    things = [thing for thing in scene.things if thing.num_captions][:2] or list(scene.things[:2])
    listed = [say_thing(thing) for thing in things]
    if len(listed) < 2:
        listed += scene.extras[: 2 - len(listed)]
    if listed:
        page.named.update(thing.name for thing in things)
        page.named.update(listed)
        page.add(detail_forms.OPEN_LIST, list=say_list(listed), setting=_say_setting(page, ""))
    return [fact for fact in scene.facts if fact.verb == "be" and fact.category in page.named]


def _open_with_fact(page: Paragraph, told: list[Fact]) -> list[Fact]:
    fact = told[0]
    what = f"{fact.doing} {fact.where}".strip()
    second = find_companion(told, fact)
    if second is not None:
        what += f" and {second.doing}"
    page.named.update(fact.things | {fact.category})
    page.named.update(second.things if second is not None else ())
    who = fact.subject if fact.is_plural else with_article(fact.subject)
    thing = page.scene.find_thing(fact.category)
    if fact.is_plural and thing is not None and thing.count and fact.subject == thing.plural:
        who = f"{say_number(thing.count)} {fact.subject}"
        page.placed.add(f"count {thing.name}")
    page.placed.update((fact.place, second.place if second is not None else ""))
    setting = _say_setting(page, fact.where)
    page.add(detail_forms.OPEN_FACT, who=who, what=what, setting=setting, **{"is": be(is_plural=fact.is_plural)})
    taken = {fact.verb, second.verb if second is not None else ""}
    known = {fact.subject} | {kind for kind in fact.things if page.scene.find_thing(kind)}
    rest = [other for other in page.scene.facts if other.verb not in taken or other.subject != fact.subject]
    return [
        other
        for other in rest
        if other.subject in known
        or (other.kind != "person" and other.category != fact.category and not other.is_plural)
    ]


def _tell_facts(page: Paragraph, facts: list[Fact]) -> None:
    """Tell up to two more facts, of things not yet told of."""
    told = 0
    for fact in facts:
        if told == 2 or (fact.things and fact.things <= page.named and fact.verb != "be"):
            continue
        if fact.place and fact.place in page.placed:
            continue
        what = f"{fact.doing} {fact.where}".strip()
        page.add(detail_forms.MORE_FACT, x=fact.subject, what=what, **{"is": be(is_plural=fact.is_plural)})
        page.named.update(fact.things | {fact.category})
        page.placed.add(fact.place)
        told += 1


def _say_setting(page: Paragraph, where: str) -> str:
    """Add the place to the first sentence where nothing there speaks of a place yet."""
    setting = page.scene.setting
    if setting is None or where or setting.lemma in ("water", "snow", "grass"):
        return ""
    page.placed.update(("setting", setting.lemma))
    return f" {setting.phrase}"


def _tell_colors(page: Paragraph) -> None:
    known = [color for color in page.scene.colours if not color.category or page.scene.find_thing(color.category)]
    if not known:
        return
    first = known[0]
    slots = {"x": first.word, "color": first.text, "acolor": with_article(first.text)}
    second = next((color for color in known[1:] if color.word != first.word), None)
    if second is not None:
        page.add(detail_forms.COLOR_TWO, y=second.word, other=second.text, **slots)
    else:
        page.add(detail_forms.COLOR_ONE, **slots)
    for color in (first, second):
        if color is not None:
            page.named.update((color.category, with_article(color.word)))


def _tell_places(page: Paragraph) -> None:
    spots: list[tuple[Thing, str]] = []
    for thing in pick_single(page.scene):
        pic = page.draw.choice(forms.PICTURE_WORDS)
        where = say_region(thing.boxes[0], page.draw, pic) if thing.area > _SOLID_AREA else ""
        if where and all(where.split(" of ")[0] != other.split(" of ")[0] for _, other in spots):
            spots.append((thing, where))
    if not spots:
        return
    (first, where), rest = spots[0], spots[1:2]
    if rest:
        other, there = rest[0]
        page.add(detail_forms.PLACE_TWO, x=page.name(first), where=where, y=page.name(other), there=there)
        page.named.add(other.name)
        page.placed.add(other.name)
    else:
        page.add(detail_forms.PLACE_ONE, x=page.name(first), where=where)
    page.named.add(first.name)
    page.placed.add(first.name)


def _tell_sides(page: Paragraph) -> None:
    """Tell what else is on one side of the frame."""
    for side in page.draw.sample(("left", "right"), 2)[: page.room()]:
        _tell_side(page, side)


def _tell_side(page: Paragraph, side: str) -> None:
    things = [
        thing
        for thing in page.scene.things
        if thing.name not in page.named
        and is_countable(thing)
        and len(thing.boxes) == 1
        and not thing.has_crowd
        and side_of(thing.boxes[0]) == side
    ][:3]
    if not things:
        return
    listed = [say_one(thing.word) for thing in things]
    page.add(detail_forms.REGION_LIST[side], list=say_list(listed), **{"is": be(is_plural=len(listed) > 1)})
    page.named.update(thing.name for thing in things)


def _tell_count(page: Paragraph) -> None:
    for thing in page.scene.things:
        if (thing.count or 0) > 1 and is_countable(thing) and f"count {thing.name}" not in page.placed:
            page.add(detail_forms.COUNT, xs=thing.plural, number=say_number(thing.count or 0))
            page.named.add(thing.name)
            return


def _tell_others(page: Paragraph) -> None:
    things = [thing for thing in page.scene.things if thing.name not in page.named][:4]
    listed = [say_thing(thing) for thing in things]
    listed += [extra for extra in page.scene.extras if _is_unsaid(page, extra)][: 4 - len(listed)]
    if len(listed) > 1 or (listed and page.room() > 0):
        tells = detail_forms.OTHERS if len(listed) > 1 else detail_forms.OTHERS[1:3] + detail_forms.OTHERS[4:]
        page.add(tells, list=say_list(listed))
        page.named.update(thing.name for thing in things)


def _tell_size(page: Paragraph) -> None:
    things = [thing for thing in pick_single(page.scene) if thing.area > _SOLID_AREA and thing.name in page.named]
    for one in things:
        for other in things:
            if one.area > _SIZE_MARGIN * other.area:
                page.add(detail_forms.SIZE, x=one.word, y=other.word)
                return


def _is_unsaid(page: Paragraph, extra: str) -> bool:
    noun = extra.removeprefix("a ").removeprefix("an ")
    return " of " not in extra and not any(noun in sentence for sentence in page.sentences)


def _tell_extent(page: Paragraph) -> None:
    """Tell how far the main thing reaches, or that it is small."""
    things = [thing for thing in pick_single(page.scene)[:3] if thing.name in page.named]
    small = False
    for thing in things[: max(min(page.room(), 2), 0)]:
        box = thing.boxes[0]
        if box.x1 - box.x0 > _FAR_REACH:
            page.add(detail_forms.WIDE, x=thing.word)
        elif box.y1 - box.y0 > _FAR_REACH:
            page.add(detail_forms.TALL, x=thing.word)
        elif box.area < _SMALL_AREA and not small:
            small = True
            page.add(detail_forms.SMALL, x=thing.word)


def _tell_spread(page: Paragraph) -> None:
    """Tell in which half all things of a kind are, or that they are in both."""
    for thing in page.scene.things:
        if len(thing.boxes) < 2 or thing.name not in page.named or not is_countable(thing):
            continue
        half = "" if thing.has_crowd else _half_of(thing)
        if half:
            page.add(detail_forms.SPREAD[half], xs=thing.plural)
        elif _is_on_both_sides(thing):
            page.add(detail_forms.BOTH_SIDES, xs=thing.plural)
        else:
            continue
        return


def _is_on_both_sides(thing: Thing) -> bool:
    solid = [box for box in thing.boxes if box.area > _SOLID_AREA / 4]
    left = [box for box in solid if box.x1 < _HALF - _CLEAR]
    return bool(left) and any(box.x0 > _HALF + _CLEAR for box in solid)


def _tell_largest(page: Paragraph) -> None:
    """Tell where the one lies that clearly looks larger than the others of its kind."""
    for thing in page.scene.things[:3]:
        if len(thing.boxes) < 2 or thing.has_crowd or thing.name not in page.named or not is_countable(thing):
            continue
        first, second = sorted(thing.boxes, key=lambda box: -box.area)[:2]
        where = say_region(first, page.draw, page.draw.choice(forms.PICTURE_WORDS))
        if where and first.area > _LARGER * second.area:
            page.add(detail_forms.LARGEST, x=thing.word, xs=thing.plural, where=where)
            return


def _half_of(thing: Thing) -> str:
    low, high = _HALF - _CLEAR, _HALF + _CLEAR
    if all(box.x1 < low for box in thing.boxes):
        return "left"
    if all(box.x0 > high for box in thing.boxes):
        return "right"
    if all(box.y1 < low for box in thing.boxes):
        return "top"
    return "bottom" if all(box.y0 > high for box in thing.boxes) else ""


def _tell_only(page: Paragraph) -> None:
    for thing in pick_single(page.scene)[:1]:
        if thing.count == 1 and thing.num_captions > 1:
            tells = detail_forms.COUNT_ONE[:1] if thing.name == "person" else detail_forms.COUNT_ONE
            page.add(tells, x=thing.word)
            return
    for thing in page.scene.things:
        if thing.is_many and thing.count is None and is_countable(thing):
            page.add(detail_forms.SEVERAL, x=thing.word)
            return


def _tell_relation(page: Paragraph) -> None:
    things = [thing for thing in pick_single(page.scene) if thing.name in page.named and thing.area > _SOLID_AREA]
    for one, other in itertools.pairwise(things):
        relation = relation_of(one.boxes[0], other.boxes[0])
        if relation:
            page.add(detail_forms.RELATION[relation], x=one.word, y=other.word)
            return
