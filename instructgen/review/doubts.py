"""What a reviewer should look at first: what the filters doubted, and what annotations do not bear out."""

from collections import Counter
from collections.abc import Mapping, Sequence

from instructgen.grounding.check import check_turns
from instructgen.grounding.evidence import read_evidence
from instructgen.records import Box, ImageRecord, Message
from instructgen.review.order import DOUBT_SCORES

_THIRDS = (1 / 3, 2 / 3)


def list_doubts(
    scores: Mapping[str, float | None] | None,
    turns: Sequence[Message],
    sample_type: str,
    record: ImageRecord | None,
) -> tuple[str, ...]:
    """Return one line for each doubt: claims that the annotations contradict, then those that nothing bears out."""
    lines = [
        f"{name} {score:.2f}: that share {meaning}"
        for name, meaning in DOUBT_SCORES.items()
        if (score := (scores or {}).get(name))
    ]
    if record is not None:
        findings = check_turns(turns, read_evidence(record), sample_type)
        for truth in ("contradicted", "unverifiable"):
            lines += [
                f'{truth} {claim.kind}: "{claim.text}" ({claim.evidence})'
                for claim in findings.claims
                if claim.truth == truth
            ]
    return tuple(lines)


def list_box_lines(boxes: Sequence[Box]) -> tuple[str, ...]:
    """Return each category with its number and where its boxes' centres lie, the most frequent first."""
    counts = Counter(box.category for box in boxes)
    lines = []
    for category, num in counts.most_common():
        found = [box for box in boxes if box.category == category]
        where = Counter(_find_side(box) for box in found)
        sides = ", ".join(f"{n} {side}" if num > 1 else side for side, n in where.most_common())
        crowd = " (some of it a crowd)" if any(box.is_crowd for box in found) else ""
        lines.append(f"{num} {category}{crowd}: {sides}")
    return tuple(lines)


def _find_side(box: Box) -> str:
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    across = ("left", "centre", "right")[(x > _THIRDS[0]) + (x > _THIRDS[1])]
    down = ("top", "middle", "bottom")[(y > _THIRDS[0]) + (y > _THIRDS[1])]
    return f"{down} {across}"
