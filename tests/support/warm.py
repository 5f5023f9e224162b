"""A process that has imported what most commands import, and forks one that runs the command line each time asked.

The command runs in a process of its own, as from a shell, with its own folder, environment and files, and ends as
Python ends; what is saved is importing the same packages hundreds of times. What changes how Python itself starts
cannot be asked of it (`can_take`).
"""

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_IMPORTED = (
    *("numpy", "pyarrow.parquet", "pandas", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "jinja2.sandbox", "openai"),
    *("aiohttp", "uvloop", "tenacity", "instructgen.sources.coco", "instructgen.train.recipe"),
    *("instructgen.cli.app", "instructgen.jobs.build", "instructgen.jobs.datasets", "instructgen.dataset.publish"),
)
_MAX_REQUEST_BYTES = 1 << 20


def can_take(env: Mapping[str, str]) -> bool:
    """Say whether a command with this environment starts as it would in a new interpreter."""
    started_with = _fixed(os.environ) | {"PYTHONPATH": str(ROOT)}
    return os.name == "posix" and _fixed(env) == started_with


def _fixed(env: Mapping[str, str]) -> dict[str, str]:
    """Return what is read when Python starts or a package is imported."""
    starts = ("PYTHON", "LD_", "OMP_", "LC_", "LANG")
    return {key: env[key] for key in env if key.startswith(starts) and key != "PYTHON_KEYRING_BACKEND"}


class WarmProcess:
    """Starts when it is first asked, and ends with the process that asks."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def run(
        self, arguments: list[str], cwd: Path | None, env: Mapping[str, str], timeout_s: float
    ) -> tuple[int, str, str]:
        """Return the exit code (minus the signal, where one ended it), standard output and standard error."""
        address = self._start()
        with socket.socket(socket.AF_UNIX) as asked, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            asked.settimeout(timeout_s)
            asked.connect(address)
            request = json.dumps([arguments, str(cwd or Path.cwd()), dict(env)]).encode()
            socket.send_fds(asked, [len(request).to_bytes(4, "big")], [out.fileno(), err.fileno()])
            asked.sendall(request)
            lines = asked.makefile()
            pid = int(lines.readline())
            try:
                code = int(lines.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(arguments, timeout_s) from None
            out.seek(0)
            err.seek(0)
            return code, _read(out.read()), _read(err.read())

    def _start(self) -> str:
        if self._process is None or self._process.poll() is not None:
            self._address = f"{tempfile.mkdtemp(prefix='warm-')}/socket"
            command = [sys.executable, "-m", "tests.support.warm", self._address]
            kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI")}
            env = {**kept, "PYTHONPATH": str(ROOT)}
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
            atexit.register(self._end)
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == b"ready\n"
        return self._address

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with suppress(FileNotFoundError):
                Path(self._address).unlink()
                Path(self._address).parent.rmdir()


def _read(written: bytes) -> str:
    return written.decode().replace("\r\n", "\n")  # as subprocess does with text=True


def _serve(address: str) -> None:
    """Fork for each command; return in the process that is to run it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who looks after a command ends unwaited for
        os.write(1, b"ready\n")
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                if _look_after(connection):
                    return
            connection.close()


def _look_after(connection: socket.socket) -> bool:
    """Fork the command's process and tell how it ended; return True in that process, and never in this one."""
    size, files, _, _ = socket.recv_fds(connection, 4, 2)
    request = connection.makefile("rb").read(int.from_bytes(size, "big"))
    arguments, cwd, env = json.loads(request)
    gate, opened = os.pipe()
    pid = os.fork()
    if pid:
        connection.sendall(f"{pid}\n".encode())
        os.write(opened, b"1")  # not before its number is known
        _, status = os.waitpid(pid, 0)
        with suppress(OSError):  # who asked may be gone
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.read(gate, 1)
    connection.close()
    empty = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((empty, *files)):
        os.dup2(file, number)
    for file in (empty, gate, opened, *files):
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = ["instructgen", *arguments]
    return True


if __name__ == "__main__":
    for name in _IMPORTED:
        with suppress(ImportError):  # an optional package; a command that needs it says so itself
            importlib.import_module(name)
    _serve(sys.argv[1])
    from instructgen.cli.app import main

    main()
