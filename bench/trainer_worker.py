"""One trainer in a process of its own, for trainer_speed.py: takes steps when told, says what each cost.

It reads one word a line: "loss" answers the loss of the samples in float32, "step" takes one optimiser step over all
of them, anything else ends it. Answers are lines of JSON; what libraries print goes to standard error.
"""

import argparse
import contextlib
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW
from trainer_data import (
    IMAGE_ID,
    SHAPES,
    Sample,
    Shapes,
    count_flops,
    freeze,
    language_table,
    make_llava,
    make_pictures,
    make_samples,
    pad_batch,
    vision_table,
)

MICRO_BATCH = 8
RATE = 2e-5
Say = Callable[..., None]


class Task:
    """What a worker was asked for."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.variant: str = arguments.variant
        self.stage: int = arguments.stage
        self.dtype: str = arguments.dtype
        self.device: str = arguments.device
        self.row_tokens: int = arguments.row_tokens
        self.checkpointing: bool = arguments.checkpointing
        self.compile: bool = arguments.compile
        self.shapes: Shapes = SHAPES[arguments.shapes]
        self.samples: list[Sample] = make_samples(self.shapes, arguments.samples, arguments.per_image)
        self.pictures: Tensor = make_pictures(self.shapes, self.samples[-1].image + 1)
        self.learned = sum(int(sample.is_trained.sum()) for sample in self.samples)
        self.useful = sum(len(sample.ids) for sample in self.samples)

    def flops(self, tokens: int, pairs: int, num_images: int) -> float:
        return count_flops(self.shapes, self.stage, tokens, pairs, num_images)

    def autocast(self, dtype: str | None = None) -> Any:
        return torch.autocast(self.device, torch.bfloat16, enabled=(dtype or self.dtype) == "bfloat16")


def now(device: str) -> float:
    """Return CPU seconds of the process, or seconds of the clock where a GPU computes."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def peak_mb(device: str) -> float:
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# Padded loops on Hugging Face's model ---------------------------------------------------------------------------


def padded_batches(task: Task, is_grouped: bool, turn: int) -> list[list[Sample]]:
    """Return micro-batches: at random, or sorted by length first as group_by_length does within a mega-batch."""
    order = np.random.default_rng(turn).permutation(len(task.samples))
    shuffled = [task.samples[number] for number in order]
    if is_grouped:
        shuffled.sort(key=lambda sample: -len(sample.ids))
    return [shuffled[at : at + MICRO_BATCH] for at in range(0, len(shuffled), MICRO_BATCH)]


