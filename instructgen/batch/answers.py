"""From a batch's answer files to the ledger: every good line is kept, every other one is counted and named."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from instructgen.attempts import FATAL_REASONS, AttemptError
from instructgen.batch.files import BatchState
from instructgen.batch.roster import Mark, Roster
from instructgen.generate.budget import Budget
from instructgen.generate.lanes import cost_of
from instructgen.ledger.ledger import Ledger
from instructgen.observe.stats import RunStats
from instructgen.records import NOTHING, Cost, Failed, Reply
from instructgen.teachers.openai_batch import AnswerLine, BatchServer, clean

# Replies that are written together: sixteen batches of the ledger's, and a few megabytes at most.
_AT_ONCE = 1024
_MAX_NAMED = 3


class _Trouble(Struct, frozen=True):
    """Why a line brought no reply. `maybe` is what it may have cost all the same."""

    reason: str
    detail: str
    is_final: bool
    maybe: Cost = NOTHING


@dataclass(slots=True)
class AnswerBook:
    """Takes in the answers to one batch. Nothing in a line stops it; only the disk can.

    `odd` counts lines by what is wrong with them, `named` holds the first few of those.
    """

    state: BatchState
    server: BatchServer
    ledger: Ledger
    roster: Roster
    budget: Budget
    stats: RunStats
    waiting: dict[str, Cost] = field(default_factory=dict)
    odd: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    num_answered: int = 0
    num_failed: int = 0
    _members: frozenset[str] = frozenset()
    _troubles: dict[str, _Trouble] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def expect(self, ids: Iterable[tuple[str, Cost]]) -> None:
        """Take in the requests of the batch: a batch has 50,000 of them at most, so they fit in memory."""
        everyone = dict(ids)
        self._members = frozenset(everyone)
        self.waiting = {
            request_id: most for request_id, most in everyone.items() if self.roster.find(request_id) is Mark.OUT
        }

    async def take(self, lines: Iterable[AnswerLine | None], checkpoint: Callable[[str], None]) -> None:
        """Store what the lines answer, and return once it is on disk."""
        writes: list[tuple[Reply, Cost]] = []
        for line in lines:
            reply = self._read(line)
            if reply is not None:
                writes.append((reply, self.waiting.pop(reply.request_id)))
            if len(writes) >= _AT_ONCE:
                await self._store(writes)
                checkpoint("some_stored")
                writes = []
        await self._store(writes)

    async def close(self, reason: str) -> int:
        """Record why the others have no reply and return how many may be asked again; `reason` where no line says."""
        num_unanswered = 0
        writes: list[Awaitable[None]] = []
        for request_id, most in self.waiting.items():
            trouble = self._troubles.get(request_id) or _Trouble(reason, f"the batch ended: {reason}", is_final=False)
            failure = Failed(request_id, "teacher", trouble.reason, trouble.detail)
            writes.append(self.ledger.store_failure(request_id, failure, trouble.maybe))
            self.roster.put(request_id, Mark.FAILED if trouble.is_final else Mark.UNANSWERED)
            self.budget.settle(most, trouble.maybe)
            self.reasons[trouble.reason] += 1
            self.num_failed += trouble.is_final
            num_unanswered += not trouble.is_final
            if len(writes) >= _AT_ONCE:
                await asyncio.gather(*writes)
                writes = []
        await asyncio.gather(*writes)
        self.waiting = {}
        return num_unanswered

    def _read(self, line: AnswerLine | None) -> Reply | None:
        if line is None:
            self.odd["broken lines"] += 1
            return None
        if line.custom_id not in self._members or line.custom_id in self._seen:
            is_second = line.custom_id in self._seen
            self._note("second answers to a request" if is_second else "answers to no request of it", line.custom_id)
            return None
        if line.custom_id not in self.waiting:  # a killed run had stored it already
            return None
        if line.completion is None:
            self._troubles.setdefault(line.custom_id, _Trouble(line.reason, line.detail, line.is_final))
            return None
        try:
            reply = self.server.read(line.completion, line.custom_id, self.state.model)
        except AttemptError as error:
            maybe = self.waiting[line.custom_id] if error.may_have_cost else NOTHING
            is_final = not error.is_worth_retry and error.reason not in FATAL_REASONS
            self._troubles[line.custom_id] = _Trouble(error.reason, error.detail, is_final, maybe)
            return None
        self._seen.add(line.custom_id)
        return reply

    async def _store(self, writes: list[tuple[Reply, Cost]]) -> None:
        await asyncio.gather(*(self.ledger.store_reply(reply) for reply, _ in writes))
        for reply, most in writes:
            self.roster.put(reply.request_id, Mark.BOUGHT)
            self.budget.settle(most, cost_of(reply, most))
            self.stats.answered(reply, self.server.name)
            self.num_answered += 1

    def _note(self, what: str, custom_id: str) -> None:
        self.odd[what] += 1
        if len(self.named) < _MAX_NAMED:
            self.named.append(clean(custom_id))
