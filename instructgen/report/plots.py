"""The charts of a build's report, each with the numbers that it draws."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from instructgen.pages.charts import Cell, Chart, make_frame, make_heat_map, make_sunburst
from instructgen.pages.numbers import say_share
from instructgen.report.spoken import GRID, Spoken
from instructgen.report.survey import Survey, TypeCounts

_TRUTH_COLOURS = {
    "supported": "var(--supported)",
    "contradicted": "var(--contradicted)",
    "unverifiable": "var(--unverifiable)",
}
_NUM_BINS = 18
_LONG_TAIL = 0.99  # the last bin takes the longest hundredth
_RINGS = (16, 6, 4)  # first, second and third words shown at each place
_NUM_CATEGORIES = 20
_TALL_PX = 460
_POSITIONS_PX = 300


def plot_answer_words(survey: Survey) -> Chart:
    """How long answers are, a colour for each type."""
    total: Counter[int] = Counter()
    for counts in survey.types.values():
        total.update(counts.answer_words)
    edges = _make_edges(total)
    names = [_name_bin(edges, place) for place in range(len(edges))]
    series = {
        name: _fill_bins(counts.answer_words, edges)
        for name, counts in sorted(survey.types.items())
        if counts.answer_words
    }
    rows: list[list[Cell]] = [
        [name, *(values[place] for values in series.values())] for place, name in enumerate(names)
    ]
    return Chart(
        "Words in an answer",
        f"{total.total():,} answers of all rows, by their number of words.",
        _stack(names, series, {}),
        ["words", *series],
        rows,
    )


def plot_first_words(survey: Survey) -> Chart:
    """What questions begin with."""
    total = survey.first_words.total()
    tree, rows, shown = _grow(survey.first_words, total)
    about = (
        f"The first three words of {total:,} questions, from the inside out; {say_share(shown)} have a place here."
    )
    return Chart(
        "How questions begin",
        about,
        make_sunburst(tree),
        ["words", "questions", "share"],
        rows,
        _TALL_PX,
        is_square=True,
    )


def plot_claims(metrics: Mapping[str, Any] | None, spoken: Spoken) -> Chart | None:
    """Claims by kind: those of all rows where the version's measures have them, else those that were checked."""
    by_kind: dict[str, dict[str, int]] = {}
    if metrics is not None:
        by_kind, of = metrics["total"].get("claims_by_kind", {}), "all rows, when they were built"
    else:
        of = f"{spoken.num_checked:,} rows"
        for (kind, truth), number in sorted(spoken.truths.items()):
            by_kind.setdefault(kind, dict.fromkeys(_TRUTH_COLOURS, 0))[truth] = number
    if not by_kind:
        return None
    names = list(by_kind)
    series = {truth: [by_kind[kind].get(truth, 0) for kind in names] for truth in _TRUTH_COLOURS}
    rows: list[list[Cell]] = [[kind, *(by_kind[kind].get(truth, 0) for truth in _TRUTH_COLOURS)] for kind in names]
    return Chart(
        "Claims by kind",
        f"Every claim of {of}, held against captions and boxes.",
        _stack(names, series, _TRUTH_COLOURS, across=True),
        ["kind", *_TRUTH_COLOURS],
        rows,
    )


def plot_coverage(spoken: Spoken) -> Chart | None:
    """Which annotated objects the answers speak of."""
    top = [name for name, _ in spoken.annotated.most_common(_NUM_CATEGORIES)]
    if not top:
        return None
    said = [spoken.mentioned[name] for name in top]
    rest = [spoken.annotated[name] - spoken.mentioned[name] for name in top]
    rows: list[list[Cell]] = [
        [
            name,
            spoken.annotated[name],
            spoken.mentioned[name],
            say_share(spoken.mentioned[name] / spoken.annotated[name]),
        ]
        for name in top
    ]
    share = say_share(spoken.coverage or 0.0)
    return Chart(
        "Objects spoken of",
        f"Of {spoken.num_checked:,} rows, those whose image has it boxed; {share} of all boxed kinds are named.",
        _stack(top, {"named": said, "passed over": rest}, {"passed over": "var(--line)"}, across=True),
        ["object", "boxed", "named", "share"],
        rows,
        _TALL_PX,
    )


def plot_positions(spoken: Spoken) -> list[Chart]:
    """Where in the frame the objects lie that answers name, and those that they pass over."""
    charts = []
    for title, grid in (
        ("Where the named objects lie", spoken.spoken_grid),
        ("Where those passed over lie", spoken.passed_grid),
    ):
        total = sum(map(sum, grid))
        if not total:
            continue
        about = f"Centres of their boxes ({total:,}) in the frame, {GRID[0]} x {GRID[1]} cells, the top on top."
        rows: list[list[Cell]] = [[f"row {place + 1}", *line] for place, line in enumerate(grid)]
        columns = ["", *(str(place + 1) for place in range(GRID[0]))]
        charts.append(Chart(title, about, make_heat_map(grid, "boxes"), columns, rows, _POSITIONS_PX))
    return charts


