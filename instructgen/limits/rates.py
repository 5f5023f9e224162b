"""Spends a known rate evenly: so many requests, or tokens, in a minute."""

REQUESTS_MARGIN = 0.005  # keeps a minute's count, with the burst in it, below the limit however the server counts
TOKENS_MARGIN = 0.01  # they come in lumps, and what is given back comes late
_BURST_S = 0.25
_SLACK = 1e-9


class Pacer:
    """A bucket that holds a quarter of a second's worth, or one request where that is more.

    It may go into debt by one reservation: one that is larger than the bucket goes out when the bucket is full.
    """

    __slots__ = ("_at_s", "_burst", "_largest", "_level", "_margin", "_rate_per_s", "per_minute")

    def __init__(self, per_minute: float, margin: float, now_s: float) -> None:
        self._margin = margin
        self._at_s = now_s
        self._largest = 0.0
        self._level = 0.0
        self.set_rate(per_minute)
        self._level = self._burst

    def set_rate(self, per_minute: float) -> None:
        self.per_minute = per_minute
        self._rate_per_s = per_minute * (1 - self._margin) / 60
        self._burst = max(1.0, per_minute / 60 * _BURST_S)
        self._level = min(self._level, self._burst)

    def wait_s(self, now_s: float, amount: float) -> float:
        """Return the seconds until `amount` may be taken, 0 for now."""
        self._fill(now_s)
        missing = min(amount, self._burst) - self._level
        return missing / self._rate_per_s if missing > _SLACK * self._burst else 0.0

    def take(self, amount: float) -> None:
        self._largest = max(amount, self._largest * 0.99)
        self._level -= amount

    def give_back(self, now_s: float, amount: float) -> None:
        """Return what was reserved and not used; a negative amount is what was used beyond the reservation.

        One reservation above a full bucket is kept: less would lose what a waiting request is about to take.
        """
        self._fill(now_s)
        self._level = min(self._level + amount, max(self._level, self._burst + self._largest))

    def _fill(self, now_s: float) -> None:
        if self._level < self._burst:
            # However far the clock jumped, it fills no more than the bucket.
            self._level = min(self._burst, self._level + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
