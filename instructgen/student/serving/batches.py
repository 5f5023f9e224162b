"""Requests wait here and are answered together: while a batch is computed, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from instructgen.student.ask import Ask, Crowd, Piece, Sampling
from instructgen.student.serving.refusals import Refusal

_GATHER_S = 0.005  # an idle server waits so long for company: what one client sends at once comes within it


class Job:
    """One request. `pieces` brings its answer, or the exception that ended it."""

    def __init__(self, ask: Ask, sampling: Sampling) -> None:
        self.ask = ask
        self.sampling = sampling
        self.pieces: asyncio.Queue[Piece | Exception] = asyncio.Queue()
        self.is_wanted = True
        self.is_done = False

    def deliver(self, piece: Piece | Exception) -> None:
        self.is_done = isinstance(piece, Exception) or piece.answer is not None
        self.pieces.put_nowait(piece)


class Batching(Struct, frozen=True):
    max_batch: int = 8
    max_waiting: int = 64
    """Requests beyond a batch that may wait; further ones are told to come again later (429)."""


class Batcher:
    """Runs the model in one thread of its own; to be used from one event loop."""

    def __init__(self, student: Crowd, batching: Batching) -> None:
        self._student = student
        self._batching = batching
        self._waiting: deque[Job] = deque()
        self._running: tuple[Job, ...] = ()
        self._has_work = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="student")

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    def submit(self, ask: Ask, sampling: Sampling) -> Job:
        job = Job(ask, sampling)
        self._waiting.append(job)
        self._is_idle.clear()
        self._has_work.set()
        return job

    async def run(self) -> None:
        """Answer what comes, until cancelled."""
        while True:
            await self._has_work.wait()
            if len(self._waiting) < self._batching.max_batch:
                await asyncio.sleep(_GATHER_S)
            self._running = tuple(self._take())
            if self._running:
                await self._answer(self._running)
            self._running = ()
            if not self._waiting:
                self._has_work.clear()
                self._is_idle.set()

    async def finish(self, grace_s: float) -> None:
        """Return when nothing waits or runs any more; what has not ended within the time ends without an answer."""
        try:
            async with asyncio.timeout(grace_s):
                await self._is_idle.wait()
        except TimeoutError:
            for job in (*self._waiting, *self._running):
                job.is_wanted = False
                if not job.is_done:
                    job.deliver(Refusal(503, "the server stops", code="stopping"))
            self._waiting.clear()
        self._thread.shutdown(wait=True)

    def _take(self) -> list[Job]:
        taken: list[Job] = []
        while self._waiting and len(taken) < self._batching.max_batch:
            job = self._waiting.popleft()
            if job.is_wanted:
                taken.append(job)
        return taken

    async def _answer(self, jobs: Sequence[Job]) -> None:
        loop = asyncio.get_running_loop()

        def compute() -> None:
            asks = [(job.ask, job.sampling) for job in jobs]
            for piece in self._student.answer_together(asks, lambda number: jobs[number].is_wanted):
                loop.call_soon_threadsafe(_deliver, jobs[piece.ask], piece)

        try:
            await loop.run_in_executor(self._thread, compute)
        except Exception as error:  # noqa: BLE001  each of them is told; the next batch may fare better
            for job in jobs:
                if not job.is_done:
                    job.deliver(error)


def _deliver(job: Job, piece: Piece) -> None:
    if not job.is_done:
        job.deliver(piece)
