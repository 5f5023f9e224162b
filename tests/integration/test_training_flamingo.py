"""A Flamingo trains on documents and chats: in one process and two, killed and gone on, and answers afterwards."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from msgspec import structs  # noqa: E402

from instructgen.errors import RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions  # noqa: E402
from instructgen.jobs.training_plan import plan_training  # noqa: E402
from instructgen.student.ask import Document, Sampling  # noqa: E402
from instructgen.student.load import load_student  # noqa: E402
from instructgen.train.marks import END_OF_CHUNK, PICTURE  # noqa: E402
from instructgen.train.recipe import DocumentsConfig  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.integration.test_training_ranks import find_distance, train_in_two  # noqa: E402
from tests.support.training import make_options, make_picture  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402

KIND = "gated_cross_attention"
COLOURS = ("red", "green", "blue", "white")
needs_two = pytest.mark.skipif(
    not hasattr(os, "fork") or not torch.distributed.is_gloo_available(),
    reason="two processes need forks and a torch with gloo",
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def write_documents(folder: Path) -> Path:
    """Write documents of one to three pictures, pairs that share one, a clip, and a text alone as a chat."""
    for colour in COLOURS:
        (folder / f"{colour}.png").write_bytes(make_picture(colour))
    rows: list[dict[str, Any]] = []
    for number in range(6):
        shown = [COLOURS[(number + place) % 4] for place in range(1 + number % 3)]
        texts = ["At first.", *(f"It is {colour}." for colour in shown)]
        rows.append(make_row(texts, [f"{colour}.png" for colour in shown], list(range(1, len(texts)))))
    rows += [make_row([f"Red, number {number}."], ["red.png"], [0]) for number in range(3)]
    rows.append(make_row(["From red to blue."], ["red.png", "white.png", "blue.png"], [0], [3]))
    chat = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Nobody at all."}]
    rows.append({"messages": chat, "images": []})
    path = folder / "documents.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def make_row(texts: list[str], images: list[str], image_at: list[int], frames: list[int] | None = None) -> Any:
    messages = [{"role": "assistant", "content": text} for text in texts]
    row = {"messages": messages, "images": images, "image_at": image_at}
    return row if frames is None else {**row, "frames": frames}


def make_run(folder: Path, out: str, **changes: Any) -> TrainingOptions:
    """Return a run on documents that trains the connector alone."""
    changes = {"template": "vicuna_v1", "documents": {"p_next": 0.5, "max_pictures": 2}, **changes}
    documents = changes.pop("documents")
    changes["train"] = {"trains": ["connector"], **changes.get("train", {})}
    options = make_options(folder, out, KIND, **changes)
    recipe = structs.replace(options.recipe, documents=DocumentsConfig(**documents))
    return replace(options, stage="pretrain", recipe=recipe, data=str(write_documents(folder)))


def losses_of(options: TrainingOptions) -> list[float]:
    return [report.loss for report in read_metrics(options.out / "metrics.jsonl")]


def test_documents_train_and_the_model_goes_on_with_one(tmp_path: Path) -> None:
    options = make_run(tmp_path, "run", optim={"learning_rate": 3e-2}, train={"steps": 12})
    result = train(options, QuietWatch())
    losses = losses_of(options)
    assert losses[-1] < losses[0] - 0.3
    assert result.record.examples.pictures_left_out == 2
    counts = result.record.parameters.parts
    assert counts["connector"].trained == counts["connector"].total > 0
    assert counts["language"].trained == counts["vision"].trained == 0
    student = load_student(options.out, device="cpu")
    shots = (PICTURE, "It is red.", END_OF_CHUNK, PICTURE, "It is")
    document = Document(shots, (make_picture("red"), make_picture("blue")))
    answer = student.answer_all([document], Sampling(max_tokens=6))[0]
    assert answer.completion_tokens <= 6
    assert len(student.score(document, [" blue.", " red."])) == 2


def test_a_dry_run_counts_what_would_be_trained(tmp_path: Path) -> None:
    plan = plan_training(make_run(tmp_path, "run"))
    assert plan.parameters.parts["connector"].trained > 0
    assert plan.memory.total > 0
    assert any("pictures left out" in line for line in plan.describe())


def test_activations_computed_again_give_the_weights_of_those_that_are_kept(tmp_path: Path) -> None:
    one = make_run(tmp_path, "one")
    train(one, QuietWatch())
    other = make_run(tmp_path, "other", train={"gradient_checkpointing": True})
    train(other, QuietWatch())
    assert hash_model(other.out) == hash_model(one.out)


@pytest.mark.parametrize("packing", [True, False])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, packing: bool) -> None:
    whole = make_run(tmp_path, "whole", rows={"packing": packing})
    train(whole, QuietWatch())
    stopped = replace(whole, out=tmp_path / "stopped")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 3 else None
    with pytest.raises(RunStoppedError):
        train(stopped, watch)
    train(stopped, QuietWatch())
    assert hash_model(stopped.out) == hash_model(whole.out)
    assert losses_of(stopped) == losses_of(whole)


def test_adapters_of_the_language_model_train_beside_the_blocks(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    table = {"trains": ["connector", "language"], "lora": {"rank": 2, "alpha": 4}}
    options = replace(make_run(tmp_path, "run", train=table), stage="finetune")
    result = train(options, QuietWatch())
    assert result.record.parameters.adapters > 0
    student = load_student(options.out, device="cpu")
    document = Document((PICTURE, "It is"), (make_picture("red"),))
    assert student.answer_all([document], Sampling(max_tokens=4))[0].completion_tokens <= 4


def test_cached_features_train_as_pictures_do(tmp_path: Path) -> None:
    one = make_run(tmp_path, "one")
    train(one, QuietWatch())
    cached = replace(one, out=tmp_path / "cached", feature_folder=tmp_path / "features")
    train(cached, QuietWatch())
    assert losses_of(cached) == pytest.approx(losses_of(one), abs=1e-5)


@needs_two
@pytest.mark.parametrize("checkpointing", [False, True])
def test_two_processes_train_as_one_does(tmp_path: Path, checkpointing: bool) -> None:
    one = make_run(tmp_path, "one", train={"gradient_checkpointing": checkpointing})
    train(one, QuietWatch())
    two = replace(one, out=tmp_path / "two")
    train_in_two(two)
    assert losses_of(two) == pytest.approx(losses_of(one), abs=1e-6)
    assert find_distance(one, two) < 1e-6
