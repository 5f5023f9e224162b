"""What is in the journal and not in SQLite yet: while much is written, SQLite takes several groups at once."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from instructgen.ledger.books import Books, Effect
from instructgen.ledger.journal import Event

# A mark and its reply that meet in here never become rows, and an index page is written once for many of them.
# An opening takes 2,000 events from the journal in some tens of milliseconds.
_MAX_EVENTS = 2000
_FEW = 8  # events in a group; where there is time, SQLite is never behind
MAX_WAIT_S = 0.25


@dataclass(slots=True)
class Backlog:
    """Replies, failures and notes are found in here until SQLite has them."""

    effect: Effect = field(default_factory=Effect)
    _num_events: int = 0
    _since_s: float = 0.0

    def add(self, books: Books, events: Sequence[Event]) -> bool:
        """Count what is on disk now; return whether it is time to bring it into SQLite."""
        now_s = time.monotonic()
        if not self._num_events:
            self._since_s = now_s
        self.effect = books.apply(events, self.effect)
        self._num_events += len(events)
        is_long = self._num_events >= _MAX_EVENTS or now_s - self._since_s >= MAX_WAIT_S
        return is_long or len(events) < _FEW

    @property
    def is_empty(self) -> bool:
        return not self._num_events

    def find_reply(self, key: bytes) -> bytes | None:
        found = self.effect.replies.get(key)
        return None if found is None else found[0]

    def find_failure(self, key: bytes) -> bytes | None:
        found = self.effect.failures.get(key)
        return None if found is None else found[0]
