"""Runs the real command line in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.warm import COMMAND_LINE, WITH_MODELS, Child, Files, WarmProcess, can_take, take_terminal

NO_KEYRING = "keyring.backends.null.Keyring"
ROOT = Path(__file__).resolve().parents[2]
Process = subprocess.Popen[str] | Child
_WARM = WarmProcess()
_WARM_WITH_MODELS = WarmProcess(WITH_MODELS)
_WITH_MODELS = ("chat", "describe", "serve")


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The last line of standard output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


def environment(**changes: str) -> dict[str, str]:
    """No key, no keyring and no terminal; the checkout's own package first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI")}
    fixed = {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "PYTHON_KEYRING_BACKEND": NO_KEYRING}
    return {**kept, **fixed, **changes}


def run_cli(
    *arguments: str | Path, cwd: Path | None = None, timeout_s: float = 120, stdin: str = "", **env: str
) -> Done:
    """Run a command and return how it ended; a build leaves no report where none is asked for, which saves time."""
    if arguments[0] == "build" and "--report" not in arguments:
        arguments = (*arguments, "--no-report")
    env = environment(**env)
    if can_take(env):
        return Done(*_WARM.run([*map(str, arguments)], cwd, env, timeout_s, stdin))
    done = subprocess.run(
        [sys.executable, "-m", "instructgen", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=timeout_s,
        check=False,
        input=stdin,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def start_cli(*arguments: str | Path, **env: str) -> Process:
    return start_main(COMMAND_LINE, [*map(str, arguments)], environment(**env))


def start_main(module: str, arguments: list[str], env: dict[str, str], files: Files | None = None) -> Process:
    """Start main() of a module in a process and a session of its own; without files, with pipes that can be read."""
    if can_take(env):
        warm = _WARM_WITH_MODELS if arguments[0] in _WITH_MODELS else _WARM
        return warm.start(arguments, None, env, files, module)
    nothing, out, err = files or (subprocess.DEVNULL, subprocess.PIPE, subprocess.PIPE)
    begin = f"from {take_terminal.__module__} import take_terminal; take_terminal()"
    return subprocess.Popen(
        [sys.executable, "-c", f"{begin}; from {module} import main; main()", *arguments],
        stdout=out,
        stderr=err,
        text=True,
        env=env,
        stdin=nothing,
        start_new_session=True,
    )


def command_of(module: str, *, with_models: bool = False) -> tuple[str, ...]:
    """Return the command line of a program that runs main() of a module, for whoever starts programs himself."""
    if not can_take(environment()):
        return sys.executable, "-c", f"from {module} import main; main()"
    warm = _WARM_WITH_MODELS if with_models else _WARM
    return sys.executable, "-SE", str(Path(__file__).with_name("warm_client.py")), warm.find_address(), module


def start_on_terminal(
    *arguments: str | Path, size: tuple[int, int, int, int] = (24, 80, 0, 0), typed: bytes = b"", **env: str
) -> tuple[Process, int]:
    """Start a command on a pseudo terminal of so many rows, columns and pixels; return the terminal's other end.

    `typed` was pressed before it starts.
    """
    import fcntl
    import pty
    import struct
    import termios

    terminal, own = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
    os.write(terminal, typed)
    try:
        return start_main(COMMAND_LINE, [*map(str, arguments)], environment(**env), (own, own, own)), terminal
    finally:
        os.close(own)


def finish(process: Process, timeout_s: float = 60) -> Done:
    out, err = process.communicate(timeout=timeout_s)
    assert process.returncode is not None
    return Done(process.returncode, out, err)


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
