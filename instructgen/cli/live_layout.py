"""The lines of a build's live display, for any width and height of the terminal. Draws nothing."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from instructgen.cli.live_parts import (
    Marks,
    Part,
    draw_bar,
    draw_block,
    fit_parts,
    make_labelled,
    make_line,
    show_number,
    show_time,
    show_usd,
    spread_line,
)
from instructgen.cli.progress_counts import BuildCounts, Projection, StageCounts
from instructgen.cli.terminal_text import clean_text, cut_text, wrap_text
from instructgen.generate.pool import Endpoint
from instructgen.observe.stats import ServerStats
from instructgen.records import Sample

_MAX_WIDTH = 110
_NUM_REASONS, _NUM_SERVERS = 6, 5
_MAX_BAR_CELLS, _MAX_BLOCK_CELLS, _MIN_BAR_CELLS = 40, 24, 4
_WIDE_CELLS = 60  # from here on there is room for words between numbers
_STAGE_CELLS = 11  # a sign and the stage's name
_REASON_CELLS = 26
_MAX_SAMPLE_CHARS = 1_000
_MAX_QUESTION_LINES, _MAX_ANSWER_LINES = 2, 5


class Section(NamedTuple):
    """Lines that belong together. Of all ranks, from 0, the lowest has its `least` lines first, then all of them."""

    rank: int
    least: int
    lines: list[Text]
    keeps_end: bool = False


class View(NamedTuple):
    """What is drawn beside the counts."""

    title: str
    started_s: float
    now_s: float
    sample: Sample | None = None
    is_over: bool = False


def make_lines(counts: BuildCounts, view: View, width: int, height: int, marks: Marks) -> list[Text]:
    """Return at most `height` lines of at most `width` cells. What is over keeps only what it came to."""
    width = min(width, _MAX_WIDTH)
    title: list[Part] = [("instructgen build  ", "bold"), (clean_text(view.title), "")]
    sections = [
        Section(2, 1, [spread_line(title, (show_time(view.now_s - view.started_s), ""), width, marks)]),
        Section(0, 1, [_draw_stage(stage, view, width, marks) for stage in counts.stages], keeps_end=True),
        Section(3, 1, _draw_amounts(counts, width, marks)),
        Section(1, 1, [_draw_counts(counts, width, marks)]),
        Section(5, 0, _draw_reasons(counts, width, marks)),
    ]
    if not view.is_over:
        sections.append(Section(6, 0, _draw_servers(counts, width, marks)))
        sample = _draw_sample(view.sample, width, marks)
        sections += [Section(7, 0, [Text("")] if sample else []), Section(4, 2, sample)]
    return fit_sections(sections, height)


def fit_sections(sections: Sequence[Section], height: int) -> list[Text]:
    """Return the sections' lines in their order, as many as there is room for."""
    by_rank = sorted(range(len(sections)), key=lambda at: sections[at].rank)
    taken, room = [0] * len(sections), height
    for wants_all in (False, True):
        for at in by_rank:
            num_lines = len(sections[at].lines)
            wanted = num_lines if wants_all else min(sections[at].least, num_lines)
            more = min(wanted - taken[at], room)
            taken[at] += more
            room -= more
    lines: list[Text] = []
    for section, num in zip(sections, taken, strict=True):
        lines += section.lines[len(section.lines) - num :] if section.keeps_end else section.lines[:num]
    return lines


def _draw_stage(stage: StageCounts, view: View, width: int, marks: Marks) -> Text:
    is_running = stage.ended_s is None and not view.is_over
    rate = stage.rate(view.now_s)
    share = min(1.0, stage.num_done / stage.num_units) if stage.num_units else None
    of = " of " if width >= _WIDE_CELLS else "/"
    parts: list[Part] = [(f"{stage.num_done:,}" + (f"{of}{stage.num_units:,}" if stage.num_units else ""), "")]
    left_s = stage.left_s(rate)
    if not is_running:
        parts.append((show_time(stage.seconds(view.now_s)), ""))
    elif left_s is not None:
        parts.insert(0, (f"{show_time(left_s)} left", "bold"))
    if share is not None and is_running:
        parts.insert(0, (f"{int(share * 100):3}%", "bold"))
    parts.append((f"{show_number(rate)}/s", "cyan"))
    sign = f"{_find_sign(stage, view, marks)} "
    head: list[Part] = [(sign, "green"), (f"{stage.name:<{_STAGE_CELLS - 2}}", "bold" if is_running else "")]
    told = fit_parts(parts, width - _STAGE_CELLS, "  ")
    num_cells = min(_MAX_BAR_CELLS, width - _STAGE_CELLS - 2 - sum(len(text) for text, _ in told))
    if share is not None and is_running and num_cells >= _MIN_BAR_CELLS:
        head += [*draw_bar(share, num_cells, marks), ("  ", "")]
    return make_line([*head, *told], width, marks)


def _find_sign(stage: StageCounts, view: View, marks: Marks) -> str:
    if stage.ended_s is None:
        return " " if view.is_over else marks.spin(view.now_s)
    return marks.done if stage.num_units is None or stage.num_done >= stage.num_units else " "


def _draw_amounts(counts: BuildCounts, width: int, marks: Marks) -> list[Text]:
    """Return the lines of money and tokens; none where nothing is asked of a server."""
    bought, is_remote = counts.bought, counts.gauges is not None and bool(counts.gauges.endpoints)
    if not counts.num_tokens and not is_remote:
        return []
    usd = counts.project_usd()
    cost: list[Part] = [("unknown, no price is configured", "yellow")] if usd is None else _tell(usd, show_usd)
    split = f"{show_number(bought.prompt_tokens)} prompt, {show_number(bought.completion_tokens)} answer"
    tokens = [*_tell(counts.project_tokens(), show_number), (split, "dim")]
    return [make_labelled("cost", cost, width, marks), make_labelled("tokens", tokens, width, marks)]


