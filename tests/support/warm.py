"""A process that has imported what most commands import, and forks one that runs the command line each time asked.

The command runs in a process and a session of its own, as from a shell, with its own folder, environment and files,
and ends as Python ends; what is saved is importing the same packages hundreds of times. What changes how Python
itself starts cannot be asked of it (`can_take`).
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LINE = "instructgen.cli.app"
_IMPORTED = (
    *("numpy", "pyarrow.parquet", "pandas", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "jinja2.sandbox", "openai"),
    *("aiohttp", "uvloop", "tenacity", "truststore", "h11", "s3fs", "keyring", "instructgen.sources.coco_tables"),
    *("instructgen.sources.coco", "instructgen.train.recipe", "instructgen.cli.app", "instructgen.cli.progress"),
    *("instructgen.jobs.build", "instructgen.jobs.datasets", "instructgen.dataset.publish"),
    *("instructgen.report.write", "instructgen.teachers.openai_chat", "instructgen.teachers.openai_batch_server"),
    "instructgen.batch.run",
)
WITH_MODELS = (
    *("torch", "transformers", "transformers.models.clip.modeling_clip", "transformers.models.llama.modeling_llama"),
    *("instructgen.models.build", "instructgen.student.load", "instructgen.student.local"),
)
Files = tuple[int, int, int]
"""File numbers: of standard input, standard output and standard error."""


def can_take(env: Mapping[str, str]) -> bool:
    """Say whether a command with this environment starts as it would in a new interpreter."""
    started_with = _fixed(os.environ) | {"PYTHONPATH": str(ROOT)}
    return os.name == "posix" and _fixed(env) == started_with


def _fixed(env: Mapping[str, str]) -> dict[str, str]:
    """Return what is read when Python starts or a package is imported."""
    starts = ("PYTHON", "LD_", "OMP_", "LC_", "LANG")
    return {key: env[key] for key in env if key.startswith(starts) and key != "PYTHON_KEYRING_BACKEND"}


class Child:
    """A process that was asked for: as much of subprocess.Popen[str] as tests use."""

    def __init__(self, asked: socket.socket, arguments: list[str], out: IO[str] | None, err: IO[str] | None) -> None:
        self.stdout, self.stderr = out, err
        self.returncode: int | None = None
        self._arguments = arguments
        self._asked = asked
        self._told = b""
        self._lock = threading.Lock()
        self.pid = int(self._hear(None))

    def _hear(self, timeout_s: float | None) -> str:
        """Return the next line of who looks after it; "" where none has come in time."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self._told:
            left_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
            if not select.select([self._asked], [], [], left_s)[0]:
                return ""
            part = self._asked.recv(64)
            assert part, "who looks after the process is gone"
            self._told += part
        line, _, self._told = self._told.partition(b"\n")
        return line.decode()

    def _look(self, timeout_s: float | None) -> None:
        if self.returncode is None and (line := self._hear(timeout_s)):
            self.returncode = int(line)
            self._asked.close()  # until now the system gave its number to no other process

    def poll(self) -> int | None:
        if self._lock.acquire(blocking=False):  # or another thread waits, and will know
            try:
                self._look(0.0)
            finally:
                self._lock.release()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            self._look(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and return what it has written into its own pipes and nobody has read."""
        written = ["", ""]

        def read(number: int, file: IO[str]) -> None:
            with file:
                written[number] = file.read()

        files = [file for file in (self.stdout, self.stderr) if file is not None and not file.closed]
        threads = [threading.Thread(target=read, args=each, daemon=True) for each in enumerate(files)]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
        return written[0], written[1]


class WarmProcess:
    """Starts when it is first asked, and ends with the process that asks. `more` is imported beside the usual."""

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def run(
        self, arguments: list[str], cwd: Path | None, env: Mapping[str, str], timeout_s: float, stdin: str = ""
    ) -> tuple[int, str, str]:
        """Return the exit code (minus the signal, where one ended it), standard output and standard error."""
        with open_input(stdin) as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = self.start(arguments, cwd, env, (given, out.fileno(), err.fileno()))
            try:
                code = child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
            out.seek(0)
            err.seek(0)
            return code, _read(out.read()), _read(err.read())

    def start(
        self,
        arguments: list[str],
        cwd: Path | None,
        env: Mapping[str, str],
        files: Files | None = None,
        module: str = COMMAND_LINE,
    ) -> Child:
        """Start main() of a module with these files, or where there are none with pipes of its own and no input.

        A terminal that it reads from becomes its own.
        """
        address = self.find_address()
        asked = socket.socket(socket.AF_UNIX)
        asked.connect(address)
        request = json.dumps([module, arguments, str(cwd or Path.cwd()), dict(env)]).encode()
        with ExitStack() as stack:
            read: list[IO[str] | None] = [None, None]
            if files is None:
                ends = [os.pipe(), os.pipe()]
                read = [os.fdopen(end, encoding="utf-8") for end, _ in ends]
                out, err = (stack.enter_context(os.fdopen(end, "wb")).fileno() for _, end in ends)
                files = stack.enter_context(open_input()), out, err
            socket.send_fds(asked, [len(request).to_bytes(4, "big")], files)
            asked.sendall(request)
        return Child(asked, arguments, *read)

    def find_address(self) -> str:
        """Return where it listens; it is started where it is not there."""
        if self._process is None or self._process.poll() is not None:
            self._address = f"{tempfile.mkdtemp(prefix='warm-')}/socket"
            command = [sys.executable, "-m", "tests.support.warm", self._address, *self._more]
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


def take_terminal() -> None:
    """Let the terminal that is read from, if it is one, send this new session its signals."""
    if os.isatty(0):
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def open_input(text: str = "") -> Iterator[int]:
    """Give the number of a pipe that gives this text and ends, or of a file that has nothing to read."""
    if text:
        number, end = os.pipe()
        os.write(end, text.encode())
        os.close(end)
    else:
        number = os.open(os.devnull, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def _read(written: bytes) -> str:
    return written.decode().replace("\r\n", "\n")  # as subprocess does with text=True


def _serve(address: str) -> str:
    """Fork for each command; return in the process that is to run it, with the module whose main() that is."""
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
                return _look_after(connection)
            connection.close()


def _look_after(connection: socket.socket) -> str:
    """Fork the command's process and tell how it ended; return in that process, and never in this one."""
    size, files, _, _ = socket.recv_fds(connection, 4, 3)
    request = connection.makefile("rb").read(int.from_bytes(size, "big"))
    module, arguments, cwd, env = json.loads(request)
    here, there = socket.socketpair()
    pid = os.fork()
    if pid:
        for file in files:
            os.close(file)  # the command's end is the end of what is written
        here.recv(1)  # it has a session of its own
        connection.sendall(f"{pid}\n".encode())
        here.send(b"1")  # not before its number is known
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert found is not None
        code = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
        with suppress(OSError):  # who asked may be gone
            connection.sendall(f"{code}\n".encode())
            connection.recv(1)  # nobody sends its number a signal any more
        os._exit(0)
    os.setsid()
    there.send(b"1")
    there.recv(1)
    for connected in (connection, here, there):
        connected.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    take_terminal()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = [module.partition(".")[0], *arguments]
    return str(module)


if __name__ == "__main__":
    for name in (*_IMPORTED, *sys.argv[2:]):
        with suppress(ImportError):  # an optional package; a command that needs it says so itself
            importlib.import_module(name)
    gc.freeze()  # what is imported stays, in every process that is forked
    importlib.import_module(_serve(sys.argv[1])).main()
