"""Tells the first use of each request from the later ones, in memory that does not grow with their number."""

import sqlite3

from instructgen.errors import RunStoppedError
from instructgen.ledger.books import to_key


class FirstUses:
    """The requests that were asked about, in a temporary file of SQLite's own."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("CREATE TABLE used (request_id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def add(self, request_id: str) -> bool:
        """Return True for a request that was not added before."""
        try:
            row = self._connection.execute("INSERT OR IGNORE INTO used VALUES (?)", (to_key(request_id),))
        except sqlite3.Error as error:
            raise RunStoppedError(
                f"the system's folder for temporary files does not take what this run counts ({error}); "
                "free space there and run the same command again"
            ) from None
        return row.rowcount == 1

    def close(self) -> None:
        self._connection.close()
