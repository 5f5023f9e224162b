"""Ctrl-C and SIGTERM while a model trains: the first ends the run after the step, the second at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Listens while it is entered; only a process's first thread can."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._asked: set[int] = set()
        self._say = say
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def is_asked(self) -> bool:
        return bool(self._asked)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in self._asked:
            raise KeyboardInterrupt
        if not self._asked:
            self._say("stopping after this step, with a checkpoint; once more stops at once")
        # torchrun answers a terminal's Ctrl-C, which reaches all, with SIGTERM to its processes: still one wish.
        self._asked.add(number)
