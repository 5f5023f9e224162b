"""The columns of a version that is made of several."""

from typing import TYPE_CHECKING

from instructgen.dataset.derive.recipe import OpenedPart
from instructgen.dataset.stored import told
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow as pa

ORIGIN_COLUMN = "origin"
"""The version that a row was published in first."""


def join_schemas(opened: list[OpenedPart]) -> "pa.Schema":
    """Return the columns of all parts, in the order in which they come first, and `origin` at the end.

    Raises InstructgenError where two parts have a column of two types.
    """
    import pyarrow as pa

    types: dict[str, pa.DataType] = {}
    for part in opened:
        for field in _read_schema(part):
            types[field.name] = _join(types.get(field.name, field.type), field.type, field.name, part)
    types.setdefault(ORIGIN_COLUMN, pa.string())
    return pa.schema(list(types.items()))


def _read_schema(part: OpenedPart) -> "pa.Schema":
    import pyarrow.parquet as pq

    path = part.stored.manifest.shards[0].path
    with told(f"{part.stored.place}: {path}"), part.stored.open(path) as file:
        return pq.read_schema(file)


def _join(one: "pa.DataType", other: "pa.DataType", name: str, part: OpenedPart) -> "pa.DataType":
    import pyarrow as pa

    if one.equals(other):
        return one
    if name == "scores" and pa.types.is_struct(one) and pa.types.is_struct(other):  # each version has its filters
        children = {child.name: child.type for kind in (one, other) for child in kind}
        return pa.struct(sorted(children.items()))
    raise InstructgenError(f"{part.stored.place}: the column '{name}' is {other}, and {one} in a part before it")
