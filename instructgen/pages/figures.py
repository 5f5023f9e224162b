"""A picture with boxes drawn over it, which can be switched off and which a claim can light up."""

import base64
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

_PICTURE_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_FEW_BOXES = 5
_NUM_TONES = 8  # house.css has as many colours for boxes


class BoxMark(Struct, frozen=True):
    """In fractions of the picture, as everywhere. `tone` is 1 to 8, one for each label as far as they go."""

    label: str
    x0: float
    y0: float
    x1: float
    y1: float
    tone: int = 1
    is_crowd: bool = False
    is_named: bool = True
    """Whether the label stands at the box; of many boxes with one label only the largest has it, until it is lit."""


class BoxLabel(Struct, frozen=True):
    """A line of a picture's legend."""

    label: str
    tone: int
    num: int


class Picture(Struct, frozen=True):
    """`source` is a data: URI or an address on the page's own server; None where the picture is not at hand.

    Without it the boxes are drawn on an empty sheet of the same shape, with `missing` saying what to do.
    `boxes` come largest first, so that a small one lies on top.
    """

    source: str | None
    alt: str
    width_px: int
    height_px: int
    boxes: tuple[BoxMark, ...] = ()
    missing: str = ""

    @property
    def labels(self) -> tuple[BoxLabel, ...]:
        """The labels of the boxes, the most frequent first."""
        tones = {box.label: box.tone for box in self.boxes}
        counts = Counter(box.label for box in self.boxes)
        return tuple(BoxLabel(label, tones[label], num) for label, num in counts.most_common())


def mark_boxes(boxes: Sequence[tuple[str, float, float, float, float, bool]]) -> tuple[BoxMark, ...]:
    """Return boxes (label, x0, y0, x1, y1, is_crowd) largest first, each label in its own tone."""
    tones: dict[str, int] = {}
    for label, *_ in boxes:
        tones.setdefault(label, len(tones) % _NUM_TONES + 1)
    named: set[str] = set()
    marks = []
    for label, x0, y0, x1, y1, crowd in sorted(boxes, key=lambda box: (box[1] - box[3]) * (box[4] - box[2])):
        is_named = label not in named or len(boxes) <= _FEW_BOXES
        named.add(label)
        marks.append(BoxMark(label, x0, y0, x1, y1, tones[label], crowd, is_named))
    return tuple(marks)


def find_media_type(picture: bytes) -> str | None:
    """Return the type of a picture that browsers show, by its first bytes; None for anything else."""
    for start, kind in _PICTURE_KINDS:
        if picture.startswith(start):
            return kind
    return "image/webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else None


def make_data_uri(picture: bytes) -> str | None:
    """Return the picture as an address that holds it; None where no browser shows it."""
    kind = find_media_type(picture)
    return None if kind is None else f"data:{kind};base64,{base64.b64encode(picture).decode()}"
