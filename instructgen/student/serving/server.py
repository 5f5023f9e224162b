"""The HTTP side: who may ask, how much, and in which form the answer goes back."""

import asyncio
import json
import secrets
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from aiohttp import web
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.student.ask import Answer, Ask, Crowd, Sampling
from instructgen.student.serving.batches import Batcher, Batching, Job
from instructgen.student.serving.guard import Guard
from instructgen.student.serving.pictures import PictureRules, RequestPictures
from instructgen.student.serving.refusals import Refusal
from instructgen.student.serving.wire import ChatRequest, Defaults, Told, make_ask, make_sampling, read_request

_READ_TIMEOUT_S = 60.0
_WRITE_TIMEOUT_S = 60.0
_STATUS_OF_A_BUG = 500


class ServerSettings(Struct, frozen=True):
    """What the command line sets. `port` 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str = ""
    allow_hosts: tuple[str, ...] = ()
    max_body_bytes: int = 32_000_000
    batching: Batching = Batching()
    pictures: PictureRules = PictureRules()
    defaults: Defaults = Defaults()
    grace_s: float = 30.0


class StudentServer:
    """Serves one student; to be started and stopped within one event loop."""

    def __init__(self, student: Crowd, settings: ServerSettings) -> None:
        self._student = student
        self._settings = settings
        self._created = int(time.time())
        self._batcher = Batcher(student, settings.batching)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._num_open = 0
        self._read_limits: set[asyncio.Timeout] = set()
        self.is_stopping = False
        self._guard = Guard(settings.host, settings.allow_hosts, settings.api_key)
        app = web.Application(client_max_size=settings.max_body_bytes, middlewares=[self._tell])
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{name:.+}", self._model)
        app.router.add_post("/v1/chat/completions", self._chat)
        # aiohttp would unpack a body in memory before anybody could refuse it.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, auto_decompress=False)
        self._batches: asyncio.Task[None] | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{self.port}/v1"

    async def start(self) -> None:
        """Listen. Raises InstructgenError where the port cannot be had."""
        settings = self._settings
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port).start()
        except (OSError, OverflowError) as error:
            await self._runner.cleanup()
            raise InstructgenError(
                f"port {settings.port} of {settings.host} cannot be had: {error}; give another --port"
            ) from None
        self.port = self._runner.addresses[0][1]
        self._batches = asyncio.create_task(self._batcher.run())

    async def stop(self) -> None:
        """Take no more requests, let those that wait or run end, and close."""
        self.is_stopping = True
        for limit in self._read_limits:  # whose body is not there yet: nobody would answer it
            if not limit.expired():
                limit.reschedule(0)
        await self._batcher.finish(self._settings.grace_s)
        if self._batches is not None:
            self._batches.cancel()
            with suppress(asyncio.CancelledError):
                await self._batches
        await self._runner.cleanup()
        self._reading.shutdown(wait=True)

    @web.middleware
    async def _tell(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let the guard look first, and write whatever goes wrong as OpenAI does."""
        try:
            self._guard.check(request)
            return await handler(request)
        except web.HTTPException as error:
            return _write_refusal(Refusal(error.status, _describe(error, self._settings.max_body_bytes)))
        except Exception as error:  # noqa: BLE001  the server goes on
            return _write_refusal(_refuse_for(error))

    def _check_running(self) -> None:
        if self.is_stopping:
            raise Refusal(503, "the server stops", code="stopping")

    async def _health(self, _: web.Request) -> web.Response:
        self._check_running()
        return web.json_response({"status": "ok", "waiting": self._batcher.num_waiting})

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self._describe_model()]})

    async def _model(self, request: web.Request) -> web.Response:
        self._check_name(request.match_info["name"])
        return web.json_response(self._describe_model())

    def _describe_model(self) -> dict[str, object]:
        return {"id": self._student.name, "object": "model", "created": self._created, "owned_by": "instructgen"}

    def _check_name(self, name: str) -> None:
        if name != self._student.name:
            served = f"the model '{name[:80]}' is not served here; this one is: '{self._student.name}'"
            raise Refusal(404, served, code="model_not_found", param="model")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self._check_running()
        batching = self._settings.batching
        if self._num_open >= batching.max_batch + batching.max_waiting:  # before a body is taken into memory
            raise Refusal(429, f"{self._num_open} requests are open already; come again later", code="queue_full")
        if request.content_type != "application/json":  # a page elsewhere can send other types unasked
            raise Refusal(415, "the body is to be application/json")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refusal(415, "the body is to be sent as it is, without Content-Encoding")
        self._num_open += 1
        try:
            return await self._answer(request)
        finally:
            self._num_open -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await self._receive(request)
        loop = asyncio.get_running_loop()
        chat, ask, sampling = await loop.run_in_executor(self._reading, self._read, body)
        self._check_running()
        job = self._batcher.submit(ask, sampling)
        told = Told(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), self._student.name)
        try:
            if chat.stream:
                usage = chat.stream_options is not None and chat.stream_options.include_usage
                return await _stream(request, job, told, with_usage=usage)
            return web.json_response(told.completion(await _wait(job)))
        finally:
            job.is_wanted = False

    async def _receive(self, request: web.Request) -> bytes:
        limit = asyncio.timeout(_READ_TIMEOUT_S)
        self._read_limits.add(limit)
        try:
            async with limit:
                return await request.read()
        except TimeoutError:
            self._check_running()
            raise Refusal(408, f"the body did not come within {_READ_TIMEOUT_S:g} s") from None
        finally:
            self._read_limits.discard(limit)

    def _read(self, body: bytes) -> tuple[ChatRequest, Ask, Sampling]:
        """Read a request in a thread of its own: pictures are decoded here, and a bad one is told at once."""
        chat = read_request(body)
        self._check_name(chat.model)
        sampling = make_sampling(chat, self._settings.defaults)
        ask = make_ask(chat, RequestPictures(self._settings.pictures).read)
        self._student.check(ask)
        return chat, ask, sampling


