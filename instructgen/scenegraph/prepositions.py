"""Prepositions of one place that cannot both hold: what is on a fence is not near it, nor on a beach going there."""

from collections.abc import Iterable, Iterator

from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS, PREPOSITIONS

_LONGEST = 4  # words of a preposition
_REACH = 3  # unknown words between a preposition and its noun: "near wrought iron fence"
_ENDS = BOUNDARIES - DETERMINERS  # "in between bikes" is in none
_CLASSES = {
    **dict.fromkeys(("on", "on top of", "onto", "in", "inside", "into"), "on"),
    **dict.fromkeys(("near", "next to", "beside", "by"), "near"),
    **dict.fromkeys(("to", "toward"), "to"),
    "under": "under",
    "in front of": "front",
    "behind": "behind",
    "on the side of": "side",
    "down": "down",
    "in the middle of": "middle",
}
_EXCLUDED = {
    "on": frozenset(("near", "under", "to")),
    "near": frozenset(("on", "under")),
    "under": frozenset(("on", "near")),
    "front": frozenset(("behind",)),
    "behind": frozenset(("front",)),
    "middle": frozenset(("near", "side")),
}
# Where these stand for what a food lies on or in, one viewer's tray is another's plate.
_DISHES = frozenset(("tray", "pan", "plate", "platter", "dish", "board", "cutting board", "skillet", "bowl", "knife"))
_ON_ROADS = "roads"  # under this key: for each caption that names a road so or so, how it places something by it
_ROADS = frozenset(("road", "street", "dirt road", "city street", "highway", "roadway"))
_FIELDS = frozenset(("field", "outfield", "infield", "baseball field", "ball field", "soccer field"))
_ON_DISHES = "dishes"  # under this key: for each caption that names a dish so, which
# Key: a category, or a noun's lemma without one; value: for each caption that places something there, how.
Placings = dict[str, list[frozenset[str]]]


def find_placings(readings: Iterable[CaptionReading]) -> Placings:
    """Return how captions place something by each thing and place that they name."""
    found: Placings = {}
    for reading in readings:
        own: dict[str, set[str]] = {}
        for phrase in reading.phrases:
            how = _find_class(reading.tokens, phrase)
            if how:
                own.setdefault(phrase.noun.category or phrase.noun.lemma, set()).add(how)
        alike: dict[str, set[str]] = {}
        for key, classes in own.items():
            alike.setdefault(_name_alike(key), set()).update(classes)
        for key, classes in alike.items():
            found.setdefault(key, []).append(frozenset(classes))
        roads = frozenset(how for key, classes in own.items() if key in _ROADS for how in classes)
        if roads:
            found.setdefault(_ON_ROADS, []).append(roads)
        dishes = frozenset(key for key, classes in own.items() if key in _DISHES and "on" in classes)
        if dishes:
            found.setdefault(_ON_DISHES, []).append(dishes)
    return found


def is_misplaced(preposition: str, key: str, placings: Placings) -> bool:
    """True where as many captions place something otherwise by the thing as so, or on another dish."""
    own = _CLASSES.get(preposition, "")
    if own == "on" and key in _DISHES:
        dishes = placings.get(_ON_DISHES, [])
        agreeing = sum(key in named for named in dishes)
        if len(dishes) > agreeing and len(dishes) - agreeing >= agreeing:
            return True
    others = _EXCLUDED.get(own, frozenset())
    if own == "on" and key in _ROADS and _is_at_side(placings.get(_ON_ROADS, [])):
        return True
    said = placings.get(_name_alike(key), [])
    against = sum(own not in classes and not others.isdisjoint(classes) for classes in said)
    return bool(against) and against >= sum(own in classes for classes in said)


def _name_alike(key: str) -> str:
    """Return one key for a field and an outfield: viewers name one place so and so."""
    return "field" if key in _FIELDS else key


def _is_at_side(roads: list[frozenset[str]]) -> bool:
    """True where as many captions have something on the side of a road as on it; of a building the side is on it."""
    on = sum(not classes.isdisjoint(("on", "down")) for classes in roads)
    against = sum("side" in classes and classes.isdisjoint(("on", "down")) for classes in roads)
    return bool(against) and against >= on


def _find_class(tokens: tuple[str, ...], phrase: NounPhrase) -> str:
    for end in range(phrase.start, max(0, phrase.start - _REACH), -1):
        for preposition, start in _prepositions_before(tokens, end):
            how = _CLASSES.get(preposition, "")
            is_doer = preposition == "by" and start and tokens[start - 1].endswith("ed")  # "pulled by a horse"
            is_way = how != "to" or phrase.noun.kind == "place"
            return how if is_way and not is_doer else ""
        if end and (not tokens[end - 1].isalpha() or tokens[end - 1] in _ENDS):
            return ""
    return ""


def _prepositions_before(tokens: tuple[str, ...], end: int) -> Iterator[tuple[str, int]]:
    """Yield the longest preposition that ends at a token, as we say it, and its first token."""
    for length in range(min(_LONGEST, end), 0, -1):
        preposition = PREPOSITIONS.get(" ".join(tokens[end - length : end]))
        if preposition is not None:
            yield preposition, end - length
            return
