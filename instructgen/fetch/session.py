"""The connections of a run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from instructgen.fetch.addresses import make_resolver
from instructgen.fetch.ask import Asker
from instructgen.fetch.options import Limits, Politeness

if TYPE_CHECKING:
    import asyncio

    import aiohttp

_DNS_TTL_S = 300
_KEEPALIVE_S = 15


def make_session(politeness: Politeness, limits: Limits) -> "aiohttp.ClientSession":
    """Return a session without cookies that unpacks nothing and follows nobody by itself."""
    import aiohttp

    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=make_resolver(allows_private=limits.allows_private),
        ttl_dns_cache=_DNS_TTL_S,
        keepalive_timeout=_KEEPALIVE_S,
    )
    total_s = limits.total_timeout_s or None
    timeout = aiohttp.ClientTimeout(total=total_s, connect=limits.connect_timeout_s, sock_read=limits.read_timeout_s)
    headers = {"User-Agent": politeness.user_agent, "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def make_asker(
    session: "aiohttp.ClientSession",
    politeness: Politeness,
    limits: Limits,
    judge_head: Callable[[bytes], str],
    on_bytes: Callable[[int], None],
) -> Asker:
    token = politeness.user_agent.partition("/")[0].strip().lower()
    return Asker(session, limits, frozenset(politeness.opt_out), token, judge_head, on_bytes)


def find_loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """Return uvloop's where it is installed (it has no Windows version)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
