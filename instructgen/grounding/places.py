"""Do boxes lie where an answer says? Only where the margin is clear is it contradicted."""

from instructgen.grounding.claims import Kind, Truth
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.judged import Judged
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sides import Placement, Side
from instructgen.lexicon.categories import find_category
from instructgen.records import Box

_MIDDLE = 0.5
_SUPPORTS = 0.02  # a centre may lie so far beyond the middle and still be called left
_CONTRADICTS = 0.05
_CONTRADICTS_HEIGHT = 0.12  # "at the bottom" is said loosely
_CENTRAL = (0.33, 0.67)  # a box that does not reach into this third is not in the middle
_MUCH_LARGER = 5
_ARM = 0.15
_KINDEST: tuple[Truth, ...] = ("supported", "unverifiable", "contradicted")
_APART = 0.03  # of two things' centres
_APART_AT_EDGE = 0.15  # "on the left side of the table" may be said of what lies on it


def judge_placement(placement: Placement, evidence: Evidence) -> Judged | None:
    """Judge a place in the frame, or beside another thing; None where no subject is a boxed thing."""
    boxed = [
        subject
        for subject in placement.subjects
        if not subject.is_unreal
        and not subject.is_supposed
        and not (subject.is_negated and not subject.is_definite)  # "the dog isn't in the middle but on the left"
        and evidence.is_boxed(subject.category or "")
    ]
    if not boxed:
        return None
    judge = _judge_in_frame if placement.target is None else _judge_beside
    found = [judge(placement, subject, evidence) for subject in boxed]
    kind: Kind = "position" if placement.target is None else "relation"
    # Whom the place is said of is not always clear: the kindest reading counts.
    subject, (truth, evidence_said) = min(zip(boxed, found, strict=True), key=lambda one: _KINDEST.index(one[1][0]))
    if truth != "contradicted" and placement.target is None:
        astray = [thing for thing in placement.held if _is_astray(placement, thing, evidence)]
        if astray:
            truth, evidence_said = (
                "contradicted",
                f"{astray[0].category} at {_say_places(evidence.boxes[astray[0].category or ''])}",
            )
    return Judged(kind, truth, subject.category or "", placement.start, placement.end, evidence_said)


def _judge_in_frame(placement: Placement, subject: Phrase, evidence: Evidence) -> tuple[Truth, str]:
    category = subject.category or ""
    boxes = evidence.boxes.get(category, ())
    if placement.is_main:
        boxes = _find_largest(boxes)
    said = f"{category} at {_say_places(boxes)}"
    if any(all(_off(box, side) <= _SUPPORTS for side in placement.sides) for box in boxes):
        return "supported", said
    if category in evidence.crowds or not boxes:
        return "unverifiable", f"a crowd of {category}"
    is_wrong = all(any(_off(box, side) > _limit(side) for side in placement.sides) for box in boxes)
    if subject.number == 1 or subject.determiner == "another":  # "one on the left": of the two, perhaps
        is_wrong = is_wrong and len(boxes) == 1
    return ("contradicted" if is_wrong else "unverifiable"), said


def _find_largest(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Return the box that is much larger than all others, alone; all boxes where none is."""
    by_area = sorted(boxes, key=lambda box: -box.area)
    return tuple(by_area[:1]) if len(boxes) > 1 and by_area[0].area > _MUCH_LARGER * by_area[1].area else boxes


def _is_astray(placement: Placement, thing: Phrase, evidence: Evidence) -> bool:
    """Return whether what somebody holds is clearly elsewhere; an arm is long."""
    boxes = evidence.boxes.get(thing.category or "", ())
    sides = [side for side in placement.sides if side in ("left", "right")]
    return len(boxes) == 1 and any(_off(boxes[0], side) > _ARM for side in sides)


def _limit(side: Side) -> float:
    return _CONTRADICTS if side in ("left", "right") else _CONTRADICTS_HEIGHT if side != "middle" else 0.0


def _off(box: Box, side: Side) -> float:
    """Return by how much a box misses a side, as a share of the frame; 0 and less where it is there."""
    across, down = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    match side:
        case "left":
            return across - _MIDDLE
        case "right":
            return _MIDDLE - across
        case "top":
            return down - _MIDDLE
        case "bottom":
            return _MIDDLE - down
        case "middle":
            low, high = _CENTRAL
            return max(low - box.x1, box.x0 - high, low - box.y1, box.y0 - high)


def _judge_beside(placement: Placement, subject: Phrase, evidence: Evidence) -> tuple[Truth, str]:
    target = placement.target
    assert target is not None
    ours = evidence.boxes.get(subject.category or "", ())
    theirs = evidence.boxes.get(target.category or _find_boxed_as(target.lemma, evidence, subject.category), ())
    pairs = [(one, other) for one in ours for other in theirs if one is not other]
    if not pairs or {subject.category, target.category} & evidence.crowds or "middle" in placement.sides:
        return "unverifiable", f"no box of {target.lemma}" if not theirs else "their places cannot be compared"
    said = f"{subject.category} at {_say_places(ours)}, {target.category} at {_say_places(theirs)}"
    worst = min(max(_past(one, other, side) for side in placement.sides) for one, other in pairs)
    if worst <= 0:
        return "supported", said
    is_clear = worst > (_APART_AT_EDGE if placement.is_edge else _APART) and subject.category != target.category
    return ("contradicted" if is_clear else "unverifiable"), said


def _find_boxed_as(lemma: str, evidence: Evidence, subject: str | None) -> str:
    """Return as what a vague word must be boxed, "monitor" as tv; "" where it may be several things, or none."""
    found = [name for name in evidence.boxes if name != subject and lemma in find_category(name).hints]
    return found[0] if len(found) == 1 else ""


def _past(one: Box, other: Box, side: Side) -> float:
    """Return how far a centre lies on the wrong side of the other one, as a share of the frame."""
    across = (one.x0 + one.x1 - other.x0 - other.x1) / 2
    if side in ("left", "right"):
        return across if side == "left" else -across
    # Above and below, boxes that overlap are left alone: an umbrella's box holds who stands under it.
    return one.y0 - other.y1 + _APART if side == "top" else other.y0 - one.y1 + _APART


def _say_places(boxes: tuple[Box, ...]) -> str:
    """Return the centres of the first boxes, in percent of the frame: "30% across, 60% down"."""
    places = [f"{(box.x0 + box.x1) * 50:.0f}% across and {(box.y0 + box.y1) * 50:.0f}% down" for box in boxes[:3]]
    return " or ".join(places) + (f" or {len(boxes) - 3} more" if len(boxes) > 3 else "")
