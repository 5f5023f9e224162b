"""Fetches the pictures of a table. What was killed goes on with the same command."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Protocol

from instructgen.errors import RunStoppedError
from instructgen.fetch.addresses import parse_url
from instructgen.fetch.ask import Came, Moved
from instructgen.fetch.folder import FetchFolder
from instructgen.fetch.hosts import MAX_REFUSALS, Host, Hosts, Job
from instructgen.fetch.options import FetchOptions
from instructgen.fetch.partials import Partial
from instructgen.fetch.pictures import Kept, Wanted, judge_head, keep_picture
from instructgen.fetch.reasons import TRANSIENT, Missed
from instructgen.fetch.session import make_asker, make_session
from instructgen.fetch.signals import listen_to_signals
from instructgen.fetch.sorting import Sorter
from instructgen.fetch.store import Result
from instructgen.fetch.tables import BadRow, TableRow
from instructgen.fetch.waits import Backoff
from instructgen.observe.runlog import utc_now

_ROWS_AT_ONCE = 256
_MAX_OPEN_ROWS = 8192  # read from the table and not yet settled; bounds the memory
_MAX_COMMIT = 256


class FetchWatch(Protocol):
    """Is told how a run goes."""

    def rows(self, num_rows: int, num_there: int) -> None:
        """Rows were settled without asking; so many of them are there already."""

    def settled(self, result: Result) -> None: ...

    def bytes(self, num_bytes: int) -> None: ...


class Fetcher:
    """One run over one table."""

    def __init__(self, folder: FetchFolder, options: FetchOptions, watch: FetchWatch) -> None:
        self.folder = folder
        self.options = options
        self.watch = watch
        self.num_asked = 0
        self._hosts = Hosts(options.politeness, lambda: asyncio.get_running_loop().time())
        self._backoff = Backoff()
        self._num_open = 0
        self._num_running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._results: asyncio.Queue[tuple[Result, Path | None] | None] = asyncio.Queue()
        self._error: BaseException | None = None
        self._is_stopped = False
        # One thread for the state, so that its uses never meet; others for hashing and decoding.
        self._state_thread = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._picture_threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="picture")

    async def run(self, table: Iterator[TableRow | BadRow]) -> None:
        """Settle every row. Raises RunStoppedError on a signal or a full disk; what is there stays."""
        self._listen_to_signals()
        sorter = Sorter(self.folder, self.options.retry)
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            stack.callback(self._state_thread.shutdown)
            stack.callback(self._picture_threads.shutdown)
            session = await stack.enter_async_context(make_session(self.options.politeness, self.options.limits))
            self._asker = make_asker(
                session, self.options.politeness, self.options.limits, judge_head, self.watch.bytes
            )
            recorder = loop.create_task(self._record(sorter))
            try:
                await self._read(table, sorter)
                while self._num_open and not self._is_ending:
                    await self._sleep()
            finally:
                await self._end(recorder)
        if self._error is not None:
            raise self._error
        if self._is_stopped:
            raise RunStoppedError("stopped; the same command goes on from here")

    @property
    def _is_ending(self) -> bool:
        return self._is_stopped or self._error is not None

    async def _read(self, table: Iterator[TableRow | BadRow], sorter: Sorter) -> None:
        """Let rows in as others are settled."""
        loop = asyncio.get_running_loop()
        while not self._is_ending:
            while self._num_open > _MAX_OPEN_ROWS and not self._is_ending:
                await self._sleep()
            rows = await loop.run_in_executor(self._state_thread, lambda: list(islice(table, _ROWS_AT_ONCE)))
            if not rows:
                return
            found = await loop.run_in_executor(self._state_thread, sorter.sort, rows)
            self.watch.rows(found.num_settled, found.num_there)
            self._num_open += len(found.rejected) + len(found.wanted)
            for result in found.rejected:
                self._results.put_nowait((result, None))
            for row in found.wanted:
                url = parse_url(row.url)
                assert not isinstance(url, Missed), "the table's reader has checked it"
                self._hosts.add(Job(row, url))
            self._pump()

    async def _sleep(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    def _pump(self) -> None:
        """Send what may go out now, and wake up when more may."""
        loop = asyncio.get_running_loop()
        while self._num_running < self.options.politeness.concurrency and not self._is_ending:
            found = self._hosts.pop()
            if found is None:
                break
            host, job = found
            if host.down is not None:
                self._settle(job, host.down)
                continue
            self._num_running += 1
            task = loop.create_task(self._work(host, job))
            self._tasks.add(task)
            task.add_done_callback(self._worked)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait_s = self._hosts.wait_s()
        if wait_s < float("inf"):
            self._timer = loop.call_later(wait_s, self._pump)

    def _worked(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._num_running -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
        self._pump()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._wake.set()

    async def _work(self, host: Host, job: Job) -> None:
        """Ask once, and settle the row or send it on its way again."""
        loop = asyncio.get_running_loop()
        partial = Partial(self.folder.partial, job.row.key, job.row.url)
        began_s = loop.time()
        missed: Missed | None = None
        is_whole = partial.is_whole
        try:
            outcome = await self._asker.ask(job.url, partial)
            missed = outcome if isinstance(outcome, Missed) else None
            self.num_asked += not is_whole and (missed is None or missed.reason != "private_address")
        finally:
            self._hosts.release(host, missed, loop.time() - began_s)
        if isinstance(outcome, Moved):
            self._move(job, outcome, partial)
            return
        kept = await self._keep(job, partial, outcome) if isinstance(outcome, Came) else outcome
        if isinstance(kept, Missed):
            if self._is_tried_again(job, kept):
                return
            self._hosts.judge(host, job, kept)
            if kept.reason not in TRANSIENT:
                partial.discard()
            self._settle(job, kept)
            return
        self._hosts.judge(host, job, None)
        assert isinstance(outcome, Came)
        partial.discard()
        self._settle(job, kept, outcome)

    async def _keep(self, job: Job, partial: Partial, came: Came) -> Kept | Missed:
        row, options = job.row, self.options
        wanted = Wanted(row.sha256, row.md5, options.limits.max_pixels, options.resize_max_side)
        is_of_known_size = partial.origin.total_bytes >= 0
        new = self.folder.new / row.key
        kept = await asyncio.get_running_loop().run_in_executor(
            self._picture_threads, keep_picture, partial.take(), wanted, new
        )
        if isinstance(kept, Missed):
            partial.discard()
            # What was put together from two answers, or may have been cut, is fetched anew before it is judged.
            if came.http_status in (0, 206) or (kept.reason == "truncated_picture" and not is_of_known_size):
                return Missed("truncated", kept.detail, came.http_status)
            return Missed(kept.reason, kept.detail, came.http_status)
        return kept

    def _move(self, job: Job, moved: Moved, partial: Partial) -> None:
        job.num_hops += 1
        if job.num_hops > self.options.limits.max_redirects:
            partial.discard()
            self._settle(job, Missed("too_many_redirects", str(moved.url)[:200]))
            return
        job.url = moved.url
        self._hosts.add(job)  # its new server has a gate of its own

    def _is_tried_again(self, job: Job, missed: Missed) -> bool:
        """Send a row on its way again where that may help, in its time."""
        politeness = self.options.politeness
        is_refused = missed.reason == "rate_limited" or missed.http_status == 503
        if missed.reason not in TRANSIENT or (missed.retry_after_s or 0.0) > politeness.max_wait_s:
            return False
        job.num_refused += is_refused
        job.num_tries += not is_refused
        if job.num_tries >= politeness.max_tries or job.num_refused >= MAX_REFUSALS:
            return False
        # Where the server named a time, its gate waits for it.
        wait_s = 0.0 if missed.retry_after_s else self._backoff.wait_s(job.num_tries + job.num_refused)
        asyncio.get_running_loop().call_later(wait_s, self._again, job)
        return True

    def _again(self, job: Job) -> None:
        self._hosts.add(job)
        self._pump()

    def _settle(self, job: Job, kept: Kept | Missed, came: Came | None = None) -> None:
        result = self.folder.make_result(job.row, kept, came, utc_now())
        self._results.put_nowait((result, kept.file if isinstance(kept, Kept) else None))

    async def _record(self, sorter: Sorter) -> None:
        """Commit results as they come, as many at a time as came meanwhile."""
        loop = asyncio.get_running_loop()
        while (first := await self._results.get()) is not None:
            group = [first]
            while len(group) < _MAX_COMMIT and not self._results.empty():
                if (more := self._results.get_nowait()) is None:
                    self._results.put_nowait(None)
                    break
                group.append(more)
            try:
                await loop.run_in_executor(self._state_thread, sorter.commit, group)
            except BaseException as error:  # noqa: BLE001  it ends the run, which raises it
                self._fail(error)
                return
            for result, _ in group:
                self.watch.settled(result)
            self._num_open -= len(group)
            self._wake.set()

    async def _end(self, recorder: "asyncio.Task[None]") -> None:
        """Stop what is under way, and commit what came."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._results.put_nowait(None)
        await recorder

    def _listen_to_signals(self) -> None:
        def stop() -> None:
            self._is_stopped = True
            self._wake.set()

        listen_to_signals(stop)
