"""Ctrl-C and SIGTERM while a model trains: the first ends the run after the step, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Listens while it is entered; only a process's first thread can. Outside of steps a signal is an interrupt."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._asked: set[int] = set()
        self._waits_for_step = False
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

    @contextmanager
    def while_stepping(self) -> Iterator[None]:
        """Let a first signal only be noted, for whoever takes the steps to look at."""
        self._waits_for_step = True
        try:
            yield
        finally:
            self._waits_for_step = False

    @property
    def is_asked(self) -> bool:
        return bool(self._asked)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in self._asked or not self._waits_for_step:
            raise KeyboardInterrupt
        if not self._asked:
            self._say("stopping after this step, with a checkpoint; once more stops at once")
        # torchrun answers a terminal's Ctrl-C, which reaches all, with SIGTERM to its processes: still one wish.
        self._asked.add(number)
