"""Reasoning rules: TOML files under prompts/scene-program/rules that anybody can extend, read and checked once.

A rule is a condition on the scene graph, paraphrases of one question, and answers of general knowledge: hedged, and
silent about the image. Each answer is written as a whole, so that its last sentence sums up what came before.
"""

import re
from collections.abc import Iterator
from functools import cache

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.lexicon.categories import CATEGORIES, find_category
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import Action, Entity, SceneGraph
from instructgen.scenegraph.saying import SPORTS
from instructgen.teachers.scene_program.absence import is_absent
from instructgen.teachers.scene_program.support import is_several
from instructgen.teachers.scene_program.wordings import folder, read_table

# Words of a question that only several things can be meant by; places and weather are said so of one.
SEVERAL = re.compile(
    r"\b(?:\w+s|people|belongings) (?:like|such as) these\b(?<!surroundings like these)(?<!conditions like these)"
    r"|\bsuch (?!surroundings|conditions|as)\w+s\b|\beach of these\b|\bthese animals\b"
)
_MOST = 3  # captions that name what the image is about
_SPECK = 0.01  # share of the image below which one caption's thing is worth no question
_LARGE = 0.05  # share of the image from which a thing that no caption names is worth a question
# Where these are spoken of, an animal may be no living one, and its needs are no fit question.
_UNREAL = frozenset(
    ("statue", "statues", "sculpture", "toy", "toys", "stuffed", "painting", "carousel", "figurine", "fake")
)
# What two captions tell to be so is of no use any more: rules about using or keeping it do not fit.
_SPOILT = frozenset((
    "broken", "wrecked", "crashed", "crash", "damaged", "destroyed", "shattered", "discarded", "smashed", "burned",
    "burning", "burnt", "flooded", "crushed", "collapsed", "overturned", "slid", "skidded", "abandoned",
))  # fmt: skip
# These say by themselves what goes on; of other verbs the thing has to be the rule's.
_TELLING = frozenset(("surf", "ski", "snowboard", "skateboard", "sail", "cook"))
# Forms of what is done in sports and games; one of them may be said of anything, two are a doing.
PLAYING = re.compile(
    r"(?:(?:wind|kite)?surf|ski|snowboard|skateboard|skat|rid|play|swing|hit|hitt|throw|catch|jump|fly|kick|serv|pitch|slid"
    r"|glid|paddl|perform|batt|rac|toss|grind|return)(?:s|es?|ers?|ing|ed)?"
    r"|rode|flies|thrown|game|match|tricks?|stunts?|midair|airborne|umpire|slope|waves?|ramp"
)
_GEAR = frozenset(("ski", "skis", "surf", "snowboard", "snowboards", "skateboard", "skateboards"))
_TWO = 2  # captions, or words
_STEM = 6  # letters that the forms of a word share
_FURNITURE = frozenset(("chair", "couch", "bed", "dining table", "bench"))
# What goes well with furniture.
_AT_REST = frozenset((
    "sit", "seat", "lie", "lay", "sleep", "nap", "rest", "relax", "lounge", "recline", "cuddle", "snuggle", "stand",
    "lean", "look", "smile", "pose", "wear", "eat", "drink", "dine", "talk", "chat", "read", "work", "study", "write",
    "wait", "watch", "gather", "share", "enjoy", "meet",
))  # fmt: skip
_MAKING = frozenset(("prepare", "make", "cut", "serve"))  # of rules that speak of food
# As rules have it; value: as the graph has it.
_WEATHERS = {"rain": "rainy", "snow": "snowy", "sun": "sunny", "clouds": "cloudy", "fog": "foggy", "wind": "windy"}


