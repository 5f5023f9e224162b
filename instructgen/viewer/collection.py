"""What one viewer shows: a version, or two of them side by side, with their indexes open."""

# ruff: noqa: S608 - what is put into a query here are names of ours and numbers; values have places of their own

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.columns import Row
from instructgen.dataset.stored import StoredVersion
from instructgen.pages.figures import find_media_type
from instructgen.viewer.changes import find_changes
from instructgen.viewer.evidence import Evidence
from instructgen.viewer.rows import VersionRows
from instructgen.viewer.search import Hit, Searcher

if TYPE_CHECKING:
    import duckdb

_SMALL = (
    "pos, outcome, sample_id, image_id, sample_type, review, split, stage, reason, doubt, num_words, num_turns, "
    "cost_usd"
)


@dataclass(frozen=True)
class Collection:
    """`rows` are of the versions that are shown, the newer one last; `old_places` finds a sample in the older one."""

    rows: tuple[VersionRows, ...]
    searcher: Searcher
    evidence: Evidence
    connection: "duckdb.DuckDBPyConnection"

    @property
    def version(self) -> StoredVersion:
        return self.rows[-1].version

    @property
    def older(self) -> StoredVersion | None:
        return self.rows[0].version if len(self.rows) == 2 else None

    def rows_of(self, hit: Hit) -> VersionRows:
        return self.rows[-1 if hit.side else 0]

    def read(self, hit: Hit) -> Row | None:
        """Return the row of a sample; None for a unit that was not published."""
        return self.rows_of(hit).read(hit.place) if hit.outcome == "accepted" else None

    def read_rejected(self, hit: Hit) -> str | None:
        return self._one(f"SELECT line FROM {'n' if hit.side else 'o'}.rejected WHERE pos = ?", hit.place)

    def read_old(self, hit: Hit) -> Row | None:
        """Return the same sample of the older version; None where it is not there, or there is none."""
        if self.older is None or not hit.side or hit.what in ("", "added"):
            return None
        known = "SELECT old_pos FROM changes WHERE side = 1 AND pos = ? AND old_pos IS NOT NULL"
        place = self._one(known, hit.pos)
        if place is None:
            by_name = "SELECT pos FROM o.rows WHERE sample_id = ? AND outcome = 'accepted' LIMIT 1"
            place = self._one(by_name, hit.sample_id)
        return None if place is None else self.rows[0].read(int(place))

    def picture(self, hit: Hit, number: int) -> bytes | None:
        """Return a picture of a sample; of a rejected unit that of its image, as a row or the source has it."""
        if hit.outcome == "accepted":
            return self.rows_of(hit).picture(hit.place, number)
        other = self._find_other_rows([hit.image_id]).get(hit.image_id)
        if other is not None:
            return self.rows[-1 if other[0] else 0].picture(other[1], -1)
        record = self.evidence.find(hit.image_id)
        return None if record is None else self.rows_of(hit).picture_of(record.image_id, record.file_name)

    def find_pictured(self, hits: Sequence[Hit]) -> frozenset[int]:
        """Return the positions of hits whose last picture a browser shows; of stored ones a few bytes are read."""
        others = self._find_other_rows([hit.image_id for hit in hits if hit.outcome != "accepted"])
        return frozenset(hit.pos for hit in hits if self._is_pictured(hit, others))

    def _is_pictured(self, hit: Hit, others: dict[str, tuple[int, int]]) -> bool:
        if hit.outcome == "accepted":
            return self.rows_of(hit).has_picture(hit.place, -1)
        if hit.image_id in others:
            side, place = others[hit.image_id]
            return self.rows[-1 if side else 0].has_picture(place, -1)
        picture = self.picture(hit, 0) if self.evidence.is_there else None
        return picture is not None and find_media_type(picture) is not None

    def _find_other_rows(self, image_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return a published row (side, place) of each image that has one."""
        if not image_ids:
            return {}
        query = (
            "SELECT image_id, first(side), min(place) FROM shown WHERE outcome = 'accepted' AND side = 1 "
            "AND image_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY image_id"
        )
        with self.connection.cursor() as cursor:
            found = cursor.execute(query, [[name for name in image_ids if name]]).fetchall()
        return {image_id: (side, place) for image_id, side, place in found}

    def count_changes(self) -> dict[str, int]:
        """Return how many samples are added, removed, changed and unchanged; nothing for one version."""
        if self.older is None:
            return {}
        with self.connection.cursor() as cursor:
            return dict(cursor.execute("SELECT what, count(*) FROM shown WHERE what <> '' GROUP BY what").fetchall())

    def _one(self, query: str, value: object) -> "str | None":
        with self.connection.cursor() as cursor:
            found = cursor.execute(query, [value]).fetchone()
        return None if found is None else found[0]


def open_collection(rows: Sequence[VersionRows], indexes: Sequence[Path], evidence: Path | None) -> Collection:
    """Open the indexes of one version, or of two, the older one first."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")  # it would be drawn on the terminal
    names = ("n",) if len(indexes) == 1 else ("o", "n")
    for name, path in zip(names, indexes, strict=True):
        _attach(connection, name, path)
    if evidence is not None:
        _attach(connection, "e", evidence)
        for table in ("images", "boxed"):
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM e.{table}")
    connection.execute("CREATE VIEW facts AS SELECT * FROM n.facts")
    if len(rows) == 1:
        connection.execute(
            "CREATE VIEW shown AS SELECT *, 1 AS side, pos AS place, '' AS what, '' AS fields FROM n.rows"
        )
        searcher_sides = [("n", 0)]
    else:
        searcher_sides = _join(connection, rows)
    _lock(connection)
    searcher = Searcher(connection, searcher_sides, has_boxes=evidence is not None)
    return Collection(tuple(rows), searcher, Evidence(connection if evidence is not None else None), connection)


