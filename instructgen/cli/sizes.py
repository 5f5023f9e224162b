"""Sizes for people."""

_STEP = 1000


def show_bytes(num_bytes: int) -> str:
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
