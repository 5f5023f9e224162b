"""What tests do to the actors of a build on Ray while it runs."""

import os
import signal
import threading
import time
from importlib import import_module
from typing import Any

import pytest

ray: Any = import_module("ray")


_NUM_TRIES = 4
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_prestart_worker_first_driver": "0",  # processes that a busy machine cannot start in time
    "RAY_enable_worker_prestart": "0",
    "RAY_worker_niceness": "0",  # or others' work on the machine would starve them
}


def start_ray() -> None:
    """Start Ray on this machine; where others are at work there, it may not be up within its own time."""
    os.environ.update(_SETTINGS)
    for number in range(_NUM_TRIES):
        try:
            ray.init(
                num_cpus=2,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                object_store_memory=80_000_000,
            )
        except Exception as error:  # noqa: BLE001  Ray raises no class of its own for it
            ray.shutdown()
            if number == _NUM_TRIES - 1:
                pytest.skip(f"Ray does not start on this machine: {error}")
        else:
            return


class Disturber(threading.Thread):
    """Kills actors of a class, three times at most, each `after_s` seconds after it was first seen alive.

    `by_ray`: Ray is told to end it, without leave to start it again; otherwise its process gets SIGKILL.
    """

    def __init__(self, class_name: str, *, by_ray: bool = False, after_s: float = 1.0) -> None:
        super().__init__(daemon=True)
        self._class_name, self._by_ray, self._after_s = class_name, by_ray, after_s
        self._known = set(_list_alive(class_name))  # of the tests before
        self._is_over = threading.Event()
        self.num_killed = 0

    def __enter__(self) -> "Disturber":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        seen_s: dict[tuple[str, int], float] = {}
        while not self._is_over.wait(0.05) and self.num_killed < 3:
            for one in set(_list_alive(self._class_name)) - self._known:
                seen_s.setdefault(one, time.monotonic())
                if time.monotonic() - seen_s[one] >= self._after_s:
                    self._known.add(one)
                    self._kill(*one)

    def _kill(self, actor_id: str, pid: int) -> None:
        if self._by_ray:
            worker = ray._private.worker.global_worker.core_worker  # ray.kill, for who has no handle
            worker.kill_actor(ray.ActorID(bytes.fromhex(actor_id)), no_restart=True)
        else:
            os.kill(pid, signal.SIGKILL)
        self.num_killed += 1


def _list_alive(class_name: str) -> list[tuple[str, int]]:
    """Return the ids and processes of a class's actors."""
    actors = import_module("ray._private.state").actors().values()
    return [
        (one["ActorID"], one["Pid"])
        for one in actors
        if one["State"] == "ALIVE" and one["ActorClassName"] == class_name
    ]
