"""What is asked of teachers, times so many; and how a number of images is written."""

import re
from collections.abc import Iterable

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.jobs.forecast import TypePlan
from instructgen.jobs.forecast_judge import JudgingPlan
from instructgen.jobs.forecast_refine import RefinementPlan

_COUNT = re.compile(r"(\d[\d_,]*(?:\.\d*)?(?:[eE]\+?\d{1,2})?)([kKmMbB]?)")
_THOUSANDS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_MOST = 10**15


def parse_count(text: str) -> int:
    """Return the number that "100e6", "1M", "2.5k" or "250,000" means; InstructgenError for anything else."""
    found = _COUNT.fullmatch(text.strip())
    count = 0.0 if found is None else float(re.sub("[_,]", "", found[1])) * _THOUSANDS[found[2].lower()]
    if not 1 <= count <= _MOST or count != int(count):
        raise InstructgenError(f"{text} is no number of images; write 250000, 250k, 1M or 100e6")
    return int(count)


class ScaledLoad(Struct, frozen=True):
    """What is asked, and its cost. None: nobody knows the price, or no max_tokens is set."""

    units: int
    rejected: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    most_cost_usd: float | None


def scale_type(plan: TypePlan, times: float) -> ScaledLoad:
    return ScaledLoad(
        units=round(times * plan.units),
        rejected=round(times * sum(plan.rejected.values())),
        requests=round(times * plan.to_send),
        prompt_tokens=round(times * plan.prompt_tokens),
        completion_tokens=round(times * plan.completion_tokens),
        cost_usd=_times(times, plan.cost_usd),
        most_cost_usd=_times(times, plan.most_cost_usd),
    )


def scale_extra(plan: RefinementPlan | JudgingPlan | None, times: float) -> ScaledLoad | None:
    """Return what a refiner or a judge is expected to be asked; their units are the types' already."""
    if plan is None:
        return None
    return ScaledLoad(
        units=0,
        rejected=0,
        requests=round(times * plan.requests),
        prompt_tokens=round(times * plan.prompt_tokens),
        completion_tokens=round(times * plan.completion_tokens),
        cost_usd=_times(times, plan.cost_usd),
        most_cost_usd=_times(times, plan.most_cost_usd),
    )


def add_loads(loads: Iterable[ScaledLoad | None]) -> ScaledLoad:
    """Return the sum of those that there are; a cost is None where one of them is."""
    found = [load for load in loads if load is not None]
    return ScaledLoad(
        units=sum(load.units for load in found),
        rejected=sum(load.rejected for load in found),
        requests=sum(load.requests for load in found),
        prompt_tokens=sum(load.prompt_tokens for load in found),
        completion_tokens=sum(load.completion_tokens for load in found),
        cost_usd=_add([load.cost_usd for load in found]),
        most_cost_usd=_add([load.most_cost_usd for load in found]),
    )


def _times(times: float, amount: float | None) -> float | None:
    return None if amount is None else times * amount


def _add(amounts: list[float | None]) -> float | None:
    return None if None in amounts else sum(amount or 0.0 for amount in amounts)
