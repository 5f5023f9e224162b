"""A server on loopback that answers byte for byte as told, in the event loop of the test; and one attempt at it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from instructgen.attempts import AttemptError
from instructgen.config import ServerConfig, TeacherConfig
from instructgen.records import Message, Reply, Request
from instructgen.teachers.openai_chat import OpenAIServer

Act = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def completion(text: str = "A dog.", **changes: object) -> dict[str, Any]:
    whole = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
    return {**whole, **changes}


def http(body: object = None, status: int = 200, **headers: str) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(completion() if body is None else body).encode()
    named = {"content-type": "application/json", "content-length": str(len(payload))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + payload


class RawServer:
    """Answers request number n with `acts[n]`, the last one for ever; an act is bytes, or writes them itself."""

    def __init__(self, *acts: Act) -> None:
        self.acts = acts
        self.lines: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.num_connections = 0
        self.is_closed_by_client = asyncio.Event()

    async def start(self, host: str = "127.0.0.1") -> str:
        self._server = await asyncio.start_server(self._talk, host, 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"

    def stop(self) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_connections += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.partition(": ") for line in head[1:])
                headers = {name.lower(): value for name, _, value in pairs}
                number = len(self.bodies)
                self.lines.append(head[0])
                self.headers.append(headers)
                self.bodies.append(await reader.readexactly(int(headers.get("content-length", 0))))
                act = self.acts[min(number, len(self.acts) - 1)]
                if isinstance(act, bytes):
                    writer.write(act)
                else:
                    await act(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.is_closed_by_client.set()
        finally:
            writer.close()


def request(text: str = "What is there?") -> Request:
    return Request("ab" * 32, "conv", "coco/1", (Message("system", "Rules."), Message("user", text)))


def make_server(base_url: str, **settings: Any) -> OpenAIServer:
    settings = {"model": "m", "accept_models": ("*",), **settings}
    return OpenAIServer(TeacherConfig(base_url=base_url, **settings), ServerConfig(), {})


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))  # type: ignore[arg-type]


async def attempt(server: OpenAIServer, text: str = "What is there?", *, close: bool = False) -> Reply | AttemptError:
    try:
        return await server.send(request(text))
    except AttemptError as error:
        return error
    finally:
        if close:
            await server.close()
