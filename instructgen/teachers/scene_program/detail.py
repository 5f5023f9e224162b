"""Detailed descriptions: a planned paragraph of four to eight sentences, from the whole to its parts."""

import random

from instructgen.lexicon.words import join_words, with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, Entity, SceneGraph
from instructgen.scenegraph.settings import UNNAMED
from instructgen.scenegraph.vocabulary import AGES, GENDERS
from instructgen.teachers.scene_program.detail_close import close_paragraph
from instructgen.teachers.scene_program.detail_frame import tell_frame
from instructgen.teachers.scene_program.generators.doings import find_companion, is_like, say_both
from instructgen.teachers.scene_program.generators.looks import join_adjectives, looks_of
from instructgen.teachers.scene_program.paragraph import MIN_SENTENCES, Paragraph, say_counted
from instructgen.teachers.scene_program.phrasing import (
    attribute_claim,
    doing_claim,
    say_doer,
    say_doing,
    say_held,
)
from instructgen.teachers.scene_program.speech import be, pronouns_of
from instructgen.teachers.scene_program.talk import circumstance_claim, exists
from instructgen.teachers.scene_program.wordings import load_wordings

_MAX_ACTIONS = 3


def make_detail(graph: SceneGraph, draw: random.Random) -> tuple[str, tuple[Claim, ...]]:
    """Return the paragraph with its claims, or "" where fewer than four sentences can be said for certain."""
    page = Paragraph(graph, draw, load_wordings())
    main = _open(page)
    if not page.sentences:
        return "", ()
    if main is not None:
        _tell_clothes(page, main)
    _tell_actions(page, main)
    _tell_looks(page)
    tell_frame(page)
    close_paragraph(page)
    if len(page.sentences) < MIN_SENTENCES:
        return "", ()
    return " ".join(page.sentences), tuple(page.claims)


def _open(page: Paragraph) -> Action | None:
    """Write the first sentence; return what it says is going on, if anything."""
    graph = page.graph
    actions = [one for one in graph.actions if one.doing and one.kind in ("person", "animal", "vehicle")]
    if actions:
        _open_with_action(page, actions[0], find_companion(actions, actions[0]))
        return actions[0]
    things = _find_first(graph)
    if not things:
        return None
    listed, claims = [], [exists(one) for one in things]
    for one in things:
        said = say_counted(page, one)
        listed.append(said.words)
        claims += said.claims
    page.named.update(one.name for one in things)
    place = graph.circumstance("place")
    if place is not None and place.value not in UNNAMED:
        page.told.update(("setting", place.value))
        claims.append(circumstance_claim(place))
        page.add("d_open_place", tuple(claims), list=join_words(listed), setting=place.phrase)
    else:
        page.add("d_open_list", tuple(claims), list=join_words(listed), setting="")
    return None


def _find_first(graph: SceneGraph) -> list[Entity]:
    """Return the two things to name first: boxed and told of in captions, if there are such."""
    boxed = graph.boxed_entities()
    things = [one for one in boxed if one.num_captions][:2] or boxed[:2]
    # Somebody whom captions tell apart from the others stands for them.
    things = [next((role for role in graph.entities if role.member_of == one.number), one) for one in things]
    others = [one for one in graph.entities if not one.category and one.is_listed]
    return [*things, *others[: 2 - len(things)]]


def _open_with_action(page: Paragraph, action: Action, second: Action | None) -> None:
    graph = page.graph
    who = say_doer(graph, action, page.is_new)
    page.told.update(who.keys)
    what = say_both(graph, action, second, page.is_new)
    claims = [*who.claims, *what.claims]
    page.told.update(what.keys)
    for one in (action, second) if second is not None else (action,):
        page.note(one)
    setting, place = "", graph.circumstance("place")
    if place is not None and not action.where and place.value not in UNNAMED:
        setting = f" {place.phrase}"
        page.told.update(("setting", place.value))
        claims.append(circumstance_claim(place))
    slots = {"who": who.words, "what": what.words, "setting": setting, "is": be(is_plural=action.is_plural)}
    page.add("d_open_action", tuple(claims), **slots)


