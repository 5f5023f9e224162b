"""Complex reasoning: one question that asks for more than a look, answered from grounds to background."""

import random
import re
from functools import cache

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import PICTURE_LEMMAS
from instructgen.scenegraph.corroboration import tells_itself
from instructgen.scenegraph.graph import Action, Entity, SceneGraph, Statement
from instructgen.scenegraph.settings import SETTINGS, UNNAMED, VAGUE
from instructgen.teachers.scene_program.phrasing import after, say_doer, say_doing, say_parts, told_claim
from instructgen.teachers.scene_program.rules import Match, Rule, find_matches
from instructgen.teachers.scene_program.speech import PICTURE_WORDS, be, be_of, polish, say_thing
from instructgen.teachers.scene_program.talk import Told, circumstance_claim, exists
from instructgen.teachers.scene_program.wordings import load_wordings

_NUM_DRAWN = 5  # the rules among which one is drawn, the fittest first
_UNNAMED = 2
_STEM = 6  # letters that the forms of a word share
_RANK_COST = 1.2  # how much a rule loses for each thing of the image that is more important than its own

_SETTING = re.compile(rf"\b(?:{'|'.join(SETTINGS)})\b")
_LISTED = ("thing", "surface")  # kinds of what is named though no box holds it
_SPORTS = {"skis": "ski", "snowboard": "snowboard", "surfboard": "surf", "skateboard": "skateboard"}


class _Grounds:
    """What is seen and bears on the question, sentence by sentence."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.sentences: list[str] = []
        self.claims: list[Claim] = []

    def add(self, family: str, claims: tuple[Claim, ...], **slots: str) -> None:
        form = self.draw.choice(load_wordings()[family].plain)
        self.sentences.append(polish(form.format(pic=self.draw.choice(PICTURE_WORDS), **slots)))
        self.claims += claims


def make_reasoning(graph: SceneGraph, draw: random.Random) -> Told | None:
    """Return the question and its answer, or None where no rule holds."""
    found = find_matches(graph)
    draw.shuffle(found)  # of rules that fit alike none has the advantage of its name
    ranked = sorted(((_score(match, graph), match) for match in found), key=lambda pair: -pair[0])
    scored, rest = ranked[:_NUM_DRAWN], ranked[_NUM_DRAWN:]
    if not scored:
        return None
    least = scored[-1][0]
    best: tuple[Match, _Grounds] | None = None
    while scored:
        weights = [max(1.0 + score - least, 0.1) ** 2 for score, _ in scored]
        drawn = draw.choices(range(len(scored)), weights)[0]
        match = scored.pop(drawn)[1]
        grounds = _say_grounds(match, graph, draw)
        if grounds.sentences and _tells_reason(match.rule, grounds):
            best = match, grounds
            break
        if grounds.sentences:  # where no ground names what its rule is about, the first that was drawn serves
            best = best or (match, grounds)
        scored = scored or ([rest.pop(0)] if rest else [])
    if best is None:
        return None
    match, grounds = best
    background, reasons = draw.choice(match.rule.background), draw.choice(match.rule.answers)
    answer = " ".join([*grounds.sentences, background, *reasons])
    return Told(match.rule.name, draw.choice(match.rule.questions), answer, tuple(grounds.claims))


def _tells_reason(rule: Rule, grounds: _Grounds) -> bool:
    """True if what is seen, as it is told, has what the rule is about."""
    if rule.fallback:
        return True
    said = " ".join(grounds.sentences).lower()
    when = rule.when
    has_word = not when.words or any(_is_said(word, said) for word in when.words)
    has_place = not when.setting or any(_is_said(word.split()[-1], said) for word in when.setting)
    return has_word and has_place and _names_thing(rule, said)


def _names_thing(rule: Rule, said: str) -> bool:
    """True unless the rule is about things of which none is named."""
    wanted = rule.when.named - {"person"}
    names = {word for name in wanted for one in (find_category(name),) for word in (*one.synonyms, one.plural)}
    names |= {_SPORTS[name] for name in wanted if name in _SPORTS}
    return not wanted or any(_is_said(word, said) for word in names)


def _is_said(word: str, said: str) -> bool:
    """True if the text has the word or another form of it."""
    return _stem_of(word).search(said) is not None


@cache
def _stem_of(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word[:_STEM])}")


def _score(match: Match, graph: SceneGraph) -> float:
    wanted = match.rule.when.named - {"person"}
    boxed = graph.boxed_entities()
    if wanted:
        rank = next((place for place, one in enumerate(boxed) if one.name in wanted), len(boxed))
        if rank < len(boxed) and not boxed[rank].num_captions:
            rank += _UNNAMED  # no caption speaks of it
    else:  # what holds of people anywhere says the less, the more else there is to speak of
        rank = sum(1 for one in boxed[:4] if one.name != "person" and one.num_captions)
    return match.rule.when.weight() - _RANK_COST * rank


def _say_grounds(match: Match, graph: SceneGraph, draw: random.Random) -> _Grounds:
    grounds = _Grounds(draw)
    about = [one for one in graph.boxed_entities() if one.name in match.rule.when.named and not one.is_unclear]
    told = _say_happening(grounds, match, graph)
    said = " ".join(grounds.sentences).lower()
    listed = [one for one in about if one.name not in told and not _is_implied(one, said)]
    meant = [one for one in listed if is_meant(one.category, said)]  # the food that is eaten may be the pizza
    listed = [one for one in listed if one not in meant][:3]
    if meant and not _names_thing(match.rule, said) and not listed:
        grounds, listed = _Grounds(draw), about[:3]
    if not grounds.sentences and len(listed) < 2:
        others = _find_main(graph)
        listed += [one for one in others if one not in listed][: 2 - len(listed)]
    _say_listed(grounds, listed)
    _say_circumstances(grounds, match, graph)
    return grounds


def _find_main(graph: SceneGraph) -> list[Entity]:
    """Return what captions name, the oftenest named first; what no box holds only if two do."""
    named = [one for one in graph.entities if one.num_captions and not one.is_unclear and one.member_of is None]
    clear = [one for one in named if one.category or (one.is_listed and one.kind in _LISTED and one.num_captions > 1)]
    return sorted(clear, key=lambda one: (-one.num_captions, one.number))


def _say_happening(grounds: _Grounds, match: Match, graph: SceneGraph) -> frozenset[str]:
    """Tell what goes on, best of the rule's things; return what was told of."""
    statement = _find_statement(graph, match)
    action = match.action or _find_action(graph, match.rule)
    if statement is None and action is None:  # what is going on says more than that there are people
        statement = next((one for one in graph.statements if one.verb), None)
        action = next((one for one in graph.told if one.doing), None)
    if statement is None and action is None:
        statement = next((one for one in graph.statements if one.lemma not in PICTURE_LEMMAS), None)
    if statement is not None:
        _state(grounds, graph, statement)
        return statement.keys
    if action is None:
        return frozenset()
    who = say_doer(graph, action, _any_fact)
    if not action.object and not action.where and tells_itself(action.lemma, action.verb):
        return _list_doer(grounds, graph, action)
    what = say_doing(graph, action, after(_any_fact, who.keys))
    claims = (*who.claims, *what.claims)
    grounds.add("r_action", claims, who=who.words, what=what.words, **{"is": be(is_plural=action.is_plural)})
    return frozenset({action.category, *action.things})


