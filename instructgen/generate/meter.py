"""Rates that several runs share: each spends requests and tokens that it was lent, a slice at a time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from instructgen.records import Cost

SLICE_S = 0.5  # of a rate, lent at once; what is not used for as long lapses, so that none is saved for a burst


class RateSlice(Struct, frozen=True):
    """What a run may send now; None: that rate has no limit. `wait_s`: when to ask again, where it is nothing."""

    num_requests: int | None
    tokens: int | None
    wait_s: float


class Lender(Protocol):
    """Who lends a build's parts what all of them together may spend."""

    def lend_budget(self, wanted: Cost) -> Cost:
        """Return what the part may spend in all its runs; less than `wanted` where no more is left."""
        ...

    def lend_rate(self, server: str, tokens: int) -> RateSlice:
        """Return a slice of the server's rates, in which a request of so many tokens has room."""
        ...


@dataclass(slots=True)
class _Stock:
    """What is left of the latest slice."""

    num_requests: int | None = 0
    tokens: int | None = 0
    lent_at_s: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has(self, tokens: int, now_s: float) -> bool:
        if now_s - self.lent_at_s > SLICE_S:
            return False
        return self.num_requests != 0 and (self.tokens is None or self.tokens >= tokens)


class Meter:
    """Lets a request go when a slice has room for it. Who waits is served in turn; asking does not block the loop."""

    def __init__(self, lender: Lender, now: Callable[[], float] = time.monotonic) -> None:
        self._lender = lender
        self._now = now
        self._stocks: dict[str, _Stock] = {}

    async def take(self, server: str, tokens: int, is_stopping: asyncio.Event) -> bool:
        """Return once the request may be sent; False where the run ends before."""
        stock = self._stocks.setdefault(server, _Stock())
        async with stock.turn:
            while not stock.has(tokens, self._now()):
                if is_stopping.is_set():
                    return False
                found = await asyncio.to_thread(self._lender.lend_rate, server, tokens)
                stock.num_requests, stock.tokens, stock.lent_at_s = found.num_requests, found.tokens, self._now()
                if not stock.has(tokens, self._now()):
                    await _wait(is_stopping, found.wait_s)
            if stock.num_requests is not None:
                stock.num_requests -= 1
            if stock.tokens is not None:
                stock.tokens -= tokens
            return True


async def _wait(is_stopping: asyncio.Event, wait_s: float) -> None:
    try:
        await asyncio.wait_for(is_stopping.wait(), wait_s)
    except TimeoutError:
        return
