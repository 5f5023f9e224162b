"""A fast server of chat completions on loopback, for benchmarks: it counts requests and can be slow or strict.

    python bench/mock_server.py --port 0 --delay-ms 0 --answer-bytes 1200

The first line that it prints is its port. Answers are a question and an answer that differ from prompt to prompt
(they hold a hash of the request), so they parse as conversations; they name the model that was asked, and usage.

    GET /stats     {"requests", "distinct", "answered", "refused", "refused_late" (those that had been told to wait),
                   "malformed", "max_in_flight", "seconds"} as JSON
    POST /reset    sets the counts to zero
    GET /v1/models one model; clients look whether the server is up

A limit is a fixed window (all of it at once, then none until the window ends) or, with --limit-kind bucket, a token
bucket that starts full; what is over it gets 429. Where --sigma is set, delays are log-normal with mean --delay-ms.
It speaks as much HTTP as clients need: keep-alive, Connection: close and Content-Length, one answer at a
time on a connection.
"""

import argparse
import asyncio
import functools
import hashlib
import json
import math
import random
import re
import sys
import time
import typing
from dataclasses import dataclass, field

_MODEL = re.compile(rb'"model":\s*"([^"]*)"')
_CLOSE = re.compile(rb"connection:\s*close", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_NUM_VARIANTS = 61
# What arrives this soon after a client was told to wait was on its way already.
_IN_FLIGHT_S = 0.1
_COLOURS = ("red", "blue", "green", "white", "black", "brown", "grey", "yellow", "orange", "pink", "silver")
_THINGS = ("bench", "kite", "bowl", "clock", "truck", "horse", "chair", "boat", "lamp", "fence", "dog", "cup", "tree")
_PLACES = ("near walls", "by roads", "under roofs", "beside grass", "among houses", "behind gates")


@dataclass
class Limit:
    """How many requests may be answered in a span of time; `num` None is no limit."""

    num: float | None
    span_s: float
    is_bucket: bool
    _left: float = 0.0
    _since_s: float = -math.inf

    def take(self, now_s: float) -> float:
        """Return 0 where a request may pass, else the seconds after which one may."""
        if self.num is None:
            return 0.0
        elapsed_s = now_s - self._since_s
        if self.is_bucket:
            self._left = min(self.num, self._left + elapsed_s * self.num / self.span_s)
            self._since_s = now_s
        elif elapsed_s >= self.span_s:
            self._left, self._since_s = self.num, now_s
        if self._left >= 1:
            self._left -= 1
            return 0.0
        wait_s = (1 - self._left) * self.span_s / self.num if self.is_bucket else self.span_s - elapsed_s
        return max(wait_s, 0.001)


@dataclass
class Site:
    """What all connections share: settings, ready-made answers and counts."""

    delay_s: float
    sigma: float
    limit: Limit
    retry_after: str
    has_limit_headers: bool
    tails: list[bytes]
    num_answer_tokens: int
    draw: random.Random
    num_requests: int = 0
    num_answered: int = 0
    num_refused: int = 0
    num_refused_late: int = 0
    num_malformed: int = 0
    num_in_flight: int = 0
    max_in_flight: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    told_s: float = -math.inf
    told_until_s: float = -math.inf
    seen: set[bytes] = field(default_factory=set)

    def reset(self) -> None:
        self.num_requests = self.num_answered = self.num_refused = self.num_malformed = self.max_in_flight = 0
        self.num_refused_late = 0
        self.first_s = self.last_s = 0.0
        self.seen.clear()

    def stats(self) -> bytes:
        return json.dumps(
            {
                "requests": self.num_requests,
                "distinct": len(self.seen),
                "answered": self.num_answered,
                "refused": self.num_refused,
                "refused_late": self.num_refused_late,
                "malformed": self.num_malformed,
                "max_in_flight": self.max_in_flight,
                "seconds": round(self.last_s - self.first_s, 4),
            }
        ).encode()

    def draw_delay_s(self) -> float:
        if not self.sigma:
            return self.delay_s
        return self.delay_s * math.exp(self.sigma * self.draw.gauss(0, 1) - self.sigma**2 / 2)

    def complete(self, body: bytes) -> bytes:
        """Return the answer's JSON."""
        digest = hashlib.blake2b(body, digest_size=8)
        self.seen.add(digest.digest())
        asked = _MODEL.search(body)
        tokens = len(body) // 4
        return b"".join(
            (
                b'{"id":"chatcmpl-',
                (mark := digest.hexdigest().encode()),
                b'","object":"chat.completion","created":1700000000,"model":"',
                asked[1] if asked else b"mock",
                b'","choices":[{"index":0,"message":{"role":"assistant","content":"Question:\\nWhat can be seen at ',
                mark,
                self.tails[int(mark, 16) % _NUM_VARIANTS],
                b'","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,'
                b'"completion_tokens":%d,"total_tokens":%d},"service_tier":"default","system_fingerprint":"fp_mock"}'
                % (tokens, self.num_answer_tokens, tokens + self.num_answer_tokens),
            )
        )


class Connection(asyncio.Protocol):
    def __init__(self, site: Site) -> None:
        self.site = site
        self.buffer = b""
        self.is_busy = False
        self.is_last = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = typing.cast("asyncio.Transport", transport)  # uvloop's is no subclass of asyncio's

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self.is_busy = True

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if not self.is_busy:
            self._read_one()

    def _read_one(self) -> None:
        end = self.buffer.find(b"\r\n\r\n")
        if end == -1:
            return
        head = self.buffer[:end]
        length = _LENGTH.search(head)
        stop = end + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < stop:
            if b"100-continue" in head and len(self.buffer) == end + 4:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        body = self.buffer[end + 4 : stop]
        self.buffer = self.buffer[stop:]
        self.is_last = _CLOSE.search(head) is not None
        self._take(head[: head.find(b"\r\n") if b"\r\n" in head else end], body)

    def _take(self, line: bytes, body: bytes) -> None:
        site = self.site
        if line.startswith(b"GET /stats"):
            return self._send(b"200 OK", site.stats())
        if line.startswith(b"POST /reset"):
            site.reset()
            return self._send(b"200 OK", b"{}")
        if line.startswith(b"GET /v1/models"):
            return self._send(b"200 OK", b'{"object":"list","data":[{"id":"mock-model","object":"model"}]}')
        if not (line.startswith(b"POST ") and b"/chat/completions" in line and body.startswith(b"{")):
            site.num_malformed += 1
            return self._send(b"404 Not Found", b'{"error":{"message":"only /v1/chat/completions is here"}}')
        now_s = time.monotonic()
        site.num_requests += 1
        site.first_s = site.first_s or now_s
        site.last_s = now_s
        wait_s = site.limit.take(now_s)
        if wait_s:
            return self._refuse(wait_s, body)
        site.num_in_flight += 1
        site.max_in_flight = max(site.max_in_flight, site.num_in_flight)
        delay_s = site.draw_delay_s()
        if not delay_s:
            return self._answer(body)
        self.is_busy = True
        asyncio.get_running_loop().call_later(delay_s, self._answer, body)
        return None

    def _answer(self, body: bytes) -> None:
        site = self.site
        site.num_in_flight -= 1
        completion = site.complete(body)
        site.last_s = time.monotonic()
        if self.transport.is_closing():
            return
        site.num_answered += 1
        extra = b""
        if site.has_limit_headers and site.limit.num is not None:
            per_minute = site.limit.num * 60 / site.limit.span_s
            extra = b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-remaining-requests: %d\r\n" % (
                per_minute,
                max(0, int(site.limit._left)),  # noqa: SLF001
            )
        self.is_busy = False
        self._send(b"200 OK", completion, extra)
        if self.buffer:
            self._read_one()

    def _refuse(self, wait_s: float, body: bytes) -> None:
        site = self.site
        site.num_refused += 1
        now_s = time.monotonic()
        if now_s >= site.told_until_s:
            site.told_s, site.told_until_s = now_s, now_s + wait_s
        site.num_refused_late += now_s > site.told_s + _IN_FLIGHT_S
        site.seen.add(hashlib.blake2b(body, digest_size=8).digest())
        asked = {
            "seconds": b"retry-after: %d\r\n" % math.ceil(wait_s),
            "exact": b"retry-after: %.3f\r\nretry-after-ms: %d\r\n" % (wait_s, math.ceil(wait_s * 1000)),
            "none": b"",
        }
        refusal = b'{"error":{"message":"too many requests","type":"requests","code":"rate_limit_exceeded"}}'
        self._send(b"429 Too Many Requests", refusal, asked[site.retry_after])

    def _send(self, status: bytes, body: bytes, extra: bytes = b"") -> None:
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b"
            % (status, extra, len(body), body)
        )
        if self.is_last:
            self.transport.close()


