"""What a description tells of the picture itself: that it is black and white, or taken from close up."""

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence
from instructgen.scenegraph.reading import CaptionReading
from instructgen.teachers.scene_program.paragraph import Paragraph

_COLORS = sorted({*COLOURS.values()} - {"black", "white", "gray"} | {"colorful"})
_PICTURES = ("photo", "photograph", "picture", "image")
_MONOCHROME = ("black", "and", "white")
_CLOSE = ("close", "up")
_NEAR = 0.15  # share of the image that the largest thing takes up in what is taken from close up
_OPENING = frozenset(("a", "an", "this", "is", "the"))
_FIRST = 3  # tokens in which a caption begins with what kind of picture it is


def tell_style(page: Paragraph) -> None:
    """Tell in one sentence what kind of picture it is, if a caption does."""
    readings = page.graph.sources.readings if page.graph.sources is not None else ()
    for tell in (_tell_monochrome, _tell_close):
        if page.room() > 0 and any(tell(page, reading) for reading in readings):
            return


def _tell_monochrome(page: Paragraph, reading: CaptionReading) -> bool:
    """Tell of a caption's "a black and white photo", unless some color was told."""
    tokens = reading.tokens
    if any(map(page.has_word, _COLORS)):
        return False
    for at in range(min(_FIRST, len(tokens))):
        end = at + len(_MONOCHROME)
        is_told = tokens[at:end] == _MONOCHROME and end < len(tokens) and tokens[end] in _PICTURES
        if is_told and _OPENING.issuperset(tokens[:at]) and "frame" not in tokens:
            return _add(page, reading, (at, end + 1), "d_monochrome", f"a black and white {tokens[end]}")
    return False


def _tell_close(page: Paragraph, reading: CaptionReading) -> bool:
    """Tell of a caption's "a close up of a cat" where something does fill much of the picture."""
    tokens = reading.tokens
    is_near = max((box.area for one in page.graph.boxed_entities() for box in one.boxes), default=0) > _NEAR
    at = next((at for at in range(_FIRST) if tokens[at : at + 2] == _CLOSE), None)
    return at is not None and is_near and _add(page, reading, (at, at + 2), "d_close", "a close up")


def _add(page: Paragraph, reading: CaptionReading, tokens: tuple[int, int], family: str, kind: str) -> bool:
    page.add(family, (Claim("told", kind, evidence=Evidence((reading.span(*tokens),))),), kind=kind)
    return True
