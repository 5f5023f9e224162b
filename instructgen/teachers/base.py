"""What every teacher offers: it turns a unit into messages, and a request into a reply."""

from collections.abc import Callable
from typing import Protocol

from instructgen.records import Decoding, Failed, Message, Reply, Request, Unit


class Teacher(Protocol):
    """A writer of samples. Everything else in a build is a pure function; this is the only part that may cost."""

    name: str
    """Who writes the replies: "openai", "scene-program"; a replay gives the recorded teacher's name."""

    model: str
    """Part of a request's identity; a teacher whose rules change changes this."""

    decoding: Decoding

    is_remote: bool
    """True where asking may cost money: such requests are marked in the ledger before they are sent."""

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        """Return the exact messages to send for the unit."""
        ...

    async def answer(self, request: Request, should_stop: Callable[[], bool]) -> Reply | Failed:
        """Return the reply; `Failed` (record_id = request id) where asking again later may succeed.

        Once `should_stop` says so, an attempt that is under way is finished, and none is begun.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
