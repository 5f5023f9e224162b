"""Conversations: three to six turns of different kinds about one image, or two, some leaning on the turn before."""

import random
import re
from collections.abc import Iterator
from functools import cache

from instructgen.config import Style
from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.teachers.scene_program.firmness import FIRM
from instructgen.teachers.scene_program.generators import ADDERS, FOLLOWERS, GENERATORS
from instructgen.teachers.scene_program.generators.doings import STILL
from instructgen.teachers.scene_program.generators.presence import has_question, is_obvious
from instructgen.teachers.scene_program.generators.shown import BRIEF
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, Told
from instructgen.teachers.scene_program.wordings import load_wordings

MIN_TURNS = 3
_FEWEST = 2  # turns where nothing else is certain: better than a second one of what is not there
_TURNS, _TURN_WEIGHTS = (3, 4, 5, 6), (2, 4, 3, 1)
_FOLLOW_SHARE = 0.55  # of turns that can be followed up, followed up
# Behind a turn that names several things, "it" is not clear.
_OF_THINGS, _OF_SEVERAL = (
    ("color-after", "region-after"),
    ("doing", "doing_follow", "who", "summary", "shown", "holding"),
)
_TELLING = ("summary", "shown", "doing", "doing_follow", "who", "collage")
_WHOLE = ("summary", "shown", "doing")
_WHOLE_SHARE = 0.75  # of conversations that begin with what captions tell as a whole
_MOST_TURNS = max(_TURNS)
_FIRM_ENOUGH = 2  # captions that bear out what is asked beyond the fewest turns, what follows up and what is added
_BORNE_OUT = (FIRM, _FIRM_ENOUGH)
_ADD_SHARE = {"plain": 0.9, "warm": 0.75, "terse": 0.0}
_BOTH_SHARE = 0.4  # of conversations that hold a question answered yes and one answered no
_OPENINGS = ("shown", "summary", "setting", "doing", "counting")
# Weights of what comes between: what says most of an image comes oftenest.
_MIDDLE = {
    "collage": 30,
    "doing": 9,
    "color": 8,
    "counting": 7,
    "where-at": 6,
    "looks": 6,
    "setting": 3,
    "who": 5,
    "relation": 6,
    "more": 5,
    "order": 5,
    "region": 3,
    "time": 4,
    "weather": 4,
    "material": 4,
    "setting-inferred": 4,
    "overview": 3,
    "larger": 4,
    "largest": 3,
    "order-of-size": 3,
    "odd-one-out": 3,
    "clarify": 3,
    "missing": 2,
    "which-present": 2,
    "summary": 8,
    "shown": 8,
    "overlap": 1,
    "edge": 1,
}
_SEEN = ("present_one", "present_one_bare", "which_present", "count_one", "main")  # a thing, of which no more is told
# What may be told behind an answer: of the thing asked about only, or, behind a list, of the picture.
_ADDED = {
    "add-doing": (
        "present_one",
        "present_one_bare",
        "present_many",
        "present_counted",
        "which_present",
        "count",
        "count_one",
        "main",
    ),
    "add-color": _SEEN,
    "add-region": _SEEN,
    "add-side": ("region", "where_follow"),
    "add-others": ("overview",),
    "add-setting": ("overview", "shown"),
}
_BEGINNING = 3  # words
_OBVIOUS_SHARE = 0.4
_AFFIRMED_SHARE = 0.45  # of lone questions of yes or no; last resorts deny more often than they affirm
_OPEN_SHARE = 0.15  # of questions of yes or no, those that may open the conversation where another can
_DENYING = ("absence", "neither", "missing", "which-present", "odd-one-out", "false-premise")
_RESORTS = (
    "summary", "shown", "counting-to-one", "region", "overview", "existence", "named", "halves",
    "larger", "extent", "edge", "outdoors", "region", "existence", "halves", "named", "material", "color",
    "where-at", "region", "existence", "main",
)  # fmt: skip
_DENIALS = ("missing", "neither", "false-premise")  # the last resorts


