"""Complex reasoning: one question that asks for more than a look, answered from grounds to background."""

import random

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import with_article
from instructgen.teachers.scene_program import forms
from instructgen.teachers.scene_program.facts import Fact
from instructgen.teachers.scene_program.rules import FALLBACKS, RULES
from instructgen.teachers.scene_program.rules.rule import Rule
from instructgen.teachers.scene_program.scene import Scene, Thing
from instructgen.teachers.scene_program.settings import UNNAMED
from instructgen.teachers.scene_program.wording import be, capitalise, say_list, say_thing

_GROUND_FACT = (
    "The {pic} shows that {who} {is} {what}.",
    "One can see that {who} {is} {what}.",
    "In this {pic}, {who} {is} {what}.",
    "What the {pic} makes clear is that {who} {is} {what}.",
    "To begin with, {who} {is} {what}.",
)
_GROUND_LIST = (
    "To begin with, the {pic} shows {list}.",
    "One can see {list} in the {pic}.",
    "What the {pic} makes clear is that there {is} {list}.",
    "The most telling things in view are {list}.",
    "Judging by the {pic}, there {is} {list} here.",
)
_GROUND_MORE = (
    "There {is} also {list} in view.",
    "Besides, {list} can be seen.",
    "The {pic} also contains {list}.",
    "In addition, there {is} {list} to be seen.",
)
_GROUND_SETTING = (
    "The scene is set {where}.",
    "This takes place {where}.",
    "All of it happens {where}.",
    "The place is {name}.",
)


_LARGE = 0.05  # share of the image from which a thing that no caption names is worth a question
# Where these are spoken of, an animal may be no living one, and its needs are no fit question.
_UNREAL = frozenset(
    ["statue", "statues", "sculpture", "toy", "toys", "stuffed", "painting", "carousel", "figurine", "fake", "wooden"]
)


def make_reasoning(scene: Scene, draw: random.Random) -> tuple[str, str] | None:
    """Return the question and its answer, or None where no rule finds two grounds to stand on."""
    names = {
        thing.name for thing in scene.things if thing.num_captions or thing.area > _LARGE or thing.name == "person"
    }
    rules = [rule for rule in RULES if _holds(rule, scene, names)]
    # Main things first: a rule about them fits the image better than one about the background.
    rules.sort(key=lambda rule: _rank(rule, scene))
    rules = rules[:2] or [rule for rule in FALLBACKS if _holds(rule, scene, names)][:1]
    if not rules:
        return None
    rule = draw.choices(rules, (3, 1)[: len(rules)])[0]
    grounds = _say_grounds(rule, scene, draw)
    if not grounds:
        return None
    sentences = [*grounds, *(draw.choice(part) for part in rule.parts)]
    return draw.choice(rule.questions), " ".join(sentences)


def _holds(rule: Rule, scene: Scene, names: set[str]) -> bool:
    if rule.groups:
        return any(thing.category.group in rule.groups for thing in scene.things)
    if rule.settings:
        return scene.setting is not None
    if not rule.all_of <= names or (rule.any_of and not rule.any_of & names):
        return False
    if _UNREAL & scene.words and any(
        CATEGORIES[name].group == "animal" for name in rule.all_of | rule.any_of if name in CATEGORIES
    ):
        return False
    return not rule.words or bool(rule.words & scene.words)


def _rank(rule: Rule, scene: Scene) -> int:
    wanted = (rule.all_of | rule.any_of) - {"person"}
    return next((place for place, thing in enumerate(scene.things) if thing.name in wanted), len(scene.things))


def _is_about(rule: Rule, thing: Thing) -> bool:
    return thing.name in rule.all_of or thing.name in rule.any_of or thing.category.group in rule.groups


def _say_grounds(rule: Rule, scene: Scene, draw: random.Random) -> list[str]:
    about = [thing for thing in scene.things if _is_about(rule, thing)]
    wanted = {thing.name for thing in about}
    fact = next((fact for fact in scene.facts if fact.doing and _fits(fact, wanted)), None)
    sentences = []
    told: set[str] = set()
    if fact is not None:
        told = {fact.category, *fact.things}
        who = fact.subject if fact.is_plural else with_article(fact.subject)
        what = f"{fact.doing} {fact.where}".strip()
        sentences.append(_fill(_GROUND_FACT, draw, who=who, what=what, **{"is": be(is_plural=fact.is_plural)}))
    listed = ([thing for thing in about if thing.name not in told] or ([] if told else list(scene.things)))[:3]
    if not sentences and len(listed) == 1:
        listed += [thing for thing in scene.things if thing not in listed and thing.num_captions][:1]
    if listed:
        slots = {"list": say_list([say_thing(thing) for thing in listed]), "is": be(is_plural=listed[0].is_many)}
        forms_of_list = _GROUND_LIST if len(listed) > 1 else _GROUND_LIST[:3]
        sentences.append(_fill(_GROUND_MORE if sentences else forms_of_list, draw, **slots))
    if scene.setting is not None and len(sentences) < 2 and (fact is None or fact.place != scene.setting.lemma):
        tells = _GROUND_SETTING[:-1] if scene.setting.lemma in UNNAMED else _GROUND_SETTING
        sentences.append(_fill(tells, draw, where=scene.setting.phrase, name=scene.setting.name))
    return sentences


def _fits(fact: Fact, wanted: set[str]) -> bool:
    return (
        bool(fact.things & wanted) or (fact.category in wanted and fact.category != "person") or wanted == {"person"}
    )


def _fill(tells: tuple[str, ...], draw: random.Random, **slots: str) -> str:
    return capitalise(draw.choice(tells).format(pic=draw.choice(forms.PICTURE_WORDS), **slots))
