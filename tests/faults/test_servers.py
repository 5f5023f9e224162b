"""Several servers of one teacher: shares follow the weights, and one that dies is drained without a loss."""

from tests.faults.engine import CONCURRENCY, Engine
from tests.support.chat_server import Act, ChatServer


def both(first: ChatServer, second: ChatServer, weights: tuple[float, float] = (1, 1)) -> str:
    lines = ["[teacher]", "model = 'm'"]
    for server, weight in zip((first, second), weights, strict=True):
        lines += ["[[teacher.servers]]", f"base_url = '{server.base_url}'", f"weight = {weight}"]
    return "\n".join(lines)


def test_shares_follow_the_weights(engine: Engine) -> None:
    engine.set_num_images(80)
    first, second = engine.serve(delay_s=0.02), engine.serve(delay_s=0.02)
    engine.run(toml=both(first, second, (3, 1)))
    engine.check_complete()
    assert not set(first.asked) & set(second.asked)
    assert 54 <= first.num_requests <= 66, (first.num_requests, second.num_requests)


def test_dead_server_is_drained_and_the_other_carries_on(engine: Engine) -> None:
    engine.set_num_images(80)
    first, second = engine.serve(delay_s=0.02), engine.serve(delay_s=0.02)
    second.at(10, second.go_down)
    engine.run(toml=both(first, second))
    engine.check_complete()
    assert 10 <= second.answered.total() <= 10 + CONCURRENCY
    assert first.answered.total() == 80 - second.answered.total()


def test_server_with_a_wrong_key_is_left_out(engine: Engine) -> None:
    refuse = Act(401, {}, b'{"error": {"message": "no such key"}}')
    first, second = engine.serve(), engine.serve(fault=lambda number, body: refuse)
    engine.run(toml=both(first, second))
    engine.check_complete()
    assert second.num_requests <= 3 + CONCURRENCY
    assert first.answered.total() == engine.num_images
