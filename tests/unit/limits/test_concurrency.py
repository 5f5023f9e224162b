"""How many requests are in flight: the start, overload and slowness, in virtual time."""

import heapq
import math

import pytest

from instructgen.limits.bounds import ServerLimits
from instructgen.limits.concurrency import Concurrency, Slowness
from instructgen.limits.gate import Feedback, Gate
from tests.support.virtual_time import Client, Server, VirtualTime, constant, log_normal, simulate


def ideal_s(latencies_s: list[float], most: int) -> float:
    """Return when a client without a gate would be done, which always has `most` in flight."""
    free_at_s = [0.0] * most
    for latency_s in latencies_s:
        heapq.heapreplace(free_at_s, free_at_s[0] + latency_s)
    return max(free_at_s)


def answered_per_s(server: Server, from_s: float, to_s: float) -> float:
    return sum(from_s <= at_s < to_s for at_s in server.answered_at_s) / (to_s - from_s)


def test_four_go_out_at_once_and_a_thousand_within_0_4_s() -> None:
    server = Server(constant(1.0))
    simulate(server, 2000, ServerLimits(1000), until_s=0.5)
    sent = [sum(at_s <= by_s + 0.001 for at_s in server.accepted_at_s) for by_s in (0.0, 0.04, 0.08, 0.16, 0.4)]
    assert sent[:3] == [4, 8, 16]
    assert 60 <= sent[3] <= 68
    assert sent[4] == 1000
    assert server.max_in_flight == 1000


def test_a_limit_met_at_the_start_costs_two_useless_requests_at_most() -> None:
    for most_in_flight in (5, 20, 50, 100):
        server = Server(constant(1.0), most_in_flight=most_in_flight, retry_after=None)
        simulate(server, 10_000, ServerLimits(1000), until_s=0.9)
        assert 1 <= len(server.refused_at_s) <= 1 + most_in_flight / 30


def test_5000_requests_of_200_ms_at_256_take_the_ideal_time() -> None:
    server = Server(constant(0.2))
    client = simulate(server, 5000, ServerLimits(256))
    assert client.finished_at_s <= 1.15 * 4.0
    assert server.max_in_flight == 256


@pytest.mark.parametrize("most", [4, 32, 256, 1000])
def test_log_normal_latencies_are_no_sign_of_overload(most: int) -> None:
    num = 20 * most if most > 100 else 100 * most
    draw = log_normal(1.0, 1.0)
    ideal = ideal_s([draw(0.0) for _ in range(num)], most)
    server = Server(log_normal(1.0, 1.0))
    client = simulate(server, num, ServerLimits(most))
    assert client.gate.concurrency == most
    assert client.finished_at_s <= 1.05 * ideal + 0.3
    assert server.max_in_flight == most


@pytest.mark.parametrize("sigma", [0.0, 1.0])
@pytest.mark.parametrize("most_in_flight", [2, 16, 100])
def test_server_with_a_bound_in_flight_is_used_to_it(most_in_flight: int, sigma: float) -> None:
    server = Server(log_normal(0.2, sigma), most_in_flight=most_in_flight, retry_after=None)
    num = 200 * most_in_flight
    client = simulate(server, num, ServerLimits(256))
    assert len(server.refused_at_s) <= 0.05 * num
    assert client.finished_at_s <= 1.2 * num * 0.2 / most_in_flight + 2
    assert client.gate.concurrency <= most_in_flight + 1


def test_server_that_becomes_100_times_slower_keeps_its_requests() -> None:
    server = Server(lambda now_s: 0.2 if now_s < 20 else 20.0)
    client = simulate(server, 10**6, ServerLimits(256), until_s=1500)
    assert client.gate.concurrency >= 200
    assert answered_per_s(server, 800, 1500) >= 0.9 * 256 / 20


def test_queue_that_only_grows_longer_is_cut() -> None:
    """The server works on 16 at a time; what more it gets waits there and only makes answers slow."""
    time = VirtualTime()
    gate = Gate(ServerLimits(512), time.now)
    answers: list[float] = []
    slots = [0.0] * 16
    waits_s: list[float] = []

    def send() -> None:
        gate.take(0)
        sent_at_s = time.now_s
        done_s = max(slots[0], sent_at_s) + (0.01 if sent_at_s < 5 else 0.1)
        heapq.heapreplace(slots, done_s)
        time.call_at(done_s, lambda: end(sent_at_s))

    def end(sent_at_s: float) -> None:
        answers.append(time.now_s)
        waits_s.append(time.now_s - sent_at_s)
        gate.release(Feedback("answered", time.now_s - sent_at_s, None, 0, 0))
        pump()

    def pump() -> None:
        while not (wait_s := gate.wait_s(0)):
            send()
        if wait_s < math.inf:
            time.call_at(time.now_s + wait_s, pump)

    pump()
    time.run(60)
    assert min(waits_s[-500:]) < 0.7 * max(waits_s)
    assert sum(at_s > 40 for at_s in answers) >= 0.95 * 20 * 160


