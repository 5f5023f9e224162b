"""Mixtures: a step's gradients are the weighted sum of each set's mean, whatever the rows and the processes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import (  # noqa: E402
    TrainingOptions,
    load_data,
    make_picture_loader,
    start_model,
)
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.train.mixture import JoinedExamples, MixedCourse, make_course, make_weights  # noqa: E402
from instructgen.train.objective import row_loss  # noqa: E402
from instructgen.train.packing import pack  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.support.training import make_options, make_picture  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402

WEIGHTS = {"pairs": 0.2, "video": 0.03}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def write_set(folder: Path, name: str, count: int, words: int) -> str:
    """Write chats about pictures that are all called `picture.png`, of another colour in each set."""
    place = folder / name
    place.mkdir(exist_ok=True)
    colour = {"main": "red", "pairs": "green", "video": "blue"}[name]
    (place / "picture.png").write_bytes(make_picture(colour))
    lines = []
    for number in range(count):
        answer = " ".join([f"{name} {number}"] * words)
        chat = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": answer}]
        lines.append(json.dumps({"id": f"{name}-{number}", "messages": chat, "images": ["picture.png"]}))
    (place / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return str(place / "rows.jsonl")


def make_mixed(folder: Path, out: str = "run", **changes: Any) -> TrainingOptions:
    table = [{"name": name, "weight": weight, "batch": 2} for name, weight in WEIGHTS.items()]
    options = make_options(folder, out, "mlp2x_gelu", mixture=table, rows={"batch": 4, "max_tokens": 256}, **changes)
    return replace(
        options,
        data=write_set(folder, "main", 9, 2),
        also={"pairs": write_set(folder, "pairs", 5, 6), "video": write_set(folder, "video", 3, 1)},
    )


def test_a_step_holds_samples_of_every_set_each_going_through_its_own_epochs(tmp_path: Path) -> None:
    options = make_mixed(tmp_path)
    start = start_model(options, torch.device("cpu"))
    data = load_data(options, start.tokenizer, start.model)
    assert isinstance(data.examples, JoinedExamples)
    assert data.examples.starts.tolist() == [0, 9, 14]
    for ranks in (1, 2):
        course = make_course(data.examples, options.recipe, ranks)
        assert isinstance(course, MixedCourse)
        seen: list[int] = []
        for step in (course[number] for number in range(len(course))):
            assert len({len(rows) for rows in step.rows}) == 1
            for rows in step.rows:
                for row in rows:
                    sets = {sum(number >= start for start in (9, 14)) for group in row for number in group}
                    assert len(sets) <= 1
            seen += step.numbers
        assert [len([number for number in seen if start <= number < end]) for start, end in ((9, 14), (14, 17))] == [
            10,
            9,
        ]
        assert sorted(number for number in seen if 9 <= number < 14) == sorted([*range(9, 14)] * 2)


def test_gradients_are_the_weighted_sum_of_each_sets_mean(tmp_path: Path) -> None:
    """The weights after one step of plain descent tell the gradient; nothing is clipped."""
    options = make_mixed(tmp_path, train={"steps": 1}, optim={"max_grad_norm": 0})
    start = start_model(options, torch.device("cpu"))
    data = load_data(options, start.tokenizer, start.model)
    examples, model = data.examples, start.model
    assert isinstance(examples, JoinedExamples)
    step = make_course(examples, options.recipe)[0]
    load = make_picture_loader(examples, start.reader)
    expected: dict[str, torch.Tensor] = {}
    told = 0.0
    for place, weight in enumerate((1.0, *WEIGHTS.values())):
        end = [*examples.starts.tolist(), len(examples)][place + 1]
        members = [number for number in step.numbers if examples.starts[place] <= number < end]
        rows = [pack(examples, [[number]], examples.tokens_per_image) for number in members]
        learned = sum(len(row.source_s) for row in rows)
        model.zero_grad()
        for row in rows:
            loss = row_loss(model, row, load(row.pictures)) * weight / learned
            loss.backward()
            told += float(loss.detach())
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                expected[name] = expected.get(name, 0) + parameter.grad
    found = _first_gradients(options)
    assert found["loss"] == pytest.approx(told, rel=1e-6)
    largest = max(float(each.abs().max()) for each in expected.values())
    for name, gradient in expected.items():
        assert float((found[name] - gradient).abs().max()) < 1e-5 * largest


def _first_gradients(options: TrainingOptions) -> dict[str, Any]:
    """Return the gradients of a run's first step, from AdamW's first moment: a tenth of them."""
    from safetensors.torch import load_file

    train(options, QuietWatch())
    (moments,) = (options.out / "checkpoints").rglob("*moments*.safetensors")
    return {
        "loss": read_metrics(options.out / "metrics.jsonl")[0].loss,
        **{
            name.removeprefix("exp_avg/"): value * 10
            for name, value in load_file(moments).items()
            if name.startswith("exp_avg/")
        },
    }


def test_two_sets_may_call_different_pictures_alike(tmp_path: Path) -> None:
    options = make_mixed(tmp_path)
    start = start_model(options, torch.device("cpu"))
    examples = load_data(options, start.tokenizer, start.model).examples
    shown = [examples.picture_bytes(examples[number].pictures[0]) for number in (0, 9, 14)]
    assert shown == [make_picture(colour) for colour in ("red", "green", "blue")]
    assert examples.summary.samples == len(examples) == 17
    assert examples.sample_ids[9] == "pairs-0"


def test_a_mixture_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = make_mixed(tmp_path, "whole")
    train(whole, QuietWatch())
    other = make_mixed(tmp_path, "other")
    import os
    import signal

    from instructgen.errors import RunStoppedError

    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 2 else None
    with pytest.raises(RunStoppedError):
        train(other, watch)
    train(other, QuietWatch())
    assert hash_model(other.out) == hash_model(whole.out)


def test_a_set_of_weight_0_changes_nothing(tmp_path: Path) -> None:
    options = make_mixed(tmp_path, "without", train={"trains": ["connector"]})
    alone = replace(options, recipe=_mix(options, ()), also={}, out=tmp_path / "alone")
    zero = tuple(_weigh(each, 0.0) for each in options.recipe.mixture)
    silent = replace(options, recipe=_mix(options, zero), out=tmp_path / "silent")
    train(alone, QuietWatch())
    train(silent, QuietWatch())
    losses = [[report.loss for report in read_metrics(each.out / "metrics.jsonl")] for each in (alone, silent)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def _mix(options: TrainingOptions, mixture: tuple[Any, ...]) -> Any:
    from msgspec.structs import replace as replaced

    return replaced(options.recipe, mixture=mixture)


def _weigh(each: Any, weight: float) -> Any:
    from msgspec.structs import replace as replaced

    return replaced(each, weight=weight)


def test_what_is_mixed_in_is_named_and_nothing_else(tmp_path: Path) -> None:
    options = make_mixed(tmp_path)
    with pytest.raises(InstructgenError, match="--also video=DATASET"):
        plan_training(replace(options, also={"pairs": options.also["pairs"]}))
    with pytest.raises(InstructgenError, match="no such set; there are: pairs, video"):
        plan_training(replace(options, also={**options.also, "more": "x"}))
    table = [{"name": "pairs", "weight": 1.0, "batch": 1}] * 2
    with pytest.raises(InstructgenError, match="the same name"):
        make_options(tmp_path, "twice", "linear", mixture=table)
    assert "0.2 x" in plan_training(options).data


def test_one_dataset_has_no_weights(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", "linear")
    start = start_model(options, torch.device("cpu"))
    examples = load_data(options, start.tokenizer, start.model).examples
    assert make_weights(examples, options.recipe) is None
