"""What a build would ask, cost and take, worked out from the counts of a survey."""

from collections.abc import Mapping

from msgspec import Struct

from instructgen.config import BuildConfig
from instructgen.generate.budget import NANO
from instructgen.jobs.earlier import History
from instructgen.jobs.forecast_budget import BudgetPlan, plan_budget
from instructgen.jobs.forecast_judge import JudgingParts, JudgingPlan
from instructgen.jobs.forecast_refine import RefinementPlan, RefiningParts
from instructgen.jobs.survey import KnownCounts, PlannedTeacher, PromptCounts, TypeCounts
from instructgen.teachers.prices import Price

_MIN_KNOWN = 20  # earlier answers from which to go on
_DEFAULT_ANSWER_TOKENS = 250  # where a prompt has no examples to go by
# Of a hosted model with nothing else known: until the first token, and for each further one.
_FIRST_TOKEN_S = 1.0
_ANSWER_TOKEN_S = 0.02


class ServerPlan(Struct, frozen=True):
    """One server of the teacher: what it charges (None: nobody knows) and what it lets through."""

    name: str
    model: str
    price: Price | None
    price_origin: str
    share: float
    concurrency: int
    requests_per_minute: float | None
    tokens_per_minute: float | None


class TypePlan(Struct, frozen=True):
    """One sample type. Tokens and dollars are of the requests to send; `most_*` take every answer at its longest.

    `cached_cost_usd` is what it costs where the server has all in its cache that the prompts begin with alike.
    None: nobody knows the price, or no max_tokens is set.
    """

    units: int
    rejected: dict[str, int]
    requests: int
    answered: dict[str, int]
    to_send: int
    prompt_tokens: int
    shared_prompt_tokens: int
    completion_tokens: int
    most_completion_tokens: int | None
    cached_cost_usd: float | None
    cost_usd: float | None
    most_cost_usd: float | None
    completion_from: str


class FallbackPlan(Struct, frozen=True):
    """How many units will go to the fallback is not known; this is what a thousand of them cost."""

    teacher: str
    model: str
    prompt_tokens: float
    completion_tokens: float
    usd_per_1000_units: float | None
    price_origin: str


class TimePlan(Struct, frozen=True):
    """`seconds` None: the batch API takes up to a day. `bound_by` is the limit that makes it last so long."""

    seconds: float | None
    bound_by: str
    latency_s: float
    latency_from: str


class Estimate(Struct, frozen=True):
    """The whole plan. `total` adds up the types."""

    teacher: str
    model: str
    is_remote: bool
    """Whether a server is asked, so that tokens count; otherwise it costs nothing."""
    is_batch: bool
    types: dict[str, TypePlan]
    total: TypePlan
    servers: tuple[ServerPlan, ...]
    tokens_from: str
    budget_usd: BudgetPlan | None
    budget_tokens: BudgetPlan | None
    time: TimePlan | None
    fallback: FallbackPlan | None
    num_images: int
    issues: dict[str, int]
    num_not_recorded: int
    refinement: RefinementPlan | None = None
    judging: JudgingPlan | None = None


