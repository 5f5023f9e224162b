"""Remembers which rows pass the filters that take longest, so that pages, orders and neighbours look once."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from instructgen.viewer.asked import Asked

if TYPE_CHECKING:
    import duckdb

_KEPT = 48  # lists; one of 158,000 rows takes 0.6 MB


class FoundRows:
    """A table of positions for each list that was asked for lately. Several threads may ask."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection
        self._names: OrderedDict[Asked, str] = OrderedDict()
        self._num_made = 0
        self._lock = threading.Lock()

    def find(self, key: Asked, condition: str, values: list[Any]) -> str:
        """Return the name of the table for a list, made where it is not there."""
        with self._lock:
            name = self._names.get(key)
            if name is not None:
                self._names.move_to_end(key)
                return name
            self._num_made += 1
            name = f"found_{self._num_made}"
            with self._connection.cursor() as cursor:
                cursor.execute(f"CREATE TABLE {name} AS SELECT pos FROM shown WHERE {condition}", values)  # noqa: S608
                self._names[key] = name
                if len(self._names) > _KEPT:
                    cursor.execute(f"DROP TABLE {self._names.popitem(last=False)[1]}")
            return name
