"""The course of each batch: planned, uploaded, submitted, ended, collected.

Each step is on disk before the next is begun (instructgen.batch.files). A process that was killed between
what a server did and the note of it finds the file by its name and the batch by our own key in its metadata, so
nothing is submitted twice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from msgspec.structs import replace
from tenacity import stop_after_attempt, stop_after_delay

from instructgen.batch.answers import AnswerBook
from instructgen.batch.files import BatchFolder, BatchState
from instructgen.batch.roster import Mark, Roster
from instructgen.batch.watch import BatchSettings, BatchWatch
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.generate.budget import Budget
from instructgen.ledger.books import to_key
from instructgen.ledger.ledger import Ledger
from instructgen.observe.stats import RunStats
from instructgen.teachers.openai_batch import ApiError, BatchApi, BatchServer, RemoteBatch

MARKS_AT_ONCE = 1024
# How a batch may end, and the reason of a request that it ends without.
_ENDINGS = {
    "completed": "no_answer",
    "failed": "batch_failed",
    "expired": "batch_expired",
    "cancelled": "batch_cancelled",
}
_NO_ROOM = "token_limit_exceeded"
_MAX_DOWNLOADS = 5
_MAX_UNKNOWN_FILE = 8  # a file may be unknown to the batches for some seconds after it went up
_MAX_REFUSALS_ALONE = 3
_MAX_REFUSALS_OF_ONE = 20
_MAX_RESUBMIT_WAITS = 10
_GONE = (404, 410)


@dataclass(slots=True)
class BatchCourse:
    """Brings the batches of one run from step to step. `open` are those that are not collected, by key.

    `held` are those that an earlier run planned and did not submit.
    """

    server: BatchServer
    api: BatchApi
    files: BatchFolder
    watch: BatchWatch
    ledger: Ledger
    budget: Budget
    roster: Roster
    stats: RunStats
    settings: BatchSettings
    checkpoint: Callable[[str], None]
    open: dict[str, BatchState]
    held: dict[str, BatchState] = field(default_factory=dict)
    _num_refusals: dict[str, int] = field(default_factory=dict)
    _due_s: dict[str, float] = field(default_factory=dict)

    async def go_on(self) -> None:
        """Take up the batches of earlier runs, whatever was edited since: their answers are paid for."""
        self.files.clear_unfinished()
        for state in self.files.states():
            if state.step == "split":
                self._finish_split(state)
        for state in self.files.states():
            if state.step == "collected":
                self.files.drop_files(state)
            elif state.address != self.api.address:
                raise InstructgenError(
                    f"the batch {state.batch_id or state.key} is at {state.address} and not collected: run with that "
                    f"server, or remove {self.files.path / state.key}.* to give up its answers"
                )
            else:
                await self._take_up(state)

    async def _take_up(self, state: BatchState) -> None:
        if state.step == "uploaded":
            state = await self._find_submitted(state)
        is_out = state.step not in ("planned", "uploaded")
        (self.open if is_out else self.held)[state.key] = state
        for request_id, most in self.files.read_ids(state):
            if self.ledger.has_reply(to_key(request_id)):
                self.roster.put(request_id, Mark.FOUND)
                continue
            self.roster.put(request_id, Mark.OUT if is_out else Mark.HELD)
            if is_out:  # whatever the budget is now
                self.budget.reserve(most)

    async def _find_submitted(self, state: BatchState) -> BatchState:
        """Return the state as submitted where a process that was killed did it and could not note it."""
        try:
            remote = await self.watch.call(
                "find", lambda _: self.api.find_batch(state.key, state.dropped), self._patience()
            )
        except ApiError as error:
            raise self.watch.explain(error, "list its batches") from None
        if remote is None:
            return state
        return self._save(replace(state, step="submitted", batch_id=remote.batch_id))

    async def release(self) -> bool:
        """Submit what earlier runs had planned, where this one wants all of it and has the money; give up the rest.

        Returns whether a part of what was given up is wanted, and so to be planned again.
        """
        is_any_again = False
        for state in self.held.values():
            ids = [request_id for request_id, _ in self.files.read_ids(state)]
            wanted = [request_id for request_id in ids if self.roster.find(request_id) is Mark.WANTED]
            is_kept = len(wanted) == len(ids) and self.budget.try_reserve(state.most)
            for request_id in wanted:
                self.roster.put(request_id, Mark.OUT if is_kept else Mark.AGAIN)
            if is_kept:
                self.open[state.key] = state
                await self._send(state, may_be_there=True)
            else:
                for start in range(0, len(ids), MARKS_AT_ONCE):
                    await asyncio.gather(*map(self.ledger.unmark, ids[start : start + MARKS_AT_ONCE]))
                self.files.forget(state)
                is_any_again = is_any_again or bool(wanted)
        return is_any_again

    async def begin(self, state: BatchState) -> None:
        """Send a batch that was just planned."""
        self.open[state.key] = state
        self.checkpoint("planned")
        await self._send(state, may_be_there=False)

    async def follow_all(self) -> None:
        """Watch the batches until all are collected."""
        wait_s = self.settings.first_poll_s
        while self.open:
            for state in list(self.open.values()):
                await self._follow(state)
            if self.open:
                await self.watch.pause(wait_s)
                wait_s = min(wait_s * 1.5, self.settings.max_poll_s)

    async def _follow(self, state: BatchState) -> None:
        if state.step in ("planned", "uploaded"):
            if asyncio.get_running_loop().time() >= self._due_s.get(state.key, 0.0):
                await self._send(state, may_be_there=False)
            return
        if state.step == "submitted":
            remote = await self._look(state)
            self.watch.tell_progress(state, remote)
            if remote.status == "failed" and any(fault.code == _NO_ROOM for fault in remote.faults):
                self._wait_for_room(state, remote)
                return
            if remote.status not in _ENDINGS:
                return
            state = self._note_end(state, remote)
        await self._collect(state)

    async def _send(self, state: BatchState, *, may_be_there: bool) -> None:
        """Bring a batch to the server, or find it there where a killed process may have brought it."""
        if state.step == "planned":
            state = await self._upload(state, may_be_there=may_be_there)
        if state.step == "uploaded":
            await self._submit(state, may_be_there=may_be_there)

    async def _upload(self, state: BatchState, *, may_be_there: bool) -> BatchState:
        async def attempt(number: int) -> str:
            found = None
            if may_be_there or number:
                found = await self.api.find_file(state.name, state.num_bytes)
            return found or await self.api.upload(self.files.file(state), state.name)

        try:
            file_id = await self.watch.call("upload", attempt, self._patience())
        except ApiError as error:
            what = "take the file of requests"
            raise self.api.explain_missing(error) or self.watch.explain(error, what) from None
        self.checkpoint("uploaded_unnoted")
        return self._save(replace(state, step="uploaded", file_id=file_id))

    async def _submit(self, state: BatchState, *, may_be_there: bool) -> None:
        await self._mark(state)

        async def attempt(number: int) -> RemoteBatch:
            if may_be_there or number:
                found = await self.api.find_batch(state.key, state.dropped)
                if found is not None:
                    return found
            try:
                return await self.api.submit(state.file_id, state.key)
            except ApiError as error:
                if error.status in (400, 404) and state.file_id in error.detail and number < _MAX_UNKNOWN_FILE:
                    error.is_worth_retry = True
                raise

        try:
            remote = await self.watch.call("submit", attempt, self._patience())
        except ApiError as error:
            is_missing = state.file_id not in error.detail
            missing = self.api.explain_missing(error) if is_missing else None
            raise missing or self.watch.explain(error, "begin the batch") from None
        self.checkpoint("submitted_unnoted")
        self._save(replace(state, step="submitted", batch_id=remote.batch_id))
        self.watch.say(f"batch {remote.batch_id}: {state.num_requests} requests submitted to {self.server.name}")
        self.watch.log.write(
            "batch_submitted", server=self.server.name, batch=remote.batch_id, requests=state.num_requests
        )

    async def _mark(self, state: BatchState) -> None:
        """Mark the requests as sent. What they may cost is in the batch's state: it outlives this process, while a
        ledger counts the marks of an earlier process as lost money.
        """
        ids = self.files.read_ids(state)
        while chunk := list(islice(ids, MARKS_AT_ONCE)):
            await asyncio.gather(*(self.ledger.mark_sent(request_id) for request_id, _ in chunk))
        self.checkpoint("marked")

    async def _look(self, state: BatchState) -> RemoteBatch:
        try:
            return await self.watch.call("look", lambda _: self.api.look(state.batch_id), self._patience())
        except ApiError as error:
            if error.status in _GONE:
                raise InstructgenError(
                    f"{self.server.name} does not know the batch {state.batch_id} ({error.detail}): use the key of "
                    f"the account that began it, or remove {self.files.path / state.key}.* to ask its requests again"
                ) from None
            raise self.watch.explain(error, "tell of the batch") from None

    def _note_end(self, state: BatchState, remote: RemoteBatch) -> BatchState:
        ended = replace(
            state,
            step="ended",
            status=remote.status,
            output_file_id=remote.output_file_id,
            error_file_id=remote.error_file_id,
            faults=tuple(
                f"{fault.code}{f' in line {fault.line}' if fault.line else ''}: {fault.message}"
                for fault in remote.faults
            ),
        )
        return self._save(ended)

    def _wait_for_room(self, state: BatchState, remote: RemoteBatch) -> None:
        """The server holds as many tokens in batches as it will: submit again later, or less at a time."""
        state = self._save(replace(state, step="uploaded", batch_id="", dropped=(*state.dropped, state.batch_id)))
        num = self._num_refusals[state.key] = self._num_refusals.get(state.key, 0) + 1
        is_alone = all(other.step != "submitted" for other in self.open.values())
        if is_alone and num >= _MAX_REFUSALS_ALONE and state.num_requests > 1:
            self.watch.say(
                f"{self.server.name} has no room for {state.num_requests} requests at once: they go as two batches"
            )
            self._finish_split(self._save(replace(state, step="split")))
            return
        if is_alone and num >= _MAX_REFUSALS_OF_ONE:
            told = "; ".join(fault.message for fault in remote.faults)
            raise RunStoppedError(
                f"{self.server.name} has no room for a batch ({told}); run the same command again later"
            )
        wait_s = self.settings.resubmit_s * min(num, _MAX_RESUBMIT_WAITS)
        self._due_s[state.key] = asyncio.get_running_loop().time() + wait_s
        self.watch.say(
            f"{self.server.name} has no room for a batch of {state.num_requests} requests yet: waiting {wait_s:g} s"
        )

    def _finish_split(self, state: BatchState) -> None:
        """Put the two halves in the place of a batch; a process that is killed meanwhile does it again."""
        halves = self.files.split(state)
        self._save(replace(state, step="collected", status="split"))
        self.files.drop_files(state)
        self.open.update({half.key: half for half in halves})

    async def _collect(self, state: BatchState) -> None:
        book = AnswerBook(state, self.server, self.ledger, self.roster, self.budget, self.stats)
        book.expect(self.files.read_ids(state))
        for ending, file_id in (("output", state.output_file_id), ("error", state.error_file_id)):
            if file_id is not None:
                await self._take_file(state, book, file_id, self.files.file(state, ending))
        state = replace(
            state,
            step="collected",
            num_unanswered=await book.close(_ENDINGS[state.status]),
            num_answered=book.num_answered,
            num_failed=book.num_failed,
        )
        self.checkpoint("stored")
        self._save(state)
        self.files.drop_files(state)
        self.watch.tell_collected(state, book)
        if self.settings.delete_remote:
            await self._delete_remote(state)
        if state.status == "failed":
            raise InstructgenError(
                f"{self.server.name} refused the batch {state.batch_id} "
                f"({'; '.join(state.faults) or 'no reason given'}); what it did not answer costs nothing: mend the "
                "settings and run again, or leave out --batch"
            )

    async def _take_file(self, state: BatchState, book: AnswerBook, file_id: str, path: Path) -> None:
        lost: ApiError | None = None
        try:
            await self.watch.call(
                "download", lambda _: self.api.download(file_id, path), stop_after_attempt(_MAX_DOWNLOADS)
            )
        except ApiError as error:
            if error.status in _GONE:
                book.odd["answer files that are gone"] += 1
                return
            if error.status is not None and not error.is_worth_retry:
                raise self.watch.explain(error, "give out the answers") from None
            lost = error
        self.checkpoint("downloaded")
        await book.take(self.api.read_lines(path), self.checkpoint)
        if lost is not None:
            raise RunStoppedError(
                f"the answers to the batch {state.batch_id} could not be fetched whole ({lost.detail}); "
                f"{book.num_answered} are kept, and the same command fetches the others"
            )

    async def _delete_remote(self, state: BatchState) -> None:
        for file_id in (state.file_id, state.output_file_id, state.error_file_id):
            if file_id:
                try:
                    await self.api.delete(file_id)
                except ApiError as error:
                    self.watch.say(f"{self.server.name} did not delete the file {file_id} ({error.detail})")
        self.checkpoint("deleted")

    def _patience(self) -> stop_after_delay:
        return stop_after_delay(self.settings.patience_s)

    def _save(self, state: BatchState) -> BatchState:
        self.open[state.key] = self.files.save(state)
        if state.step == "collected":
            del self.open[state.key]
        self.checkpoint(state.step)
        return state
