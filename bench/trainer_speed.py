"""Samples per CPU second of training: ours, a padded loop, the same grouped by length, TRL, a stock Trainer.

    python bench/trainer_speed.py                       # both stages and the sweep over samples per image
    python bench/trainer_speed.py --shapes tiny --turns 1 --sweep-turns 0 --samples 12
    python bench/trainer_speed.py --device cuda --shapes gpu --stages 2 --row-tokens 8192 --samples 128 --compile

Every trainer is a process of its own with one thread. They take turns: one optimiser step each over the same samples,
after one that is not counted; a ratio is the median of the ratios within a turn. All start from the same weights and
must have the same loss on the samples, or nothing is reported. Time is the process's CPU time; on a GPU it is the
clock's, and the trainers run one after another.

TRL lives in an environment of its own (bench/README.md); `--trl-python` says where. Without it that peer is left out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainer_data import SHAPES, make_samples

HERE = Path(__file__).resolve().parent
VARIANTS = (
    "padded",
    "grouped",
    "trl",
    "stock Trainer, our rows",
    "ours, not shared",
    "ours",
    "ours, cached features",
)
BASE = "padded"
PER_IMAGE = (1, 2, 3, 4, 6)
Turn = dict[str, Any]


class Worker:
    """One trainer, started and asked line by line."""

    def __init__(self, variant: str, stage: int, options: argparse.Namespace, per_image: int, samples: int) -> None:
        python = options.trl_python if variant.startswith("trl") else sys.executable
        command = [python, str(HERE / "trainer_worker.py"), "--variant", variant, "--stage", str(stage)]
        for name in ("dtype", "device", "shapes", "row_tokens", "threads"):
            command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
        command += ["--per-image", str(per_image), "--samples", str(samples)]
        command += [f"--{name}" for name in ("checkpointing", "compile") if getattr(options, name)]
        threads = str(options.threads)
        paths = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": threads,
            "OMP_WAIT_POLICY": "passive",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_VERBOSITY": "error",
            "PYTHONWARNINGS": "ignore",
        }
        self.variant = variant
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE
        )

    def ask(self, word: str) -> Turn:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.variant}: the worker ended without an answer")
        answer: Turn = json.loads(line)
        return answer

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def run_stage(options: argparse.Namespace, stage: int, variants: list[str], per_image: int, turns: int) -> list[Turn]:
    """Return one summary a variant, in their order."""
    samples = -(-options.samples // per_image) * per_image
    loops = [variant for variant in variants if variant in ("padded", "ours", "ours, not shared")]
    losses: dict[str, float] = {}
    taken: dict[str, list[Turn]] = {variant: [] for variant in variants}
    if options.device == "cuda":
        for variant in variants:
            worker = Worker(variant, stage, options, per_image, samples)
            answers = [worker.ask("step") for _ in range(turns + 2)]
            worker.end()
            losses[variant] = answers[0]["loss"]
            taken[variant] = answers[2:]
        check_losses(losses, 5e-3)
    else:
        workers = [Worker(variant, stage, options, per_image, samples) for variant in variants]
        try:
            losses = {worker.variant: worker.ask("loss")["loss"] for worker in workers if worker.variant in loops}
            check_losses(losses, 1e-4)
            check_losses({worker.variant: worker.ask("step")["loss"] for worker in workers}, 2e-3)
            for _ in range(turns):
                for worker in workers:
                    taken[worker.variant].append(worker.ask("step"))
        finally:
            for worker in workers:
                worker.end()
    return [summarise(variant, taken, options, samples, per_image) for variant in variants]


def check_losses(losses: dict[str, float], tolerance: float) -> None:
    """Stop where trainers do not agree on what the samples cost."""
    if losses and max(losses.values()) - min(losses.values()) > tolerance * max(losses.values()):
        raise SystemExit(f"the trainers do not compute the same loss: {losses}")


def summarise(
    variant: str, taken: dict[str, list[Turn]], options: argparse.Namespace, samples: int, per_image: int
) -> Turn:
    turns = taken[variant]
    seconds = [turn["seconds"] for turn in turns]
    shapes = SHAPES[options.shapes]
    useful = sum(len(sample.ids) for sample in make_samples(shapes, samples, per_image))
    computed = statistics.median(turn.get("computed") or 0 for turn in turns)
    middle = statistics.median(seconds)
    flops = statistics.median(turn.get("flops") or 0 for turn in turns)
    return {
        "variant": variant,
        "samples_per_second": samples / middle,
        "least": samples / max(seconds),
        "most": samples / min(seconds),
        "times_padded": times(taken, variant, BASE),
        "times_trl": times(taken, variant, "trl"),
        "useful_by_computed": useful / computed if computed else None,
        "row_fill": turns[-1].get("fill"),
        "peak_mb": max(turn["peak_mb"] for turn in turns),
        "tokens_per_second": useful / middle,
        "mfu": flops / middle / (options.peak_tflops * 1e12) if options.device == "cuda" and flops else None,
        "seconds": seconds,
    }


def times(taken: dict[str, list[Turn]], variant: str, base: str) -> float | None:
    """Return how many times faster than `base`: the median over turns."""
    if base not in taken:
        return None
    pairs = zip(taken[base], taken[variant], strict=True)
    return statistics.median(theirs["seconds"] / ours["seconds"] for theirs, ours in pairs)


def cell(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def print_stage(stage: int, summaries: list[Turn], unit: str) -> None:
    print(f"\nStage {stage}\n")
    names = ("trainer", f"samples per {unit} (least to most)", "x padded", "x TRL", "useful/computed", "fill")
    print(f"| {' | '.join([*names, 'peak MB', 'MFU'])} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for one in summaries:
        spread = f"{one['samples_per_second']:.2f} ({one['least']:.2f} to {one['most']:.2f})"
        columns = [cell(one["times_padded"]), cell(one["times_trl"]), cell(one["useful_by_computed"])]
        columns += [cell(one["row_fill"], 3), cell(one["peak_mb"], 0), cell(one["mfu"], 3)]
        print(f"| {one['variant']} | {spread} | {' | '.join(columns)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", default="1,2")
    parser.add_argument("--only", default="", help="trainers, separated by semicolons; all without")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument(
        "--sweep-turns", type=int, default=3, help="turns for each number of samples per image; 0: none"
    )
    parser.add_argument("--samples", type=int, default=48, help="samples of a step")
    parser.add_argument("--per-image", type=int, default=3)
    parser.add_argument("--shapes", choices=sorted(SHAPES), default="small")
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--row-tokens", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpointing", action="store_true", help="compute activations again, in all trainers")
    parser.add_argument("--compile", action="store_true", help="compile our decoder's layers")
    parser.add_argument(
        "--peak-tflops", type=float, default=989.0, help="of the GPU in bfloat16, for MFU (H100, H200)"
    )
    parser.add_argument("--trl-python", default=str(HERE / "peers" / ".venv" / "trl" / "bin" / "python"))
    parser.add_argument("--json", type=Path, help="write everything to this file")
    options = parser.parse_args()
    variants = [name.strip() for name in options.only.split(";") if name.strip()] or list(VARIANTS)
    if not Path(options.trl_python).exists() and any(name.startswith("trl") for name in variants):
        print(f"TRL is left out: no {options.trl_python}; bench/README.md says how it is installed")
        variants = [name for name in variants if not name.startswith("trl")]
    unit = "s" if options.device == "cuda" else "CPU s"
    report: dict[str, Any] = {"options": {name: str(value) for name, value in vars(options).items()}}
    for stage in (int(stage) for stage in options.stages.split(",")):
        summaries = run_stage(options, stage, variants, options.per_image, options.turns)
        print_stage(stage, summaries, unit)
        report[f"stage {stage}"] = summaries
        if not options.sweep_turns:
            continue
        print("\n| samples per image | padded | ours, not shared | ours | x padded, not shared | x padded |")
        print("| --- | --- | --- | --- | --- | --- |")
        for per_image in PER_IMAGE:
            three = [BASE, "ours, not shared", "ours"]
            found = run_stage(options, stage, three, per_image, options.sweep_turns)
            report[f"stage {stage}, {per_image} samples an image"] = found
            rates = [cell(one["samples_per_second"]) for one in found]
            gains = [cell(one["times_padded"]) for one in found[1:]]
            print(f"| {per_image} | {' | '.join([*rates, *gains])} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
