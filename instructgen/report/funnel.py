"""Planned, answered, parsed, refined, kept: what was lost at each step, and why."""

from collections import Counter

from msgspec import Struct

from instructgen.dataset.manifest import Counts
from instructgen.report.rejections import Rejections

# Step, and the stages that a unit is lost in on the way to it.
_STEPS = (
    ("answered", ("source", "surrogate", "teacher"), "the teacher was asked and gave an answer"),
    ("parsed", ("parse",), "the answer has the form of its type"),
    ("refined", ("refine",), "rewriting and repairs left something that may be used"),
)
_LAST = ("kept", "the filters let it through and it is a row")


class Step(Struct, frozen=True):
    """`share` is of what was planned, 0 to 1; `reasons` are of what was lost on the way from the step before."""

    name: str
    about: str
    num: int
    share: float
    lost: int
    reasons: dict[str, int]


def _find_unlisted(counts: Counts, rejections: Rejections, num: int) -> dict[str, int]:
    """Return the reasons that the manifest counts and rejected.jsonl has no line of, as a sample of a version has."""
    unlisted: Counter[str] = Counter()
    for of_type in counts.reasons.values():
        unlisted.update(of_type)
    for (_, reason), found in rejections.counts.items():
        unlisted[reason] -= found.total()
    rest = {reason: left for reason, left in unlisted.items() if left > 0}
    return rest if sum(rest.values()) == num else {"not in rejected.jsonl": num}


def make_funnel(counts: Counts, rejections: Rejections) -> list[Step]:
    """Return the steps from the first to the last; what was lost in no known stage is lost before the last one."""
    planned = sum(counts.planned.values())
    kept = sum(counts.accepted.values())
    steps = [Step("planned", "an image and a sample type", planned, 1.0, 0, {})]
    left = planned
    for name, stages, about in _STEPS:
        lost = rejections.count(*stages)
        left -= lost
        steps.append(Step(name, about, left, left / max(1, planned), lost, rejections.reasons(*stages)))
    known = {stage for _, stages, _ in _STEPS for stage in stages}
    others = tuple({stage for stage, _ in rejections.counts} - known)
    reasons = rejections.reasons(*others)
    unknown = left - kept - sum(reasons.values())
    if unknown > 0:
        reasons = {**reasons, **_find_unlisted(counts, rejections, unknown)}
    name, about = _LAST
    return [*steps, Step(name, about, kept, kept / max(1, planned), left - kept, reasons)]
