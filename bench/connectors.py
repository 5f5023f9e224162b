"""Four connectors on the same tower, language model and data: parameters, tokens, speed, and what they let be seen.

    python bench/connectors.py --out out/connectors --json connectors.json --plot connectors.svg

The parts and the chats are the demo's (docs/demo.md). Each connector is trained as the demo trains its own: alone on
descriptions, then with the language model on chats, as many steps and samples for each. What differs is the
connector's rate: of two the one with the lower loss at the end of the descriptions is taken. The language model under
gated cross-attention may stay frozen, as Flamingo's does (--frozen). Accuracy is the suite `qa` on held-out scenes;
blind is the best of another question's picture and a picture of zeros. Speed is measured at the end, in rounds of a
few steps in which the connectors take turns, and is the fastest round's. Run again, it goes on where it was stopped.
Needs torch (the extra `train`).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from instructgen.jobs.demo import Demo, Step, make_steps
from instructgen.jobs.demo_plan import QUICK, DemoPlan
from instructgen.jobs.demo_scores import read_accuracies

WORKER = (sys.executable, "-m", "instructgen.cli.demo_worker")
_ROUNDS, _ROUND_STEPS, _WARM_STEPS = 3, 24, 4
_QFORMER = (
    "model.connector.qformer={ num_queries = 16, hidden_size = 128, num_layers = 4, num_heads = 4, "
    "intermediate_size = 256, cross_attention_every = 2 }"
)
_GATED = (
    "model.connector.flamingo={ every = 1, num_heads = 4, head_width = 32, num_latents = 16, depth = 2, mult = 2 }"
)


class Contender(Struct, frozen=True):
    """`rates` are tried; `trains` is what learns in stage 2."""

    kind: str
    system: str
    settings: tuple[str, ...] = ()
    rates: tuple[float, ...] = (1.5e-3, 5e-4)
    trains: str = '["connector", "language"]'


CONTENDERS = (
    Contender("linear", "LLaVA"),
    Contender("mlp2x_gelu", "LLaVA-1.5"),
    Contender("qformer", "BLIP-2, MiniGPT-4", (_QFORMER,), trains='["qformer", "connector", "language"]'),
    Contender("gated_cross_attention", "Flamingo", (_GATED,)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/connectors"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage0", type=Path, help="the folder of a demo whose parts and data are taken")
    parser.add_argument("--frozen", action="store_true", help="the language model stays frozen under Flamingo's")
    parser.add_argument("--quick", action="store_true", help="a few steps, to see it run")
    parser.add_argument("--json", type=Path, help="where all figures go")
    parser.add_argument("--plot", type=Path, help="where the picture goes")
    args = parser.parse_args()
    out = args.out.absolute()
    plan = DemoPlan(seed=args.seed) if not args.quick else QUICK
    base = args.stage0.absolute() if args.stage0 else make_base(out / "base", plan)
    rows = [train(one, base, out / one.kind, plan, is_frozen=args.frozen) for one in CONTENDERS]
    for row, seconds in zip(rows, time_all(base, out, plan), strict=True):
        row["samples_per_second"] = seconds
    print_table(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if args.plot:
        draw(rows, args.plot)


class Base(Demo):
    """A demo's stand-ins and data, and nothing trained on them."""

    def steps(self) -> list[Step]:
        wanted = ("language", "vision", "details", "chats")
        return [step for step in make_steps(self.out.absolute(), self.plan) if step.name in wanted]


def make_base(folder: Path, plan: DemoPlan) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    base = Base(folder, plan, tell, WORKER)
    base._take_all(base.steps())  # noqa: SLF001  the demo's own way to take steps, without its students
    return folder


def train(one: Contender, base: Path, out: Path, plan: DemoPlan, *, is_frozen: bool) -> dict[str, Any]:
    """Return the connector's row of the table, without its speed."""
    losses = {rate: pretrain(one, base, out / f"stage1-{rate:g}", plan, rate) for rate in one.rates}
    rate = min(losses, key=lambda found: losses[found])
    tell(f"{one.kind}: rate {rate:g} of {losses}")
    stage1, stage2 = out / f"stage1-{rate:g}", out / "stage2"
    frozen = is_frozen and one.kind == "gated_cross_attention"
    trains = '["connector"]' if frozen else one.trains
    command = ["finetune", "--recipe", "demo-stage2", "--data", base / "data" / "chats", "--model", stage1]
    more = ["--set", f"train.trains={trains}", "--set", f"optim.rates={{ connector = {rate / 3:g} }}"]
    run([*command, "--steps", plan.stage2_steps, "--out", stage2, *more, *seeds(plan), *_COMMON])
    asked = ["--source", f"simple-scenes:{plan.held_out_seed}", "--limit", plan.num_held_out]
    folder = out / "evaluation"
    run(["evaluate", stage2, "--suite", "qa", "--qa-by", "likeliest", *asked, "--out", folder, *_COMMON])
    found = read_accuracies(folder / "results.json")
    card = json.loads((stage2 / "model" / "instructgen.json").read_text(encoding="utf-8"))
    record = json.loads((stage2 / "run.json").read_text(encoding="utf-8"))
    return {
        "kind": one.kind,
        "system": one.system,
        "rate": rate,
        "parameters": {name: part["used"] for name, part in record["parameters"]["parts"].items()},
        "tokens_per_image": card["tokens_per_image"],
        "accuracy": found.seen.all,
        "blind": max(found.shuffled.all, found.zero.all),
        "by_kind": {
            kind: (value, max(found.shuffled.by_kind[kind], found.zero.by_kind[kind]))
            for kind, value in found.seen.by_kind.items()
        },
    }


