"""A few samples as both versions have them, for people."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from instructgen.dataset.compare.rows import RowComparison
from instructgen.dataset.compare.sides import ID, SPLIT, Side, iter_batches
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion, told
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from instructgen.dataset.compare.rows import Places

_TEXT = "messages"


class Turn(Struct, frozen=True):
    role: str
    content: str


class SeenSample(Struct, frozen=True):
    """A row without its picture; `values` are the other columns as JSON, a struct's by their path."""

    sample_id: str
    sample_type: str
    turns: tuple[Turn, ...]
    values: dict[str, str]


class Example(Struct, frozen=True):
    """One sample that was added, removed or changed; `old` is None for one added, `new` for one removed."""

    sample_id: str
    what: str
    fields: tuple[str, ...]
    old: SeenSample | None
    new: SeenSample | None


def read_examples(compared: RowComparison, num: int) -> tuple[Example, ...]:
    """Return up to `num` of each kind, spread over the rows: changed (first where the text did), added, removed."""
    changed = _choose_changed(compared, num)
    old_rows, new_rows = compared.pairs[0][changed].tolist(), compared.pairs[1][changed].tolist()
    removed, added = _spread(compared.removed, num), _spread(compared.added, num)
    old = _read(compared.old, [*old_rows, *removed])
    new = _read(compared.new, [*new_rows, *added])
    examples = [
        Example(new[right].sample_id, "changed", compared.fields_of(pair), old[left], new[right])
        for pair, left, right in zip(changed, old_rows, new_rows, strict=True)
    ]
    examples += [Example(new[row].sample_id, "added", (), None, new[row]) for row in added]
    examples += [Example(old[row].sample_id, "removed", (), old[row], None) for row in removed]
    return tuple(examples)


def find_sample(version: StoredVersion, sample_id: str) -> SeenSample | None:
    """Return the first sample of that name, or None; only the ids are read on the way."""
    import pyarrow.compute as pc

    for shard in version.manifest.shards:
        at = 0
        for batch in iter_batches(version, shard, [ID]):
            place = pc.index(batch.column(ID), sample_id).as_py()
            if place >= 0:
                return _read_shard(version, shard, [at + place])[at + place]
            at += batch.num_rows
    return None


def compare_sample(old: StoredVersion, new: StoredVersion, sample_id: str) -> Example:
    """Return one sample of both versions. Raises InstructgenError where neither has it."""
    before, after = find_sample(old, sample_id), find_sample(new, sample_id)
    if before is None and after is None:
        raise InstructgenError(f"neither {old.place} nor {new.place} has a sample {sample_id}")
    what = "removed" if after is None else "added"
    if before is None or after is None:
        return Example(sample_id, what, (), before, after)
    names = [*after.values, *(name for name in before.values if name not in after.values)]
    fields = [name for name in names if before.values.get(name) != after.values.get(name)]
    if before.turns != after.turns:
        fields.insert(0, _TEXT)
    return Example(sample_id, "changed" if fields else "unchanged", tuple(fields), before, after)


def _choose_changed(compared: RowComparison, num: int) -> list[int]:
    texts = compared.differs.get(_TEXT)
    if texts is None:
        return _spread(compared.changed, num)
    chosen = _spread(compared.changed[texts[compared.changed]], num)
    rest = compared.changed[~texts[compared.changed]]
    return chosen + _spread(rest, num - len(chosen))


def _spread(places: "Places", num: int) -> list[int]:
    """Return up to `num` of the places, evenly far from each other."""
    if len(places) <= num:
        return [int(place) for place in places]
    return [int(places[at * len(places) // num]) for at in range(num)]


def _read(side: Side, rows: Sequence[int]) -> dict[int, SeenSample]:
    by_shard: dict[str, tuple[Shard, dict[int, int]]] = {}
    for row in rows:
        shard, place = side.find(row)
        by_shard.setdefault(shard.path, (shard, {}))[1][place] = row
    found: dict[int, SeenSample] = {}
    for shard, places in by_shard.values():
        read = _read_shard(side.version, shard, list(places))
        found |= {row: read[place] for place, row in places.items()}
    return found


def _read_shard(version: StoredVersion, shard: Shard, places: Sequence[int]) -> dict[int, SeenSample]:
    """Return the rows at these places of a shard; pictures are not read."""
    import pyarrow.parquet as pq

    found: dict[int, SeenSample] = {}
    with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
        parquet = pq.ParquetFile(file)
        columns = [path for path in _leaf_paths(parquet) if not path.endswith(".bytes")]
        first = 0
        for number in range(parquet.num_row_groups):
            num_rows = parquet.metadata.row_group(number).num_rows
            inside = [place for place in places if first <= place < first + num_rows]
            if inside:
                group = parquet.read_row_group(number, columns=columns)
                for place in inside:
                    row = group.slice(place - first, 1).to_pylist()[0]
                    found[place] = _see(row, shard)
            first += num_rows
    return found


def _leaf_paths(parquet: "pq.ParquetFile") -> list[str]:
    return [parquet.schema.column(at).path for at in range(len(parquet.schema))]


def _see(row: dict[str, Any], shard: Shard) -> SeenSample:
    turns = tuple(Turn(str(turn["role"]), str(turn["content"] or "")) for turn in row.pop(_TEXT, None) or ())
    sample_id = str(row.pop(ID) or "")
    sample_type = str(row.get("sample_type") or shard.sample_type)
    return SeenSample(sample_id, sample_type, turns, dict(_values({**row, SPLIT: shard.split})))


def _values(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        parts = {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
        for path, inner in parts.items():
            yield path, json.dumps(inner, ensure_ascii=False, default=str)
