"""Which failures of a request are worth another try, and after how long."""

import asyncio
from collections.abc import Callable, Mapping

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_base, wait_random_exponential

MAX_WAIT_S = 60.0
_LOOK_EVERY_S = 0.2  # for the wish to stop, while waiting


class TransientError(Exception):
    """A request that may succeed when it is sent again. `retry_after_s` is the server's own wish, if it has one."""

    def __init__(self, reason: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s


class _WaitAsAsked(wait_base):
    """The server's Retry-After where it gives one, else exponential with full jitter."""

    def __init__(self) -> None:
        self._backoff = wait_random_exponential(multiplier=0.5, max=MAX_WAIT_S)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            return min(error.retry_after_s, MAX_WAIT_S)
        return self._backoff(retry_state)


def make_retrying(max_attempts: int, should_stop: Callable[[], bool]) -> AsyncRetrying:
    """Return the retry policy; the last TransientError comes out where every attempt met one.

    Once `should_stop` says so, a wait ends early and nothing is tried again.
    """

    async def sleep(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not should_stop() and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, _LOOK_EVERY_S))

    def is_over(retry_state: RetryCallState) -> bool:
        return should_stop() or retry_state.attempt_number >= max_attempts

    return AsyncRetrying(
        sleep=sleep,
        stop=is_over,
        wait=_WaitAsAsked(),
        retry=retry_if_exception_type(TransientError),
        reraise=True,
    )


def read_retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3), or None; a date is not worth a clock's trust."""
    for key, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(key, "")) * scale
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
