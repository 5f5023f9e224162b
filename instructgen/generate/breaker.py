"""Ends a run that cannot succeed while it is still cheap."""

from dataclasses import dataclass

from instructgen.records import Failed, Reply

# What the next request would meet as well: a wrong key, a model that is not there, an empty account.
FATAL_REASONS = frozenset({"unauthorized", "unknown_model", "quota_exhausted"})
# What tells of the server rather than of the one request.
SERVER_REASONS = FATAL_REASONS | {"timeout", "connection", "server_error", "rate_limited", "bad_response"}


@dataclass(slots=True)
class Breaker:
    """Counts a server's failures in a row; one reply starts the count again. `verdict` says why to stop, or is None.

    A request that is refused for itself (HTTP 400) counts for nothing: however many there are, the others go on.
    """

    max_fatal: int = 3
    max_failures: int = 25
    verdict: str | None = None
    _num_fatal: int = 0
    _num_failures: int = 0

    def count(self, reply: Reply | Failed) -> None:
        if isinstance(reply, Reply):
            self._num_fatal = self._num_failures = 0
            return
        if reply.reason not in SERVER_REASONS:
            return
        self._num_failures += 1
        self._num_fatal += reply.reason in FATAL_REASONS
        if self._num_fatal >= self.max_fatal:
            self.verdict = f"the teacher refuses every request ({reply.reason}): {reply.detail}"
        elif self._num_failures >= self.max_failures:
            self.verdict = f"{self._num_failures} requests in a row failed, the last ({reply.reason}): {reply.detail}"
