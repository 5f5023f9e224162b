"""Detailed descriptions: a planned paragraph of up to eight sentences, from the whole to its parts."""

import random

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words, with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.corroboration import tells_itself
from instructgen.scenegraph.garments import EVERYDAY, GARMENTS, clashes
from instructgen.scenegraph.graph import Action, Entity, SceneGraph
from instructgen.scenegraph.likenesses import DRAWN, is_all_likeness
from instructgen.scenegraph.settings import SETTINGS, VAGUE
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.teachers.scene_program.detail_close import close_paragraph
from instructgen.teachers.scene_program.detail_frame import tell_frame
from instructgen.teachers.scene_program.detail_main import tell_main_actions
from instructgen.teachers.scene_program.detail_others import is_doubtful
from instructgen.teachers.scene_program.detail_shared import tell_shared
from instructgen.teachers.scene_program.detail_sure import is_certain, keep_sure
from instructgen.teachers.scene_program.detail_told import (
    may_be_same,
    open_with_statement,
    open_with_whole,
    tell_common,
    tell_statements,
)
from instructgen.teachers.scene_program.generators.doings import find_companion, say_both
from instructgen.teachers.scene_program.generators.looks import join_adjectives, looks_of
from instructgen.teachers.scene_program.paragraph import Paragraph, doer_of, say_counted
from instructgen.teachers.scene_program.phrasing import (
    attribute_claim,
    doing_claim,
    say_doer,
    say_doing,
    say_held,
)
from instructgen.teachers.scene_program.speech import PAIRS, be, may_be_one, pronouns_of
from instructgen.teachers.scene_program.talk import circumstance_claim, exists
from instructgen.teachers.scene_program.wordings import load_wordings
from instructgen.teachers.scene_program.worn import find_worn

_MAX_ACTIONS = 3
_SEVERAL = 2  # captions
_MOST = 3  # captions
_MADE = sorted(DRAWN)  # by these a text tells that what it shows is a picture
_SPREAD = ("mass", "unique")  # kinds of what is no single thing
_STATES = ("open", "full")  # of a fireplace or a moon these tell the kind


def make_detail(graph: SceneGraph, draw: random.Random) -> tuple[str, tuple[Claim, ...]]:
    """Return the paragraph with its claims, or "" where nothing can be said for certain."""
    page = Paragraph(keep_sure(graph), draw, load_wordings())
    if not open_with_statement(page):
        _open(page)
    page = open_with_whole(page)
    if not page.sentences:
        return "", ()
    tell_shared(page)
    tell_main_actions(page)
    tell_statements(page)
    _tell_clothes(page)
    _tell_actions(page)
    tell_common(page)
    _tell_looks(page)
    tell_frame(page)
    close_paragraph(page)
    if _hides_painting(page):
        return "", ()
    return " ".join(page.sentences), tuple(page.claims)


def _hides_painting(page: Paragraph) -> bool:
    """True where two captions have a painting, and the text tells what it shows as if it were there."""
    graph = page.graph
    if graph.sources is not None:
        is_painted = is_all_likeness([one.tokens for one in graph.sources.readings])
    else:  # no box is trusted
        is_painted = sum(not DRAWN.isdisjoint(words) for words in graph.words_by_caption) >= _SEVERAL
    return is_painted and not any(map(page.has_word, _MADE))


def _open(page: Paragraph) -> None:
    """Write the first sentence from what goes on, or from what is there, if there is either."""
    graph = page.graph
    actions = [one for one in graph.told if one.kind in ("person", "animal", "vehicle") and (one.doing or one.where)]
    actions = [one for one in actions if not _tells_itself(page, one)]
    if actions:
        first = next((one for one in actions if one.is_main), actions[0])
        _open_with_action(page, first, find_companion(actions, first) if first.doing else None)
        return
    things = _find_first(page)
    if not things:
        _open_with_place(page)
        return
    placed = next((one for one in graph.told if _is_placed_first(one, things)), None)
    if placed is not None:
        _open_with_action(page, placed, None)
        return
    _open_with_list(page, things)


def _is_placed_first(action: Action, things: list[Entity]) -> bool:
    """True for what two captions tell of where the first thing lies, or what on it: it says more than a list."""
    is_told = action.verb == "be" and bool(action.where) and action.num_bearing_out >= _SEVERAL
    first, last = things[0], things[-1]
    lying = first if action.place not in (first.name, first.category) else last
    is_known = action.subject in (lying.word, lying.plural) and action.is_plural == lying.is_many
    return is_told and is_known


def _open_with_list(page: Paragraph, things: list[Entity]) -> None:
    listed, claims = [], [exists(one) for one in things]
    for one in things:
        said = say_counted(page, one)
        listed.append(said.words)
        claims += said.claims
    page.named.update(name for one in things for name in (one.name, one.category))
    setting, placed = page.set_scene(things)
    page.add("d_open_list", (*claims, *placed), list=_join_things(things, listed), setting=setting)


