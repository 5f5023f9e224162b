"""A server that becomes a hundred times slower in the middle of a run."""

from tests.faults.engine import CONCURRENCY, Engine


def test_server_that_becomes_100_times_slower_is_waited_for(engine: Engine) -> None:
    server = engine.serve(delay_s=0.01)
    server.at(20, lambda: setattr(server, "delay_s", 1.0))
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images
    assert server.max_in_flight <= CONCURRENCY
    assert set(server.answered.values()) == {1}