def plot_yes_no(survey: Survey) -> Chart | None:
    """How the questions that ask whether something is there are answered, and what answers begin with."""
    lines: dict[str, Counter[str]] = {}
    for name, counts in sorted(survey.types.items()):
        lines |= _list_yes_no(name, counts)
    if not lines:
        return None
    names = list(lines)
    series = {word: [lines[name][word] for name in names] for word in ("yes", "no")}
    rows: list[list[Cell]] = [
        [name, lines[name]["yes"], lines[name]["no"], say_share(_yes_share(lines[name]))] for name in names
    ]
    return Chart(
        "Yes and no",
        "A student that always says yes is right as often as this leans: half and half teaches it to look.",
        _stack(names, series, {"yes": "var(--series-1)", "no": "var(--series-2)"}, across=True),
        ["", "yes", "no", "yes, share"],
        rows,
        _POSITIONS_PX,
    )


def _list_yes_no(name: str, counts: TypeCounts) -> dict[str, Counter[str]]:
    lines = {f"{name}: is it there?": counts.existence, f"{name}: answers that begin so": counts.begins}
    return {title: found for title, found in lines.items() if found.total()}


def _yes_share(counts: Counter[str]) -> float:
    return counts["yes"] / max(1, counts.total())


def _stack(
    names: Sequence[str], series: Mapping[str, Sequence[int]], colours: Mapping[str, str], *, across: bool = False
) -> dict[str, object]:
    kinds: dict[str, object] = {"type": "category", "data": list(names), "inverse": across}
    sizes: dict[str, object] = {"type": "value"}
    bars = [
        {
            "type": "bar",
            "name": name,
            "stack": "all",
            "data": list(values),
            "barMaxWidth": 26,
            **({"itemStyle": {"color": colours[name]}} if name in colours else {}),
        }
        for name, values in series.items()
    ]
    return {
        "grid": make_frame(),
        "legend": {"top": 0, "left": 0, "type": "scroll", "itemWidth": 14, "itemHeight": 10},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": sizes if across else kinds,
        "yAxis": kinds if across else sizes,
        "series": bars,
    }


def _make_edges(counts: Counter[int]) -> list[int]:
    """Return the lowest length of each bin; the bins are equally wide, but for the last."""
    if not counts:
        return [0]
    total, seen, high = counts.total(), 0, 0
    for length in sorted(counts):
        seen += counts[length]
        high = length
        if seen >= _LONG_TAIL * total:
            break
    width = max(1, -(-(high + 1) // _NUM_BINS))
    return list(range(0, high + 1, width))


def _name_bin(edges: Sequence[int], place: int) -> str:
    if place == len(edges) - 1:
        return f"{edges[place]}+"
    last = edges[place + 1] - 1
    return str(last) if last == edges[place] else f"{edges[place]}–{last}"


def _fill_bins(counts: Counter[int], edges: Sequence[int]) -> list[int]:
    width = edges[1] - edges[0] if len(edges) > 1 else 1
    bins = [0] * len(edges)
    for length, number in counts.items():
        bins[min(len(edges) - 1, length // width)] += number
    return bins


def _grow(paths: Counter[tuple[str, ...]], total: int) -> tuple[list[dict[str, object]], list[list[Cell]], float]:
    """Return the tree of the most frequent beginnings, its leaves as rows, and the share of all that they are."""
    rows: list[list[Cell]] = []
    tree = [_branch(paths, (word,), number, rows) for word, number in _next_words(paths, ())[: _RINGS[0]]]
    rows.sort(key=lambda row: (-_count(row), str(row[0])))
    named = sum(number for _, number in _next_words(paths, ())[: _RINGS[0]])
    return tree, [[*row, say_share(_count(row) / max(1, total))] for row in rows], named / max(1, total)


def _count(row: list[Cell]) -> int:
    assert isinstance(row[1], int)
    return row[1]


def _branch(
    paths: Counter[tuple[str, ...]], prefix: tuple[str, ...], number: int, rows: list[list[Cell]]
) -> dict[str, object]:
    """Return a node; it keeps its whole value, so that what is not shown of it leaves a gap in the outer ring."""
    rows.append([" ".join(prefix), number])
    node: dict[str, object] = {"name": prefix[-1], "value": number}
    if len(prefix) < len(_RINGS):
        under = {path: count for path, count in paths.items() if path[: len(prefix)] == prefix}
        following = _next_words(Counter(under), prefix)[: _RINGS[len(prefix)]]
        children = [_branch(Counter(under), (*prefix, word), count, rows) for word, count in following]
        if children:
            node["children"] = children
    return node


def _next_words(paths: Counter[tuple[str, ...]], prefix: tuple[str, ...]) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for path, number in paths.items():
        if len(path) > len(prefix):
            found[path[len(prefix)]] += number
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))
