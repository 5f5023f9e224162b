"""A checkpoint is whole or not there, and what is not whole is passed over."""

import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError, RunStoppedError  # noqa: E402
from instructgen.train.checkpoint import Checkpoint, CheckpointFolder, Progress  # noqa: E402


def make_checkpoint(step: int) -> Checkpoint:
    weights = {"a": torch.full((3, 2), float(step)), "b": torch.arange(4.0) / (step + 1)}
    moments = {f"{kind}/{name}": value * 0.5 for name, value in weights.items() for kind in ("exp_avg", "exp_avg_sq")}
    return Checkpoint(Progress(step, step * 4, step * 100, step * 0.5), weights, moments)


def open_folder(path: Path, said: list[str], run: str = "run", keep_last: int = 2) -> CheckpointFolder:
    return CheckpointFolder(path, run, keep_last, said.append)


def save_all(path: Path, steps: range) -> None:
    folder = open_folder(path, [])
    for step in steps:
        folder.save(make_checkpoint(step))
    folder.finish()


def test_what_was_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    save_all(tmp_path, range(7, 8))
    found = open_folder(tmp_path, []).load_last()
    want = make_checkpoint(7)
    assert found is not None
    assert found.progress == want.progress
    for mine, theirs in ((found.weights, want.weights), (found.moments, want.moments)):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_only_the_last_few_are_kept(tmp_path: Path) -> None:
    save_all(tmp_path, range(1, 6))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000004", "step-00000005"]


@pytest.mark.parametrize("name", ["weights.safetensors", "moments.safetensors", "state.json"])
def test_damaged_checkpoint_is_told_and_the_one_before_is_taken(tmp_path: Path, name: str) -> None:
    save_all(tmp_path, range(1, 3))
    path = tmp_path / "step-00000002" / name
    content = bytearray(path.read_bytes())
    content[-2 if name.endswith("safetensors") else len(content) // 2] ^= 1  # a value's bit, not the file's header
    path.write_bytes(content)
    said: list[str] = []
    found = open_folder(tmp_path, said).load_last()
    assert found is not None
    assert found.progress.num_steps == 1
    assert "step-00000002 is damaged" in said[0]


def test_cut_file_is_damage_too_and_without_another_the_run_begins_again(tmp_path: Path) -> None:
    save_all(tmp_path, range(1, 2))
    path = tmp_path / "step-00000001" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    said: list[str] = []
    assert open_folder(tmp_path, said).load_last() is None
    assert "begins again" in said[-1]


def test_damaged_checkpoint_is_replaced_when_its_step_comes_again(tmp_path: Path) -> None:
    save_all(tmp_path, range(1, 3))
    (tmp_path / "step-00000002" / "weights.safetensors").write_bytes(b"")
    save_all(tmp_path, range(2, 3))
    found = open_folder(tmp_path, []).load_last()
    assert found is not None
    assert found.progress.num_steps == 2


def test_half_written_and_half_removed_ones_are_taken_away(tmp_path: Path) -> None:
    save_all(tmp_path, range(1, 3))
    for name in (".step-00000003.new", ".step-00000000.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(b"half")
    folder = open_folder(tmp_path, [])
    assert folder.list_steps() == [1, 2]
    folder.remove_rest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001", "step-00000002"]


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    save_all(tmp_path, range(1, 2))
    with pytest.raises(InstructgenError, match="belongs to another run"):
        open_folder(tmp_path, [], run="other").load_last()


@pytest.mark.skipif(os.name == "nt", reason="a file in a folder's place is another error there")
def test_a_save_that_fails_in_its_thread_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    folder = open_folder(tmp_path / "file", [])
    folder.save(make_checkpoint(1))
    with pytest.raises(RunStoppedError, match="cannot be written"):
        folder.finish()
    folder.save(make_checkpoint(1))
    with pytest.raises(RunStoppedError, match="cannot be written"):
        folder.save(make_checkpoint(2))
