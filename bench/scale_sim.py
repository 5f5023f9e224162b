"""What a build of very many units takes on a cluster: scheduler, limits and failures, simulated with measured costs.

    python bench/scale_units.py --units 1000,3000,10000 --json figures.json
    python bench/scale_sim.py --figures figures.json --check
    python bench/scale_sim.py --figures figures.json --units 100000000 --workers 256 --latency-s 2
    python bench/scale_sim.py --figures figures.json --teacher server --clock clock.json

The figures give a line of CPU time over units for each step. `--check` fits it to all sizes but the largest, and says
how far the largest is from what it foretells; wanted is 15%. `--clock` simulates the builds of another file of
bench/scale_units.py, whose server took its time or had a limit, and says how far their clocks are from that. The
simulation goes from event to event: a part begins, has all its answers, is written, or its worker dies. Between two
events every worker gets answers at the least of what its processor, its requests in flight and its share of the
servers' rate allow.
"""

import argparse
import heapq
import json
import math
import random
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from instructgen.jobs.plan_costs import Line, fit

_NO_MERGE = [(0, 0.0), (1, 0.0)]  # where only whole builds were measured


@dataclass(frozen=True)
class World:
    """What is simulated. `asking_share` is how much of a build's CPU time goes into getting the answers."""

    num_units: int
    num_parts: int
    num_workers: int
    build: Line
    merge: Line
    asking_share: float
    latency_s: float
    concurrency: int
    per_minute: float
    hours_to_death: float
    restart_s: float
    read_image_s: float
    units_per_image: float
    seed: int

    @property
    def part_units(self) -> float:
        return self.num_units / self.num_parts

    @property
    def ask_s(self) -> float:
        return self.build.unit * self.asking_share

    def begin_s(self, part: int) -> float:
        """Seconds before a part asks: the process starts, and reads over the images of the parts before."""
        return self.build.begin + self.read_image_s * part * self.part_units / self.units_per_image

    @property
    def write_s(self) -> float:
        return self.build.unit * (1 - self.asking_share) * self.part_units


@dataclass
class Outcome:
    hours: float = 0.0
    num_requests: float = 0.0
    num_repeated: float = 0.0
    num_deaths: int = 0
    cpu_hours: float = 0.0
    merge_hours: float = 0.0


@dataclass
class _Worker:
    """`left` is seconds of a fixed step, or units to ask."""

    part: int = -1
    step: str = "idle"
    left: float = 0.0


@dataclass
class Simulation:
    world: World
    outcome: Outcome = field(default_factory=Outcome)
    _kept: dict[int, float] = field(default_factory=dict)
    """Of parts whose worker died: the units that they have still to ask."""

    def run(self) -> Outcome:
        world, outcome = self.world, self.outcome
        draw = random.Random(world.seed)
        workers = [_Worker() for _ in range(world.num_workers)]
        waiting = list(range(world.num_parts - 1, -1, -1))
        deaths = [(self._draw_death(draw), number) for number in range(world.num_workers)]
        heapq.heapify(deaths)
        now_s = 0.0
        while True:
            for worker in workers:
                if worker.step == "idle" and waiting:
                    part = waiting.pop()
                    worker.part, worker.step, worker.left = part, "begin", world.begin_s(part)
            busy = [worker for worker in workers if worker.step != "idle"]
            if not busy:
                break
            rate = self._rate(sum(worker.step == "ask" for worker in busy))
            next_s = min(worker.left / (rate if worker.step == "ask" else 1.0) for worker in busy)
            passed_s = max(0.0, min(next_s, deaths[0][0] - now_s))
            now_s += passed_s
            for worker in busy:
                self._advance(worker, passed_s * (rate if worker.step == "ask" else 1.0), passed_s)
            if deaths[0][0] <= now_s:
                number = deaths[0][1]
                heapq.heapreplace(deaths, (now_s + self._draw_death(draw), number))
                self._die(workers[number])
        outcome.hours = now_s / 3600
        outcome.merge_hours = world.merge.at(world.num_units) / 3600
        outcome.num_requests = world.num_units + outcome.num_repeated
        return outcome

    def _draw_death(self, draw: random.Random) -> float:
        hours = self.world.hours_to_death
        return draw.expovariate(1 / (hours * 3600)) if hours else math.inf

    def _rate(self, num_asking: int) -> float:
        """Return the answers a second of each worker that asks."""
        world = self.world
        own = min(1 / world.ask_s, world.concurrency / world.latency_s if world.latency_s else math.inf)
        return min(own, world.per_minute / 60 / max(1, num_asking))

    def _advance(self, worker: _Worker, done: float, passed_s: float) -> None:
        world = self.world
        self.outcome.cpu_hours += (done * world.ask_s if worker.step == "ask" else passed_s) / 3600
        worker.left -= done
        if worker.left > 1e-9:
            return
        if worker.step == "begin":
            worker.step, worker.left = "ask", world.part_units
        elif worker.step == "ask":
            worker.step, worker.left = "write", world.write_s
        elif worker.step == "resume":
            worker.step, worker.left = "ask", self._kept.pop(worker.part)
        else:
            worker.step = "idle"

    def _die(self, worker: _Worker) -> None:
        """The part goes on elsewhere: what was in flight is asked again, and writing begins anew."""
        world, outcome = self.world, self.outcome
        if worker.step == "idle":
            return
        outcome.num_deaths += 1
        left = {"ask": worker.left, "begin": world.part_units, "write": 0.0}.get(worker.step)
        if worker.step == "ask":
            in_flight = min(world.concurrency, world.part_units - worker.left)
            outcome.num_repeated += in_flight
        if left is not None:
            self._kept[worker.part] = max(left, 1e-6)
        worker.step, worker.left = "resume", world.restart_s + world.begin_s(worker.part)


