"""Where boxes lie, said in words only where a margin keeps the words true."""

from instructgen.records import Box

_FAR = 0.36  # centre of a box that lies clearly on one side
_HALF = 0.5
_NEAR, _NOT_FAR, _FULL = 0.06, 0.15, 0.5  # how far from the middle a centre lies beside it, and how broad a box is
_LEVEL = 0.12  # how far above or below the middle a centre may be of what lies left or right of it
_GAP = 0.03  # free space between two boxes before one is called left of or above the other


def side_of(box: Box) -> str:
    """Return "left", "right", "middle", or "" where none is safe."""
    return _third(box.x0, box.x1, ("left", "middle", "right"))


def height_of(box: Box) -> str:
    """Return "top", "bottom", "middle", or "" where none is safe."""
    return _third(box.y0, box.y1, ("top", "middle", "bottom"))


def lean_of(box: Box) -> str:
    """Return "left" or "right" for what lies beside the middle and is on neither side, "" for the rest."""
    off, down = (box.x0 + box.x1) / 2 - _HALF, (box.y0 + box.y1) / 2 - _HALF
    is_beside = _NEAR < abs(off) < _NOT_FAR and abs(down) < _LEVEL
    if side_of(box) or not is_beside or box.x1 - box.x0 > _FULL:
        return ""
    return "left" if off < 0 else "right"


def _third(low: float, high: float, names: tuple[str, str, str]) -> str:
    centre = (low + high) / 2
    if centre < _FAR and high <= _HALF + 0.02:
        return names[0]
    if centre > 1 - _FAR and low >= _HALF - 0.02:
        return names[2]
    return names[1] if abs(centre - _HALF) < 0.07 and high - low < 0.7 else ""


def relation_of(one: Box, other: Box) -> str:
    """Return where `one` lies from `other`: "left", "right", "higher", "lower", or "" where boxes meet."""
    if one.x1 + _GAP < other.x0:
        return "left"
    if other.x1 + _GAP < one.x0:
        return "right"
    if one.y1 + _GAP < other.y0:
        return "higher"
    if other.y1 + _GAP < one.y0:
        return "lower"
    return ""
