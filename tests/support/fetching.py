"""Fetches small tables in this process, and reads what became of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructgen.fetch.images import fetch_images
from instructgen.fetch.index import Report
from instructgen.fetch.options import FetchOptions, Limits, Politeness
from instructgen.fetch.store import Result
from instructgen.fetch.tables import Columns

LOCAL = Limits(allows_private=True, total_timeout_s=20)
QUICK = Politeness(max_tries=2)


class Silent:
    """Implements FetchWatch."""

    def rows(self, num_rows: int, num_there: int) -> None: ...

    def settled(self, result: Result) -> None: ...

    def bytes(self, num_bytes: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """The folder, the run's report and its index: key -> row."""

    out: Path
    report: Report
    rows: dict[str, dict[str, Any]]

    def reason(self, key: str) -> str:
        found: str = self.rows[key]["reason"]
        return found

    def picture(self, key: str) -> bytes:
        return (self.out / self.rows[key]["path"]).read_bytes()


def write_table(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write JSON lines."""
    import msgspec

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows) + b"\n")
    return path


def fetch(out: Path, urls: Mapping[str, str], options: FetchOptions | None = None, **more: str) -> Fetched:
    """Fetch key -> address; `more` are columns of every row."""
    table = write_table(
        out.parent / f"{out.name}.jsonl", ({"id": key, "url": url, **more} for key, url in urls.items())
    )
    report = fetch_images(table, out, Columns(), options or FetchOptions(QUICK, LOCAL), Silent())
    return Fetched(out, report, read_index(out))


def read_index(out: Path) -> dict[str, dict[str, Any]]:
    import pyarrow.parquet as pq

    return {row["key"]: row for row in pq.read_table(out / "index.parquet").to_pylist()}
