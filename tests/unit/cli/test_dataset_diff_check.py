import json
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from instructgen.cli import dataset_check, dataset_diff
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    dataset_diff.add_to(app)
    dataset_check.add_to(app)
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def versions(tmp_path: Path) -> tuple[LocalVersion, LocalVersion]:
    odd = make_row_of(2, pairs=[("What is there?", "A cat \x1b[31m sits.")])
    old = write_version(tmp_path / "old", [make_row_of(1), make_row_of(2)])
    return old, write_version(tmp_path / "new", [make_row_of(1), odd, make_row_of(3)])


def test_difference_is_told_in_lines_without_what_a_terminal_acts_on(
    versions: tuple[LocalVersion, LocalVersion],
) -> None:
    done = run("diff", *(version.folder for version in versions))
    assert done.exit_code == 0
    assert "2 -> 3 samples: 1 changed, 1 added, 0 removed, 1 unchanged" in done.output
    assert "changed in messages: 1" in done.output
    assert "assistant: A [-dog.-] {+cat  [31m sits.+}" in done.output
    assert "\x1b" not in done.output


def test_difference_is_one_object_with_json(versions: tuple[LocalVersion, LocalVersion]) -> None:
    done = run("diff", *(version.folder for version in versions), "--json", "--examples", "0")
    found = json.loads(done.output)
    assert found["rows"] == {"old": 2, "new": 3, "unchanged": 1, "changed": 1, "added": 1, "removed": 0}
    assert found["examples"] == []
    assert found["new"]["version"] == versions[1].manifest.version


def test_changes_and_comment_are_written_to_files(
    versions: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    comment, changes = tmp_path / "comment.md", tmp_path / "changes.jsonl"
    comment.write_text("before\n", encoding="utf-8")
    flags = ("--markdown", comment, "--changes", changes)
    assert run("diff", *(version.folder for version in versions), *flags).exit_code == 0
    assert comment.read_text(encoding="utf-8").startswith("before\n## Dataset")
    assert [json.loads(line)["what"] for line in changes.read_text(encoding="utf-8").splitlines()] == [
        "changed",
        "added",
    ]


def test_one_sample_is_shown_alone(versions: tuple[LocalVersion, LocalVersion]) -> None:
    done = run("diff", *(version.folder for version in versions), "--sample", "coco/000000000003/conv/0", "--json")
    assert json.loads(done.output)["what"] == "added"
    unknown = run("diff", *(version.folder for version in versions), "--sample", "x")
    assert isinstance(unknown.exception, InstructgenError)


def test_gate_that_fails_ends_with_its_own_exit_code(
    versions: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    old, new = versions
    gates, comment = tmp_path / "gates.toml", tmp_path / "comment.md"
    gates.write_text("[rows]\nmin = 3\nmax_drop = 0.0\n", encoding="utf-8")
    passed = run("check", new.folder, "--gates", gates)
    assert passed.exit_code == 0
    assert "skipped rows.max_drop (needs --against)" in passed.output
    failed = run("check", old.folder, "--against", new.folder, "--gates", gates, "--markdown", comment)
    assert failed.exit_code == 7
    assert "failed  rows.min: 2, wants at least 3" in failed.output
    assert "2 of 2 gates failed" in failed.output
    assert "❌ <code>rows.min</code> | 2 | 3" in comment.read_text(encoding="utf-8")


def test_result_of_a_check_is_one_object_with_json(
    versions: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    gates = tmp_path / "gates.toml"
    gates.write_text("[rows]\nmin = 30\n", encoding="utf-8")
    done = run("check", versions[0].folder, "--gates", gates, "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["passed"], found["old"]) == (7, False, None)
    assert found["findings"] == [{"gate": "rows.min", "status": "failed", "value": 2, "bound": 30, "detail": ""}]


def test_ancestors_are_followed_through_the_versions_beside(tmp_path: Path) -> None:
    folder = tmp_path / "ds" / "versions"
    first = write_version(folder / "a", [make_row_of(1)])
    first = LocalVersion(first.folder.rename(folder / first.manifest.version))
    second = write_version(folder / "b", [make_row_of(2)], parent=first.manifest.version)
    second = LocalVersion(second.folder.rename(folder / second.manifest.version))
    third = write_version(folder / "c", [make_row_of(3)], parent=second.manifest.version)
    third = LocalVersion(third.folder.rename(folder / third.manifest.version))
    gates = tmp_path / "gates.toml"
    gates.write_text("[lineage]\n", encoding="utf-8")
    assert run("check", third.folder, "--against", first.folder, "--gates", gates).exit_code == 0
    assert run("check", first.folder, "--against", third.folder, "--gates", gates).exit_code == 7


def test_check_without_gates_says_where_to_get_some(versions: tuple[LocalVersion, LocalVersion]) -> None:
    done = run("check", versions[0].folder)
    assert isinstance(done.exception, InstructgenError)
    assert done.exception.exit_code == 2
    assert "--example-gates" in str(done.exception)


def test_example_gates_are_a_file_to_begin_with(tmp_path: Path) -> None:
    printed = run("check", "--example-gates").output
    assert tomllib.loads(printed)["rows"]["min"] == 1
    gates = tmp_path / "gates.toml"
    gates.write_text(printed, encoding="utf-8")
    new = write_version(tmp_path / "new", [make_row_of(1)], metrics={"total": {}, "types": {}})
    assert run("check", new.folder, "--gates", gates).exit_code == 0


def test_file_in_a_folder_that_is_not_there_is_told_as_a_mistake(
    versions: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    gates, nowhere = tmp_path / "gates.toml", tmp_path / "nowhere" / "x"
    gates.write_text("[rows]\nmin = 1\n", encoding="utf-8")
    folders = [version.folder for version in versions]
    for asked in (
        ("check", folders[0], "--gates", gates, "--markdown", nowhere),
        ("diff", *folders, "--markdown", nowhere),
        ("diff", *folders, "--changes", nowhere),
    ):
        done = run(*asked)
        assert isinstance(done.exception, InstructgenError)
        assert str(nowhere) in str(done.exception)
        assert done.output == ""


def test_comment_says_how_many_more_gates_failed(versions: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    gates, comment = tmp_path / "gates.toml", tmp_path / "comment.md"
    gates.write_text("".join(f"[rows.types.t{at}]\nmin = 1\n" for at in range(20)), encoding="utf-8")
    run("check", versions[0].folder, "--gates", gates, "--markdown", comment)
    text = comment.read_text(encoding="utf-8")
    assert text.count("❌ <code>") == 12
    assert "8 more failed." in text
