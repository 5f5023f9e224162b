"""How pages write numbers: one way for each kind."""

from collections.abc import Callable

_BYTES = (("GB", 10**9), ("MB", 10**6), ("KB", 10**3))


def say_number(value: float) -> str:
    """Return whole numbers with separators, others with three figures after the point at most."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.001 else f"{value:.2g}"


def say_share(value: float) -> str:
    """Return a share from 0 to 1 in per cent."""
    return f"{100 * value:.1f}%"


def say_usd(value: float) -> str:
    """Return dollars, with as many places as a small sum needs to be seen."""
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def say_duration(seconds: float) -> str:
    """Return seconds as people say them: 4.2 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def say_bytes(value: float) -> str:
    for unit, size in _BYTES:
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.0f} B"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def say_cell(value: object) -> str:
    """Return what a table shows: a number as say_number, None as a dash, anything else as its text."""
    if value is None:
        return "–"
    return say_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


FILTERS: dict[str, Callable[..., object]] = {
    "number": say_number,
    "share": say_share,
    "usd": say_usd,
    "duration": say_duration,
    "bytes": say_bytes,
    "cell": say_cell,
    "is_number": is_number,
}
