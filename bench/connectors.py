"""The connectors on the same tower, language model and data: parameters, tokens, speed, and what they let be seen.

    python bench/connectors.py --out out/connectors --json connectors.json --plot connectors.svg

Tower and language model begin as the demo's stage 0 leaves them (docs/demo.md). Each connector is trained twice with
the language model, with the same steps, samples and rates: on lists that say what is where in a picture, then on
short chats about it. The Q-Former is trained once more with the language model frozen, as in BLIP-2's stage 2.
Batches are large, for Flamingo's gates begin shut: of 5,600 pictures in batches of 8 nothing is learned. Accuracy is
the suite `qa` on held-out scenes; blind is the best of another question's picture and zeros. Speed is measured at the
end, in rounds of a few steps in which the connectors take turns, and is the fastest round's.
CPU seconds are those of both trainings. Run again, it goes on where it was stopped. Needs torch (the extra `train`).
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learning_parts import make_stage0, run_command
from msgspec import Struct

from instructgen.jobs.demo_plan import QUICK, DemoPlan
from instructgen.jobs.demo_scenes import draw_other_scenes, write_list
from instructgen.jobs.demo_scores import read_accuracies

_ASKED = "What is where?"
_ROUNDS, _WARM_STEPS = 3, 4
_QFORMER = (
    "model.connector.qformer={ num_queries = 16, hidden_size = 128, num_layers = 4, num_heads = 4, "
    "intermediate_size = 256, cross_attention_every = 2 }"
)
_GATED = (
    "model.connector.flamingo={ every = 1, num_heads = 4, head_width = 32, num_latents = 9, depth = 1, mult = 2 }"
)


class Contender(Struct, frozen=True):
    name: str
    kind: str
    system: str
    settings: tuple[str, ...] = ()
    trains: str = '["connector", "language"]'


class Steps(Struct, frozen=True):
    """`lists` and `chats` are steps, `timed` those of a round."""

    lists: int = 300
    chats: int = 300
    timed: int = 12


CONTENDERS = (
    Contender("linear", "linear", "LLaVA"),
    Contender("mlp2x_gelu", "mlp2x_gelu", "LLaVA-1.5"),
    Contender("qformer", "qformer", "MiniGPT-4", (_QFORMER,), trains='["qformer", "connector", "language"]'),
    Contender("qformer_frozen_lm", "qformer", "BLIP-2 stage 2", (_QFORMER,), trains='["qformer", "connector"]'),
    Contender("gated_cross_attention", "gated_cross_attention", "Flamingo", (_GATED,)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/connectors"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage0", type=Path, help="a folder with the demo's `vision` and `language`")
    parser.add_argument("--only", choices=[one.name for one in CONTENDERS], action="append", help="again for more")
    parser.add_argument("--quick", action="store_true", help="a few steps, to see it run")
    parser.add_argument("--json", type=Path, help="where all figures go")
    parser.add_argument("--plot", type=Path, help="where the picture goes")
    args = parser.parse_args()
    out = args.out.absolute()
    plan = DemoPlan(seed=args.seed) if not args.quick else QUICK
    steps = Steps() if not args.quick else Steps(2, 2, _WARM_STEPS + 2)
    chosen = [one for one in CONTENDERS if not args.only or one.name in args.only]
    out.mkdir(parents=True, exist_ok=True)
    stage0 = args.stage0.absolute() if args.stage0 else make_stage0(out / "stage0", plan)
    lists, chats = write_lists(out / "lists", plan), build_chats(out / "chats", plan)
    bench = Bench(out, stage0, lists, chats, plan, steps)
    rows = [bench.train(one) for one in chosen]
    for row, speed in zip(rows, bench.time_all(chosen), strict=True):
        row["samples_per_second"] = speed
    print_table(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if args.plot:
        draw(rows, args.plot)


def write_lists(folder: Path, plan: DemoPlan) -> Path:
    """Write the scenes of the demo's student as JPEG files, and a chat a line that lists what is where."""
    path = folder / "lists.jsonl"
    if path.is_file():
        return path
    folder.mkdir(exist_ok=True)
    lines = []
    for number, scene in enumerate(draw_other_scenes(plan.student_seed, plan.num_scenes)):
        name = f"{number:05d}.jpg"
        (folder / name).write_bytes(scene.jpeg)
        asked, told = {"role": "user", "content": _ASKED}, {"role": "assistant", "content": write_list(scene.things)}
        lines.append(json.dumps({"messages": [asked, told], "images": [name]}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def build_chats(folder: Path, plan: DemoPlan) -> Path:
    if not (folder / "tags" / "latest").exists():
        scenes = ["--source", "simple-scenes", "--limit", plan.num_scenes, "--seed", plan.student_seed]
        kind = ["--teacher", "scene-program", "--types", "conv,negative", "--style", "terse"]
        run(["build", *scenes, *kind, "--out", folder, "--json"])
    return folder


class Bench(Struct, frozen=True):
    out: Path
    stage0: Path
    lists: Path
    chats: Path
    plan: DemoPlan
    steps: Steps

    def train(self, one: Contender) -> dict[str, Any]:
        """Return the connector's row of the table, without its speed."""
        folder = self.out / one.name
        stage1, stage2, asked = folder / "stage1", folder / "stage2", folder / "evaluation"
        kind = [f"model.connector.kind={json.dumps(one.kind)}", *one.settings]
        parts = [f"model.{part}.name={json.dumps(str(self.stage0 / part))}" for part in ("vision", "language")]
        rates = ["optim.learning_rate=1e-3", "optim.rates={ connector = 2e-3, qformer = 2e-3 }"]
        first = self._finetune(one, self.lists, self.steps.lists, stage1, *kind, *parts, *rates)
        rates = ["optim.learning_rate=6e-4", "optim.rates={ connector = 1e-3, qformer = 1e-3 }"]
        second = self._finetune(one, self.chats, self.steps.chats, stage2, *rates, before=stage1)
        scenes = ["--source", f"simple-scenes:{self.plan.held_out_seed}", "--limit", self.plan.num_held_out]
        run(["evaluate", stage2, "--suite", "qa", "--qa-by", "likeliest", *scenes, "--out", asked, *_COMMON])
        found = read_accuracies(asked / "results.json")
        card = json.loads((stage2 / "model" / "instructgen.json").read_text(encoding="utf-8"))
        record = json.loads((stage2 / "run.json").read_text(encoding="utf-8"))
        blind = {kind: max(found.shuffled.by_kind[kind], found.zero.by_kind[kind]) for kind in found.seen.by_kind}
        return {
            "name": one.name,
            "system": one.system,
            "parameters": {name: part["used"] for name, part in record["parameters"]["parts"].items()},
            "tokens_per_image": card["tokens_per_image"],
            "cpu_s": first + second,
            "accuracy": found.seen.all,
            "blind": max(found.shuffled.all, found.zero.all),
            "by_kind": {kind: (value, blind[kind]) for kind, value in found.seen.by_kind.items()},
        }

    def _finetune(
        self, one: Contender, data: Path, steps: int, out: Path, *settings: str, before: Path | None = None
    ) -> float:
        """Train, and return the CPU seconds that it took, as told by the first run that came to its end."""
        told = out.with_name(f"{out.name}.cpu_s")
        command = ["finetune", "--recipe", "demo-stage2", "--data", data, "--out", out, "--steps", steps, *_COMMON]
        command += ["--model", before] if before else []
        common = [
            "rows.batch=64",
            "rows.row_tokens=2048",
            f"train.trains={one.trains}",
            f"train.seed={self.plan.seed}",
        ]
        command += [part for setting in (*settings, *common) for part in ("--set", setting)]
        if not told.is_file():
            told.write_text(str(run(command)), encoding="utf-8")
        return float(told.read_text(encoding="utf-8"))

    def time_all(self, chosen: Sequence[Contender]) -> list[float]:
        """Return samples a second in stage 2 of each connector, by its fastest round."""
        best = [0.0] * len(chosen)
        for number in range(_ROUNDS):
            for place, one in enumerate(chosen):
                folder = self.out / "speed" / f"{one.name}-{number}"
                shutil.rmtree(folder, ignore_errors=True)
                folder.with_name(f"{folder.name}.cpu_s").unlink(missing_ok=True)
                self._finetune(one, self.chats, self.steps.timed, folder, before=self.out / one.name / "stage2")
                lines = read_metrics(folder)
                first, last = lines[_WARM_STEPS - 1], lines[-1]
                speed = (last["samples"] - first["samples"]) / (last["seconds"] - first["seconds"])
                best[place] = max(best[place], speed)
        return best


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


_COMMON = ("--device", "cpu", "--json")


def run(command: list[Any]) -> float:
    """Tell a command and run it; return the CPU seconds that it took."""
    words = [str(word) for word in command]
    tell(f"instructgen {' '.join(words)}")
    return run_command(words)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_table(rows: list[dict[str, Any]]) -> None:
    print("| connector | as in | parameters | positions a picture | samples/s | CPU s | % right | blind | gain |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        parameters = row["parameters"].get("connector", 0) + row["parameters"].get("qformer", 0)
        gain = row["accuracy"] - row["blind"]
        print(
            f"| {row['name']} | {row['system']} | {parameters:,} | {row['tokens_per_image']} |"
            f" {row['samples_per_second']:.1f} | {row['cpu_s']:.0f} | {row['accuracy']:.1f} | {row['blind']:.1f} |"
            f" {gain:+.1f} |"
        )


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw accuracy beside its blind control, and speed, one bar a connector."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [row["name"].replace("_", " ").replace("ted ", "ted\n").replace("r f", "r\nf") for row in rows]
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
