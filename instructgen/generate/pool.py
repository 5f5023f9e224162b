"""Decides which request goes out next, and to which server."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from instructgen.attempts import AttemptError
from instructgen.generate.breaker import Breaker
from instructgen.limits.gate import Feedback, Gate
from instructgen.teachers.base import Server

_MAX_RUN = 256  # requests of one prefix in a row while others wait
_LATEST_LOOK_S = 1.0


class PoolStoppedError(Exception):
    """The run ends: no request is let through any more."""


@dataclass(slots=True, eq=False)
class Endpoint:
    """A server with what it lets through and how it fares."""

    server: Server
    gate: Gate
    breaker: Breaker
    share: float = 0.0  # requests sent, divided by the weight
    prefix: str = ""  # of the latest of those that had waited for it
    num_run: int = 0  # requests of that prefix in a row

    def wait_s(self, tokens: int) -> float:
        if self.breaker.is_well:
            return self.gate.wait_s(tokens)
        rest_s = self.breaker.wait_s()
        return rest_s if rest_s == math.inf else max(rest_s, self.gate.wait_s(tokens))


@dataclass(slots=True, eq=False)
class Permit:
    """The right to make one attempt at an endpoint; it must be given back."""

    endpoint: Endpoint
    tokens: int
    taken_at_s: float
    latency_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Waiter:
    tokens: int
    avoid: Endpoint | None
    refused: tuple[Endpoint, ...]
    granted: "asyncio.Future[Permit]"


@dataclass(slots=True)
class Pool:
    """The servers of one teacher. Requests that share a prompt prefix go to a server one after the other, so that its
    prefix cache serves them; a failed one that tries again goes first, and to another server where there is one that
    is free. What a server refused outright waits for another one: that server, having nothing to do, is always free.

    While a server fails or is full, the others carry on; among those that are free, shares follow the weights.
    """

    endpoints: Sequence[Endpoint]
    now: Callable[[], float]
    _again: deque[_Waiter] = field(default_factory=deque)
    _groups: dict[str, deque[_Waiter]] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None
    _is_stopped: bool = False
    num_answers: int = 0
    """Answers that have come in this run, from all servers."""
    concurrency: int = field(init=False)
    """Requests in flight at most, all servers together."""

    def __post_init__(self) -> None:
        limits = [endpoint.server.limits for endpoint in self.endpoints]
        self.concurrency = sum(one.concurrency for one in limits if one is not None)

    async def permit(
        self,
        prefix: str,
        tokens: int,
        avoid: Endpoint | None = None,
        refused: tuple[Endpoint, ...] = (),
        *,
        is_again: bool = False,
    ) -> Permit:
        """Wait for the right to send: not to `refused` while another is left, and rather not to `avoid`.

        Raises PoolStoppedError after `stop`.
        """
        if self._is_stopped:
            raise PoolStoppedError
        has_queue = any(not waiter.refused for waiter in self._again) or any(self._groups.values())
        if not has_queue:
            endpoint, _ = self._choose(tokens, avoid, refused)
            if endpoint is not None:
                return self._take(endpoint, tokens)
        waiter = _Waiter(tokens, avoid, refused, asyncio.get_running_loop().create_future())
        (self._again if is_again else self._groups.setdefault(prefix, deque())).append(waiter)
        if is_again or not has_queue:  # behind others it waits for what they wait for
            self._pump()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None:
                self.give_back(waiter.granted.result())
            raise

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        permit.endpoint.breaker.untake()
        self._release(permit, Feedback("unused", 0.0, None, permit.tokens, 0))

    def answered(self, permit: Permit, used_tokens: int | None) -> None:
        """Return a permit after an answer."""
        self.num_answers += 1
        permit.endpoint.breaker.count(None)
        permit.latency_s = self.now() - permit.taken_at_s
        self._release(permit, Feedback("answered", permit.latency_s, None, permit.tokens, used_tokens))

    def failed(self, permit: Permit, error: AttemptError) -> None:
        """Return a permit after an attempt that brought no answer."""
        permit.endpoint.breaker.count(error)
        permit.latency_s = self.now() - permit.taken_at_s
        used = None if error.may_have_cost else 0
        self._release(permit, Feedback(error.reason, permit.latency_s, error.retry_after_s, permit.tokens, used))

    def stop(self) -> None:
        """Let nothing more through, and send away who waits."""
        self._is_stopped = True
        for queue in (self._again, *self._groups.values()):
            while queue:
                waiter = queue.popleft()
                if not waiter.granted.done():
                    waiter.granted.set_exception(PoolStoppedError())
        if self._timer is not None:
            self._timer.cancel()

    def _release(self, permit: Permit, feedback: Feedback) -> None:
        permit.endpoint.gate.release(feedback)
        self._pump()

    def has_other(self, refused: tuple[Endpoint, ...]) -> bool:
        """Return whether a server besides these is left that has not just refused everything."""
        return any(
            other not in refused and other.breaker.verdict is None and not other.breaker.is_refusing
            for other in self.endpoints
        )

    def find_verdict(self) -> str | None:
        """Return why nothing can be asked any more: every server was given up. None while one is left."""
        for endpoint in self.endpoints:
            if endpoint.breaker.verdict is None:
                return None
        return "; ".join(f"{endpoint.server.name} {endpoint.breaker.verdict}" for endpoint in self.endpoints)

    def _pump(self) -> None:
        """Grant what can be granted now, and come back when more can."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while True:
            waiter, endpoint, again_s = self._match_again()
            wait_s = math.inf
            if waiter is None:
                waiting = {name: queue for name, queue in self._groups.items() if _find_first(queue) is not None}
                if waiting:
                    queue, endpoint, wait_s = self._match(waiting)
                    waiter = queue[0]
                elif not self._again:
                    return
            if waiter is None or endpoint is None:
                self._come_back(min(wait_s, again_s))
                return
            waiter.granted.set_result(self._take(endpoint, waiter.tokens))

    def _match_again(self) -> tuple[_Waiter | None, Endpoint | None, float]:
        """Return who goes first of those that try again, its server, and the seconds until one may be free.

        Who was refused waits for the servers that are left, and lets others pass. None: nobody keeps others waiting.
        """
        least_s = math.inf
        _find_first(self._again)
        for waiter in self._again:
            if waiter.granted.done():
                continue
            endpoint, wait_s = self._choose(waiter.tokens, waiter.avoid, waiter.refused)
            least_s = min(least_s, wait_s)
            if endpoint is not None or not waiter.refused:
                return waiter, endpoint, least_s
        return None, None, least_s

    def _match(self, waiting: dict[str, deque[_Waiter]]) -> tuple[deque[_Waiter], Endpoint | None, float]:
        """Return a queue and the server for its first, or None and the seconds until one may be free.

        Every server goes on with its own prefix as long as somebody of that waits, and for a while where others do.
        """
        least_s, found, found_prefix = math.inf, None, ""
        fullest = sorted(waiting, key=lambda name: len(waiting[name]), reverse=True)
        for endpoint in self.endpoints:
            prefix = endpoint.prefix
            if prefix not in waiting or endpoint.num_run >= _MAX_RUN:
                prefix = fullest[fullest[0] == prefix and len(fullest) > 1]
            wait_s = endpoint.wait_s(waiting[prefix][0].tokens)
            if wait_s == 0 and (found is None or endpoint.share < found.share):
                found, found_prefix = endpoint, prefix
            least_s = min(least_s, wait_s)
        if found is not None:
            found.num_run = found.num_run % _MAX_RUN + 1 if found_prefix == found.prefix else 1
            found.prefix = found_prefix
        return waiting[found_prefix or fullest[0]], found, least_s

    def _choose(
        self, tokens: int, avoid: Endpoint | None, refused: tuple[Endpoint, ...]
    ) -> tuple[Endpoint | None, float]:
        """Return the server to ask, or None and the seconds until one may be free; inf: after a release."""
        if len(self.endpoints) == 1:
            only = self.endpoints[0]
            wait_s = only.wait_s(tokens)
            return (None, wait_s) if wait_s else (only, 0.0)
        endpoints = self.endpoints
        if refused:
            left = [other for other in endpoints if other not in refused and other.breaker.verdict is None]
            endpoints = left or endpoints
        waits_s = [endpoint.wait_s(tokens) for endpoint in endpoints]
        free = [endpoint for endpoint, wait_s in zip(endpoints, waits_s, strict=True) if wait_s == 0]
        others = [endpoint for endpoint in free if endpoint is not avoid]
        return min(others or free, key=lambda endpoint: endpoint.share, default=None), min(waits_s, default=math.inf)

    def _take(self, endpoint: Endpoint, tokens: int) -> Permit:
        endpoint.gate.take(tokens)
        endpoint.breaker.take()
        if len(self.endpoints) > 1:
            self._count_share(endpoint)
        return Permit(endpoint, tokens, self.now())

    def _count_share(self, endpoint: Endpoint) -> None:
        # A server that comes back from a rest must not get all requests until it has caught up.
        others = [other.share for other in self.endpoints if other is not endpoint and not other.breaker.is_resting]
        behind = min(others, default=endpoint.share)
        endpoint.share = max(endpoint.share, behind - 1) + 1 / endpoint.server.weight

    def _come_back(self, wait_s: float) -> None:
        if wait_s == math.inf and any(endpoint.gate.num_in_flight for endpoint in self.endpoints):
            return  # its release pumps again
        self._timer = asyncio.get_running_loop().call_later(min(wait_s, _LATEST_LOOK_S), self._pump)


def _find_first(queue: deque[_Waiter]) -> _Waiter | None:
    """Return the first who still waits; those before it have gone."""
    while queue and queue[0].granted.done():
        queue.popleft()
    return queue[0] if queue else None
