"""`instructgen dataset diff`: what is different in another version, sample by sample."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.comment import make_printable
from instructgen.cli.failures import told_as_json

if TYPE_CHECKING:
    from instructgen.dataset.compare.diff import DatasetDiff
    from instructgen.dataset.compare.measures import MeasureChange
    from instructgen.dataset.compare.texts import Example

_COMMENT_CHARS = 50_000  # leaves room in GitHub's 65,536 for what `dataset check` says
_NUM_SHOWN = 10
_SIGNS = {"better": "+", "worse": "!", "unchanged": "=", "other": " "}
_TEXT_CHARS = 400


def add_to(app: typer.Typer) -> None:
    app.command("diff")(diff)


def diff(
    old: str = typer.Argument(help="Version to compare with: FOLDER, FOLDER@TAG, FOLDER@VERSION, or its own folder."),
    new: str = typer.Argument(help="Version that is looked at, named likewise."),
    examples: int = typer.Option(3, min=0, help="Samples to show of each kind."),
    sample: str | None = typer.Option(None, help="Show only this sample, word by word."),
    changes: Path | None = typer.Option(None, help="Write one JSON line for each sample that is different."),
    markdown: Path | None = typer.Option(None, help="Append a comment for a pull request to this file."),
    max_chars: int = typer.Option(_COMMENT_CHARS, min=1000, help="Characters of that comment at most."),
    as_json: bool = typer.Option(False, "--json", help="Print the difference as one JSON object."),
) -> None:
    """Compare two versions of a dataset by sample: what was added, removed and changed, and in which columns.

    \b
    Examples:
      instructgen dataset diff out/coco-val2017@v1 out/coco-val2017
      instructgen dataset diff out/base out/pr --markdown comment.md
      instructgen dataset diff out/a out/b --changes changes.jsonl --json
      instructgen dataset diff out/a out/b --sample coco/000000000139/conv/0

    \b
    FOLDER alone is its latest version. Samples are matched by sample_id; pictures count by path and by their bytes
    where the rows hold them. The exit code is 0 whatever is different: `dataset check` has gates.
    """
    with told_as_json(as_json=as_json):
        import msgspec

        from instructgen.dataset.compare.diff import make_diff, write_changes
        from instructgen.dataset.compare.rows import compare_rows
        from instructgen.dataset.compare.texts import compare_sample
        from instructgen.dataset.stores.errors import told_store
        from instructgen.dataset.versions import open_version

        before, after = open_version(old), open_version(new)
        if sample is not None:
            with told_store(old, new):
                one = compare_sample(before, after, sample)
            typer.echo(
                msgspec.json.encode(one).decode()
                if as_json
                else "\n".join(map(make_printable, _describe_example(one)))
            )
            return
        with told_store(old, new):
            compared = compare_rows(before, after)
            found = make_diff(before, after, compared, num_examples=examples)
        if changes is not None:
            with told_store(str(changes)):
                write_changes(compared, changes)
        if markdown is not None:
            with told_store(str(markdown)):
                append_comment(markdown, found, max_chars)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for line in describe(found):
        typer.echo(make_printable(line))


def append_comment(path: Path, found: "DatasetDiff", max_chars: int) -> None:
    from instructgen.cli.diff_comment import write_comment

    with path.open("a", encoding="utf-8") as file:
        file.write(write_comment(found, max_chars))


def describe(found: "DatasetDiff") -> Iterator[str]:
    """Yield the difference in lines for a terminal."""
    rows = found.rows
    yield f"{found.old.version} ({found.old.place}) -> {found.new.version} ({found.new.place})"
    if found.is_empty:
        yield f"{rows.new:,} samples, none is different"
    else:
        yield (
            f"{rows.old:,} -> {rows.new:,} samples: {rows.changed:,} changed, {rows.added:,} added, "
            f"{rows.removed:,} removed, {rows.unchanged:,} unchanged"
        )
    for name, counts in found.types.items():
        yield f"  {name}: {counts.changed:,} changed, {counts.added:,} added, {counts.removed:,} removed"
    for name, count in found.fields.items():
        yield f"changed in {name}: {count:,}"
    for what, names in (("new columns", found.columns_added), ("columns that are gone", found.columns_removed)):
        if names:
            yield f"{what}: {', '.join(names)}"
    for move in found.moves[:_NUM_SHOWN]:
        yield f"{move.sample_type}: {move.num_units:,} x {move.before} -> {move.after} (such as {move.example})"
    total = [change for change in found.measures if not change.sample_type and change.trend != "unchanged"]
    yield from map(_describe_measure, total)
    for setting in found.settings:
        yield f"setting {setting.key}: {setting.old or '-'} -> {setting.new or '-'}"
    for example in found.examples:
        yield ""
        yield from _describe_example(example)


def _describe_measure(change: "MeasureChange") -> str:
    old, new = ("-" if value is None else f"{value:g}" for value in (change.old, change.new))
    trend = "" if change.trend == "other" else f", {change.trend}"
    return f"{_SIGNS[change.trend]} {change.measure}: {old} -> {new}{trend}"


def _describe_example(example: "Example") -> Iterator[str]:
    from instructgen.refine.diff import diff_words

    fields = f" ({', '.join(example.fields)})" if example.fields else ""
    yield f"--- {example.what} {example.sample_id}{fields}"
    old = example.old.turns if example.old is not None else ()
    new = example.new.turns if example.new is not None else ()
    for place in range(max(len(old), len(new))):
        before = old[place].content if place < len(old) else ""
        after = new[place].content if place < len(new) else ""
        role = (new if place < len(new) else old)[place].role
        pieces = (("=", after or before),) if not (old and new) else diff_words(before, after) or (("=", after),)
        yield f"  {role}: " + " ".join(_mark(sign, text) for sign, text in pieces)
    for name in example.fields:
        if example.old is not None and example.new is not None and name in example.new.values:
            yield f"  {name}: {example.old.values.get(name, '-')} -> {example.new.values[name]}"


def _mark(sign: str, text: str) -> str:
    shown = text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 1] + "…"
    return {"=": shown, "-": f"[-{shown}-]", "+": f"{{+{shown}+}}"}[sign]
