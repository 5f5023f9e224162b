"""What a reasoning answer starts from: what is seen and bears on the question, told as most captions tell it."""

import random
import re

from msgspec import structs

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import PICTURE_LEMMAS, is_collage
from instructgen.scenegraph.corroboration import FEW, tells_itself
from instructgen.scenegraph.graph import Action, Circumstance, Entity, SceneGraph, Statement
from instructgen.scenegraph.saying import SPORTS
from instructgen.scenegraph.settings import SETTINGS, UNNAMED, VAGUE
from instructgen.teachers.scene_program.phrasing import after, say_doer, say_doing, say_parts, told_claim
from instructgen.teachers.scene_program.rules import Match, Rule, is_said, names_thing
from instructgen.teachers.scene_program.speech import PICTURE_WORDS, be, polish, say_one
from instructgen.teachers.scene_program.support import Support, is_clear, is_several
from instructgen.teachers.scene_program.talk import circumstance_claim, exists
from instructgen.teachers.scene_program.wordings import load_wordings

_SEVERAL = 2
_MOST = 3  # captions
_SETTING = re.compile(rf"\b(?:{'|'.join(SETTINGS)})\b")
_AT_END = re.compile(r"in (?:the|this) \{pic\}\.$")
_LISTED = ("thing", "surface")  # kinds of what is named though no box holds it
_SIGNS = ("sign", "street sign")  # vague elsewhere, but reason enough for a rule
# No statement about these begins an answer.
_DULL = frozenset(("sunset", "sunrise", "face", "object", "item", "thing"))
_TORN = re.compile(r"\ba (?:drawn|pulled|made|filled|covered|topped|parked) (?:by|with|in|of)\b")  # its noun is lost
_COMPUTER = re.compile(r"\bcomputer\b(?! (?:mouse|desk|keyboard|monitor|screen))")  # may be the laptop
_ON_CUTLERY = re.compile(r"\bon (?:a|the|two|some) (knife|knives|fork|forks|spoon|spoons)$")
# What captions say in haste, and how it is said: no wave was named before, and a rider of each motorcycle drives it.
_SAID_WELL = (
    (re.compile(r"\bwheel chair"), "wheelchair"),
    (re.compile(r"\bblowing (?=(?:(?:a|the|some|his|her|their|two|three|birthday) )*candles?\b)"), "blowing out "),
    (re.compile(r"\bwearing a (shoe|boot|sock|sneaker|sandal)\b"), r"wearing \1s"),
    (re.compile(r"\bbaby (?:child|infant)\b"), "baby"),
    (re.compile(r"\briding on the backs? of (?=\w+s\b)"), "riding "),
    (
        re.compile(
            r"\bthe (?=(?:(?:big|large|long|small|tree|water) )?"
            r"(?:balloon|bar|branch|bridge|dock|fountain|gate|handle|platform|skillet|store|wave)\b(?! of))"
        ),
        "a ",
    ),
)
_LIVELY = ("person", "animal")
_MASSES = ("pizza", "cake")
_STILL = ("sit", "stand", "lie", "perch", "lean", "rest")  # told without a place these say next to nothing
# Places that one caption of five may name, since what is seen there is at home in them.
_AT_HOME = {
    "bathroom": ("toilet", "sink", "toothbrush", "hair drier"),
    "restroom": ("toilet", "sink"),
    "kitchen": ("oven", "refrigerator", "microwave", "sink", "toaster"),
    "bedroom": ("bed",),
    "living room": ("couch", "tv", "remote"),
    "office": ("keyboard", "laptop", "mouse"),
    "street": ("car", "bus", "truck", "traffic light", "stop sign", "motorcycle", "parking meter", "fire hydrant"),
    "city street": ("car", "bus", "truck", "traffic light"),
    "road": ("car", "bus", "truck"),
    "tennis court": ("tennis racket",),
    "baseball field": ("baseball bat", "baseball glove"),
    "field": ("cow", "sheep", "horse", "baseball bat", "frisbee"),
    "zoo": ("giraffe", "elephant", "bear", "zebra"),
    "airport": ("airplane",),
    "runway": ("airplane",),
    "train station": ("train",),
}


