"""What one caption alone tells of what is all around: trees, a fence, buildings. No other denies it."""

from collections.abc import Iterator

from instructgen.scenegraph.graph import Entity, SceneGraph, Span
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.unboxed import SAID_TWICE

_BACKDROP = frozenset((
    *("tree", "palm tree", "bush", "flower", "plant", "rock", "boulder", "cloud", "hay", "log", "leaf"),
    *("building", "fence", "wire fence", "chain link fence", "street sign", "lamp post", "window", "mirror", "door"),
    *("cabinet", "shelf", "bookshelf", "bookcase", "lamp", "pillow", "blanket", "towel", "napkin"),
    *("candle", "basket", "trash can", "fireplace", "christmas tree", "wooden deck", "light pole"),
))  # fmt: skip
_MADE = frozenset(("decorative", "artificial", "fake", "plastic", "paper", "painted", "origami"))
_BEHIND = ("in the background", "in the distance")
_BEHIND_KINDS = ("thing", "surface")
_LENGTH = 3  # words of these
_NO_THINGS = frozenset(("background", "foreground", "ground", "dirt", "shade", "camera", "game", "trick"))
# Behind these it is a thing beside others; elsewhere it may be what another thing is of, in or like.
_BESIDE = frozenset((
    *("and", ",", "by", "near", "beside", "behind", "with", "against", "under", "above", "around", "between"),
    *("has", "have", "along", "amongst", "among", "past", "over", "next to", "front of", "close to", "surrounded by"),
))  # fmt: skip


def is_backdrop(graph: SceneGraph, one: Entity) -> bool:
    """True for a thing that one caption puts beside others, and that no caption has by a word that may mean it."""
    if one.category or one.num_captions != 1 or graph.sources is None or _is_called_otherwise(graph, one):
        return False
    if find_behind(graph, one) is not None:
        return one.kind in _BEHIND_KINDS and one.name not in _NO_THINGS
    found = list(_find_mentions(graph, one))
    is_made = any(not _MADE.isdisjoint(reading.tokens[phrase.start : phrase.end]) for reading, phrase in found)
    is_alone = one.name in _BACKDROP and len(found) == 1 and not is_made
    return is_alone and all(_is_beside(reading.tokens, phrase.start) for reading, phrase in found)


def find_behind(graph: SceneGraph, one: Entity) -> tuple[str, Span] | None:
    """Return how a caption tells that a thing is in the background, and where it does; None where none does."""
    for reading, phrase in _find_mentions(graph, one):
        behind = " ".join(reading.tokens[phrase.end : phrase.end + _LENGTH])
        if behind in _BEHIND and not one.category and not phrase.is_negated:
            return behind, reading.span(phrase.start, phrase.end + _LENGTH)
    return None


def _is_called_otherwise(graph: SceneGraph, one: Entity) -> bool:
    rivals = SAID_TWICE.get(one.name, frozenset())
    own = {span.caption for span in one.evidence.spans}
    others = (words for number, words in enumerate(graph.words_by_caption) if number not in own)
    return any(not rivals.isdisjoint(words) for words in others)


def _find_mentions(graph: SceneGraph, one: Entity) -> Iterator[tuple[CaptionReading, NounPhrase]]:
    own = {span.caption for span in one.evidence.spans}
    for reading in graph.sources.readings if graph.sources is not None else ():
        for phrase in reading.phrases if reading.number in own else ():
            if phrase.noun.lemma == one.name:
                yield reading, phrase


def _is_beside(tokens: tuple[str, ...], start: int) -> bool:
    before = tokens[max(0, start - 2) : start]
    return before[-1:] != () and (before[-1] in _BESIDE or " ".join(before) in _BESIDE)
