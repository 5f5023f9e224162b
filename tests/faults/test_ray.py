"""A build on Ray is the local one, row for row, also when its actors are killed; nothing is bought twice but what was
in flight.

Ray is started on this machine, which takes some seconds; without the package the tests are skipped.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from instructgen.config import BuildConfig, RunConfig, SourceConfig, TeacherConfig
from instructgen.engine.leases import list_rates
from instructgen.engine.on_ray import RayOptions, run_on_ray
from instructgen.engine.work import PartReport, PartWork
from instructgen.jobs.parts import make_parts
from tests.support.chat_server import ChatServer
from tests.support.cli import run_cli
from tests.support.coco_folder import make_coco

ray = pytest.importorskip("ray", reason="ray is not installed (the extra [ray])")
from tests.support.ray_builds import Disturber, start_ray  # noqa: E402

NUM_IMAGES, NUM_PARTS, CONCURRENCY = 160, 4, 4
PRICES = 'as_of = "2026-11-24"\n[models."m"]\nprompt = 0.0\ncompletion = 10.0\n'


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    start_ray()
    yield
    ray.shutdown()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(delay_s=0.15) as made:
        yield made


def make_work(folder: Path, server: ChatServer) -> PartWork:
    make_coco(folder / "coco", NUM_IMAGES)
    (folder / "prices.toml").write_text(PRICES)
    teacher = TeacherConfig(
        name="openai", model="m", base_url=server.base_url, prices="prices.toml", concurrency=CONCURRENCY
    )
    config = BuildConfig(
        types=("conv",), source=SourceConfig(root="coco"), teacher=teacher, run=RunConfig(budget_usd=3.0)
    )
    return PartWork(msgspec.json.encode(config), NUM_PARTS, str(folder / "out"), str(folder))


def build(work: PartWork, said: list[str]) -> list[PartReport]:
    """Build all parts on the cluster, two at a time."""
    config = msgspec.json.decode(work.config, type=BuildConfig)
    here = Path.cwd()
    os.chdir(work.cwd)
    rates = list_rates(make_parts(config).teachers)
    os.chdir(here)
    budget = config.run.budget_usd, config.run.budget_tokens
    return run_on_ray(work, rates, budget, RayOptions(num_workers=2), said.append)


def check_is_the_local_build(folder: Path, work: PartWork, server: ChatServer) -> None:
    """Merge the parts; the local build has the same version, and asks for the same prompts."""
    parts = [work.folder(index) for index in range(NUM_PARTS)]
    merged = run_cli("merge", *parts, "--out", folder / "all", "--json")
    assert merged.code == 0, merged.err
    assert sum(merged.result["accepted"].values()) == NUM_IMAGES
    assert len(server.asked) == NUM_IMAGES
    more = ("--types", "conv", "--base-url", server.base_url, "--model", "m", "--prices", folder / "prices.toml")
    whole = run_cli("build", "--root", folder / "coco", *more, "--out", folder / "whole", "--json")
    assert whole.result["version"] == merged.result["version"]


def test_build_on_ray_is_the_local_build(server: ChatServer, tmp_path: Path) -> None:
    work = make_work(tmp_path, server)
    reports = build(work, [])
    assert sum(report.num_new_requests for report in reports) == NUM_IMAGES
    assert server.num_requests == NUM_IMAGES
    check_is_the_local_build(tmp_path, work, server)


@pytest.mark.parametrize("by_ray", [True, False])
def test_builders_killed_in_mid_run_lose_what_is_in_flight_alone(
    server: ChatServer, tmp_path: Path, by_ray: bool
) -> None:
    work = make_work(tmp_path, server)
    said: list[str] = []
    with Disturber("PartBuilder", by_ray=by_ray, after_s=4.0) as disturber:
        build(work, said)
    assert disturber.num_killed > 0
    assert sum("died" in line for line in said) > 0
    assert server.num_requests <= NUM_IMAGES + disturber.num_killed * CONCURRENCY
    check_is_the_local_build(tmp_path, work, server)


def test_coordinator_killed_in_mid_run_goes_on_with_its_book(server: ChatServer, tmp_path: Path) -> None:
    work = make_work(tmp_path, server)
    with Disturber("Coordinator", after_s=3.0) as disturber:
        build(work, [])
    assert disturber.num_killed > 0
    assert server.num_requests == NUM_IMAGES
    lines = (Path(work.out) / "run" / "leases.jsonl").read_text().splitlines()
    settled = [json.loads(line) for line in lines if json.loads(line)["is_settled"]]
    assert {line["part"] for line in settled} == set(range(NUM_PARTS))
    check_is_the_local_build(tmp_path, work, server)