class PaddedLoop:
    def __init__(self, task: Task, *, is_grouped: bool) -> None:
        self.task = task
        self.is_grouped = is_grouped
        self.model = make_llava(task.shapes, task.device).train()
        freeze(self.model, task.stage)
        if task.checkpointing:
            self.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self.optimiser = AdamW([p for p in self.model.parameters() if p.requires_grad], lr=RATE)
        self.turn = 0

    def loss(self) -> float:
        with torch.no_grad():
            return sum(float(self._loss(batch)) for batch in padded_batches(self.task, self.is_grouped, 0))

    def step(self) -> dict[str, Any]:
        computed = 0
        total = 0.0
        self.turn += 1
        for batch in padded_batches(self.task, self.is_grouped, self.turn):
            with self.task.autocast():
                loss = self._loss(batch)
            loss.backward()
            total += float(loss.detach())
            computed += len(batch) * max(len(sample.ids) for sample in batch)
        torch.nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        # What padding computes besides is no use to anyone: it is not in the operations.
        pairs = sum(len(sample.ids) ** 2 // 2 for sample in self.task.samples)
        flops = self.task.flops(self.task.useful, pairs, len(self.task.samples))
        return {"loss": total, "computed": computed, "flops": flops}

    def _loss(self, batch: list[Sample]) -> Tensor:
        given = {name: value.to(self.task.device) for name, value in pad_batch(batch, self.task.pictures).items()}
        return self.model(**given, num_items_in_batch=torch.tensor(self.task.learned)).loss


# Ours -----------------------------------------------------------------------------------------------------------


class OurRows:
    """Our rows, model, attention and objective, without the engine around them."""

    def __init__(self, task: Task, *, sharing: bool, is_cached: bool = False) -> None:
        from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, VisionSpec
        from instructgen.train.example import IMAGE_SLOT, Example
        from instructgen.train.objective import Objective
        from instructgen.train.packing import pack
        from instructgen.train.recipe import Recipe, RowsConfig, TrainConfig
        from instructgen.train.rows import measure, plan_steps

        self.task = task
        self.turn = 0
        trains = ("connector",) if task.stage == 1 else ("connector", "language")
        self.recipe = Recipe(
            model=ModelSpec(
                vision=VisionSpec(config=vision_table(task.shapes)),
                connector=ConnectorSpec(kind="mlp2x_gelu"),
                language=LanguageSpec(config=language_table(task.shapes)),
            ),
            train=TrainConfig(trains=trains, steps=1, dtype=task.dtype, gradient_checkpointing=task.checkpointing),
            rows=RowsConfig(batch=len(task.samples), row_tokens=task.row_tokens, sharing=sharing),
        )
        self.model = self._prepared(task.dtype)
        self.objective = Objective(self.model)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = AdamW(self.trained, lr=RATE)
        tokens = task.shapes.tokens_per_image
        self.examples = [
            Example(str(number), *_with_slots(sample, IMAGE_SLOT), (str(sample.image),))
            for number, sample in enumerate(task.samples)
        ]
        table = measure(self.examples, tokens)
        self.pack = lambda row: pack(self.examples, row, tokens)
        self.plan = lambda turn: plan_steps(table, self.recipe.rows, seed=0, epoch=turn)[0]
        self.pictures = task.pictures
        if is_cached:
            with torch.no_grad(), task.autocast():
                self.pictures = torch.cat([self.model.see(one[None].to(task.device)).cpu() for one in task.pictures])

    def _prepared(self, dtype: str) -> Any:
        import msgspec

        from instructgen.models.build import build_model
        from instructgen.train.prepare import prepare

        model = build_model(self.recipe.model, device=self.task.device)
        copy_weights(make_llava(self.task.shapes, self.task.device), model)
        model.freeze_all_but(self.recipe.train.trains)
        train = msgspec.structs.replace(self.recipe.train, dtype=dtype)
        prepare(model, msgspec.structs.replace(self.recipe, train=train))
        return model

    def loss(self) -> float:
        """Return the loss of freshly made float32 weights; those that train stay as they are."""
        from instructgen.train.objective import row_loss

        model = self._prepared("float32")
        with torch.no_grad():
            rows = [self.pack(row) for row in self.plan(0).rows[0]]
            total = sum(float(row_loss(model, row, self.pictures_of(row, self.task.pictures))) for row in rows)
        return total / self.task.learned

    def step(self) -> dict[str, Any]:
        self.turn += 1
        computed = pairs = num_images = 0
        total = 0.0
        step = self.plan(self.turn)
        for planned in step.rows[0]:
            row = self.pack(planned)
            with self.task.autocast():
                loss = self.objective(row, self.pictures_of(row, self.pictures)) / self.task.learned
            loss.backward()
            total += float(loss.detach())
            computed += len(row)
            pairs += sum(count_pairs(tree) for tree in row.trees)
            num_images += len(row.pictures)
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        flops = self.task.flops(computed, pairs, num_images)
        return {"loss": total, "computed": computed, "flops": flops, "fill": step.fill}

    def pictures_of(self, row: Any, pictures: Tensor) -> Tensor:
        return pictures[[int(name) for name in row.pictures]].to(self.task.device)


def count_pairs(tree: Any) -> int:
    """Return the query and key positions of a tree that see each other, about."""
    return len(tree.trunk) ** 2 // 2 + sum(
        len(branch) * len(tree.trunk) + len(branch) ** 2 // 2 for branch in tree.branches
    )


def _with_slots(sample: Sample, slot: int) -> tuple[Any, Any]:
    """Return ids and marks with one slot in the place of an image's tokens."""
    is_image = sample.ids == IMAGE_ID
    kept = ~is_image
    kept[np.flatnonzero(is_image)[0]] = True
    return np.where(is_image, slot, sample.ids)[kept].astype(np.int32), sample.is_trained[kept]


def copy_weights(llava: Any, model: Any) -> None:
    """Give our model the weights of Hugging Face's."""
    model.language.load_state_dict(
        {f"model.{name}": value for name, value in llava.model.language_model.state_dict().items()}
        | {"lm_head.weight": llava.lm_head.weight}
    )
    projector = llava.model.multi_modal_projector.state_dict()
    model.connector.load_state_dict(
        {name.replace("linear_1", "first").replace("linear_2", "second"): value for name, value in projector.items()}
    )
    tower = llava.model.vision_tower.state_dict()
    own = model.vision.encoder.state_dict()
    model.vision.encoder.load_state_dict({name: tower[name] for name in own})