def _tell(amount: Projection, show: Callable[[float], str]) -> list[Part]:
    parts: list[Part] = [(show(amount.so_far), "bold")]
    if amount.limit is not None:
        parts = [(f"{show(amount.so_far)} of {show(amount.limit)}", "bold")]
    if amount.fits_units is not None:
        parts.append((f"enough for {amount.fits_units:,} units", "bold red"))
    if amount.whole is not None and amount.whole > amount.so_far:
        parts.append((f"about {show(amount.whole)} in all", "" if amount.fits_units is None else "yellow"))
    return parts


def _draw_counts(counts: BuildCounts, width: int, marks: Marks) -> Text:
    """Return what became of the units; while answers come in, not all are judged yet."""
    of = f" of {counts.num_judged:,} judged" if counts.num_judged < counts.num_answered else ""
    rejected = f"{counts.num_rejected:,} rejected{of if width >= _WIDE_CELLS else ''}"
    has_kept = len(counts.stages) > 1  # the first stage only asks
    kept = f"{counts.num_accepted:,} kept" if has_kept else f"{counts.num_answered:,} answered"
    parts: list[Part] = [(kept, "green"), (rejected, "yellow" if counts.num_rejected else "")]
    # Nothing is as urgent as a failure, and nothing as dull as none.
    parts.insert(1 if counts.num_failed else 2, (f"{counts.num_failed:,} failed", "red" if counts.num_failed else ""))
    num_in_flight = counts.num_in_flight if counts.gauges is None else counts.gauges.stats.in_flight
    if num_in_flight:
        parts.append((f"{num_in_flight} in flight", ""))
    return make_labelled("units", parts, width, marks)


def _draw_reasons(counts: BuildCounts, width: int, marks: Marks) -> list[Text]:
    reasons = counts.top_reasons(_NUM_REASONS)
    most = max((count for _, count, _ in reasons), default=1)
    name_cells = min(_REASON_CELLS, max(8, width // 2 - 4))
    lines = []
    for reason, count, has_failed in reasons:
        name = cut_text(clean_text(reason), name_cells, marks.end)
        room = min(_MAX_BLOCK_CELLS, width - name_cells - 13)
        bar = draw_block(count / most, room, marks) if room >= _MIN_BAR_CELLS else ""
        style = "red" if has_failed else "yellow"
        padding = " " * (name_cells - cell_len(name))
        lines.append(make_line([(f"  {name}{padding} {count:>7,}  ", ""), (bar, style)], width, marks))
    return lines


def _draw_servers(counts: BuildCounts, width: int, marks: Marks) -> list[Text]:
    if counts.gauges is None:
        return []
    endpoints, stats = counts.gauges.endpoints, counts.gauges.stats
    lines = [
        _draw_server(endpoint, stats.servers.get(endpoint.server.name) or ServerStats(), width, marks)
        for endpoint in endpoints[:_NUM_SERVERS]
    ]
    num_more = len(endpoints) - _NUM_SERVERS
    if num_more > 0:
        lines[-1] = make_line([(f"  and {num_more + 1} more servers", "dim")], width, marks)
    return lines


def _draw_server(endpoint: Endpoint, stats: ServerStats, width: int, marks: Marks) -> Text:
    breaker = endpoint.breaker
    parts: list[Part] = [(f"{stats.in_flight}/{stats.limit or endpoint.gate.concurrency} in flight", "")]
    if breaker.verdict is not None:
        parts = [("given up", "bold red")]
    elif breaker.is_resting:
        parts = [("rests", "bold yellow")]
    outcomes = sorted(stats.outcomes.items(), key=lambda one: -one[1])
    parts.append((f"{stats.outcomes['answered']:,} answered", ""))
    if stats.latencies.num:
        parts.append((f"{stats.latencies.total_s / stats.latencies.num:.2g} s each", "dim"))
    parts += [(f"{count:,} {clean_text(why)}", "yellow") for why, count in outcomes if why != "answered"][:2]
    name = cut_text(clean_text(endpoint.server.name), max(12, width * 2 // 5), marks.end)
    return make_line([(f"  {name}  ", "cyan"), *fit_parts(parts, width - cell_len(name) - 4, "  ")], width, marks)


def _draw_sample(sample: Sample | None, width: int, marks: Marks) -> list[Text]:
    """Return the question and answer that a sample begins with."""
    if sample is None:
        return []
    question = next((turn.content for turn in sample.turns if turn.role == "user"), "")
    answer = next((turn.content for turn in sample.turns if turn.role == "assistant"), "")
    head = make_labelled("latest", [(clean_text(sample.sample_id), "dim")], width, marks)
    asked = _wrap(question, width, "  Q: ", _MAX_QUESTION_LINES, marks)
    told = _wrap(answer, width, "  A: ", _MAX_ANSWER_LINES, marks)
    return [head, *(make_line([(line, "cyan")], width, marks) for line in asked)] + [
        make_line([(line, "")], width, marks) for line in told
    ]


def _wrap(text: str, width: int, start: str, max_lines: int, marks: Marks) -> list[str]:
    whole = " ".join(text[:_MAX_SAMPLE_CHARS].split())
    lines = wrap_text(whole, width, start)
    if len(lines) > max_lines or len(text) > _MAX_SAMPLE_CHARS:
        lines = lines[:max_lines]
        lines[-1] = cut_text(lines[-1], width - len(marks.end), "") + marks.end
    return lines
