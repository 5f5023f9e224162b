"""A small Flamingo learns to learn from shots: made-up names for an attribute that no training document was about.

    python bench/few_shot.py --work out/few-shot

Tower and language model begin as the demo's stage 0 leaves them; give --stage0 a folder with `vision` and `language`
to go without making them. Then `finetune` reads three datasets of documents (evaluate.shots.episodes) in turn:

1. looks: pictures and what they show ("two red cups"), which opens the gates; a tenth as many keep them open later;
2. several: episodes whose two classes differ in two attributes at once, with the same two words in all;
3. single: such episodes, and as many whose classes differ in one attribute of --trained-on.

Last `evaluate --suite new-names --shots 0,4,8` asks for an attribute that alone never told the classes of a document
apart, between values that no document sets against each other. Which word stands for which value is drawn for each
episode, in training too, so that the shots alone can tell. With --many-words documents have 116 words, and those
that are asked for are in none of them: names that were never seen have to be copied. CPU seconds of all parts are
told. Run again, it goes on where it was stopped.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from learning_parts import make_stage0, run_command
from msgspec import Struct, structs

from instructgen.evaluate.shots.episodes import (
    Attribute,
    EpisodeDocument,
    EpisodeRules,
    make_look_documents,
    make_training_documents,
    write_documents,
)
from instructgen.jobs.demo_plan import DemoPlan

_RECIPE = """\
about = "Few-shot bench: documents of episodes"
template = "interleaved"

[model.vision]
name = "{stage0}/vision"
layer = -1
normalises_last = true
aspect = "squash"

[model.connector]
kind = "gated_cross_attention"

[model.connector.flamingo]
every = 1
num_heads = 4
head_width = 32
num_latents = 1    # all tokens of a chunk get the same from a picture, and so pictures can be compared
depth = 1
mult = 2
num_frames = 0

[model.language]
name = "{stage0}/language"

[train]
trains = ["connector", "language"]
seed = {seed}
dtype = "float32"

[optim]
learning_rate = {rate}
betas = [0.9, 0.98]
warmup = 50
last_rate = 0.3

[rows]
batch = {batch}
max_tokens = 512
row_tokens = 2048

[documents]
p_next = 0.0
leading_space = 0.0

[saving]
every_steps = 10000
keep_last = 1
"""
_BUILD = """\
[source]
name = "interleaved"

[source.documents]
min_picture_bytes = 1
keep_single = 1.0
max_pictures = {pictures}
"""
_WORDS = ("bav", "mov")
_SEVERAL: tuple[Attribute, ...] = ("color", "kind", "column")


class Phase(Struct, frozen=True):
    """`documents` and `steps` are counts."""

    name: str
    documents: int
    steps: int


PHASES = (Phase("looks", 1000, 350), Phase("several", 2000, 700), Phase("single", 2000, 400))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--stage0", type=Path)
    parser.add_argument("--trained-on", default="kind,count,column")
    parser.add_argument("--asked-about", default="color")
    parser.add_argument("--many-words", action="store_true", help="names that are asked for are in no document")
    parser.add_argument("--pictures", type=int, default=8, help="of a training document")
    parser.add_argument("--variants", type=int, default=8, help="pictures of a look that training documents share")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a few steps, to see it run")
    given = parser.parse_args()
    work = given.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    stage0 = given.stage0.absolute() if given.stage0 else make_stage0(work / "stage0", DemoPlan(seed=given.seed))
    (work / "recipe.toml").write_text(
        _RECIPE.format(stage0=stage0, rate=given.rate, batch=given.batch, seed=given.seed), encoding="utf-8"
    )
    (work / "build.toml").write_text(_BUILD.format(pictures=given.pictures), encoding="utf-8")
    before: Path | None = None
    cpu_s: dict[str, float] = {}
    for phase in PHASES if not given.quick else [Phase(one.name, 24, 2) for one in PHASES]:
        data = make_data(phase, work, given)
        before, cpu_s[phase.name] = train(phase, work, data, before)
    out, run = work / "evaluation", work / f"run-{PHASES[-1].name}"
    asked = ("--suite", "new-names", "--qa-by", "likeliest", "--shots", "0,4,8", "--shot-separator", "")
    more = ("--names-of", given.asked_about, "--source", f"simple-scenes:{given.seed + 7}", "--plain")
    words = () if given.many_words else ("--names-are", ",".join(_WORDS))
    limit = ("--limit", str(given.episodes), "--out", str(out), "--device", "cpu")
    cpu_s["evaluation"] = call("evaluate", str(run), *asked, *words, *more, *limit)
    shots = json.loads((out / "results.json").read_text())["suites"]["new-names-shots"]["groups"]["shots"]
    print(json.dumps({"cpu_s": {name: round(value) for name, value in cpu_s.items()}, "shots": shots}, indent=1))


def make_data(phase: Phase, work: Path, given: argparse.Namespace) -> Path:
    """Draw the documents of a phase and build a dataset of them."""
    drawn, data = work / f"documents-{phase.name}", work / f"data-{phase.name}"
    if not (drawn / "episodes.jsonl").is_file():
        write_documents(draw_documents(phase, given), drawn)
    if not (data / "tags" / "latest").exists():
        arguments = ("--pipeline", str(work / "build.toml"), "--root", str(drawn), "--images", "embed")
        call("build", *arguments, "--out", str(data))
    return data


def draw_documents(phase: Phase, given: argparse.Namespace) -> Iterator[EpisodeDocument]:
    words = () if given.many_words else _WORDS
    several = EpisodeRules(
        given.seed + 1, "training", _SEVERAL, num_variants=given.variants, num_differing=2, words=words
    )
    num_looks = phase.documents if phase.name == "looks" else phase.documents // 10
    yield from make_look_documents(several, num_looks, given.pictures)
    if phase.name == "looks":
        return
    if phase.name == "several":
        yield from make_training_documents(several, phase.documents, given.pictures)
    else:
        trained_on: tuple[Any, ...] = tuple(given.trained_on.split(","))
        again = structs.replace(several, seed=given.seed + 2)
        one = structs.replace(again, attributes=trained_on, num_differing=1)
        for rules in (again, one):
            yield from make_training_documents(rules, phase.documents // 2, given.pictures)


def train(phase: Phase, work: Path, data: Path, before: Path | None) -> tuple[Path, float]:
    """Train from where the phase before ended; return the run and the CPU seconds that it took."""
    run, told = work / f"run-{phase.name}", work / f"run-{phase.name}.cpu_s"
    command = ["finetune", "--recipe", str(work / "recipe.toml"), "--data", str(data), "--out", str(run)]
    command += ["--steps", str(phase.steps), "--cache-features", str(work / "features"), "--device", "cpu"]
    if not told.is_file():
        told.write_text(str(call(*command, *(("--model", str(before)) if before else ()))), encoding="utf-8")
    return run, float(told.read_text(encoding="utf-8"))


def call(*arguments: str) -> float:
    """Run a command of ours and return the CPU seconds that it took."""
    return run_command(arguments, is_shown=True)


if __name__ == "__main__":
    main()
