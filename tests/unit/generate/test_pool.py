"""Which request goes next, and where; with gates that the tests open."""

import asyncio
import math
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from instructgen.attempts import AttemptError
from instructgen.generate.breaker import Breaker
from instructgen.generate.pool import Endpoint, Permit, Pool, PoolStoppedError
from instructgen.limits.bounds import ServerLimits


@dataclass
class OpenGate:
    """Lets `room` requests be in flight, and waits where told."""

    room: int = 1
    rest_s: float = 0.0
    num_in_flight: int = 0
    concurrency: int = 1
    feedbacks: list[Any] = field(default_factory=list)

    def wait_s(self, tokens: int) -> float:
        return self.rest_s if self.num_in_flight < self.room else math.inf

    def take(self, tokens: int) -> None:
        self.num_in_flight += 1

    def release(self, feedback: Any) -> None:
        self.num_in_flight -= 1
        self.feedbacks.append(feedback)


@dataclass
class NamedServer:
    name: str
    weight: float = 1.0
    limits: ServerLimits = field(default_factory=lambda: ServerLimits(4))


def make_pool(*rooms: int, weights: tuple[float, ...] = ()) -> Pool:
    endpoints = [
        Endpoint(NamedServer(f"s{number}", weights[number] if weights else 1.0), OpenGate(room), Breaker(lambda: 0.0))  # type: ignore[arg-type]
        for number, room in enumerate(rooms)
    ]
    return Pool(endpoints, lambda: 0.0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def gate(pool: Pool, number: int = 0) -> OpenGate:
    return pool.endpoints[number].gate  # type: ignore[return-value]


def test_requests_wait_until_there_is_room() -> None:
    async def work() -> None:
        pool = make_pool(2)
        first, second = await pool.permit("a", 1), await pool.permit("a", 1)
        third = asyncio.create_task(pool.permit("a", 1))
        await asyncio.sleep(0)
        assert not third.done()
        pool.answered(first, 5)
        assert (await third).endpoint is second.endpoint
        assert gate(pool).feedbacks[0].outcome == "answered"
        assert gate(pool).feedbacks[0].used_tokens == 5

    run(work())


def test_those_with_one_prefix_go_together() -> None:
    async def work() -> None:
        pool = make_pool(1)
        held = await pool.permit("a", 1)
        order: list[str] = []

        async def ask(prefix: str) -> None:
            permit = await pool.permit(prefix, 1)
            order.append(prefix)
            pool.answered(permit, 1)

        tasks = [asyncio.create_task(ask("abc"[number % 3])) for number in range(60)]
        await asyncio.sleep(0)
        pool.answered(held, 1)
        await asyncio.gather(*tasks)
        changes = sum(one != other for one, other in pairwise(order))
        assert Counter(order) == {"a": 20, "b": 20, "c": 20}
        assert changes == 2

    run(work())


def test_each_server_goes_on_with_its_own_prefix() -> None:
    """With few requests waiting for each of many servers, as at a pool of 16."""

    async def work() -> None:
        pool = make_pool(*([2] * 16))
        asked: dict[str, list[str]] = {}
        room = asyncio.Semaphore(96)

        async def ask(number: int) -> None:
            permit = await pool.permit("abc"[number % 3], 1)
            asked.setdefault(permit.endpoint.server.name, []).append("abc"[number % 3])
            for _ in range(1 + number * 7 % 5):
                await asyncio.sleep(0)
            pool.answered(permit, 1)
            room.release()

        tasks = []
        for number in range(1200):
            await room.acquire()
            tasks.append(asyncio.create_task(ask(number)))
        await asyncio.gather(*tasks)
        assert Counter(prefix for prefixes in asked.values() for prefix in prefixes) == dict.fromkeys("abc", 400)
        assert min(map(len, asked.values())) > 50
        changes = sum(one != other for prefixes in asked.values() for one, other in pairwise(prefixes))
        assert changes < 1200 / 8

    run(work())


def test_who_has_gone_is_passed_over_in_every_group() -> None:
    async def work() -> None:
        pool = make_pool(1, 1)
        held = [await pool.permit("a", 1) for _ in range(2)]
        waiting = [asyncio.create_task(pool.permit(prefix, 1)) for prefix in "abbb"]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.sleep(0)
        for permit in held:
            pool.answered(permit, 1)
        for number in (0, 2, 3):
            pool.answered(await waiting[number], 1)
        assert all(endpoint.gate.num_in_flight == 0 for endpoint in pool.endpoints)

    run(work())


def test_no_prefix_starves_another() -> None:
    async def work() -> None:
        pool = make_pool(1)
        held = await pool.permit("a", 1)
        num_before_b = 0

        async def ask(prefix: str) -> None:
            nonlocal num_before_b
            permit = await pool.permit(prefix, 1)
            if prefix == "a" and not b.done():
                num_before_b += 1
            pool.answered(permit, 1)

        tasks = [asyncio.create_task(ask("a")) for _ in range(1000)]
        b = asyncio.create_task(ask("b"))
        await asyncio.sleep(0)
        pool.answered(held, 1)
        await asyncio.gather(b, *tasks)
        assert num_before_b < 300

    run(work())


def test_a_request_that_tries_again_goes_first() -> None:
    async def work() -> None:
        pool = make_pool(1)
        held = await pool.permit("a", 1)
        order: list[str] = []

        async def ask(name: str, *, is_again: bool) -> None:
            permit = await pool.permit("a", 1, is_again=is_again)
            order.append(name)
            pool.answered(permit, 1)

        tasks = [asyncio.create_task(ask(f"new {number}", is_again=False)) for number in range(5)]
        tasks.append(asyncio.create_task(ask("again", is_again=True)))
        await asyncio.sleep(0)
        pool.answered(held, 1)
        await asyncio.gather(*tasks)
        assert order[0] == "again"

    run(work())


def test_shares_follow_the_weights() -> None:
    async def work() -> None:
        pool = make_pool(1, 1, weights=(3.0, 1.0))
        counts: Counter[str] = Counter()
        for _ in range(400):
            permit = await pool.permit("a", 1)
            counts[permit.endpoint.server.name] += 1
            pool.answered(permit, 1)
        assert counts == {"s0": 300, "s1": 100}

    run(work())


def test_another_attempt_goes_to_another_server_while_there_is_one() -> None:
    async def work() -> None:
        pool = make_pool(1, 1)
        first = await pool.permit("a", 1)
        pool.failed(first, AttemptError("server_error", "x"))
        second = await pool.permit("a", 1, first.endpoint, is_again=True)
        assert second.endpoint is not first.endpoint
        third = await pool.permit("a", 1, second.endpoint, is_again=True)
        assert third.endpoint is first.endpoint
        pool.answered(third, 1)
        # The other one is busy: better the same server than none.
        fourth = await pool.permit("a", 1, third.endpoint, is_again=True)
        assert fourth.endpoint is third.endpoint

    run(work())


def test_a_server_that_is_given_up_is_drained_and_the_others_carry_on() -> None:
    async def work() -> None:
        pool = make_pool(1, 1)
        for _ in range(3):
            permit = Permit(pool.endpoints[0], 1, 0.0)
            gate(pool, 0).num_in_flight += 1
            pool.failed(permit, AttemptError("unauthorized", "HTTP 401: wrong key"))
        for _ in range(10):
            permit = await pool.permit("a", 1)
            assert permit.endpoint is pool.endpoints[1]
            pool.answered(permit, 1)

    run(work())


def test_without_a_server_left_it_says_why() -> None:
    async def work() -> None:
        pool = make_pool(3, 3)
        for endpoint in pool.endpoints:
            for _ in range(3):
                assert pool.find_verdict() is None
                pool.failed(Permit(endpoint, 1, 0.0), AttemptError("unauthorized", "HTTP 401: wrong key"))
        why = "refuses every request (unauthorized): HTTP 401: wrong key"
        assert pool.find_verdict() == f"s0 {why}; s1 {why}"

    run(work())


def test_stop_sends_away_who_waits() -> None:
    async def work() -> None:
        pool = make_pool(0)
        waiting = asyncio.create_task(pool.permit("a", 1))
        await asyncio.sleep(0)
        pool.stop()
        with pytest.raises(PoolStoppedError):
            await waiting
        with pytest.raises(PoolStoppedError):
            await pool.permit("a", 1)

    run(work())


def test_a_cancelled_wait_keeps_no_permit() -> None:
    async def work() -> None:
        pool = make_pool(1)
        held = await pool.permit("a", 1)
        waiting = [asyncio.create_task(pool.permit("a", 1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # while it waits
        pool.answered(held, 1)
        waiting[1].cancel()  # after it was granted, before it ran
        permit = await waiting[2]
        assert gate(pool).num_in_flight == 1
        pool.answered(permit, 1)
        assert gate(pool).num_in_flight == 0

    run(work())


def test_a_gate_that_opens_by_itself_is_looked_at_again() -> None:
    async def work() -> None:
        pool = make_pool(1)
        gate(pool).rest_s = 0.02
        waiting = asyncio.create_task(pool.permit("a", 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        gate(pool).rest_s = 0.0
        await waiting

    run(work())


def test_another_attempt_leaves_the_server_that_failed_although_its_share_is_due() -> None:
    async def work() -> None:
        pool = make_pool(9, 9, weights=(100.0, 1.0))
        for _ in range(2):
            pool.answered(await pool.permit("a", 1), 1)
        failed = await pool.permit("a", 1)
        assert failed.endpoint is pool.endpoints[0]
        pool.failed(failed, AttemptError("server_error", "x"))
        again = await pool.permit("a", 1, failed.endpoint, is_again=True)
        assert again.endpoint is pool.endpoints[1]

    run(work())


def test_what_a_server_refused_waits_for_another_and_lets_others_pass() -> None:
    async def check() -> None:
        pool = make_pool(1, 2)
        busy, _ = await pool.permit("a", 1), await pool.permit("a", 1)
        first, second = pool.endpoints
        refused = asyncio.create_task(pool.permit("a", 1, second, (second,), is_again=True))
        await asyncio.sleep(0)
        assert not refused.done()  # though the second server is free
        assert (await pool.permit("a", 1)).endpoint is second
        waiting = asyncio.create_task(pool.permit("a", 1))
        await asyncio.sleep(0)
        pool.answered(busy, 1)
        assert (await refused).endpoint is first
        assert not waiting.done()

    run(check())


def test_what_all_that_are_left_refused_goes_to_any_of_them() -> None:
    async def check() -> None:
        pool = make_pool(1, 1)
        first, second = pool.endpoints
        first.breaker.verdict = "is gone"
        assert pool.has_other((first,))
        assert not pool.has_other((second,))
        assert (await pool.permit("a", 1, second, (second,), is_again=True)).endpoint is second

    run(check())


def test_refused_one_waits_only_as_long_as_its_servers_do() -> None:
    async def check() -> None:
        pool = make_pool(1, 1)
        gate(pool).rest_s = 0.05
        second = pool.endpoints[1]
        again = asyncio.create_task(pool.permit("a", 1, second, (second,), is_again=True))
        await asyncio.sleep(0)
        assert not again.done()
        gate(pool).rest_s = 0.0
        assert (await again).endpoint is pool.endpoints[0]

    run(check())


def test_who_was_refused_does_not_hold_up_others_that_wait() -> None:
    async def check() -> None:
        pool = make_pool(1, 1)
        busy, other = await pool.permit("a", 1), await pool.permit("a", 1)
        second = pool.endpoints[1]
        refused = asyncio.create_task(pool.permit("a", 1, second, (second,), is_again=True))
        waiting = asyncio.create_task(pool.permit("a", 1))
        await asyncio.sleep(0)
        assert busy.endpoint is pool.endpoints[0]
        pool.answered(other, 1)
        assert (await waiting).endpoint is second
        assert not refused.done()
        pool.answered(busy, 1)
        await refused

    run(check())
