"""What a run of BLIP-2's first stage would do, without doing it."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.jobs.representation import STAGE, RepresentationOptions, estimate, load_pairs
from instructgen.models.blip2.bert import load_text_tokenizer
from instructgen.models.blip2.build import outline_representation
from instructgen.models.blip2.counts import count_representation
from instructgen.models.counts import Counts
from instructgen.models.memory import Memory
from instructgen.train.example_set import Summary
from instructgen.train.representation_data import PairCourse

_GIB = 1 << 30
_NAMES = {
    "vision": "tower and the norm behind it",
    "qformer": "image half, with its queries",
    "connector": "what compares and matches",
    "language": "text half, with its head",
}


class RepresentationPlan(Struct, frozen=True):
    """What --dry-run says."""

    stage: str
    data: str
    examples: Summary
    steps: int
    steps_per_epoch: int
    batch: int
    parameters: Counts
    memory: Memory

    def to_table(self) -> dict[str, Any]:
        table: dict[str, Any] = msgspec.to_builtins(self)
        return table

    def describe(self) -> list[str]:
        """Return the plan as lines."""
        return list(self._describe())

    def _describe(self) -> Iterator[str]:
        seen = self.examples
        yield f"{self.stage} on {self.data}"
        yield f"  {seen.pictures:,} pictures with {seen.samples:,} captions, of {seen.rows:,} rows"
        for reason, count in seen.skipped.items():
            yield f"  left out: {count} x {reason} (as {', '.join(seen.skipped_ids[reason][:2])})"
        if seen.answers_cut:
            yield f"  captions cut at rows.text_tokens: {seen.answers_cut}"
        yield f"  {self.steps:,} steps of {self.batch:,} pictures, {self.steps_per_epoch:,} an epoch"
        for name, part in self.parameters.parts.items():
            yield f"  {_NAMES[name]:30} {part.used:15,} parameters, {part.trained:,} train"
        memory = self.memory
        sizes = {name: getattr(memory, name) / _GIB for name in ("weights", "gradients", "optimiser", "activations")}
        told = ", ".join(f"{name} {size:.2f}" for name, size in sizes.items())
        yield f"  memory about {memory.total / _GIB:.2f} GiB: {told}"


def plan_representation(options: RepresentationOptions) -> RepresentationPlan:
    """Return the plan; no weights are read, only the tokenizer."""
    recipe = options.recipe
    model, tokenizer = outline_representation(recipe.model), load_text_tokenizer(recipe.model.text)
    data = load_pairs(options, tokenizer)
    course = PairCourse(len(data.pairs), recipe)
    return RepresentationPlan(
        stage=STAGE,
        data=data.place,
        examples=data.pairs.examples.summary,
        steps=course.num_steps,
        steps_per_epoch=course.steps_per_epoch,
        batch=course.batch,
        parameters=count_representation(model),
        memory=estimate(recipe, model, course.batch),
    )
