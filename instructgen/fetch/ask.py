"""One request for one file, and what came of it: the bytes, another address, or a reason word."""

import asyncio
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from instructgen.fetch.addresses import PrivateAddressError, check_host, parse_url
from instructgen.fetch.options import Limits
from instructgen.fetch.partials import Origin, Partial
from instructgen.fetch.reasons import Missed
from instructgen.fetch.waits import read_retry_after_s

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_HEAD_BYTES = 32  # what tells a picture from a web page
_UNPACK_BYTES = 256 << 10
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_MAX_HEADER_CHARS = 300
_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")
_VALUED_DIRECTIVES = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
_REDIRECTS = (301, 302, 303, 307, 308)
_BY_STATUS = {
    401: "refused_401",
    403: "refused_403",
    404: "gone_404",
    408: "timeout",
    410: "gone_410",
    425: "rate_limited",
    429: "rate_limited",
    451: "refused_451",
}


class Came(Struct, frozen=True):
    """The whole body is in the Partial. `http_status` is 0 where nothing had to be asked."""

    http_status: int
    etag: str


class Moved(Struct, frozen=True):
    """The file is at another address."""

    url: "URL"


Outcome = Came | Moved | Missed


class Asker(Struct, frozen=True):
    """Asks servers. `judge_head` looks at the first bytes and names a reason to read no further, or "".

    `on_bytes` is told of every piece.
    """

    session: "aiohttp.ClientSession"
    limits: Limits
    opt_out: frozenset[str]
    agent_token: str
    judge_head: Callable[[bytes], str]
    on_bytes: Callable[[int], None]

    async def ask(self, url: "URL", partial: Partial) -> Outcome:
        """Ask for a file, or for the rest of it. Raises OSError where what came cannot be written."""
        import aiohttp

        if partial.is_whole:
            return Came(0, partial.origin.etag)
        if not self.limits.allows_private and (refused := check_host(url)):
            return refused
        try:
            async with self.session.get(url, headers=_range_headers(partial), allow_redirects=False) as response:
                return await self._read(response, partial)
        except (aiohttp.ClientError, TimeoutError, UnicodeError) as error:
            partial.pause()
            return name_error(error)
        except asyncio.CancelledError:
            partial.pause()
            raise

    async def _read(self, response: "aiohttp.ClientResponse", partial: Partial) -> Outcome:
        if response.status in _REDIRECTS:
            return _find_target(response)
        if response.status == 416:  # what we have is not a beginning of what is there now
            partial.discard()
            return Missed("truncated", "the server has no such range", 416)
        if response.status not in (200, 206):
            return name_status(response.status, response.headers)
        if is_opted_out(response.headers.getall("X-Robots-Tag", ()), self.agent_token, self.opt_out):
            partial.discard()
            return Missed("opted_out", http_status=response.status)
        origin = _read_origin(response, partial.origin.url)
        if response.status == 206 and partial.num_bytes:
            refused = _check_range(response, partial, origin)
        else:
            partial.restart(origin, asyncio.get_running_loop().time())
            refused = None
        if refused is None:
            refused = await self._read_body(response, partial)
        if refused is not None:
            if refused.reason != "truncated":
                partial.discard()
            return refused
        return Came(response.status, origin.etag or partial.origin.etag)

    async def _read_body(self, response: "aiohttp.ClientResponse", partial: Partial) -> Missed | None:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in (*_PLAIN, *_PACKED):
            return Missed("bad_encoding", encoding[:40], response.status)
        if partial.origin.total_bytes > self.limits.max_bytes:
            return Missed("too_large", f"{partial.origin.total_bytes} bytes", response.status)
        unpacker = None if encoding in _PLAIN else Unpacker()
        head = Head(self.judge_head, is_known=partial.num_bytes > 0)
        now_s = asyncio.get_running_loop().time
        async for piece in response.content.iter_any():
            self.on_bytes(len(piece))
            try:
                for data in (piece,) if unpacker is None else unpacker.feed(piece):
                    if partial.num_bytes + len(data) > self.limits.max_bytes:
                        return Missed("too_large", f"more than {self.limits.max_bytes} bytes", response.status)
                    partial.write(data, now_s())
                    if reason := head.feed(data):
                        return Missed(reason, response.headers.get("Content-Type", "")[:80], response.status)
            except zlib.error as error:
                return Missed("bad_encoding", str(error), response.status)
        if unpacker is not None and not unpacker.is_whole:
            partial.discard()
            return Missed("truncated", "the packed stream has no end", response.status)
        return _check_total(response, partial)


class Head:
    """The first bytes of a body, judged once there are enough of them."""

    def __init__(self, judge: Callable[[bytes], str], *, is_known: bool) -> None:
        self._judge = judge
        self._bytes = b""
        self._is_known = is_known

    def feed(self, data: bytes) -> str:
        """Return the reason to read no further, or ""."""
        if self._is_known:
            return ""
        self._bytes += data[:_HEAD_BYTES]
        self._is_known = len(self._bytes) >= _HEAD_BYTES
        return self._judge(self._bytes) if self._is_known else ""