def make_conversation(graph: SceneGraph, draw: random.Random, style: Style) -> list[Told]:
    """Return three to six turns, or two where no third is certain; none where less can be said."""
    talk = Talk(graph, draw, load_wordings(), style)
    wanted = draw.choices(_TURNS, _TURN_WEIGHTS)[0]
    # Where all that is there is obvious, one seldom asks whether it is, and as seldom what is not.
    polar = _polar(draw) if has_question(talk) or draw.random() < _OBVIOUS_SHARE else []
    if not graph.entities:
        return []
    # Whether something is there is worded first, so that no later turn tells it as new.
    affirmed = ask(talk, "existence") if "existence" in polar else None
    turns: list[Told] = []
    names = [name for name in _order(draw) if not ("absence" in polar and name in _DENYING)]
    has_denied = False
    if draw.random() < _WHOLE_SHARE:
        _tell_first(talk, turns)
    for least, most in ((FIRM, wanted), (_FIRM_ENOUGH, wanted), (1, MIN_TURNS)):
        if least == 1:  # what one caption alone tells comes last
            _add_main(talk, turns, _MOST_TURNS - len(polar))
            _take_more(talk, turns, _RESORTS, MIN_TURNS - len(polar), _BORNE_OUT)
        if _take_middle(talk, names, turns, most - len(polar), least, is_alone=affirmed is None):
            has_denied = True
            names = [name for name in names if name not in _DENYING]
    _take_more(talk, turns, _RESORTS, MIN_TURNS - len(polar))
    if "absence" in polar:
        denied = ask(talk, "absence")
        has_denied = denied is not None
        _place(talk, denied, turns, len(turns))
    if affirmed is not None:
        _place(talk, affirmed, turns, _first_naming(talk, affirmed, turns))
    _take_more(talk, turns, _RESORTS, MIN_TURNS)
    if not has_denied:
        denials = (*draw.sample(_DENIALS, len(_DENIALS)), "absence")
        _take_more(talk, turns, denials, min(MIN_TURNS, len(turns) + 1))
    return turns if len(turns) >= _FEWEST else []


def _take_middle(talk: Talk, names: list[str], turns: list[Told], most: int, least: int, *, is_alone: bool) -> bool:
    """Add turns of different kinds that `least` captions bear out; return whether one tells what is not there.

    That is told once, and not first where what comes here `is_alone`: beside something that is there.
    """
    has_denied = False
    for name in names:
        if len(turns) >= most:
            break
        if name in _DENYING and (has_denied or (is_alone and not turns)):
            continue
        if not _take(talk, GENERATORS[name], turns, least):
            continue
        has_denied |= name in _DENYING
        if turns and len(turns) < most and talk.draw.random() < _FOLLOW_SHARE:
            _follow(talk, turns)
    return has_denied


def _tell_first(talk: Talk, turns: list[Told]) -> None:
    """Add what captions tell as a whole, if two bear it out."""
    names = talk.draw.sample(_WHOLE, len(_WHOLE))
    firm = (_take(talk, GENERATORS[name], turns, least) for least in _BORNE_OUT for name in names)
    next(filter(None, firm), None)


def _add_main(talk: Talk, turns: list[Told], most: int) -> None:
    """Add what most captions tell, or name, where no turn has told it yet."""
    if len(turns) < most and not any(turn.family in _TELLING for turn in turns):
        _tell_first(talk, turns)
        if not any(turn.family in (*_TELLING, "overview") for turn in turns):
            next(filter(None, (_take(talk, BRIEF, turns, least) for least in _BORNE_OUT)), None)
    doing = next((one for one in talk.graph.told if one.is_main and one.verb not in STILL), None)
    if doing is not None and talk.is_new(f"doing {doing.subject}", f"does {doing.category}"):
        _take_more(talk, turns, ("summary", "shown", "doing"), min(len(turns) + 1, most))
    thing = next((one for one in talk.listed() if is_obvious(talk.graph, one)), None)
    if thing is not None and talk.is_new(f"there {thing.name}") and not talk.has_named(thing.name):
        _take_more(talk, turns, ("shown", "overview"), min(len(turns) + 1, most))


def _take_more(
    talk: Talk, turns: list[Told], names: tuple[str, ...], wanted: int, levels: tuple[int, ...] = (*_BORNE_OUT, 1)
) -> None:
    for least in levels:
        for name in names:
            if len(turns) < wanted:
                _take(talk, GENERATORS[name], turns, least)


def ask(talk: Talk, name: str) -> Told | None:
    """Word the generator's first turn, which leans on none before it."""
    talk.last = None
    found = (_say(talk, GENERATORS[name], least) for least in (_FIRM_ENOUGH, 1))
    return next((told for told in found if told is not None), None)


