"""Puts the shards of all parts into one version: linked or copied as they are, or written anew without lost rows."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.shards import Shard, ShardWriter
from instructgen.dataset.stored import LocalVersion, StoredVersion, told
from instructgen.dataset.stores.base import copy_file
from instructgen.dataset.sums import hash_stream
from instructgen.errors import InstructgenError
from instructgen.jobs.merge_open import OpenedPart
from instructgen.jobs.merge_settle import Gone, Series

_BATCH_ROWS = 64
_SMALL = 4  # shards of fewer than rows_per_shard / 4 rows are put together: else small parts make crumbs


class Piece(Struct, frozen=True):
    """A part's shard; `lost` are the places of the rows that it loses."""

    version: StoredVersion
    shard: Shard
    lost: frozenset[int]

    @property
    def num_rows(self) -> int:
        return self.shard.num_rows - len(self.lost)


def place_shards(opened: Sequence[OpenedPart], gone: Sequence[Gone], staging: Path) -> list[Shard]:
    """Return the shards in the order of their series, named as one build names them.

    Every byte that is taken over is held against its digest; InstructgenError where a file is not what the part's
    manifest says.
    """
    rows_per_shard = opened[0].stored.manifest.rows_per_shard
    shards: list[Shard] = []
    series = _list_pieces(opened, gone)
    for split in sorted({split for split, _ in series}):
        placed: list[Shard] = []
        for key in sorted(key for key in series if key[0] == split):
            for run in _join_small(series[key], rows_per_shard):
                placed += _place_run(run, rows_per_shard, staging, f"data/{split}.{len(placed)}")
        for number, shard in enumerate(placed):
            path = f"data/{split}-{number:05d}-of-{len(placed):05d}.parquet"
            (staging / shard.path).rename(staging / path)
            shards.append(replace(shard, path=path))
    return shards


def _list_pieces(opened: Sequence[OpenedPart], gone: Sequence[Gone]) -> dict[Series, list[Piece]]:
    """Return the shards of each series in its order, part after part; none that loses all rows."""
    found: dict[Series, list[Piece]] = {}
    for part, of_part in zip(opened, gone, strict=True):
        starts: dict[Series, int] = {}
        for shard in part.stored.manifest.shards:
            series = shard.split, shard.sample_type
            start = starts.get(series, 0)
            starts[series] = end = start + shard.num_rows
            lost = frozenset(place - start for place in of_part.get(series, ()) if start <= place < end)
            piece = Piece(part.stored, shard, lost)
            if piece.num_rows:
                found.setdefault(series, []).append(piece)
    return found


def _join_small(pieces: Sequence[Piece], rows_per_shard: int) -> Iterator[list[Piece]]:
    """Yield runs of pieces that become one shard: one large piece, or several small ones that follow each other."""
    run: list[Piece] = []
    for piece in pieces:
        is_small = piece.num_rows * _SMALL < rows_per_shard
        has_room = sum(one.num_rows for one in run) + piece.num_rows <= rows_per_shard
        if run and not (is_small and has_room):
            yield run
            run = []
        if is_small:
            run.append(piece)
        else:
            yield [piece]
    if run:
        yield run


def _place_run(run: Sequence[Piece], rows_per_shard: int, staging: Path, name: str) -> list[Shard]:
    """Return what becomes of a run, as files whose names begin with `name`."""
    if len(run) > 1 or run[0].lost:
        return _write_anew(run, rows_per_shard, staging, name)
    _place(run[0].version, run[0].shard, staging / name)
    return [replace(run[0].shard, path=name)]


def _place(version: StoredVersion, shard: Shard, target: Path) -> None:
    """Make `target` a link to the shard, or a copy where there can be none."""
    if isinstance(version, LocalVersion):
        source = version.folder / shard.path
        with told(str(source)), source.open("rb") as file:
            if hash_stream(file) != shard.sha256:
                raise InstructgenError(f"{source} is not the file that was published; build the part again")
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without links
            pass
        else:
            return
    with target.open("wb") as file:
        copy_file(version, shard.path, shard.sha256, file.write)


def _write_anew(run: Sequence[Piece], rows_per_shard: int, staging: Path, name: str) -> list[Shard]:
    """Write the rows that are left; the usual cuts may make several files of them."""
    import pyarrow.parquet as pq

    first, folder = run[0], staging / "left"
    with told(f"{first.version.place}: {first.shard.path}"), first.version.open(first.shard.path) as raw:
        schema = pq.read_schema(raw)
    writer = ShardWriter(folder, schema, rows_per_shard, first.version.manifest.embeds_images)
    for piece in run:
        for row in _read_left(piece):
            writer.write(piece.shard.split, row)
    left: list[Shard] = []
    for number, written in enumerate(writer.finish()):
        path = f"{name}.{number}"
        (folder / written.path).rename(staging / path)
        left.append(replace(written, path=path))
    shutil.rmtree(folder)
    return left


def _read_left(piece: Piece) -> Iterator[Row]:
    import pyarrow.parquet as pq

    shard, place = piece.shard, 0
    with told(f"{piece.version.place}: {shard.path}"), piece.version.open(shard.path) as raw:
        if hash_stream(raw) != shard.sha256:
            raise InstructgenError(
                f"{piece.version.place}: {shard.path} is not the file that was published; build the part again"
            )
        raw.seek(0)
        for batch in pq.ParquetFile(raw, pre_buffer=False).iter_batches(batch_size=_BATCH_ROWS):
            for row in batch.to_pylist():
                if place not in piece.lost:
                    yield row
                place += 1