class When(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must hold. `things`, `any`, `none` and `many` are COCO's categories.

    `doing` are base forms of verbs, `setting` places, `words` and `without` words of captions. `under_way`: captions
    tell a sport or game that goes on, and not only its gear.
    """

    things: frozenset[str] = frozenset()
    any: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()
    doing: frozenset[str] = frozenset()
    setting: frozenset[str] = frozenset()
    time: frozenset[str] = frozenset()
    weather: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    under_way: bool = False

    @property
    def named(self) -> frozenset[str]:
        return self.things | self.any | self.many

    def weight(self) -> float:
        """Return how narrow the condition is: the narrower rule says more of an image."""
        return (
            1.0
            + 1.5 * len(self.things)
            + 1.0 * bool(self.any)
            + 1.0 * len(self.many)
            + 3.0 * bool(self.doing)
            + 1.5 * bool(self.setting)
            + 1.5 * (bool(self.time) + bool(self.weather))
            + 2.0 * bool(self.words)
        )


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """`questions` are paraphrases of one; a `fallback` is tried last.

    Any sentence of `background` can come before any of `answers`, each of which is a run of sentences.
    """

    name: str
    when: When
    questions: tuple[str, ...]
    background: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    fallback: bool = False


class Match(Struct, frozen=True):
    """A rule that holds for an image, and what goes on that made it hold."""

    rule: Rule
    action: Action | None


class _RuleFile(Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return all rules in the order of file names. Raises InstructgenError naming file, rule and fault."""
    rules: dict[str, Rule] = {}
    files: dict[str, str] = {}
    for path in sorted((folder() / "rules").glob("*.toml")):
        try:
            found = msgspec.convert(read_table(path), _RuleFile).rule
        except msgspec.ValidationError as error:
            raise InstructgenError(f"{path.name}: {error}") from error
        for rule in found:
            _check(rule, path.name)
            if rule.name in rules:
                raise InstructgenError(
                    f"{files[rule.name]} and {path.name}: both have a rule '{rule.name}'; give one another name"
                )
            rules[rule.name] = rule
            files[rule.name] = path.name
    return tuple(rules.values())


def _check(rule: Rule, file: str) -> None:
    unknown = sorted((rule.when.named | rule.when.none) - CATEGORIES.keys())
    if unknown:
        raise InstructgenError(f"{file}, rule '{rule.name}': no COCO category is called '{unknown[0]}'")
    if rule.when == When():
        raise InstructgenError(f"{file}, rule '{rule.name}': its condition is empty; say when it holds")
    if not rule.questions or not rule.background or not rule.answers or not all(rule.answers):
        raise InstructgenError(f"{file}, rule '{rule.name}': it wants questions, background and answers")


def find_matches(graph: SceneGraph) -> list[Match]:
    """Return the rules that hold, the fallbacks only where no other does."""
    return find_narrow(graph) or find_fallbacks(graph)


def find_in_turn(graph: SceneGraph) -> Iterator[list[Match]]:
    """Yield the rules that hold, those first that say most of the image.

    General ones come only where no other serves, and of what somebody busy sits or lies on those come last of all.
    """
    narrow = find_narrow(graph)
    beside = [one for one in narrow if _FURNITURE & one.rule.when.named] if _is_busy(graph) else []
    yield [one for one in narrow if one not in beside]
    fallbacks = find_fallbacks(graph)
    yield [one for one in fallbacks if not _is_general(one.rule.when)]
    yield [one for one in fallbacks if _is_general(one.rule.when)]
    yield beside


def _is_general(when: When) -> bool:
    return not (when.things or when.many or when.words or when.doing or when.setting)


def _is_busy(graph: SceneGraph) -> bool:
    """True where most captions tell that somebody does what needs no furniture."""
    return any(
        one.category == "person" and one.num_bearing_out >= _MOST and one.verb not in _AT_REST for one in graph.told
    )


def find_narrow(graph: SceneGraph) -> list[Match]:
    return _match_all(graph, are_last=False)


def find_fallbacks(graph: SceneGraph) -> list[Match]:
    return _match_all(graph, are_last=True)


def _match_all(graph: SceneGraph, *, are_last: bool) -> list[Match]:
    names = {one.name for one in graph.boxed_entities() if _is_worth_asking(one, graph)}
    if are_last:  # what fits many images is said of their main things
        names &= graph.common
    many = {one.name for one in graph.boxed_entities() if is_several(one) and one.name in names}
    shared = {one.name for one in graph.boxed_entities() if one.num_captions >= _TWO}
    is_spoilt = sum(not _SPOILT.isdisjoint(words) for words in graph.words_by_caption) >= _TWO
    told = _read_circumstances(graph)
    rules = [rule for rule in load_rules() if rule.fallback is are_last and not (is_spoilt and _is_of_use(rule.when))]
    found = [one for rule in rules if (one := _match(rule, graph, names, many, told)) is not None]
    return [one for one in found if _is_borne_out(one.rule.when, graph, shared)]


def _is_of_use(when: When) -> bool:
    """True for a rule about things in good order or a place to enjoy, as it does not ask for others."""
    alive = any(CATEGORIES[name].group == "animal" for name in when.named)
    return (
        bool(when.named - {"person"} or when.words or when.setting) and not alive and when.words.isdisjoint(_SPOILT)
    )


def _is_borne_out(when: When, graph: SceneGraph, shared: set[str]) -> bool:
    """True if two captions of five name its thing or place or have its words, three if it has things."""
    wanted = when.named - {"person"}
    if graph.num_captions < FEW or wanted & shared or not (wanted or when.words) or (when.doing and not wanted):
        return True
    if sum(not when.words.isdisjoint(words) for words in graph.words_by_caption) >= (_MOST if wanted else _TWO):
        return True
    return any(one.value in when.setting and one.num_captions >= _TWO for one in graph.circumstances)


def _is_worth_asking(entity: Entity, graph: SceneGraph) -> bool:
    """True for what captions name; where most name another thing, one caption or a large box is not enough."""
    if entity.name == "person" or entity.num_captions > 1:
        return True
    if graph.num_captions >= FEW and any(one.num_captions >= _MOST for one in graph.entities if one is not entity):
        return False
    return entity.area > (_SPECK if entity.num_captions else _LARGE) or (not entity.boxes and entity.num_captions > 0)


def _match(rule: Rule, graph: SceneGraph, names: set[str], many: set[str], told: dict[str, set[str]]) -> Match | None:
    when = rule.when
    if not (when.things <= names and when.many <= many and (not when.any or when.any & names)):
        return None
    if (when.words and not when.words & graph.words) or when.without & graph.words:
        return None
    if when.under_way and not _is_under_way(graph):
        return None
    if not _fits_circumstances(when, told) or any(not is_absent(name, graph) for name in when.none):
        return None
    if _UNREAL & graph.words and any(CATEGORIES[name].group == "animal" for name in when.named):
        return None
    if not when.doing:
        return Match(rule, None)
    enough = min(_TWO, graph.num_captions)
    fit = (one for one in graph.told if one.verb in when.doing and one.num_bearing_out >= enough)
    action = next((one for one in fit if _is_about(one, when)), None)
    return Match(rule, action) if action is not None else None


def _is_under_way(graph: SceneGraph) -> bool:
    """True where captions have two forms of what is done in sports and games, or two captions one of them."""
    if sum(1 for word in graph.words - _GEAR if PLAYING.fullmatch(word)) >= _TWO:
        return True
    enough = min(_TWO, graph.num_captions)
    return any(one.num_bearing_out >= enough and PLAYING.fullmatch(one.verb) for one in graph.actions)


def _is_about(action: Action, when: When) -> bool:
    wanted = when.named - {"person"}
    if action.verb in _MAKING and not _is_food(action):
        return False
    if action.verb in _TELLING or not wanted:
        return not wanted or action.verb in _TELLING
    return action.category in wanted or bool(action.things & wanted)


def _is_food(action: Action) -> bool:
    return action.object in ("food", "meal") or any(CATEGORIES[name].group == "food" for name in action.things)


def _read_circumstances(graph: SceneGraph) -> dict[str, set[str]]:
    """Return what is told of place, time and weather; a word of rain is enough for rules about it."""
    told: dict[str, set[str]] = {"place": set(), "time": set(), "weather": set()}
    for one in graph.circumstances:
        told[one.kind].add(one.value)
    if "rain" in graph.words:
        told["weather"].add("rainy")
    return told


def _fits_circumstances(when: When, told: dict[str, set[str]]) -> bool:
    asked = {_WEATHERS.get(value, value) for value in when.weather}
    return (
        (not when.setting or bool(when.setting & told["place"]))
        and (not when.time or bool(when.time & told["time"]))
        and (not asked or bool(asked & told["weather"]))
    )


def names_thing(rule: Rule, said: str) -> bool:
    """True if each thing that the rule is about is named, and one of those of which it wants any."""
    when = rule.when
    each = all(_names_one(name, said) for name in (when.things | when.many) - {"person"})
    return each and (not when.any or "person" in when.any or any(_names_one(name, said) for name in when.any))


def _names_one(name: str, said: str) -> bool:
    category = find_category(name)
    words = (*category.synonyms, category.plural, *((SPORTS[name],) if name in SPORTS else ()))
    return any(is_said(word, said) for word in words)


def is_said(word: str, said: str) -> bool:
    """True if the text has the word or another form of it."""
    return _stem_of(word).search(said) is not None


@cache
def _stem_of(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word[:_STEM])}")
