"""Teachers for tests of the engine: they answer after a while, fail as told, and count what they are asked."""

import asyncio
from collections.abc import Callable, Mapping

from instructgen.attempts import AttemptError
from instructgen.limits.bounds import ServerLimits
from instructgen.records import Cost, Decoding, Message, Reply, Request, Unit
from tests.support.make import make_reply

# Given the number of the attempt (from 0) and the request: an error to raise, or None to answer.
Fault = Callable[[int, Request], AttemptError | None]


class TestServer:
    """Counts attempts (`asked`) and answers (`answered`) by request id."""

    __test__ = False
    weight = 1.0
    has_price = has_bound = True
    on_headers: Callable[[Mapping[str, str]], None] | None = None

    def __init__(
        self, name: str = "s0", delay_s: float = 0.0, fault: Fault | None = None, concurrency: int = 4
    ) -> None:
        self.name = name
        self.delay_s = delay_s
        self.fault = fault
        self.limits = ServerLimits(concurrency)
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.max_in_flight = 0
        self.cost = Cost(1000, 15)
        self._in_flight = 0

    async def send(self, request: Request) -> Reply:
        number = len(self.asked)
        self.asked.append(request.request_id)
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self._in_flight -= 1
        error = self.fault(number, request) if self.fault else None
        if error is not None:
            raise error
        self.answered.append(request.request_id)
        return make_reply(int(request.request_id, 16), cost_usd=self.cost.nano_usd / 1e9)

    def most(self, request: Request) -> Cost:
        return self.cost


class TestTeacher:
    """A remote teacher with one server or several."""

    __test__ = False
    name = "openai"
    model = "test-model"
    decoding = Decoding(max_tokens=100)
    is_remote = True
    is_replay = False

    def __init__(self, *servers: TestServer) -> None:
        self.servers = servers

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        return (Message("user", unit.surrogate.text),)

    async def open(self) -> None:
        """Nothing is to be made ready."""

    async def close(self) -> None:
        """Nothing to give back."""


def fail_always(reason: str, **changes: object) -> Fault:
    return lambda number, request: AttemptError(reason, f"HTTP: {reason}", **changes)  # type: ignore[arg-type]
