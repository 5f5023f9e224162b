"""Starts the mock server and the clients that are measured, each on a core of its own, and reads their figures."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests_data

BENCH = Path(__file__).resolve().parent
MODEL = "mock-model"
PEERS = ("floor", "datatrove", "curator", "distilabel", "designer")
# Those that look at an answer alone: the server's answers are of no image.
_FILTERS = ["leakage", "control_strings", "refusal", "length", "repetition"]
_CLIENT_CORE, _SERVER_CORE = 0, 1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Options:
    """What the command line says; `project` is the checkout whose instructgen is measured."""

    project: Path
    peers: Path
    python: str
    num_requests: int
    num_in_flight: int
    num_units: int
    repeat: int
    minutes: float
    is_pinned: bool
    work: Path


@dataclass(frozen=True)
class Mark:
    """How far a process was at the end of a stage, since its start."""

    cpu_s: float
    wall_s: float
    peak_mb: float


@dataclass
class Run:
    """One finished process: CPU seconds are of it and of the children that it waited for."""

    code: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    out: str
    errors: list[str] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)

    def last_json(self) -> dict[str, object]:
        lines = [line for line in self.out.splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else {}


class Server:
    """The mock server; its counts are the truth about what was sent."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}/v1"

    def stats(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=30) as answer:
            return dict(json.load(answer))

    def reset(self) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).close()


@contextlib.contextmanager
def start_server(options: Options, *flags: str) -> Iterator[Server]:
    command = [options.python, str(BENCH / "mock_server.py"), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if options.is_pinned:
        os.sched_setaffinity(process.pid, {_SERVER_CORE})
    assert process.stdout is not None
    try:
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


def run_process(command: Sequence[str], cwd: Path, env: Mapping[str, str], *, core: int | None) -> Run:
    """Run to the end. Where a line on standard error begins with a stage's word, look at the process just then."""
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    started_s = time.monotonic()
    process = subprocess.Popen(
        list(command), cwd=cwd, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    run = Run(0, 0.0, 0.0, 0.0, "")

    def watch() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            stage, colon, _ = line.partition(":")
            if colon and stage in ("generate", "write"):
                run.marks[stage] = _look(process.pid, started_s)
            run.errors = [*run.errors[-30:], line.rstrip()]

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert process.stdout is not None
    run.out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    run.wall_s = time.monotonic() - started_s
    watcher.join()
    process.returncode = run.code = os.waitstatus_to_exitcode(status)
    run.cpu_s = usage.ru_utime + usage.ru_stime
    run.peak_mb = usage.ru_maxrss / 1024
    return run


def _look(pid: int, started_s: float) -> Mark:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    peak_kb = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return Mark((int(fields[11]) + int(fields[12])) / _TICKS_PER_S, time.monotonic() - started_s, peak_kb / 1024)


def run_peer(options: Options, name: str, server: Server, num: int, num_in_flight: int) -> Run:
    """Ask `num` prompts with another tool, in a virtual environment of its own."""
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        command = [
            str(options.peers / name / "bin" / "python"),
            str(BENCH / "peers" / f"ask_{name}.py"),
            f"--base-url={server.base_url}",
            f"--requests={num}",
            f"--in-flight={num_in_flight}",
            "--prompt-bytes=7000",
            f"--folder={folder}",
        ]
        return run_process(command, Path(folder), {}, core=_CLIENT_CORE if options.is_pinned else None)


@dataclass(frozen=True)
class OurRun:
    """One `instructgen build`; every table of `tables` is added to its pipeline file."""

    root: Path
    out: Path
    num_in_flight: int
    limit: int | None = None
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def run_ours(options: Options, server: Server, build: OurRun) -> Run:
    """Build the `conv` samples of annotations with the real command, from annotated images to a published version."""
    tables: dict[str, dict[str, object]] = {
        "source": {"name": "coco", "root": str(build.root), "split": requests_data.SPLIT},
        "teacher": {
            "name": "openai",
            "model": MODEL,
            "base_url": server.base_url,
            "concurrency": build.num_in_flight,
        },
        "dataset": {"images": "reference"},
        "filters": {"use": _FILTERS},
    }
    if build.limit is not None:
        tables["source"]["limit"] = build.limit
    for name, table in build.tables.items():
        tables.setdefault(name, {}).update(table)
    lines = ['types = ["conv"]']
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    pipeline = options.work / f"{build.out.name}.toml"
    pipeline.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [options.python, "-m", "instructgen", "build", "--pipeline", str(pipeline), "--out", str(build.out)]
    env = {"OPENAI_API_KEY": "none", "PYTHONPATH": str(options.project)}
    core = _CLIENT_CORE if options.is_pinned else None
    return run_process([*command, "--json"], options.project, env, core=core)


def check(run: Run, who: str, num: int) -> None:
    """Exit where a run did not answer what it was asked: its figures would say nothing."""
    found = run.last_json()
    num_done = found.get("requests", found.get("accepted"))
    if isinstance(num_done, dict):
        num_done = sum(num_done.values())
    if run.code != 0 or num_done != num:
        tail = "\n  ".join(run.errors[-15:])
        sys.exit(f"{who} answered {num_done} of {num} and ended with code {run.code}: {run.out[-500:]}\n  {tail}")


def make_annotations(options: Options, num: int) -> Path:
    """Return a folder of `num` made-up images, made once."""
    folder = options.work / f"images-{num}"
    if not folder.exists():
        requests_data.make_folder(folder, num)
    return folder


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return median (least to most)."""
    middle, least, most = statistics.median(values), min(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def say(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)
