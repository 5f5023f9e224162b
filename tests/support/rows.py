"""Reads a published version for tests."""

from pathlib import Path
from typing import Any


def read_rows(version: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [row for path in sorted(version.glob("data/*.parquet")) for row in pq.read_table(path).to_pylist()]
