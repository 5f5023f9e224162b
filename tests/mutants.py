"""Plants known faults one by one in a copy of the code and shows that the test suite catches each.

    python -m tests.mutants              all of them (some minutes)
    python -m tests.mutants NAME ...     only these
    python -m tests.mutants --list

A fault is caught when some test fails. One that no test notices is printed as MISSED, and the exit code is 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Quick and close to the code first, so that most faults are caught in seconds.
_TESTS = ("tests/unit", "tests/contract", "tests/golden", "tests/faults", "tests/integration")
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "*cache*", "datasets", "dist", "build")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: in `file`, the text `right` (which must occur exactly once) becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS: tuple[Mutant, ...] = ()


def find_catcher(mutant: Mutant, folder: Path) -> str | None:
    """Return the first test that fails with the fault planted, or None where all pass."""
    path = folder / mutant.file
    code = path.read_text(encoding="utf-8")
    if code.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.file} holds its text {code.count(mutant.right)} times, wants 1")
    path.write_text(code.replace(mutant.right, mutant.wrong), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", "-p", "no:cacheprovider", *_TESTS],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(code, encoding="utf-8")
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0] if failed else (None if done.returncode == 0 else done.stdout[-200:])


def main(names: list[str]) -> int:
    if "--list" in names:
        print("\n".join(f"{mutant.name}: {mutant.file}" for mutant in MUTANTS))
        return 0
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "instructgen"
        shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
        shared = ROOT.parent / "shared"
        if shared.is_dir():
            (folder.parent / "shared").symlink_to(shared)
        for mutant in chosen:
            started = time.monotonic()
            catcher = find_catcher(mutant, folder)
            missed += catcher is None
            verdict = f"caught by {catcher}" if catcher else "MISSED"
            print(f"{mutant.name}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(chosen)} faults, {len(chosen) - missed} caught, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
