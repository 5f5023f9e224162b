"""The openai package's client with chat completions sent over one aiohttp session, which takes a tenth of the CPU.

Imported only by what sends: openai and aiohttp take most of a second to load.
"""

import base64
import json
import os
import select
import ssl
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import openai
from msgspec import Struct
from openai.types.chat import ChatCompletion
from yarl import URL

from instructgen.errors import InstructgenError
from instructgen.secrets import strip_url
from instructgen.teachers.deadlines import Deadlines

COMPLETIONS_PATH = "/chat/completions"
# uvicorn (vLLM) and Node close an idle connection after 5 s: earlier than that, so that none closes under a request.
_KEEPALIVE_S = 4.0
_MAX_ERROR_BYTES = 65_536
_READ_BYTES = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
# What a server may call JSON, and what a careless one calls it.
_JSON_TYPES = ("application/", "text/plain", "text/json")
_UNSENT_ERRORS = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class Timeouts(Struct, frozen=True):
    """Seconds until a connection is there, of a server's longest silence, and of the whole attempt."""

    connect_s: float
    read_s: float
    total_s: float


class AnswerTooLargeError(openai.OpenAIError):
    """An answer of more bytes than are allowed; the rest was not read and the connection is closed."""


class _StaleConnectionError(aiohttp.ClientConnectionError):
    """A kept connection that the server has closed, or written to unasked, before anything was sent on it."""


class AiohttpOpenAI(openai.AsyncOpenAI):
    """Takes `post("/chat/completions", content=..., cast_to=ChatCompletion)` over aiohttp, all else as ever.

    Retries nothing and follows no redirect: the key must not go to a host that the user did not name. `on_headers`
    is called with the headers of each chat completion's answer; their names may be asked for in any case.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeouts: Timeouts,
        max_answer_bytes: int,
        default_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._given_url = base_url  # what the package makes of a query in it differs between versions
        self._proxy = find_proxy(base_url)
        # The openai package's own trust: the certificates of httpx, or SSL_CERT_FILE where that is set.
        self._tls = _read_certificates()
        super().__init__(
            api_key=api_key,
            base_url=base_url,
            timeout=timeouts.total_s,
            max_retries=0,
            default_headers=default_headers,
            # Its own reading of the environment fails on a SOCKS proxy, also where NO_PROXY rules it out.
            http_client=openai.DefaultAsyncHttpxClient(proxy=self._proxy, trust_env=False, verify=self._tls),
        )
        self.on_headers: Callable[[Mapping[str, str]], None] | None = None
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._lane: _Lane | None = None

    async def post(self, path: str, *, cast_to: Any, **others: Any) -> Any:
        """Send; raises the openai package's errors, and AnswerTooLargeError."""
        content = others.get("content")
        if path != COMPLETIONS_PATH or not isinstance(content, bytes) or len(others) > 1:
            return await super().post(path, cast_to=cast_to, **others)
        try:
            lane = self.open()
            with lane.deadlines.limit():
                return await self._complete(lane, content)
        except TimeoutError as error:
            raise openai.APITimeoutError(self._make_request()) from error
        except (aiohttp.ClientError, OSError) as error:
            raise openai.APIConnectionError(message=_describe(error), request=self._make_request()) from error

    def open(self) -> "_Lane":
        """Make the session, where there is none yet; to be called in the event loop."""
        if self._lane is None or self._lane.session.closed:
            self._lane = self._open_lane()
        return self._lane

    async def close(self) -> None:
        if self._lane is not None:
            self._lane.deadlines.close()
            await self._lane.session.close()
        await super().close()

    def _open_lane(self) -> "_Lane":
        parts = urlsplit(self._given_url)
        path = parts.path.rstrip("/") + COMPLETIONS_PATH
        url = URL(urlunsplit(parts._replace(path=path, fragment="")))
        headers = {**self.auth_headers, **self.default_headers, "Accept-Encoding": "gzip, deflate"}
        # What the package tells of the machine (x-stainless-...) is two thirds of the headers, and nobody's business.
        given = {
            name: value
            for name, value in headers.items()
            if isinstance(value, str) and not name.lower().startswith("x-stainless-")
        }
        return _Lane(url, given, self._proxy, self._timeouts, self._tls)

    async def _complete(self, lane: "_Lane", content: bytes) -> ChatCompletion:
        async with await lane.post(content) as response:
            if self.on_headers is not None:
                self.on_headers(response.headers)
            if not 200 <= response.status < 300:
                raise await self._read_status_error(response)
            body = await self._read_body(response)
        try:
            if not response.headers.get("content-type", "application/json").lower().startswith(_JSON_TYPES):
                raise ValueError(f"an answer of type {response.headers['content-type']}, not JSON")
            return read_completion(body)
        except ValueError as error:
            raise openai.APIResponseValidationError(
                self._make_response(response, body[:_MAX_ERROR_BYTES]), body=None, message=str(error)
            ) from error

    async def _read_body(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length > self._max_answer_bytes:
            raise self._refuse_rest(response)
        if length is not None and "content-encoding" not in response.headers:
            return await response.read()
        parts: list[bytes] = []
        num_bytes = 0
        # aiohttp unpacks what is compressed piece by piece, and no more than is read here.
        async for part in response.content.iter_chunked(_READ_BYTES):
            num_bytes += len(part)
            if num_bytes > self._max_answer_bytes:
                raise self._refuse_rest(response)
            parts.append(part)
        return b"".join(parts)

    def _refuse_rest(self, response: aiohttp.ClientResponse) -> AnswerTooLargeError:
        response.close()
        return AnswerTooLargeError(f"an answer of more than {self._max_answer_bytes / 1_000_000:g} MB")

    async def _read_status_error(self, response: aiohttp.ClientResponse) -> openai.APIStatusError:
        page = b""
        with suppress(aiohttp.ClientError, OSError):  # the status tells enough where the page does not arrive
            async for part in response.content.iter_chunked(_READ_BYTES):
                page += part
                if len(page) >= _MAX_ERROR_BYTES:
                    response.close()
                    break
        if response.status in _REDIRECTS:
            page = f"the server redirects to {strip_url(response.headers.get('location', ''))}".encode()
        return self._make_status_error_from_response(self._make_response(response, page[:_MAX_ERROR_BYTES]))

    def _make_request(self) -> Any:
        return _httpx().Request("POST", str(self.base_url))

    def _make_response(self, response: aiohttp.ClientResponse, body: bytes) -> Any:
        kept = {name: value for name, value in response.headers.items() if name.lower() != "content-encoding"}
        return _httpx().Response(response.status, headers=kept, content=body, request=self._make_request())


class _Lane:
    """One address with its session; everything that is the same for each request is made once."""

    def __init__(
        self, url: URL, headers: dict[str, str], proxy: str | None, timeouts: Timeouts, tls: ssl.SSLContext
    ) -> None:
        self._url = url
        self.deadlines = Deadlines(timeouts.total_s)
        # A session's own headers are cheaper, but aiohttp shows them, the key too, to a proxy that makes a tunnel.
        self._proxied: dict[str, Any] = {} if proxy is None else _proxy_arguments(proxy, url, headers)
        polls: weakref.WeakKeyDictionary[Any, select.poll | None] = weakref.WeakKeyDictionary()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S, ssl=tls),
            headers=headers if proxy is None else None,
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_make_request_class(polls),
            timeout=aiohttp.ClientTimeout(total=None, connect=timeouts.connect_s, sock_read=timeouts.read_s),
        )

    async def post(self, content: bytes) -> aiohttp.ClientResponse:
        while True:
            try:
                return await self.session.post(self._url, data=content, allow_redirects=False, **self._proxied)
            except _StaleConnectionError:
                continue  # nothing was sent; each turn leaves one connection less


