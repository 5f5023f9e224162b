"""The page in the browser: a server on this machine alone, behind a random word in its address."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.review.decisions import Choice
from instructgen.review.desk import REASONS, Desk, SampleView

HOST = "127.0.0.1"
_MAX_BODY_BYTES = 1 << 20
_PICTURE_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Shown(Struct, frozen=True):
    """What the page is told: the sample, or None where nothing is left, and the reviewer's numbers."""

    at: int
    sample: SampleView | None
    num_samples: int
    next_open: int
    by: str
    reviewed: int
    accepted: int
    edited: int
    rejected: int
    reasons: dict[str, str]


class _Decide(Struct, frozen=True, forbid_unknown_fields=True):
    sample_id: str
    at: int
    decision: Choice
    seconds: float = 0.0
    answers: tuple[str, ...] = ()
    why: str = ""


class _Refused(Exception):  # noqa: N818  an answer, not a mistake of ours
    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class ReviewServer:
    """Serves one desk. One request at a time reads or writes; the rest wait."""

    def __init__(self, desk: Desk, port: int) -> None:
        """Raises InstructgenError where the port is taken; 0 finds a free one."""
        self.desk = desk
        self.token = secrets.token_urlsafe(24)
        self.error: InstructgenError | None = None
        self.is_done = False
        self.page = Path(__file__).with_name("page.html").read_bytes()
        self.policy = _make_policy(self.page)
        self._lock = threading.Lock()
        try:
            self._http = _Http((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InstructgenError(f"port {port} of {HOST} cannot be had: {error}; give another --port") from None
        self._http.review = self
        self.port: int = self._http.server_address[1]
        self.url = f"http://{HOST}:{self.port}/{self.token}/"

    def serve(self) -> None:
        """Return when the page says quit; raises RunStoppedError where a decision could not be stored."""
        try:
            self._http.serve_forever(poll_interval=0.1)
        finally:
            self._http.server_close()
        with self._lock:  # what is being written is finished first
            if self.error is not None:
                raise self.error

    def stop(self) -> None:
        threading.Thread(target=self._http.shutdown, name="review-stop", daemon=True).start()

    def answer_get(self, name: str, query: dict[str, list[str]]) -> tuple[str, bytes]:
        if name == "":
            return "text/html; charset=utf-8", self.page
        with self._lock:
            if name == "sample":
                at = query.get("at")
                return _as_json(self._show(self.desk.next_open(-1) if at is None else self._check_at(at[0])))
            if name == "picture":
                place = self._check_at(query.get("at", [""])[0], is_sample=True)
                return _check_picture(self.desk.picture(place, 0 if query.get("which") == ["first"] else -1))
        raise _Refused(HTTPStatus.NOT_FOUND, "no such page")

    def answer_post(self, name: str, body: bytes) -> tuple[str, bytes]:
        with self._lock:
            if name == "decide":
                return _as_json(self._show(self._decide(body)))
            if name == "undo":
                at = self.desk.undo()
                if at is None:
                    raise _Refused(HTTPStatus.CONFLICT, "there is nothing to undo")
                return _as_json(self._show(at))
        if name == "quit":
            self.is_done = True
            return _as_json({"stopped": True})
        raise _Refused(HTTPStatus.NOT_FOUND, "no such page")

    def _decide(self, body: bytes) -> int:
        try:
            asked = msgspec.json.decode(body, type=_Decide)
        except msgspec.DecodeError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        at = self._check_at(str(asked.at), is_sample=True)
        if self.desk.queue[at].sample_id != asked.sample_id:
            raise _Refused(HTTPStatus.CONFLICT, "this page is of another run; load it again")
        return self.desk.decide(at, asked.decision, asked.seconds, asked.answers, asked.why)

    def _check_at(self, text: str, *, is_sample: bool = False) -> int:
        last = len(self.desk.queue) - is_sample
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > last:
            raise _Refused(HTTPStatus.NOT_FOUND, "no such sample")
        return int(text)

    def _show(self, at: int) -> Shown:
        numbers = self.desk.count()
        size = len(self.desk.queue)
        return Shown(
            at=at,
            sample=self.desk.view(at) if at < size else None,
            num_samples=size,
            next_open=self.desk.next_open(at),
            by=self.desk.log.by,
            reviewed=numbers.reviewed,
            accepted=numbers.accepted,
            edited=numbers.edited,
            rejected=numbers.rejected,
            reasons=REASONS,
        )


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    review: ReviewServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Http

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self._answer(lambda name: self.server.review.answer_get(name, query))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *_as_json({"error": "too long, or of no length"}))
            return
        body = self.rfile.read(int(length))
        self._answer(lambda name: self.server.review.answer_post(name, body))
        if self.server.review.is_done:  # and the page has been told
            self.server.review.stop()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the address holds the word that opens the page."""

    def _answer(self, answer: Callable[[str], tuple[str, bytes]]) -> None:
        try:
            self._send(HTTPStatus.OK, *answer(self._check_path()))
        except _Refused as refused:
            self._send(refused.status, *_as_json({"error": refused.text}))
        except RunStoppedError as error:
            self.server.review.error = error
            self.server.review.is_done = True
            self._send(HTTPStatus.INSUFFICIENT_STORAGE, *_as_json({"error": str(error)}))
        except InstructgenError as error:
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, *_as_json({"error": str(error)}))

    def _check_path(self) -> str:
        """Return what is asked for; a page elsewhere whose name was pointed at this machine gets nothing."""
        review = self.server.review
        token, slash, name = urlsplit(self.path).path.removeprefix("/").partition("/")
        if self.headers.get("Host") not in (f"{HOST}:{review.port}", f"localhost:{review.port}"):
            raise _Refused(HTTPStatus.FORBIDDEN, f"open {HOST}")
        if not slash or not secrets.compare_digest(token.encode(), review.token.encode()):
            raise _Refused(HTTPStatus.NOT_FOUND, "open the address that the terminal shows")
        return name

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", self.server.review.policy)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _make_policy(page: bytes) -> str:
    """Let the page run its own script and nothing else, whatever a sample's text says."""
    script = page.partition(b"<script>")[2].partition(b"</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _as_json(value: Struct | dict[str, Any]) -> tuple[str, bytes]:
    return "application/json", msgspec.json.encode(value)


def _check_picture(picture: bytes | None) -> tuple[str, bytes]:
    if picture is None:
        raise _Refused(HTTPStatus.NOT_FOUND, "the picture is not here; give --images FOLDER")
    for start, kind in _PICTURE_KINDS:
        if picture.startswith(start):
            return kind, picture
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp", picture
    raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the picture has a format that no browser shows")
