"""The fault table: what is lost and what is bought twice, counted by the servers of the fault tests.

    python bench/faults.py --runs 2 --out table.md
    python bench/faults.py --only kill --kills 50
    python bench/faults.py --peer curator --python bench/peers/.venv/curator/bin/python --kills 5

Each row runs a test of tests/faults against the real command line several times. `lost` counts whole answers that
the server sent and that are not in the dataset ("-" where none is made); `asked again` counts requests for prompts
that had been answered before; `beyond in flight` those of them that were not among the last answers before a kill or
a full disk, as many as may be in flight. With --peer the kill test is done to another tool, with its script in
bench/peers.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.faults import (  # noqa: E402  this script is no part of a package
    test_broken_answers,
    test_budget,
    test_clock,
    test_collapse,
    test_connections,
    test_disk,
    test_kill,
    test_rate_limits,
    test_servers,
    test_slow_server,
    test_two_writers,
)
from tests.faults.engine import Engine, first_tries  # noqa: E402
from tests.support.chat_server import Act  # noqa: E402

Scenario = Callable[[Engine], object]
KILL_REQUESTS = 500
KILL_IN_FLIGHT = 50
KILL_DELAY_S = 0.15


@dataclass
class Row:
    """What several runs of one fault came to."""

    name: str
    num_runs: int = 0
    num_lost: int | None = None
    num_again: int = 0
    num_beyond: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def line(self) -> str:
        verdict = self.skipped or ("survived" if not self.wrong else f"{len(self.wrong)} failed: {self.wrong[0]}")
        cells = (
            self.name,
            self.num_runs,
            "-" if self.num_lost is None else self.num_lost,
            self.num_again,
            self.num_beyond,
            verdict,
        )
        return "| " + " | ".join(str(cell) for cell in cells) + " |"


HEAD = "| fault | runs | lost | asked again | beyond in flight | verdict |\n|---|---|---|---|---|---|"


def try_broken_answer(act: Act, engine: Engine) -> None:
    engine.serve(fault=first_tries([act] * 5))
    engine.run()
    engine.check_complete()


def run_budget(test: Callable[..., None], engine: Engine) -> None:
    test(engine, test_budget.open_server(engine))


def list_faults() -> Iterator[tuple[str, Scenario]]:
    yield "SIGTERM, then run again", test_kill.stop_and_go_on
    yield "Ctrl-C, then run again", partial(test_kill.stop_and_go_on, number=signal.SIGINT)
    yield (
        "second Ctrl-C while the server hangs",
        test_kill.test_second_ctrl_c_ends_at_once_and_loses_just_what_is_in_flight,
    )
    yield "429 storm with Retry-After", partial(test_rate_limits.test_storm_of_refusals_loses_nothing, says_when=True)
    yield "429 storm without", partial(test_rate_limits.test_storm_of_refusals_loses_nothing, says_when=False)
    yield "Retry-After of 2 s", test_rate_limits.test_retry_after_is_obeyed
    yield "Retry-After that makes no sense", test_rate_limits.test_retry_after_that_makes_no_sense_is_survived
    yield "burst of 500, 502, 503", test_rate_limits.test_burst_of_server_errors_loses_nothing
    for name, case in test_rate_limits.FATAL.items():
        test = test_rate_limits.test_refusal_of_everything_stops_the_run_while_it_is_cheap
        yield (
            f"{name}: the run stops",
            partial(test, **dict(zip(("num_good", "status", "error", "word"), case, strict=True))),
        )
    yield "connections refused", test_connections.test_refused_connections_end_the_run_with_a_clear_message
    yield "server restarts in the middle", test_connections.test_server_that_restarts_loses_nothing_and_is_waited_for
    for name, acts in test_connections.BROKEN.items():
        yield f"connection: {name}", partial(test_connections.survive, acts=acts, num_each=5)
    yield "16 late answers", test_connections.test_late_answers_are_never_taken_for_the_next_request
    for says_so in (True, False):
        test = test_connections.test_server_that_closes_after_each_answer_is_asked_nothing_twice
        yield f"closed after each answer, {'said' if says_so else 'unsaid'}", partial(test, says_so=says_so)
    for name, act in test_broken_answers.BROKEN.items():
        yield f"answer: {name}", partial(try_broken_answer, act)
    yield "answers of 50 MB, gzip bomb, endless headers", test_broken_answers.test_huge_answers_do_not_fill_the_memory
    odd = test_broken_answers.test_every_kind_of_odd_answer_is_named_and_never_paid_for_twice
    yield "wrong model, refusal, cut off, filtered, no usage", odd
    yield "duplicated choices", test_broken_answers.test_several_choices_make_one_sample_each
    one = test_broken_answers.test_one_refused_request_among_200_fails_alone_and_is_the_only_one_asked_again
    yield "one HTTP 400 among 200", one
    for name, case in test_collapse.KINDS.items():
        test = test_collapse.test_collapse_in_the_middle_stops_the_run
        yield f"collapse: {name}", partial(test, changes=case[0], word=case[1])
    refused = test_collapse.test_a_server_that_takes_no_request_stops_the_run_with_its_words
    yield "every request refused (HTTP 400)", refused
    yield "token budget, 64 in flight", partial(run_budget, test_budget.test_token_budget_is_never_passed)
    dollars = test_budget.test_dollar_budget_is_never_passed_also_after_a_kill
    yield "dollar budget and kill -9, 64 in flight", partial(run_budget, dollars)
    yield "file at its size limit", test_disk.test_file_at_its_size_limit_stops_the_run_and_loses_nothing
    yield "disk full", test_disk.test_full_disk_stops_the_run_and_loses_nothing
    yield "folder becomes read-only", test_disk.test_folder_that_becomes_read_only_stops_the_run_and_loses_nothing
    for name in test_disk.DAMAGES:
        yield name, partial(test_disk.damage_and_go_on, names=[name])
    yield "clock jumps by days, and kill -9", test_clock.test_jumping_clock_loses_nothing
    yield "server 100 times slower", test_slow_server.test_server_that_becomes_100_times_slower_is_waited_for
    yield "two writers", test_two_writers.test_second_writer_is_refused_and_sends_nothing
    yield "one of two servers dies", test_servers.test_dead_server_is_drained_and_the_other_carries_on


def try_once(row: Row, scenario: Scenario, seed: int, num_images: int | None = None) -> None:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, Engine(Path(folder), seed=seed) as engine:
        if num_images is not None:
            engine.set_num_images(num_images)
        try:
            scenario(engine)
        except pytest.skip.Exception as skip:
            row.skipped = f"not run: {skip}"
            return
        except Exception as error:  # noqa: BLE001  the verdict of the row, whatever it is
            row.wrong.append((str(error) or type(error).__name__).splitlines()[0][:160])
        row.num_runs += 1
        tally = engine.tally()
        if tally.lost is not None:
            row.num_lost = (row.num_lost or 0) + tally.lost
        row.num_again += tally.asked_again
        row.num_beyond += tally.beyond


def kill_peer(peer: str, python: Path, engine: Engine) -> None:
    """Kill another tool at a random moment, run it again, and count what its server saw."""
    draw = random.Random(engine.seed)
    server = engine.serve(delay_s=KILL_DELAY_S)
    cache = engine.folder / "cache"
    cache.mkdir()
    command = [str(python), str(ROOT / "bench" / "peers" / f"ask_{peer}.py"), "--base-url", server.base_url]
    command += ["--requests", str(KILL_REQUESTS), "--in-flight", str(KILL_IN_FLIGHT), "--folder", str(cache)]
    env = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    first = engine.start_command(command, KILL_IN_FLIGHT, env)
    server.at(draw.randrange(1, KILL_REQUESTS), first.kill, draw.uniform(0, KILL_DELAY_S))
    first.wait(300)
    num_answered = len(server.answered)
    time.sleep(2 * KILL_DELAY_S)  # what another process of the tool may still send
    ended = engine.start_command(command, KILL_IN_FLIGHT, env).wait(300)
    num_again = engine.num_requests(life=1) - (KILL_REQUESTS - num_answered)
    print(f"  killed at {num_answered} answers; {num_again} of them asked again", file=sys.stderr, flush=True)
    assert ended.code == 0, ended.err[-300:].replace("\n", " ")
    assert json.loads(ended.out.splitlines()[-1])["requests"] == KILL_REQUESTS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of each fault")
    parser.add_argument("--kills", type=int, default=50, help="runs of the kill test")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--out", type=Path, help="a Markdown file for the table")
    parser.add_argument("--peer", help="do the kill test to this tool instead: bench/peers/ask_<peer>.py")
    parser.add_argument("--python", type=Path, help="the Python of the tool's environment")
    options = parser.parse_args()
    kill = f"kill -9 at a random moment, {KILL_REQUESTS} requests, {KILL_IN_FLIGHT} in flight"
    faults: list[tuple[str, Scenario, int, int | None]] = []
    if options.peer:
        scenario: Scenario = partial(kill_peer, options.peer, options.python)
        faults = [(f"{options.peer}: {kill}", scenario, options.kills, None)]
    else:
        our_kill = partial(test_kill.kill_and_go_on, concurrency=KILL_IN_FLIGHT, delay_s=KILL_DELAY_S)
        faults = [(kill, our_kill, options.kills, KILL_REQUESTS)]
        faults += [(name, scenario, options.runs, None) for name, scenario in list_faults()]
    lines = [HEAD]
    print(HEAD)
    for name, scenario, num_runs, num_images in faults:
        if options.only not in name or not num_runs:
            continue
        row = Row(name)
        for seed in range(num_runs):
            try_once(row, scenario, seed, num_images)
        lines.append(row.line())
        print(lines[-1], flush=True)
        if options.out is not None:
            options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
