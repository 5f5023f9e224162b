"""A budget is never passed, by the server's own bill, however many requests are in flight."""

import random
from typing import Any

import pytest

from tests.faults.engine import Engine
from tests.support.chat_server import ChatServer, prompt_key

MAX_TOKENS = 64
TOML = f"[teacher]\nmax_attempts = 2\n[teacher.decoding]\nmax_tokens = {MAX_TOKENS}\n"
PRICES = '[models."m"]\nprompt = 1.0\ncompletion = 2.0\n'


def bill(body: dict[str, Any]) -> tuple[int, int]:
    """Return the tokens of a prompt, about four characters each, and of an answer of some length."""
    num_chars = sum(len(message["content"]) for message in body["messages"])
    return num_chars // 4, random.Random(prompt_key(body)).randint(8, MAX_TOKENS)


def billed_usd(server: ChatServer) -> float:
    bills = [bill(body) for body in server.bodies]
    return sum(1.0 * prompt + 2.0 * completion for prompt, completion in bills) / 1_000_000


def open_server(engine: Engine) -> ChatServer:
    engine.set_num_images(100)
    server = engine.serve(delay_s=0.05)
    server.usage = bill
    return server


@pytest.fixture
def server(engine: Engine) -> ChatServer:
    return open_server(engine)


def test_token_budget_is_never_passed(engine: Engine, server: ChatServer) -> None:
    stopped = engine.run("--budget-tokens", "90000", toml=TOML, concurrency=64)
    assert stopped.code == 5, stopped.err[-500:]
    assert "--budget-tokens" in stopped.err
    assert 60_000 < server.billed_tokens <= 90_000
    assert server.max_in_flight > 4
    again = engine.run("--budget-tokens", "90000", toml=TOML, concurrency=64)
    assert again.code == 5
    assert server.billed_tokens <= 90_000
    engine.run("--budget-tokens", "900000", toml=TOML, concurrency=64)
    engine.check_complete()
    assert server.num_requests == engine.num_images


def test_dollar_budget_is_never_passed_also_after_a_kill(engine: Engine, server: ChatServer) -> None:
    prices = engine.folder / "prices.toml"
    prices.write_text(PRICES)
    flags = ("--prices", prices, "--budget-usd", "0.15")
    life = engine.start(*flags, toml=TOML, concurrency=64)
    server.at(15, life.kill)
    engine.wait(life)
    stopped = engine.run(*flags, toml=TOML, concurrency=64)
    assert stopped.code == 5, stopped.err[-500:]
    assert "--budget-usd" in stopped.err
    # What was in flight at the kill may have been billed: it is set aside for good.
    assert 0.02 < billed_usd(server) <= 0.15
    engine.run("--prices", prices, "--budget-usd", "5", toml=TOML, concurrency=64)
    engine.check_complete()
