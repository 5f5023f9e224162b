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
from instructgen.teachers.scene_program.rules import PLAYING, SEVERAL, Match, Rule, find_fallbacks, find_narrow
from instructgen.teachers.scene_program.speech import PICTURE_WORDS, be, polish, say_one
from instructgen.teachers.scene_program.support import Support, is_clear, is_several
from instructgen.teachers.scene_program.talk import Told, circumstance_claim, exists
from instructgen.teachers.scene_program.wordings import load_wordings

_NUM_DRAWN = 5  # the rules among which one is drawn, the fittest first
_SEVERAL = 2
_SHARPNESS = 3  # how much likelier the fitter of two rules is drawn
_MOST = 3  # captions
_UNNAMED = 2
_STEM = 6  # letters that the forms of a word share
_UNTOLD = 0.7  # of a rank, for each caption that names the image's main thing and not the rule's
_RANK_COST = 1.2  # how much a rule loses for each thing of the image that is more important than its own

_SETTING = re.compile(rf"\b(?:{'|'.join(SETTINGS)})\b")
_LISTED = ("thing", "surface")  # kinds of what is named though no box holds it
_SIGNS = ("sign", "street sign")  # vague elsewhere, but reason enough for a rule
_SPORTS = {"skis": "ski", "snowboard": "snowboard", "surfboard": "surf", "skateboard": "skateboard"}


class _Grounds:
    """What is seen and bears on the question, sentence by sentence; `is_shared` where no caption alone tells it."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.is_shared = True
        self.has_doing = False
        self.sentences: list[str] = []
        self.claims: list[Claim] = []

    def add(self, family: str, claims: tuple[Claim, ...], **slots: str) -> None:
        form = self.draw.choice(load_wordings()[family].plain)
        self.has_doing = self.has_doing or family == "r_action"
        self.sentences.append(polish(form.format(pic=self.draw.choice(PICTURE_WORDS), **slots)))
        self.claims += claims


def make_reasoning(graph: SceneGraph, draw: random.Random) -> Told | None:
    """Return the question and its answer, or None where no rule holds."""
    support = Support(graph)
    best = _find_best(find_narrow(graph), graph, support, draw) or _find_best(
        find_fallbacks(graph), graph, support, draw
    )
    if best is None:
        return None
    match, grounds = best
    question = draw.choice(_fit_questions(match.rule, graph))
    background, reasons = draw.choice(match.rule.background), draw.choice(match.rule.answers)
    answer = " ".join([*grounds.sentences, background, *reasons])
    return Told(match.rule.name, question, answer, tuple(grounds.claims))


def _find_best(
    found: list[Match], graph: SceneGraph, support: Support, draw: random.Random
) -> tuple[Match, _Grounds] | None:
    """Draw among the fittest rules one whose reason is seen; one caption's detail serves where no other has more."""
    draw.shuffle(found)  # of rules that fit alike none has the advantage of its name
    ranked = sorted(((_score(match, graph), match) for match in found), key=lambda pair: -pair[0])
    scored, rest = ranked[:_NUM_DRAWN], ranked[_NUM_DRAWN:]
    best: tuple[Match, _Grounds] | None = None
    while scored:
        match = scored.pop(_draw_one([score for score, _ in scored], draw))[1]
        grounds = _say_grounds(match, graph, support, draw)
        if _tells_reason(match.rule, grounds):
            if grounds.is_shared:
                return match, grounds
            best = best or (match, grounds)
        scored = scored or ([rest.pop(0)] if rest else [])
    return best


def _draw_one(scores: list[float], draw: random.Random) -> int:
    least = min(scores)
    return draw.choices(range(len(scores)), [(1.0 + score - least) ** _SHARPNESS for score in scores])[0]


def _fit_questions(rule: Rule, graph: SceneGraph) -> tuple[str, ...]:
    """Return the questions that speak of as many things as there are: none of "animals like these" for one."""
    named = [one for one in graph.boxed_entities() if one.name in rule.when.named]
    if not named or len({one.name for one in named}) > 1 or any(map(is_several, named)):
        return rule.questions
    return tuple(one for one in rule.questions if not SEVERAL.search(one)) or rule.questions