def _tells_itself(page: Paragraph, action: Action) -> bool:
    """True for a skier who skis, where nothing is told of where."""
    is_placed = action.object or action.where or page.graph.circumstance("place") is not None
    return not is_placed and tells_itself(action.lemma, action.verb)


def _join_things(things: list[Entity], listed: list[str]) -> str:
    """Join what is named first; what a plate of food holds is told as on it."""
    for dish, food in ((0, 1), (1, 0)):
        if len(things) == 2 and things[dish].word.endswith(" of food") and things[food].kind == "food":
            return f"{listed[dish]} with {listed[food]}"
    return join_words(listed)


def _open_with_place(page: Paragraph) -> None:
    """Begin with where it is, where no thing is certain, if that is."""
    place = page.graph.circumstance("place")
    if place is not None and place.value not in VAGUE:
        page.told.update(("setting", place.value))
        page.add("d_setting", (circumstance_claim(place),), where=place.phrase)


def _find_first(page: Paragraph) -> list[Entity]:
    """Return the two things to name first: boxed and told of in captions, if there are such."""
    graph = page.graph
    boxed = [one for one in graph.boxed_entities() if is_certain(one) and not is_doubtful(page, one)]
    boxed = boxed or [
        one for one in graph.boxed_entities() if one.name in PAIRS or 2 * one.num_plural < one.num_captions
    ]
    # What most captions name goes before what fewer name, or only a box has.
    most = [one for one in graph.entities if not one.category and one.is_listed and one.num_captions >= _MOST]
    most = [one for one in most if one.kind not in _SPREAD]
    things = [one for one in boxed if one.num_captions]
    things.sort(key=lambda one: one.num_captions < _SEVERAL)
    first = [one for one in most if not things or one.num_captions > things[0].num_captions]
    first = [one for one in first if not any(may_be_one(one, thing) for thing in things)]
    things = [*first[:1], *things][:2] or boxed[:2]
    # Somebody whom captions tell apart from the others stands for them.
    roles = [role for role in graph.entities if role.member_of is not None]
    named = [[role for role in roles if role.member_of == one.number] or [one] for one in things]
    things = [one for found in named for one in found[:2]][:2]
    unboxed = [one for one in graph.entities if not one.category]
    others = [one for one in unboxed if one.is_listed and one.kind not in _SPREAD and one not in things]
    others = [one for one in others if not any(may_be_one(one, thing) for thing in things)]
    found = [*things, *others[: 2 - len(things)]]
    # What most captions name is there, even where they differ on how many.
    return found or [one for one in unboxed if one.num_captions >= _MOST and one.kind == "thing"][:1]


def _open_with_action(page: Paragraph, action: Action, second: Action | None) -> None:
    graph = page.graph
    who = say_doer(graph, action, page.is_new)
    page.told.update(who.keys)
    what = say_both(graph, action, second, page.is_new)
    page.told.update(what.keys)
    for one in (action, second) if second is not None else (action,):
        page.note(one)
    setting, placed = page.set_scene() if not action.where and action.verb != "wear" else ("", ())
    slots = {"who": who.words, "what": what.words, "setting": setting, "is": be(is_plural=action.is_plural)}
    family = "d_open_being" if action.verb == "be" else "d_open_action"
    page.add(family, (*who.claims, *what.claims, *placed), **slots)


def _tell_clothes(page: Paragraph) -> None:
    """Tell what the first one wears of whom a doing was told."""
    main = next((one for one in page.doers if one.category == "person"), None)
    if main is None:
        return
    told = [one for one in page.graph.told if one.verb == "wear" and one.subject == main.word]
    garments = [word for word in GARMENTS if page.has_word(word)]
    told = told or [one for one in find_worn(page.graph, main) if not clashes(one.object, garments)]
    worn = [
        one
        for one in told
        if (one.held not in EVERYDAY or _is_described(page, one))
        and page.is_new(f"wear {one.subject}", one.object)
        and not clashes(one.object, page.told)
    ][:2]
    if not worn:
        return
    it = pronouns_of(main.word, main.kind, is_plural=main.is_plural)
    said = [say_held(page.graph, one, page.is_new) for one in worn]
    claims = [claim for one, phrase in zip(worn, said, strict=True) for claim in (doing_claim(one), *phrase.claims)]
    wears = join_words([phrase.words for phrase in said])
    slots = {"wears": wears, "the_x": f"the {main.word}", "it": it.it, "be": be(is_plural=main.is_plural)}
    is_clear = len(page.doers) == 1 and (main.is_plural or it.it != "they")
    family = "d_wear" if is_clear else "d_wear_named"
    page.add(family, tuple(claims), **slots, **{"is": it.be})
    for one, phrase in zip(worn, said, strict=True):
        page.note(one)
        page.told.update(phrase.keys)


def _is_described(page: Paragraph, worn: Action) -> bool:
    """True for a shirt whose color is told with it."""
    return bool(say_held(page.graph, worn, page.is_new).claims)


