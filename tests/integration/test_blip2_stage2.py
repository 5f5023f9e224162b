"""BLIP-2's second stage as a run: it trains before OPT and T5, goes on where it was stopped, and answers."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError, RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions  # noqa: E402
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.models.folder import load_model  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Ask, Sampling  # noqa: E402
from instructgen.student.load import load_student  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.integration.test_training_ranks import train_in_two  # noqa: E402
from tests.support.tiny_stage2 import LANGUAGES, make_tokenizer  # noqa: E402
from tests.support.tiny_students import VOCABULARY  # noqa: E402
from tests.support.training import QFORMER, make_options, make_picture  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402

torch.set_num_threads(1)


def make_run(folder: Path, out: str, language: str, **changes: Any) -> TrainingOptions:
    tokenizer = folder / f"tokenizer-{language}"
    make_tokenizer(language).save_pretrained(tokenizer)
    is_t5 = language == "t5"
    config = {**LANGUAGES[language], "vocab_size": VOCABULARY + 40, "init_std": 0.2, "initializer_factor": 1.0}
    options = make_options(
        folder,
        out,
        "qformer",
        model={
            "connector": {"kind": "qformer", "qformer": {**QFORMER, "normalises": True}},
            "language": {"config": config, "tokenizer": str(tokenizer)},
        },
        train={"trains": ["connector", "qformer"], "steps": 6},
        optim={"learning_rate": 3e-3},
        rows={"packing": not is_t5, "prefix_lm": is_t5, "row_tokens": 256, **changes},
        template="blip2_t5" if is_t5 else "blip2_opt",
    )
    return replace(options, stage="pretrain")


def losses_of(options: TrainingOptions) -> list[float]:
    return [report.loss for report in read_metrics(options.out / "metrics.jsonl")]


@pytest.mark.parametrize("language", ["opt", "t5"])
def test_the_language_model_is_left_alone_and_the_loss_falls(tmp_path: Path, language: str) -> None:
    options = make_run(tmp_path, "run", language)
    options = replace(options, recipe=_with_steps(options.recipe, 60))
    train(options, QuietWatch())
    losses = losses_of(options)
    assert sum(losses[-10:]) < 0.97 * sum(losses[:10])
    result = load_model(options.out)
    assert result.card.stage["train"]["trains"] == ["connector", "qformer"]
    begun = replace(options, out=tmp_path / "begun")
    begun = replace(begun, recipe=_with_steps(begun.recipe, 1))
    train(begun, QuietWatch())
    before = load_model(begun.out)
    assert set(hash_model(options.out)) == set(hash_model(begun.out))
    for name, weight in result.model.language.state_dict().items():
        assert torch.equal(weight, before.model.language.state_dict()[name])
    moved = [
        name
        for name, weight in result.model.connector.state_dict().items()
        if not torch.equal(weight, before.model.connector.state_dict()[name])
    ]
    assert {name.partition(".")[0] for name in moved} == {"qformer", "linear"}
    assert "qformer.vision_norm.weight" in moved


def _with_steps(recipe: Any, steps: int) -> Any:
    from msgspec.structs import replace as change

    return change(recipe, train=change(recipe.train, steps=steps))


@pytest.mark.parametrize("language", ["opt", "t5"])
def test_stopped_run_goes_on_to_the_same_weights_bit_for_bit(tmp_path: Path, language: str) -> None:
    whole = make_run(tmp_path, "whole", language)
    train(whole, QuietWatch())
    stopped = replace(whole, out=tmp_path / "stopped")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 2 else None
    with pytest.raises(RunStoppedError):
        train(stopped, watch)
    train(stopped, QuietWatch())
    assert losses_of(stopped) == losses_of(whole)
    assert hash_model(stopped.out) == hash_model(whole.out)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks of the test")
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
def test_two_processes_train_an_encoder_decoder_as_one_does(tmp_path: Path) -> None:
    # A sample a row, or dropout draws otherwise where rows are others.
    longest = plan_training(make_run(tmp_path, "plan", "t5")).examples.longest
    one = make_run(tmp_path, "one", "t5", row_tokens=longest, max_tokens=longest, batch=2)
    train(one, QuietWatch())
    two = replace(one, out=tmp_path / "two")
    train_in_two(two)
    assert losses_of(two) == pytest.approx(losses_of(one), abs=1e-5)


@pytest.mark.parametrize("language", ["opt", "t5"])
def test_cached_features_and_recomputed_layers_change_nothing_but_rounding(tmp_path: Path, language: str) -> None:
    plain = make_run(tmp_path, "plain", language)
    train(plain, QuietWatch())
    recipe = plain.recipe
    from msgspec.structs import replace as change

    other = replace(
        plain,
        out=tmp_path / "other",
        feature_folder=tmp_path / "features",
        recipe=change(recipe, train=change(recipe.train, gradient_checkpointing=True)),
    )
    train(other, QuietWatch())
    assert losses_of(other) == pytest.approx(losses_of(plain), abs=1e-4)


@pytest.mark.parametrize("language", ["opt", "t5"])
def test_trained_model_answers_captions_and_questions(tmp_path: Path, language: str) -> None:
    options = make_run(tmp_path, "run", language)
    train(options, QuietWatch())
    ask = Ask((Message("user", "What colour is it?"),), (make_picture("red"),))
    student = load_student(options.out, "cpu")
    vqa = load_student(options.out, "cpu", template=f"blip2_{language}_vqa")
    assert student.check(ask) < vqa.check(ask)
    for each in (student, vqa):
        [answer] = each.answer_all([ask], Sampling(8))
        assert answer.completion_tokens <= 8


def test_rows_that_do_not_fit_the_language_model_are_refused(tmp_path: Path) -> None:
    packed = make_run(tmp_path, "packed", "t5", packing=True)
    cut = make_run(tmp_path, "cut", "opt", prefix_lm=True)
    for call in (lambda options: train(options, QuietWatch()), plan_training):
        with pytest.raises(InstructgenError, match=r"set rows\.packing = false"):
            call(packed)
        with pytest.raises(InstructgenError, match=r"rows\.prefix_lm wants a language model with an encoder"):
            call(cut)


def test_plan_of_an_encoder_decoder_counts_memory_and_samples(tmp_path: Path) -> None:
    plan = plan_training(make_run(tmp_path, "run", "t5"))
    assert plan.examples.samples == 16
    assert plan.parameters.trained == plan.parameters.parts["qformer"].used + plan.parameters.parts["connector"].used
    assert plan.memory.total > 0