def test_slowness_needs_three_times_the_best_and_no_more_answers() -> None:
    slowness = Slowness()
    now_s = 0.0

    def run(mean_s: float, num: int, in_flight: int = 20) -> set[str]:
        nonlocal now_s
        found = set()
        for _ in range(num):
            now_s += mean_s / in_flight
            found.add(slowness.release(now_s, in_flight))
        return {advice for advice in found if advice is not None}

    assert run(0.1, 1000) == set()
    assert run(0.25, 400) == set()
    assert run(0.4, 5000, in_flight=200) == set()  # slower, but twice as many
    assert run(0.1, 1000) == set()
    assert run(1.0, 300) == {"fewer"}
    assert run(1.0, 2000) == {"back"}, "fewer in flight did not help, so it is how the server is"


def test_storm_without_retry_after_is_waited_out_and_ends() -> None:
    server = Server(constant(0.2), is_down=lambda now_s: 5 < now_s < 35, retry_after=None)
    client = simulate(server, 10**6, ServerLimits(256), until_s=120)
    later = [at_s for at_s in server.refused_at_s if at_s > 6]
    assert len(later) <= 12
    assert answered_per_s(server, 100, 120) >= 0.9 * 1280
    assert client.gate.concurrency == 256


def test_pauses_in_a_storm_grow_and_differ_by_the_jitter() -> None:
    time = VirtualTime()

    def pauses_s(jitter: float) -> list[float]:
        gate = Gate(ServerLimits(8), time.now, jitter=lambda: jitter)
        found = []
        for _ in range(14):
            wait_s = gate.wait_s(0)
            found.append(wait_s)
            time.now_s += wait_s
            gate.take(0)
            time.now_s += 0.01
            gate.release(Feedback("overloaded", 0.01, None, 0, 0))
        return found[2:]

    even = pauses_s(0.5)
    assert even[:5] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])
    assert max(even) == pytest.approx(30.0)
    assert pauses_s(0.0)[3] == pytest.approx(0.4)


def test_time_outs_that_arrive_together_are_one_event() -> None:
    time = VirtualTime()
    gate = Gate(ServerLimits(100), time.now, jitter=lambda: 0.5)
    time.now_s = 1.0
    gate.wait_s(0)
    time.now_s = 2.0
    for _ in range(100):
        gate.wait_s(0)
        gate.take(0)
    time.now_s = 300.0
    for _ in range(50):
        gate.release(Feedback("timeout", 298.0, None, 0, None))
    assert gate.concurrency == 70
    for _ in range(50):
        gate.release(Feedback("bad_request", 298.0, None, 0, 0))
    assert gate.concurrency == 70


def test_what_is_not_about_load_changes_no_limit() -> None:
    for reason in ("bad_request", "connection", "server_error", "bad_response", "unauthorized", "unused"):
        time = VirtualTime()
        gate = Gate(ServerLimits(8), time.now)
        gate.wait_s(0)
        gate.take(0)
        gate.release(Feedback(reason, 0.1, None, 0, 0))
        assert gate.concurrency == 8
        assert gate.num_in_flight == 0
        assert gate.wait_s(0) == 0.0


def test_bound_of_one_lets_one_through_at_a_time() -> None:
    server = Server(constant(0.1))
    client = simulate(server, 50, ServerLimits(1))
    assert server.max_in_flight == 1
    assert client.finished_at_s == pytest.approx(50 * 0.101)


def test_full_gate_waits_for_a_release() -> None:
    time = VirtualTime()
    gate = Gate(ServerLimits(2), time.now)
    for _ in range(2):
        assert gate.wait_s(0) == 0.0
        gate.take(0)
    assert gate.wait_s(0) == math.inf
    gate.release(Feedback("answered", 0.0, None, 0, 0))
    assert gate.wait_s(0) == 0.0


def test_clients_that_pause_for_hours_find_the_gate_as_it_was() -> None:
    time = VirtualTime()
    server = Server(constant(0.2))
    gate = Gate(ServerLimits(64), time.now)
    client = Client(time, gate, server, 20_000)
    client.start()
    time.run(10)
    time.now_s += 7200
    time.run(7300)
    assert client.num_done == 20_000
    assert gate.concurrency == 64


def test_one_in_flight_at_a_time_grows_again() -> None:
    concurrency = Concurrency(32, lambda: 0.5)
    now_s = 0.0
    while int(concurrency.limit) > 1:
        now_s += 1.0
        concurrency.overloaded(now_s, now_s, int(concurrency.limit) - 1)
    for _ in range(200):  # each is alone, so none is in flight when it ends
        concurrency.answered(int(concurrency.limit) - 1)
    assert concurrency.limit > 3
