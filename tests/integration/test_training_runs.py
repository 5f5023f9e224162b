"""Whole runs of a few steps: what trains, what is computed, how a run is taken up again."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions, load_data, start_model  # noqa: E402
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.models.folder import load_model, read_card  # noqa: E402
from instructgen.models.lora import merge_lora  # noqa: E402
from instructgen.models.spec import ModelSpec  # noqa: E402
from instructgen.train.example import IMAGE_SLOT  # noqa: E402
from instructgen.train.recipe import make_recipe  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.support.training import LANGUAGE, make_options  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def losses_of(options: TrainingOptions) -> list[float]:
    watch = QuietWatch()
    train(options, watch)
    return [report.loss for report in watch.reports]


def find_changed(options: TrainingOptions, name: str) -> set[str]:
    """Return the parameters that differ between the model that a run began with and the one that it made."""
    began = start_model(options, torch.device("cpu")).model
    ended = load_model(options.out.parent / name).model
    after = dict(ended.named_parameters())
    return {key for key, value in began.named_parameters() if not torch.equal(value.float(), after[key].float())}


def test_loss_of_a_step_is_the_mean_over_its_learned_tokens_one_sample_at_a_time(tmp_path: Path) -> None:
    """The first step's loss and gradient, held against transformers' own pass over each sample by itself."""
    options = make_options(tmp_path, "run", train={"steps": 1, "seed": 3}, rows={"batch": 16})
    watch = QuietWatch()
    train(options, watch)
    (report,) = watch.reports
    start = start_model(options, torch.device("cpu"))
    model = start.model.eval()
    data = load_data(options, start.tokenizer, model)
    total, learned = torch.zeros((), dtype=torch.float64), 0
    for example in data.examples:
        (slot,) = (example.ids == IMAGE_SLOT).nonzero()[0].tolist()
        ids = torch.from_numpy(example.ids.astype("int64"))
        pixels = start.reader(data.examples.picture_bytes(example.pictures[0]))[None]
        embed = model.causal_lm.get_input_embeddings()
        parts = [embed(ids[:slot]), model.embed_pictures(pixels)[0], embed(ids[slot + 1 :])]
        logits = model.causal_lm(inputs_embeds=torch.cat(parts)[None]).logits[0]
        shift = model.tokens_per_image - 1
        for at in example.is_trained.nonzero()[0].tolist():
            total = total - logits[at + shift - 1].double().log_softmax(-1)[ids[at]]
            learned += 1
    assert report.learned_tokens == learned
    assert report.loss == pytest.approx(float(total.detach()) / learned, abs=1e-6)
    (total / learned).backward()
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    assert report.grad_norm == pytest.approx(float(torch.nn.utils.get_total_norm(gradients)), rel=1e-5)


def test_only_the_parts_that_the_recipe_trains_change(tmp_path: Path) -> None:
    first = replace(make_options(tmp_path, "stage1", train={"trains": ["connector"]}), stage="pretrain")
    train(first, QuietWatch())
    changed = find_changed(first, "stage1")
    assert changed
    assert {name.partition(".")[0] for name in changed} == {"connector"}
    second = replace(make_options(tmp_path, "stage2"), model=tmp_path / "stage1")
    train(second, QuietWatch())
    changed = find_changed(second, "stage2")
    assert {name.partition(".")[0] for name in changed} == {"connector", "language"}


def test_stage_two_begins_with_the_connector_of_stage_one(tmp_path: Path) -> None:
    first = replace(make_options(tmp_path, "stage1", train={"trains": ["connector"]}), stage="pretrain")
    train(first, QuietWatch())
    second = replace(make_options(tmp_path, "stage2"), model=tmp_path / "stage1")
    began = start_model(second, torch.device("cpu")).model
    made = load_model(tmp_path / "stage1").model
    for mine, theirs in zip(began.connector.parameters(), made.connector.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_stage_two_makes_pictures_square_as_its_own_recipe_says(tmp_path: Path) -> None:
    first = replace(make_options(tmp_path, "stage1", train={"trains": ["connector"]}), stage="pretrain")
    train(first, QuietWatch())
    second = replace(make_options(tmp_path, "stage2", train={"steps": 1}), model=tmp_path / "stage1")
    model = second.recipe.model
    assert (first.recipe.model.vision.aspect, load_model(tmp_path / "stage1").picture_reader.aspect) == (
        "crop",
        "crop",
    )
    padded = msgspec.structs.replace(model, vision=msgspec.structs.replace(model.vision, aspect="pad"))
    train(replace(second, recipe=msgspec.structs.replace(second.recipe, model=padded)), QuietWatch())
    assert load_model(tmp_path / "stage2").picture_reader.aspect == "pad"


def test_frozen_qformer_is_left_alone_while_its_linear_layer_learns(tmp_path: Path) -> None:
    options = replace(make_options(tmp_path, "run", "qformer", train={"trains": ["connector"]}), stage="pretrain")
    train(options, QuietWatch())
    assert {name.rpartition(".")[0] for name in find_changed(options, "run")} == {"connector.linear"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, number: signal.Signals) -> None:
    whole = make_options(tmp_path, "whole", "mlp2x_gelu")
    losses = losses_of(whole)
    stopped = replace(whole, out=tmp_path / "stopped")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), number) if len(watch.reports) == 2 else None
    with pytest.raises(RunStoppedError, match="stopped after step 3 of 6, with a checkpoint"):
        train(stopped, watch)
    assert not (stopped.out / "model").exists()
    assert losses_of(stopped) == losses[3:]
    assert hash_model(stopped.out) == hash_model(whole.out)
    assert [report.loss for report in read_metrics(stopped.out / "metrics.jsonl")] == losses


def test_second_signal_stops_at_once_and_the_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    whole = make_options(tmp_path, "whole")
    losses = losses_of(whole)
    stopped = replace(whole, out=tmp_path / "stopped")
    watch = QuietWatch()

    def signal_twice() -> None:
        if len(watch.reports) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    watch.act = signal_twice
    with pytest.raises(RunStoppedError, match="stopped at once"):
        train(stopped, watch)
    assert losses_of(stopped) == losses[2:]
    assert hash_model(stopped.out) == hash_model(whole.out)


def test_finished_run_does_nothing_when_it_is_asked_for_again(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    first = train(options, QuietWatch())
    before = hash_model(options.out)
    shutil.rmtree(options.out / "checkpoints")
    watch = QuietWatch()
    again = train(options, watch)
    assert (first.was_finished, again.was_finished) == (False, True)
    assert watch.reports == []
    assert again.progress == first.progress
    assert again.progress.num_steps == 6
    assert hash_model(options.out) == before


def test_damaged_last_checkpoint_costs_its_steps_and_not_the_run(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    train(options, QuietWatch())
    before = hash_model(options.out)
    last = options.out / "checkpoints" / "step-00000006" / "moments.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    shutil.rmtree(options.out / "model")
    watch = QuietWatch()
    train(options, watch)
    assert [report.step for report in watch.reports] == [5, 6]
    assert any("step-00000006 is damaged" in text for text in watch.said)
    assert hash_model(options.out) == before


def test_other_data_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    from tests.support.training import write_data

    options = make_options(tmp_path, "run", train={"steps": 1})
    train(options, QuietWatch())
    others = write_data(tmp_path / "others", num_images=5)
    with pytest.raises(InstructgenError, match="holds another run: data was"):
        train(replace(options, data=str(others)), QuietWatch())


def test_two_commands_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"steps": 1})
    refused: list[Exception] = []
    watch = QuietWatch()

    def begin_another() -> None:
        with pytest.raises(RunLockedError, match="another process trains in"):
            train(options, QuietWatch())
        refused.append(RunLockedError())

    watch.act = begin_another
    train(options, watch)
    assert len(refused) == 1


def test_gradient_checkpointing_changes_no_bit(tmp_path: Path) -> None:
    plain = make_options(tmp_path, "plain", "qformer")
    again = make_options(tmp_path, "again", "qformer", train={"gradient_checkpointing": True})
    assert losses_of(plain) == losses_of(again)
    assert hash_model(plain.out) == hash_model(again.out)


def test_cached_features_give_the_same_losses_and_say_first_what_they_gain(tmp_path: Path) -> None:
    plain = make_options(tmp_path, "plain", "qformer", train={"trains": ["connector"]})
    losses = losses_of(plain)
    cached = replace(plain, out=tmp_path / "cached", feature_folder=tmp_path / "features")
    watch = QuietWatch()
    train(cached, watch)
    assert [report.loss for report in watch.reports] == pytest.approx(losses, abs=1e-6)
    assert any("cached features:" in text and "(predicted)" in text for text in watch.said)
    assert len([path for path in (tmp_path / "features").rglob("*") if path.is_file()]) == 8
    training = make_options(tmp_path, "vision", train={"trains": ["vision", "connector"]})
    with pytest.raises(InstructgenError, match="cannot be cached"):
        train(replace(training, feature_folder=tmp_path / "features"), QuietWatch())


def test_untrained_connector_is_told_of_in_stage_two(tmp_path: Path) -> None:
    watch = QuietWatch()
    train(make_options(tmp_path, "run", train={"steps": 1}), watch)
    assert watch.said == ["the connector begins untrained; --model takes that of an earlier run"]


def test_full_disk_can_be_mended_and_the_run_goes_on(tmp_path: Path) -> None:
    """A file that may not grow any more fails as a full disk does."""
    resource = pytest.importorskip("resource", reason="this system has no limits on files")
    options = make_options(tmp_path, "run", saving={"every_steps": 1})
    watch = QuietWatch()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    watch.act = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(RunStoppedError):
            train(options, watch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    train(options, QuietWatch())
    whole = replace(options, out=tmp_path / "whole")
    train(whole, QuietWatch())
    assert hash_model(options.out) == hash_model(whole.out)


def test_loss_that_is_no_number_stops_with_its_samples_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    optim = {"learning_rate": 1e30, "warmup": 0, "max_grad_norm": 0}
    options = make_options(tmp_path, "run", optim=optim, saving={"every_steps": 1})
    with pytest.raises(InstructgenError, match=r"step 2 is (nan|inf).*coco/0000000000\d\d/"):
        train(options, QuietWatch())
    assert (options.out / "checkpoints" / "step-00000001" / "state.json").is_file()
    assert not (options.out / "model").exists()


def test_bfloat16_trains_float32_weights(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"dtype": "bfloat16"})
    start = start_model(options, torch.device("cpu"))
    kinds = {(name.partition(".")[0], value.dtype) for name, value in start.model.named_parameters()}
    expected = {("vision", torch.bfloat16), ("connector", torch.float32), ("language", torch.float32)}
    assert kinds == expected
    losses = losses_of(options)
    assert losses[-1] < losses[0]


def test_frozen_tower_with_batch_norm_computes_in_bfloat16_and_keeps_its_means(tmp_path: Path) -> None:
    vision = {"config": {"model_type": "efficientnet-lite0"}, "layer": -1, "drops_class_token": False, "image_px": 64}
    options = make_options(tmp_path, "run", train={"trains": ["connector"], "dtype": "bfloat16", "steps": 2})
    table = msgspec.to_builtins(options.recipe)
    table["model"]["vision"] = vision
    options = replace(options, stage="pretrain", recipe=make_recipe(table, "a test"))
    before = start_model(options, torch.device("cpu")).model.vision.state_dict()
    kinds = {name.rpartition(".")[2]: value.dtype for name, value in before.items()}
    assert kinds["running_mean"] == torch.float32
    train(options, QuietWatch())
    after = load_model(options.out).model.vision.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)


def test_adapters_train_beside_a_language_model_that_stays(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    options = make_options(tmp_path, "run", train={"lora": {"rank": 2, "alpha": 4}}, optim={"warmup": 0})
    losses = losses_of(options)
    stopped = replace(options, out=tmp_path / "stopped")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 2 else None
    with pytest.raises(RunStoppedError):
        train(stopped, watch)
    assert losses_of(stopped) == losses[3:]
    assert hash_model(stopped.out) == hash_model(options.out)
    card = read_card(options.out / "model")
    assert card.has_adapter
    base = {name for name in find_changed(options, "run") if ".lora_" not in name}
    assert {name.partition(".")[0] for name in base} == {"connector"}


def test_run_on_a_model_with_adapters_begins_with_them_added_and_keeps_the_sum(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    first = make_options(
        tmp_path, "adapted", train={"lora": {"rank": 2, "alpha": 4}, "steps": 2}, optim={"warmup": 0}
    )
    train(first, QuietWatch())
    second = make_options(tmp_path, "run", train={"trains": ["connector"], "steps": 1})
    second = replace(second, model=tmp_path / "adapted")
    began = dict(start_model(second, torch.device("cpu")).model.named_parameters())
    merged = load_model(tmp_path / "adapted").model
    merge_lora(merged)
    for name, value in merged.named_parameters():
        assert torch.equal(began[name], value), name
    train(second, QuietWatch())
    after = dict(load_model(tmp_path / "run").model.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in began.items() if name.startswith("language"))


def test_model_says_what_it_was_made_of(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    result = train(options, QuietWatch())
    told = read_card(options.out / "model").provenance
    assert told["run_sha256"] == result.record.identity.sha256
    assert told["progress"]["num_steps"] == 6
    assert told["data_version"] == result.record.identity.data
    run = msgspec.json.decode((options.out / "run.json").read_bytes())
    assert run["recipe"]["optim"]["learning_rate"] == 1e-2
    assert run["parameters"]["parts"]["language"]["trained"] == 27088


@pytest.mark.parametrize(
    ("stage", "train_table", "message"),
    [
        ("pretrain", {}, "leaves the language model alone"),
        ("finetune", {"trains": []}, "train.trains is empty"),
        ("finetune", {"trains": ["qformer"]}, "not of the kind"),
        ("finetune", {"trains": ["connector"], "lora": {}}, 'train.trains wants "language"'),
    ],
)
def test_recipe_that_does_not_fit_its_stage_is_refused(
    tmp_path: Path, stage: Any, train_table: dict[str, Any], message: str
) -> None:
    options = replace(make_options(tmp_path, "run", train=train_table), stage=stage)
    with pytest.raises(InstructgenError, match=message):
        train(options, QuietWatch())
    assert not options.out.exists()


def test_plan_counts_what_the_run_then_does(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run", train={"epochs": 1, "steps": None})
    plan = plan_training(options)
    assert not options.out.exists()
    watch = QuietWatch()
    result = train(options, watch)
    assert plan.steps == result.progress.num_steps == 4
    assert plan.examples == result.record.examples
    assert plan.parameters == result.record.parameters
    assert plan.rows.steps == 4
    # planned lengths share less than rows do: the samples of an image may begin alike beyond the image itself
    assert result.progress.num_tokens <= plan.rows.tokens < plan.rows.one_by_one
    told = "\n".join(plan.describe())
    assert "16 samples of 16 rows, 8 pictures" in told
    assert "272 train" in told


def test_tokenizer_of_another_model_is_refused_before_the_first_step(tmp_path: Path) -> None:
    options = make_options(tmp_path, "run")
    language = {"config": {**LANGUAGE, "vocab_size": 8}, "tokenizer": str(tmp_path / "tokenizer")}
    model = msgspec.convert({**msgspec.to_builtins(options.recipe.model), "language": language}, ModelSpec)
    few = replace(options, recipe=msgspec.structs.replace(options.recipe, model=model))
    with pytest.raises(InstructgenError, match="knows 8 tokens"):
        train(few, QuietWatch())


def test_adapters_begin_with_weights_of_the_recipes_seed(tmp_path: Path) -> None:
    def begin(seed: int) -> dict[str, torch.Tensor]:
        changes = {"train": {"seed": seed, "lora": {"rank": 2, "alpha": 4}}}
        model = start_model(make_options(tmp_path, "run", **changes), torch.device("cpu")).model
        return {name: value for name, value in model.named_parameters() if "lora_A" in name}

    first, again, other = begin(1), begin(1), begin(2)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not any(torch.equal(value, other[name]) for name, value in first.items())
