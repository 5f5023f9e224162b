"""Killed at any moment and run again, training ends with the same weights, bit for bit."""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.jobs.training import train  # noqa: E402
from tests.support.training import make_options  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model, kill_until_done, run_and_kill  # noqa: E402

NUM_KILLS = 5  # bench/trainer_kills.py does more

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of the test, which this system lacks")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["linear", "mlp2x_gelu", "qformer"])
def test_run_killed_at_random_ends_with_the_weights_of_one_that_was_not(tmp_path: Path, kind: str) -> None:
    options = make_options(tmp_path, "whole", kind, saving={"every_steps": 1})
    train(options, QuietWatch())
    wanted = hash_model(options.out)
    num_moments = run_and_kill(replace(options, out=tmp_path / "counted"), None)
    assert num_moments is not None
    assert hash_model(tmp_path / "counted") == wanted, "two runs that nobody stops are equal"
    killed = replace(options, out=tmp_path / "killed")
    num_killed = kill_until_done(killed, random.Random(kind), NUM_KILLS, num_moments)
    assert num_killed >= 3
    assert hash_model(killed.out) == wanted


def test_killed_at_each_call_of_the_first_save_and_the_end_nothing_half_written_is_taken(tmp_path: Path) -> None:
    """Every sixth moment of a run of one step, one after another."""
    options = make_options(tmp_path, "whole", train={"steps": 1}, optim={"warmup": 0})
    train(options, QuietWatch())
    wanted = hash_model(options.out)
    num_killed = 0
    killed = replace(options, out=tmp_path / "killed")
    for moment in range(0, 1000, 6):
        if run_and_kill(killed, moment) is not None:
            break
        num_killed += 1
    assert num_killed > 5
    assert hash_model(killed.out) == wanted
