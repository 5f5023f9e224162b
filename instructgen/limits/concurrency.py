"""How many requests may be in flight: a smooth start, less on signs of overload, more as answers come."""

import math
from collections.abc import Callable
from typing import Literal

_DOUBLING_S = 0.04
_WIDE_OPEN = 1024.0
_SHRINK = 0.7
_GROWTH = 0.05
_NEAR_CEILING = 0.1  # of the usual growth, so that a known ceiling is met seldom
_FORGET_ABOVE = 1.1
_FIRST_PAUSE_S = 0.1
_MAX_PAUSE_S = 30.0
_MIN_WINDOW = 100
_MIN_WINDOW_S = 1.0  # shorter ones tell of our own processor
_MAX_SLOWER = 3.0
_NO_HELP = 0.85
_AGEING = 0.02
_STEADY = 0.3
_GAP_S = 30.0

Advice = Literal["fewer", "back"]  # fewer in flight; as many as before, for fewer were no help


class Ramp:
    """Requests that may have gone out since the start: `first` at once, then twice as many every 40 ms.

    It grows with time, so it costs 0.33 s whatever the latency, and a limit is passed by what is sent in one round
    trip. It bounds what was sent rather than what is in flight: a server that answers at once has limits too.
    """

    __slots__ = ("_first", "_num_sent", "_start_s")

    def __init__(self, start_s: float, first: int) -> None:
        self._start_s = start_s
        self._first = first
        self._num_sent = 0

    def is_over(self, now_s: float) -> bool:
        return now_s - self._start_s >= _DOUBLING_S * math.log2(_WIDE_OPEN / self._first)

    def wait_s(self, now_s: float) -> float:
        return self._start_s + _DOUBLING_S * math.log2(max(1.0, (self._num_sent + 1) / self._first)) - now_s

    def take(self) -> None:
        self._num_sent += 1


class Concurrency:
    """Additive increase, multiplicative decrease, as TCP does it.

    `limit` begins at `most`. Signs of requests that were sent before the last decrease are the same event.
    """

    __slots__ = ("_ceiling", "_jitter", "_last_event_s", "_num_in_row", "limit", "most")

    def __init__(self, most: int, jitter: Callable[[], float]) -> None:
        self.most = float(most)
        self.limit = float(most)
        self._ceiling = math.inf  # in flight when the server last had too much
        self._last_event_s = -math.inf
        self._num_in_row = 0
        self._jitter = jitter

    def answered(self, in_flight: int) -> None:
        """Grow by a twentieth (at least one) in a round of answers; faster far below the ceiling, slower near it."""
        self._num_in_row = 0
        if self.limit >= self.most or in_flight + 1 < 0.7 * int(self.limit):
            return  # not used to the full: nothing is learned from the answer
        if self.limit < self._ceiling / 2 < math.inf:
            step = 1.0
        else:
            step = max(1.0, _GROWTH * self.limit) / self.limit
            if self.limit + 1 > self._ceiling:
                step *= _NEAR_CEILING
        self.limit = min(self.most, self.limit + step)
        if self.limit > max(self._ceiling * _FORGET_ABOVE, self._ceiling + 2):
            self._ceiling = math.inf

    def overloaded(self, now_s: float, sent_at_s: float, in_flight: int) -> float | None:
        """Take a sign of overload; `in_flight` is without that request.

        Returns None where it belongs to an event already seen, else the seconds for which nothing should go out.
        """
        if sent_at_s < self._last_event_s:
            return None
        self._last_event_s = now_s
        self._num_in_row += 1
        if self._num_in_row == 1:
            self._ceiling = max(1.0, in_flight)
        self._shrink(in_flight + 1)
        if self._num_in_row == 1:
            return 0.0
        # No answer since the last event: fewer in flight do not help, only waiting does.
        pause_s = self.pause_s(self._num_in_row - 1)
        self._last_event_s = now_s + pause_s
        return pause_s

    def pause_s(self, num_before: int) -> float:
        """Return how long to wait after so many events in a row without an answer between them."""
        longest_s = min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(num_before - 1, 20))
        return longest_s * (0.5 + self._jitter())

    def heed(self, advice: Advice, in_flight: int) -> None:
        """Follow what the latencies advise."""
        if advice == "fewer":
            self._shrink(in_flight)
            self._ceiling = self.limit  # it grows again, but slowly
        else:
            self.limit = min(self.most, self.limit / _SHRINK)
            self._ceiling = math.inf

    def _shrink(self, in_flight: int) -> None:
        self.limit = max(1.0, min(self.limit, in_flight) * _SHRINK)


