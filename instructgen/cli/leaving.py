"""How a command's process ends where Arrow's threads may still be at work.

A thread of Arrow that lets go of bytes it read for Python asks for Python's lock. Where Python is being torn down the
thread is ended instead, and takes the process with it: "terminate called without an active exception", although all
work was done (https://github.com/apache/arrow/issues/34314; 3 of 160 runs of `dataset diff` on two busy cores).
"""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leaving_safely() -> Iterator[None]:
    """End the process after all that is to be done at its end, but before Python is torn down.

    Functions that are registered before this one run later than it: call it first. An exception other than SystemExit
    takes Python's own way.
    """
    found: list[SystemExit] = []
    atexit.register(_leave, found)
    try:
        yield
        found.append(SystemExit())
    except SystemExit as end:
        found.append(end)
        raise


def _leave(found: list[SystemExit]) -> None:
    if not found or "pyarrow" not in sys.modules:
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            return  # Python's own end tells of it
    code = found[0].code
    os._exit(code if isinstance(code, int) else int(code is not None))
