"""What a server says of its limits in `x-ratelimit-*` headers."""

import math
import re
from collections.abc import Mapping

from msgspec import Struct

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)ms")
_UNITS_S = (86_400.0, 3_600.0, 60.0, 1.0)
# An answer without any of these says nothing of limits.
QUOTA_HEADERS = tuple(
    f"x-ratelimit-{word}-{kind}" for word in ("limit", "remaining") for kind in ("requests", "tokens")
)
_FIRST_EPOCH_S = 1e9  # a larger number is a date since 1970, in seconds or milliseconds, not a duration
_FIRST_EPOCH_MS = 1e12
_MAX_COUNT = 1e12
_PERIODS_S = (1.0, 10.0, 60.0, 3_600.0, 86_400.0)
_MAX_HOLD_S = 600.0
_HOLD_S = 1.0  # where nothing is left and the server does not say until when


class Quota(Struct, frozen=True):
    """One answer's word on requests or tokens; None where it says nothing usable."""

    limit: float | None
    remaining: float | None
    reset_s: float | None


def read_quota(headers: Mapping[str, str], kind: str, wall_s: float) -> Quota | None:
    """Return what the headers say of `kind` ("requests", "tokens"); None for nothing. `wall_s` is the time of day.

    Values that no honest server sends (negative, NaN, a remainder above the limit) count as not there.
    """
    limit_text = headers.get(f"x-ratelimit-limit-{kind}")
    remaining_text = headers.get(f"x-ratelimit-remaining-{kind}")
    if limit_text is None and remaining_text is None:
        return None
    limit, remaining = _read_count(limit_text), _read_count(remaining_text)
    if limit == 0 or (limit is not None and remaining is not None and remaining > limit):
        return None
    if limit is None and remaining is None:
        return None
    return Quota(limit, remaining, read_reset_s(headers.get(f"x-ratelimit-reset-{kind}"), wall_s))


def read_reset_s(text: str | None, wall_s: float) -> float | None:
    """Return the seconds until a reset written as "1h2m3.5s", "6ms", plain seconds or a unix time."""
    text = (text or "").strip().lower()
    if not text or len(text) > 40:
        return None
    if match := _MILLISECONDS.fullmatch(text):
        return float(match[1]) / 1000
    if match := _DURATION.fullmatch(text):
        return sum(float(part) * unit_s for part, unit_s in zip(match.groups(), _UNITS_S, strict=True) if part)
    value = _read_number(text)
    if value is None:
        return None
    if value >= _FIRST_EPOCH_MS:
        value /= 1000
    if value >= _FIRST_EPOCH_S:
        value = max(0.0, value - wall_s)
    return value if value <= _PERIODS_S[-1] * 31 else None


def _read_number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _read_count(text: str | None) -> float | None:
    value = _read_number(text) if text is not None and len(text) <= 40 else None
    return value if value is not None and value <= _MAX_COUNT else None


class Allowance:
    """How many requests, or tokens, are left at the server, followed between its answers.

    A remainder is as old as the answer that brought it: what was sent meanwhile is not in it. So the count here goes
    down with everything that is sent, and an answer only moves it into the range that the answer leaves possible.
    """

    __slots__ = ("_is_reset_told", "_left", "_limit", "_longest_reset_s", "_reset_at_s", "per_minute")

    def __init__(self) -> None:
        self._limit = math.inf
        self._left = math.inf
        self._reset_at_s: float | None = None
        self._is_reset_told = False
        self._longest_reset_s = 0.0
        self.per_minute: float | None = None

    def read(self, quota: Quota, now_s: float, in_flight: float) -> None:
        """Take an answer's word; `in_flight` is what is under way besides the request that it answers."""
        if quota.limit is not None:
            self._limit = quota.limit
            self.per_minute = quota.limit * 60 / self._find_period_s(quota)
        if quota.remaining is not None:
            least = quota.remaining - in_flight
            self._left = least if math.isinf(self._left) else min(max(self._left, least), quota.remaining)
        if quota.reset_s is not None:
            self._reset_at_s = now_s + min(quota.reset_s, _MAX_HOLD_S)
            self._is_reset_told = True

    def wait_s(self, now_s: float, amount: float) -> float:
        if self._left >= min(amount, self._limit):
            return 0.0
        if self._reset_at_s is None:
            hold_s = min(_HOLD_S, 60 / self.per_minute) if self.per_minute else _HOLD_S
            self._reset_at_s = now_s + hold_s
            self._is_reset_told = False
        if now_s < self._reset_at_s:
            return self._reset_at_s - now_s
        # Where the server never said how much a reset brings, try with one; its answer tells the rest.
        self._left = self._limit if self._is_reset_told and self._limit < math.inf else amount
        self._reset_at_s = None
        return 0.0

    def take(self, amount: float) -> None:
        self._left -= amount

    def give_back(self, amount: float) -> None:
        self._left = min(self._left + amount, self._limit)

    def _find_period_s(self, quota: Quota) -> float:
        """Return the seconds that the limit is for: a minute, unless the resets speak against it.

        A bucket is full again after its used share of the period (OpenAI); a window ends within the period.
        """
        assert quota.limit is not None
        if quota.reset_s is None:
            return 60.0
        self._longest_reset_s = max(self._longest_reset_s, quota.reset_s)
        used = quota.limit - quota.remaining if quota.remaining is not None else 0.0
        if used > 0 and 45 <= quota.reset_s * quota.limit / used <= 75:
            return 60.0
        return next((period_s for period_s in _PERIODS_S if period_s >= self._longest_reset_s), _PERIODS_S[-1])
