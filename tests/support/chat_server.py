"""A real HTTP server on loopback that speaks chat completions, counts what it is asked, and fails as told."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Given the number of the request (from 0) and its body: (status, headers, body bytes), or None to answer properly.
Fault = Callable[[int, dict[str, Any]], tuple[int, dict[str, str], bytes] | None]


class ChatServer:
    """Use as a context manager. `asked` counts distinct prompts; `answered` those that got a whole answer."""

    def __init__(self, *, delay_s: float = 0.0, fault: Fault | None = None, text: str | None = None) -> None:
        self.delay_s = delay_s
        self.fault = fault
        self.text = text
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.malformed: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.handle(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> "ChatServer":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def num_requests(self) -> int:
        return self.asked.total()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        body = self._check(handler, raw)
        key = hashlib.sha256(json.dumps(body.get("messages")).encode()).hexdigest()
        with self._lock:
            number = self.num_requests
            self.asked[key] += 1
            self.bodies.append(body)
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            if self.delay_s:
                time.sleep(self.delay_s)
            faulty = self.fault(number, body) if self.fault else None
            if faulty is not None:
                status, headers, payload = faulty
                _send(handler, status, {"content-type": "application/json", **headers}, payload)
                return
            _send(handler, 200, {"content-type": "application/json"}, json.dumps(self._complete(body)).encode())
            with self._lock:
                self.answered[key] += 1
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client was killed: that is what some tests do
        finally:
            with self._lock:
                self._in_flight -= 1

    def _check(self, handler: BaseHTTPRequestHandler, raw: bytes) -> dict[str, Any]:
        """Note everything that a strict server would refuse."""
        try:
            body = json.loads(raw)
        except ValueError:
            self.malformed.append(f"not JSON: {raw[:80]!r}")
            return {}
        roles = [message.get("role") for message in body.get("messages", [])]
        wanted = ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
        if handler.path != "/v1/chat/completions":
            self.malformed.append(f"path {handler.path}")
        if roles != wanted:
            self.malformed.append(f"roles {roles}")
        if not all(isinstance(message.get("content"), str) and message["content"] for message in body["messages"]):
            self.malformed.append("a message without text")
        if not body.get("model") or not handler.headers.get("authorization", "").startswith("Bearer "):
            self.malformed.append("no model or no key")
        return body

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        text = self.text or answer_like_shots(body)
        return {
            "id": "chatcmpl-test",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }


def answer_like_shots(body: dict[str, Any]) -> str:
    """Answer in the form of the last few-shot answer, differently for each prompt."""
    messages = body["messages"]
    shot = messages[-2]["content"] if len(messages) > 2 else ""
    first_line = messages[-1]["content"].splitlines()[0]
    words = " ".join(word for word in first_line.split() if word.isalpha())
    if "response_format" in body:
        turns = [{"question": f"What can be seen near {words}?", "answer": f"One can see {words} in plain view."}]
        description = f"The picture shows {words}. " * 1 + "It was taken from close by on a bright and quiet day."
        is_detail = "description" in json.dumps(body["response_format"])
        return json.dumps({"description": description} if is_detail else {"turns": turns})
    if "===" in shot:
        return f"Question:\nWhat can be seen near {words}?\n===\nAnswer:\nOne can see {words} in plain view."
    return (
        f"The picture shows {words}. It was taken from close by on a bright and quiet day, and nothing in it moves. "
        "Behind all of this there is a wall, and light falls on it from the left side of the frame."
    )


def _send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], payload: bytes) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(payload)))
    handler.end_headers()
    handler.wfile.write(payload)
    handler.wfile.flush()
