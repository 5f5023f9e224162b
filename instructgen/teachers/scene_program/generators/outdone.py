"""Which doings are left out: what most captions outdo, what says itself, whom another word told of."""

from collections.abc import Iterable

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.corroboration import FEW, MOST
from instructgen.scenegraph.graph import Action, SceneGraph, Statement
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import AGES, GENDERS
from instructgen.teachers.scene_program.talk import Talk

_ALIKE = (
    {"ride", "ski", "snowboard", "surf", "skateboard", "perform", "do"},
    {"hold", "carry", "use"},
    {
        "sit",
        "seat",
        "rest",
        "lie",
        "lay",
        "sleep",
        "perch",
        "mount",
        "hang",
        "stand",
        "place",
        "stack",
        "park",
        "dock",
    },
    {"ski", "snowboard", "surf", "skateboard", "ride", "stand"},
    {"walk", "cross", "run", "travel", "move", "drive", "roam"},
    {"eat", "enjoy", "graze", "feed"},
    {"fly", "float"},
    {"wear", "dress"},
    {"hit", "swing", "play", "serve", "hold"},
    {"throw", "toss", "catch", "serve"},
    {"look", "watch", "stare"},
    {"cut", "prepare", "make", "cook"},
    {"stand", "pose", "wait", "gather"},
)
IDLE = frozenset(("stand", "sit", "walk", "pose", "gather", "look", "seat", "smile"))
_BARE = (IDLE - {"walk"}) | {"", "be", "have", "rest", "lie", "lay", "sleep", "lounge", "top", "place", "show"}
_ON_GEAR = frozenset(("ride", "ski", "snowboard", "surf", "skateboard", "perform", "do"))  # "a man on a surfboard"
_SPORTING = frozenset(name for name, one in CATEGORIES.items() if one.group == "sports") | {"game"}
_BORNE_OUT = 2  # captions
_SAYING_NOTHING = frozenset(("riding", "a", "an", "on", "his", "her", "their", "the", "board", "game", "of"))
_STEM = 4  # letters
_SINGULARS = {plural_of(word): word for word in (*GENDERS, *AGES)} | {"people": "person"}
_MANY = ("s", "men", "people", "children")  # how words for several people end


def are_alike(one: str, other: str) -> bool:
    """True for verbs that tell much the same: "hold" and "carry"."""
    return one == other or any({one, other} <= group for group in _ALIKE)


def says_itself(one: Action) -> bool:
    """True for a tennis player who is playing tennis, and a skateboarder who is riding a skateboard."""
    return not one.where and _is_in_name(one.subject, one.doing)


def tells_itself(one: Statement) -> bool:
    """True for a surfer who is riding a surfboard, and no more is told of."""
    return _is_in_name(one.lemma, one.said)


def _is_in_name(doer: str, doing: str) -> bool:
    """True where all words of a doing are in the doer's name, but for such as "riding a"."""
    stems = {word.removesuffix("s").removesuffix("er")[:_STEM] for word in doer.split()}
    words = [word for word in doing.split() if word not in _SAYING_NOTHING]
    return all(word.removesuffix("ing")[:_STEM] in stems for word in words)


def is_outdone(one: Action | Statement, graph: SceneGraph) -> bool:
    """True for what few captions tell of somebody where most tell of another doing, or of gear that it leaves out."""
    if graph.num_captions < FEW or one.category != "person" or one.verb in ("", "be"):
        return False
    doings = [other for other in graph.actions if other.category == "person"]
    num = max((other.num_bearing_out for other in doings if are_alike(other.verb, one.verb)), default=0)
    if num >= MOST:
        return False
    if one.verb in IDLE and not graph.common & _SPORTING <= _things_of(one):
        return True
    if num >= _BORNE_OUT or (isinstance(one, Action) and one.verb == "use" and one.things & graph.common):
        return False  # most have the laptop, be it in what words it may
    return any(other.is_main and other.category == "person" for other in graph.told)


def is_outnumbered(one: Statement, graph: SceneGraph) -> bool:
    """True for several of whom most captions tell as of one: the men, where most have a baseball player."""
    subject = "".join(part.text for part in one.subject)
    is_group = one.is_plural and one.kind == "person" and " and " not in subject
    if graph.sources is None or not is_group or graph.num_captions < FEW:
        return False
    found = [[one for one in reading.phrases if one.noun.kind == "person"] for reading in graph.sources.readings]
    return sum(len(named) == 1 and not named[0].is_plural for named in found) >= MOST


def lacks_rider(one: Statement, graph: SceneGraph) -> bool:
    """True for a horse or a bus that is told of without the people whom most captions have too."""
    return one.kind in ("animal", "vehicle") and "person" in graph.common and "person" not in one.keys


def loses_doing(one: Statement, graph: SceneGraph) -> bool:
    """True for who merely sits somewhere, where nearly all captions tell what is done: people eating at a table."""
    is_bare = one.verb in _BARE and one.kind in ("person", "animal") and graph.num_captions >= FEW
    if graph.sources is None or not is_bare:
        return False
    text = one.text.split()
    said = [_lively_verbs(reading.tokens) for reading in graph.sources.readings]
    told = _lively_verbs(text) | one.keys
    for verb in set().union(*said):
        num = sum(any(are_alike(verb, other) for other in verbs) for verbs in said)
        if num > MOST and not any(are_alike(verb, other) for other in told):
            return True
    return False


def _lively_verbs(tokens: Iterable[str]) -> frozenset[str]:
    found = (VERB_FORMS[token].base for token in tokens if token in VERB_FORMS and token.endswith(("ing", "s")))
    return frozenset(verb for verb in found if verb not in _BARE and verb not in _ON_GEAR)


def _things_of(one: Action | Statement) -> frozenset[str]:
    return one.keys if isinstance(one, Statement) else one.things | {one.object}


def is_renamed(talk: Talk, action: Action) -> bool:
    """True where it may be somebody who was told of by another word: the tennis player is the man."""
    if action.category != "person" or talk.is_new("does person") or not talk.is_new(f"doing {action.subject}"):
        return False
    known = [key.removeprefix("doing ") for key in talk.said if key.startswith("doing ")]
    if any(f"{action.verb} {word}" in talk.said for word in known) and not talk.is_new(f"there {action.object}"):
        return True  # the children are skiing, and the people
    people = talk.graph.find("person")
    alone = people is None or not people.is_many
    return alone or not any(_are_unlike(word, action.subject) for word in known)


def _are_unlike(one: str, other: str) -> bool:
    """True for words that cannot name the same: "man" and "woman", "man" and "women", "men" and "children"."""
    if one.endswith(_MANY) != other.endswith(_MANY):
        return True
    alone = {_SINGULARS.get(word, word) for word in (one, other)}
    if one.endswith(_MANY) and len({AGES[word] for word in alone if word in AGES}) == 2:
        return True
    return len(alone & GENDERS.keys()) == 2 and len({GENDERS[word] for word in alone}) == 2
