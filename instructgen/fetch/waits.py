"""How long to wait before a picture is asked for again."""

import math
import time
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

_FIRST_WAIT_S = 0.5
_MAX_WAIT_S = 30.0


def read_retry_after_s(text: str) -> float | None:
    """Return the seconds that a Retry-After asks for, a number or a date; None where it says nothing usable."""
    text = text.strip()
    if not text or len(text) > 60:
        return None
    try:
        value = float(text)
    except ValueError:
        try:
            value = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
        value = max(0.0, value)
    return value if math.isfinite(value) and value >= 0 else None


class Backoff:
    """tenacity's random exponential waits: at most 0.5 s after the first failure, then twice as long each time."""

    def __init__(self) -> None:
        self._wait = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_MAX_WAIT_S)
        self._retrying = AsyncRetrying(wait=self._wait)

    def wait_s(self, num_tries: int) -> float:
        state = RetryCallState(self._retrying, None, (), {})
        state.attempt_number = num_tries
        return self._wait(state)