def _say(talk: Talk, generator: Generator, least: int) -> Told | None:
    move = talk.find_firm(generator, least)
    return _add_more(talk, talk.word(move)) if move is not None else None


def _polar(draw: random.Random) -> list[str]:
    """Choose the questions of yes or no: one kind or the other alike often, sometimes both."""
    if draw.random() < _BOTH_SHARE:
        return ["existence", "absence"]
    return ["existence" if draw.random() < _AFFIRMED_SHARE else "absence"]


def _order(draw: random.Random) -> Iterator[str]:
    """Yield generators: an opening, then all others, the weightier ones likely sooner."""
    opening = draw.choices(_OPENINGS, (4, 4, 2, 3, 1))[0]
    yield opening
    yield from (name for name in _draw_order(draw, _MIDDLE) if name != opening)


def _draw_order(draw: random.Random, weights: dict[str, int]) -> list[str]:
    ranked = {name: draw.random() ** (1 / weight) for name, weight in weights.items()}
    return sorted(ranked, key=lambda name: -ranked[name])


def _take(talk: Talk, generator: Generator, turns: list[Told], least: int) -> bool:
    """Add the generator's first turn that tells something new, and that `least` captions bear out."""
    told = _say(talk, generator, least)
    if told is None:
        return False
    turns.append(told)
    return True


def _follow(talk: Talk, turns: list[Told]) -> None:
    names = list(FOLLOWERS)
    talk.draw.shuffle(names)
    for name in names:
        vague = name in _OF_THINGS and turns[-1].family in _OF_SEVERAL
        if talk.last is not None and not vague and _take(talk, FOLLOWERS[name], turns, _FIRM_ENOUGH):
            return


def _place(talk: Talk, told: Told | None, turns: list[Told], last: int) -> None:
    """Put a question of yes or no anywhere up to `last` but between a turn and its follow-up, seldom first."""
    if told is None:
        return
    leaning = {family for one in FOLLOWERS.values() for family in one.families}
    spots = [at for at in range(last + 1) if at == len(turns) or turns[at].family not in leaning]
    later = spots[1:] if talk.draw.random() >= _OPEN_SHARE else []
    turns.insert(talk.draw.choice(later or spots), told)


def _first_naming(talk: Talk, affirmed: Told, turns: list[Told]) -> int:
    """Return the place of the first turn that speaks of what is affirmed: the question comes before it."""
    boxes = {number for claim in affirmed.claims for number in claim.evidence.boxes}
    named = [one for one in talk.graph.entities if boxes.intersection(one.evidence.boxes)]
    words = "|".join(re.escape(word) for one in named for word in _names_of(one))
    for at, turn in enumerate(turns):
        shared = any(boxes.intersection(claim.evidence.boxes) for claim in turn.claims)
        if shared or _pattern_of(words).search(f"{turn.question} {turn.answer}"):
            return at
    return len(turns)


def _names_of(one: Entity) -> set[str]:
    """Return all that a turn may call it: a jet is the airplane that is asked for."""
    others = CATEGORIES[one.category].synonyms if one.category else ()
    return {one.word, one.plural, *others, *map(plural_of, others)}


@cache
def _pattern_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


def _add_more(talk: Talk, told: Told) -> Told:
    """Put a sentence behind the answer, now and then, of the same thing."""
    if talk.draw.random() >= _ADD_SHARE[talk.style]:
        return told
    names = [name for name in ADDERS if told.family in _ADDED[name]]
    talk.draw.shuffle(names)
    for name in names:
        move = talk.find_firm(ADDERS[name], _FIRM_ENOUGH)
        if move is not None:
            return _append(talk, told, move)
    return told


def _append(talk: Talk, told: Told, move: Move) -> Told:
    forms = talk.wordings[move.family].plain
    answer = told.answer.lower()  # "You can see ... You can see that" is clumsy
    fresh = tuple(one for one in forms if " ".join(one.split()[:_BEGINNING]).lower() not in answer)
    more = talk.fill(fresh or forms, move.tell)
    talk.note(move)
    if any(key.startswith("there ") for key in move.keys):
        talk.last = None  # another thing was named: "it" would no longer be clear
    return Told(told.family, told.question, f"{told.answer} {more}", (*told.claims, *move.claims))
