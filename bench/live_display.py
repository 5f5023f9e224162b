"""What the live display costs a build: CPU time per unit with it and with --plain, on a terminal of its own.

    python bench/live_display.py --root COCO --split val2017 --limit 2000 --rounds 3

Builds with the scene program, which asks nobody, so that whatever the display takes shows; by turns, in folders that
are new each time. Without --root the images are rendered scenes. CPU time is that of the build's process with all its
threads; the terminal is a pseudo terminal of 100 x 30 whose output is read and thrown away by this process. Where the
machine is busy with other things the ratio is no better than their noise; so the display is also measured by itself,
drawing for some seconds in a process that does nothing else.
"""

import argparse
import fcntl
import io
import os
import pty
import shutil
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

from rich.console import Console

from instructgen.cli.live import LiveDisplay
from instructgen.cli.progress_counts import BuildCounts
from instructgen.records import Message, Sample

_ALONE_S = 10.0
_TYPES = "conv,detail,reasoning"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--limit", type=int, default=1000, help="images; each is three units")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    source = ["--source", "scenes"] if args.root is None else ["--root", str(args.root), "--images", "reference"]
    source += ["--split", args.split] if args.split else []
    found: dict[str, list[float]] = {"plain": [], "live": []}
    for _ in range(args.rounds):
        for how, times_s in found.items():
            folder = Path(tempfile.mkdtemp(prefix="live-display-"))
            flags = [*source, "--types", _TYPES, "--limit", str(args.limit), "--out", str(folder / "out")]
            cpu_s, num_bytes = _build([*flags, *(["--plain"] if how == "plain" else [])])
            shutil.rmtree(folder)
            times_s.append(cpu_s)
            print(f"{how:6} {cpu_s:7.2f} s of CPU, {num_bytes:,} bytes to the terminal", flush=True)
    num_units = args.limit * len(_TYPES.split(","))
    medians = {how: statistics.median(times_s) for how, times_s in found.items()}
    for how, median_s in medians.items():
        print(f"{how:6} median {median_s / num_units * 1000:.3f} ms of CPU per unit, {num_units:,} units")
    print(f"live / plain: {medians['live'] / medians['plain']:.3f}")
    print(f"the display alone: {_measure_alone():.2%} of one core")


def _measure_alone() -> float:
    """Return the share of a core that a full display takes, drawn on nothing."""
    counts = BuildCounts()
    counts.begin("generate", 15_000)
    counts.rejected.update({f"reason_{number}": 100 * number for number in range(1, 7)})
    question, answer = Message("user", "What is there? " * 10), Message("assistant", "There is a dog. " * 50)
    counts.latest = Sample("coco/000000000139/conv/0", "coco/000000000139", "conv", (question, answer), (), {})
    display = LiveDisplay(counts, "title", Console(file=io.StringIO(), force_terminal=True, width=100, height=30))
    before_s = time.process_time()
    display.start()
    time.sleep(_ALONE_S)
    display.close()
    return (time.process_time() - before_s) / _ALONE_S


def _build(flags: list[str]) -> tuple[float, int]:
    """Run a build on a pseudo terminal; return its CPU seconds and the bytes that it wrote there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "instructgen", "build", *flags])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    num_bytes = 0
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # what a terminal gives at its end
            break
        if not data:
            break
        num_bytes += len(data)
    _, status, usage = os.wait4(pid, 0)
    os.close(terminal)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"a build ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, num_bytes


if __name__ == "__main__":
    main()
