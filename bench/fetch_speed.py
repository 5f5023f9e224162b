"""How fast `instructgen fetch images` is beside img2dataset and beside a bare loop of aiohttp, which is the floor.

    python bench/fetch_speed.py --peer PYTHON      an environment with img2dataset (pip install img2dataset)

A server on this machine, in a process of its own, serves N distinct JPEGs after a delay. Each client fetches them
into a new folder, 64 at a time, in turns. Printed are pictures a second, CPU seconds of the client's processes for
1,000 pictures, its peak memory, and the ratio to ours in the same turn, start-up and all. img2dataset runs with one
process of 64 threads, without resizing or encoding anew (resize_mode=no, skip_reencode), so that both do the same
work: fetch, hash, write. The floor neither hashes nor checks nor remembers anything.
"""

import argparse
import asyncio
import csv
import io
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

AT_ONCE = 64
_NUM_BODIES = 200
_PEER = """
import sys
from img2dataset import download
download(
    url_list=sys.argv[1], output_folder=sys.argv[2], input_format="csv", url_col="url", caption_col="caption",
    output_format="files", resize_mode="no", skip_reencode=True, processes_count=1, thread_count=int(sys.argv[3]),
    number_sample_per_shard=100000, enable_wandb=False, distributor="multiprocessing",
)
"""


def make_bodies(side: int) -> list[bytes]:
    from PIL import Image, ImageFilter

    bodies = []
    for number in range(_NUM_BODIES):
        noise = Image.frombytes("RGB", (side, side), random.Random(number).randbytes(side * side * 3))
        out = io.BytesIO()
        noise.filter(ImageFilter.GaussianBlur(2)).save(out, "JPEG", quality=85)
        bodies.append(out.getvalue())
    return bodies


def run_server(port: "multiprocessing.Queue[int]", bodies: list[bytes], delay_s: float) -> None:
    from aiohttp import web

    async def handle(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if delay_s:
            await asyncio.sleep(delay_s)
        # The number after the picture's end makes each one distinct.
        body = bodies[number % len(bodies)] + number.to_bytes(4, "big")
        return web.Response(body=body, content_type="image/jpeg", headers={"ETag": f'"{number}"'})

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/{number}.jpg", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        port.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def run_floor(table: Path, out: Path) -> None:
    """Fetch with a bare loop."""
    import aiohttp

    async def run() -> None:
        out.mkdir()
        gate = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def fetch(number: int, url: str) -> None:
                async with gate, session.get(url) as response:
                    (out / f"{number}.jpg").write_bytes(await response.read())

            with table.open() as file:
                rows = list(csv.DictReader(file))
            await asyncio.gather(*(fetch(number, row["url"]) for number, row in enumerate(rows)))

    try:
        import uvloop

        uvloop.run(run())
    except ImportError:
        asyncio.run(run())


def measure(command: list[str]) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak MB of a process and its children."""
    started_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - started_s
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command[:4]} failed:\n{errors[-2000:]}")
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--delay-s", type=float, default=0.02, help="before the server answers")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peer", help="a Python with img2dataset")
    parser.add_argument("--floor", nargs=2, metavar=("TABLE", "OUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.floor:
        run_floor(Path(args.floor[0]), Path(args.floor[1]))
        return
    bodies = make_bodies(args.side)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=run_server, args=(ports, bodies, args.delay_s), daemon=True)
    server.start()
    port = ports.get(timeout=60)
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "table.csv"
        rows = (f"http://127.0.0.1:{port}/{number}.jpg,picture {number}" for number in range(args.pictures))
        table.write_text("\n".join(["url,caption", *rows]) + "\n")
        compare(args, table, Path(name), statistics.fmean(map(len, bodies)))
    server.terminate()


def make_clients(args: argparse.Namespace, table: Path) -> dict[str, Callable[[Path], list[str]]]:
    ours = [sys.executable, "-m", "instructgen", "fetch", "images", str(table), "--allow-private", "--json"]
    ours += ["--concurrency", str(AT_ONCE), "--per-host", str(AT_ONCE), "--out"]
    clients: dict[str, Callable[[Path], list[str]]] = {
        "ours": lambda out: [*ours, str(out)],
        "floor": lambda out: [sys.executable, __file__, "--floor", str(table), str(out)],
    }
    if args.peer:
        clients["img2dataset"] = lambda out: [args.peer, "-c", _PEER, str(table), str(out), str(AT_ONCE)]
    return clients


def compare(args: argparse.Namespace, table: Path, folder: Path, mean_bytes: float) -> None:
    size = f"{args.pictures} pictures of {mean_bytes / 1000:.0f} kB"
    print(f"{size}, answered after {args.delay_s} s, {AT_ONCE} at a time")
    clients = make_clients(args, table)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in clients}
    for turn in range(args.turns):
        for name, make_command in clients.items():
            out = folder / f"{name}{turn}"
            found[name].append(measure(make_command(out)))
            num_files = sum(1 for _ in out.rglob("*.jpg"))
            if num_files != args.pictures:
                raise SystemExit(f"{name} has {num_files} of {args.pictures} pictures")
            shutil.rmtree(out)
    print(f"{'client':12} {'pictures/s':>10} {'CPU s/1,000':>11} {'peak MB':>8} {'speed':>7} {'CPU':>7}  (of ours)")
    for name, runs in found.items():
        wall_s, cpu_s, peak_mb = (statistics.median(each) for each in zip(*runs, strict=True))
        speed = statistics.median(ours[0] / run[0] for run, ours in zip(runs, found["ours"], strict=True))
        cpu = statistics.median(run[1] / ours[1] for run, ours in zip(runs, found["ours"], strict=True))
        per_s, per_1000 = args.pictures / wall_s, cpu_s * 1000 / args.pictures
        print(f"{name:12} {per_s:10.0f} {per_1000:11.2f} {peak_mb:8.0f} {speed:6.2f}x {cpu:6.2f}x")


if __name__ == "__main__":
    main()
