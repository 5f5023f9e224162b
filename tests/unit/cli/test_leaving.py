"""A command's process ends before Python is torn down: what Arrow's threads would do then is not to be waited for."""

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, os, sys
from instructgen.cli.leaving import leaving_safely

class Kept:
    def __del__(self, write=os.write):
        write(1, b"torn down ")

with leaving_safely():
    kept = Kept()
    atexit.register(print, "told at the end", end=" ")
    print("done", end=" ")
    {what}
"""


def end(what: str) -> tuple[str, int]:
    command = [sys.executable, "-c", SCRIPT.format(what=what)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout, done.returncode


@pytest.mark.parametrize(
    ("what", "code"),
    [("pass", 0), ("sys.exit()", 0), ("sys.exit(5)", 5), ("sys.exit('why')", 1)],
)
def test_nothing_is_torn_down_once_arrow_was_used(what: str, code: int) -> None:
    assert end(f"import pyarrow; {what}") == ("done told at the end ", code)


def test_without_arrow_python_ends_as_ever() -> None:
    assert end("sys.exit(3)") == ("done told at the end torn down ", 3)


def test_another_exception_takes_pythons_own_way() -> None:
    printed, code = end("import pyarrow; raise KeyboardInterrupt")
    assert "torn down" in printed
    assert code != 0
