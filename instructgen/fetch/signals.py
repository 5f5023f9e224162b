"""Ctrl-C and SIGTERM while an event loop runs."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def listen_to_signals(act: Callable[[], object]) -> None:
    """Let both act in the running loop instead of ending the process at once.

    Windows has no signal handlers in its loop, and no other thread than the first has any: there Ctrl-C ends it at
    once, and what is there is kept all the same.
    """
    with suppress(NotImplementedError, ValueError, RuntimeError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, act)
