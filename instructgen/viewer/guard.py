"""Who may ask the viewer, and what every answer says to the browser.

Anybody on this machine can reach a port of 127.0.0.1, and so can a web page whose name was pointed at it. So the Host
header must be one of loopback's names, a browser must have opened the address with the run's word once, and what
changes something must come from one of our own pages.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from instructgen.pages.assets import SERVED_POLICY
from instructgen.student.serving.names import LOOPBACK, is_known_host

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
TOKEN = "token"  # noqa: S105  the name of a parameter
HEADERS = {
    "Content-Security-Policy": SERVED_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = ("GET", "HEAD")
_CLOSED = "Open the address that the terminal shows: it holds this run's word.\n"


class Guard:
    """Stands before the pages. `token` is the run's random word; without the cookie that holds it nothing is told."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refuse(scope, headers)
        if refusal is not None:
            await _answer(_with_headers(send), *refusal)
            return
        given = [value for name, value in _read_query(scope) if name == TOKEN]
        if given and self._is_token(given[-1]) and scope["method"] in _READING:
            await _answer(_with_headers(send), 303, "", {"Location": _without_token(scope), **self._cookie(headers)})
            return
        if not self._has_cookie(headers):
            await _answer(_with_headers(send), 403, _CLOSED)
            return
        await self._app(scope, receive, _with_headers(send))

    def _refuse(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return why a request is turned away whoever sends it."""
        if not is_known_host(headers.get("host", ""), LOOPBACK):
            return 403, "This server answers to 127.0.0.1 and localhost alone.\n"
        if scope["method"] in _READING:
            return None
        if scope["method"] != "POST":
            return 405, "There are GET and POST.\n"
        return None if _is_from_us(headers) else (403, "Only the viewer's own pages may change something.\n")

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())

    def _has_cookie(self, headers: dict[str, str]) -> bool:
        # Read by hand: other programs of this machine set cookies for the same host, and one that http.cookies does
        # not like, such as JSON, would take ours with it.
        pairs = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
        return any(name == _cookie_name(headers) and self._is_token(value) for name, _, value in pairs)

    def _cookie(self, headers: dict[str, str]) -> dict[str, str]:
        # Lax, not Strict: a link to a sample from another program opens, and no GET changes anything.
        return {"Set-Cookie": f"{_cookie_name(headers)}={self._token}; Path=/; HttpOnly; SameSite=Lax"}


def make_token() -> str:
    return secrets.token_urlsafe(24)


def _cookie_name(headers: dict[str, str]) -> str:
    """Return a name of the port's own: browsers send cookies to every port of a host."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"instructgen-{port if port.isdecimal() else 80}"


def _is_from_us(headers: dict[str, str]) -> bool:
    """Return whether a request comes from a page of this server, as browsers tell and pages cannot.

    Older ones tell the Origin alone.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"http://{headers.get('host', '')}"


def _read_query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _without_token(scope: Scope) -> str:
    rest = urlencode([(name, value) for name, value in _read_query(scope) if name != TOKEN])
    path = "/" + quote(scope["path"].lstrip("/"))  # two slashes at the front would be another host
    return f"{path}?{rest}" if rest else path


def _with_headers(send: Send) -> Send:
    """Return what sends an answer with the headers that all of them have; a page is kept nowhere."""

    async def send_more(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            names = {name.lower() for name, _ in own}
            more = _encode(HEADERS.items())
            if b"cache-control" not in names:
                more += _encode([("Cache-Control", "no-store")])
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return send_more


def _encode(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _answer(send: Send, status: int, text: str, headers: dict[str, str] | None = None) -> None:
    body = text.encode()
    known = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), **(headers or {})}
    await send({"type": "http.response.start", "status": status, "headers": _encode(known.items())})
    await send({"type": "http.response.body", "body": body})
