"""Which addresses may be asked: http and https, and servers of the public Internet.

A hostile table could otherwise have us ask what only this machine reaches: its own services, the network around it,
a cloud's metadata. Names are resolved here and the connection goes to what was judged: no name can change between.
"""

import asyncio
import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from instructgen.fetch.reasons import Missed

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver
    from yarl import URL

MAX_URL_CHARS = 4096
_RESOLVER_THREADS = 32
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


class PrivateAddressError(OSError):
    """A name that stands for an address of this machine or of a private network."""


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public Internet, also where IPv6 wraps an IPv4 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not found.is_reserved


def parse_url(text: str) -> "URL | Missed":
    """Return the address, or why it cannot be asked: no_url, bad_scheme, bad_url."""
    from yarl import URL

    text = text.strip()
    if not text:
        return Missed("no_url")
    if len(text) > MAX_URL_CHARS or _SPACE_OR_CONTROL.search(text.replace(" ", "")):
        return Missed("bad_url", "too long, or with control characters")
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        return Missed("bad_url", str(error)[:200])
    if url.scheme not in ("http", "https"):
        return Missed("bad_scheme" if _SCHEME.match(text) else "bad_url", text[:40])
    if not url.host or not port or url.user is not None or url.password is not None:
        return Missed("bad_url", "no server, or a user name in it")
    return url


def check_host(url: "URL") -> Missed | None:
    """Refuse an address that names a private IP; names are judged when they are resolved."""
    host = url.host or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if is_public(host) else Missed("private_address", host)


def make_resolver(*, allows_private: bool) -> "AbstractResolver":
    """Return aiohttp's resolver that keeps public addresses alone, unless private ones are allowed."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Resolver(AbstractResolver):
        def __init__(self) -> None:
            # The loop's own threads would let a few dead names hold up all others.
            self._pool = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="resolve")

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            loop = asyncio.get_running_loop()
            infos = await loop.run_in_executor(self._pool, _look_up, host, port, family)
            found = [
                ResolveResult(hostname=host, host=str(at[0]), port=port, family=kind, proto=proto, flags=_NUMERIC)
                for kind, _, proto, _, at in infos
                if allows_private or is_public(str(at[0]))
            ]
            if infos and not found:
                raise PrivateAddressError(f"{host} is {infos[0][4][0]}")
            return found

        async def close(self) -> None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    return Resolver()


_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_Info = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str | int, ...]]


def _look_up(host: str, port: int, family: int) -> "list[_Info]":
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
    return [info for info in infos if info[0] in (socket.AF_INET, socket.AF_INET6)]  # type: ignore[misc]
