"""What the benches of learning share: the demo's parts, and commands whose CPU seconds are told."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from instructgen.jobs.demo_plan import DemoPlan
from instructgen.jobs.demo_stage0 import make_part


def make_stage0(folder: Path, plan: DemoPlan) -> Path:
    """Make the demo's `vision` and `language`, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("vision", "language"):
        if not (folder / name).is_dir():
            make_part(name, folder / name, plan)
    return folder


def run_command(words: Sequence[str], *, is_shown: bool = False) -> float:
    """Run a command of ours with one thread; return its CPU seconds. A failure ends the bench with what it told."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "instructgen", *words],
        env=environment,
        capture_output=not is_shown,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{(done.stdout or '')[-500:]}{(done.stderr or '')[-3000:]}" or done.returncode)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