class Grounds:
    """What is seen and bears on the question, sentence by sentence; `is_shared` where no caption alone tells it."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.is_shared = True
        self.has_doing = False
        self.sentences: list[str] = []
        self.claims: list[Claim] = []

    def add(self, family: str, claims: tuple[Claim, ...], **slots: str) -> None:
        said = f" {slots.get('list', '')} "
        form = self.draw.choice(
            [one for one in load_wordings()[family].plain if not (" in " in said and _AT_END.search(one))]
        )
        self.has_doing = self.has_doing or family in ("r_action", "r_there")
        slots = {name: _say_well(words) for name, words in slots.items()}
        self.sentences.append(polish(form.format(pic=self.draw.choice(PICTURE_WORDS), **slots)))
        self.claims += (
            structs.replace(one, **{name: _say_well(getattr(one, name)) for name in ("subject", "value", "other")})
            for one in claims
        )


def _say_well(words: str) -> str:
    for wrong, right in _SAID_WELL:
        words = wrong.sub(right, words)
    return words


def say_grounds(match: Match, graph: SceneGraph, support: Support, draw: random.Random) -> Grounds:
    grounds = Grounds(draw)
    about = [one for one in _find_named(graph) if one.name in match.rule.when.named and is_clear(one)]
    collage = next((one for one in graph.statements if is_collage(one)), None)
    if collage is not None:
        _say_collage(grounds, collage, about[:3])
        return grounds
    told = _say_happening(grounds, match, graph, support)
    said = " ".join(grounds.sentences).lower()
    listed = [one for one in about if one.name not in told and not _is_implied(one, said)]
    meant = [one for one in listed if _is_meant(one, said)]  # the food that is eaten may be the pizza
    listed = [one for one in listed if one not in meant][:3]
    if meant and not names_thing(match.rule, said) and not listed:
        grounds, listed = Grounds(draw), about[:3]
    listed = _find_needed(listed, match.rule, said, graph)
    if not grounds.sentences and len(listed) < 2:
        others = [one for one in _find_main(graph) if one not in listed][: 2 - len(listed)]
        listed += [one for one in others if _is_worth_adding(one, listed, support)]
    if not grounds.sentences and listed:
        grounds.is_shared = support.is_shared_thing(listed[0])
    _say_listed(grounds, listed)
    _say_circumstances(grounds, match, graph, support)
    return grounds


def _say_collage(grounds: Grounds, collage: Statement, about: list[Entity]) -> None:
    """Tell that there are several pictures, and only what is in them: who does what may be another in each."""
    words = collage.text
    listed = f"{words} with {join_words(list(map(_say_in_list, about)))}" if about else words
    grounds.add("r_collage", (told_claim(collage), *map(exists, about)), list=listed)


def _is_meant(entity: Entity, said: str) -> bool:
    return is_meant(entity.category, said) or (entity.name == "laptop" and _COMPUTER.search(said) is not None)


def _find_named(graph: SceneGraph) -> list[Entity]:
    """Return the boxed things; of what five captions leave out the box alone is no ground."""
    return [one for one in graph.boxed_entities() if one.num_captions or graph.num_captions < FEW]


def _find_needed(listed: list[Entity], rule: Rule, said: str, graph: SceneGraph) -> list[Entity]:
    """Return what two captions name, and the others only if the rule is about them."""
    shared = [one for one in listed if one.num_captions >= min(_SEVERAL, graph.num_captions)]
    return shared if names_thing(rule, " ".join((said, *(one.word for one in shared)))) else listed


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


def _is_worth_adding(entity: Entity, listed: list[Entity], support: Support) -> bool:
    """False for people beside a thing whom one caption alone names ("an airplane and a person")."""
    return entity.name != "person" or not listed or support.is_named_by_two(entity)


def _say_in_list(entity: Entity) -> str:
    if entity.name in _MASSES and len(entity.boxes) > 1 and not is_several(entity):
        return entity.word  # several boxes of what captions call "pizza"
    return entity.plural if is_several(entity) else say_one(entity.word)


def _say_happening(grounds: Grounds, match: Match, graph: SceneGraph, support: Support) -> frozenset[str]:
    """Tell what goes on, best of the rule's things; return what was told of."""
    statement = _find_statement(graph, match, support)
    action = match.action or _find_action(graph, match.rule)
    if statement is None and action is None:  # what is going on says more than that there are people
        shared = [one for one in _find_tellable(graph, support) if support.is_shared(one)]
        statement = _choose([one for one in shared if one.verb], support)
        action = next((one for one in graph.told if _is_worth_telling(one) and support.is_shared_doing(one)), None)
        if statement is None and action is None:
            statement = _choose([one for one in shared if one.lemma not in PICTURE_LEMMAS], support)
    if statement is not None:
        grounds.is_shared = support.is_shared(statement)
        _state(grounds, graph, statement, support)
        return statement.keys
    if action is None:
        return frozenset()
    grounds.is_shared = support.is_shared_doing(action)
    action = support.settle_place(action)
    who = say_doer(graph, action, support.bears_out)
    if not action.object and not action.where and tells_itself(action.lemma, action.verb):
        return _list_doer(grounds, graph, action, support)
    what = say_doing(graph, action, after(support.bears_out, who.keys))
    claims = (*who.claims, *what.claims)
    grounds.add("r_action", claims, who=who.words, what=what.words, **{"is": be(is_plural=action.is_plural)})
    return frozenset({action.category, *action.things})


def _list_doer(grounds: Grounds, graph: SceneGraph, action: Action, support: Support) -> frozenset[str]:
    """Tell that there is a skier, who need not be told to ski."""
    entity = graph.entities[action.entity] if action.entity is not None else None
    if entity is not None:
        who = say_doer(graph, action, support.bears_out)
        grounds.add("r_list", (exists(entity), *who.claims), list=who.words, **{"is": be(is_plural=action.is_plural)})
    return frozenset({action.category})


