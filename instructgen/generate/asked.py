"""What is asked, what came of it, and the wish to ask no more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from instructgen.errors import RunStoppedError
from instructgen.records import Failed, Reply, Request, Unit

AskedStep = Literal["generate", "continue", "rewrite", "repair", "judge"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit and the request of its course that comes next; `lane` 0 is the teacher, the others come after it."""

    unit: Unit
    request: Request
    lane: int = 0
    step: AskedStep = "generate"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a request; `is_new` where it was asked in this run rather than found."""

    asked: Asked
    reply: Reply | Failed
    is_new: bool


@dataclass(slots=True)
class Stop:
    """A wish to end early: nothing more is asked, and what is in flight is still awaited and stored."""

    error: RunStoppedError | None = None
    on_ask: Callable[[], None] | None = None

    @property
    def reason(self) -> str | None:
        return None if self.error is None else str(self.error)

    def ask(self, why: str | RunStoppedError) -> None:
        if self.error is None:
            self.error = why if isinstance(why, RunStoppedError) else RunStoppedError(why)
            if self.on_ask is not None:
                self.on_ask()
