"""Sizes and columns for people."""

from collections.abc import Sequence

_STEP = 1000


def show_bytes(num_bytes: float) -> str:
    """Return the size in B, kB, MB, GB or TB, with three digits at most before the unit grows."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:.1f} TB"


def show_count(num: int, what: str) -> str:
    """Return "1 shard", "2 shards"."""
    return f"{num} {what}{'' if num == 1 else 's'}"


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line a row: the first cell to the left, the others to the right of their columns."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]


def show_time(seconds: float) -> str:
    """Return about how long it takes: "90 s", "45 min", "3.5 h", "200 h (8 days)"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:,.1f} h" if hours < 72 else f"{hours:,.0f} h ({hours / 24:,.0f} days)"
