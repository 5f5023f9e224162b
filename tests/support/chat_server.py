"""A real HTTP server on loopback that speaks chat completions, counts what it is asked, and fails as told.

It runs on an event loop in a thread of its own. What tests judge by is its own record: every request with its
prompt, the life of the client in which it came, what it was billed, and whether the whole answer was sent.
"""

import asyncio
import json
import math
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.support.answers import answer_like_shots, find_text, prompt_key

Outcome = Literal["open", "answered", "refused", "broken", "lost"]
_NO_LINGER = struct.pack("ii", 1, 0)
_TURNS_TO_TAKE = 10  # of the loop, in which it accepts all connections that are there


@dataclass(frozen=True, slots=True)
class Act:
    """How to answer one request; as it stands, rightly. The answer's bytes are its head and its body together."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None  # None: the right answer
    is_answer: bool | None = None  # whether it counts as a whole answer; None: where it is the right one, uncut
    delay_s: float = 0.0
    cut_at: int | None = None  # bytes that are sent; counted from the end where negative
    then: Literal["keep", "close", "drop", "reset", "hang"] = "keep"  # drop: close without a word
    trickle_s: float = 0.0  # between pieces of 16 bytes


# Given the number of the request (from 0) and its body: (status, headers, body bytes), an Act, or None for right.
Fault = Callable[[int, dict[str, Any]], Act | tuple[int, dict[str, str], bytes] | None]
# What every answer says, or what tells it from the request's body.
Text = str | Callable[[dict[str, Any]], str]


@dataclass(slots=True)
class Exchange:
    """One request as the server saw it. `life` counts the client's processes, each with connections of its own."""

    number: int
    life: int
    prompt: str
    model: str
    began_s: float
    ended_s: float = math.inf
    outcome: Outcome = "open"
    billed_tokens: int = 0


