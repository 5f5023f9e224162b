"""BLIP-2's first stage learns on simple scenes: retrieval on scenes that it has not seen, beside chance.

    python bench/blip2_learning.py --work out/blip2-learning

Trains a small tower (the demo's), a tokenizer and a small Q-Former on rendered scenes with their captions, and
measures `instructgen evaluate --suite retrieval` on scenes of another seed. CPU seconds of all parts are told.
"""

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from instructgen.config import SourceConfig
from instructgen.evaluate.results import Model
from instructgen.jobs.demo_plan import DemoPlan
from instructgen.jobs.demo_stage0 import make_part
from instructgen.jobs.representation import RepresentationOptions, train_representation
from instructgen.jobs.retrieval import RetrievalOptions, evaluate_retrieval
from instructgen.sources.scenes import SimpleScenesSource
from instructgen.train.representation_recipe import make_representation_recipe
from instructgen.train.representation_use import load_comparer

if TYPE_CHECKING:
    from instructgen.train.watch import StepReport

_SIZE_PX = (160, 120)
_TRAIN_SEED, _HELD_OUT_SEED = 41, 42
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[DEC]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="assignments", action="append", default=[])
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    plan = DemoPlan(seed=given.seed)
    if not (given.work / "vision").is_dir():
        make_part("vision", given.work / "vision", plan)
    data = write_scenes(given.work / "pairs", given.scenes)
    tokenizer = train_tokenizer(data, given.work / "tokenizer")
    made = time.process_time()
    run = given.work / "run"
    recipe = make_representation_recipe(make_table(given, tokenizer), "the bench")
    options = RepresentationOptions(recipe, str(data), run, device="cpu")
    train_representation(options, Watch())
    trained = time.process_time()
    source = SourceConfig(name="simple-scenes")
    asked = RetrievalOptions(given.work / "evaluation", source, _HELD_OUT_SEED, limit=given.held_out)
    result = evaluate_retrieval(asked, Model("blip2-learning", ""), load_comparer(run, "cpu"))
    ended = time.process_time()
    print("\n".join(result.table))
    told = {
        "cpu_s": {"tower_and_data": made - begun, "training": trained - made, "evaluation": ended - trained},
        "image_to_text_recall_at_1": result.measured.scores["image_to_text_recall_at_1"].value,
        "chance_at_1": result.measured.scores["image_to_text_chance_at_1"].value,
    }
    print(json.dumps(told))


def write_scenes(folder: Path, count: int) -> Path:
    """Write scenes as JPEG files, and JSON lines with a row for each of their captions."""
    path = folder / "pairs.jsonl"
    if path.is_file():
        return path
    folder.mkdir(exist_ok=True)
    source = SimpleScenesSource(count, _TRAIN_SEED, _SIZE_PX)
    lines = []
    for record in source.records():
        picture = source.image_bytes(record)
        (folder / record.file_name).write_bytes(picture)
        for caption in record.captions:
            chat = [{"role": "user", "content": "What is there?"}, {"role": "assistant", "content": caption}]
            lines.append(json.dumps({"messages": chat, "images": [record.file_name]}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def train_tokenizer(data: Path, folder: Path) -> Path:
    """Train a word-level tokenizer with BERT's special tokens on the captions."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    texts = [json.loads(line)["messages"][1]["content"] for line in data.read_text(encoding="utf-8").splitlines()]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=list(_SPECIALS), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    wrapped: Any = PreTrainedTokenizerFast
    pad, unknown, first, last, decode = _SPECIALS
    wrapped(
        tokenizer_object=tokenizer,
        pad_token=pad,
        unk_token=unknown,
        cls_token=first,
        sep_token=last,
        bos_token=decode,
    ).save_pretrained(folder)
    return folder


def make_table(given: argparse.Namespace, tokenizer: Path) -> dict[str, Any]:
    from instructgen.train.overrides import apply_overrides
    from instructgen.train.representation_recipe import RepresentationRecipe

    shape = {"num_queries": 8, "hidden_size": 128, "num_layers": 4, "num_heads": 4, "intermediate_size": 256}
    table: dict[str, Any] = {
        "model": {
            "vision": {"name": str(given.work / "vision"), "layer": -1, "aspect": "squash"},
            "text": {"tokenizer": str(tokenizer)},
            "qformer": shape,
            "projection_size": 64,
            "seed": given.seed,
        },
        "train": {"steps": given.steps, "dtype": "float32", "seed": given.seed, "loggers": []},
        "optim": {"learning_rate": 1e-3, "betas": [0.9, 0.98], "weight_decay": 0.05, "warmup": 0.1},
        "rows": {"batch": given.batch, "text_tokens": 32},
        "saving": {"every_steps": 200, "keep_last": 1},
    }
    return apply_overrides(table, given.assignments, RepresentationRecipe)


class Watch:
    """Prints a line now and then."""

    def say(self, text: str) -> None:
        print(text, flush=True)

    def begin(self, num_steps: int, num_done: int) -> None:
        pass

    def step(self, report: "StepReport") -> None:
        if report.step % 25 == 0:
            parts = ", ".join(f"{name} {value:.3f}" for name, value in report.parts.items())
            print(f"step {report.step}, {parts}, {report.seconds:.0f} s", flush=True)

    def end(self) -> None:
        pass


if __name__ == "__main__":
    main()
