"""What a run of fetching may do."""

from typing import Literal

from msgspec import Struct

import instructgen

# What img2dataset heeds by default, too.
OPT_OUT = ("noai", "noimageai", "noindex", "noimageindex")
USER_AGENT = f"instructgen/{instructgen.__version__}"

Retry = Literal["gone", "failed"]


class Politeness(Struct, frozen=True):
    """How servers are treated. `opt_out` are the directives of X-Robots-Tag that are heeded.

    A server that asks to wait longer than `max_wait_s` is left alone for the rest of the run.
    """

    concurrency: int = 64
    per_host: int = 8
    per_host_per_s: float | None = None
    max_wait_s: float = 300.0
    max_tries: int = 4
    user_agent: str = USER_AGENT
    opt_out: tuple[str, ...] = OPT_OUT


class Limits(Struct, frozen=True):
    """What an answer may take. `max_pixels` bounds width x height, before anything is decoded."""

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000  # as for pictures that are imported
    max_redirects: int = 5
    connect_timeout_s: float = 15.0
    read_timeout_s: float = 20.0  # between two pieces of an answer
    total_timeout_s: float = 180.0
    allows_private: bool = False


class FetchOptions(Struct, frozen=True):
    """`retry` says which rows of earlier runs are asked again; `resize_max_side` is in pixels."""

    politeness: Politeness = Politeness()
    limits: Limits = Limits()
    retry: frozenset[Retry] = frozenset()
    resize_max_side: int | None = None
