"""CPU seconds per 1,000 requests at zero latency: ours with everything in, beside the floor and other tools.

Each tool runs twice in a turn, with 100 requests and with many; the difference is what requests cost, without imports
and start-up. Ours goes from reading the annotations to the parsed, filtered answer in the durable ledger; writing the
dataset, which no other tool does, is told apart.
"""

import shutil
from typing import Any

from requests_run import (
    PEERS,
    Options,
    OurRun,
    Run,
    Server,
    check,
    make_annotations,
    run_ours,
    run_peer,
    say,
    spread,
    start_server,
)

_NUM_WARM = 100
_TARGETS = {"floor": 3.0, "datatrove": 6.0, "curator": 8.0, "distilabel": 15.0}
MAX_CPU_S = 0.35


def measure(options: Options) -> dict[str, Any]:
    peers = [name for name in PEERS if (options.peers / name / "bin" / "python").exists()]
    found: dict[str, dict[str, list[float]]] = {}
    with start_server(options, "--delay-ms", "0") as server:
        for turn in range(options.repeat):
            for name in ("ours", *peers):
                figures = _measure_ours(options, server) if name == "ours" else _measure_peer(options, server, name)
                say(f"turn {turn + 1} {name}: {figures}")
                for key, value in figures.items():
                    found.setdefault(name, {}).setdefault(key, []).append(value)
    return found


def tell(found: dict[str, Any]) -> list[str]:
    floor = found.get("floor", {}).get("cpu_s_per_1000", [])
    ours = found["ours"]["cpu_s_per_1000"]
    lines = [
        "| tool | CPU s per 1,000 | times the floor | times ours | start-up, CPU s | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, figures in found.items():
        costs = figures["cpu_s_per_1000"]
        of_floor = spread(_ratios(costs, floor), 1) if floor else ""
        of_ours = spread(_ratios(costs, ours), 1)
        start, peak = spread(figures["start_cpu_s"], 1), spread(figures["peak_mb"], 0)
        lines.append(f"| {name} | {spread(costs, 3)} | {of_floor} | {of_ours} | {start} | {peak} |")
    lines.append(
        f"writing the dataset, ours, besides: {spread(found['ours']['write_s_per_1000'], 3)} CPU s per 1,000"
    )
    lines.append(f"wanted: ours at most {MAX_CPU_S} and {_TARGETS['floor']} times the floor;")
    lines.append(
        "  "
        + ", ".join(f"{name} at least {least:g} times ours" for name, least in _TARGETS.items() if name != "floor")
    )
    return lines


def _ratios(values: list[float], others: list[float]) -> list[float]:
    return [value / other for value, other in zip(values, others, strict=True)]


def _measure_peer(options: Options, server: Server, name: str) -> dict[str, float]:
    warm = _check_peer(options, server, name, _NUM_WARM)
    full = _check_peer(options, server, name, options.num_requests)
    num = (options.num_requests - _NUM_WARM) / 1000
    return {
        "cpu_s_per_1000": (full.cpu_s - warm.cpu_s) / num,
        "start_cpu_s": warm.cpu_s,
        "peak_mb": full.peak_mb,
    }


def _check_peer(options: Options, server: Server, name: str, num: int) -> Run:
    server.reset()
    run = run_peer(options, name, server, num, options.num_in_flight)
    check(run, name, num)
    assert server.stats()["distinct"] >= num, "prompts must differ"
    return run


def _measure_ours(options: Options, server: Server) -> dict[str, float]:
    warm, full = (_check_ours(options, server, num) for num in (_NUM_WARM, options.num_requests))
    num = (options.num_requests - _NUM_WARM) / 1000
    asked_s = full.marks["generate"].cpu_s - warm.marks["generate"].cpu_s
    return {
        "cpu_s_per_1000": asked_s / num,
        "write_s_per_1000": (full.cpu_s - warm.cpu_s - asked_s) / num,
        "start_cpu_s": warm.marks["generate"].cpu_s,
        "peak_mb": full.marks["generate"].peak_mb,
        "peak_mb_with_write": full.peak_mb,
    }


def _check_ours(options: Options, server: Server, num: int) -> Run:
    server.reset()
    out = options.work / "out-cpu"
    run = run_ours(options, server, OurRun(make_annotations(options, num), out, options.num_in_flight))
    check(run, "instructgen", num)
    assert server.stats()["distinct"] == num, "each image is asked once"
    shutil.rmtree(out)
    return run