# Trainers that keep the loop to themselves ----------------------------------------------------------------------


def run_trainer(task: Task, say: Say, commands: Iterator[str]) -> None:
    """Let transformers' Trainer or TRL's SFTTrainer take steps, and measure from one to the next."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def __init__(self) -> None:
            self.before = 0.0
            self.seconds = 0.0

        def on_train_begin(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
            self._wait(control)

        def on_step_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
            self.seconds = now(task.device) - self.before

        def on_log(self, _args: Any, _state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in (logs or {}):
                say(seconds=self.seconds, loss=float(logs["loss"]), peak_mb=peak_mb(task.device))
                self._wait(control)

        def _wait(self, control: Any) -> None:
            if next(commands, "end") != "step":
                control.should_training_stop = True
            self.before = now(task.device)

    trainer = _make_trl(task, Watch()) if task.variant.startswith("trl") else _make_stock(task, Watch())
    trainer.train()
    shutil.rmtree(trainer.args.output_dir, ignore_errors=True)


def _make_trl(task: Task, watch: Any) -> Any:
    from datasets import Dataset
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    words = {"<pad>": 0, "<s>": 1, "</s>": 2} | {f"w{number}": number for number in range(3, 64)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token="<pad>")), pad_token="<pad>", eos_token="</s>"
    )
    model = make_llava(task.shapes, task.device)
    freeze(model, task.stage)
    options = SFTConfig(
        **_common_options(task, MICRO_BATCH, -(-len(task.samples) // MICRO_BATCH)),
        gradient_checkpointing=task.variant == "trl default" or task.checkpointing,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return SFTTrainer(
        model=model,
        args=options,
        # The collator gives the labels; the column only tells SFTTrainer that there are some.
        train_dataset=Dataset.from_dict({"number": list(range(len(task.samples)))}),
        data_collator=lambda batch: pad_batch([task.samples[row["number"]] for row in batch], task.pictures),
        processing_class=tokenizer,
        callbacks=[watch],
    )


def _make_stock(task: Task, watch: Any) -> Any:
    from transformers import Trainer, TrainingArguments

    ours = OurRows(task, sharing=True)
    rows = [ours.pack(row) for row in ours.plan(0).rows[0]]

    class Wrapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.objective = ours.objective

        def forward(self, row: Any, pictures: Tensor) -> dict[str, Tensor]:
            return {"loss": self.objective(row, pictures) * len(rows) / task.learned}

    return Trainer(
        model=Wrapped(),
        args=TrainingArguments(**_common_options(task, 1, len(rows)), gradient_checkpointing=False),
        train_dataset=rows,
        data_collator=lambda batch: {"row": batch[0], "pictures": ours.pictures_of(batch[0], ours.pictures)},
        callbacks=[watch],
    )


def _common_options(task: Task, micro_batch: int, accumulation: int) -> dict[str, Any]:
    return {
        "output_dir": tempfile.mkdtemp(prefix="trainer-"),  # nothing is saved
        "per_device_train_batch_size": micro_batch,
        "gradient_accumulation_steps": accumulation,
        "max_steps": 10_000,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "bf16": task.dtype == "bfloat16",
        "use_cpu": task.device == "cpu",
        "save_strategy": "no",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "report_to": "none",
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


# The process ----------------------------------------------------------------------------------------------------

LOOPS: dict[str, Callable[[Task], Any]] = {
    "padded": lambda task: PaddedLoop(task, is_grouped=False),
    "grouped": lambda task: PaddedLoop(task, is_grouped=True),
    "ours, not shared": lambda task: OurRows(task, sharing=False),
    "ours": lambda task: OurRows(task, sharing=True),
    "ours, cached features": lambda task: OurRows(task, sharing=True, is_cached=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--stage", type=int, default=2)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shapes", default="small")
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--per-image", type=int, default=3)
    parser.add_argument("--row-tokens", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    answers = sys.stdout
    task = Task(arguments)

    def say(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    commands = (line.strip() for line in sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        if task.variant not in LOOPS:
            run_trainer(task, say, commands)
            return
        loop = LOOPS[task.variant](task)
        for command in commands:
            if command == "loss":
                say(loss=loop.loss())
            elif command == "step":
                before = now(task.device)
                answer = loop.step()
                say(seconds=now(task.device) - before, peak_mb=peak_mb(task.device), **answer)
            else:
                return


if __name__ == "__main__":
    main()
