"""What a template makes a table of."""

from collections.abc import Sequence

from msgspec import Struct

Row = tuple[str | int | float | None, ...]


class Table(Struct, frozen=True):
    """`name` is read out by screen readers; a table without rows is left out."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    name: str
