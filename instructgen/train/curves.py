"""A run's loss as a picture."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from instructgen.train.watch import StepReport

CURVES_NAME = "loss.svg"
_SMOOTH_SHARE = 0.02  # of all steps: enough to see a trend through the noise of single batches


def smooth(values: Sequence[float], half: int) -> list[float]:
    """Return means over so many values on both sides, fewer at the ends."""
    sums = list(accumulate(values, initial=0.0))
    ends = ((max(0, at - half), min(len(values), at + half + 1)) for at in range(len(values)))
    return [(sums[end] - sums[start]) / (end - start) for start, end in ends]


def draw_curves(reports: Sequence[StepReport], path: Path, title: str) -> None:
    """Write loss and learning rates over the steps; nothing where there is no step."""
    from matplotlib.figure import Figure

    if not reports:
        return
    steps = [report.step for report in reports]
    losses = [report.loss for report in reports]
    figure = Figure(figsize=(8, 5))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    figure.subplots_adjust(left=0.1, right=0.97, top=0.93, bottom=0.1, hspace=0.08)
    above.plot(steps, losses, linewidth=0.6, alpha=0.4, color="tab:blue")
    above.plot(steps, smooth(losses, int(len(losses) * _SMOOTH_SHARE)), linewidth=1.5, color="tab:blue")
    above.set_ylabel("loss, nats a token")
    above.set_title(title)
    for part in reports[-1].rates:
        below.plot(steps, [report.rates.get(part, 0.0) for report in reports], linewidth=1.2, label=part)
    below.set_ylabel("learning rate")
    below.set_xlabel("step")
    below.legend(fontsize="small")
    new = path.with_name(f".{path.name}.new")
    figure.savefig(new, format="svg")
    new.replace(path)
