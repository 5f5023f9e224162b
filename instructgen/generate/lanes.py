"""A teacher made ready for the scheduler: its servers with their gates, and its retry policy."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from instructgen.generate.breaker import Breaker
from instructgen.generate.budget import NANO
from instructgen.generate.pool import Endpoint, Pool
from instructgen.generate.retry import RetryPolicy
from instructgen.limits.gate import Gate
from instructgen.observe.runlog import RunLog
from instructgen.prefixes import PrefixMemo
from instructgen.records import Cost, Message, Reply, Request
from instructgen.teachers.base import Teacher

_DEFAULT_ANSWER_TOKENS = 1024  # where no max_tokens is set
_FIRST_RATIO = 0.25  # prompt tokens per character, until answers tell
_LEARNING = 0.05
_LONG_WAIT_S = 2.0
_SAY_EVERY_S = 10.0


@dataclass(slots=True)
class Lane:
    """A teacher with what is learned of it. `pool` is None for a teacher inside this process."""

    teacher: Teacher
    pool: Pool | None
    policy: RetryPolicy
    _ratio: float = _FIRST_RATIO
    _prefix_chars: PrefixMemo[int] = field(default_factory=lambda: PrefixMemo(_sum_chars))

    def most(self, request: Request) -> Cost:
        """Return the most that an attempt at any of the servers can cost."""
        costs = [server.most(request) for server in self.teacher.servers]
        return costs[0] if len(costs) == 1 else Cost(max(c.nano_usd for c in costs), max(c.tokens for c in costs))

    def expect_tokens(self, request: Request) -> int:
        """Return the tokens that a request will count for at a limit of tokens per minute."""
        prompt = self._ratio * self._count_chars(request)
        return int(prompt) + (self.teacher.decoding.max_tokens or _DEFAULT_ANSWER_TOKENS)

    def learn(self, request: Request, reply: Reply) -> None:
        """Take in how many tokens a prompt had."""
        if reply.prompt_tokens:
            self._ratio += _LEARNING * (reply.prompt_tokens / max(self._count_chars(request), 1) - self._ratio)

    def _count_chars(self, request: Request) -> int:
        return self._prefix_chars.find(request.messages) + len(request.messages[-1].content)


@dataclass(slots=True)
class ServerNews:
    """Writes a server's events to the log, and tells people of long waits, now and then."""

    server: str
    log: RunLog
    say: Callable[[str], None]
    now: Callable[[], float]
    has_others: bool
    _said_at_s: float = -math.inf

    def __call__(self, event: str, **fields: Any) -> None:
        self.log.write(event, server=self.server, **fields)
        if event == "server_given_up":
            if self.has_others:  # the error that ends the run says it otherwise
                self.say(f"{self.server} {fields['reason']}")
        elif fields.get("seconds", 0.0) >= _LONG_WAIT_S and self.now() - self._said_at_s >= _SAY_EVERY_S:
            self._said_at_s = self.now()
            detail = f": {fields['detail']}" if fields.get("detail") else ""
            self.say(f"{self.server} is not asked for {fields['seconds']:.0f} s ({fields['reason']}{detail})")


def make_lane(
    teacher: Teacher,
    max_attempts: int,
    log: RunLog,
    say: Callable[[str], None] = lambda _: None,
    now: Callable[[], float] = time.monotonic,
) -> Lane:
    """Return a teacher's lane, its servers' headers wired to their gates; `say` is told why a server is not asked."""
    policy = RetryPolicy(max_attempts)
    if not teacher.is_remote:
        return Lane(teacher, None, policy)
    endpoints: list[Endpoint] = []
    for server in teacher.servers:
        assert server.limits is not None

        tell = ServerNews(server.name, log, say, now, len(teacher.servers) > 1)
        gate = Gate(server.limits, now, tell)
        server.on_headers = gate.read_headers
        endpoints.append(Endpoint(server, gate, Breaker(now, tell)))
    return Lane(teacher, Pool(endpoints, now), policy)


def _sum_chars(messages: tuple[Message, ...]) -> int:
    return sum(len(message.content) for message in messages)


def cost_of(reply: Reply, most: Cost) -> Cost:
    """Return what an answer counts for in a budget: the most that it can cost, where the server does not say."""
    if "usage_missing" in reply.notes:
        return most
    nano_usd = most.nano_usd if reply.cost_usd is None else round(reply.cost_usd * NANO)
    return Cost(nano_usd, reply.prompt_tokens + reply.completion_tokens)
