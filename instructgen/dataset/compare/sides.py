"""One version's rows as a comparison needs them.

Each row leaves its id and its columns' fingerprints: 0.3 KB a row for our own columns, however long its text and
large its pictures.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructgen.dataset.compare.fingerprints import fingerprint, fingerprint_text, make_nulls
from instructgen.dataset.shards import MIXED, Shard
from instructgen.dataset.stored import StoredVersion, told
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from instructgen.dataset.compare.fingerprints import Fingerprints

    Places = NDArray[np.int64]

ID = "sample_id"
SPLIT = "split"
_TYPE = "sample_type"
_BATCH_ROWS = 4096
_BATCH_ROWS_WITH_PICTURES = 64


@dataclass(slots=True)
class Side:
    """The rows of one version that are in no shard of the other."""

    version: StoredVersion
    shards: Sequence[Shard]
    ids: "pa.Array"
    columns: "dict[str, Fingerprints]"
    firsts: "Places"
    """The number of each shard's first row."""
    types: list[str]
    type_codes: "Places"
    """Of each row, its place in `types`."""

    @property
    def num_rows(self) -> int:
        return len(self.ids)

    def find(self, row: int) -> tuple[Shard, int]:
        """Return the row's shard and its place in it."""
        number = int(self.firsts.searchsorted(row, side="right")) - 1
        return self.shards[number], row - int(self.firsts[number])

    def types_of(self, rows: "Places") -> list[str]:
        return [self.types[code] for code in self.type_codes[rows].tolist()]

    def id_of(self, row: int) -> str:
        return str(self.ids[row].as_py())


def read_side(version: StoredVersion, shards: Sequence[Shard]) -> Side:
    import numpy as np
    import pyarrow as pa

    ids: list[pa.Array] = []
    columns: dict[str, list[Fingerprints]] = {}
    types: dict[str, int] = {}
    type_codes = [np.zeros(0, dtype=np.int64)]
    firsts, num_rows = [], 0
    for shard in shards:
        firsts.append(num_rows)
        for batch in iter_batches(version, shard):
            ids.append(batch.column(ID).cast(pa.large_string()).fill_null(""))
            found = {name: fingerprint(values) for name, values in _flatten(batch)}
            found[SPLIT] = fingerprint_text(shard.split, batch.num_rows)
            _append(columns, found, num_rows, batch.num_rows)
            names = batch.column(_TYPE).to_pylist() if shard.sample_type == MIXED else [shard.sample_type]
            codes = np.array([types.setdefault(str(name), len(types)) for name in names], dtype=np.int64)
            type_codes.append(np.resize(codes, batch.num_rows))
            num_rows += batch.num_rows
    joined: dict[str, Fingerprints] = {}
    for name in list(columns):
        joined[name] = _join(columns.pop(name))
    all_ids = pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())
    starts = np.array(firsts, dtype=np.int64)
    return Side(version, shards, all_ids, joined, starts, list(types), np.concatenate(type_codes))


def iter_batches(
    version: StoredVersion, shard: Shard, columns: list[str] | None = None
) -> "Iterator[pa.RecordBatch]":
    """Yield a shard's rows as Arrow. Raises InstructgenError where it cannot be read or has no sample_id."""
    import pyarrow.parquet as pq

    batch_rows = _BATCH_ROWS_WITH_PICTURES if version.manifest.embeds_images else _BATCH_ROWS
    where = f"{version.place}: {shard.path}"
    with told(where), version.open(shard.path) as file:
        parquet = pq.ParquetFile(file)
        if ID not in parquet.schema_arrow.names:
            raise InstructgenError(f"{where} has no column {ID}: its rows cannot be told from each other")
        yield from parquet.iter_batches(batch_size=batch_rows, columns=columns)


def _flatten(batch: "pa.RecordBatch") -> "Iterator[tuple[str, pa.Array]]":
    """Yield the columns but the id; a struct, as `scores`, by its children."""
    import pyarrow as pa

    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_struct(values.type):
            children = [values.type.field(place).name for place in range(values.type.num_fields)]
            yield from ((f"{name}.{child}", part) for child, part in zip(children, values.flatten(), strict=True))
        elif name != ID:
            yield name, values


def _append(
    columns: "dict[str, list[Fingerprints]]", found: "dict[str, Fingerprints]", num_before: int, num_rows: int
) -> None:
    """Add a batch's columns; what it lacks, or what the batches before it lacked, is null there."""
    for name, prints in found.items():
        if name not in columns:
            columns[name] = [make_nulls(prints, num_before)]
        columns[name].append(prints)
    for name in columns.keys() - found.keys():
        columns[name].append(make_nulls(columns[name][-1], num_rows))


def _join(parts: "Sequence[Fingerprints]") -> "Fingerprints":
    import numpy as np

    if len({part[1].dtype for part in parts}) > 1:  # a number in one shard and a text in another
        parts = [(part[0], part[1].astype(np.uint64)) for part in parts]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def count_types(version: StoredVersion, shards: Sequence[Shard]) -> dict[str, int]:
    """Return the rows of shards by sample type; only shards of several types are opened."""
    counts: Counter[str] = Counter()
    for shard in shards:
        if shard.sample_type != MIXED:
            counts[shard.sample_type] += shard.num_rows
            continue
        for batch in iter_batches(version, shard, [_TYPE]):
            counts.update(map(str, batch.column(_TYPE).to_pylist()))
    return dict(counts)
