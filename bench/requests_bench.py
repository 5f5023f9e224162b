"""The request engine against its targets and against other tools, all measured in this one run.

    python bench/requests_bench.py                                   everything; about 40 minutes
    python bench/requests_bench.py --only cpu --repeat 3             CPU seconds per 1,000 requests, with peers
    python bench/requests_bench.py --only latency --repeat 3         time at 200 ms and at 1 s, with peak memory
    python bench/requests_bench.py --only rate                       share of a limit per minute, 3 minutes
    python bench/requests_bench.py --only retry-after                useless 429s against 20 requests/s
    python bench/requests_bench.py --only memory                     200,000 units beside 2,000
    python bench/requests_bench.py --only cached                     200,000 units that are all answered

Run it with a Python that has instructgen installed. Peers are found as PEERS/<name>/bin/python; bench/README.md says
how they are installed, and one that is not there is left out. The client runs on core 0, the server on core 1.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import requests_cpu
import requests_scale
import requests_speed
from requests_run import BENCH, Options

_MODES = {
    "cpu": (requests_cpu.measure, requests_cpu.tell),
    "latency": (requests_speed.measure_latency, requests_speed.tell_latency),
    "rate": (requests_speed.measure_rate, requests_speed.tell_rate),
    "retry-after": (requests_speed.measure_retry_after, requests_speed.tell_retry_after),
    "memory": (requests_scale.measure_memory, requests_scale.tell_memory),
    "cached": (requests_scale.measure_cached, requests_scale.tell_cached),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(_MODES), help="modes, with commas")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--requests", type=int, default=5000, help="of the modes cpu and latency")
    parser.add_argument("--in-flight", type=int, default=64, help="in the modes cpu and retry-after")
    parser.add_argument("--units", type=int, default=200_000, help="of the modes memory and cached")
    parser.add_argument("--minutes", type=float, default=3.0, help="of the mode rate")
    parser.add_argument("--peers", type=Path, default=BENCH / "peers" / ".venv", help="folder of their environments")
    parser.add_argument("--project", type=Path, default=BENCH.parent, help="the checkout that is measured")
    parser.add_argument("--work", type=Path, help="folder for made-up data and output; a temporary one otherwise")
    parser.add_argument("--no-pin", action="store_true", help="leave the choice of cores to the system")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")
    chosen = parser.parse_args()
    modes = chosen.only.split(",")
    if unknown := set(modes) - set(_MODES):
        parser.error(f"--only {','.join(sorted(unknown))}: there are {', '.join(_MODES)}")
    with tempfile.TemporaryDirectory(dir=chosen.work) as work:
        options = Options(
            project=chosen.project.resolve(),
            peers=chosen.peers.resolve(),
            python=sys.executable,
            num_requests=chosen.requests,
            num_in_flight=chosen.in_flight,
            num_units=chosen.units,
            repeat=chosen.repeat,
            minutes=chosen.minutes,
            is_pinned=not chosen.no_pin and (os.cpu_count() or 1) > 1,
            work=Path(work),
        )
        found = {}
        for mode in modes:
            measure, tell = _MODES[mode]
            found[mode] = measure(options)
            lines = [f"## {mode}", *tell(found[mode]), ""]
            print("\n".join(lines), file=sys.stderr if chosen.json else sys.stdout, flush=True)
    if chosen.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