def read_completion(body: bytes) -> ChatCompletion:
    """Return the completion, leniently where the server deviates from OpenAI's schema, as the package itself does.

    Raises ValueError for what is no JSON object in UTF-8.
    """
    try:
        return ChatCompletion.model_validate_json(body)
    except ValueError:
        pass
    try:
        fields = json.loads(body)
        if not isinstance(fields, dict):
            raise ValueError(f"an answer that is a {type(fields).__name__}, not a JSON object")
        known = {name: fields[name] for name in ChatCompletion.model_fields if name in fields}
        return ChatCompletion.construct(**known)
    except (RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"an answer of a shape that cannot be read ({type(error).__name__})") from None


def _read_certificates() -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = _httpx().create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        raise InstructgenError(
            f"the certificates for https cannot be read ({error}); see SSL_CERT_FILE and SSL_CERT_DIR"
        ) from None
    return context


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        cause = os.strerror(number) if number > 0 else error.os_error.strerror or error.os_error
        return f"cannot connect to {error.host}:{error.port} ({cause})"
    return f"{type(error).__name__}: {error}"


def was_sent(error: openai.APIConnectionError) -> bool:
    """Return whether the server may have got the request, and so may have worked on it."""
    return not isinstance(error.__cause__, _UNSENT_ERRORS)


def find_proxy(url: str) -> str | None:
    """Return the proxy that the environment names for this address: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY.

    A server on this machine is never asked through a proxy. Raises InstructgenError for a kind that is not spoken.
    """
    address = URL(url)
    host = address.host or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass(host):
        return None
    if proxy_bypass(f"[{host}]" if ":" in host else f"{host}:{address.port}"):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        kind = proxy.partition("://")[0]
        raise InstructgenError(
            f"the environment names a {kind} proxy for {host}; only http and https proxies can be used: "
            "set HTTPS_PROXY to one, or add the host to NO_PROXY"
        )
    return proxy


def _proxy_arguments(proxy: str, target: URL, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what aiohttp's post wants, so that the target gets these headers and the proxy its own password."""
    url = URL(proxy)
    if url.user is None:
        return {"proxy": url, "headers": headers}
    pair = f"{url.user}:{url.password or ''}".encode()
    password = {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if target.scheme == "https":
        return {"proxy": url.with_user(None), "headers": headers, "proxy_headers": password}
    # Without a tunnel the request itself goes to the proxy.
    return {"proxy": url.with_user(None), "headers": {**headers, **password}}


def _httpx() -> Any:
    # openai is built on httpx or on httpx2; its own client tells which.
    return import_module(openai.DefaultAsyncHttpxClient.__bases__[0].__module__.partition(".")[0])


def _make_request_class(polls: "weakref.WeakKeyDictionary[Any, select.poll | None]") -> type[aiohttp.ClientRequest]:
    """Return a request that looks whether its kept connection still is one; `polls` has the connections in use."""

    class Request(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            protocol = conn.protocol
            if protocol in polls:
                if protocol.should_close or _is_readable(polls[protocol], conn.transport):
                    raise _StaleConnectionError("a kept connection was closed by the server")
            else:
                polls[protocol] = _make_poll(conn.transport)
            return await super().send(conn)

    return Request


def _make_poll(transport: Any) -> "select.poll | None":
    """Return a poll for what the connection may bring; None on Windows, which has none."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return poll


def _is_readable(poll: "select.poll | None", transport: Any) -> bool:
    """Return whether the server closed the idle connection or wrote to it; the event loop may not know yet."""
    if poll is None:
        return bool(select.select([transport.get_extra_info("socket").fileno()], [], [], 0)[0])
    return bool(poll.poll(0))
