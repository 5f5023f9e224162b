"""What parts may spend together: never more than the limit, whoever dies when, and all of it in the end."""

import asyncio
import random
from pathlib import Path

import pytest

from instructgen.engine.leases import LEASES_NAME, LeaseBook, Rates
from instructgen.errors import InstructgenError
from instructgen.generate.budget import Budget
from instructgen.generate.meter import SLICE_S, Meter, RateSlice
from instructgen.records import Cost


def open_book(folder: Path, **options: object) -> LeaseBook:
    book = LeaseBook(folder / LEASES_NAME, 4, **options)  # type: ignore[arg-type]
    book.open()
    return book


def test_parts_never_have_more_than_the_limit_whatever_they_ask(tmp_path: Path) -> None:
    draw = random.Random(1)
    book = open_book(tmp_path, max_nano_usd=10_000, max_tokens=3_000)
    spent = {part: Cost() for part in range(4)}
    for _ in range(2_000):
        part = draw.randrange(4)
        wanted = spent[part] + Cost(draw.randrange(1, 60), draw.randrange(1, 20))
        ceiling = book.lend_budget(part, wanted)
        if ceiling.nano_usd >= wanted.nano_usd and ceiling.tokens >= wanted.tokens:
            spent[part] = wanted
        if draw.random() < 0.01:  # the coordinator dies
            book.close()
            book = open_book(tmp_path, max_nano_usd=10_000, max_tokens=3_000)
        if draw.random() < 0.01:  # the part ends, and may be built again
            book.settle(part, spent[part])
        total = sum(spent.values(), Cost())
        assert book.lent.nano_usd >= total.nano_usd
        assert book.lent.nano_usd <= 10_000
        assert total.tokens <= book.lent.tokens <= 3_000
    assert sum(spent.values(), Cost()).tokens > 2_900, "money was left that somebody wanted"


def test_lease_of_a_dead_part_stays_its_own_until_it_has_ended(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_nano_usd=1_000)
    first = book.lend_budget(0, Cost(600))
    assert first.nano_usd >= 600
    assert book.lend_budget(1, Cost(500)).nano_usd == 0
    assert book.lend_budget(0, Cost(600)) == first, "who goes on has what was lent to it"
    book.settle(0, Cost(300))
    assert book.lend_budget(1, Cost(500)).nano_usd >= 500


def test_part_that_has_spent_before_the_book_began_is_counted(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_nano_usd=1_000)
    book.settle(0, Cost(990))
    assert book.lend_budget(1, Cost(20)).nano_usd == 0


def test_slices_are_small_beside_what_is_left(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_nano_usd=1_600_000)
    assert book.lend_budget(0, Cost(10)).nano_usd == 100_000
    assert book.lend_budget(0, Cost(100_001)).nano_usd < 200_000


def test_book_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_nano_usd=1_000)
    book.settle(2, Cost(400))
    book.close()
    with (tmp_path / LEASES_NAME).open("ab") as file:
        file.write(b'{"part":3,"nano_')
    book = open_book(tmp_path, max_nano_usd=1_000)
    assert book.lent == Cost(400)
    book.settle(3, Cost(100))
    book.close()
    assert open_book(tmp_path, max_nano_usd=1_000).lent == Cost(500)


def test_damaged_book_is_told(tmp_path: Path) -> None:
    (tmp_path / LEASES_NAME).write_bytes(b"no line of a book\n")
    with pytest.raises(InstructgenError, match="is damaged"):
        open_book(tmp_path)


def test_budget_borrows_when_a_request_does_not_fit(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_nano_usd=100)
    budget = Budget(0, None, Cost(), lambda wanted: book.lend_budget(0, wanted))
    assert all(budget.try_reserve(Cost(10, 5)) for _ in range(10))
    assert not budget.try_reserve(Cost(1, 1))
    budget.settle(Cost(10, 5), Cost(2, 5))
    assert budget.try_reserve(Cost(8, 1)), "what one did not cost is there for the next"
    assert not budget.try_reserve(Cost(1, 1))


