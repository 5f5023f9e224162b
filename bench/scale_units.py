"""CPU time for 1,000 units and peak memory of each process, from few units to many: one build, parts and merge, Ray.

    python bench/scale_units.py --units 3000,10000 --parts 4
    python bench/scale_units.py --units 10000,100000,1000000 --engines whole,parts,ray --unit-types conv

The images are rendered scenes, and the scene program writes. "replay" answers from the first build's ledger instead,
so that the teacher costs next to nothing. CPU time counts, not the clock: it is much the same on a busy machine.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_POLL_S = 0.02


@dataclass(frozen=True)
class Cost:
    """Of one process, or of several: times add up, and of the memory the most counts."""

    cpu_s: float
    wall_s: float
    peak_mb: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s, max(self.peak_mb, other.peak_mb))


def run(*arguments: str | Path) -> Cost:
    """Run a command of ours, with all that it starts."""
    began_s = time.monotonic()
    command = [sys.executable, "-m", "instructgen", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    peak_mb = 0.0
    while True:
        peak_mb = max([peak_mb, *(read_peak_mb(pid) for pid in list_processes(process.pid))])
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(_POLL_S)
    assert process.stderr is not None
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)}\n{process.stderr.read().decode()[-2000:]}")
    process.stderr.close()
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began_s, peak_mb)


def list_processes(pid: int) -> list[int]:
    """Return a process and those that it started, as far as they are alive."""
    found = [pid]
    for one in found:
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        found += map(int, children.split())
    return found


def read_peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def measure(engine: str, num_units: int, options: argparse.Namespace, folder: Path) -> dict[str, Cost]:
    """Return what each step of an engine's build took."""
    num_images = max(1, num_units // len(options.unit_types.split(",")))
    flags = ["--source", options.source, "--limit", str(num_images), "--types", options.unit_types, "--no-report"]
    if engine == "replay":
        flags += ["--replay", str(folder / "whole" / "run")]
    if engine in ("whole", "replay"):
        return {"build": run("build", *flags, "--plain", "--out", folder / engine)}
    if engine == "ray":
        parts = ("--engine", "ray", "--shards", str(options.parts))
        return {"build and merge": run("build", *flags, *parts, "--out", folder / engine)}
    folders = [folder / f"part-{index}" for index in range(options.parts)]
    costs = [
        run("build", *flags, "--plain", "--shard", f"{index}/{options.parts}", "--out", part)
        for index, part in enumerate(folders)
    ]
    return {"parts": sum(costs[1:], costs[0]), "merge": run("merge", *folders, "--out", folder / "merged")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", default="3000,10000", help="how many, with commas")
    parser.add_argument("--engines", default="whole,replay,parts", help="of whole, replay, parts and ray")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--source", default="scenes")
    parser.add_argument("--unit-types", default="conv,detail,reasoning")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    found = []
    for num_units in map(int, options.units.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="scale-units-"))
        try:
            for engine in options.engines.split(","):
                for step, cost in measure(engine, num_units, options, folder).items():
                    per_1000 = 1000 * cost.cpu_s / num_units
                    found.append({"units": num_units, "engine": engine, "step": step, "per_1000": per_1000})
                    found[-1] |= asdict(cost)
                    sys.stdout.write(
                        f"{num_units:>9,} units  {engine:7} {step:16} {per_1000:7.2f} CPU s for 1,000   "
                        f"{cost.peak_mb:6.0f} MB at most   {cost.wall_s:7.1f} s\n"
                    )
                    sys.stdout.flush()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
