"""What a run says of itself in files: <out>/run/log.jsonl while it goes on, <out>/run/run.json when it ends."""

import asyncio
import json
import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, to_builtins

from instructgen.config import BuildConfig
from instructgen.errors import AnswersCollapsedError, BudgetSpentError, RunStoppedError
from instructgen.secrets import redact, strip_url

MAX_LOG_BYTES = 20_000_000  # then it becomes log.1.jsonl, so a run keeps twice this much at most
_MAX_LINES_PER_MINUTE = 50  # of one event with one reason: a storm of refusals must not fill the disk
_THROTTLE_S = 60.0
_MAX_TEXT_CHARS = 2_000
_PACKAGES = ("instructgen", "openai", "aiohttp", "msgspec", "tenacity", "pyarrow")

RunExit = Literal["done", "stopped", "budget", "collapsed", "error"]


def utc_now() -> str:
    """Return the time as RFC 3339 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class _Throttle:
    """Lines of one event in the minute that began at `since_s`, and those that were left out of it."""

    since_s: float
    num_written: int = 0
    num_suppressed: int = 0


class RunLog:
    """Appends one JSON object per line. No secret gets into it, and no trouble with the file stops a run.

    `say` is told once, in words for people, that lines are lost. Not for use by several threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_enabled: bool = True,
        say: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
        max_bytes: int = MAX_LOG_BYTES,
    ) -> None:
        self.path = path
        self.num_written = 0
        self.num_suppressed = 0
        self.num_dropped = 0
        self._is_enabled = is_enabled
        self._say = say
        self._now = now
        self._max_bytes = max_bytes
        self._started_s = now()
        self._throttles: dict[tuple[str, str], _Throttle] = {}
        self._file: int | None = None
        self._num_bytes = 0
        self._is_torn = False

    def write(self, event: str, **fields: object) -> None:
        """Append a line with the event, the time and the fields, unless the event came too often this minute."""
        if not self._is_enabled:
            return
        key, now_s = (event, str(fields.get("reason", ""))), self._now()
        throttle = self._throttles.get(key)
        if throttle is None or now_s - throttle.since_s >= _THROTTLE_S:
            if throttle is not None:
                self._tell_suppressed(key, throttle)
            throttle = self._throttles[key] = _Throttle(now_s)
        if throttle.num_written >= _MAX_LINES_PER_MINUTE:
            throttle.num_suppressed += 1
            self.num_suppressed += 1
            return
        throttle.num_written += 1
        self._append(event, fields)

    def summary(self) -> dict[str, int]:
        """Return how many lines were written, left out for coming too often, and lost to the disk."""
        return {"written": self.num_written, "suppressed": self.num_suppressed, "dropped": self.num_dropped}

    def tell_suppressed(self) -> None:
        """Write down what was left out until now."""
        for key, throttle in self._throttles.items():
            self._tell_suppressed(key, throttle)
        self._throttles.clear()

    def close(self) -> None:
        """Write down what was left out, and give the file back."""
        self.tell_suppressed()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _tell_suppressed(self, key: tuple[str, str], throttle: _Throttle) -> None:
        if throttle.num_suppressed:
            event, reason = key
            self._append("suppressed", {"of": event, "reason": reason, "suppressed": throttle.num_suppressed})

    def _append(self, event: str, fields: dict[str, object]) -> None:
        facts = {"time": utc_now(), "t_s": round(self._now() - self._started_s, 3), "event": event}
        line = json.dumps({**facts, **clean(fields), **facts}, allow_nan=False).encode("ascii") + b"\n"
        try:
            self._put(line)
        except OSError as error:
            self.num_dropped += 1
            if self.num_dropped == 1:
                self._say(f"{self.path} cannot be written ({error}); the run goes on, its log has gaps")
        else:
            self.num_written += 1

    def _put(self, line: bytes) -> None:
        if self._file is None:
            self._open()
        if self._num_bytes and self._num_bytes + len(line) > self._max_bytes:
            self._rotate()
        assert self._file is not None
        whole = b"\n" + line if self._is_torn else line
        num_put = os.write(self._file, whole)
        self._num_bytes += num_put
        self._is_torn = num_put < len(whole)
        if self._is_torn:
            raise OSError(f"only {num_put} of {len(whole)} bytes fitted")

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._num_bytes = os.fstat(self._file).st_size
        if self._num_bytes:  # a run that was killed may have left half a line
            self._is_torn = os.pread(self._file, 1, self._num_bytes - 1) != b"\n"

    def _rotate(self) -> None:
        assert self._file is not None
        self.path.replace(self.path.with_suffix(".1" + self.path.suffix))
        os.close(self._file)
        self._file, self._is_torn = None, False
        self._open()


class RunSummary(Struct, frozen=True):
    """What run.json says of the last run. Times are RFC 3339; `log` is RunLog.summary, `stats` RunStats.summary."""

    started_at: str
    ended_at: str
    exit: RunExit
    message: str
    versions: dict[str, str]
    settings: dict[str, Any]
    stats: dict[str, Any]
    log: dict[str, int]


def exit_word(error: BaseException | None) -> RunExit:
    """Return how a run ended that raised this, or nothing."""
    if error is None:
        return "done"
    if isinstance(error, BudgetSpentError):
        return "budget"
    if isinstance(error, AnswersCollapsedError):
        return "collapsed"
    if isinstance(error, (RunStoppedError, KeyboardInterrupt, asyncio.CancelledError)):
        return "stopped"
    return "error"


def read_versions() -> dict[str, str]:
    """Return the versions of Python, the system, instructgen and what sends its requests."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # instructgen itself, where it runs from a checkout
            continue
    return found


def describe_settings(config: BuildConfig) -> dict[str, Any]:
    """Return a build's settings as JSON's types; addresses lose their user, password and query."""
    found = _strip_addresses(to_builtins(config))
    assert isinstance(found, dict)
    return found


def write_run_json(path: Path, summary: RunSummary, say: Callable[[str], None]) -> None:
    """Replace run.json by one rename. A disk that is full is said, not raised: the run's own end matters more."""
    text = json.dumps(clean(to_builtins(summary)), indent=2, allow_nan=False) + "\n"
    staged = path.with_name(path.name + ".new")
    try:
        with staged.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        say(f"{path} cannot be written ({error})")


def clean(value: object) -> Any:
    """Return the value as JSON's types, every text redacted and then cut to 2,000 characters."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {clean(str(key)): clean(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(part) for part in value]
    return redact(str(value))[:_MAX_TEXT_CHARS]


def _strip_addresses(value: object) -> object:
    match value:
        case dict():
            return {
                key: strip_url(part) if key == "base_url" and isinstance(part, str) else _strip_addresses(part)
                for key, part in value.items()
            }
        case list() | tuple():
            return [_strip_addresses(part) for part in value]
    return value
