"""Does a student learn to see? The demo with several seeds: accuracy by kind of question, beside every control.

    python bench/learning.py --out out/learning --seeds 3 --json learning.json

Each seed is a demo of its own (docs/demo.md): other scenes, other beginnings, other draws, other questions. Printed
in percent: the mean of the seeds with half of their range. `blind` is the best of three: another question's picture,
a picture of zeros, and a student that was trained as long on the same chats without their pictures. `gain` is the
student's accuracy over it, of the seed where it is least. Run again, it goes on where it was stopped. Needs torch
(the extra `train`).
"""

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.jobs.demo import Demo
from instructgen.jobs.demo_plan import QUICK, DemoPlan

WORKER = (sys.executable, "-m", "instructgen.cli.demo_worker")
COLUMNS = ("accuracy", "blind_accuracy", "captions_only_accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a few steps, to see it run")
    parser.add_argument("--json", type=Path, help="where all figures go")
    args = parser.parse_args()
    results = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        plan = replace(QUICK if args.quick else DemoPlan(), seed=seed)
        results.append(Demo(args.out / f"seed-{seed}", plan, tell, WORKER).run())
        print(f"seed {seed}: {describe(results[-1])}", flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report(results)
    print(f"{used.ru_utime + used.ru_stime:.0f} CPU s of this run")
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def tell(text: str) -> None:
    print(text, file=sys.stderr)


def describe(result: dict[str, Any]) -> str:
    shares = ", ".join(f"{name} {result[name]:.1f}" for name in COLUMNS)
    return f"{shares}; {result['seconds']:.0f} s"


def report(results: list[dict[str, Any]]) -> None:
    print(f"\n{'% right':10} {'seeing':>13} {'blind':>13} {'captions':>13} {'gain':>6}")
    for kind in (*sorted(results[0]["by_kind"]), "all"):
        rows = [result if kind == "all" else result["by_kind"][kind] for result in results]
        cells = " ".join(spread([row[name] for row in rows]) for name in COLUMNS)
        gain = min(row["accuracy"] - row["blind_accuracy"] for row in rows)
        print(f"{kind:10} {cells} {gain:+6.1f}")


def spread(values: list[float]) -> str:
    return f"{sum(values) / len(values):6.1f} +-{(max(values) - min(values)) / 2:4.1f}"


if __name__ == "__main__":
    main()
