"""A run's folder goes on with the same run and refuses every other."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError
from instructgen.models.counts import Counts
from instructgen.train.examples import Summary
from instructgen.train.recipe import Recipe, make_recipe
from instructgen.train.run_folder import RunRecord, check_folder, enter_run, make_identity, read_run, to_table

SUMMARY = Summary(1, 1, {}, {}, 0, 0, 1, 0, 1, 1, 0, 1)


def make_table() -> dict[str, dict[str, object]]:
    return {
        "model": {"vision": {"name": "v"}, "connector": {}, "language": {"name": "l"}},
        "train": {"steps": 5},
        "optim": {},
        "saving": {},
    }


def make_record(recipe: Recipe, data: str = "data", examples_sha256: str = "abc") -> RunRecord:
    identity = make_identity("finetune", recipe, data, examples_sha256, 5)
    return RunRecord(identity, to_table(recipe), data, SUMMARY, Counts({}, 0, 0), {}, "cpu", 1)


def test_the_same_run_is_gone_on_with(tmp_path: Path) -> None:
    record = make_record(make_recipe(make_table(), "x"))
    enter_run(tmp_path, record)
    enter_run(tmp_path, record)
    assert read_run(tmp_path) == msgspec.json.decode(msgspec.json.encode(record), type=RunRecord)


def test_when_to_save_and_whom_to_tell_may_change(tmp_path: Path) -> None:
    enter_run(tmp_path, make_record(make_recipe(make_table(), "x")))
    table = make_table()
    table["saving"]["every_steps"] = 7
    table["train"]["loggers"] = []
    table["train"]["log_every_steps"] = 3
    enter_run(tmp_path, make_record(make_recipe(table, "x")))


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [("train", "seed", 1), ("optim", "warmup", 0.1), ("train", "dtype", "float32"), ("train", "compile", True)],
)
def test_another_recipe_is_refused_with_what_differs(tmp_path: Path, table: str, key: str, value: object) -> None:
    enter_run(tmp_path, make_record(make_recipe(make_table(), "x")))
    changed = make_table()
    changed[table][key] = value
    with pytest.raises(InstructgenError, match=f"recipe.{table}.{key} was .* is {value!r}"):
        enter_run(tmp_path, make_record(make_recipe(changed, "x")))


def test_other_data_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(make_table(), "x")
    enter_run(tmp_path, make_record(recipe))
    with pytest.raises(InstructgenError, match="data was 'data', is 'others'"):
        enter_run(tmp_path, make_record(recipe, "others"))
    with pytest.raises(InstructgenError, match="examples_sha256"):
        enter_run(tmp_path, make_record(recipe, examples_sha256="def"))


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(InstructgenError, match=r"is not a run and holds thesis\.tex"):
        check_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_is_not_there_and_what_a_kill_leaves_of_a_run_are_well(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    (tmp_path / ".lock").touch()
    (tmp_path / ".run.json.new").touch()
    check_folder(tmp_path)
