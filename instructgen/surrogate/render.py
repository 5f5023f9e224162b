"""The surrogate: an image written down for a text-only teacher (LLaVA, arXiv 2304.08485, table 1)."""

from collections.abc import Iterable, Sequence

from instructgen.config import SurrogateConfig
from instructgen.records import Box, ImageRecord, Rejected, Surrogate
from instructgen.surrogate.boxes import select_boxes

# round(value, 3) as Python prints it, by thousandth: "0.0", "0.001" ... "0.53" ... "1.0".
_PRINTED = tuple(str(thousandths / 1000) for thousandths in range(1001))
# The same by ".3f", which rounds as round() does and takes half its time.
_PRINTED_BY_FIXED = {f"{thousandths / 1000:.3f}": str(thousandths / 1000) for thousandths in range(1001)}
# What is added to round by: half a thousandth and a hair. A value so near to a tie that its product with 1000 may
# have crossed it then lies within two hairs above a whole number, and is rounded exactly instead.
_HAIR = 1e-7
_HALF = 0.5 + _HAIR
_TWO_HAIRS = 2 * _HAIR


def make_surrogate(record: ImageRecord, config: SurrogateConfig, *, with_boxes: bool) -> Surrogate | Rejected:
    """Return the captions and, `with_boxes`, the boxes as text; an image without captions is rejected."""
    if not record.captions:
        return Rejected(record.image_id, "surrogate", "no_captions", f"{len(record.boxes)} boxes")
    boxes = select_boxes(record.boxes, config) if with_boxes else ()
    return Surrogate(record.image_id, surrogate_text(record.captions, boxes), len(record.captions), len(boxes))


def surrogate_text(captions: Sequence[str], boxes: Sequence[Box]) -> str:
    """Return captions one per line, a blank line, boxes one per line; without boxes the captions alone."""
    if not boxes:
        return "\n".join(captions)
    return "\n".join([*captions, "", *box_lines(boxes)])


def box_lines(boxes: Iterable[Box]) -> list[str]:
    """Return `category: [x0, y0, x1, y1]` of each box, each number as round(fraction, 3) prints.

    Three times as fast as rounding and printing each number, and equal to it for every float from 0 to 1.
    """
    lines = []
    for box in boxes:
        x0, y0 = box.x0 * 1000.0 + _HALF, box.y0 * 1000.0 + _HALF
        x1, y1 = box.x1 * 1000.0 + _HALF, box.y1 * 1000.0 + _HALF
        i, j, k, m = int(x0), int(y0), int(x1), int(y1)
        # No factor passes 1, so where the product is above two hairs, every one of them is.
        if (x0 - i) * (y0 - j) * (x1 - k) * (y1 - m) > _TWO_HAIRS:
            lines.append(f"{box.category}: [{_PRINTED[i]}, {_PRINTED[j]}, {_PRINTED[k]}, {_PRINTED[m]}]")
        else:
            corners = [_PRINTED_BY_FIXED[f"{abs(corner):.3f}"] for corner in (box.x0, box.y0, box.x1, box.y1)]
            lines.append(f"{box.category}: [{', '.join(corners)}]")
    return lines
