"""A process that takes the demo's steps one after the other: `python -m instructgen.cli.demo_worker`.

Each line of standard input is a JSON array: a file for the output, then a command as `instructgen` takes it. The exit
code is answered as a line. So that the heavy packages are loaded once, and the process ends with whoever started it.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        log, *command = json.loads(line)
        code = _run_into(Path(log), command)
        answers.write(f"{code}\n")
        answers.flush()


def _run_into(log: Path, command: list[str]) -> int:
    """Run a command with all that it prints appended to a file; return its exit code."""
    with log.open("a", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        try:
            _run(command)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
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