def make_tails(num_bytes: int) -> list[bytes]:
    """Return the ends of answers as JSON text, each with its own run of sentences."""
    sentences = [
        f"The {colour} {thing} stands {place}."
        for place in _PLACES
        for shift in range(len(_COLOURS))
        for colour, thing in zip(_COLOURS[shift:] + _COLOURS[:shift], _THINGS, strict=False)
    ]
    random.Random(0).shuffle(sentences)
    return [_make_tail(sentences, number, num_bytes) for number in range(_NUM_VARIANTS)]


def _make_tail(sentences: list[str], start: int, num_bytes: int) -> bytes:
    text = "?\n===\nAnswer:\n"
    number = start * 7
    parts = [text]
    size = len(text) + 50
    while size < num_bytes or len(parts) == 1:
        sentence = sentences[number % len(sentences)]
        parts.append(sentence if len(parts) == 1 else f" {sentence}")
        size += len(parts[-1])
        number += 1
    return json.dumps("".join(parts))[1:-1].encode()


async def serve(site: Site, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(functools.partial(Connection, site), "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--sigma", type=float, default=0.0, help="of the delay's logarithm; 0: all alike")
    parser.add_argument("--seed", type=int, default=0, help="of the delays")
    parser.add_argument("--answer-bytes", type=int, default=1200)
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--limit-per-s", type=float)
    limits.add_argument("--limit-per-min", type=float)
    parser.add_argument("--limit-kind", choices=("window", "bucket"), default="window")
    parser.add_argument("--retry-after", choices=("seconds", "exact", "none"), default="seconds")
    parser.add_argument("--limit-headers", action="store_true", help="x-ratelimit-* in each answer")
    options = parser.parse_args()
    limit = Limit(
        options.limit_per_s or options.limit_per_min,
        1.0 if options.limit_per_s else 60.0,
        options.limit_kind == "bucket",
    )
    site = Site(
        delay_s=options.delay_ms / 1000,
        sigma=options.sigma,
        limit=limit,
        retry_after=options.retry_after,
        has_limit_headers=options.limit_headers,
        tails=make_tails(options.answer_bytes),
        num_answer_tokens=options.answer_bytes // 4,
        draw=random.Random(options.seed),
    )
    try:
        import uvloop
    except ImportError:
        runner = asyncio.run
    else:
        runner = uvloop.run
    try:
        runner(serve(site, options.port))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