def _list_doer(grounds: _Grounds, graph: SceneGraph, action: Action) -> frozenset[str]:
    """Tell that there is a skier, who need not be told to ski."""
    entity = graph.entities[action.entity] if action.entity is not None else None
    if entity is not None:
        who = say_doer(graph, action, _any_fact)
        grounds.add("r_list", (exists(entity), *who.claims), list=who.words, **{"is": be(is_plural=action.is_plural)})
    return frozenset({action.category})


def _state(grounds: _Grounds, graph: SceneGraph, statement: Statement) -> None:
    who = say_parts(graph, statement.subject, _any_fact)
    what = say_parts(graph, statement.predicate, after(_any_fact, who.keys))
    claims = (told_claim(statement), *who.claims, *what.claims)
    family = "r_action" if statement.verb else "r_list"
    slots = {"who": who.words, "what": what.words, "list": who.words}
    grounds.add(family, claims, **slots, **{"is": be(is_plural=statement.is_plural)})


def _find_statement(graph: SceneGraph, match: Match) -> Statement | None:
    """Return the statement that tells of the rule's doing, or else of its things; None where none does."""
    wanted = match.rule.when.named
    things = wanted - {"person"} or wanted
    telling = [
        one for one in graph.statements if any(_is_said(word, _text_of(one)) for word in match.rule.when.words)
    ]
    for one in (*telling, *graph.statements):
        if match.action is not None:
            fits = match.action.verb in one.keys and match.action.category == one.category
        else:
            fits = bool(things & one.keys) or not wanted
        if fits and (not match.rule.when.doing or match.action is None or things & one.keys or not wanted):
            return one
    return None


def _text_of(one: Statement) -> str:
    return "".join(part.text for part in (*one.subject, *one.predicate))


def _is_implied(entity: Entity, said: str) -> bool:
    """True where what was said holds it: "surfing" a surfboard, "two dogs" the dogs."""
    sport = "bike" if entity.name in ("bicycle", "motorcycle") else _SPORTS.get(entity.name)
    return entity.word in said or entity.plural in said or (sport is not None and sport in said)


def _any_fact(key: str) -> bool:  # noqa: ARG001
    """Nothing was told before the grounds."""
    return True


def _say_listed(grounds: _Grounds, listed: list[Entity]) -> None:
    if not listed:
        return
    family = "r_more" if grounds.sentences else "r_list"
    slots = {"list": join_words([say_thing(one) for one in listed]), "is": be_of(listed[0])}
    grounds.add(family, tuple(exists(one) for one in listed), **slots)


def _say_circumstances(grounds: _Grounds, match: Match, graph: SceneGraph) -> None:
    """Name the place unless it was named, and the time or weather that the rule is about."""
    when = match.rule.when
    place = graph.circumstance("place")
    said = " ".join(grounds.sentences).lower()
    named = _SETTING.search(said) is not None
    if place is not None and place.value not in VAGUE | UNNAMED and len(grounds.sentences) < 2 and not named:
        claim = circumstance_claim(place)
        grounds.add("r_place", (claim,), where=place.phrase)
    time, weather = graph.circumstance("time"), graph.circumstance("weather")
    if time is not None and when.time:
        grounds.add("r_time", (circumstance_claim(time),), time=time.phrase)
    if weather is not None and when.weather:
        claim = circumstance_claim(weather)
        grounds.add("r_weather", (claim,), weather=weather.phrase)


def _find_action(graph: SceneGraph, rule: Rule) -> Action | None:
    wanted = rule.when.named
    for action in graph.told:
        own = action.category in wanted and (action.category != "person" or wanted == {"person"})
        if action.doing and (action.things & wanted or own):
            return action
    return None
