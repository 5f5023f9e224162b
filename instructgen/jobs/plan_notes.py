"""Says of a plan for many images what in it is measured and what is assumed."""

from collections.abc import Iterator

from instructgen.config import BuildConfig
from instructgen.jobs.forecast import Estimate
from instructgen.jobs.parts import embeds_images
from instructgen.jobs.plan_costs import UnitCosts
from instructgen.jobs.plan_run import MeasuredRun
from instructgen.jobs.plan_stores import FRAME_BYTES, PICTURE_BYTES, ROW_BYTES, TEXT_SHARE, TOKEN_BYTES

_ASSUMED = "assumed"


def list_measured(estimate: Estimate, run: MeasuredRun | None) -> Iterator[str]:
    yield f"units, rejections and requests: those of {estimate.num_images:,} images"
    if estimate.is_remote:
        yield f"prompt tokens: {estimate.tokens_from}"
        for origin in sorted({one.completion_from for one in estimate.types.values()}):
            if not origin.startswith(_ASSUMED):
                yield f"answer tokens: {origin}"
        if estimate.time is not None and not estimate.time.latency_from.startswith(_ASSUMED):
            yield f"{estimate.time.latency_s:.1f} s for an answer: {estimate.time.latency_from}"
    if run is not None:
        yield (
            f"kept rows ({run.kept_share:.1%} of the units), their bytes and the ledger's: version {run.version}, "
            f"{run.num_units:,} units"
        )
        if run.cpu_s is not None:
            yield f"CPU time of building: the run that made it, {1000 * run.cpu_s / run.num_units:.2f} ms for a unit"


def list_assumed(estimate: Estimate, config: BuildConfig, costs: UnitCosts, run: MeasuredRun | None) -> Iterator[str]:
    yield "all images are like the sample's: as many units are rejected, and as many written down alike"
    if estimate.is_remote:
        for origin in sorted({one.completion_from for one in estimate.types.values()}):
            if origin.startswith(_ASSUMED):
                yield f"answer tokens: {origin}"
        if estimate.time is not None and estimate.time.latency_from.startswith(_ASSUMED):
            yield f"{estimate.time.latency_s:.1f} s for an answer: {estimate.time.latency_from}"
        yield "an answer takes as long however many are in flight; --tokens-per-second tells what a server can write"
        if run is None:
            yield f"rows: {ROW_BYTES:g} bytes, and {TEXT_SHARE:.0%} of the answer's text"
        yield f"network: {TOKEN_BYTES:g} bytes for a token and {FRAME_BYTES:,} around each request and answer"
    if config.teacher.see_image != "no":
        yield f"network: {PICTURE_BYTES:,} bytes for each picture that goes along"
    if run is None:
        yield "every answer is kept; build a few hundred images into --out first, and the plan goes by them"
    which = "CPU time of starting and merging, memory" if _has_cpu(run) else "our CPU time, memory, ledgers"
    yield f"{which}: {costs.origin}, on another machine than yours"
    if run is None and embeds_images(config):
        yield "rows without pictures; embedded ones add their own bytes"
    if estimate.fallback is not None:
        yield "nothing goes to the fallback"


def _has_cpu(run: MeasuredRun | None) -> bool:
    return run is not None and run.cpu_s is not None
