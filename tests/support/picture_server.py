"""A web server on this machine that serves pictures well or badly, and writes down what it was asked."""

import asyncio
import gzip
import io
import random
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

LAST_MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


@dataclass(slots=True)
class Asked:
    """One request. `is_whole`: the answer was sent to its end; `num_sent` are bytes of the body."""

    name: str
    range: str
    began_s: float
    headers: dict[str, str]
    status: int = 0
    num_sent: int = 0
    is_whole: bool = False


Act = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


def make_jpeg(number: int, side: int = 24, quality: int = 90) -> bytes:
    """Return a JPEG of noise: no two numbers give the same bytes."""
    return _encode(number, side, side, "JPEG", quality=quality)


def make_png(number: int, side: int = 24) -> bytes:
    return _encode(number, side, side, "PNG")


def _encode(number: int, width: int, height: int, kind: str, **options: Any) -> bytes:
    from PIL import Image

    pixels = random.Random(number).randbytes(width * height * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(out, kind, **options)
    return out.getvalue()


def serve(body: bytes, *, etag: str = '"1"', takes_ranges: bool = True, **headers: str) -> Act:
    """Serve the body, or the part of it that is asked for where If-Range still holds."""

    async def act(request: web.Request, asked: Asked) -> web.StreamResponse:
        wanted, status, more = body, 200, dict(headers)
        if etag:
            more["ETag"] = etag
        start = _find_start(request)
        is_same = request.headers.get("If-Range", etag) == etag
        if start is not None and takes_ranges and is_same:
            if start >= len(body):
                return web.Response(status=416)
            wanted, status = body[start:], 206
            more["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return await _send(request, asked, wanted, status, more)

    return act


def answer(status: int, body: bytes = b"no", **headers: str) -> Act:
    """Answer with a status; names of headers have _ for -."""

    async def act(request: web.Request, asked: Asked) -> web.StreamResponse:
        return await _send(request, asked, body, status, {key.replace("_", "-"): v for key, v in headers.items()})

    return act


def in_turn(*acts: Act) -> Act:
    """Do one after the other, then the last one again and again."""
    left = list(acts)

    async def act(request: web.Request, asked: Asked) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request, asked)

    return act


def cut(body: bytes, num_bytes: int, *, etag: str = '"1"', tells_length: bool = True) -> Act:
    """Send so many bytes, and close the connection."""

    async def act(request: web.Request, asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={"ETag": etag} if etag else {})
        if tells_length:
            response.content_length = len(body)
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(body[:num_bytes])
        asked.num_sent, asked.status = num_bytes, 200
        await asyncio.sleep(0.02)
        assert request.transport is not None
        request.transport.close()
        return response

    return act


def drip(body: bytes, piece_bytes: int, delay_s: float, *, etag: str = '"1"') -> Act:
    """Send piece by piece, with a pause after each; the rest of it where a range is asked for."""

    async def act(request: web.Request, asked: Asked) -> web.StreamResponse:
        start = _find_start(request) or 0
        headers = {"ETag": etag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        response.content_length = len(body) - start
        await response.prepare(request)
        asked.status = response.status
        for at in range(start, len(body), piece_bytes):
            await response.write(body[at : at + piece_bytes])
            asked.num_sent += len(body[at : at + piece_bytes])
            await asyncio.sleep(delay_s)
        await response.write_eof()
        asked.is_whole = True
        return response

    return act


def later(act: Act, delay_s: float) -> Act:
    async def wait(request: web.Request, asked: Asked) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        return await act(request, asked)

    return wait


def redirect(to: str, status: int = 302) -> Act:
    return answer(status, b"", Location=to)


def gzipped(body: bytes) -> Act:
    return answer(200, gzip.compress(body), Content_Encoding="gzip")


async def _send(
    request: web.Request, asked: Asked, body: bytes, status: int, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body)
    await response.write_eof()
    asked.status, asked.num_sent, asked.is_whole = status, len(body), True
    return response


def _find_start(request: web.Request) -> int | None:
    text = request.headers.get("Range", "")
    return int(text.removeprefix("bytes=").partition("-")[0]) if text else None


@dataclass(slots=True)
class PictureServer:
    """Use as a context. `acts` says what is done for a path; others are 404."""

    acts: dict[str, Act] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    max_in_flight: int = 0
    _num_in_flight: int = 0
    _port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _runner: web.AppRunner | None = None
    on_asked: Callable[[Asked], None] | None = None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port}/{name}"

    def add(self, name: str, act: Act | bytes) -> str:
        """Let a path be served; return its address."""
        self.acts[name] = serve(act) if isinstance(act, bytes) else act
        return self.url(name)

    def num_asked(self, name: str) -> int:
        return sum(asked.name == name for asked in self.log)

    def __enter__(self) -> Self:
        ready = threading.Event()

        async def start() -> None:
            self._runner = web.AppRunner(self._make_app(), shutdown_timeout=0.1, access_log=None)
            await self._runner.setup()
            site = web.TCPSite(self._runner, "127.0.0.1", 0)
            await site.start()
            self._port = self._runner.addresses[0][1]
            ready.set()

        def work() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.create_task(start())
            self._loop.run_forever()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        assert ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(20)
        self._loop.close()

    def _make_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{name:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        asked = Asked(name, request.headers.get("Range", ""), time.monotonic(), dict(request.headers))
        self.log.append(asked)
        if self.on_asked is not None:
            self.on_asked(asked)
        self._num_in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._num_in_flight)
        try:
            return await self.acts.get(name, answer(404))(request, asked)
        finally:
            self._num_in_flight -= 1
