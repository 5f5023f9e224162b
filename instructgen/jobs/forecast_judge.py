"""What a judge adds to a plan: one request for each sample that the filters accept."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.config import BuildConfig
from instructgen.jobs.forecast_refine import DEFAULT_ANSWER_TOKENS, add_extra, price_at_dearest
from instructgen.jobs.survey import PlannedTeacher, TypeCounts

if TYPE_CHECKING:
    from instructgen.jobs.forecast import ServerPlan, TypePlan

_VERDICT_TOKENS = 60  # two marks, and one or two sentences


class JudgingPlan(Struct, frozen=True):
    """Of the answers to come; those that are there already may have been judged.

    `requests` and the tokens take it that the filters accept every answer. `most_cost_usd` also takes each text and
    each verdict at its longest, and every unit's fallback. None: nobody knows the price, or no max_tokens is set.
    """

    teacher: str
    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    most_tokens: int | None
    cost_usd: float | None
    most_cost_usd: float | None

    def add_to(self, total: "TypePlan") -> "TypePlan":
        """Return what a budget has to cover in all."""
        return add_extra(total, self)


class JudgingParts(Struct, frozen=True):
    """Who judges, at which servers; `teacher` writes the prompt of a unit whose text is still empty."""

    teacher: PlannedTeacher
    servers: "tuple[ServerPlan, ...]"
    config: BuildConfig

    def plan(self, found: Iterable[TypeCounts], total: "TypePlan", max_tokens: int | None) -> JudgingPlan:
        """Return the plan for the answers of `total`, none of which is longer than `max_tokens`."""
        num, shown, limit = (
            total.to_send,
            sum(counts.judged.tokens for counts in found),
            self.teacher.decoding.max_tokens,
        )
        answer = total.completion_tokens or num * DEFAULT_ANSWER_TOKENS
        verdict = _VERDICT_TOKENS if limit is None else min(limit, _VERDICT_TOKENS)
        prompt_tokens, completion_tokens = (shown + answer, num * verdict) if self.teacher.is_remote else (0, 0)
        most = self._find_most(num, shown, max_tokens)
        prices = [server.price for server in self.servers]
        return JudgingPlan(
            teacher=self.teacher.name,
            model=self.teacher.model,
            requests=num,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            most_tokens=None if most is None else sum(most) - prompt_tokens,
            cost_usd=price_at_dearest(prices, prompt_tokens, completion_tokens),
            most_cost_usd=None if most is None else price_at_dearest(prices, *most),
        )

    def _find_most(self, num: int, shown: int, max_tokens: int | None) -> tuple[int, int] | None:
        """Return prompt and answer tokens if every text of every teacher were judged, each as long as it can be."""
        limit = self.teacher.decoding.max_tokens
        if not self.teacher.is_remote:
            return (0, 0)
        longest = self._list_longest(max_tokens)
        if limit is None or None in longest:
            return None
        return sum(shown + num * (text or 0) for text in longest), num * limit * len(longest)

    def _list_longest(self, max_tokens: int | None) -> list[int | None]:
        """Return the tokens of the teacher's longest text, and of the fallback's."""
        refine, (teacher, fallback) = self.config.refine, (self.config.teacher, self.config.teacher.fallback)
        limits = [max_tokens] if fallback is None else [max_tokens, fallback.decoding.max_tokens]
        times = 1 if refine.continue_below_tokens is None else 2
        is_refined = refine.rewrite or refine.repair_rounds > 0
        refined = (refine.teacher or teacher).decoding.max_tokens if is_refined else 0
        return [None if limit is None or refined is None else max(times * limit, refined) for limit in limits]
