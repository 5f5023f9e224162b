"""Calls to a batch API that are worth repeating are repeated, and people are told what goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import Struct
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential
from tenacity.stop import stop_base

from instructgen.attempts import FATAL_REASONS
from instructgen.batch.answers import AnswerBook
from instructgen.batch.files import BatchLimits, BatchState
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.generate.asked import Stop
from instructgen.observe.runlog import RunLog
from instructgen.teachers.openai_batch import ApiError, RemoteBatch

_Made = TypeVar("_Made")


class BatchSettings(Struct, frozen=True):
    """`patience_s` is how long a server that only fails is called again; it is polled after 5 s, then less often.

    `live_rest` asks request by request for what a batch ended without; `delete_remote` removes a collected batch's
    files at the server.
    """

    limits: BatchLimits = BatchLimits()
    live_rest: bool = False
    delete_remote: bool = False
    first_poll_s: float = 5.0
    max_poll_s: float = 60.0
    resubmit_s: float = 60.0
    max_retry_wait_s: float = 60.0
    patience_s: float = 1800.0


@dataclass(slots=True)
class BatchWatch:
    """Waits, unless the run is to end; calls again; tells of a batch when something in it has changed."""

    server: str
    settings: BatchSettings
    stop: Stop
    log: RunLog
    say: Callable[[str], None]
    open: Mapping[str, BatchState]
    _is_stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _told: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stop.on_ask = self._is_stopping.set

    async def pause(self, seconds: float) -> None:
        """Wait. Raises RunStoppedError where the run is to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        self.check_stop()

    def check_stop(self) -> None:
        """Raise what the run is to end with, if it is."""
        error = self.stop.error
        if error is not None:
            raise type(error)(f"{error}{self._describe_out()}")

    async def call(self, what: str, attempt: Callable[[int], Awaitable[_Made]], stop: stop_base) -> _Made:
        """Return what `attempt`, given its number from 0, makes.

        Raises ApiError for a refusal that another call would meet, and where `stop` gives up.
        """
        number = -1

        async def make() -> _Made:
            nonlocal number
            number += 1
            self.check_stop()
            return await attempt(number)

        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self.log.write("batch_call_failed", server=self.server, reason=what, detail=str(error))

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ApiError) and error.is_worth_retry),
            wait=self._find_wait_s,
            stop=stop,
            sleep=self.pause,
            before_sleep=note,
            reraise=True,
        )
        return await retrying(make)

    def explain(self, error: ApiError, what: str) -> InstructgenError:
        """Return what to tell of a call that was given up."""
        told = f"{self.server} did not {what} ({error.reason}: {error.detail}){self._describe_out()}"
        if error.is_worth_retry or error.reason in FATAL_REASONS:
            return RunStoppedError(told)
        return InstructgenError(told)

    def tell_progress(self, state: BatchState, remote: RemoteBatch) -> None:
        """Say how far a batch is, where its status changed or another tenth of it is done."""
        num_done, num_failed = remote.num_done or 0, remote.num_failed or 0
        told = remote.status, (num_done + num_failed) * 10 // max(state.num_requests, 1)
        fields = {"batch": state.batch_id, "status": remote.status, "done": num_done, "failed": num_failed}
        if self._told.get(state.batch_id) == told:
            return
        self._told[state.batch_id] = told
        self.log.write("batch_status", server=self.server, requests=state.num_requests, **fields)
        counts = f"{num_done} of {state.num_requests} answered" + (f", {num_failed} failed" if num_failed else "")
        self.say(f"batch {state.batch_id}: {remote.status}, {counts}")

    def tell_collected(self, state: BatchState, book: AnswerBook) -> None:
        """Say what a batch brought, and what is odd about it."""
        told = [f"{state.num_answered} of {state.num_requests} answered"]
        if book.reasons:
            told.append("not " + ", ".join(f"{reason} {num}" for reason, num in book.reasons.most_common()))
        told += [f"{num} {what}" for what, num in book.odd.items()]
        named = f" (such as {', '.join(book.named)})" if book.named else ""
        self.say(f"batch {state.batch_id} {state.status}: {'; '.join(told)}{named}")
        self.log.write(
            "batch_collected",
            server=self.server,
            batch=state.batch_id,
            status=state.status,
            requests=state.num_requests,
            answered=state.num_answered,
            reasons=dict(book.reasons),
            odd=dict(book.odd),
            named=book.named,
            faults=state.faults,
        )

    def _find_wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wait_s = wait_random_exponential(multiplier=0.5, max=self.settings.max_retry_wait_s)(state)
        wished_s = error.retry_after_s if isinstance(error, ApiError) else None
        return max(wait_s, wished_s or 0.0)

    def _describe_out(self) -> str:
        """Return the end of a message: what goes on without us."""
        out = [state for state in self.open.values() if state.step == "submitted"]
        if not out:
            return ""
        num_requests = sum(state.num_requests for state in out)
        batches = "1 batch" if len(out) == 1 else f"{len(out)} batches"
        return f"; {batches} with {num_requests} requests go on at the server: run the same command again to collect"