def _tells_reason(rule: Rule, grounds: _Grounds) -> bool:
    """True if what is seen, as it is told, has what the rule is about; a rule about no thing wants a doing."""
    if not grounds.sentences:
        return False
    said = " ".join(grounds.sentences).lower()
    when = rule.when
    has_word = not when.words or any(_is_said(word, said) for word in when.words)
    if when.under_way and not has_word:  # "a pitcher" tells baseball
        has_word = any(PLAYING.fullmatch(word) for word in said.replace(".", "").split())
    has_place = not when.setting or any(_is_said(word.split()[-1], said) for word in when.setting)
    if rule.fallback and not (when.named or when.words or when.setting or (grounds.has_doing and grounds.is_shared)):
        return False
    return has_word and has_place and _names_thing(rule, said)


def _names_thing(rule: Rule, said: str) -> bool:
    """True if each thing that the rule is about is named, and one of those of which it wants any."""
    when = rule.when
    each = all(_names_one(name, said) for name in (when.things | when.many) - {"person"})
    return each and (not when.any or "person" in when.any or any(_names_one(name, said) for name in when.any))


def _names_one(name: str, said: str) -> bool:
    category = find_category(name)
    words = (*category.synonyms, category.plural, *((_SPORTS[name],) if name in _SPORTS else ()))
    return any(_is_said(word, said) for word in words)


def _is_said(word: str, said: str) -> bool:
    """True if the text has the word or another form of it."""
    return _stem_of(word).search(said) is not None


@cache
def _stem_of(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word[:_STEM])}")


def _score(match: Match, graph: SceneGraph) -> float:
    wanted = match.rule.when.named - {"person"}
    boxed = graph.boxed_entities()
    own = [(place, one) for place, one in enumerate(boxed) if one.name in wanted]
    if own:
        rank = float(own[0][0])
        most = max(
            (one.num_captions for one in graph.entities if one.name != "person" and one.member_of is None), default=0
        )
        rank += _UNTOLD * (most - max(one.num_captions for _, one in own))
        if not own[0][1].num_captions:
            rank += _UNNAMED  # no caption speaks of it
    elif wanted:
        rank = len(boxed)
    else:  # what holds of people anywhere says the less, the more else there is to speak of
        rank = sum(1 for one in boxed[:4] if one.name != "person" and one.num_captions)
    return match.rule.when.weight() - _RANK_COST * rank


def _say_grounds(match: Match, graph: SceneGraph, support: Support, draw: random.Random) -> _Grounds:
    grounds = _Grounds(draw)
    about = [one for one in graph.boxed_entities() if one.name in match.rule.when.named and is_clear(one)]
    told = _say_happening(grounds, match, graph, support)
    said = " ".join(grounds.sentences).lower()
    listed = [one for one in about if one.name not in told and not _is_implied(one, said)]
    meant = [one for one in listed if is_meant(one.category, said)]  # the food that is eaten may be the pizza
    listed = [one for one in listed if one not in meant][:3]
    if meant and not _names_thing(match.rule, said) and not listed:
        grounds, listed = _Grounds(draw), about[:3]
    if not grounds.sentences and len(listed) < 2:
        others = _find_main(graph)
        listed += [one for one in others if one not in listed][: 2 - len(listed)]
    if not grounds.sentences and listed:
        grounds.is_shared = support.is_shared_thing(listed[0])
    _say_listed(grounds, listed)
    _say_circumstances(grounds, match, graph, support)
    return grounds


def _find_main(graph: SceneGraph) -> list[Entity]:
    """Return what captions name, the oftenest named first; what no box holds only if most do."""
    named = [one for one in graph.entities if one.num_captions and is_clear(one) and one.member_of is None]
    names = {one.name for one in named}
    clear = [
        one
        for one in named
        if one.category
        or (
            (one.is_listed or one.name in _SIGNS)
            and one.kind in _LISTED
            and one.num_captions >= _MOST
            and not (one.name == "bike" and names & {"bicycle", "motorcycle"})
        )
    ]
    return sorted(clear, key=lambda one: (-one.num_captions, one.number))