class Forecaster(Struct, frozen=True):
    """Turns the counts of a survey into a plan."""

    config: BuildConfig
    teacher: PlannedTeacher
    servers: tuple[ServerPlan, ...]
    fallback: PlannedTeacher | None
    fallback_servers: tuple[ServerPlan, ...]
    history: History
    refining: RefiningParts | None = None
    judging: JudgingParts | None = None

    def estimate(self, found: Mapping[str, TypeCounts], num_images: int, issues: Mapping[str, int]) -> Estimate:
        pooled = KnownCounts()
        for counts in found.values():
            pooled.merge(counts.known)
        types = {name: self._plan_type(counts, pooled) for name, counts in found.items()}
        total = add_up(list(types.values()))
        run, max_tokens = self.config.run, self.teacher.decoding.max_tokens
        refinement = None if self.refining is None else self.refining.plan(total, max_tokens)
        whole = total if refinement is None else refinement.add_to(total)
        judging = None if self.judging is None else self.judging.plan(found.values(), total, max_tokens)
        whole = whole if judging is None else judging.add_to(whole)
        return Estimate(
            teacher=self.teacher.name,
            model=self.teacher.model,
            is_remote=self.teacher.is_remote,
            is_batch=run.batch and self.teacher.is_remote,
            types=types,
            total=total,
            servers=self.servers,
            tokens_from=self._describe_tokens(pooled),
            budget_usd=None if run.budget_usd is None else self._plan_dollars(whole, run.budget_usd),
            budget_tokens=None if run.budget_tokens is None else self._plan_tokens(whole, run.budget_tokens),
            time=self._plan_time(total) if self.teacher.is_remote else None,
            fallback=self._plan_fallback(found),
            num_images=num_images,
            issues=dict(sorted(issues.items())),
            num_not_recorded=sum(counts.num_not_recorded for counts in found.values()),
            refinement=refinement,
            judging=judging,
        )

    def _plan_type(self, counts: TypeCounts, pooled: KnownCounts) -> TypePlan:
        to_send = counts.num_to_send
        correction = _find_correction(counts.known, pooled)
        prompt_tokens = round(counts.prompts.tokens * correction)
        shared_tokens = round(counts.prompts.shared_tokens * to_send * correction)
        mean, origin = expect_answer(counts.known, counts.prompts, self.teacher.decoding.max_tokens)
        completion_tokens = round(to_send * mean) if self.teacher.is_remote else 0
        most = None if self.teacher.decoding.max_tokens is None else to_send * self.teacher.decoding.max_tokens
        if not self.teacher.is_remote:
            most, origin = 0, ""
        return TypePlan(
            units=counts.num_units,
            rejected=dict(sorted(counts.rejected.items())),
            requests=counts.num_requests,
            answered=dict(counts.num_answered),
            to_send=to_send,
            prompt_tokens=prompt_tokens,
            shared_prompt_tokens=shared_tokens,
            completion_tokens=completion_tokens,
            most_completion_tokens=most,
            cached_cost_usd=self._price(prompt_tokens, completion_tokens, shared_tokens),
            cost_usd=self._price(prompt_tokens, completion_tokens),
            most_cost_usd=None if most is None else self._price_at_most(prompt_tokens, most),
            completion_from=origin,
        )

    def _prices(self) -> list[Price | None]:
        """Return each server's price, as the batch API has it where the build asks through that."""
        prices = [server.price for server in self.servers]
        return [price and price.for_batch() for price in prices] if self.config.run.batch else prices

    def _price(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float | None:
        if not self.teacher.is_remote:
            return 0.0
        shares = [server.share for server in self.servers]
        return price_shared(self._prices(), shares, prompt_tokens, completion_tokens, cached_tokens)

    def _price_at_most(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the cost if all went to the dearest server."""
        if not self.teacher.is_remote:
            return 0.0
        costs = [price_shared([price], [1.0], prompt_tokens, completion_tokens) for price in self._prices()]
        return None if None in costs else max(cost or 0.0 for cost in costs)

    def _describe_tokens(self, pooled: KnownCounts) -> str:
        if not self.teacher.is_remote:
            return ""
        how = self.teacher.counter.how
        if pooled.num < _MIN_KNOWN:
            return how
        change = pooled.prompt / max(pooled.counted, 1) - 1
        return f"{how}; corrected by {change:+.1%}, as the server counted for {pooled.num} earlier answers"

    def _plan_dollars(self, total: TypePlan, limit: float) -> BudgetPlan:
        spent = self.history.spent.nano_usd / NANO
        return plan_budget(limit, spent, total.cost_usd, total.most_cost_usd, total.to_send)

    def _plan_tokens(self, total: TypePlan, limit: int) -> BudgetPlan:
        longest = total.most_completion_tokens
        most = None if longest is None else total.prompt_tokens + longest
        expected = total.prompt_tokens + total.completion_tokens
        return plan_budget(limit, self.history.spent.tokens, expected, most, total.to_send)

    def _plan_time(self, total: TypePlan) -> TimePlan:
        if self.history.latency_s is not None:
            latency_s, latency_from = self.history.latency_s, "the mean of the latest run in this folder"
        else:
            latency_s = _FIRST_TOKEN_S + _ANSWER_TOKEN_S * total.completion_tokens / max(total.to_send, 1)
            latency_from = f"assumed: {_FIRST_TOKEN_S:g} s and {1 / _ANSWER_TOKEN_S:g} tokens a second"
        if self.config.run.batch:
            return TimePlan(None, "the batch API", latency_s, latency_from)
        concurrency = sum(server.concurrency for server in self.servers)
        bounds = {f"{concurrency} requests in flight": total.to_send * latency_s / concurrency}
        requests = add_limits([server.requests_per_minute for server in self.servers])
        tokens = add_limits([server.tokens_per_minute for server in self.servers])
        if requests is not None:
            bounds[f"{requests:,.10g} requests a minute"] = 60 * total.to_send / requests
        if tokens is not None:
            bounds[f"{tokens:,.10g} tokens a minute"] = 60 * (total.prompt_tokens + total.completion_tokens) / tokens
        bound_by = max(bounds, key=bounds.__getitem__)
        return TimePlan(bounds[bound_by], bound_by, latency_s, latency_from)

    def _plan_fallback(self, found: Mapping[str, TypeCounts]) -> FallbackPlan | None:
        fallback = self.fallback
        if fallback is None:
            return None
        num = sum(counts.fallback.num for counts in found.values())
        if not fallback.is_remote or not num:
            origin = "answers inside this process" if not fallback.is_remote else "nothing is to be asked"
            return FallbackPlan(fallback.name, fallback.model, 0.0, 0.0, 0.0, origin)
        max_tokens = fallback.decoding.max_tokens
        answers = sum(
            counts.fallback.num * expect_answer(KnownCounts(), counts.fallback, max_tokens)[0]
            for counts in found.values()
        )
        prompts = sum(counts.fallback.tokens for counts in found.values())
        per_1000 = round(1000 * prompts / num), round(1000 * answers / num)
        servers = self.fallback_servers
        prices = [server.price for server in servers]
        return FallbackPlan(
            teacher=fallback.name,
            model=fallback.model,
            prompt_tokens=prompts / num,
            completion_tokens=answers / num,
            usd_per_1000_units=price_shared(prices, [server.share for server in servers], *per_1000),
            price_origin="; ".join(sorted({server.price_origin for server in servers})),
        )


def expect_answer(known: KnownCounts, prompts: PromptCounts, max_tokens: int | None) -> tuple[float, str]:
    """Return how many tokens an answer is expected to have, and what that is based on."""
    if known.num >= _MIN_KNOWN:
        mean, origin = known.completion / known.num, f"the mean of {known.num} earlier answers"
    elif prompts.num_examples:
        mean, origin = prompts.example_tokens / prompts.num_examples, "the mean of the answers that the prompt shows"
    else:
        mean, origin = float(_DEFAULT_ANSWER_TOKENS), "assumed, for the prompt shows no answer"
    return (mean if max_tokens is None else min(mean, float(max_tokens))), origin


def price_shared(
    prices: list[Price | None],
    shares: list[float],
    prompt_tokens: int,
    completion_tokens: int,
    cached_tokens: int = 0,
) -> float | None:
    """Return dollars for tokens of which each server gets its share; None where a price is not known."""
    total = 0
    for price, share in zip(prices, shares, strict=True):
        if price is None:
            return None
        total += price.nano_usd(
            round(share * prompt_tokens), round(share * completion_tokens), round(share * cached_tokens)
        )
    return total / NANO


def add_limits(limits: list[float | None]) -> float | None:
    """Return what all servers let through in a minute; None where one has no known limit."""
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None


def add_up(plans: list[TypePlan]) -> TypePlan:
    """Return the sum; it is None in what is None for one."""
    rejected: dict[str, int] = {}
    answered: dict[str, int] = {}
    for plan in plans:
        for total, part in ((rejected, plan.rejected), (answered, plan.answered)):
            for key, count in part.items():
                total[key] = total.get(key, 0) + count
    longest = [plan.most_completion_tokens for plan in plans]
    return TypePlan(
        units=sum(plan.units for plan in plans),
        rejected=dict(sorted(rejected.items())),
        requests=sum(plan.requests for plan in plans),
        answered=answered,
        to_send=sum(plan.to_send for plan in plans),
        prompt_tokens=sum(plan.prompt_tokens for plan in plans),
        shared_prompt_tokens=sum(plan.shared_prompt_tokens for plan in plans),
        completion_tokens=sum(plan.completion_tokens for plan in plans),
        most_completion_tokens=None if None in longest else sum(count or 0 for count in longest),
        cached_cost_usd=_add_costs([plan.cached_cost_usd for plan in plans]),
        cost_usd=_add_costs([plan.cost_usd for plan in plans]),
        most_cost_usd=_add_costs([plan.most_cost_usd for plan in plans]),
        completion_from="",
    )


def _add_costs(costs: list[float | None]) -> float | None:
    return None if None in costs else round(sum(cost or 0.0 for cost in costs), 9)


def _find_correction(known: KnownCounts, pooled: KnownCounts) -> float:
    """Return by how much the server counted more than we do, of this type or else of all."""
    for counts in (known, pooled):
        if counts.num >= _MIN_KNOWN and counts.counted:
            return counts.prompt / counts.counted
    return 1.0