def _tell_clothes(page: Paragraph, main: Action) -> None:
    worn = [
        one
        for one in page.graph.actions
        if one.verb == "wear" and one.subject == main.subject and page.is_new(f"wear {one.subject}")
    ][:2]
    if not worn:
        return
    it = pronouns_of(main.subject, main.kind, is_plural=main.is_plural)
    said = [say_held(page.graph, one, page.is_new) for one in worn]
    claims = [claim for one, phrase in zip(worn, said, strict=True) for claim in (doing_claim(one), *phrase.claims)]
    wears = join_words([phrase.words for phrase in said])
    page.add("d_wear", tuple(claims), It=it.it, it=it.it, wears=wears, **{"is": it.be})
    for one, phrase in zip(worn, said, strict=True):
        page.note(one)
        page.told.update(phrase.keys)


def _tell_actions(page: Paragraph, main: Action | None) -> None:
    """Tell up to three more actions or placements, each of which adds something."""
    num = 0
    told = [main] if main is not None else []
    for action in page.graph.actions:
        key = f"{action.verb} {action.subject}"
        known = action.things <= page.named and (not action.object or action.object in page.named)
        placed = action.verb == "be" and action.subject not in {other.subject for other in told}
        stale = not page.is_new(key) or (known and (action.things or action.object) and not placed)
        if num == _MAX_ACTIONS or stale or (action.place and action.place in page.told) or not page.room():
            continue
        if not action.doing and not action.where:
            continue
        if any(_may_be_same(action, other) or is_like(action, other) for other in told):
            continue
        _tell_action(page, action, main)
        told.append(action)
        num += 1


def _may_be_same(action: Action, main: Action) -> bool:
    """True where it is not clear whether the one who does it is the one spoken of before: "a person", "people"."""
    if action.subject == main.subject or action.category != main.category:
        return False
    if action.category != "person":
        return action.is_plural != main.is_plural
    return not any(
        table.get(action.lemma, "") != table.get(main.lemma, "") and {action.lemma, main.lemma} <= table.keys()
        for table in (GENDERS, AGES)
    )


def _tell_action(page: Paragraph, action: Action, main: Action | None) -> None:
    what = say_doing(page.graph, action, page.is_new)
    it = pronouns_of(action.subject, action.kind, is_plural=action.is_plural)
    slots = {
        "the_x": _the(page, action),
        "what": what.words,
        "it": it.it,
        "It": it.it,
        "is": be(is_plural=action.is_plural),
        "be": it.be,
    }
    if action.verb == "be":
        family = "d_placed"
    elif main is not None and action.subject == main.subject and len(page.sentences) == 1:
        family, slots["is"] = "d_same_action", it.be
    else:
        family = "d_more_action"
    page.add(family, what.claims, **slots)
    page.note(action)
    page.told.update(what.keys)


def _the(page: Paragraph, action: Action) -> str:
    """Say "the" of who was named before; who is new comes with "a", or without an article if several."""
    if action.subject in page.named or (action.category and action.category in page.named):
        return f"the {action.subject}"
    return action.subject if action.is_plural else with_article(action.subject)


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
        page.add(
            "d_color_two", claims, x=one.word, y=other.word, color=color.value, other=second.value,
            acolor=with_article(color.value), aother=with_article(second.value),
        )  # fmt: skip
    elif colors and page.room() > 0:
        one, color = colors[0]
        page.add("d_color_one", (attribute_claim(one, color),), x=one.word, color=color.value)
    for one, _ in colors[:2]:
        page.named.add(one.name)
        page.told.add(f"color {one.name}")
    _tell_other_looks(page)
    _tell_material(page)


def _tell_other_looks(page: Paragraph) -> None:
    """Tell size, age, pattern or state of one thing that was named."""
    for entity in page.graph.entities:
        looks = [one for one in looks_of(page.graph, entity) if one.kind != "color"]
        looks = [one for one in looks if page.is_new(f"{one.kind} {entity.name}")]
        if looks and entity.name in page.named and page.is_new(f"looks {entity.name}") and page.room() > 2:
            claims = tuple(attribute_claim(entity, one) for one in looks)
            page.add("d_looks", claims, x=entity.word, adjectives=join_adjectives([one.value for one in looks]))
            page.told.add(f"looks {entity.name}")
            return


def _tell_material(page: Paragraph) -> None:
    for attribute in page.graph.attributes:
        entity = page.graph.entities[attribute.entity]
        key = f"material {entity.name}"
        if attribute.kind == "material" and page.is_new(key) and entity.name in page.named and page.room() > 2:
            page.add("d_material", (attribute_claim(entity, attribute),), x=entity.word, material=attribute.value)
            page.told.add(key)
            return
