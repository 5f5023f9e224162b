"""Which rows of a table are to be asked for, and the committing of what became of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from instructgen.fetch.folder import FetchFolder
from instructgen.fetch.options import Retry
from instructgen.fetch.store import Known, Result
from instructgen.fetch.tables import BadRow, TableRow, make_key
from instructgen.observe.runlog import utc_now


class Sorted(Struct, frozen=True):
    """Some rows of the table, sorted. `num_settled` need nothing; `num_there` of them have their picture."""

    wanted: list[TableRow]
    rejected: list[Result]
    num_settled: int
    num_there: int


class Sorter:
    """Used by one thread alone. It knows the rows under way, so that a picture is asked for once."""

    def __init__(self, folder: FetchFolder, retry: frozenset[Retry]) -> None:
        self._folder = folder
        self._retry = retry
        self._urls_under_way: dict[str, str] = {}

    def sort(self, rows: Sequence[TableRow | BadRow]) -> Sorted:
        known = self._folder.store.find([row.key for row in rows])
        wanted: list[TableRow] = []
        rejected: list[Result] = []
        num_there = 0
        for row in rows:
            if isinstance(row, BadRow):
                rejected.append(_reject(row, row.key, row.reason, row.detail))
                continue
            found = known.get(row.key)
            is_there = found is not None and found.status == "there"
            is_lost = found is not None and is_there and not self._folder.holds(found.path, found.num_bytes)
            taken_by = self._urls_under_way.get(row.key) or (found.url if found and is_there and not is_lost else "")
            if taken_by and taken_by != row.url:
                key = f"bad-{make_key(f'{row.key} {row.url}')}"
                rejected.append(_reject(row, key, "id_taken", f"{row.key} is that of {taken_by}"))
            elif row.key in self._urls_under_way or not (is_lost or self._is_wanted(row, found)):
                num_there += is_there
            else:
                self._urls_under_way[row.key] = row.url
                wanted.append(row)
        return Sorted(wanted, rejected, len(rows) - len(wanted) - len(rejected), num_there)

    def _is_wanted(self, row: TableRow, found: Known | None) -> bool:
        if found is None or found.status == "rejected":
            return True
        return found.status != "there" and (found.status in self._retry or found.url != row.url)

    def commit(self, group: Iterable[tuple[Result, Path | None]]) -> None:
        """Store results, then let their pictures appear: what is there is known, whatever happens between."""
        group = list(group)
        self._folder.store.put(result for result, _ in group)
        for result, file in group:
            if file is not None:
                self._folder.place(file, result.path)
            self._urls_under_way.pop(result.key, None)


def _reject(row: TableRow | BadRow, key: str, reason: str, detail: str) -> Result:
    return Result(
        position=row.number,
        key=key,
        url=row.url,
        caption=row.caption,
        status="rejected",
        reason=reason,
        detail=detail,
        fetched_at=utc_now(),
    )
