"""Figures of bench/scale_units.py by hand, whose lines can be worked out in the head."""

import json
from pathlib import Path
from typing import Any


def make_figures() -> list[dict[str, Any]]:
    """A process starts in 2 s; a unit takes 4 ms by the program, 3 ms where its answer is there, 3.4 ms at a server,
    of which 0.5 ms are the request; a merge takes 1 s, and 0.1 ms a unit. A process has 101 MB with 1,000 units and
    103 with 3,000, a merge 100 MB.
    """
    found: list[dict[str, Any]] = []

    def add(teacher: str, engine: str, step: str, cpu: tuple[float, float], **more: float) -> None:
        for units in (1_000, 3_000):
            one = {"teacher": teacher, "engine": engine, "step": step, "units": units}
            weights = {name: round(units * each) for name, each in more.items()}
            peak_mb = 100 if step == "merge" else 100 + units / 1000
            found.append({**one, "cpu_s": cpu[0] + units * cpu[1], "peak_mb": peak_mb, **weights})

    add("program", "whole", "build", (2, 0.004), rows=1, dataset_bytes=200, ledger_bytes=300)
    add("program", "replay", "build", (2, 0.003))
    add("program", "parts", "merge", (1, 0.0001))
    add("server", "whole", "build", (2, 0.0034), rows=1, dataset_bytes=50, ledger_bytes=900)
    add("server", "replay", "build", (2, 0.0029))
    return found


def write_figures(path: Path, figures: list[dict[str, Any]] | None = None) -> Path:
    table = {"as_of": "2026-01-01", "how": "by hand", "figures": make_figures() if figures is None else figures}
    path.write_text(json.dumps(table), encoding="utf-8")
    return path