@pytest.mark.parametrize("per_minute", [30.0, 600.0, 12_000.0])
def test_rate_of_any_minute_is_below_the_limit_and_mostly_used(tmp_path: Path, per_minute: float) -> None:
    clock = [0.0]
    book = open_book(tmp_path, rates={"s": Rates(per_minute, None)}, now=lambda: clock[0])
    sent_at: list[float] = []
    held = [(0, 0.0)] * 5  # of five parts: what is left of a slice, and when it was lent
    draw = random.Random(2)
    while clock[0] < 200:
        clock[0] += draw.uniform(0.0, 2 * 60 / per_minute / 5)
        part = draw.randrange(5)
        num, lent_at_s = held[part]
        if num == 0 or clock[0] - lent_at_s > SLICE_S:
            found = book.lend_rate("s", 10)
            num, lent_at_s = found.num_requests or 0, clock[0]
        if num:
            sent_at.append(clock[0])
            num -= 1
        held[part] = num, lent_at_s
    most = max(sum(1 for other in sent_at if start <= other < start + 60) for start in sent_at[::20])
    assert most <= per_minute
    assert len(sent_at) >= 0.8 * per_minute * 200 / 60


def test_parts_that_wait_ask_seldom_and_use_the_whole_rate(tmp_path: Path) -> None:
    """Asking goes through the coordinator: it costs more than the request that it is for."""
    clock, per_minute = [0.0], 2_400.0
    book = open_book(tmp_path, rates={"s": Rates(per_minute, None)}, now=lambda: clock[0])
    sent = asked = 0
    next_s = [0.0, 0.01]  # when each of two parts asks again: at once for a slice that it has used up
    while clock[0] < 60:
        part = next_s.index(min(next_s))
        clock[0] = next_s[part]
        found = book.lend_rate("s", 10)
        asked, sent = asked + 1, sent + (found.num_requests or 0)
        next_s[part] = clock[0] + max(found.wait_s, 0.001)
    assert sent >= 0.95 * per_minute
    assert asked < sent


def test_request_larger_than_a_slice_of_tokens_goes_and_is_paid_for(tmp_path: Path) -> None:
    clock = [0.0]
    book = open_book(tmp_path, rates={"s": Rates(None, 6_000.0)}, now=lambda: clock[0])
    sent = 0
    while clock[0] < 120:
        found = book.lend_rate("s", 1_000)
        sent += 1 if found.tokens else 0
        clock[0] += max(found.wait_s, 0.001)
    assert 10 <= sent <= 13


def test_server_without_limit_is_not_held(tmp_path: Path) -> None:
    assert open_book(tmp_path).lend_rate("s", 10) == RateSlice(None, None, 0.0)


class Slices:
    """A lender of given slices, and then of nothing."""

    def __init__(self, *slices: RateSlice) -> None:
        self.slices = list(slices)

    def lend_budget(self, wanted: Cost) -> Cost:
        return wanted

    def lend_rate(self, server: str, tokens: int) -> RateSlice:
        return self.slices.pop(0) if self.slices else RateSlice(0, 0, 5.0)


def test_meter_spends_a_slice_and_waits_for_the_next() -> None:
    async def spend() -> list[bool]:
        is_stopping = asyncio.Event()
        meter = Meter(Slices(RateSlice(0, 0, 0.001), RateSlice(2, 100, 0.0), RateSlice(1, 60, 0.0)), now=lambda: 0.0)
        taken = [await meter.take("s", tokens, is_stopping) for tokens in (40, 40, 60)]
        waiting = asyncio.create_task(meter.take("s", 1, is_stopping))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        is_stopping.set()
        return [*taken, await waiting]

    assert asyncio.run(spend()) == [True, True, True, False]


def test_meter_lets_an_old_slice_lapse() -> None:
    async def spend() -> bool:
        clock = [0.0]
        slices = Slices(RateSlice(5, None, 0.0), RateSlice(1, None, 0.0))
        meter = Meter(slices, now=lambda: clock[0])
        await meter.take("s", 1, asyncio.Event())
        clock[0] = SLICE_S + 0.1
        await meter.take("s", 1, asyncio.Event())
        return not slices.slices

    assert asyncio.run(spend())
