"""Group commit: writes from the event loop are collected and handed to one thread, a batch at a time."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from instructgen.ledger.journal import Event

_FULL = 64  # events; a batch as large does not wait for more
# From one batch's start to the next: at thousands of writes a second dozens share one synchronisation of the disk,
# and an answer that takes a second to come is kept waiting for a hundredth of it at most (bench/ledger.py).
_LINGER_S = 0.01
_BUSY = 8  # events; after a smaller batch the next does not linger: at the start of a run every millisecond tells

WriteBatch = Callable[[Sequence[Event]], str | None]


_Waiter = asyncio.Future[str | None] | Future[str | None]


class GroupWriter:
    """Writes batches by `write`, which returns what the waiters get: None, or why the run should stop.

    What was submitted is written, whether its waiter is still there or not, and also when its loop has ended. `rest`
    is called, in the same thread, once nothing has come for `rest_after_s`.
    """

    def __init__(self, write: WriteBatch, rest: Callable[[], None], rest_after_s: float) -> None:
        self._write = write
        self._rest = rest
        self._rest_after_s = rest_after_s
        self._rest_error: BaseException | None = None
        self._lock = threading.Lock()
        self._pending: list[tuple[Event, _Waiter]] = []
        self._is_closing = False
        self._begun = threading.Event()
        self._full = threading.Event()
        self._thread = threading.Thread(target=self._write_batches, name="ledger", daemon=True)
        self._thread.start()

    def submit(self, event: Event) -> "asyncio.Future[str | None]":
        """Return what is done once the event is on disk. To be called in an event loop."""
        waiter = asyncio.get_running_loop().create_future()
        self._add(event, waiter)
        return waiter

    def write_all(self, events: Sequence[Event]) -> str | None:
        """Return once the events are on disk, without a loop."""
        waiters: list[Future[str | None]] = [Future() for _ in events]
        for event, waiter in zip(events, waiters, strict=True):
            self._add(event, waiter)
        troubles = [waiter.result() for waiter in waiters]
        return next((trouble for trouble in troubles if trouble is not None), None)

    def close(self) -> None:
        """Write what is pending and end the thread. Ctrl-C meanwhile is raised when that is done."""
        with self._lock:
            self._is_closing = True
        self._full.set()
        self._begun.set()
        interrupt: KeyboardInterrupt | None = None
        while self._thread.is_alive():
            try:
                self._thread.join()
            except KeyboardInterrupt as met:
                interrupt = met
        if interrupt is not None:
            raise interrupt

    def _add(self, event: Event, waiter: _Waiter) -> None:
        with self._lock:
            assert not self._is_closing, "the ledger is closed"
            self._pending.append((event, waiter))
            num_pending = len(self._pending)
        if num_pending == 1:
            self._begun.set()
        elif num_pending == _FULL:
            self._full.set()

    def _write_batches(self) -> None:
        next_start = 0.0
        is_at_rest = True
        while True:
            if not self._begun.wait(None if is_at_rest else self._rest_after_s):
                self._try_rest()
                is_at_rest = True
                continue
            left_s = next_start - time.monotonic()
            if left_s > 0:
                self._full.wait(left_s)
            with self._lock:
                batch, self._pending = self._pending, []
                is_closing = self._is_closing
                if not is_closing:
                    self._begun.clear()
                    self._full.clear()
            if batch:
                next_start = time.monotonic() + (_LINGER_S if len(batch) >= _BUSY else 0.0)
                self._write_batch(batch)
                is_at_rest = False
            elif is_closing:
                return

    def _try_rest(self) -> None:
        try:
            self._rest()
        except BaseException as met:  # noqa: BLE001  nobody waits for it: those of the next batch hear of it
            self._rest_error = met

    def _write_batch(self, batch: list[tuple[Event, _Waiter]]) -> None:
        trouble: str | None = None
        error: BaseException | None = None
        try:
            trouble = self._write([event for event, _ in batch])
        except BaseException as met:  # noqa: BLE001  it belongs to those who wait; the thread serves the next
            error = met
        # The batch itself is on disk then.
        error, self._rest_error = error or self._rest_error, None
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[str | None]]] = {}
        for _, waiter in batch:
            if isinstance(waiter, asyncio.Future):
                by_loop.setdefault(waiter.get_loop(), []).append(waiter)
            elif error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(trouble)
        for loop, waiters in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, waiters, trouble, error)
            except RuntimeError:  # the loop has ended, and who waited with it; the write is done all the same
                continue


def _resolve(waiters: "list[asyncio.Future[str | None]]", trouble: str | None, error: BaseException | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if error is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(trouble)
