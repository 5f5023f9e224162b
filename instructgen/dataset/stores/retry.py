"""Reads of a store that are tried again: most failures of a network are over after some seconds."""

import errno
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from instructgen.dataset.stores.errors import describe_error, is_stores
from instructgen.errors import InstructgenError

_TRIES = 6
# At most, and twice as long each time; s3fs has waited for some seconds by itself before it fails.
_FIRST_WAIT_S = 1.0
_MAX_WAIT_S = 20.0
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

_Read = TypeVar("_Read")


class StoreFailedError(InstructgenError):
    """A store or the network failed for longer than was waited; later the same may succeed."""


def keep_trying(address: str, read: Callable[[], _Read], is_over: Event | None = None) -> _Read:
    """Return what `read` returns; a failure of the store or the network is tried again, until `is_over` is set.

    Raises StoreFailedError, with the address and the last failure, where no try succeeds; InstructgenError for what
    no try can mend, OSError for a full disk.
    """
    import tenacity

    is_over = is_over or Event()
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_passes),
        stop=tenacity.stop_after_attempt(_TRIES) | tenacity.stop_when_event_set(is_over),
        wait=tenacity.wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_MAX_WAIT_S),
        sleep=tenacity.sleep_using_event(is_over),
        reraise=True,
    )
    try:
        return retrying(read)
    except Exception as error:
        if not is_stores(error) or _is_of_disk(error):
            raise
        told = describe_error(error, (address,))
        if _passes(error):
            raise StoreFailedError(f"{told} (tried {retrying.statistics['attempt_number']} times)") from None
        raise InstructgenError(told) from None


def _passes(error: BaseException) -> bool:
    """Return whether the same read may succeed a little later."""
    return (
        isinstance(error, Exception) and is_stores(error) and not isinstance(error, _FINAL) and not _is_of_disk(error)
    )


def _is_of_disk(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _OF_THIS_DISK