def _say_in_list(entity: Entity) -> str:
    return entity.plural if is_several(entity) else say_one(entity.word)


def _say_happening(grounds: _Grounds, match: Match, graph: SceneGraph, support: Support) -> frozenset[str]:
    """Tell what goes on, best of the rule's things; return what was told of."""
    statement = _find_statement(graph, match, support)
    action = match.action or _find_action(graph, match.rule)
    if statement is None and action is None:  # what is going on says more than that there are people
        shared = [one for one in graph.statements if support.is_shared(one)]
        statement = _choose([one for one in shared if one.verb], support)
        action = next((one for one in graph.told if one.doing and support.is_shared_doing(one)), None)
        if statement is None and action is None:
            statement = _choose([one for one in shared if one.lemma not in PICTURE_LEMMAS], support)
    if statement is not None:
        grounds.is_shared = support.is_shared(statement)
        _state(grounds, graph, statement)
        return statement.keys
    if action is None:
        return frozenset()
    grounds.is_shared = support.is_shared_doing(action)
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


def _find_statement(graph: SceneGraph, match: Match, support: Support) -> Statement | None:
    """Return the statement that tells of the rule's doing, or else of its things; None where none does."""
    fits = [one for one in graph.statements if _fits(one, match)]
    telling = [one for one in fits if any(_is_said(word, _text_of(one)) for word in match.rule.when.words)]
    things = match.rule.when.named - {"person"}
    return _choose(telling or fits, support, things)


def _fits(one: Statement, match: Match) -> bool:
    wanted, action = match.rule.when.named, match.action
    about = bool((wanted - {"person"} or wanted) & one.keys) or not wanted
    if action is None:
        return about
    return action.verb in one.keys and action.category == one.category and (not match.rule.when.doing or about)


def _choose(statements: list[Statement], support: Support, things: frozenset[str] = frozenset()) -> Statement | None:
    """Return the one that has most of the things and of which other captions tell most, the first of equals."""
    if len(statements) < _SEVERAL:
        return statements[0] if statements else None
    return max(statements, key=lambda one: support.rate(one) + len(things & one.keys))


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
    slots = {"list": join_words(list(map(_say_in_list, listed)))}
    grounds.add(family, tuple(exists(one) for one in listed), **slots)


def _say_circumstances(grounds: _Grounds, match: Match, graph: SceneGraph, support: Support) -> None:
    """Name the place unless it was named, and the time or weather that the rule is about."""
    when = match.rule.when
    place = graph.circumstance("place")
    said = " ".join(grounds.sentences).lower()
    if place is not None and not _is_placed(place.value, said) and len(grounds.sentences) < 2:
        claim = circumstance_claim(place)
        grounds.add("r_place", (claim,), where=place.phrase)
    time, weather = graph.circumstance("time"), graph.circumstance("weather")
    if time is not None and when.time:
        grounds.add("r_time", (circumstance_claim(time),), time=time.phrase)
    told = [one for one, asked in ((time, when.time), (weather, when.weather)) if one is not None and asked]
    grounds.is_shared = grounds.is_shared and all(support.is_shared_circumstance(one) for one in told)
    if weather is not None and when.weather:
        claim = circumstance_claim(weather)
        grounds.add("r_weather", (claim,), weather=weather.phrase)


def _is_placed(place: str, said: str) -> bool:
    """True where a place was told ("on a court" is on a tennis court), and for a place that tells nothing."""
    return place in VAGUE | UNNAMED or place.rsplit(maxsplit=1)[-1] in said or _SETTING.search(said) is not None


def _find_action(graph: SceneGraph, rule: Rule) -> Action | None:
    wanted = rule.when.named
    for action in graph.told:
        own = action.category in wanted and (action.category != "person" or wanted == {"person"})
        if action.doing and (action.things & wanted or own):
            return action
    return None
