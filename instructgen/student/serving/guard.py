"""Who may ask: this machine's own programs, and no web page whose name was pointed at it."""

import secrets

from aiohttp import web

from instructgen.student.serving.names import LOOPBACK, is_known_host, is_known_origin
from instructgen.student.serving.refusals import Refusal


class Guard:
    """Looks at the headers of every request; only /health needs no key."""

    def __init__(self, host: str, allow_hosts: tuple[str, ...], api_key: str) -> None:
        self._names = frozenset(name.lower() for name in (*LOOPBACK, host, *allow_hosts))
        self._key = api_key

    def check(self, request: web.Request) -> None:
        """Raises Refusal (401, 403)."""
        if not is_known_host(request.headers.get("Host", ""), self._names):
            raise Refusal(403, "the server is not known by this name; --allow-host NAME makes it known")
        origin = request.headers.get("Origin")
        if origin is not None and not is_known_origin(origin, self._names):
            raise Refusal(403, "web pages of other places may not ask this server")
        if self._key and request.path != "/health" and not self._has_key(request):
            raise Refusal(401, "the API key is missing or wrong", code="invalid_api_key")

    def _has_key(self, request: web.Request) -> bool:
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        given = key.strip().encode(errors="surrogateescape")  # a header may hold any bytes
        return kind.lower() == "bearer" and secrets.compare_digest(given, self._key.encode())
