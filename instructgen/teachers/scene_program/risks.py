"""Details that one caption tells and the others may see otherwise: nobody asks for them, as if they were told."""

import re
from collections.abc import Iterator, Mapping

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.agreement import key_of
from instructgen.scenegraph.attributes import VALUES
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.garments import may_be_one_garment
from instructgen.scenegraph.graph import Attribute, Circumstance, Entity, SceneGraph
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading

_MATERIALS = {word: value for word, (kind, value) in VALUES.items() if kind == "material"} | {
    word: word for word in ("bamboo", "tile", "tiled", "tin", "foil", "straw", "wire", "rubber", "fabric")
}
_COLORS = COLOURS | dict.fromkeys(("lavender", "magenta", "violet", "cream", "navy", "turquoise", "teal"), "other")
# Words for several colors: of a thing that one caption has so, another's color is that of a part.
_MIXED = frozenset((
    "colorful", "colored", "multicolored", "multi", "rainbow", "striped", "stripes", "checkered", "plaid", "polka",
    "painted", "patterned", "floral",
))  # fmt: skip
_LOOSE = frozenset(("empty", "full"))  # what is in it may be passed over
_APART = frozenset(("person", "animal", "place", "mass"))  # kinds of which a color is never that of a thing
_DAY = r"\b(?:sunny|sun|sunlight|daylight|day|daytime|noon|blue sk(?:y|ies))\b"
_DARK = r"night|\b(?:dark|darkness|darkened|dusk|evening|sun ?set|moon\w*|lit|illuminated|neon|street ?lights?)\b"
# What speaks against a time or weather of one caption, in another one.
_AGAINST = {
    "day": _DARK + r"|\b(?:dawn|sun ?rise)\b",
    "night": _DAY + r"|\b(?:morning|dusk|evening|sun ?set|sun ?rise|afternoon|cloudy)\b",
    "sunset": r"night|\b(?:day|daytime|noon|dawn|sun ?rise|morning|evening|dusk|moon)\b",
    "sunny": _DARK + r"|\b(?:cloud\w*|overcast|gr[ae]y sk(?:y|ies)|rain\w*|fog\w*|haz[ey]|mist\w*|storm\w*|snowing)",
    "cloudy": r"\b(?:sun|sunny|sunlight|clear|cloudless|bright|blue sk(?:y|ies))\b",
    "foggy": r"\b(?:sun|sunny|clear|cloudless|bright|blue sk(?:y|ies)|rain\w*|snow(?:ing|storm))\b",
}
# What another caption has to have beside one that tells of it.
_BESIDE = {
    "snowy": r"snow",
    "rainy": r"rain|\b(?:wet|umbrellas?|puddles?|droplets?|storm\w*)\b",
}
_UNSURE = frozenset(("dusk", "evening", "morning", "sunrise"))  # of these one caption alone is not enough
# "A foggy mountain" may be one far away.
_ELSEWHERE = re.compile(
    r"windy (?:road|path|street|trail|track|river|hill)|(?:foggy|misty|hazy) (?!day|morning|weather)"
)
_SUN = re.compile(r"sun|bright", re.IGNORECASE)  # under a clear sky it may be late
_GROUNDS = (
    frozenset(("street", "road", "city street", "intersection", "crosswalk")),
    frozenset(("highway", "freeway")),
    frozenset(("sidewalk",)),
    frozenset(("parking lot",)),
    frozenset(("field", "pasture", "meadow")),
    frozenset(("park",)),
    frozenset(("yard", "backyard", "garden")),
    frozenset(("forest", "woods")),
    frozenset(("beach",)),
    frozenset(("desert",)),
)


def find_risky(graph: SceneGraph) -> frozenset[str]:
    """Return the keys of the details that may be wrong."""
    unsure = (f"place {one.value}" if one.kind == "place" else one.kind for one in _find_unsure(graph))
    return frozenset((*_find_looks(graph), *unsure))


def _find_looks(graph: SceneGraph) -> Iterator[str]:
    told: set[str] = set()
    for one in graph.attributes:  # the best supported first
        entity = graph.entities[one.entity]
        key = f"{one.kind} {entity.name}"
        if key not in told and _is_risky(one, entity, graph):
            yield key
        told.add(key)


