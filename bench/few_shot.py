"""A small model learns to learn from shots: made-up names for an attribute that it was never trained on.

    python bench/few_shot.py --work out/few-shot --kind gated

Draws training episodes (evaluate.shots.episodes), builds a dataset of them, trains connector and language model, and
asks `evaluate --suite new-names --shots 0,4,8`. Tower and language model begin as the demo's stage 0 leaves them;
give --stage0 a folder with `vision` and `language` to go without making them. CPU seconds of all parts are told.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from instructgen.evaluate.shots.episodes import EpisodeRules, make_training_documents, write_documents

_RECIPE = """\
about = "Few-shot bench: documents of episodes"
template = "interleaved"

[model.vision]
name = "{stage0}/vision"
layer = -1
normalises_last = true
aspect = "squash"

[model.connector]
{connector}

[model.language]
name = "{stage0}/language"

[train]
trains = ["connector", "language"]
steps = {steps}
dtype = "{dtype}"

[optim]
learning_rate = {rate}
betas = [0.9, 0.98]
warmup = 50
last_rate = 0.02

[rows]
batch = {batch}
max_tokens = 512
row_tokens = 512

[documents]
p_next = 1.0
leading_space = 0.0

[saving]
every_steps = {steps}
keep_last = 1
"""
_CONNECTORS = {
    "mlp": 'kind = "mlp2x_gelu"',
    "gated": 'kind = "gated_cross_attention"\n\n[model.connector.flamingo]\n'
    "every = 1\nnum_heads = 4\nhead_width = 32\nnum_latents = 8\ndepth = 1\nnum_frames = 0",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stage0", type=Path)
    parser.add_argument("--kind", choices=sorted(_CONNECTORS), default="gated")
    parser.add_argument("--trained-on", default="kind,count,column")
    parser.add_argument("--asked-about", default="color")
    parser.add_argument("--documents", type=int, default=8000)
    parser.add_argument("--pictures", type=int, default=8, help="of a training document")
    parser.add_argument("--variants", type=int, default=8, help="pictures of a look that training documents share")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    cpu_s: dict[str, float] = {}
    stage0 = given.stage0 or given.work / "stage0"
    begun = time.process_time()
    if not (stage0 / "language").is_dir():
        make_stage0(stage0, given.seed)
    cpu_s["stage0"] = time.process_time() - begun
    begun = time.process_time()
    rules = EpisodeRules(given.seed + 1, "training", tuple(given.trained_on.split(",")), num_variants=given.variants)
    if not (given.work / "episodes").is_dir():
        write_documents(make_training_documents(rules, given.documents, given.pictures), given.work / "episodes")
    cpu_s["episodes"] = time.process_time() - begun
    recipe = given.work / "recipe.toml"
    facts = {"steps": given.steps, "rate": given.rate, "batch": given.batch}
    dtype = "bfloat16" if given.device != "cpu" else "float32"
    recipe.write_text(_RECIPE.format(stage0=stage0, connector=_CONNECTORS[given.kind], dtype=dtype, **facts))
    build = given.work / "build.toml"
    build.write_text(
        '[source]\nname = "interleaved"\n\n[source.documents]\nmin_picture_bytes = 1\nkeep_single = 1.0\n'
        f"max_pictures = {given.pictures}\n"
    )
    data, run = given.work / "data", given.work / "run"
    arguments = ("--pipeline", str(build), "--root", str(given.work / "episodes"), "--images", "embed")
    cpu_s["dataset"] = call("build", *arguments, "--out", str(data))
    features = ("--cache-features", str(given.work / "features"), "--device", given.device)
    cpu_s["training"] = call("finetune", "--recipe", str(recipe), "--data", str(data), "--out", str(run), *features)
    asked = ("--suite", "new-names", "--qa-by", "likeliest", "--shots", "0,4,8", "--shot-separator", "")
    more = ("--names-of", given.asked_about, "--source", f"simple-scenes:{given.seed + 7}", "--plain")
    out = given.work / "evaluation"
    limit = ("--limit", str(given.episodes), "--out", str(out), "--device", given.device)
    cpu_s["evaluation"] = call("evaluate", str(run), *asked, *more, *limit)
    shots = json.loads((out / "results.json").read_text())["suites"]["new-names-shots"]["groups"]["shots"]
    print(json.dumps({"cpu_s": {name: round(value) for name, value in cpu_s.items()}, "shots": shots}, indent=1))


def make_stage0(folder: Path, seed: int) -> None:
    from instructgen.jobs.demo_plan import DemoPlan
    from instructgen.jobs.demo_stage0 import make_part

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("vision", "language"):
        if not (folder / name).is_dir():
            make_part(name, folder / name, DemoPlan(seed=seed))


def call(*arguments: str) -> float:
    """Run a command of ours and return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "instructgen", *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
