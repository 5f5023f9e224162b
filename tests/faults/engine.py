"""What the fault tests and bench/faults.py share: builds as processes, and what the servers' records say of them."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.chat_server import Act, ChatServer, Exchange, Fault, answer_like_shots, prompt_key
from tests.support.cli import Process, environment, start_main
from tests.support.coco_folder import make_coco
from tests.support.warm import COMMAND_LINE, Files, open_input

NUM_IMAGES = 40
CONCURRENCY = 8
_BLOCK = 512  # bytes, the unit of `ulimit -f`


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended; `code` is negative where a signal did it."""

    code: int
    out: str
    err: str
    peak_mb: float

    @property
    def result(self) -> dict[str, Any]:
        """The last line of standard output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found

    def total(self, name: str) -> int:
        """Return planned, accepted, rejected or failed units of all types."""
        return int(sum(self.result[name].values()))


@dataclass(slots=True)
class Life:
    """One process of a build. `num_excused`: how many answers may be bought again because of how it ended."""

    process: "Process | subprocess.Popen[bytes]"
    stem: Path
    concurrency: int
    num_excused: int = 0
    ended_s: float = 0.0

    def signal(self, number: int) -> None:
        if self.process.returncode is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Kill at once: what is in flight may be asked again."""
        self.num_excused = self.concurrency
        self.ended_s = time.monotonic()
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float = 120) -> Ended:
        deadline_s = time.monotonic() + timeout_s
        peak_mb = 0.0
        code = None
        while code is None:
            peak_mb = max(peak_mb, read_peak_mb(self.process.pid))
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.02)
            if code is None and time.monotonic() > deadline_s:
                self.kill()
                self.process.wait()
                raise AssertionError(f"no end within {timeout_s} s: {self._read('err')[-800:]}")
        self.ended_s = self.ended_s or time.monotonic()
        return Ended(code, self._read("out"), self._read("err"), peak_mb)

    def _read(self, name: str) -> str:
        return self.stem.with_suffix(f".{name}").read_text(errors="replace")


@dataclass(slots=True)
class Tally:
    """What the servers saw in all lives of one build.

    `lost`: prompts that got a whole answer and are neither in the dataset nor counted as rejected; None where the
    last run made no dataset. `asked_again`:
    requests for a prompt that had been answered before. `beyond`: those of them that were not in flight at a
    kill, which are the last answers before it, as many as may be in flight.
    """

    lost: int | None = None
    asked_again: int = 0
    beyond: int = 0
    num_lives: int = 0


