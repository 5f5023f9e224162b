"""What an attempt at a request can come to besides an answer."""

# What the next request would meet as well: a wrong key, a model that is not there, an empty account.
FATAL_REASONS = frozenset({"unauthorized", "unknown_model", "quota_exhausted"})
# What tells of the server's load: ask it for less.
OVERLOAD_REASONS = frozenset({"rate_limited", "overloaded", "timeout"})
# What tells of the server rather than of the one request.
SERVER_REASONS = FATAL_REASONS | OVERLOAD_REASONS | {"connection", "server_error", "bad_response"}


class AttemptError(Exception):
    """An attempt that brought no answer. `reason` is a fixed word that is counted, `detail` is for people.

    `retry_after_s` is the server's own wish, if it has one. `may_have_cost` is True where the server may have
    worked on the request, and so may bill it, though no answer arrived: it is counted against the budget.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        is_worth_retry: bool = False,
        retry_after_s: float | None = None,
        may_have_cost: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.is_worth_retry = is_worth_retry
        self.retry_after_s = retry_after_s
        self.may_have_cost = may_have_cost
