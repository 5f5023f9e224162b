"""Killed, interrupted or told to end at any moment, a run goes on and buys nothing again that it had on disk."""

import random
import signal
import time
from typing import Any

from tests.faults.engine import CONCURRENCY, Engine, check_adds_up, read_rows
from tests.support.answers import answer_like_shots, find_text
from tests.support.chat_server import Act

NUM_KILLS = 8


def kill_at(
    engine: Engine, num_answered: int, after_s: float, concurrency: int = CONCURRENCY, toml: str | None = None
) -> bool:
    """Run until so many answers have been sent in all, and a little longer; return whether the kill came in time."""
    server = engine.servers[0]
    life = engine.start(concurrency=concurrency, toml=toml)
    server.at(num_answered, life.kill, after_s)
    return engine.wait(life).code == -signal.SIGKILL


def kill_and_go_on(engine: Engine, concurrency: int = 50, delay_s: float = 0.15) -> None:
    """Kill one run at a random moment and run it again; bench/faults.py does so many times."""
    draw = engine.draw
    engine.serve(delay_s=delay_s)
    kill_at(engine, draw.randrange(1, engine.num_images), draw.uniform(0, delay_s), concurrency)
    engine.run(concurrency=concurrency)
    engine.check_complete()


def test_run_killed_at_many_moments_buys_each_answer_once(engine: Engine) -> None:
    engine.set_num_images(160)
    server = engine.serve(delay_s=0.02)
    draw = random.Random(3)
    moments = sorted(draw.sample(range(1, 150), NUM_KILLS))
    num_kills = sum(kill_at(engine, moment, draw.uniform(0, 0.04)) for moment in moments)
    assert num_kills >= NUM_KILLS // 2, "hardly any kill came before the end"
    ended = engine.run()
    engine.check_complete()
    assert server.malformed == []
    assert server.max_in_flight <= CONCURRENCY
    assert len(server.asked) == 160
    assert engine.tally().asked_again <= num_kills * CONCURRENCY
    assert ended.result["new_requests"] == engine.num_requests(len(engine.lives) - 1)


def echo_or_answer(body: dict[str, Any]) -> str:
    """Give a text that is to be rewritten back with one more word; answer everything else."""
    text = find_text(body["messages"][-1])
    return f"{text} Indeed." if "copy editor" in find_text(body["messages"][0]) else answer_like_shots(body)


def test_run_killed_between_the_steps_of_its_units_buys_each_answer_once(engine: Engine) -> None:
    engine.set_num_images(80)
    server = engine.serve(delay_s=0.02, text=echo_or_answer)
    toml = "[filters]\nuse = []\n[refine]\nrewrite = true\n"
    draw = random.Random(4)
    moments = sorted(draw.sample(range(1, 150), NUM_KILLS))
    num_kills = sum(kill_at(engine, moment, draw.uniform(0, 0.04), toml=toml) for moment in moments)
    assert num_kills >= NUM_KILLS // 2, "hardly any kill came before the end"
    ended = engine.run(toml=toml)
    assert ended.code == 0, ended.err[-800:]
    assert ended.total("accepted") == 80
    assert server.malformed == []
    assert len(server.asked) == 2 * 80
    tally = engine.tally()
    assert tally.beyond == 0
    assert tally.asked_again <= num_kills * CONCURRENCY
    assert ended.result["new_requests"] == engine.num_requests(len(engine.lives) - 1)
    assert all(row["messages"][-1]["content"].endswith(". Indeed.") for row in read_rows(ended))
    again = engine.run(toml=toml)
    assert again.result["new_requests"] == 0
    assert again.result["version"] == ended.result["version"]


def stop_and_go_on(engine: Engine, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the run to end, and run it again: it waits for what is in flight, so nothing is bought twice."""
    server = engine.serve(delay_s=0.1)
    life = engine.start()
    server.at(10, lambda: life.signal(number))
    stopped = engine.wait(life)
    assert stopped.code == 3
    assert "the same command goes on" in stopped.err
    assert "Traceback" not in stopped.err
    num_asked = server.num_requests
    assert 10 < num_asked <= 10 + 2 * CONCURRENCY
    assert server.answered.total() == num_asked
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images


def test_signal_keeps_what_is_in_flight(engine: Engine) -> None:
    stop_and_go_on(engine)


def test_second_ctrl_c_ends_at_once_and_loses_just_what_is_in_flight(engine: Engine) -> None:
    server = engine.serve(fault=lambda number, body: Act(then="hang", cut_at=0) if number >= 10 else None)
    life = engine.start()
    server.wait_for(10 + CONCURRENCY)
    life.signal(signal.SIGINT)
    time.sleep(0.5)  # two signals in one instant are one
    assert life.process.poll() is None
    life.signal(signal.SIGINT)
    stopped = engine.wait(life, 30)
    assert stopped.code == 3
    assert "stopped at once" in stopped.err
    assert "Traceback" not in stopped.err
    server.fault = None
    again = engine.run()
    check_adds_up(again)
    engine.check_complete()
    assert server.num_requests == engine.num_images + CONCURRENCY
