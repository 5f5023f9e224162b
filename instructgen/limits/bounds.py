"""What may be asked of a server, as far as it is known."""

from msgspec import Struct


class ServerLimits(Struct, frozen=True):
    """What may be asked of one server; None is not known and is learned from its answers."""

    concurrency: int
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
