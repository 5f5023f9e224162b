"""report.html of a run of training: one page that needs nothing but itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from instructgen.disk import replace_text
from instructgen.pages.charts import Chart, make_bars
from instructgen.pages.numbers import say_bytes, say_duration, say_number, say_share
from instructgen.pages.render import render_static
from instructgen.report.names import REPORT_NAME
from instructgen.report.tables import Row, Table
from instructgen.report.training_curves import find_speeds, make_charts, smooth_points
from instructgen.report.training_facts import RunState, Setting, TrainingFacts, collect_training
from instructgen.secrets import strip_url
from instructgen.train.example_set import Summary
from instructgen.train.history import Sitting
from instructgen.train.recipe_notes import DEFAULT
from instructgen.train.run_facts import RunFacts

_SIGNS: dict[RunState, str] = {
    "finished": "passed",
    "stopped": "doubted",
    "failed": "failed",
    "unfinished": "doubted",
}
Tile = tuple[str, str, str]


def write_training_report(folder: Path) -> Path:
    """Write RUN/report.html of what the run's folder says now, and return its path.

    Raises InstructgenError where the folder holds no run.
    """
    path = folder / REPORT_NAME
    replace_text(path, make_training_page(collect_training(folder)))
    return path


def make_training_page(facts: TrainingFacts) -> str:
    record, told = facts.record, facts.record.facts
    charts = make_charts(facts.steps, _find_resumes(facts), record.recipe.get("optim", {}).get("max_grad_norm", 0.0))
    mixture = _draw_mixture(told)
    own = [one for one in facts.settings if one.note != DEFAULT]
    return render_static(
        "report/training.html",
        has_charts=bool(charts or mixture),
        title=f"{facts.name}: {record.identity.stage}",
        about=record.recipe.get("about", ""),
        stage=record.identity.stage,
        state=facts.state,
        sign=_SIGNS[facts.state],
        standing=_tell_standing(facts),
        tiles=_make_tiles(facts),
        charts=charts,
        data=list(_tell_data(facts)),
        mixture=mixture,
        parts_of_data=_list_parts(told),
        dropped=_list_dropped(record.examples),
        cut=_tell_cut(record.examples),
        rows=list(_tell_rows(facts)),
        model=_list_model(facts),
        memory=_list_memory(facts),
        settings=_list_settings(own),
        defaults=_list_settings([one for one in facts.settings if one.note == DEFAULT]),
        sittings=_list_sittings(facts.sittings),
        checkpoints=_list_checkpoints(facts),
        environment=_list_environment(facts),
    )


def _find_resumes(facts: TrainingFacts) -> list[int]:
    return sorted({one.began.step for one in facts.sittings if one.began.step})


def _tell_standing(facts: TrainingFacts) -> str:
    done, planned = f"{facts.num_done:,}", f"{facts.record.identity.num_steps:,}"
    match facts.state:
        case "finished":
            return f"All {planned} steps are done."
        case "stopped":
            return f"Stopped after step {done} of {planned}; the same command goes on from the last checkpoint."
        case "failed":
            return f"Failed after step {done} of {planned}: {facts.detail}"
    return f"Step {done} of {planned} is done; the run goes on, or was killed."


def _make_tiles(facts: TrainingFacts) -> list[Tile]:
    record = facts.record
    tiles: list[Tile] = [("Steps", f"{facts.num_done:,}", f"of {record.identity.num_steps:,}")]
    if facts.steps:
        last = facts.steps[-1]
        losses = smooth_points([(one.step, one.loss) for one in facts.steps])
        speeds = sorted(speed for _, speed in find_speeds(facts.steps))
        tiles += [
            ("Loss, smoothed", f"{losses[-1][1]:.3f}", f"from {losses[0][1]:.3f}; last step {last.loss:.3f}"),
            ("Samples", f"{last.samples:,}", f"{last.samples / max(1, record.examples.samples):.2f} times the data"),
            ("Time", say_duration(last.seconds), "in steps, over all sittings"),
        ]
        if speeds:
            tiles.append(
                ("Throughput", f"{speeds[len(speeds) // 2]:,.0f}", "positions a second, median of the steps")
            )
    counts = record.parameters
    tiles.append(("Trains", f"{counts.trained:,}", f"of {counts.used:,} parameters"))
    if facts.peak_bytes:
        tiles.append(("Memory", say_bytes(facts.peak_bytes), "the most, of one process"))
    return tiles


def _tell_data(facts: TrainingFacts) -> Iterator[tuple[str, str]]:
    record = facts.record
    told, seen = record.facts, record.examples
    yield "data", strip_url(record.data)
    if told is not None:
        data = told.data
        pairs = (("version", data.version), ("title", data.title), ("made by", data.made_by), ("split", data.split))
        yield from (pair for pair in (*pairs, ("teacher", data.teacher)) if pair[1])
    yield "samples", f"{seen.samples:,} of {seen.rows:,} rows"
    yield "pictures", f"{seen.pictures:,}; {seen.text_only:,} samples have none"
    tokens = seen.text_tokens + seen.image_tokens
    share = say_share(seen.learned_tokens / max(1, tokens))
    yield "tokens", f"{tokens:,}, {seen.image_tokens:,} of pictures; {seen.learned_tokens:,} are learned ({share})"
    yield "longest sample", f"{seen.longest:,} tokens"


def _draw_mixture(told: RunFacts | None) -> Chart | None:
    rows_by_type = told.data.rows_by_type if told is not None else {}
    if len(rows_by_type) < 2:
        return None
    ordered = dict(sorted(rows_by_type.items(), key=lambda pair: -pair[1]))
    total = sum(ordered.values())
    rows = [(name, count, say_share(count / total)) for name, count in ordered.items()]
    option = make_bars(ordered, "rows", across=True)
    about = "Rows of the split by sample type."
    return Chart("Mixture", about, option, ("type", "rows", "share"), rows, height_px=70 + 26 * len(ordered))


def _list_parts(told: RunFacts | None) -> Table:
    parts = told.data.parts if told is not None else ()
    total = max(1, sum(part.rows for part in parts))
    rows = [(part.version, part.title, part.rows, say_share(part.rows / total)) for part in parts]
    return Table(("version", "title", "rows", "share"), rows, "Versions that the data is made of")


def _list_dropped(seen: Summary) -> Table:
    rows = [
        (reason, count, ", ".join(seen.skipped_ids.get(reason, ())))
        for reason, count in sorted(seen.skipped.items(), key=lambda pair: -pair[1])
    ]
    return Table(("reason", "rows", "such as"), rows, "Rows that nothing was learned from")


def _tell_cut(seen: Summary) -> list[str]:
    """Return what of the samples was cut off; empty where nothing was."""
    lines = []
    if seen.answers_cut:
        lines.append(f"{seen.answers_cut:,} answers lost their end: longer than rows.max_tokens.")
    if seen.turns_left_out:
        lines.append(
            f"{seen.turns_left_out:,} turns were left out: they did not fit, nobody answers them, or the template "
            "has no place for them."
        )
    return lines


def _tell_rows(facts: TrainingFacts) -> Iterator[tuple[str, str]]:
    rows = facts.record.recipe.get("rows", {})
    yield "samples in a step", say_number(rows.get("batch", 0))
    if facts.steps:
        yield "positions", f"{facts.steps[-1].tokens:,} computed in all, those of pictures counted"
    yield "packing", "several samples in a row" if rows.get("packing") else "padded"
    yield "sharing", "samples of one picture share its tokens" if rows.get("sharing") else "off"
    counted = [one for one in facts.steps if one.rows]
    if counted:
        yield "rows in a step", f"{sum(one.rows for one in counted) / len(counted):.1f}, in all processes"
    if facts.fill is not None:
        yield "fill", f"{say_share(facts.fill)} of the rows' room, measured"


def _list_model(facts: TrainingFacts) -> Table:
    counts = facts.record.parameters
    rows: list[Row] = [
        (name, part.total, part.used, part.trained) for name, part in counts.parts.items() if part.used or part.total
    ]
    if counts.adapters:
        rows.append(("adapters", counts.adapters, counts.adapters, counts.adapters))
    rows.append(("all", None, counts.used, counts.trained))
    return Table(("part", "parameters", "in use", "train"), rows, "Parameters by part")


def _list_memory(facts: TrainingFacts) -> Table:
    told = facts.record.facts
    rows: list[Row] = []
    if told is not None:
        memory = told.memory
        names = ("weights", "gradients", "optimiser", "activations")
        rows += [(name, say_bytes(getattr(memory, name)), "estimated before") for name in names]
        rows.append(("all", say_bytes(memory.total), "estimated before"))
    if facts.peak_bytes:
        is_gpu = facts.sittings[-1].began.device != "cpu"
        rows.append(("peak", say_bytes(facts.peak_bytes), "measured" + ("" if is_gpu else ", with Python and data")))
    return Table(("memory", "of one process", ""), rows, "Memory")


def _list_settings(settings: Sequence[Setting]) -> Table:
    rows = [(one.key, one.value, one.note) for one in settings]
    return Table(("key", "value", "from"), rows, "Recipe")


def _list_sittings(sittings: Sequence[Sitting]) -> Table:
    rows: list[Row] = []
    for one in sittings:
        began, ended = one.began, one.ended
        how = "no end was noted: killed, or still at it" if ended is None else ended.detail or ended.how
        begun = f"went on after step {began.step:,}" if began.step else "began"
        device = " ".join(filter(None, (began.device, began.device_name)))
        rows.append((_say_time(began.at), begun, device, _say_time(ended.at) if ended else None, how))
    return Table(("from (UTC)", "", "on", "until", "end"), rows, "Sittings")


def _say_time(at: str) -> str:
    return at.removesuffix("+00:00").replace("T", " ")


def _list_checkpoints(facts: TrainingFacts) -> Table:
    rows: list[Row] = [
        (
            one.step,
            one.num_samples,
            None if one.seconds is None else say_duration(one.seconds),
            say_bytes(one.num_bytes),
        )
        for one in facts.checkpoints
    ]
    return Table(("step", "samples", "time", "on disk"), rows, "Checkpoints that are kept")


def _list_environment(facts: TrainingFacts) -> Table:
    record = facts.record
    rows: list[Row] = [("device", f"{record.device}, {record.num_processes} processes")]
    if record.num_processes == 1:
        rows = [("device", f"{record.device}, 1 process")]
    if facts.sittings:
        began = facts.sittings[-1].began
        rows += [("system", began.platform), ("threads of torch", str(began.num_threads))]
        if began.device_name:
            rows.append(("accelerator", began.device_name))
    rows += list(record.versions.items())
    rows += [("data digest", record.identity.data), ("run digest", record.identity.sha256)]
    return Table(("what", "which"), rows, "Environment")
