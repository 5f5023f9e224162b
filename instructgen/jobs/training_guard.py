"""Around a run of training: its group of processes, its lock, and what ends it before its time."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from instructgen.dataset.stores.retry import StoreFailedError
from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.train.distributed import Ranks, join_ranks
from instructgen.train.run_folder import LOCK_NAME, check_folder
from instructgen.train.stop import StopSignals
from instructgen.train.watch import TrainWatch

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_Result = TypeVar("_Result")


def run_guarded(out: Path, device: str, watch: TrainWatch, work: Callable[[Ranks, StopSignals], _Result]) -> _Result:
    """Do the work in the group of processes that torchrun has started, with the run's folder locked.

    Raises RunLockedError, and RunStoppedError for a signal, a full disk or a store that cannot be reached (continue
    by running again).
    """
    with join_ranks(device) as ranks, locked(out, ranks):
        try:
            with StopSignals(watch.say if ranks.is_first else lambda _text: None) as stop:
                return work(ranks, stop)
        except OSError as error:
            if error.errno not in _FULL_DISK:
                raise
            raise RunStoppedError(f"{error}; free space and run the same command again") from None
        except StoreFailedError as error:
            raise RunStoppedError(f"{error}; the same command goes on from the last checkpoint") from None
        except KeyboardInterrupt:
            raise RunStoppedError("stopped at once; the same command goes on from the last checkpoint") from None


@contextmanager
def locked(out: Path, ranks: Ranks) -> Iterator[None]:
    """Hold the run's folder against a second command; the processes of one command count as one."""
    if not ranks.is_first:
        yield
        return
    check_folder(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK_NAME, timeout=0)
        lock.acquire()
    except Timeout:
        raise RunLockedError(f"another process trains in {out}; wait for it or stop it") from None
    except OSError as error:
        raise InstructgenError(f"{out} cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()