def read_figures(path: Path, teacher: str) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Return (units, CPU s) by engine and step, the fewest units first."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    figures = [one for one in json.loads(path.read_text())["figures"] if one["teacher"] == teacher]
    for one in sorted(figures, key=lambda one: one["units"]):
        found.setdefault((one["engine"], one["step"]), []).append((one["units"], one["cpu_s"]))
    return found


def check(figures: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    for (engine, step), points in figures.items():
        if len(points) < 3:
            raise SystemExit("--check wants figures of three sizes or more; see bench/scale_units.py --units")
        *known, (num_units, cpu_s) = points
        foretold = fit(known).at(num_units)
        sys.stdout.write(
            f"{engine:7} {step:16} {num_units:>10,} units: {cpu_s:9.1f} CPU s, foretold {foretold:9.1f} "
            f"({(foretold - cpu_s) / cpu_s:+.1%})\n"
        )


def check_clock(options: argparse.Namespace, figures: Any, path: Path) -> None:
    """Hold the clock of real builds, with the latency and the limit that they had, against the simulation's."""
    costs = make_world(options, figures)
    for one in json.loads(path.read_text())["figures"]:
        world = replace(
            costs,
            num_units=one["units"],
            num_parts=one.get("parts", 1),
            num_workers=one.get("cpus", 1),
            latency_s=one["delay_ms"] / 1000,
            concurrency=one["concurrency"],
            per_minute=one["requests_per_minute"] or math.inf,
        )
        found = Simulation(world).run()
        foretold = 3600 * (found.hours + (found.merge_hours if "merge" in one["step"] else 0))
        how = f"{world.concurrency:>3} in flight, {one['delay_ms']:5.0f} ms, {world.per_minute:5.0f} a minute"
        error = foretold / one["wall_s"] - 1
        sys.stdout.write(
            f"{one['engine']:6} {world.num_units:>8,} units, {how}: {one['wall_s']:7.1f} s, "
            f"foretold {foretold:7.1f} s ({error:+.1%})\n"
        )


def make_world(options: argparse.Namespace, figures: Any) -> World:
    build, replay = fit(figures["whole", "build"]), figures.get(("replay", "build"))
    asking = 1 - fit(replay).unit / build.unit if replay else 0.3
    return World(
        num_units=options.units,
        num_parts=options.parts or 16 * options.workers,
        num_workers=options.workers,
        build=build,
        merge=fit(figures.get(("parts", "merge"), _NO_MERGE)),
        asking_share=min(0.9, max(0.05, asking)),
        latency_s=options.latency_s,
        concurrency=options.concurrency,
        per_minute=options.requests_per_minute,
        hours_to_death=options.hours_to_death,
        restart_s=options.restart_s,
        read_image_s=options.read_image_ms / 1000,
        units_per_image=options.units_per_image,
        seed=options.seed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, required=True, help="of bench/scale_units.py --json")
    parser.add_argument("--teacher", default="program", help="whose figures: program or server")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--clock", type=Path, help="builds whose clock is held against the simulation's")
    parser.add_argument("--units", type=int, default=100_000_000)
    parser.add_argument("--units-per-image", type=float, default=3.0)
    parser.add_argument("--parts", type=int, help="16 for each worker")
    parser.add_argument("--workers", type=int, default=256)
    parser.add_argument("--latency-s", type=float, default=0.0, help="of an answer; 0: the teacher is in the process")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--requests-per-minute", type=float, default=math.inf, help="of all servers together")
    parser.add_argument("--hours-to-death", type=float, default=0.0, help="of a worker, on average; 0: none dies")
    parser.add_argument("--restart-s", type=float, default=30.0)
    parser.add_argument("--read-image-ms", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    figures = read_figures(options.figures, options.teacher)
    if options.check:
        check(figures)
        return
    if options.clock is not None:
        check_clock(options, figures, options.clock)
        return
    found = Simulation(make_world(options, figures)).run()
    for name, value in vars(found).items():
        sys.stdout.write(f"{name:14} {value:>16,.1f}\n")


if __name__ == "__main__":
    main()
