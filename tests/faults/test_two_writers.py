"""Two builds in one dataset folder: the second is refused quickly, and sends nothing."""

from tests.faults.engine import Engine


def test_second_writer_is_refused_and_sends_nothing(engine: Engine) -> None:
    first, second = engine.serve(delay_s=0.3), engine.serve()
    life = engine.start(concurrency=2)
    first.wait_for(2)
    refused = engine.run(server=second, timeout_s=10)
    assert refused.code == 2
    assert "in use by another" in refused.err
    assert str(engine.out) in refused.err
    assert "Traceback" not in refused.err
    assert second.num_requests == 0
    first.delay_s = 0.0
    engine.wait(life)
    engine.check_complete()
    assert first.num_requests == engine.num_images


def test_killed_writer_holds_nothing_up(engine: Engine) -> None:
    server = engine.serve(delay_s=0.02)
    life = engine.start()
    server.at(5, life.kill)
    engine.wait(life)
    engine.run()
    engine.check_complete()
