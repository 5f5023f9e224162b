"""A run fetches shards from an object store as it needs them, to the losses and weights of one that has them here."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("s3fs", reason="s3fs is not installed")

from instructgen.dataset.reading.shard_cache import ShardCache  # noqa: E402
from instructgen.dataset.stored import LocalVersion  # noqa: E402
from instructgen.dataset.stores import open_store, retry  # noqa: E402
from instructgen.errors import InstructgenError, RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions  # noqa: E402
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.train.distributed import Ranks, shard  # noqa: E402
from tests.integration.test_training_ranks import find_distance, losses_of, train_in_two  # noqa: E402
from tests.support.s3 import serve_s3  # noqa: E402
from tests.support.training import make_options, make_picture  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402
from tests.support.versions import make_row_of, write_version  # noqa: E402

NUM_SHARDS = 6
NUM_STEPS = 6


@dataclass(frozen=True)
class Streamed:
    """A run that had all its data here, and the same data in a bucket."""

    whole: TrainingOptions
    address: str
    shard_bytes: int
    """Of the largest."""

    def options(self, folder: Path, num_fitting: int) -> TrainingOptions:
        cache = ShardCache(folder / "cache", num_fitting * self.shard_bytes)
        return replace(self.whole, data=self.address, out=folder / "run", shard_cache=cache)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streamed]:
    folder = tmp_path_factory.mktemp("streams")
    rows = [
        make_row_of(number, f"kind{number % NUM_SHARDS}", [("What?", f"The {number}th.")], make_picture("red"))
        for number in range(24)
    ]
    version: LocalVersion = write_version(folder / "data", rows)
    rows_table = {"batch": 4, "max_tokens": 256, "mixed_shards": 2}
    whole = make_options(folder, "whole", "mlp2x_gelu", rows=rows_table, train={"steps": NUM_STEPS})
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    train(whole, QuietWatch())
    with serve_s3() as bucket:
        open_store(f"{bucket}/data").add(version)
        address = f"{bucket}/data@{version.manifest.version}"
        yield Streamed(whole, address, max(shard.num_bytes for shard in version.manifest.shards))
    torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks of the test")
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
def test_two_processes_begin_from_a_bucket_and_one_goes_on(streamed: Streamed, tmp_path: Path) -> None:
    """The two have a copy of the weights each; how they are split is no part of what a run is."""
    options = streamed.options(tmp_path, num_fitting=4)
    recipe = options.recipe
    copies = structs.replace(recipe, train=structs.replace(recipe.train, sharded_over=1))
    train_in_two(replace(options, recipe=copies), stop_after=2)
    assert len(losses_of(options)) == 3
    train(options, QuietWatch())
    assert losses_of(options) == pytest.approx(losses_of(streamed.whole), abs=1e-5)
    assert find_distance(streamed.whole, options) < 1e-5
    kept = list(options.shard_cache.folder.glob("*.parquet"))
    assert 0 < len(kept) < NUM_SHARDS
    assert sum(path.stat().st_size for path in kept) <= options.shard_cache.max_bytes


def test_store_that_fails_in_mid_run_is_waited_for_and_then_told(
    streamed: Streamed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs.core import S3File

    options = streamed.options(tmp_path, num_fitting=2)
    watch = QuietWatch()
    num_failed = 0
    fetch = S3File._fetch_range

    def fail_at_times(self: S3File, start: int, end: int) -> bytes:
        nonlocal num_failed
        is_down = len(watch.reports) >= 2
        if is_down or num_failed < 4:
            num_failed += 1
            raise ConnectionResetError("reset by peer")
        return fetch(self, start, end)

    monkeypatch.setattr(retry, "_FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(S3File, "_fetch_range", fail_at_times)
    wanted = r"reset by peer; check .* \(tried 6 times\); the same command goes on from the last checkpoint"
    with pytest.raises(RunStoppedError, match=wanted):
        train(options, watch)
    assert num_failed > 4
    assert losses_of(options) == losses_of(streamed.whole)[: len(watch.reports)]
    assert any("set rows.mixed_shards to 1 or less" in text for text in watch.said)
    monkeypatch.setattr(S3File, "_fetch_range", fetch)
    train(options, QuietWatch())
    assert losses_of(options) == losses_of(streamed.whole)
    assert hash_model(options.out) == hash_model(streamed.whole.out)


def test_plan_of_data_in_a_bucket_fetches_no_shard_and_tells_of_the_processes(
    streamed: Streamed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = streamed.options(tmp_path, num_fitting=2)
    alone = plan_training(options)
    assert alone.steps == NUM_STEPS
    assert not options.shard_cache.folder.exists()
    monkeypatch.setenv("WORLD_SIZE", "2")
    plan = plan_training(streamed.whole)
    assert plan.examples == alone.examples
    assert plan.memory.optimiser == pytest.approx(alone.memory.optimiser / 2, rel=0.01)
    (told,) = [line for line in plan.describe() if "2 processes: 1.0 rows a step in each, of " in line]
    assert told.endswith("% busy")
    assert any("in each process: weights" in line for line in plan.describe())


def test_processes_that_copies_do_not_divide_are_told_with_what_does() -> None:
    ranks = Ranks(torch.device("cpu"), count=12, mesh=object())  # type: ignore[arg-type]  it is not looked at
    with pytest.raises(InstructgenError, match=r"12 processes are no multiple of it: .* a divisor of 12, or 0"):
        shard(torch.nn.Linear(2, 2), list, ranks, sharded_over=8)


def test_command_line_says_where_shards_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instructgen.cli import train as commands

    found: list[TrainingOptions] = []
    monkeypatch.setattr(commands, "_act", lambda options, **_told: found.append(options))
    told = {"assignments": [], "also": [], "model": None, "images": None, "cache_features": None, "steps": 1}
    told |= {"split": "train", "device": "cpu", "dry_run": True, "plain": True, "as_json": False}
    for command, recipe in ((commands.pretrain, "blip2-stage1"), (commands.finetune, "small-stage2")):
        own = {name: value for name, value in told.items() if command is commands.finetune or name != "model"}
        command(data="s3://b/d", out=tmp_path, recipe=recipe, shard_cache=tmp_path / "c", shard_cache_gib=2.5, **own)
        assert found[-1].shard_cache == ShardCache(tmp_path / "c", 5 << 29)
