"""Two processes train as one does (FSDP2 over gloo), and each goes on where the other stopped."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from safetensors.torch import load_file  # noqa: E402

from instructgen.errors import RunStoppedError  # noqa: E402
from instructgen.jobs.training import train  # noqa: E402
from instructgen.jobs.training_parts import TrainingOptions  # noqa: E402
from instructgen.train.watch import read_metrics  # noqa: E402
from tests.support.training import make_options, make_picture  # noqa: E402
from tests.support.training_kills import QuietWatch, hash_model  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks of the test"),
    pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo"),
]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train_in_two(options: TrainingOptions, stop_after: int | None = None) -> None:
    """Train in two processes, as torchrun starts them; `stop_after` so many steps the second is told to stop."""
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
            os._exit(_train_as_rank(options, stop_after))
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == ([0, 0] if stop_after is None else [3, 3])


def _train_as_rank(options: TrainingOptions, stop_after: int | None) -> int:
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == stop_after else None
    try:
        train(options, watch)
    except RunStoppedError:
        return 3
    except BaseException as error:  # noqa: BLE001  a fork must not go on as the test
        os.write(2, f"{error!r}\n".encode())
        return 1
    return 0


def losses_of(options: TrainingOptions) -> list[float]:
    return [report.loss for report in read_metrics(options.out / "metrics.jsonl")]


def find_distance(one: TrainingOptions, other: TrainingOptions) -> float:
    """Return the largest difference between weights of two runs' models."""
    distances = [0.0]
    for name in hash_model(one.out):
        mine, theirs = load_file(one.out / name), load_file(other.out / name)
        assert mine.keys() == theirs.keys()
        distances += [float((mine[key] - theirs[key]).abs().max()) for key in mine]
    return max(distances)


def test_two_processes_give_the_loss_curve_and_the_weights_of_one(tmp_path: Path) -> None:
    one = make_options(tmp_path, "one", "mlp2x_gelu")
    train(one, QuietWatch())
    two = replace(one, out=tmp_path / "two")
    train_in_two(two)
    assert losses_of(two) == pytest.approx(losses_of(one), abs=1e-6)
    assert find_distance(one, two) < 1e-6


@pytest.mark.parametrize("kind", ["mlp2x_gelu", "qformer"])
def test_with_a_row_each_and_nothing_clipped_they_are_equal_bit_for_bit(tmp_path: Path, kind: str) -> None:
    """Every second sample has no picture, so that the connector of one process alone has a gradient."""
    (tmp_path / "red.png").write_bytes(make_picture("red"))
    lines = []
    for number in range(8):
        chat = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": f"{number} " * 30}]
        lines.append(json.dumps({"messages": chat, "images": ["red.png"] if number % 2 else []}))
    (tmp_path / "chats.jsonl").write_text("\n".join(lines), encoding="utf-8")
    one = make_options(tmp_path, "one", kind, rows={"batch": 2, "max_tokens": 160}, optim={"max_grad_norm": 0})
    one = replace(one, data=str(tmp_path / "chats.jsonl"))
    train(one, QuietWatch())
    two = replace(one, out=tmp_path / "two")
    train_in_two(two)
    assert losses_of(two) == losses_of(one)
    assert hash_model(two.out) == hash_model(one.out)


def test_one_process_goes_on_where_two_stopped_and_two_where_one_stopped(tmp_path: Path) -> None:
    whole = make_options(tmp_path, "whole", "mlp2x_gelu")
    train(whole, QuietWatch())
    first = replace(whole, out=tmp_path / "two-then-one")
    train_in_two(first, stop_after=2)
    assert losses_of(first) == pytest.approx(losses_of(whole)[:3], abs=1e-6)
    train(first, QuietWatch())
    second = replace(whole, out=tmp_path / "one-then-two")
    watch = QuietWatch()
    watch.act = lambda: os.kill(os.getpid(), signal.SIGTERM) if len(watch.reports) == 2 else None
    with pytest.raises(RunStoppedError, match="after step 3"):
        train(second, watch)
    train_in_two(second)
    for each in (first, second):
        assert losses_of(each) == pytest.approx(losses_of(whole), abs=1e-6)
        assert find_distance(whole, each) < 1e-6