@dataclass(slots=True)
class Engine:
    """One dataset folder, built in one or several processes against servers that the test owns."""

    folder: Path
    seed: int = 0
    num_images: int = NUM_IMAGES
    lives: list[Life] = field(default_factory=list)
    servers: list[ChatServer] = field(default_factory=list)
    last: Ended | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.set_num_images(self.num_images)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *exc_info: object) -> None:
        for life in self.lives:
            if life.process.returncode is None:
                life.kill()
                life.process.wait()
        self._open.close()

    @property
    def out(self) -> Path:
        return self.folder / "ds"

    @property
    def draw(self) -> random.Random:
        return random.Random(f"{self.seed} {len(self.lives)}")

    def set_num_images(self, num: int) -> None:
        self.num_images = num
        make_coco(self.folder / "coco", num)

    def serve(self, *, delay_s: float = 0.0, fault: Fault | None = None, text: str | None = None) -> ChatServer:
        server = self._open.enter_context(ChatServer(delay_s=delay_s, fault=fault, text=text))
        self.servers.append(server)
        return server

    def start(
        self,
        *more: str | Path,
        server: ChatServer | None = None,
        toml: str | None = None,
        concurrency: int = CONCURRENCY,
        max_file_bytes: int | None = None,
        env: dict[str, str] | None = None,
    ) -> Life:
        """Start a build of every image's conversation. `server` None is the first one; `toml` may name others."""
        command = ["build", "--root", str(self.folder / "coco")]
        command += ["--types", "conv", "--out", str(self.out), "--concurrency", str(concurrency), "--json"]
        if toml is not None:
            pipeline = self.folder / f"{len(self.lives)}.toml"
            pipeline.write_text(toml)
            command += ["--pipeline", str(pipeline)]
        if toml is None or "servers]]" not in toml:
            command += ["--base-url", (server or self.servers[0]).base_url, "--model", "m"]
        command += map(str, more)
        changed = environment(**(env or {}))
        if max_file_bytes is not None:
            limited = ["sh", "-c", f'ulimit -f {max_file_bytes // _BLOCK}; exec "$@"', "sh"]
            return self.start_command([*limited, sys.executable, "-m", "instructgen", *command], concurrency, changed)
        return self._begin(concurrency, lambda files: start_main(COMMAND_LINE, command, changed, files))

    def start_command(self, command: Sequence[str], concurrency: int, env: dict[str, str]) -> Life:
        """Start any client of the servers, as another life of the build."""
        return self._begin(
            concurrency,
            lambda files: subprocess.Popen(
                command, stdin=files[0], stdout=files[1], stderr=files[2], env=env, start_new_session=True
            ),
        )

    def _begin(self, concurrency: int, start: "Callable[[Files], Process | subprocess.Popen[bytes]]") -> Life:
        for each in self.servers:
            each.begin_life(len(self.lives))
        stem = self.folder / f"life-{len(self.lives)}"
        with (
            open_input() as nothing,
            stem.with_suffix(".out").open("wb") as out,
            stem.with_suffix(".err").open("wb") as err,
        ):
            life = Life(start((nothing, out.fileno(), err.fileno())), stem, concurrency)
        self.lives.append(life)
        return life

    def wait(self, life: Life, timeout_s: float = 120) -> Ended:
        self.last = life.wait(timeout_s)
        return self.last

    def run(self, *more: str | Path, timeout_s: float = 120, **options: Any) -> Ended:
        return self.wait(self.start(*more, **options), timeout_s)

    @property
    def exchanges(self) -> list[Exchange]:
        return sorted((each for server in self.servers for each in server.exchanges), key=lambda each: each.began_s)

    def num_requests(self, life: int | None = None) -> int:
        """Count what the servers were asked, in all or in one life of the build."""
        return sum(life is None or each.life == life for each in self.exchanges)

    def tally(self) -> Tally:
        answered: dict[tuple[str, str], Exchange] = {}
        counts = Tally(num_lives=len(self.lives))
        excused = self._in_flight_at_kills()
        repeated: set[tuple[tuple[str, str], int]] = set()
        for each in self.exchanges:
            key = (each.prompt, each.model)
            before = answered.get(key)
            if before is not None and before.ended_s <= each.began_s and (key, each.life) not in repeated:
                repeated.add((key, each.life))
                counts.asked_again += 1
                counts.beyond += id(before) not in excused
            if each.outcome == "answered":
                answered[key] = each
        counts.lost = self._num_lost(len({prompt for prompt, _ in answered}))
        return counts

    def _in_flight_at_kills(self) -> set[int]:
        """Return the ids of the last answers before each kill: the client may not have had them on disk yet."""
        excused: set[int] = set()
        for number, life in enumerate(self.lives):
            done = [each for each in self.exchanges if each.life == number and each.outcome == "answered"]
            done.sort(key=lambda each: each.ended_s)
            excused.update(id(each) for each in done[len(done) - min(life.num_excused, len(done)) :])
        return excused

    def _num_lost(self, num_answered: int) -> int | None:
        if self.last is None or self.last.code not in (0, 4):
            return None
        return max(0, num_answered - self.last.total("accepted") - self.last.total("rejected"))

    def check_nothing_bought_twice(self) -> None:
        tally = self.tally()
        assert (tally.lost, tally.beyond) == (0, 0), tally

    def check_complete(self, num_rejected: int = 0) -> None:
        """Every unit is in the dataset with the answer to its own prompt, and nothing was bought twice."""
        ended = self.last
        assert ended is not None
        assert ended.code == 0, (ended.code, ended.err[-800:])
        check_adds_up(ended)
        assert ended.total("planned") == self.num_images
        assert ended.total("rejected") == num_rejected, ended.result["reasons"]
        assert ended.total("accepted") == self.num_images - num_rejected
        self.check_nothing_bought_twice()
        self.check_answers()

    def check_answers(self) -> None:
        """Every row holds the answer that the server made for the prompt of that row's image."""
        assert self.last is not None
        rows = read_rows(self.last)
        bodies = [body for server in self.servers for body in server.bodies]
        answers = {find_image(body): answer_like_shots(body).rpartition("Answer:\n")[2] for body in bodies}
        assert len({prompt_key(body) for body in bodies}) >= len(rows), "prompts were not distinct"
        assert rows
        for row in rows:
            assert row["messages"][-1]["content"] == answers[int(row["image_id"].rpartition("/")[2]) - 10]


def read_peak_mb(pid: int) -> float:
    """Return the most memory that a process has had; the kernel's ru_maxrss would count its parent's as well."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def check_adds_up(ended: Ended) -> None:
    result = ended.result
    for name, planned in result["planned"].items():
        assert planned == result["accepted"][name] + result["rejected"][name] + result["failed"][name], result
    assert sum(result["reasons"].values()) == ended.total("rejected") + ended.total("failed"), result


def read_rows(ended: Ended) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    paths = sorted(Path(ended.result["out"]).glob("data/*.parquet"))
    return [row for path in paths for row in pq.read_table(path, columns=["image_id", "messages"]).to_pylist()]


def find_image(body: dict[str, Any]) -> int:
    """Return which image of tests.support.coco_folder a prompt is about."""
    found = re.search(r" number (\d+)", body["messages"][-1]["content"])
    assert found is not None, body["messages"][-1]["content"]
    return int(found[1])


def first_tries(acts: Sequence[Act]) -> Fault:
    """Return a fault that gives each act to a prompt of its own, the first time that it is asked."""
    seen: set[str] = set()

    def fault(number: int, body: dict[str, Any]) -> Act | None:
        prompt = prompt_key(body)
        if prompt in seen:
            return None
        seen.add(prompt)
        return acts[len(seen) - 1] if len(seen) <= len(acts) else None

    return fault


def storm(acts: Sequence[Act], first: int, end: int) -> Fault:
    """Return a fault that answers requests number `first` to `end` with the acts in turn."""
    return lambda number, body: acts[number % len(acts)] if first <= number < end else None
