"""A process that takes the demo's steps one after the other: `python -m instructgen.cli.demo_worker`.

Each line of standard input is a JSON array: a file for the output, then a command as `instructgen` takes it. The exit
code is answered as a line. So the heavy packages are loaded once. Where the input ends, whoever started the process
is gone or wants no more: a command that runs is stopped as by Ctrl-C.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

from instructgen.errors import RunStoppedError


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    lines: SimpleQueue[str] = SimpleQueue()
    is_busy = threading.Event()
    threading.Thread(target=_listen, args=(lines, is_busy), daemon=True).start()
    while line := lines.get():
        log, *command = json.loads(line)
        is_busy.set()
        code = _run_into(Path(log), command)
        is_busy.clear()
        answers.write(f"{code}\n")
        answers.flush()


def _listen(lines: "SimpleQueue[str]", is_busy: threading.Event) -> None:
    for line in sys.stdin:
        lines.put(line)
    if is_busy.is_set():
        os.kill(os.getpid(), signal.SIGINT)
    lines.put("")


def _run_into(log: Path, command: list[str]) -> int:
    """Run a command with all that it prints appended to a file; return its exit code."""
    with log.open("a", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        try:
            _run(command)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except KeyboardInterrupt:
            return RunStoppedError.exit_code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    return 0


def _run(command: list[str]) -> None:
    from instructgen.jobs.demo import STAGE0

    if command[0] == STAGE0:
        from instructgen.jobs.demo_plan import DemoPlan
        from instructgen.jobs.demo_stage0 import make_part

        _, part, folder, plan = command
        make_part(part, Path(folder), DemoPlan.read(plan))
        return
    from instructgen.cli.app import main as run_command

    sys.argv = ["instructgen", *command]
    run_command()


if __name__ == "__main__":
    main()