class ChatServer:
    """Use as a context manager. `asked` counts distinct prompts; `answered` those that got a whole answer."""

    def __init__(self, *, delay_s: float = 0.0, fault: Fault | None = None, text: Text | None = None) -> None:
        self.delay_s = delay_s
        self.fault = fault
        self.text = text
        self.usage: Callable[[dict[str, Any]], tuple[int, int]] = lambda _: (100, 20)
        self.life = 0
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.exchanges: list[Exchange] = []
        self.malformed: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.max_in_flight = 0
        self.num_connections = 0
        self._in_flight = 0
        self._hooks: list[tuple[int, Callable[[], object], float]] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="chat server", daemon=True)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_up = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def num_requests(self) -> int:
        return len(self.exchanges)

    @property
    def billed_tokens(self) -> int:
        """Tokens of every answer that was worked on, whether or not it reached the client."""
        return sum(exchange.billed_tokens for exchange in self.exchanges)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_up.wait(10)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def at(self, num_answered: int, callback: Callable[[], object], after_s: float = 0.0) -> None:
        """Call back, in the server's thread, `after_s` after so many whole answers in all have been sent."""
        self._hooks.append((num_answered, callback, after_s))

    def begin_life(self, number: int) -> None:
        """Count what connects from now on to the client's next process, once all of the last one has been taken."""
        self._call(self._begin_life(number))

    async def _begin_life(self, number: int) -> None:
        for _ in range(_TURNS_TO_TAKE):
            await asyncio.sleep(0)
        self.life = number

    def go_down(self) -> None:
        """Close every connection and listen no more: connecting is refused."""
        self._loop.call_soon_threadsafe(self._close_all)

    def come_up(self) -> None:
        """Listen again at the same address."""
        self._call(self._listen())

    def restart(self, after_s: float) -> None:
        """Go down and come up again after a while; to be called in the server's thread."""
        self._close_all()
        self._loop.call_later(after_s, lambda: self._tasks.add(self._loop.create_task(self._listen())))

    def wait_for(self, count: int, timeout_s: float = 60) -> None:
        """Wait until so many requests have come in all."""
        deadline_s = time.monotonic() + timeout_s
        while self.num_requests < count:
            assert time.monotonic() < deadline_s, f"only {self.num_requests} of {count} requests came"
            time.sleep(0.005)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._is_up.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=2048)
        self._port = listener.getsockname()[1]
        self._server = await asyncio.start_server(self._talk, sock=listener, limit=2**20)

    def _close_all(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _stop(self) -> None:
        self._close_all()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, work: "Coroutine[None, None, None]") -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_connections += 1
        life = self.life
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer, life):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client was killed, or the server ends: that is what some tests do
        finally:
            self._writers.discard(writer)
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, life: int) -> bool:
        """Serve one request; False where the connection ends with it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body = self._check(head[0].split(" ")[1], headers, raw)
        if not body.get("messages"):
            await _send(writer, Act(400), b'{"error": {"message": "there are no messages"}}')
            return True
        prompt = prompt_key(body)
        exchange = Exchange(self.num_requests, life, prompt, str(body.get("model")), time.monotonic())
        self.exchanges.append(exchange)
        self.asked[prompt] += 1
        self.bodies.append(body)
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            act = _as_act(self.fault(exchange.number, body) if self.fault else None)
            if act.delay_s:
                await asyncio.sleep(act.delay_s)
            return await self._perform(act, exchange, body, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            exchange.outcome = "lost"
            raise
        finally:
            self._in_flight -= 1
            exchange.ended_s = time.monotonic()

    async def _perform(
        self,
        act: Act,
        exchange: Exchange,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        payload = act.body
        if payload is None:
            payload = json.dumps(self.complete(body)).encode()
        is_whole = act.cut_at is None and act.then != "hang"
        is_answer = act.is_answer if act.is_answer is not None else (act.body is None and is_whole)
        if act.body is None or is_answer:
            exchange.billed_tokens = sum(self.usage(body))
        if reader.at_eof() or writer.is_closing():
            exchange.outcome = "lost"
            return False
        await _send(writer, act, payload)
        if is_answer:
            self.answered[exchange.prompt] += 1
            exchange.outcome = "answered"
            self._run_hooks()
        else:
            exchange.outcome = "refused" if act.status >= 400 and is_whole else "broken"
        if act.then == "hang":
            await reader.read()
            return False
        if act.then == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            writer.transport.abort()
        return act.then == "keep" and act.cut_at is None

    def _run_hooks(self) -> None:
        total = self.answered.total()
        for hook in [hook for hook in self._hooks if hook[0] <= total]:
            self._hooks.remove(hook)
            self._loop.call_later(hook[2], hook[1])

    def _check(self, path: str, headers: dict[str, str], raw: bytes) -> dict[str, Any]:
        """Note everything that a strict server would refuse."""
        try:
            body: dict[str, Any] = json.loads(raw)
        except ValueError:
            self.malformed.append(f"not JSON: {raw[:80]!r}")
            return {}
        if not body.get("messages"):
            self.malformed.append("no messages")
            return body
        roles = [message.get("role") for message in body.get("messages", [])]
        wanted = ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
        if path != "/v1/chat/completions":
            self.malformed.append(f"path {path}")
        if roles != wanted:
            self.malformed.append(f"roles {roles}")
        if not all(find_text(message) for message in body["messages"]):
            self.malformed.append("a message without text")
        if not body.get("model") or not headers.get("authorization", "").startswith("Bearer "):
            self.malformed.append("no model or no key")
        return body

    def complete(self, body: dict[str, Any], text: str | None = None, finish_reason: str = "stop") -> dict[str, Any]:
        """Return the right answer to a request, for a fault to change."""
        own = self.text(body) if callable(self.text) else self.text
        content = text if text is not None else own or answer_like_shots(body)
        prompt_tokens, completion_tokens = self.usage(body)
        return {
            "id": "chatcmpl-test",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish_reason},
            ],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
        }


def _as_act(fault: Act | tuple[int, dict[str, str], bytes] | None) -> Act:
    if fault is None:
        return Act()
    return fault if isinstance(fault, Act) else Act(fault[0], fault[1], fault[2])


async def _send(writer: asyncio.StreamWriter, act: Act, payload: bytes) -> None:
    headers = {"content-type": "application/json", "content-length": str(len(payload)), **act.headers}
    if act.then == "close":
        headers["connection"] = "close"
    lines = [f"HTTP/1.1 {act.status} {act.status}", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    whole = head + payload if act.cut_at is None else (head + payload)[: act.cut_at]
    if not act.trickle_s:
        writer.write(whole)
        await writer.drain()
        return
    for start in range(0, len(whole), 16):
        writer.write(whole[start : start + 16])
        await writer.drain()
        await asyncio.sleep(act.trickle_s)
