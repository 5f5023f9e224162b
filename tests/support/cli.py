"""Runs the real command line in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.warm import WarmProcess, can_take

NO_KEYRING = "keyring.backends.null.Keyring"
ROOT = Path(__file__).resolve().parents[2]
_WARM = WarmProcess()


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


def run_cli(*arguments: str | Path, cwd: Path | None = None, timeout_s: float = 120, **env: str) -> Done:
    """Run a command and return how it ended; a build leaves no report where none is asked for, which saves time."""
    if arguments[0] == "build" and "--report" not in arguments:
        arguments = (*arguments, "--no-report")
    env = environment(**env)
    if can_take(env):
        return Done(*_WARM.run([*map(str, arguments)], cwd, env, timeout_s))
    done = subprocess.run(
        [sys.executable, "-m", "instructgen", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def start_cli(*arguments: str | Path, **env: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "instructgen", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
    )


def finish(process: "subprocess.Popen[str]", timeout_s: float = 60) -> Done:
    out, err = process.communicate(timeout=timeout_s)
    return Done(process.returncode, out, err)


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