class Slowness:
    """Watches whether answers take far longer than they did while no more of them come.

    A window's mean latency is the time-integral of requests in flight by the number of answers (Little's law):
    unlike the mean over those answered it is not drawn to the quick ones, and costs two operations for a request.
    """

    __slots__ = (
        "_area",
        "_at_s",
        "_best_per_s",
        "_best_s",
        "_num_done",
        "_num_slow",
        "_shrunk_at_s",
        "_start_in_flight",
        "_start_s",
    )

    def __init__(self) -> None:
        self._at_s = self._start_s = 0.0
        self._area = 0.0
        self._num_done = 0
        self._start_in_flight = 0
        self._best_s = math.inf
        self._best_per_s = 0.0
        self._num_slow = 0
        self._shrunk_at_s = 0.0  # the mean latency that led to the last decrease; 0 if that was no use

    def take(self, now_s: float, in_flight: int) -> None:
        """Count the time since the last call; `in_flight` was true until now."""
        gap_s = now_s - self._at_s
        if gap_s > _GAP_S and gap_s > 300 * self._best_s:
            self._restart(now_s, in_flight)  # a suspended machine, or nothing to do: not the server's doing
        else:
            self._area += gap_s * in_flight
        self._at_s = now_s

    def release(self, now_s: float, in_flight: int) -> Advice | None:
        """Count the end of a request; `in_flight` was true until now. Advice comes at the end of some windows."""
        self.take(now_s, in_flight)
        self._num_done += 1
        if self._num_done < _MIN_WINDOW or self._num_done < 2 * in_flight:
            return None
        passed_s = now_s - self._start_s
        if passed_s < _MIN_WINDOW_S:
            return None
        mean_s = self._area / self._num_done
        per_s = self._num_done / passed_s
        # While it fills or drains, Little's law does not hold.
        is_steady = abs(in_flight - self._start_in_flight) <= _STEADY * max(in_flight, self._start_in_flight)
        self._restart(now_s, in_flight)
        return self._judge(mean_s, per_s) if is_steady else None

    def _judge(self, mean_s: float, per_s: float) -> Advice | None:
        self._num_slow += 1
        if self._num_slow <= 1 and self._shrunk_at_s:
            return None  # partly from before the decrease
        if self._shrunk_at_s and mean_s > _NO_HELP * self._shrunk_at_s:
            self._take_as_best(mean_s, per_s)  # this is how fast the server is now
            return "back"
        if mean_s <= self._best_s:
            self._take_as_best(mean_s, per_s)
        elif mean_s <= _MAX_SLOWER * self._best_s or per_s > 1.1 * self._best_per_s:
            self._take_as_best(self._best_s + _AGEING * (mean_s - self._best_s), self._best_per_s)
        elif self._num_slow > 1:
            # The second in a row: the first holds the change itself, and is no measure of what helps.
            self._shrunk_at_s = mean_s
            self._num_slow = 0
            return "fewer"
        return None

    def _take_as_best(self, mean_s: float, per_s: float) -> None:
        self._best_s, self._best_per_s = mean_s, per_s
        self._shrunk_at_s = 0.0
        self._num_slow = 0

    def _restart(self, now_s: float, in_flight: int) -> None:
        self._start_s = self._at_s = now_s
        self._start_in_flight = in_flight
        self._area = 0.0
        self._num_done = 0
