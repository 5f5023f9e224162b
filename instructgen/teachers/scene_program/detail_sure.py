"""What a description may tell of looks, time and weather: what one caption alone says only where that is safe.

And what most captions have in the plural though one box holds it: apples in a bowl are told as several.
"""

from msgspec import structs

from instructgen.scenegraph.graph import Action, Attribute, Circumstance, Entity, SceneGraph
from instructgen.scenegraph.own_tables import ALWAYS_DONE
from instructgen.teachers.scene_program.borne_out import is_sure_statement
from instructgen.teachers.scene_program.missed import find_missed
from instructgen.teachers.scene_program.speech import PAIRS

_FEW = 5  # captions of an image below which one is enough: nothing else can be asked
_ENOUGH = 2  # captions
_MOST = 3  # captions
# Opinions: what is old to one viewer is not to the others. Value: the words by which others bear it out.
_AGED = frozenset((
    "ancient", "antique", "aged", "fashioned", "historic", "older", "retro", "rust", "rusted", "rusty", "steam",
    "vintage", "weathered", "worn",
))  # fmt: skip
_UNTIDY = frozenset(("cluttered", "filthy", "grimy", "gross", "nasty", "unmade", "ruined", "trash", "garbage"))
_OPINIONS = {
    "old": _AGED,
    "vintage": _AGED | {"old"},
    "antique": _AGED | {"old"},
    "dirty": _UNTIDY | {"messy"},
    "messy": _UNTIDY | {"dirty"},
    "decorated": frozenset(("ornate", "decorations", "decorative", "embellished", "flowers", "painted", "fancy")),
    "ornate": frozenset(("decorated", "decorative", "fancy", "elegant", "intricate")),
    "empty": frozenset(("nobody", "vacant", "unoccupied", "deserted")),
    **dict.fromkeys(("new", "modern", "clean", "tidy", "wet", "full"), frozenset[str]()),
}
# A caption that has one of these may tell the look of a part: "a yellow train engine", "a blue toilet seat".
_PARTS = {
    "train": frozenset(("engine", "engines", "car", "cars", "caboose", "locomotive")),
    "toilet": frozenset(("seat", "lid", "tank", "cover")),
    "clock": frozenset(("face", "hands", "numbers", "tower")),
}
# By day or night one caption tells no more than the others show; what lies between the others have to bear out.
_PLAIN_TIMES = ("day", "night")
_LATE = frozenset((
    "sun", "sunset", "dusk", "evening", "twilight", "silhouette", "silhouettes", "silhouetted", "orange",
))  # fmt: skip
_BETWEEN = {
    **dict.fromkeys(("sunset", "dusk", "evening"), _LATE),
    "sunrise": frozenset(("morning", "dawn", "sun")),
}
_DARK = frozenset(("night", "nighttime", "dark", "darkness", "evening", "dusk", "sunset", "moon"))
_CLOUDS = frozenset(("cloud", "clouds", "cloudy", "overcast", "dreary", "gloomy", "dusk", "sunset", "night"))
_CLEAR = frozenset(
    ("blue", "sun", "sunny", "sunlight", "sunset", "sunrise", "clear", "bright", "partly", "partially")
)
_WET = frozenset(("rain", "raining", "rainy", "umbrella", "umbrellas", "wet", "puddle", "puddles", "raincoat"))
_FALLING = frozenset(("snowing", "falling", "snowstorm", "blizzard", "storm", "flurries"))


def keep_sure(graph: SceneGraph) -> SceneGraph:
    """Return the graph without the looks, times and weathers that one caption alone tells and none bears out."""
    attributes = tuple(one for one in graph.attributes if _is_sure_look(one, graph))
    circumstances = tuple(one for one in graph.circumstances if _is_sure(one, graph))
    entities = tuple(_in_most_told_number(one) for one in graph.entities)
    entities += tuple(find_missed(graph))
    statements, quotes = (
        tuple(one for one in told if is_sure_statement(one, graph)) for told in (graph.statements, graph.quotes)
    )
    return structs.replace(
        graph,
        entities=entities,
        attributes=attributes,
        circumstances=circumstances,
        statements=statements,
        quotes=quotes,
        told=tuple(one for one in graph.told if _is_sure_action(one, graph)),
    )


def is_certain(one: Entity) -> bool:
    """True unless one box may hold several, and captions do not agree that it does."""
    return not one.is_unclear or one.is_plural_noun


def _in_most_told_number(one: Entity) -> Entity:
    """Take one box for several where most captions tell several, and for one where all but one tell one."""
    if not one.is_unclear or one.name in PAIRS:
        return one
    if one.num_plural >= _MOST and 2 * one.num_plural > one.num_captions:
        return structs.replace(one, is_plural_noun=True)
    is_one = one.num_plural <= 1 and one.num_captions - one.num_plural >= _MOST
    return structs.replace(one, is_single=True) if is_one else one


def _is_sure_action(one: Action, graph: SceneGraph) -> bool:
    """True for what two captions tell by whatever verb; of what one wears, holds or sits on one is enough."""
    num = graph.sources.voices.verbs[one.verb] if graph.sources is not None and one.verb != "be" else 0
    is_free = one.verb in ALWAYS_DONE - {"be"} or graph.num_captions < _FEW
    return is_free or max(num, one.num_bearing_out) >= _ENOUGH


def _is_sure_look(one: Attribute, graph: SceneGraph) -> bool:
    if one.num_captions >= _ENOUGH or graph.num_captions < _FEW:
        return True
    own = {span.caption for span in one.evidence.spans}
    parts = _PARTS.get(graph.entities[one.entity].name, frozenset())
    if any(parts & graph.words_by_caption[number] for number in own):
        return False
    bearing_out = _OPINIONS.get(one.value)
    return bearing_out is None or any(
        bearing_out & words for number, words in enumerate(graph.words_by_caption) if number not in own
    )


def _is_sure(one: Circumstance, graph: SceneGraph) -> bool:
    if one.kind == "place" or graph.num_captions < _FEW:
        return True
    own = {span.caption for span in one.evidence.spans}
    told = frozenset[str]().union(*(graph.words_by_caption[number] for number in own))
    if one.value == "sunny" and "sunny" not in told:
        return False  # a clear sky may be any
    if one.num_captions >= _ENOUGH:
        return True
    others = [words for number, words in enumerate(graph.words_by_caption) if number not in own]
    rest = frozenset[str]().union(*others)
    if one.kind == "time":
        is_plain = one.value in _PLAIN_TIMES and not (one.value == "day" and rest & _DARK)
        return is_plain or bool(rest & _BETWEEN.get(one.value, frozenset()))
    return _is_sure_weather(one.value, told, rest)


def _is_sure_weather(value: str, told: frozenset[str], rest: frozenset[str]) -> bool:
    """True for the sun where none speaks of clouds, and for what another caption has a word for."""
    if value == "sunny":
        return not rest & _CLOUDS
    if value == "cloudy":
        return not (told | rest) & _CLEAR
    bearing_out = {"rainy": _WET, "snowy": _FALLING}.get(value, frozenset[str]())
    return bool(rest & bearing_out)
