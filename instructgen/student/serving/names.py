"""By which names a server of this machine may be asked: a web page whose own name was pointed here is turned away."""

from collections.abc import Collection
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOT_IN_HOSTS = frozenset("@/?#\\")  # what would make an address of another shape of it


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Return whether a Host header has one of the names, in lower case, with any port: a tunnel's may differ."""
    return not _NOT_IN_HOSTS & {*host} and find_name(f"//{host}") in names


def is_known_origin(origin: str, names: Collection[str]) -> bool:
    """Return whether an Origin header has one of the names, whatever its port."""
    return find_name(origin) in names


def find_name(address: str) -> str:
    """Return the name of an address's host in lower case, "" where it has none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