def _state(grounds: Grounds, graph: SceneGraph, statement: Statement, support: Support) -> None:
    statement = _say_where(statement)
    who = say_parts(graph, statement.subject, support.bears_out)
    what = say_parts(graph, statement.predicate, after(support.bears_out, who.keys))
    claims = (told_claim(statement), *who.claims, *what.claims)
    family = "r_action" if statement.verb else "r_list"
    if _are_there(statement):
        family = "r_there"
    slots = {"who": who.words, "what": what.words, "list": who.words}
    grounds.add(family, claims, **slots, **{"is": be(is_plural=statement.is_plural)})


def _say_where(statement: Statement) -> Statement:
    """Tell of chairs that they are at a table, and not that they sit there."""
    if statement.verb != "sit" or statement.kind in _LIVELY or not statement.is_plural:
        return statement
    first, *rest = statement.predicate
    place = structs.replace(first, text=first.text.removeprefix(" sitting"))
    return structs.replace(statement, verb="be", predicate=(place, *rest))


def _are_there(statement: Statement) -> bool:
    """True where "there are" goes before several things: no one says "flowers are on a cake"."""
    is_bare = not statement.subject[0].text.lstrip().startswith(("a ", "an "))
    return statement.verb == "be" and statement.kind not in _LIVELY and statement.is_plural and is_bare


def _is_worth_telling(action: Action) -> bool:
    return bool(action.doing) and (bool(action.object or action.where) or action.verb not in _STILL)


def _find_statement(graph: SceneGraph, match: Match, support: Support) -> Statement | None:
    """Return the statement that tells of the rule's doing, or else of its things; None where none does."""
    fits = [one for one in _find_tellable(graph, support) if _fits(one, match)]
    telling = [one for one in fits if any(is_said(word, one.text) for word in match.rule.when.words)]
    things = match.rule.when.named - {"person"}
    return _choose(telling or fits, support, things)


def _find_tellable(graph: SceneGraph, support: Support) -> list[Statement]:
    return [
        one
        for one in graph.statements
        if _says_much(one) and not _is_on_cutlery(one, graph) and support.is_undisputed(one)
    ]


def _is_on_cutlery(statement: Statement, graph: SceneGraph) -> bool:
    """True for what one caption alone has lying on a knife, beside which it may be."""
    found = _ON_CUTLERY.search(statement.text) if statement.verb == "be" else None
    return found is not None and sum(found[1] in words for words in graph.words_by_caption) < _MOST


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


def _says_much(statement: Statement) -> bool:
    """False for no thing to speak of, and where a word is lost: "a bird is perched", "in a drawn by a horse"."""
    is_stump = statement.verb in _STILL and " " not in statement.said.strip()
    return not is_stump and statement.lemma not in _DULL and not _TORN.search(statement.text)


def _is_implied(entity: Entity, said: str) -> bool:
    """True where what was said holds it: "surfing" a surfboard, "two dogs" the dogs."""
    sport = "bike" if entity.name in ("bicycle", "motorcycle") else SPORTS.get(entity.name)
    return entity.word in said or entity.plural in said or (sport is not None and sport in said)


def _say_listed(grounds: Grounds, listed: list[Entity]) -> None:
    if not listed:
        return
    family = "r_more" if grounds.sentences else "r_list"
    slots = {"list": join_words(list(map(_say_in_list, listed)))}
    grounds.add(family, tuple(exists(one) for one in listed), **slots)


def _say_circumstances(grounds: Grounds, match: Match, graph: SceneGraph, support: Support) -> None:
    """Name the place unless it was named, and the time or weather that the rule is about."""
    when = match.rule.when
    place = _find_place(graph)
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


def _find_place(graph: SceneGraph) -> Circumstance | None:
    """Return the place that two captions name, or one where a thing that is seen is at home."""
    place = graph.circumstance("place")
    if place is None or place.num_captions >= min(_SEVERAL, graph.num_captions):
        return place
    word = place.value.rpartition(" ")[2]
    if sum(word in words for words in graph.words_by_caption) >= _SEVERAL:
        return place
    seen = {one.name for one in graph.boxed_entities() if one.num_captions}
    return None if seen.isdisjoint(_AT_HOME.get(place.value, ())) else place


def _is_placed(place: str, said: str) -> bool:
    """True where a place was told ("on a court" is on a tennis court), and for a place that tells nothing."""
    return place in VAGUE | UNNAMED or place.rsplit(maxsplit=1)[-1] in said or _SETTING.search(said) is not None


def _find_action(graph: SceneGraph, rule: Rule) -> Action | None:
    wanted = rule.when.named
    for action in graph.told:
        own = action.category in wanted and (action.category != "person" or wanted == {"person"})
        if _is_worth_telling(action) and (action.things & wanted or own):
            return action
    return None
