"""CPU time for 1,000 units and peak memory of each process, from few units to many: one build, parts and merge, Ray.

    python bench/scale_units.py --units 3000,10000 --parts 4
    python bench/scale_units.py --units 10000,100000,1000000 --engines whole,ray --source made --parts 1,4,8
    python bench/scale_units.py --teachers program,server --source made \
        --units 2000,8000 --parts 2 --json data/unit_costs.json
    python bench/scale_units.py --teachers server --source made --units 4000 --engines whole --delay-ms 500 \
        --concurrency 16 --json clock.json

The images are rendered scenes, or with `--source made` annotations that are made up in COCO's format. The teacher
"program" is the scene program. With "server" bench/mock_server.py answers at once; its conversations are of no
image, so no filter looks at them. The engine "replay" answers from the first build's ledger instead, so that the
teacher costs next to nothing: between both lies what asking takes. CPU time counts, not the clock: it is much the
same on a busy machine. `instructgen plan --images` goes by data/unit_costs.json. With a server that takes its time
or has a limit, the clock counts: `bench/scale_sim.py --clock` holds it against what it foretells.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests_data

_POLL_S = 0.05
_CLUSTER_STARTS_S = 12.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SERVER = Path(__file__).resolve().parent / "mock_server.py"


@dataclass(frozen=True)
class Cost:
    """Of one process, or of several: times add up, and of the memory the most counts."""

    cpu_s: float
    wall_s: float
    peak_mb: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s, max(self.peak_mb, other.peak_mb))


def run(*arguments: str | Path, cluster: int | None = None) -> Cost:
    """Run a command of ours, with all that it starts, and with what a cluster's processes do meanwhile."""
    began_s = time.monotonic()
    before = {pid: read_cpu_s(pid) for pid in list_processes(cluster)} if cluster is not None else {}
    command = [sys.executable, "-m", "instructgen", *map(str, arguments)]
    peak_mb, cpu_s = 0.0, dict[int, float]()
    with tempfile.TemporaryFile() as told:  # a pipe that nobody reads would stop it when it is full
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told, stdin=subprocess.DEVNULL)
        while True:
            peak_mb = max([peak_mb, *(read_peak_mb(one) for one in list_processes(process.pid))])
            for one in list_processes(cluster) if cluster is not None else ():
                peak_mb = max(peak_mb, read_peak_mb(one))
                cpu_s[one] = max(cpu_s.get(one, 0.0), read_cpu_s(one) - before.get(one, 0.0))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(_POLL_S)
        if os.waitstatus_to_exitcode(status):
            told.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{told.read().decode()[-2000:]}")
    # A cluster's processes are not ours to wait for: what was last seen of each counts.
    return Cost(usage.ru_utime + usage.ru_stime + sum(cpu_s.values()), time.monotonic() - began_s, peak_mb)


