"""Runs of BLIP-2's first stage: what they leave, that they go on to the same weights, and that processes agree."""

import json
import os
import random
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.cli import evaluate, model, train  # noqa: E402
from instructgen.errors import InstructgenError, RunStoppedError  # noqa: E402
from instructgen.jobs.representation import RepresentationOptions, train_representation  # noqa: E402
from instructgen.models.blip2.folder import load_representation  # noqa: E402
from instructgen.train.distributed import Ranks, join_ranks  # noqa: E402
from instructgen.train.representation import RepresentationObjective  # noqa: E402
from instructgen.train.representation_data import CaptionBatch  # noqa: E402
from instructgen.train.representation_recipe import LossesConfig  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.support.tiny_blip2 import (  # noqa: E402
    make_model,
    make_options,
    make_pixels,
    make_table,
    make_texts,
    write_pairs,
)
from tests.support.training import write_recipe  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks of the test")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def losses_of(options: RepresentationOptions) -> list[float]:
    return [report.loss for report in read_metrics(options.out / "metrics.jsonl")]


AUGMENTED = {"area": [0.5, 1.0], "flip": True}


def test_run_leaves_a_model_a_report_and_the_three_losses(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    watch = QuietWatch()
    result = train_representation(options, watch)
    assert result.progress.num_steps == 6
    assert result.progress.num_samples == 24
    report = watch.reports[-1]
    assert set(report.parts) == {"contrastive", "matching", "generation"}
    assert report.loss == pytest.approx(sum(report.parts.values()), rel=1e-5)
    page = (options.out / "report.html").read_text(encoding="utf-8")
    assert "Loss: matching" in page
    assert load_representation(options.out).card.provenance["run_sha256"] == result.record.identity.sha256
    again = train_representation(options, QuietWatch())
    assert again.was_finished


def test_stopped_run_goes_on_to_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    whole = make_options(tmp_path, "whole", augment=AUGMENTED)
    train_representation(whole, QuietWatch())
    stopped = replace(whole, out=tmp_path / "stopped")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 3 else None
    with pytest.raises(RunStoppedError, match="stopped after step 4 of 6"):
        train_representation(stopped, watch)
    train_representation(stopped, QuietWatch())
    assert losses_of(stopped) == losses_of(whole)
    assert hash_model(stopped.out) == hash_model(whole.out)


def run_as_child(work: Callable[[], None]) -> int:
    """Do the work in a fork and return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001  a fork must not go on as the test
            os.write(2, f"{error!r}\n".encode())
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
def test_killed_run_goes_on_to_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    whole = make_options(tmp_path, "whole", augment=AUGMENTED, saving={"every_steps": 1})
    train_representation(whole, QuietWatch())
    killed = replace(whole, out=tmp_path / "killed")
    draws = random.Random(0)
    for _ in range(3):
        watch = QuietWatch()
        step = draws.randint(1, 3)
        watch.act = lambda watch=watch, step=step: (  # type: ignore[misc]
            os.kill(os.getpid(), signal.SIGKILL) if len(watch.reports) == step else None
        )
        run_as_child(lambda watch=watch: train_representation(killed, watch))  # type: ignore[misc]
    train_representation(killed, QuietWatch())
    assert losses_of(killed) == losses_of(whole)
    assert hash_model(killed.out) == hash_model(whole.out)


def test_another_recipe_does_not_go_on_in_the_folder(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"steps": 1})
    train_representation(options, QuietWatch())
    other = make_options(tmp_path, "run", train={"steps": 1}, losses={"matching": 0.5})
    with pytest.raises(InstructgenError, match=r"recipe.losses.matching was 1.0, is 0.5"):
        train_representation(other, QuietWatch())


def in_two(work: Callable[[int], None]) -> None:
    """Do the work in two processes, as torchrun starts them."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            os.environ.update(
                RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
            )
            code = 1
            try:
                work(rank)
                code = 0
            except BaseException as error:  # noqa: BLE001  a fork must not go on as the test
                os.write(2, f"{error!r}\n".encode())
            os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]


def cut_batch(start: int, end: int) -> tuple[CaptionBatch, torch.Tensor]:
    ids, is_token = make_texts((5, 8, 3, 6))
    views = tuple(f"0/{number}" for number in range(start, end))
    return CaptionBatch(views, ids[start:end], is_token[start:end], 5), make_pixels(4)[start:end]


def measure(folder: Path, losses: LossesConfig, ranks: Ranks, start: int, end: int) -> dict[str, Any]:
    model, _ = make_model(folder)
    objective = RepresentationObjective(model, losses, 5, ranks)
    loss = objective(*cut_batch(start, end))
    loss.backward()
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return {"loss": loss.detach(), **found}