def _attach(connection: "duckdb.DuckDBPyConnection", name: str, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")


def _lock(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let no query read or write any other file, whatever it says."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _join(connection: "duckdb.DuckDBPyConnection", rows: Sequence[VersionRows]) -> list[tuple[str, int]]:
    """Make one list of both versions: the newer one's rows, then what it lacks. Return where those of each begin."""
    import pyarrow as pa

    connection.register("found", pa.table(find_changes(rows[0], rows[1])))
    connection.execute("CREATE TABLE changes AS SELECT * FROM found")
    connection.unregister("found")
    (first,) = connection.execute("SELECT coalesce(max(pos) + 1, 0) FROM n.rows").fetchone() or (0,)
    old_scores, new_scores = (
        json.loads((connection.execute(f"SELECT fact FROM {name}.facts").fetchone() or ("{}",))[0])["scores"]
        for name in ("o", "n")
    )
    new = "".join(f", s{place}" for place in range(len(new_scores)))
    old = "".join(
        f", s{old_scores.index(name)} AS s{place}" if name in old_scores else f", NULL::DOUBLE AS s{place}"
        for place, name in enumerate(new_scores)
    )
    connection.execute(
        f"""
        CREATE TABLE shown AS
        SELECT {_SMALL}{new}, 1 AS side, pos AS place,
            CASE WHEN outcome = 'accepted' THEN coalesce(what, 'unchanged') ELSE '' END AS what,
            coalesce(fields, '') AS fields
        FROM n.rows LEFT JOIN (SELECT pos, what, fields FROM changes WHERE side = 1) USING (pos)
        UNION ALL
        SELECT {_SMALL.replace("pos", f"pos + {int(first)} AS pos", 1)}{old}, 0, pos, 'removed', ''
        FROM o.rows SEMI JOIN (SELECT pos FROM changes WHERE side = 0) USING (pos)
        """
    )
    return [("n", 0), ("o", int(first))]
