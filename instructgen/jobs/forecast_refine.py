"""What refinement adds to a plan: requests of which most come only where an answer calls for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import RefineConfig
from instructgen.generate.budget import NANO
from instructgen.jobs.lanes import count_requests
from instructgen.jobs.survey import PlannedTeacher
from instructgen.refine.prompts import Draft, RefinePrompt, RefinePrompts

if TYPE_CHECKING:
    from instructgen.jobs.forecast import ServerPlan, TypePlan
    from instructgen.jobs.forecast_judge import JudgingPlan
    from instructgen.teachers.prices import Price

DEFAULT_ANSWER_TOKENS = 250  # of a teacher whose answers count no tokens
_FAULTS_SHARE = 2  # a list of faults, with their sentences and evidence, at most so many times the text


class RefinementPlan(Struct, frozen=True):
    """Of the answers to come; those that are there already may have been refined.

    `requests` and the tokens are what is expected: one rewriting each. `most_cost_usd` takes every request that an
    answer may call for, at its longest. None: nobody knows the price, or no max_tokens is set.
    """

    teacher: str
    model: str
    most_requests_per_answer: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    most_tokens: int | None
    cost_usd: float | None
    most_cost_usd: float | None

    def add_to(self, total: "TypePlan") -> "TypePlan":
        """Return what a budget has to cover in all."""
        return add_extra(total, self)


class RefiningParts(Struct, frozen=True):
    """Who refines, at which servers, and what is sent."""

    teacher: PlannedTeacher
    servers: "tuple[ServerPlan, ...]"
    prompts: RefinePrompts
    config: RefineConfig

    def plan(self, total: "TypePlan", max_tokens: int | None) -> RefinementPlan:
        """Return the plan for the answers of `total`, none of which is longer than `max_tokens`."""
        num = total.to_send
        answer = round(total.completion_tokens / num) if num and total.completion_tokens else DEFAULT_ANSWER_TOKENS
        rules = self._count_rules(self.prompts.rewrite)
        is_asked = self.config.rewrite and self.teacher.is_remote
        prompt_tokens, completion_tokens = (num * (rules + answer), num * answer) if is_asked else (0, 0)
        most = self._find_most(total, max_tokens)
        prices = [server.price for server in self.servers]
        return RefinementPlan(
            teacher=self.teacher.name,
            model=self.teacher.model,
            most_requests_per_answer=count_requests(self.config),
            requests=num if self.config.rewrite else 0,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            most_tokens=None if most is None else sum(most) - prompt_tokens,
            cost_usd=price_at_dearest(prices, prompt_tokens, completion_tokens),
            most_cost_usd=None if most is None else price_at_dearest(prices, *most),
        )

    def _find_most(self, total: "TypePlan", max_tokens: int | None) -> tuple[int, int] | None:
        """Return prompt and answer tokens if every answer took every request, each as long as it can be."""
        limit = self.teacher.decoding.max_tokens
        if not self.teacher.is_remote:
            return (0, 0)
        if max_tokens is None or limit is None:
            return None
        num, text = total.to_send, 2 * max_tokens  # an answer and what it went on with
        shown = total.prompt_tokens // num if num else 0
        prompts, answers = 0, 0
        if self.config.continue_below_tokens is not None:
            prompts, answers = shown + max_tokens, max_tokens
        if self.config.rewrite:
            prompts, answers = prompts + self._count_rules(self.prompts.rewrite) + text, answers + limit
        longest = max(text, limit)
        repair = self._count_rules(self.prompts.repair) + shown + (1 + _FAULTS_SHARE) * longest
        rounds = self.config.repair_rounds
        return num * (prompts + rounds * repair), num * (answers + rounds * limit)

    def _count_rules(self, prompt: RefinePrompt | None) -> int:
        if prompt is None:
            return 0
        return self.teacher.counter.count(prompt.messages(Draft(""), self.teacher.decoding))


def price_at_dearest(prices: "Sequence[Price | None]", prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return dollars at the dearest of the servers; none where nothing is asked of one."""
    costs = [None if price is None else price.nano_usd(prompt_tokens, completion_tokens) for price in prices]
    return None if None in costs else max([cost or 0 for cost in costs], default=0) / NANO


def add_extra(total: "TypePlan", extra: "RefinementPlan | JudgingPlan") -> "TypePlan":
    """Return a total with what comes on top of it."""
    return replace(
        total,
        prompt_tokens=total.prompt_tokens + extra.prompt_tokens,
        completion_tokens=total.completion_tokens + extra.completion_tokens,
        most_completion_tokens=_add(total.most_completion_tokens, extra.most_tokens),
        cost_usd=_add(total.cost_usd, extra.cost_usd),
        most_cost_usd=_add(total.most_cost_usd, extra.most_cost_usd),
    )


def _add(one: "float | None", other: "float | None") -> "float | None":
    return None if one is None or other is None else one + other
