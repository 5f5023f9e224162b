"""Memory of a long run beside a short one, and the time that a run takes which finds every answer in its ledger."""

import dataclasses
import shutil
from typing import Any

from requests_run import Options, OurRun, Run, check, make_annotations, run_ours, say, spread, start_server

_NUM_FEW = 2000
_NUM_IN_FLIGHT = 256


def measure_memory(options: Options) -> dict[str, Any]:
    """The short run reads the same annotations (`limit`), and, as a second case, annotations of its own size."""
    found: dict[str, Any] = {}
    out = options.work / "out-memory"
    many = make_annotations(options, options.num_units)
    few = make_annotations(options, _NUM_FEW)
    cases = {
        f"{_NUM_FEW} of {options.num_units} images": OurRun(many, out, _NUM_IN_FLIGHT, limit=_NUM_FEW),
        f"{_NUM_FEW} of {_NUM_FEW} images": OurRun(few, out, _NUM_IN_FLIGHT),
        f"{options.num_units} images": OurRun(many, out, _NUM_IN_FLIGHT),
    }
    with start_server(options, "--delay-ms", "0") as server:
        for title, build in cases.items():
            for _ in range(1 if build.root == many and build.limit is None else options.repeat):
                run = run_ours(options, server, build)
                check(run, "instructgen", build.limit or (_NUM_FEW if build.root == few else options.num_units))
                figures = {"peak_mb": run.marks["generate"].peak_mb, "peak_mb_with_write": run.peak_mb}
                say(f"{title}: {figures}, {run.cpu_s:.1f} CPU s")
                for key, value in figures.items():
                    found.setdefault(title, {}).setdefault(key, []).append(value)
                shutil.rmtree(out)
    return found


def tell_memory(found: dict[str, Any]) -> list[str]:
    lines = []
    long_run = list(found.values())[-1]
    for title, figures in found.items():
        ratio = max(long_run["peak_mb"]) / max(figures["peak_mb"])
        whole = max(long_run["peak_mb_with_write"]) / max(figures["peak_mb_with_write"])
        generate, both = spread(figures["peak_mb"], 0), spread(figures["peak_mb_with_write"], 0)
        lines.append(
            f"{title}: generate {generate} MB, whole run {both} MB; the long run takes {ratio:.2f} and {whole:.2f} "
            "times that"
        )
    return [*lines, "wanted: at most 1.3 times the short run"]


def measure_cached(options: Options) -> dict[str, Any]:
    """Seconds from the command's start to the end of its generate stage, on all cores; nothing may be asked."""
    options = dataclasses.replace(options, is_pinned=False)
    found: dict[str, Any] = {}
    root = make_annotations(options, options.num_units)
    out, other = options.work / "out-cached", options.work / "out-cached-other"
    tables = {"run": {"cache_dir": str(options.work / "cache")}}
    with start_server(options, "--delay-ms", "0") as server:
        first = run_ours(options, server, OurRun(root, out, _NUM_IN_FLIGHT, tables=tables))
        check(first, "instructgen", options.num_units)
        found["first run, answers bought"] = [_figures(first)]
        say(f"first run: {_figures(first)}")
        server.reset()
        for _ in range(options.repeat):
            for title, folder in (("same --out", out), ("new --out, shared --cache-dir", other)):
                run = run_ours(options, server, OurRun(root, folder, _NUM_IN_FLIGHT, tables=tables))
                check(run, "instructgen", options.num_units)
                assert server.stats()["requests"] == 0, "a stored answer was asked for again"
                say(f"{title}: {_figures(run)}")
                found.setdefault(title, []).append(_figures(run))
                shutil.rmtree(other, ignore_errors=True)
    return found


def tell_cached(found: dict[str, Any]) -> list[str]:
    return [
        f"{title}: generate {spread([one['wall_s'] for one in runs], 1)} s"
        f" ({spread([one['cpu_s'] for one in runs], 1)} CPU s), whole run"
        f" {spread([one['whole_s'] for one in runs], 1)} s"
        for title, runs in found.items()
    ] + ["wanted: under 30 s to the end of the generate stage"]


def _figures(run: Run) -> dict[str, float]:
    mark = run.marks["generate"]
    return {"wall_s": mark.wall_s, "cpu_s": mark.cpu_s, "whole_s": run.wall_s, "whole_cpu_s": run.cpu_s}