class Unpacker:
    """Unpacks gzip or deflate in pieces of bounded size: 1 MB may stand for 1 GB."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=47)
        self._is_first = True

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what the piece adds. Raises zlib.error."""
        is_full = False
        while (piece or is_full) and not self._inner.eof:
            data = self._unpack(piece)
            piece = self._inner.unconsumed_tail
            is_full = len(data) == _UNPACK_BYTES  # more may wait inside
            if data:
                yield data

    def _unpack(self, piece: bytes) -> bytes:
        try:
            return self._inner.decompress(piece, _UNPACK_BYTES)
        except zlib.error:
            if not self._is_first:
                raise
            self._inner = zlib.decompressobj(wbits=-15)  # some servers' "deflate" has no header
            return self._inner.decompress(piece, _UNPACK_BYTES)
        finally:
            self._is_first = False

    @property
    def is_whole(self) -> bool:
        return self._inner.eof


def is_opted_out(values: tuple[str, ...] | list[str], agent_token: str, heeded: frozenset[str]) -> bool:
    """Return whether an X-Robots-Tag has a heeded directive, for all or for our own user agent.

    A value is "noai, noimageai" or "agent: noai"; a directive may have a value of its own ("max-snippet: 20").
    """
    for value in values:
        first, colon, rest = value.lower().partition(":")
        names_agent = bool(colon) and "," not in first and first.strip() not in _VALUED_DIRECTIVES
        if names_agent and first.strip() != agent_token:
            continue
        directives = rest if names_agent else value.lower()
        if heeded.intersection(part.strip() for part in directives.split(",")):
            return True
    return False


def _range_headers(partial: Partial) -> dict[str, str]:
    if not partial.num_bytes:
        return {}
    return {"Range": f"bytes={partial.num_bytes}-", "If-Range": partial.origin.validator}


def _read_origin(response: "aiohttp.ClientResponse", url: str) -> Origin:
    headers = response.headers
    if headers.get("Content-Encoding", "").strip().lower() not in _PLAIN:
        return Origin(url)  # its ranges are of the packed bytes
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    total = response.content_length if response.status == 200 else None
    return Origin(
        url,
        etag if len(etag) <= _MAX_HEADER_CHARS else "",
        modified if len(modified) <= _MAX_HEADER_CHARS else "",
        -1 if total is None else total,
    )


def _check_range(response: "aiohttp.ClientResponse", partial: Partial, now: Origin) -> Missed | None:
    """Go on only with the rest of the same file."""
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    before = partial.origin
    is_plain = response.headers.get("Content-Encoding", "").strip().lower() in _PLAIN
    is_same = (not now.etag or now.etag == before.etag) and (
        not now.last_modified or not before.last_modified or now.last_modified == before.last_modified
    )
    if found is None or int(found[1]) != partial.num_bytes or not (is_same and is_plain):
        partial.discard()
        return Missed("truncated", "the file changed while it was fetched", response.status)
    total = -1 if found[3] == "*" else int(found[3])
    if -1 not in (total, before.total_bytes) and total != before.total_bytes:
        partial.discard()
        return Missed("truncated", "the file's size changed while it was fetched", response.status)
    if before.total_bytes < 0 <= total:
        partial.origin = replace(before, total_bytes=total)
    partial.go_on(asyncio.get_running_loop().time())
    return None


def _check_total(response: "aiohttp.ClientResponse", partial: Partial) -> Missed | None:
    total = partial.origin.total_bytes
    if total >= 0 and partial.num_bytes != total:
        detail = f"{partial.num_bytes} of {total} bytes"
        if partial.num_bytes < total:
            partial.pause()
        else:
            partial.discard()
        return Missed("truncated", detail, response.status)
    return None


def _find_target(response: "aiohttp.ClientResponse") -> Moved | Missed:
    location = response.headers.get("Location", "").strip()
    try:
        from yarl import URL

        target = parse_url(str(response.url.join(URL(location)))) if location else Missed("no_url")
    except ValueError as error:
        target = Missed("bad_url", str(error)[:200])
    if isinstance(target, Missed):
        return Missed("bad_redirect", location[:200], response.status)
    return Moved(target)


def name_status(status: int, headers: Mapping[str, str]) -> Missed:
    """Return the reason that a status other than success means, and how long the server asks to wait."""
    reason = _BY_STATUS.get(status)
    if reason is None:
        reason = "server_error" if status >= 500 else "refused_4xx" if status >= 400 else "bad_response"
    wait_s = None
    if status in (429, 503):
        wait_s = read_retry_after_s(headers.get("Retry-After", ""))
    return Missed(reason, f"HTTP {status}", status, wait_s)


def name_error(error: Exception) -> Missed:
    """Return the reason that an error of the connection means."""
    import aiohttp

    detail = str(error)[:200] or type(error).__name__
    if isinstance(error, TimeoutError):
        return Missed("timeout", detail)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        is_private = isinstance(error.os_error, PrivateAddressError)
        return Missed("private_address" if is_private else "dns", detail)
    for kinds, reason in (
        ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), "tls"),
        ((aiohttp.ClientPayloadError,), "truncated"),
        ((aiohttp.ClientConnectionError,), "connection"),
        ((aiohttp.InvalidURL, UnicodeError), "bad_url"),
    ):
        if isinstance(error, kinds):
            return Missed(reason, detail)
    return Missed("bad_response", detail)
