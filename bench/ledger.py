"""What the ledger costs: CPU time of marks and replies in groups, of finding replies, and of opening a large ledger.

    python bench/ledger.py                      # 20,000 pairs of mark and reply, 200,000 replies to find
    python bench/ledger.py --pairs 5000 --stored 20000 --cache

CPU time is of the whole process: the event loop's side, the writing thread, SQLite and checksums. Replies have
1.3 KB of JSON and request ids like sha256 sums, in no order.
"""

import argparse
import asyncio
import hashlib
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from instructgen.ledger import journal
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.records import Cost, Reply

_TEXT = "The brown dog lies on the grass beside a red ball and looks at the camera. " * 15


def make_reply(number: int) -> Reply:
    request_id = hashlib.sha256(str(number).encode()).hexdigest()
    return Reply(request_id, f"{number} {_TEXT}", "stop", 1500, 300, 0.0004, "gpt-4o-mini-2024-07-18", "openai")


def count_synchronisations() -> Callable[[], int]:
    """Count the journal's synchronisations from here on; returns what tells the number."""
    synchronise, num = journal.synchronise, [0]

    def counted(file: int) -> None:
        num[0] += 1
        synchronise(file)

    journal.synchronise = counted
    return lambda: num[0]


async def write_pairs(ledger: Ledger, num_pairs: int, num_workers: int, latency_s: float) -> None:
    numbers = iter(range(num_pairs))

    async def work() -> None:
        for number in numbers:
            reply = make_reply(number)
            await ledger.mark_sent(reply.request_id, Cost(900_000, 3000))
            await asyncio.sleep(latency_s)
            await ledger.store_reply(reply)

    await asyncio.gather(*(work() for _ in range(num_workers)))


async def idle(num_pairs: int, num_workers: int, latency_s: float) -> None:
    """Do what write_pairs does besides the ledger, to be taken off its figure."""
    numbers = iter(range(num_pairs))

    async def work() -> None:
        for number in numbers:
            make_reply(number)
            await asyncio.sleep(0)
            await asyncio.sleep(latency_s)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(num_workers)))


def measure_writing(folder: Path, options: argparse.Namespace) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    asyncio.run(idle(options.pairs, options.workers, options.latency))
    idle_s, idle_wall_s = time.process_time() - cpu, time.perf_counter() - wall
    num_synchronisations = count_synchronisations()
    with ExitStack() as stack:
        cache = stack.enter_context(AnswerCache(folder / "cache", print)) if options.cache else None
        with Ledger(folder / "run", cache) as ledger:
            cpu, wall = time.process_time(), time.perf_counter()
            asyncio.run(write_pairs(ledger, options.pairs, options.workers, options.latency))
            assert ledger.spent().num_replies == options.pairs
        cpu_s, wall_s = time.process_time() - cpu - idle_s, time.perf_counter() - wall
    print(
        f"{options.pairs} marks and replies, {options.workers} in flight at {options.latency * 1000:.0f} ms: "
        f"{cpu_s / options.pairs * 1e6:.0f} CPU ms per 1,000 pairs, {num_synchronisations()} synchronisations, "
        f"{options.pairs / wall_s:.0f} pairs/s (without a ledger {options.pairs / idle_wall_s:.0f}/s)"
    )


def measure_finding(folder: Path, num_stored: int) -> None:
    with Ledger(folder / "large") as ledger:
        for start in range(0, num_stored, 500):
            from instructgen.ledger.books import make_bought

            ledger.write_events([make_bought(make_reply(n)) for n in range(start, min(start + 500, num_stored))])
    size_mb = sum(path.stat().st_size for path in (folder / "large").iterdir()) / 1e6
    cpu, wall = time.process_time(), time.perf_counter()
    ledger = Ledger(folder / "large")
    print(
        f"open a ledger of {num_stored} replies ({size_mb:.0f} MB): {time.process_time() - cpu:.2f} CPU s, "
        f"{time.perf_counter() - wall:.2f} s"
    )
    ids = [make_reply(number).request_id for number in range(num_stored)]
    with ledger:
        for title, order in (("as they were stored", ids), ("in any order", random.Random(1).sample(ids, len(ids)))):
            cpu = time.process_time()
            assert all(ledger.find_reply(request_id) is not None for request_id in order)
            one_us = (time.process_time() - cpu) / num_stored * 1e6
            print(f"find {title}: {one_us:.1f} CPU us each")
        cpu = time.process_time()
        assert all(ledger.is_first_use(request_id) for request_id in ids)
        print(f"is_first_use: {(time.process_time() - cpu) / num_stored * 1e6:.1f} CPU us each")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--stored", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=256, help="requests in flight")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds from mark to reply")
    parser.add_argument("--cache", action="store_true", help="with a shared answer cache")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure_writing(Path(folder), options)
        if options.stored:
            measure_finding(Path(folder), options.stored)
    os.sync()


if __name__ == "__main__":
    main()
