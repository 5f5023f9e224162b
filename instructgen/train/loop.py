"""The training loop: rows in, weights out, the same weights wherever it was interrupted."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import AdamW

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.train.checkpoint import Checkpoint, CheckpointFolder, Progress
from instructgen.train.course import Steps
from instructgen.train.distributed import Ranks
from instructgen.train.feed import LoadedRow, RowFeed
from instructgen.train.mixture import SetWeights, find_set
from instructgen.train.optim import clip, read_moments, set_rates, write_moments
from instructgen.train.recipe import StageRecipe
from instructgen.train.rows import Row, Step
from instructgen.train.schedule import find_share
from instructgen.train.stop import StopSignals
from instructgen.train.watch import StepReport

_MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class Samples:
    """What the loop knows of N examples: their ids, for errors, and how many tokens each learns."""

    ids: Sequence[str]
    learned: NDArray[np.int64]
    learned_in: Callable[[int, int], int] | None = None
    """How many the example of a number learns in an epoch, where that is drawn anew in each; None is `learned`."""
    sets: SetWeights | None = None
    """Of a mixture of datasets."""

    def count_learned(self, numbers: Sequence[int], epoch: int) -> int:
        if self.learned_in is None:
            return int(self.learned[list(numbers)].sum())
        return sum(self.learned_in(number, epoch) for number in numbers)

    def weigh(self, step: Step) -> Callable[[Sequence[int]], float] | None:
        """Return what the loss of a row of these numbers is multiplied with; None is 1."""
        if self.sets is None:
            return None
        sets = self.sets
        factors = sets.factors(step.numbers, lambda numbers: self.count_learned(numbers, step.epoch))
        return lambda numbers: factors[find_set(sets.starts, numbers[0])] if numbers else 1.0


@dataclass(slots=True)
class Trainer:
    """One run in one process. `objective` maps (row, pictures) to a summed loss; `checkpoints` is the first's."""

    objective: nn.Module
    parameters: Mapping[str, nn.Parameter]
    optimiser: AdamW
    recipe: StageRecipe
    course: Steps
    feed: RowFeed
    samples: Samples
    ranks: Ranks
    checkpoints: CheckpointFolder | None
    take_parts: Callable[[], dict[str, float]] = dict
    """Returns what the losses since it was last called are made of: sums of this process, the same names in all."""
    progress: Progress = field(default_factory=Progress)

    def resume(self) -> None:
        """Go to the last whole checkpoint, if there is one."""
        found = None if self.checkpoints is None else self.checkpoints.load_last()
        progress = self.ranks.tell_all(None if found is None else found.progress)
        if progress is None:
            return
        weights, moments = ({}, {}) if found is None else (found.weights, found.moments)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.ranks.spread(weights.get(name), parameter))
        write_moments(self.optimiser, self.parameters, moments, progress.num_steps, self.ranks)
        self.progress = progress

    def run(self, stop: StopSignals, tell: Callable[[StepReport], None]) -> None:
        """Take all steps that are left, with a checkpoint after the last.

        Raises RunStoppedError after a signal, with a checkpoint too; InstructgenError where the loss is no number.
        """
        before = self.progress.seconds - time.monotonic()
        for number, step, rows in self._load_steps():
            report, is_stopped = self._take_step(number, step, rows, before, stop)
            tell(report)
            done = number + 1
            is_last = done == len(self.course)
            if is_last or is_stopped or done % self.recipe.saving.every_steps == 0:
                self._save()
            elif self.checkpoints is not None:
                self.checkpoints.check()
            if is_stopped and not is_last:
                self._finish_saving()
                raise RunStoppedError(
                    f"stopped after step {done} of {len(self.course)}, with a checkpoint; the same command goes on"
                )
        self._finish_saving()

    def _load_steps(self) -> Iterator[tuple[int, Step, Iterator[LoadedRow]]]:
        """Yield what is left to do; the rows must be taken before the next step is asked for."""
        left = range(self.progress.num_steps, len(self.course))
        mine = self.ranks.rank
        planned: dict[int, Step] = {}

        def plan_rows() -> Iterator[tuple[int, Row]]:
            for number in left:
                step = planned[number] = self.course[number]
                yield from ((step.epoch, row) for row in step.rows[mine])

        loaded = self.feed.load(plan_rows())
        try:
            for number in left:
                step = planned.pop(number, None) or self.course[number]
                yield number, step, (next(loaded) for _ in step.rows[mine])
        finally:
            loaded.close()  # type: ignore[attr-defined]

    def _take_step(
        self, number: int, step: Step, rows: Iterator[LoadedRow], before: float, stop: StopSignals
    ) -> tuple[StepReport, bool]:
        self.optimiser.zero_grad(set_to_none=True)
        rates = set_rates(self.optimiser, find_share(number, len(self.course), self.recipe.optim))
        learned = max(1, self.samples.count_learned(step.numbers, step.epoch))
        losses, seen = self._add_gradients(number, rows, learned, self.samples.weigh(step))
        parts = self.take_parts()
        sums = self.ranks.add_up(
            [float(losses.sum()), sum(len(row.row) for row in seen), float(stop.is_asked), *parts.values()]
        )
        loss = sums[0] / learned
        if not math.isfinite(loss):
            bad = [row for row, value in zip(seen, losses.tolist(), strict=True) if not math.isfinite(value)]
            self._refuse(f"the loss of step {number + 1} is {loss}", bad)
        grad_norm = clip(self.parameters.values(), self.recipe.optim.max_grad_norm)
        if not math.isfinite(grad_norm):
            self._refuse(f"the gradient of step {number + 1} is {grad_norm}", seen)
        self.optimiser.step()
        self.progress = Progress(
            number + 1,
            self.progress.num_samples + step.num_samples,
            self.progress.num_tokens + int(sums[1]),
            before + time.monotonic(),
        )
        report = StepReport(
            step=number + 1,
            loss=loss,
            grad_norm=grad_norm,
            rates=rates,
            learned_tokens=learned,
            tokens=self.progress.num_tokens,
            samples=self.progress.num_samples,
            seconds=round(self.progress.seconds, 3),
            rows=sum(map(len, step.rows)),
            parts={name: value / learned for name, value in zip(parts, sums[3:], strict=True)},
        )
        return report, sums[2] > 0

    def _add_gradients(
        self,
        number: int,
        rows: Iterator[LoadedRow],
        learned: int,
        weigh: Callable[[Sequence[int]], float] | None,
    ) -> tuple[Tensor, list[LoadedRow]]:
        """Add the rows' gradients up; return their summed losses and the rows, without their pictures."""
        losses: list[Tensor] = []
        seen: list[LoadedRow] = []
        kind = self.ranks.device.type
        for place, loaded in enumerate(rows):
            # What dropout draws is a function of step and row, so a run that was killed draws the same again.
            row_number = place * self.ranks.count + self.ranks.rank
            draws = make_generator(self.recipe.train.seed, "dropout", f"{number}/{row_number}")
            torch.manual_seed(draws.getrandbits(63))
            with torch.autocast(kind, torch.bfloat16, enabled=self.recipe.train.dtype == "bfloat16"):
                loss = self.objective(loaded.row, loaded.pictures)
            if weigh is not None:
                loss = loss * weigh(loaded.numbers)
            (loss / learned).backward()
            losses.append(loss.detach())
            seen.append(LoadedRow(loaded.row, loaded.pictures[:0], loaded.numbers))
        return torch.stack(losses).double().cpu(), seen

    def _save(self) -> None:
        weights: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            whole = self.ranks.gather(parameter)
            if whole is not None:
                weights[name] = whole
        moments = read_moments(self.optimiser, self.parameters, self.ranks)
        if self.checkpoints is not None:
            self.checkpoints.save(Checkpoint(self.progress, weights, moments))

    def _finish_saving(self) -> None:
        if self.checkpoints is not None:
            self.checkpoints.finish()

    def _refuse(self, what: str, rows: Sequence[LoadedRow]) -> None:
        """Raise, in all processes, with the samples of the rows."""
        if self.checkpoints is not None:
            self.checkpoints.finish()
        named = [self.samples.ids[number] for row in rows for number in row.numbers]
        listed = ", ".join(named[:_MAX_NAMED]) + (f" and {len(named) - _MAX_NAMED} more" if len(named) > 8 else "")
        where = f"; the samples: {listed}" if named else "; the samples are another process's"
        raise InstructgenError(
            f"{what}{where}. The last checkpoint is kept: lower optim.learning_rate, or look at these samples"
            " (`instructgen show`), or compute in float32 (train.dtype)"
        )
