"""examples/slurm/train.sbatch, with stand-ins for Slurm's commands that write down how they are called."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.cli import ROOT

SCRIPT = ROOT / "examples" / "slurm" / "train.sbatch"
_SRUN = """#!/bin/bash
echo "srun $*" >>"$LOG"
while [ ! -e "$STOP" ]; do sleep 0.02; done
exit "$(cat "$STOP")"
"""
_SCANCEL = """#!/bin/bash
echo "scancel $*" >>"$LOG"
echo 1 >"$STOP.new" && mv "$STOP.new" "$STOP"
"""
_SCONTROL = """#!/bin/bash
echo "scontrol $*" >>"$LOG"
if [ "$1" = show ]; then echo node-1; sleep 0.1; echo node-2; fi  # whoever reads one line only is gone by then
"""

pytestmark = pytest.mark.skipif(os.name == "nt" or not Path("/bin/bash").exists(), reason="a script for bash")


def start(folder: Path, **more: str) -> tuple[subprocess.Popen[bytes], Path]:
    for name, text in (("srun", _SRUN), ("scancel", _SCANCEL), ("scontrol", _SCONTROL)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    log = folder / "log"
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(log),
        "STOP": str(folder / "stop"),
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NODELIST": "node-[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_GPUS_ON_NODE": "4",
        **more,
    }
    job = subprocess.Popen(["/bin/bash", SCRIPT, "finetune", "--data", "a b", "--out", "run"], env=environment)
    end_s = time.monotonic() + 120
    while not (log.is_file() and "srun" in log.read_text(encoding="utf-8")):
        assert job.poll() is None, f"the script ended with {job.returncode} and did not call srun"
        assert time.monotonic() < end_s, "srun was not called"
        time.sleep(0.02)
    return job, log


def test_every_node_starts_torchrun_with_one_meeting_place_and_a_run_that_ends_is_not_put_back(
    tmp_path: Path,
) -> None:
    job, log = start(tmp_path, SHARD_CACHE="/scratch/shards")
    (tmp_path / "stop.new").write_text("0", encoding="utf-8")
    (tmp_path / "stop.new").rename(tmp_path / "stop")
    assert job.wait(timeout=120) == 0
    meeting = "--rdzv-id 77 --rdzv-backend c10d --rdzv-endpoint node-1:29500"
    given = "finetune --data a b --out run --plain --shard-cache /scratch/shards"
    assert log.read_text(encoding="utf-8").splitlines() == [
        "scontrol show hostnames node-[1-2]",
        f"srun --wait=600 torchrun --nnodes 2 --nproc-per-node 4 {meeting} -m instructgen {given}",
    ]


def test_before_its_time_is_up_the_run_is_told_to_stop_and_the_job_is_put_back(tmp_path: Path) -> None:
    job, log = start(tmp_path)
    job.send_signal(signal.SIGUSR1)
    assert job.wait(timeout=120) == 1
    said = log.read_text(encoding="utf-8").splitlines()
    assert said[1].endswith("--out run --plain")
    assert said[2:] == ["scancel --signal=TERM 77.0", "scontrol requeue 77"]
