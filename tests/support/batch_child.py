"""Runs a BatchRun on made-up units, in this process or in a child that a test may kill at any step.

The child prints what it was told, as JSON.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from instructgen.batch.files import BatchLimits
from instructgen.batch.run import BatchRun
from instructgen.batch.watch import BatchSettings
from instructgen.config import ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.generate.asked import Answered, Asked, Stop
from instructgen.generate.budget import Budget
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.observe.runlog import RunLog
from instructgen.prompting.requests import make_request
from instructgen.records import Decoding, Failed, Message
from instructgen.teachers.openai_batch_server import OpenAIBatchServer
from instructgen.teachers.openai_chat import OpenAIServer
from tests.support.cli import Process, environment, start_main
from tests.support.make import make_unit

DECODING = Decoding(temperature=0.5, max_tokens=100)
# Every poll at once, so that no test waits; a real run begins with 5 s.
QUICK = BatchSettings(first_poll_s=0.005, max_poll_s=0.01, resubmit_s=0.01, max_retry_wait_s=0.02, patience_s=1.0)


def make_server(base_url: str, folder: Path, model: str = "m") -> OpenAIServer:
    """Return the real server object, with a price of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    prices = folder / "prices.toml"
    prices.write_text('[models."?"]\nprompt = 1.0\ncompletion = 4.0\nbatch_discount = 0.5\n', encoding="utf-8")
    config = TeacherConfig(model=model, base_url=base_url, decoding=DECODING, prices=str(prices))
    return OpenAIServer(config, ServerConfig(), {})


def for_batches(server: OpenAIServer) -> OpenAIBatchServer:
    return server.for_batches()


def make_asked(number: int, prompt: str = "Describe:", model: str = "m") -> Asked:
    unit = make_unit(number)
    messages = (Message("system", "You are an assistant."), Message("user", f"{prompt} picture {number}"))
    return Asked(unit, make_request(unit, messages, model, DECODING))


@dataclass
class Outcome:
    """What a run told; `raised` is the message that it ended with, and `code` its exit code."""

    code: int = 0
    raised: str = ""
    answers: dict[str, str] = field(default_factory=dict)  # unit id -> text, or "!" and a reason
    new: list[str] = field(default_factory=list)  # request ids
    said: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # request ids that are to be asked live
    steps: list[str] = field(default_factory=list)
    spent_nano_usd: int = 0
    aside_nano_usd: int = 0
    ledger_nano_usd: int = 0


def run_batches(
    base_url: str,
    folder: Path,
    asked: Callable[[], Iterator[Asked]],
    *,
    settings: BatchSettings = QUICK,
    budget: Budget | None = None,
    stop: Stop | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    on_answer: Callable[[Answered], Asked | None] = lambda _: None,
    model: str = "m",
    cache: AnswerCache | None = None,
) -> Outcome:
    """Run once, as a build would, and return what happened."""
    outcome = Outcome()
    budget = budget or Budget()

    def take(answered: Answered) -> Asked | None:
        reply, unit_id = answered.reply, answered.asked.unit.unit_id
        assert unit_id not in outcome.answers, f"{unit_id} is told twice"
        outcome.answers[unit_id] = f"!{reply.reason}" if isinstance(reply, Failed) else reply.text
        if answered.is_new:
            outcome.new.append(reply.request_id)
        return on_answer(answered)

    def step(name: str) -> None:
        outcome.steps.append(name)
        on_step(name)

    async def run() -> None:
        server = make_server(base_url, folder, model)
        with Ledger(folder, cache, outcome.said.append) as ledger:
            batch = BatchRun(
                for_batches(server),
                ledger,
                folder / "batches",
                take,
                RunLog(folder / "log.jsonl"),
                outcome.said.append,
                budget,
                stop or Stop(),
                settings,
                checkpoint=step,
            )
            try:
                outcome.left = [one.request.request_id for one in await batch.answer_all(asked)]
                batch.check()
            except InstructgenError as error:
                outcome.code, outcome.raised = error.exit_code, str(error)
            finally:
                await server.close()
            outcome.ledger_nano_usd = ledger.spent().nano_usd

    asyncio.run(run())
    outcome.spent_nano_usd, outcome.aside_nano_usd = budget.spent.nano_usd, budget.aside.nano_usd
    return outcome


def start_child(base_url: str, folder: Path, num_units: int, **more: Any) -> Process:
    """Start a run in a process of its own; `kill_at` is the step, counted from 0, at which it kills itself."""
    arguments = {"base_url": base_url, "folder": str(folder), "num_units": num_units, **more}
    return start_main("tests.support.batch_child", [json.dumps(arguments)], environment())


def main() -> None:
    arguments = json.loads(sys.argv[1])
    num_steps = 0

    def on_step(_: str) -> None:
        nonlocal num_steps
        if num_steps == arguments.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        num_steps += 1

    stop = Stop()
    signal.signal(signal.SIGINT, lambda *_: stop.ask("stopped by a signal"))
    limits = BatchLimits(**arguments.get("limits", {}))
    settings = msgspec.structs.replace(QUICK, limits=limits)
    outcome = run_batches(
        arguments["base_url"],
        Path(arguments["folder"]),
        lambda: (make_asked(number) for number in range(arguments["num_units"])),
        settings=settings,
        stop=stop,
        on_step=on_step,
    )
    sys.stdout.write(json.dumps(msgspec.to_builtins(outcome)))
