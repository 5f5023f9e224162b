"""Lets a failing server rest, and gives one up that cannot succeed while it is still cheap."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from instructgen.attempts import FATAL_REASONS, SERVER_REASONS, AttemptError

_FIRST_REST_S = 0.5
_MAX_REST_S = 30.0
# How long a server may bring nothing but failures: short for one that has never answered, whose address may be wrong.
_PATIENCE_NEW_S = 15.0
_PATIENCE_S = 300.0
_PATIENCE_LIMITED_S = 1800.0
_LOAD_REASONS = ("rate_limited", "overloaded")  # the server works; its gate waits for as long as it takes


@dataclass(slots=True)
class Breaker:
    """One server's health. `verdict` says why nothing more is asked of it, or is None.

    After some failures in a row it rests, and one request is let through at the end of each rest. A request
    that is refused for itself (HTTP 400) counts for nothing: however many there are, the others go on.
    """

    now: Callable[[], float]
    log: Callable[..., None] = lambda _event, **_fields: None
    max_fatal: int = 3
    max_failures: int = 10
    verdict: str | None = None
    is_resting: bool = False
    _num_fatal: int = 0
    _num_failures: int = 0
    _has_answered: bool = False
    _failing_since: float | None = None
    _longest_patience_s: float = 0.0
    _rest_s: float = _FIRST_REST_S
    _until: float = 0.0
    _is_probing: bool = False

    @property
    def is_refusing(self) -> bool:
        """Whether its last word was that it takes nothing at all."""
        return self._num_fatal > 0

    @property
    def is_well(self) -> bool:
        """Whether it has no reason to wait."""
        return self.verdict is None and not self.is_resting

    def wait_s(self) -> float:
        """Return 0.0 where a request may go out, else the seconds until one may; inf: after a release, or never."""
        if self.verdict is not None or (self.is_resting and self._is_probing):
            return math.inf
        return max(0.0, self._until - self.now()) if self.is_resting else 0.0

    def take(self) -> None:
        self._is_probing = self.is_resting

    def untake(self) -> None:
        """Take back a request that was not sent after all."""
        self._is_probing = False

    def count(self, error: AttemptError | None) -> None:
        """Take in how an attempt ended; None is an answer."""
        if error is None or error.reason not in SERVER_REASONS:
            # Also a refusal of one request shows a server that works.
            if self._has_answered and self._failing_since is None and not self.is_resting:
                return
            self._has_answered = True
            self._num_fatal = self._num_failures = 0
            self._failing_since, self._longest_patience_s = None, 0.0
            self.is_resting = self._is_probing = False
            self._rest_s = _FIRST_REST_S
            return
        now = self.now()
        if self._failing_since is None:
            self._failing_since = now
        # The reason that is waited for longest decides: one refused connection among many 503 ends nothing.
        self._longest_patience_s = max(self._longest_patience_s, self._patience_s(error.reason))
        self._num_fatal += error.reason in FATAL_REASONS
        if self._num_fatal >= self.max_fatal:
            self._give_up(f"refuses every request ({error.reason}): {error.detail}")
        elif now - self._failing_since >= self._longest_patience_s:
            seconds = now - self._failing_since
            self._give_up(
                f"has answered nothing for {seconds:.0f} s, the last failure ({error.reason}): {error.detail}"
            )
        elif error.reason in _LOAD_REASONS:
            self.is_resting = self._is_probing = False  # it is there again, and says itself when it wants more
        else:
            self._rest(now, error)

    def _give_up(self, why: str) -> None:
        if self.verdict is None:
            self.verdict = why
            self.log("server_given_up", reason=why)

    def _patience_s(self, reason: str) -> float:
        if reason == "rate_limited":
            return _PATIENCE_LIMITED_S
        is_known = self._has_answered or reason == "overloaded"  # as while it loads its model
        return _PATIENCE_S if is_known else _PATIENCE_NEW_S

    def _rest(self, now: float, error: AttemptError) -> None:
        self._num_failures += 1
        if self.is_resting and self._is_probing:
            self._rest_s = min(2 * self._rest_s, _MAX_REST_S)
        elif self.is_resting or self._num_failures < self.max_failures:
            return
        self.is_resting, self._is_probing = True, False
        self._until = now + self._rest_s
        self.log("resting", reason=error.reason, seconds=self._rest_s, detail=error.detail)
