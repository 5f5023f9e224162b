"""Kills training runs at random, by moment and by clock, and compares their models with an uninterrupted run's.

    python bench/trainer_kills.py --kills 20

For each connector a run of 30 steps that saves after every step is killed with SIGKILL 20 times: half of the kills at
a call of the file system or the end of a step, half after a random time, so that many fall into a save. The run is
then taken to its end. Every file of weights must have the digest that it has without a kill.
"""

import argparse
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from instructgen.jobs.training import train
from tests.support.training import make_options
from tests.support.training_kills import QuietWatch, hash_model, run_and_kill

KINDS = ("linear", "mlp2x_gelu", "qformer", "gated_cross_attention")


def kill_run(folder: Path, kind: str, num_kills: int, seed: int) -> bool:
    draws = random.Random(f"{kind}/{seed}")
    options = make_options(folder, f"whole-{kind}", kind, saving={"every_steps": 1}, train={"steps": 30})
    train(options, QuietWatch())
    wanted = hash_model(options.out)
    started = time.monotonic()
    num_moments = run_and_kill(replace(options, out=folder / f"counted-{kind}"), None)
    whole_s = time.monotonic() - started
    assert num_moments is not None
    killed = replace(options, out=folder / f"killed-{kind}")
    num_killed, num_in_save = 0, 0
    while num_killed < num_kills:
        if num_killed % 2:
            was_killed = run_and_kill(killed, draws.randrange(num_moments // 10)) is None
        else:
            was_killed = run_and_kill(killed, None, draws.uniform(0, whole_s / 4)) is None
        if not was_killed:  # it came to its end too early; what follows is another run with the same settings
            assert hash_model(killed.out) == wanted
            killed = replace(options, out=folder / f"killed-{kind}-{num_killed}")
        num_killed += was_killed
        num_in_save += any((killed.out / "checkpoints").glob(".*"))
    while run_and_kill(killed, None) is None:
        pass
    is_equal = hash_model(killed.out) == wanted
    print(f"{kind:21} {num_killed} kills, {num_in_save} of them in a save: {'equal' if is_equal else 'NOT EQUAL'}")
    return is_equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--connector", choices=KINDS, action="append", dest="kinds", help="only this; again for more")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        results = [kill_run(Path(folder), kind, arguments.kills, arguments.seed) for kind in arguments.kinds or KINDS]
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
