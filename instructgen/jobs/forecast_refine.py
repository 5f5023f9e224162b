"""What refinement adds to a plan: requests of which most come only where an answer calls for them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import RefineConfig
from instructgen.generate.budget import NANO
from instructgen.jobs.lanes import count_requests
from instructgen.jobs.survey import PlannedTeacher, TypeCounts
from instructgen.records import Message
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
    answer may call for, at its longest, and an answer of every unit's fallback too. None: nobody knows the price, or
    no max_tokens is set.
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


class Writer(Struct, frozen=True):
    """Who writes texts that are refined, and goes on with its short ones; no answer is longer than `max_tokens`.

    `prompt_tokens` are of all that it may be asked to write.
    """

    teacher: PlannedTeacher
    servers: "tuple[ServerPlan, ...]"
    max_tokens: int | None
    prompt_tokens: int = 0


class RefiningParts(Struct, frozen=True):
    """Who refines, at which servers, what is sent, and whose answers they are."""

    teacher: PlannedTeacher
    servers: "tuple[ServerPlan, ...]"
    prompts: RefinePrompts
    config: RefineConfig
    writer: Writer
    fallback: Writer | None

    def take(self, found: Mapping[str, TypeCounts]) -> "RefiningParts":
        """Return the parts with what the fallback's prompts come to if it is asked for every unit."""
        if self.fallback is None:
            return self
        pairs = [(counts.num_to_send, counts.fallback) for counts in found.values()]
        tokens = sum(round(num * some.tokens / some.num) for num, some in pairs if some.num)
        return replace(self, fallback=replace(self.fallback, prompt_tokens=tokens))

    def plan(self, total: "TypePlan", max_tokens: int | None) -> RefinementPlan:
        """Return the plan for the answers of `total`, none of which is longer than `max_tokens`."""
        num = total.to_send
        answer = round(total.completion_tokens / num) if num and total.completion_tokens else DEFAULT_ANSWER_TOKENS
        rules = self._count_rules(self.prompts.rewrite)
        is_asked = self.config.rewrite and self.teacher.is_remote
        prompt_tokens, completion_tokens = (num * (rules + answer), num * answer) if is_asked else (0, 0)
        written = replace(self.writer, prompt_tokens=total.prompt_tokens, max_tokens=max_tokens)
        loads = self._list_loads(num, [written] if self.fallback is None else [written, self.fallback])
        return RefinementPlan(
            teacher=self.teacher.name,
            model=self.teacher.model,
            most_requests_per_answer=count_requests(self.config),
            requests=num if self.config.rewrite else 0,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            most_tokens=None if loads is None else sum(load.tokens for load in loads) - prompt_tokens,
            cost_usd=_Load(self.servers, prompt_tokens, completion_tokens).cost_usd,
            most_cost_usd=None if loads is None else _add_costs([load.cost_usd for load in loads]),
        )

    def _list_loads(self, num: int, writers: list[Writer]) -> "list[_Load] | None":
        """Return what each server is asked if all answers of all writers took every request at its longest."""
        loads: list[_Load] = []
        shown = max(writer.prompt_tokens for writer in writers)  # the surrogates are a part of them
        refines = self.teacher.is_remote and (self.config.rewrite or self.config.repair_rounds > 0)
        for writer in writers:
            goes_on = self.config.continue_below_tokens is not None and writer.teacher.is_remote
            if not goes_on and not refines:
                continue
            longest, limit = writer.max_tokens, self.teacher.decoding.max_tokens
            if longest is None or (refines and limit is None):
                return None
            if goes_on:
                prompts = writer.prompt_tokens + num * (longest + self._count_going_on(writer.teacher))
                loads.append(_Load(writer.servers, prompts, num * longest))
            if refines:
                times = 1 if self.config.continue_below_tokens is None else 2
                loads.append(self._load_refiner(num, shown, times * longest, limit or 0))
        return loads

    def _load_refiner(self, num: int, shown: int, text: int, limit: int) -> "_Load":
        """Return what rewriting and repairing one writer's texts take, each of `text` tokens."""
        prompts, answers = 0, 0
        if self.config.rewrite:
            prompts, answers = num * (self._count_rules(self.prompts.rewrite) + text), num * limit
        rounds = self.config.repair_rounds
        repair = num * (self._count_rules(self.prompts.repair) + (1 + _FAULTS_SHARE) * max(text, limit)) + shown
        return _Load(self.servers, prompts + rounds * repair, answers + rounds * num * limit)

    def _count_going_on(self, teacher: PlannedTeacher) -> int:
        return teacher.counter.count((Message("assistant", ""), Message("user", self.prompts.go_on)))

    def _count_rules(self, prompt: RefinePrompt | None) -> int:
        if prompt is None:
            return 0
        return self.teacher.counter.count(prompt.messages(Draft(""), self.teacher.decoding))


class _Load(Struct, frozen=True):
    """What the servers of one teacher are asked."""

    servers: "tuple[ServerPlan, ...]"
    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost_usd(self) -> float | None:
        return price_at_dearest([server.price for server in self.servers], self.prompt_tokens, self.completion_tokens)


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


def _add_costs(costs: list[float | None]) -> float | None:
    return None if None in costs else sum(cost or 0.0 for cost in costs)


def _add(one: "float | None", other: "float | None") -> "float | None":
    return None if one is None or other is None else one + other
