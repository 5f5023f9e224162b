"""Which failed attempts are worth another one, and after how long."""

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_random_exponential

from instructgen.attempts import OVERLOAD_REASONS, AttemptError

MAX_WAIT_S = 60.0
_FIRST_WAIT_S = 0.5


class RetryPolicy:
    """tenacity's policy, asked after a failure: an attempt that succeeds costs nothing.

    An attempt that the server turned away before working on it (a rate limit, no connection) does not count
    against `max_attempts`: it says nothing of the request. How long such a server is waited for is the pool's
    to say (instructgen.generate.pool).
    """

    def __init__(self, max_attempts: int) -> None:
        self._stop = stop_after_attempt(max_attempts)
        self._wait = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=MAX_WAIT_S)
        self._retrying = AsyncRetrying(stop=self._stop, wait=self._wait)

    def wait_s(self, error: AttemptError, num_counted: int, num_tries: int) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up.

        `num_counted` is the number of attempts that count, this one included; `num_tries` is that of all.
        """
        if not error.is_worth_retry:
            return None
        counted = self._state(num_counted)
        if counts(error) and self._stop(counted):
            return None
        if error.retry_after_s is not None and error.reason in OVERLOAD_REASONS:
            return 0.0  # the gate of that server waits for as long as it asked; another server need not
        return max(self._wait(self._state(num_tries)), min(error.retry_after_s or 0.0, MAX_WAIT_S))

    def _state(self, attempt_number: int) -> RetryCallState:
        state = RetryCallState(self._retrying, None, (), {})
        state.attempt_number = attempt_number
        return state


def counts(error: AttemptError) -> bool:
    """Return whether the failure may be the request's own doing."""
    if error.reason in ("rate_limited", "overloaded"):
        return False
    return error.may_have_cost or error.reason != "connection"
