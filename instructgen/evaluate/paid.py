"""Asks an OpenAI-compatible server through the request engine; every answer is in a ledger before it is read."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.generate.asked import Answered, Asked
from instructgen.generate.budget import NANO, Budget
from instructgen.generate.lanes import make_lane
from instructgen.generate.scheduler import Scheduler
from instructgen.ledger.ledger import Ledger
from instructgen.observe.runlog import RunLog
from instructgen.prompting.requests import make_request_id
from instructgen.records import Cost, Failed, ImageRecord, Message, Reply, Request, Surrogate, Unit
from instructgen.resources import LOG_NAME
from instructgen.teachers.openai_chat import OpenAIChatTeacher
from instructgen.teachers.pictures import PictureReader

Say = Callable[[str], None]


class Chat(Struct, frozen=True):
    """What is asked of the server: the messages, and where the picture is that one of them may have."""

    messages: tuple[Message, ...]
    record: ImageRecord | None = None


class PaidAsker:
    """One model with its way of answering. Use it as a context manager; several may share a ledger.

    What the ledger holds is not asked for again, in whatever run it was paid for. `num_new` counts what this one
    bought. Raises BudgetSpentError and RunStoppedError as a build does.
    """

    def __init__(
        self,
        config: TeacherConfig,
        ledger: Ledger,
        *,
        pictures: PictureReader | None = None,
        budget_usd: float | None = None,
        say: Say = lambda _: None,
        tell: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._budget_usd = budget_usd
        self._say = say
        self._tell = tell
        self._teacher = OpenAIChatTeacher(config, lambda _unit: (), {}, pictures)
        self.model = self._teacher.model
        self.num_new = 0
        if budget_usd is not None and not all(server.has_price for server in self._teacher.servers):
            raise InstructgenError(
                f"--budget-usd wants a price, and none is known for {self.model}; give one with --prices FILE "
                "(docs/cost.md)"
            )
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.run(self._teacher.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._teacher.close())
        self._runner.close()

    def ask_all(self, chats: Sequence[Chat]) -> list[Reply | Failed]:
        """Return each chat's reply, or why there is none, in order."""
        asked = [self._make_asked(chat) for chat in chats]
        found: dict[str, Reply | Failed] = {}

        def take(answered: Answered) -> None:
            found[answered.asked.request.request_id] = answered.reply
            self.num_new += answered.is_new and isinstance(answered.reply, Reply)
            self._tell(len(found), len(asked))

        log = RunLog(self._ledger.folder / LOG_NAME, say=self._say)
        try:
            self._runner.run(self._answer(asked, take, log))
        finally:
            log.close()
        return [found[one.request.request_id] for one in asked]

    async def _answer(self, asked: Iterable[Asked], take: Callable[[Answered], None], log: RunLog) -> None:
        lane = make_lane(self._teacher, self._config.max_attempts, log, self._say)
        await Scheduler([lane], self._ledger, take, log, self._make_budget()).answer_all(iter(asked))

    def _make_budget(self) -> Budget:
        spent = self._ledger.spent()
        paid = Cost(spent.nano_usd, spent.prompt_tokens + spent.completion_tokens)
        most = None if self._budget_usd is None else int(self._budget_usd * NANO)
        return Budget(most, None, paid + spent.maybe + spent.in_doubt)

    def _make_asked(self, chat: Chat) -> Asked:
        request_id = make_request_id(chat.messages, self.model, self._config.decoding)
        image_id = chat.record.image_id if chat.record is not None else ""
        record = chat.record or ImageRecord(image_id, "", 0, 0, (), ())
        unit = Unit(record, "evaluate", Surrogate(image_id, "", 0, 0))
        return Asked(unit, Request(request_id, "evaluate", image_id, chat.messages, chat.record))