@contextlib.contextmanager
def open_cluster(num_cpus: int) -> Iterator[tuple[str, int]]:
    """Start Ray on this machine; give its address and its first process. It stands before anything is built on it."""
    os.environ["RAY_AUTH_MODE"] = "token"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--head", "--block", f"--port={port}", "--include-dashboard=false", f"--num-cpus={num_cpus}"]
    ray = Path(sys.executable).with_name("ray")
    process = subprocess.Popen(
        [ray, "start", *flags, "--disable-usage-stats", "--object-store-memory=100000000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(_CLUSTER_STARTS_S)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


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


def read_cpu_s(pid: int) -> float:
    """Return the processor time that a process has used itself, without that of its children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def measure(
    engine: str, flags: list[str], asking: list[str], num_parts: int, num_cpus: int, folder: Path
) -> dict[str, Cost]:
    """Return what each step of an engine's build took; `asking` are the flags that say who answers."""
    flags = [*flags, "--replay", str(folder / "whole" / "run")] if engine == "replay" else [*flags, *asking]
    if engine in ("whole", "replay"):
        return {"build": run("build", *flags, "--plain", "--out", folder / engine)}
    if engine == "ray":
        with open_cluster(num_cpus) as (address, pid):
            parts = ("--engine", "ray", "--address", address, "--shards", str(num_parts))
            return {"build and merge": run("build", *flags, *parts, "--out", folder / engine, cluster=pid)}
    folders = [folder / f"part-{index}" for index in range(num_parts)]
    costs = [
        run("build", *flags, "--plain", "--shard", f"{index}/{num_parts}", "--out", part)
        for index, part in enumerate(folders)
    ]
    return {"parts": sum(costs[1:], costs[0]), "merge": run("merge", *folders, "--out", folder / "merged")}


def make_flags(teacher: str, options: argparse.Namespace, num_units: int, folder: Path) -> list[str]:
    """Return the flags of a build of so many units, but for who answers; `folder` gets the files that they name."""
    types = options.unit_types if teacher == "program" else "conv"
    num_images = max(1, num_units // len(types.split(",")))
    flags = ["--types", types, "--limit", str(num_images), "--no-report"]
    if teacher == "server":
        pipeline = folder / "unfiltered.toml"
        pipeline.write_text("[filters]\nuse = []\n")
        flags += ["--pipeline", str(pipeline), "--no-alarm"]
    if options.source == "scenes":
        return [*flags, "--source", "scenes"]
    requests_data.make_folder(folder / "made", num_images)
    return [*flags, "--root", str(folder / "made"), "--split", requests_data.SPLIT]


@contextlib.contextmanager
def open_teacher(teacher: str, options: argparse.Namespace) -> Iterator[list[str]]:
    """Give the flags that say who answers, while they are there."""
    if teacher == "program":
        yield []
        return
    command = [sys.executable, str(_SERVER), "--delay-ms", str(options.delay_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    limit = options.requests_per_minute
    try:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        flags = ["--base-url", address, "--model", "mock", "--concurrency", str(options.concurrency)]
        yield [*flags, *(["--requests-per-minute", str(limit)] if limit else [])]
    finally:
        process.terminate()
        process.wait()


def weigh(out: Path) -> dict[str, int]:
    """Return the rows and bytes of a build's dataset, and the bytes of its ledger."""
    shards = [
        shard for path in out.glob("versions/*/manifest.json") for shard in json.loads(path.read_text())["shards"]
    ]
    return {
        "rows": sum(shard["num_rows"] for shard in shards),
        "dataset_bytes": sum(shard["num_bytes"] for shard in shards),
        "ledger_bytes": sum((out / "run" / name).stat().st_size for name in ("ledger.sqlite", "journal")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", default="3000,10000", help="how many, with commas")
    parser.add_argument("--engines", default="whole,replay,parts", help="of whole, replay, parts and ray")
    parser.add_argument("--teachers", default="program", help="of program and server")
    parser.add_argument("--parts", default="4", help="of engines parts and ray; with commas, for each of the sizes")
    parser.add_argument("--cpus", type=int, default=1, help="of the cluster: so many actors at a time")
    parser.add_argument("--source", default="scenes", help="scenes or made")
    parser.add_argument("--unit-types", default="conv,detail,reasoning")
    parser.add_argument(
        "--concurrency", type=int, default=64, help="of teacher server: requests in flight of a build"
    )
    parser.add_argument("--delay-ms", type=float, default=0.0, help="of teacher server: before each answer")
    parser.add_argument("--requests-per-minute", type=float, help="of teacher server")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    sizes = [int(one) for one in options.units.split(",")]
    given = [int(one) for one in options.parts.split(",")]
    parts = given if len(given) > 1 else given * len(sizes)
    terms = {name: vars(options)[name] for name in ("concurrency", "delay_ms", "requests_per_minute")}
    found = []
    for teacher in options.teachers.split(","):
        for num_units, num_parts in zip(sizes, parts, strict=True):
            with contextlib.ExitStack() as stack:
                folder = Path(tempfile.mkdtemp(prefix="scale-units-"))
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                flags = make_flags(teacher, options, num_units, folder)
                asking = stack.enter_context(open_teacher(teacher, options))
                for engine in options.engines.split(","):
                    for step, cost in measure(engine, flags, asking, num_parts, options.cpus, folder).items():
                        per_1000 = 1000 * cost.cpu_s / num_units
                        one = {"teacher": teacher, "units": num_units, "engine": engine, "step": step}
                        one |= {"parts": num_parts, "cpus": options.cpus} if engine == "ray" else {}
                        one |= terms if teacher == "server" else {}
                        weights = weigh(folder / engine) if engine == "whole" else {}
                        found.append(one | {"per_1000": per_1000} | asdict(cost) | weights)
                        sys.stdout.write(
                            f"{teacher:8} {num_units:>9,} units  {engine:7} {step:16} {per_1000:7.2f} CPU s for 1,000"
                            f"   {cost.peak_mb:6.0f} MB at most   {cost.wall_s:7.1f} s\n"
                        )
                        sys.stdout.flush()
    if options.json is not None:
        chosen = f"--teachers {options.teachers} --source {options.source} --units {options.units}"
        how = f"bench/scale_units.py {chosen} --parts {options.parts}"
        table = {"as_of": f"{datetime.now(UTC):%Y-%m-%d}", "how": how, "figures": found}
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