async def _wait(job: Job) -> Answer:
    while True:
        piece = await job.pieces.get()
        if isinstance(piece, Exception):
            raise piece
        if piece.answer is not None:
            return piece.answer


async def _stream(request: web.Request, job: Job, told: Told, *, with_usage: bool) -> web.StreamResponse:
    """Send server-sent events. What goes wrong before the first piece has a status of its own."""
    piece = await job.pieces.get()
    if isinstance(piece, Exception):
        raise piece
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    try:
        await response.prepare(request)
        await _send(response, told.chunk({"role": "assistant", "content": ""}, None))
        while not isinstance(piece, Exception):
            if piece.text:
                await _send(response, told.chunk({"content": piece.text}, None))
            if piece.answer is not None:
                await _end(response, piece.answer, told, with_usage=with_usage)
                return response
            piece = await job.pieces.get()
        await _send(response, _refuse_for(piece).body())
    except (ConnectionError, TimeoutError):
        pass  # the client is gone, or reads no more: the job is wanted no more
    return response


async def _end(response: web.StreamResponse, answer: Answer, told: Told, *, with_usage: bool) -> None:
    await _send(response, told.chunk({}, answer.finish_reason))
    if with_usage:
        await _send(response, told.usage_chunk(answer))
    await response.write(b"data: [DONE]\n\n")


async def _send(response: web.StreamResponse, event: dict[str, object]) -> None:
    async with asyncio.timeout(_WRITE_TIMEOUT_S):
        await response.write(f"data: {json.dumps(event)}\n\n".encode())


def _refuse_for(error: Exception) -> Refusal:
    """Return what a client is told; a bug of ours is printed whole here."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InstructgenError):  # of the student: this ask cannot be answered
        return Refusal(400, str(error), code="invalid_request")
    traceback.print_exception(error, file=sys.stderr)
    return Refusal(_STATUS_OF_A_BUG, "a bug in the server; its terminal shows more")


def _write_refusal(refusal: Refusal) -> web.Response:
    headers = {"Retry-After": "1"} if refusal.status in (429, 503) else {}
    return web.json_response(refusal.body(), status=refusal.status, headers=headers)


def _describe(error: web.HTTPException, max_body_bytes: int) -> str:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return f"the body has more than {max_body_bytes:,} bytes"
    return {404: "no such page; there are /v1/chat/completions, /v1/models and /health"}.get(
        error.status, error.reason
    )
