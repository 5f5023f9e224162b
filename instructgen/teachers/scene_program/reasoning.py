"""Complex reasoning: one question that asks for more than a look, answered from grounds to background."""

import random

from msgspec import structs

from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.own_words import read_own_words
from instructgen.teachers.scene_program.borne_out import is_sure_statement
from instructgen.teachers.scene_program.grounds import Grounds, say_grounds
from instructgen.teachers.scene_program.rules import PLAYING, SEVERAL, Match, Rule, find_in_turn, is_said, names_thing
from instructgen.teachers.scene_program.support import Support, is_several
from instructgen.teachers.scene_program.talk import Told

_NUM_DRAWN = 5  # the rules among which one is drawn, the fittest first
_SHARPNESS = 3  # how much likelier the fitter of two rules is drawn
_UNNAMED = 2
_UNTOLD = 0.7  # of a rank, for each caption that names the image's main thing and not the rule's
_RANK_COST = 1.2  # how much a rule loses for each thing of the image that is more important than its own


def make_reasoning(graph: SceneGraph, draw: random.Random) -> Told | None:
    """Return the question and its answer, or None where no rule holds."""
    graph = _keep_sure(graph)
    support = Support(graph)
    tried = (_find_best(found, graph, support, draw) for found in find_in_turn(graph))
    best = next((one for one in tried if one is not None), None)
    if best is None:
        return None
    match, grounds = best
    question = draw.choice(_fit_questions(match.rule, graph))
    background, reasons = draw.choice(match.rule.background), draw.choice(match.rule.answers)
    answer = " ".join([*grounds.sentences, background, *reasons])
    return Told(match.rule.name, question, answer, tuple(grounds.claims))


def _keep_sure(graph: SceneGraph) -> SceneGraph:
    """Return the graph with the clauses that others bear out, and captions in their own words beside them."""
    own = read_own_words(graph.sources) if graph.sources is not None else []
    told = (one for one in (*graph.statements, *own) if is_sure_statement(one, graph))
    return structs.replace(graph, statements=tuple(told))


def _find_best(
    found: list[Match], graph: SceneGraph, support: Support, draw: random.Random
) -> tuple[Match, Grounds] | None:
    """Draw among the fittest rules one whose reason is seen; one caption's detail serves where no other has more."""
    draw.shuffle(found)  # of rules that fit alike none has the advantage of its name
    ranked = sorted(((_score(match, graph), match) for match in found), key=lambda pair: -pair[0])
    scored, rest = ranked[:_NUM_DRAWN], ranked[_NUM_DRAWN:]
    best: tuple[Match, Grounds] | None = None
    while scored:
        match = scored.pop(_draw_one([score for score, _ in scored], draw))[1]
        grounds = say_grounds(match, graph, support, draw)
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


def _tells_reason(rule: Rule, grounds: Grounds) -> bool:
    """True if what is seen, as it is told, has what the rule is about; a rule about no thing wants a doing."""
    if not grounds.sentences:
        return False
    said = " ".join(grounds.sentences).lower()
    when = rule.when
    has_word = not when.words or any(is_said(word, said) for word in when.words)
    if when.under_way and not has_word:  # "a pitcher" tells baseball
        has_word = any(PLAYING.fullmatch(word) for word in said.replace(".", "").split())
    has_place = not when.setting or any(is_said(word.split()[-1], said) for word in when.setting)
    is_about = when.named - {"person"} or when.words or when.setting or when.doing
    if rule.fallback and not (is_about or (grounds.has_doing and grounds.is_shared)):
        return False
    return has_word and has_place and names_thing(rule, said)


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
