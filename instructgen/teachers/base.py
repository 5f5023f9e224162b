"""What every teacher offers: it turns a unit into messages, and its servers turn a request into a reply."""

from collections.abc import Callable, Mapping
from typing import Protocol

from instructgen.limits.bounds import ServerLimits
from instructgen.records import Cost, Decoding, Message, Reply, Request, Unit


class _Named(Protocol):
    name: str
    model: str


def make_free_reply(request: Request, text: str, teacher: _Named) -> Reply:
    """Return the whole answer of a teacher in this process, which nobody is paid for."""
    return Reply(
        request_id=request.request_id,
        text=text,
        finish_reason="stop",
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        model=teacher.model,
        teacher=teacher.name,
    )


class Server(Protocol):
    """One place that answers a teacher's requests."""

    name: str
    """For logs and messages: host and model, never a key."""

    weight: float

    limits: ServerLimits | None
    """None for a server inside this process, which needs no care."""

    has_price: bool
    """False where nobody knows what its tokens cost."""

    has_bound: bool
    """False where an answer may be of any length, so that `most` is no bound."""

    on_headers: Callable[[Mapping[str, str]], None] | None
    """Called with the headers of every HTTP answer, whatever its status; names may be asked for in any case."""

    async def send(self, request: Request) -> Reply:
        """Make one attempt. Raises AttemptError where it brings no answer."""
        ...

    def most(self, request: Request) -> Cost:
        """Return the most that one attempt can cost: what a hard budget sets aside before it is sent."""
        ...


class Teacher(Protocol):
    """A writer of samples. Everything else in a build is a pure function; this is the only part that may cost."""

    name: str
    """Who writes the replies: "openai", "scene-program"; a replay gives the recorded teacher's name."""

    model: str
    """Part of a request's identity; a teacher whose rules change changes this."""

    decoding: Decoding

    is_remote: bool
    """True where asking may cost money: such requests are marked in the ledger before they are sent."""

    is_replay: bool
    """True where its replies were paid for by another run, and cost nothing here."""

    servers: tuple[Server, ...]

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        """Return the exact messages to send for the unit."""
        ...

    async def open(self) -> None:
        """Load what sending takes, so that the first requests do not wait for it."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