def _tell_actions(page: Paragraph) -> None:
    """Tell up to three more actions or placements, each of which adds something."""
    num = 0
    for action in page.graph.told:
        known = action.things <= page.named and (not action.object or action.object in page.named)
        placed = action.verb == "be" and action.subject not in {other.word for other in page.doers}
        stale = (known and (action.things or action.object) and not placed) or page.does_alike(
            action.subject, action.verb
        )
        if num == _MAX_ACTIONS or stale or (action.place and action.place in page.told) or page.room() <= 0:
            continue
        if action.verb in page.told and not (action.things or action.object or action.place):
            continue  # "holding a bat and smiling" told it
        if action.verb == "be" and (action.subject in page.named or action.category in page.named):
            continue
        if (not action.doing and not action.where) or (action.place in SETTINGS and "setting" in page.told):
            continue
        if action.doing and page.has_said(action.doing):
            continue
        doer = doer_of(action)
        if any(other.word != doer.word and may_be_same(other, doer) for other in page.doers):
            continue
        if _is_named_otherwise(page, action):
            continue
        _tell_action(page, action)
        num += 1


def _is_named_otherwise(page: Paragraph, action: Action) -> bool:
    """True for what may be named by another word before: luggage behind a suitcase, a jacket behind a suit."""
    if action.verb == "wear":
        return action.held in EVERYDAY or clashes(action.object, page.told)
    if any(page.has_told_otherwise(word) for word in (action.object, action.place) if word):
        return True
    lemma = action.lemma or action.subject
    return not action.category and (
        is_meant(lemma, page.text()) or any(page.has_said(other) for other in SAID_TWICE.get(lemma, ()))
    )


def _tell_action(page: Paragraph, action: Action) -> None:
    what = say_doing(page.graph, action, page.is_new)
    it = pronouns_of(action.subject, action.kind, is_plural=action.is_plural)
    slots = {
        "the_x": _the(page, action),
        "what": what.words,
        "it": it.it,
        "is": be(is_plural=action.is_plural),
    }
    if action.verb == "be":
        family = "d_placed"
    elif len(page.sentences) == 1 and page.doers and action.subject == page.doers[-1].word and it.it != "they":
        family, slots["is"] = "d_same_doing", it.be
    elif action.subject in {one.word for one in page.doers}:
        family = "d_more_action"
    else:
        family = "d_placed"
    page.add(family, what.claims, **slots)
    page.note(action)
    page.told.update(what.keys)


def _the(page: Paragraph, action: Action) -> str:
    """Say "the" of who was named before; who is new comes with "a", or without an article if several."""
    is_known = action.category and action.category in page.named and action.subject != "people"
    if action.subject in page.named or is_known:
        return f"the {action.subject}"
    return action.subject if action.is_plural or action.kind == "mass" else with_article(action.subject)


def _tell_looks(page: Paragraph) -> None:
    """Tell colors, two of them in one sentence, one more thing's look, and a material."""
    graph = page.graph
    colors = [
        (graph.entities[one.entity], one)
        for one in graph.attributes
        if one.kind == "color" and page.is_new(f"color {graph.entities[one.entity].name}")
    ]
    colors = [pair for pair in colors if pair[0].name in page.named]
    if len(colors) > 1 and page.room() > 0:
        (one, color), (other, second) = colors[:2]
        claims = (attribute_claim(one, color), attribute_claim(other, second))
        page.add("d_color_two", claims, x=one.word, y=other.word, color=color.value, other=second.value)
    elif colors and page.room() > 0:
        one, color = colors[0]
        page.add("d_color_one", (attribute_claim(one, color),), x=one.word, color=color.value)
    for one, _ in colors[:2]:
        page.named.add(one.name)
        page.told.add(f"color {one.name}")
    _tell_other_looks(page)
    _tell_material(page)


def _tell_other_looks(page: Paragraph) -> None:
    """Tell age, pattern or state of one thing that was named."""
    for entity in page.graph.entities:
        looks = [one for one in looks_of(page.graph, entity) if one.kind not in ("color", "size")]
        looks = [one for one in looks if page.is_new(f"{one.kind} {entity.name}") and one.value not in _STATES]
        if looks and entity.name in page.named and page.is_new(f"looks {entity.name}") and page.room() > 2:
            claims = tuple(attribute_claim(entity, one) for one in looks)
            page.add("d_looks", claims, x=entity.word, adjectives=join_adjectives([one.value for one in looks]))
            page.told.add(f"looks {entity.name}")
            return


def _tell_material(page: Paragraph) -> None:
    for attribute in page.graph.attributes:
        entity = page.graph.entities[attribute.entity]
        key = f"material {entity.name}"
        is_new = page.is_new(key, f"looks {entity.name}", f"color {entity.name}")
        is_new = is_new and not page.has_word(attribute.value)  # "a stone wall" told it
        is_new = is_new and not (attribute.value == "wood" and page.has_word("wooden"))
        if attribute.kind == "material" and is_new and entity.name in page.named and page.room() > 2:
            page.add("d_material", (attribute_claim(entity, attribute),), x=entity.word, material=attribute.value)
            page.told.add(key)
            return
