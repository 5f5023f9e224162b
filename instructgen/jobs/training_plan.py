"""What a run would do, without doing it: samples, steps, rows, what trains, and the memory that it takes."""

from collections.abc import Iterator
from typing import Any

import msgspec
import torch
from msgspec import Struct

from instructgen.jobs.training_parts import TrainingOptions, adapt, check_stage, load_data, start_model
from instructgen.models.build import build_on_meta, load_tokenizer
from instructgen.models.counts import Counts, count_parameters
from instructgen.models.memory import Memory, Workload, estimate_memory
from instructgen.train.course import Course
from instructgen.train.distributed import count_processes
from instructgen.train.examples import Summary
from instructgen.train.mixture import MixedCourse, make_course
from instructgen.train.recipe import Recipe

_MAX_PLANNED = 200  # steps that are looked at, from the first; the others are alike
_GIB = 1 << 30


class RowsPlan(Struct, frozen=True):
    """Rows of the steps that were looked at."""

    steps: int
    rows: int
    tokens: int
    """Positions that are computed."""
    one_by_one: int
    """Positions that the same samples take one at a time: more, where samples of an image share it."""
    fill: float
    """`tokens`, as a share of the rows' room."""
    busy: float = 1.0
    """Share of time that a process does not wait for longer rows of others."""


class TrainingPlan(Struct, frozen=True):
    """What --dry-run says."""

    stage: str
    data: str
    examples: Summary
    steps: int
    steps_per_epoch: int
    rows: RowsPlan
    parameters: Counts
    memory: Memory
    """In each process."""
    trains: tuple[str, ...]
    processes: int = 1

    def to_table(self) -> dict[str, Any]:
        table: dict[str, Any] = msgspec.to_builtins(self)
        return table

    def describe(self) -> list[str]:
        """Return the plan as lines."""
        return [
            f"{self.stage} on {self.data}",
            *self._describe_samples(),
            *self._describe_rows(),
            *self._describe_model(),
        ]

    def _describe_samples(self) -> Iterator[str]:
        seen = self.examples
        shown = f"{seen.pictures:,} pictures, {seen.text_only:,} samples without one"
        yield f"  {seen.samples:,} samples of {seen.rows:,} rows, {shown}"
        for reason, count in seen.skipped.items():
            yield f"  left out: {count} x {reason} (as {', '.join(seen.skipped_ids[reason][:2])})"
        if seen.answers_cut:
            yield f"  answers cut at rows.max_tokens: {seen.answers_cut}"
        if seen.turns_left_out:
            yield f"  turns left out: {seen.turns_left_out}"
        if seen.pictures_left_out:
            yield f"  pictures left out: {seen.pictures_left_out}"
        tokens = f"{seen.text_tokens + seen.image_tokens:,} tokens, {seen.image_tokens:,} of pictures"
        yield f"  {tokens}, {seen.learned_tokens:,} learned; the longest sample has {seen.longest:,}"

    def _describe_rows(self) -> Iterator[str]:
        rows = self.rows
        yield f"  {self.steps:,} steps, {self.steps_per_epoch:,} an epoch"
        shared = rows.tokens / max(1, rows.one_by_one)
        yield f"  {rows.rows / max(1, rows.steps):.1f} rows a step, {rows.fill:.1%} full"
        yield f"  {rows.tokens:,} positions in {rows.steps:,} steps, {shared:.1%} of what single samples take"
        if self.processes > 1:
            each = rows.rows / max(1, rows.steps) / self.processes
            length = rows.tokens / max(1, rows.rows)
            told = f"{each:.1f} rows a step in each, of {length:,.0f} positions; {rows.busy:.1%} busy"
            yield f"  {self.processes} processes: {told}"

    def _describe_model(self) -> Iterator[str]:
        for name, part in self.parameters.parts.items():
            if part.used:
                yield f"  {name:10} {part.used:15,} parameters, {part.trained:,} train"
        if self.parameters.adapters:
            yield f"  adapters   {self.parameters.adapters:15,} parameters, all train"
        memory = self.memory
        sizes = {name: getattr(memory, name) / _GIB for name in ("weights", "gradients", "optimiser", "activations")}
        told = ", ".join(f"{name} {size:.2f}" for name, size in sizes.items())
        where = " in each process" if self.processes > 1 else ""
        yield f"  memory about {memory.total / _GIB:.2f} GiB{where}: {told}"


def plan_training(options: TrainingOptions) -> TrainingPlan:
    """Return the plan, of as many processes as torchrun would tell of; without `model` no weights are read, only the
    tokenizer.
    """
    check_stage(options)
    num_processes = count_processes()
    recipe = options.recipe
    if options.model is None:
        model, tokenizer = build_on_meta(recipe.model), load_tokenizer(recipe.model.language)
        adapt(model, recipe)
    else:
        start = start_model(options, torch.device("cpu"))
        model, tokenizer, recipe = start.model, start.tokenizer, start.recipe
    data = load_data(options, tokenizer, model)
    course = make_course(data.examples, recipe, num_processes)
    return TrainingPlan(
        stage=options.stage,
        data=data.place,
        examples=data.examples.summary,
        steps=course.num_steps,
        steps_per_epoch=course.steps_per_epoch,
        rows=_plan_rows(course, recipe, data.examples.lengths.tolist()),
        parameters=count_parameters(model),
        memory=estimate_memory(model, make_workload(recipe, num_processes)),
        trains=recipe.train.trains,
        processes=num_processes,
    )


def make_workload(recipe: Recipe, num_processes: int = 1) -> Workload:
    """Return what a step of the recipe computes at a time."""
    return Workload(
        row_tokens=recipe.rows.row_tokens or recipe.rows.max_tokens,
        dtype=recipe.train.dtype,
        gradient_checkpointing=recipe.train.gradient_checkpointing,
        quantised=recipe.train.lora is not None and recipe.train.lora.quantised,
        num_processes=min(recipe.train.sharded_over or num_processes, num_processes),
        sample_tokens=recipe.rows.max_tokens,
        sample_pictures=recipe.documents.max_pictures or 1,
    )


def _plan_rows(course: Course | MixedCourse, recipe: Recipe, lengths: list[int]) -> RowsPlan:
    num_steps = min(course.num_steps, _MAX_PLANNED)
    steps = [course[number] for number in range(num_steps)]
    row_lengths = [length for step in steps for rows in step.row_tokens for length in rows]
    room = len(row_lengths) * (recipe.rows.row_tokens or recipe.rows.max_tokens)
    return RowsPlan(
        steps=num_steps,
        rows=len(row_lengths),
        tokens=sum(row_lengths),
        one_by_one=sum(lengths[number] for step in steps for number in step.numbers),
        fill=round(sum(row_lengths) / max(1, room), 4),
        busy=round(sum(step.busy for step in steps) / max(1, num_steps), 4),
    )