def pretrain(one: Contender, base: Path, folder: Path, plan: DemoPlan, rate: float) -> float:
    """Train the connector on descriptions; return the mean loss of the last tenth of the steps."""
    trains = '["qformer", "connector"]' if one.kind == "qformer" else '["connector"]'
    settings = [f"model.connector.kind={json.dumps(one.kind)}", *one.settings, f"train.trains={trains}"]
    settings += [f"optim.learning_rate={rate:g}", f"model.vision.name={json.dumps(str(base / 'stage0' / 'vision'))}"]
    settings += [f"model.language.name={json.dumps(str(base / 'stage0' / 'language'))}"]
    command = ["pretrain", "--recipe", "demo-stage1", "--data", base / "data" / "details", "--out", folder]
    chosen = [part for setting in settings for part in ("--set", setting)]
    run([*command, "--steps", plan.stage1_steps, *chosen, *seeds(plan), *_COMMON])
    losses = [line["loss"] for line in read_metrics(folder)]
    last = losses[-max(1, len(losses) // 10) :]
    return sum(last) / len(last)


def time_all(base: Path, out: Path, plan: DemoPlan) -> list[float]:
    """Return samples a second in stage 2 of each connector, by its fastest round."""
    best = [0.0] * len(CONTENDERS)
    steps = _ROUND_STEPS if plan != QUICK else _WARM_STEPS + 2
    for number in range(_ROUNDS):
        for place, one in enumerate(CONTENDERS):
            folder = out / "speed" / f"{one.kind}-{number}"
            shutil.rmtree(folder, ignore_errors=True)
            command = ["finetune", "--recipe", "demo-stage2", "--data", base / "data" / "chats"]
            more = ["--set", f"train.trains={one.trains}", "--model", out / one.kind / "stage2"]
            run([*command, *more, "--steps", steps, "--out", folder, *_COMMON])
            lines = read_metrics(folder)
            first, last = lines[_WARM_STEPS - 1], lines[-1]
            speed = (last["samples"] - first["samples"]) / (last["seconds"] - first["seconds"])
            best[place] = max(best[place], speed)
    return best


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def seeds(plan: DemoPlan) -> list[str]:
    return ["--set", f"train.seed={plan.seed}", "--set", f"model.seed={plan.seed}"]


_COMMON = ("--device", "cpu", "--json")


def run(command: list[Any]) -> None:
    words = [str(word) for word in command]
    tell(f"instructgen {' '.join(words)}")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [sys.executable, "-m", "instructgen", *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout[-500:]}{done.stderr[-3000:]}")


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_table(rows: list[dict[str, Any]]) -> None:
    print("| connector | as in | parameters | positions a picture | samples/s | % right | blind | gain |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        parameters = row["parameters"].get("connector", 0) + row["parameters"].get("qformer", 0)
        gain = row["accuracy"] - row["blind"]
        print(
            f"| {row['kind']} | {row['system']} | {parameters:,} | {row['tokens_per_image']} |"
            f" {row['samples_per_second']:.1f} | {row['accuracy']:.1f} | {row['blind']:.1f} | {gain:+.1f} |"
        )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw accuracy beside its blind control, and speed, one bar a connector."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [row["kind"].replace("_", " ").replace("gated ", "gated\n") for row in rows]
    places = list(range(len(rows)))
    left.bar(places, [row["accuracy"] for row in rows], color="tab:blue", width=0.6, label="with the picture")
    left.scatter(places, [row["blind"] for row in rows], color="black", marker="_", s=900, label="blind")
    left.set_ylabel("% of held-out questions right")
    left.set_ylim(0, 100)
    left.legend(fontsize="small", loc="upper right")
    right.bar(places, [row["samples_per_second"] for row in rows], color="tab:orange", width=0.6)
    right.set_ylabel("samples a second in stage 2")
    for axes in (left, right):
        axes.set_xticks(places, names, fontsize="small")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format=path.suffix[1:] or "svg")


if __name__ == "__main__":
    main()
