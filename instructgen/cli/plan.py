"""`instructgen plan`: what a build would ask, cost and take, before anything is sent."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import typer

from instructgen.cli.build_options import make_config, split_types, to_text
from instructgen.cli.failures import told_as_json
from instructgen.cli.plan_images import describe_images, make_wishes, plan_images, read_images
from instructgen.cli.sizes import align_columns, show_time

if TYPE_CHECKING:
    from tqdm import tqdm

    from instructgen.jobs.estimate import PlanParts
    from instructgen.jobs.forecast import Estimate, TypePlan
    from instructgen.jobs.forecast_budget import BudgetPlan
    from instructgen.jobs.forecast_judge import JudgingPlan
    from instructgen.jobs.forecast_refine import RefinementPlan

_PLAIN_EVERY_S = 5.0


def add_to(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    source: str | None = typer.Option(None, help="Where images come from: coco, pairs, scenes.  [default: coco]"),
    root: Path | None = typer.Option(None, help="COCO folder. Without it: the bundled sample."),
    split: str | None = typer.Option(None, help="Which split of the root, as val2017."),
    types: str | None = typer.Option(None, help="Sample types, with commas.  [default: conv,detail,reasoning]"),
    out: Path | None = typer.Option(
        None, help="Dataset folder whose answers are there already.  [default: out/<source>-<split>]"
    ),
    limit: int | None = typer.Option(None, min=1, help="Use only the first N images."),
    seed: int | None = typer.Option(None, help="Seed of every draw.  [default: 0]"),
    teacher: str | None = typer.Option(None, help="Who writes: scene-program or captions (free), openai, replay."),
    model: str | None = typer.Option(None, help="Model to ask; implies --teacher openai."),
    base_url: str | None = typer.Option(None, help="OpenAI-compatible server; implies --teacher openai."),
    endpoints: str | None = typer.Option(
        None, help="Where servers are told: a file, one address a line, or a Ray dashboard; implies --teacher openai."
    ),
    replay: Path | None = typer.Option(None, help="run/ folder to answer from; implies --teacher replay."),
    see_image: Literal["beside", "only"] | None = typer.Option(
        None, help="The picture goes along: beside what is written about it, or only the picture."
    ),
    output_format: Literal["text", "json"] | None = typer.Option(
        None, help="LLaVA's text, or JSON by schema.  [default: text]"
    ),
    concurrency: int | None = typer.Option(None, min=1, help="Requests in flight at most.  [default: 32]"),
    requests_per_minute: float | None = typer.Option(None, help="Each server's limit, if it has one."),
    tokens_per_minute: float | None = typer.Option(None, help="Each server's limit, if it has one."),
    images: list[str] | None = typer.Option(
        None,
        help="A number, as 100e6 or 1M: what the same build takes with so many images. Or how rows keep pictures: "
        "auto, embed, reference. May be given twice.",
    ),
    batch: bool = typer.Option(False, "--batch", help="Through the server's batch API, at its price."),
    cache_dir: Path | None = typer.Option(None, help="Answers shared between runs."),
    prices: Path | None = typer.Option(None, help="Price table (.toml) to use before the shipped one."),
    budget_usd: float | None = typer.Option(None, help="Dollars that all runs in the folder may spend together."),
    budget_tokens: int | None = typer.Option(None, help="Tokens that all runs in the folder may take together."),
    pipeline: str | None = typer.Option(None, help="Shipped pipeline or a .toml; flags override it."),
    nodes: int | None = typer.Option(
        None, min=1, help="With --images N: on so many machines; left out, as many processes as keep up."
    ),
    cores_per_node: int | None = typer.Option(None, min=1, help="With --images N.  [default: 16]"),
    tokens_per_second: float | None = typer.Option(
        None,
        help="With --images N: answer tokens that each server writes in a second, with all that it takes at once.",
    ),
    unit_costs: Path | None = typer.Option(
        None, help="With --images N: figures of bench/scale_units.py, measured on your machine."
    ),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="Print the plan as one JSON object."),
) -> None:
    """Show what a build with the same flags would ask, cost and take. Nothing is sent, and nothing is written.

    \b
    Examples:
      instructgen plan --root coco --split val2017 --model gpt-4o-mini
      instructgen plan --root coco --split train2017 --model gpt-4o-mini --batch --budget-usd 100
      instructgen plan --root coco --split val2017 --base-url http://127.0.0.1:8000/v1 --model my-model --json
      instructgen plan --root coco --split val2017 --base-url http://node-1:8000/v1 --model m --images 100e6 --nodes 8

    \b
    No key is needed. docs/cost.md says how tokens are counted, which figures are estimates, and how to
    write a price table.
    """
    with told_as_json(as_json=as_json):
        storage, num_images = read_images(images or ())
        wishes = make_wishes(num_images, nodes, cores_per_node, tokens_per_second, unit_costs)
        config = make_config(
            pipeline,
            top={"types": split_types(types), "seed": seed},
            source={"name": source, "root": to_text(root), "split": split, "limit": limit},
            teacher={
                "name": teacher,
                "model": model,
                "base_url": base_url,
                "endpoints": endpoints,
                "replay": to_text(replay),
                "see_image": see_image,
                "concurrency": concurrency,
                "requests_per_minute": requests_per_minute,
                "tokens_per_minute": tokens_per_minute,
                "prices": to_text(prices),
            },
            decoding={"output_format": output_format},
            dataset={"images": storage},
            run={
                "batch": batch or None,
                "cache_dir": to_text(cache_dir),
                "budget_usd": budget_usd,
                "budget_tokens": budget_tokens,
            },
        )
        from instructgen.jobs.estimate import make_estimate, make_plan_parts

        parts = make_plan_parts(config)
        folder = out or Path("out") / parts.default_name
        progress = _Progress(is_live=sys.stderr.isatty() and not plain and not as_json)
        try:
            estimate = make_estimate(parts, folder, progress.tell, is_anew=wishes is not None)
        finally:
            progress.close()
        scale = None if wishes is None else plan_images(estimate, parts.config, folder, wishes, unit_costs)
    if as_json:
        import msgspec

        found = msgspec.to_builtins(estimate)
        typer.echo(json.dumps(found if scale is None else {**found, "at_scale": msgspec.to_builtins(scale)}))
        return
    lines = _describe(parts, estimate) if scale is None else describe_images(scale, estimate, parts.source.title)
    for line in lines:
        typer.echo(line)


@dataclass(slots=True)
class _Progress:
    """Says on standard error how far the reading is: a bar on a terminal, a line now and then elsewhere."""

    is_live: bool
    _bar: "tqdm[NoReturn] | None" = None
    _told_s: float = 0.0
    _num_done: int = 0

    def tell(self, num_done: int, num_images: int | None) -> None:
        if self.is_live:
            from tqdm import tqdm

            if self._bar is None:
                self._bar = tqdm(total=num_images, desc="plan", unit=" images", file=sys.stderr, dynamic_ncols=True)
            self._bar.total = num_images
            self._bar.update(num_done - self._num_done)
            self._num_done = num_done
            return
        now = time.monotonic()
        if not self._told_s:
            self._told_s = now
        if now - self._told_s >= _PLAIN_EVERY_S:
            self._told_s = now
            of = f" of {num_images}" if num_images else ""
            typer.echo(f"plan: {num_done}{of} images", err=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _describe(parts: "PlanParts", estimate: "Estimate") -> list[str]:
    teacher = f"the teacher is {estimate.teacher}, model {estimate.model}"
    lines = [
        f"{parts.source.title}, {estimate.num_images:,} images; {teacher}. No request is sent.",
        "",
        *_draw_table(estimate),
        "",
    ]
    for name, of_type in estimate.types.items():
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in of_type.rejected.items())
        lines += [f"rejected before asking, {name}: {reasons}"] if reasons else []
    for reason, count in estimate.issues.items():
        lines.append(f"annotations set aside or mended: {count:,} x {reason}")
    lines += _describe_cost(estimate) if estimate.is_remote else [_describe_free(estimate)]
    if estimate.refinement is not None:
        lines.append(_describe_refinement(estimate.refinement))
    if estimate.judging is not None:
        lines.append(_describe_judging(estimate.judging))
    if estimate.fallback is not None:
        fallback = estimate.fallback
        lines.append(
            f"fallback: {fallback.teacher}, model {fallback.model}, for units whose answer is rejected; how many is "
            f"not known, a thousand cost {_dollars(fallback.usd_per_1000_units)} ({fallback.price_origin})"
        )
    return lines


def _describe_refinement(refinement: "RefinementPlan") -> str:
    num = refinement.most_requests_per_answer
    expected = (
        f"{refinement.requests:,} rewritings expected, {_dollars(refinement.cost_usd)}"
        if refinement.requests
        else "how many is not known"
    )
    most = "no limit" if refinement.most_tokens is None else _dollars(refinement.most_cost_usd)
    return (
        f"refinement: {refinement.teacher}, model {refinement.model}, up to {num} more request{'s' * (num > 1)} for "
        f"each answer, not in the table above; {expected}, at most {most}; a budget is held against all of it"
    )


def _describe_judging(judging: "JudgingPlan") -> str:
    most = "no limit" if judging.most_tokens is None else _dollars(judging.most_cost_usd)
    return (
        f"judge: {judging.teacher}, model {judging.model}, one more request for each answer to come that the filters "
        f"accept, not in the table above; for all of them {judging.requests:,}, {_dollars(judging.cost_usd)}, at "
        f"most {most}; a budget is held against all of it"
    )


def _describe_free(estimate: "Estimate") -> str:
    if estimate.num_not_recorded:
        return (
            "cost: none, a recorded run answers; "
            f"{estimate.num_not_recorded:,} requests were never recorded and will fail"
        )
    return "cost: none; the teacher answers inside this process, with no key, no network and no tokens"


def _draw_table(estimate: "Estimate") -> list[str]:
    places = list(estimate.total.answered)
    head = ["type", "units", "rejected", "requests", *(f"in {place}" for place in places), "to send"]
    if estimate.is_remote:
        head += ["prompt tokens", "answer tokens", "cost", "at most"]
    rows = [head]
    for name, of_type in [*estimate.types.items(), ("total", estimate.total)]:
        rejected = sum(of_type.rejected.values())
        counts = [of_type.units, rejected, of_type.requests, *of_type.answered.values(), of_type.to_send]
        if estimate.is_remote:
            counts += [of_type.prompt_tokens, of_type.completion_tokens]
        row = [name, *(f"{count:,}" for count in counts)]
        rows.append(row + ([_dollars(of_type.cost_usd), _most(of_type)] if estimate.is_remote else []))
    return align_columns(rows)


def _most(of_type: "TypePlan") -> str:
    return "no limit" if of_type.most_completion_tokens is None else _dollars(of_type.most_cost_usd)


def _describe_cost(estimate: "Estimate") -> list[str]:
    lines = []
    for server in estimate.servers:
        price = server.price
        if price is None:
            said = f"not known: {server.price_origin}; --prices FILE tells it (docs/cost.md)"
        else:
            batch = price.for_batch() if estimate.is_batch else price
            said = (
                f"${batch.prompt:g} and ${batch.completion:g} per million prompt and answer tokens"
                f"{_describe_discount(estimate, price.batch_discount)} ({server.price_origin})"
            )
        share = f", {server.share:.0%} of the requests" if len(estimate.servers) > 1 else ""
        lines.append(f"price of {server.model} at {server.name}{share}: {said}")
    lines.append(f"prompt tokens: {estimate.tokens_from}")
    types_by_origin: dict[str, list[str]] = {}
    for name, of_type in estimate.types.items():
        types_by_origin.setdefault(of_type.completion_from, []).append(name)
    for origin, names in types_by_origin.items():
        which = f", {', '.join(names)}" if len(types_by_origin) > 1 else ""
        lines.append(f"answer tokens{which}: {origin}")
    lines.append("at most: every answer as long as max_tokens allows; an attempt whose answer is lost costs again")
    total = estimate.total
    if total.cached_cost_usd is not None and total.cost_usd is not None and total.cached_cost_usd < total.cost_usd:
        lines.append(
            f"where the server caches what prompts begin with ({total.shared_prompt_tokens:,} of the prompt tokens), "
            f"the cost may be as low as {_dollars(total.cached_cost_usd)}"
        )
    if estimate.time is not None:
        lines.append(_describe_time(estimate))
    for budget, unit in ((estimate.budget_usd, "$"), (estimate.budget_tokens, "")):
        if budget is not None:
            lines.append(_describe_budget(budget, unit, estimate.total.to_send))
    return lines


def _describe_discount(estimate: "Estimate", discount: float | None) -> str:
    if not estimate.is_batch:
        return ""
    return f" in batches, {discount:.0%} off" if discount else "; no batch discount is known"


def _describe_time(estimate: "Estimate") -> str:
    timed = estimate.time
    assert timed is not None
    if timed.seconds is None:
        return "time: batches are answered within a day, often much sooner"
    return (
        f"time: about {show_time(timed.seconds)}, bound by {timed.bound_by} "
        f"({timed.latency_s:.1f} s for an answer, {timed.latency_from})"
    )


def _describe_budget(budget: "BudgetPlan", unit: str, to_send: int) -> str:
    def show(amount: float) -> str:
        return f"${amount:,.4f}" if unit else f"{amount:,.0f} tokens"

    said = f"budget of {show(budget.limit)}, {show(budget.spent)} of it spent: "
    if budget.is_enough is None or budget.expected is None:
        return said + "a build refuses it where no price is known"
    if budget.most is None:
        return said + "a build refuses it without teacher.decoding.max_tokens"
    if budget.is_surely_enough:
        return said + "enough even if every answer is as long as it can be"
    if budget.is_enough:
        return said + f"expected to be enough (at most {show(budget.most)} more)"
    return said + f"not enough, it is expected to cover about {budget.num_requests:,} of {to_send:,} requests"


def _dollars(amount: float | None) -> str:
    return "not known" if amount is None else f"${amount:,.4f}" if amount < 100 else f"${amount:,.2f}"