def _is_risky(one: Attribute, entity: Entity, graph: SceneGraph) -> bool:
    if one.num_captions > 1 or graph.num_captions < FEW:
        return False
    if graph.sources is None or one.value in _LOOSE or _is_named_once(entity, graph):
        return True
    number = one.evidence.spans[0].caption
    readings = graph.sources.readings
    named = {key_of(phrase) for reading in readings if reading.number == number for phrase in reading.phrases}
    others = [reading for reading in readings if reading.number != number]
    if one.kind == "material":
        return any(_has_rival({one.value}, _MATERIALS, entity, named, reading) for reading in others)
    if one.kind == "color":
        own = set(one.value.replace(",", " and").split(" and "))
        is_mixed = any(_is_mixed(entity, reading) for reading in others)
        return is_mixed or any(_has_rival(own, _COLORS, entity, named, reading) for reading in others)
    return one.value == "colorful" and any(_has_rival(set(), _COLORS, entity, named, reading) for reading in others)


def _is_named_once(entity: Entity, graph: SceneGraph) -> bool:
    """True for what one caption alone names, and no box holds; what the only person wears is seen by all."""
    if entity.boxes or entity.num_captions > 1:
        return False
    person = graph.find("person")
    return entity.kind != "wear" or person is None or not person.is_single


def _names(entity: Entity, phrase: NounPhrase) -> bool:
    return key_of(phrase) == entity.name


def _is_mixed(entity: Entity, reading: CaptionReading) -> bool:
    named = any(_names(entity, phrase) for phrase in reading.phrases)
    return named and not _MIXED.isdisjoint(reading.tokens)


def _has_rival(
    own: set[str], values: Mapping[str, str], entity: Entity, named: set[str], reading: CaptionReading
) -> bool:
    """True where the caption has another value that may be meant for the thing: before it, or before another word."""
    is_named = any(_names(entity, phrase) for phrase in reading.phrases)
    for at, token in enumerate(reading.tokens):
        if token not in values or values[token] in own:
            continue
        phrase = next((one for one in reading.phrases if one.start <= at < one.end), None)
        if phrase is None:
            if is_named:
                return True
        elif _names(entity, phrase) or (not is_named and key_of(phrase) not in named and _may_be(entity, phrase)):
            return True
    return False


def _may_be(entity: Entity, phrase: NounPhrase) -> bool:
    """True where another word may mean the thing: one for what no box holds apart from it, and of a like kind."""
    noun = phrase.noun
    if entity.kind == "wear":
        return noun.kind == "wear" and may_be_one_garment(noun.lemma, entity.word)
    return noun.category is None and noun.kind != "wear" and not {noun.kind, entity.kind} & _APART


def _find_unsure(graph: SceneGraph) -> Iterator[Circumstance]:
    """Yield the time, the weather and the place that another caption speaks against."""
    if graph.sources is None:
        return
    texts = [" ".join(reading.tokens) for reading in graph.sources.readings]
    for one in (graph.circumstance("time"), graph.circumstance("weather")):
        if one is not None and _is_unsure(one, texts, graph):
            yield one
    place = graph.circumstance("place")
    if place is not None and _is_contested(place.value, place.num_captions, texts):
        yield place


def _is_unsure(one: Circumstance, texts: list[str], graph: SceneGraph) -> bool:
    cited = {span.caption for span in one.evidence.spans}
    if one.value == "sunny" and not any(_SUN.search(texts[number]) for number in cited):
        return True
    if one.num_captions > 1 or graph.num_captions < FEW:
        return False
    if one.value in _UNSURE or any(_ELSEWHERE.search(texts[number]) for number in cited):
        return True
    others = [text for number, text in enumerate(texts) if number not in cited]
    against, beside = _AGAINST.get(one.value), _BESIDE.get(one.value)
    if against is not None and any(re.search(against, text) for text in others):
        return True
    return beside is not None and not any(re.search(beside, text) for text in others)


def _is_contested(value: str, num_captions: int, texts: list[str]) -> bool:
    """True for a ground that no more captions name than another one instead: a highway, and a street."""
    own = next((group for group in _GROUNDS if value in group), None)
    if own is None:
        return False
    rest = [text for text in texts if not any(re.search(rf"\b{word}\b", text) for word in own)]
    groups = (group for group in _GROUNDS if group is not own)
    return any(
        sum(any(re.search(rf"\b{word}\b", text) for word in group) for text in rest) >= num_captions
        for group in groups
    )