# Of two pairs each is the other's only negative, so that matching draws the same in one process and in two.
@needs_fork
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
@pytest.mark.parametrize(("count", "matching"), [(2, 1.0), (4, 0.0)])
def test_two_processes_have_the_loss_and_the_gradients_of_one(tmp_path: Path, count: int, matching: float) -> None:
    losses = LossesConfig(matching=matching)
    make_model(tmp_path)  # writes the tokenizer
    one = measure(tmp_path, losses, Ranks(torch.device("cpu")), 0, count)

    def work(rank: int) -> None:
        with join_ranks("cpu") as ranks:
            share = count // 2
            found = measure(tmp_path, losses, ranks, rank * share, (rank + 1) * share)
            for name in sorted(found):
                torch.distributed.all_reduce(found[name])
            if rank == 0:
                torch.save(found, tmp_path / "two.pt")

    in_two(work)
    two = torch.load(tmp_path / "two.pt")
    assert two.keys() == one.keys()
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=2e-5, rtol=1e-4), name


@needs_fork
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
def test_two_processes_train_and_go_on_where_they_stopped(tmp_path: Path) -> None:
    whole = make_options(tmp_path, "whole")
    in_two(lambda _rank: void(train_representation(whole, QuietWatch())))
    assert len(losses_of(whole)) == 6
    stopped = replace(whole, out=tmp_path / "stopped")

    def stop_early(_rank: int) -> None:
        watch = QuietWatch()
        watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 2 else None
        with pytest.raises(RunStoppedError):
            train_representation(stopped, watch)

    in_two(stop_early)
    in_two(lambda _rank: void(train_representation(stopped, QuietWatch())))
    assert losses_of(stopped) == losses_of(whole)
    assert hash_model(stopped.out) == hash_model(whole.out)


def void(_value: object) -> None:
    return


def call(*arguments: str | Path) -> str:
    """Return what a command prints on standard output; its error is raised."""
    app = typer.Typer()
    for each in (train, evaluate, model):
        each.add_to(app)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip2")
    write_pairs(folder / "pairs", num_captions=2)
    write_recipe(folder / "stage1.toml", make_table(folder, train={"steps": 2}))
    return folder


def test_pretrain_takes_the_recipe_and_evaluate_measures_retrieval(work: Path) -> None:
    data = work / "pairs" / "pairs.jsonl"
    told = ("--data", data, "--recipe", work / "stage1.toml", "--out", work / "run")
    plan = json.loads(call("pretrain", *told, "--dry-run", "--json"))
    assert (plan["steps"], plan["batch"], plan["examples"]["pictures"]) == (2, 4, 10)
    assert "10 pictures with 20 captions" in call("pretrain", *told, "--dry-run")
    done = json.loads(call("pretrain", *told, "--set", "losses.matching=0.5", "--json").splitlines()[-1])
    assert (done["stage"], done["steps"], done["was_finished"]) == ("representation", 2, False)
    asked = ("evaluate", work / "run", "--suite", "retrieval", "--source", "simple-scenes:7", "--limit", "12")
    measured = json.loads(call(*asked, "--out", work / "evaluation", "--json"))["suites"]["retrieval"]
    assert measured["counts"]["images"] == 12
    assert 0 <= measured["image_to_text_recall_at_1"] <= 1
    assert measured["text_to_image_chance_at_1"] == pytest.approx(1 / 12, abs=0.02)
    assert "text of a picture" in (work / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert "recall@10" in call(*asked, "--out", work / "evaluation")


def test_what_is_not_for_this_stage_is_refused(work: Path) -> None:
    data = work / "pairs" / "pairs.jsonl"
    told = ("--data", data, "--recipe", work / "stage1.toml", "--out", work / "other")
    with pytest.raises(InstructgenError, match="instructgen pretrain"):
        call("finetune", *told)
    with pytest.raises(InstructgenError, match="--cache-features"):
        call("pretrain", *told, "--cache-features", work / "features")
    with pytest.raises(InstructgenError, match=r"no such key; did you mean rows\.text_tokens"):
        call("pretrain", *told, "--set", "rows.text_token=3")
    with pytest.raises(InstructgenError, match="run it by itself"):
        call("evaluate", work, "--suite", "retrieval,pope")


def test_describe_counts_the_shipped_recipe() -> None:
    found = json.loads(call("model", "describe", "blip2-stage1", "--json"))
    assert found["trained_parameters"] == 186_705_470
    assert found["parts"]["qformer"]["trained"] == 105_162_240
    assert "image half" in call("model", "describe", "blip2-stage1")
