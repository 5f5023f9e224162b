"""The difference of two versions as a comment on a pull request."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from instructgen.cli.comment import code, draw_table, escape, fit, fold, shorten
from instructgen.refine.diff import diff_words

if TYPE_CHECKING:
    from instructgen.dataset.compare.diff import DatasetDiff
    from instructgen.dataset.compare.measures import MeasureChange
    from instructgen.dataset.compare.rows import RowCounts
    from instructgen.dataset.compare.texts import Example

ARROWS = {"better": "✅ better", "worse": "🔻 worse", "unchanged": "= unchanged", "other": "changed"}
_NUM_MOVES, _NUM_SETTINGS = 15, 30
_TURN_CHARS = 700
_MARKS = {"=": ("", ""), "-": ("<del>", "</del>"), "+": ("<ins>", "</ins>")}


def write_comment(diff: "DatasetDiff", max_chars: int) -> str:
    """Return Markdown of at most `max_chars` characters: figures first, then what may be cut."""
    return fit(_parts(diff), max_chars)


def _parts(diff: "DatasetDiff") -> Iterator[str]:
    yield f"## Dataset {code(diff.old.version)} → {code(diff.new.version)}"
    yield describe_rows(diff.rows)
    yield draw_table(("type", "rows", "changed", "added", "removed"), map(_type_row, diff.types.items()))
    if diff.fields:
        yield "Changed: " + ", ".join(f"{code(name)} in {count:,}" for name, count in diff.fields.items())
    for what, names in (("New columns", diff.columns_added), ("Columns that are gone", diff.columns_removed)):
        if names:
            yield f"{what}: {', '.join(map(code, names))}"
    yield _measures(diff.measures)
    yield _moves(diff)
    yield _outcomes(diff)
    yield _cost(diff)
    yield _settings(diff)
    measured = [change for change in diff.measures if change.sample_type and change.trend != "unchanged"]
    yield fold(f"Measures by type ({len(measured)} differ)", _measure_table(measured)) if measured else ""
    for example in diff.examples:
        yield fold(f"{example.what}: {code(example.sample_id)}", "\n".join(_describe_example(example)))


def describe_rows(rows: "RowCounts") -> str:
    if rows.old == rows.new == rows.unchanged:
        return f"**{rows.new:,} samples, none is different.**"
    return (
        f"**{rows.old:,} → {rows.new:,} samples**: {rows.changed:,} changed, {rows.added:,} added, "
        f"{rows.removed:,} removed, {rows.unchanged:,} unchanged."
    )


def _type_row(of_type: "tuple[str, RowCounts]") -> tuple[str, ...]:
    name, counts = of_type
    rows = f"{counts.new:,}" if counts.old == counts.new else f"{counts.old:,} → {counts.new:,}"
    return (code(name), rows, f"{counts.changed:,}", f"{counts.added:,}", f"{counts.removed:,}")


def _measures(changes: "tuple[MeasureChange, ...]") -> str:
    total = [change for change in changes if not change.sample_type]
    different = [change for change in total if change.trend != "unchanged"]
    if not total:
        return ""
    rest = f"{len(total) - len(different)} measures are unchanged."
    return "\n\n".join(part for part in ("### Measures", _measure_table(different), rest) if part)


def _measure_table(changes: "list[MeasureChange]") -> str:
    rows = [
        (
            code(f"{change.sample_type}: {change.measure}" if change.sample_type else change.measure),
            show(change.old),
            show(change.new),
            ARROWS[change.trend],
        )
        for change in changes
    ]
    return draw_table(("measure", "old", "new", ""), rows)


def show(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _moves(diff: "DatasetDiff") -> str:
    rows = [
        (code(move.sample_type), code(move.before), code(move.after), f"{move.num_units:,}", code(move.example))
        for move in diff.moves[:_NUM_MOVES]
    ]
    table = draw_table(("type", "before", "now", "units", "such as"), rows)
    more = len(diff.moves) - len(rows)
    return f"### Units that moved\n\n{table}" + (f"\n\n{more} kinds more." if more else "") if rows else ""


def _outcomes(diff: "DatasetDiff") -> str:
    rows = [
        (code(change.sample_type), code(change.outcome), f"{change.old:,}", f"{change.new:,}")
        for change in diff.outcomes
        if change.old != change.new
    ]
    table = draw_table(("type", "units", "old", "new"), rows)
    return fold(f"Counts of units ({len(rows)} differ)", table) if rows else ""


def _cost(diff: "DatasetDiff") -> str:
    cost = diff.cost
    pairs = (
        ("cost in $", cost.cost_usd),
        ("prompt tokens", cost.prompt_tokens),
        ("answer tokens", cost.completion_tokens),
    )
    told = [f"{name} {show(old)} → {show(new)}" for name, (old, new) in pairs if old != new]
    return f"Teacher: {', '.join(told)}." if told else ""


def _settings(diff: "DatasetDiff") -> str:
    rows = [
        (code(change.key), code(change.old) if change.old else "-", code(change.new) if change.new else "-")
        for change in diff.settings[:_NUM_SETTINGS]
    ]
    table = draw_table(("setting", "old", "new"), rows)
    more = len(diff.settings) - len(rows)
    return f"### Settings that differ\n\n{table}" + (f"\n\n{more} more." if more else "") if rows else ""


def _describe_example(example: "Example") -> Iterator[str]:
    if example.fields:
        yield "Changed: " + ", ".join(map(code, example.fields)) + "\n"
    old, new = example.old, example.new
    before = [] if old is None else [(turn.role, turn.content) for turn in old.turns]
    after = [] if new is None else [(turn.role, turn.content) for turn in new.turns]
    lines = []
    for place in range(max(len(before), len(after))):
        left = before[place] if place < len(before) else None
        right = after[place] if place < len(after) else None
        lines.append(_describe_turn(left, right, is_pair=old is not None and new is not None))
    yield f"<pre>{'&#10;'.join(lines)}</pre>"
    for name in example.fields:
        if old is not None and new is not None and name in {**old.values, **new.values}:
            yield f"\n{code(name)}: {code(old.values.get(name, '-'))} → {code(new.values.get(name, '-'))}"


def _describe_turn(old: tuple[str, str] | None, new: tuple[str, str] | None, *, is_pair: bool) -> str:
    role, text = new or old or ("", "")
    if not is_pair or old == new:
        return f"{escape(role)}: {_escape_text(text)}"
    if old is None or new is None:
        begin, end = _MARKS["-" if new is None else "+"]
        return f"{begin}{escape(role)}: {_escape_text(text)}{end}"
    pieces = diff_words(old[1], new[1]) or (("=", new[1]),)
    marked = (f"{_MARKS[sign][0]}{_escape_text(piece)}{_MARKS[sign][1]}" for sign, piece in pieces)
    was = f"{escape(old[0])} → " if old[0] != role else ""
    return f"{was}{escape(role)}: {' '.join(marked)}"


def _escape_text(text: str) -> str:
    return escape(shorten(text, _TURN_CHARS))
