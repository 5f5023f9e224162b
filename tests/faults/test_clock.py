"""The wall clock may jump by days; what is waited for, counted and kept does not depend on it."""

from pathlib import Path

from tests.faults.engine import Engine, storm
from tests.support.chat_server import Act
from tests.support.cli import ROOT

JUMPING = """
import time
_now, _now_ns, _calls = time.time, time.time_ns, [0]


def _shift():
    _calls[0] += 1
    return (0, 86_400, -86_400)[_calls[0] // 3 % 3]


time.time = lambda: _now() + _shift()
time.time_ns = lambda: _now_ns() + _shift() * 1_000_000_000
"""


def make_clock_jump(folder: Path) -> dict[str, str]:
    """Return the environment of a process whose wall clock jumps by a day every few looks."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(JUMPING)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def test_jumping_clock_loses_nothing(engine: Engine) -> None:
    env = make_clock_jump(engine.folder / "clock")
    limited = Act(429, {"retry-after": "1"}, b'{"error": {"message": "slow down"}}')
    server = engine.serve(delay_s=0.02, fault=storm([limited], 12, 16))
    life = engine.start(env=env)
    server.at(24, life.kill)
    engine.wait(life)
    ended = engine.run(env=env, timeout_s=60)
    engine.check_complete()
    assert 0 <= ended.result["seconds"] < 60
    assert server.num_requests <= engine.num_images + 4 + engine.lives[0].concurrency
