"""The command `report`: where it writes, what it prints, and what it asks for."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from instructgen.cli import report
from instructgen.errors import InstructgenError
from tests.support.reports import NUM_ROWS, make_dataset


def run(*arguments: str | Path):
    app = typer.Typer()
    report.add_to(app)
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_json_tells_what_was_written(tmp_path: Path) -> None:
    version = make_dataset(tmp_path / "out")
    done = run(version, "--json", "--out", tmp_path / "page.html")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["report"] == str(tmp_path / "page.html")
    assert told["version"] == version.name
    assert (told["rows"], told["checked"], told["rejected_shown"]) == (NUM_ROWS, 0, 3)
    assert told["bytes"] == (tmp_path / "page.html").stat().st_size


def test_people_are_told_where_the_page_is_and_what_would_mark_claims(tmp_path: Path) -> None:
    version = make_dataset(tmp_path / "out")
    done = run(version)
    assert str(tmp_path / "out" / "report.html") in done.output
    assert "--root COCO draws boxes and marks claims" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"), [(("--split", "val2017"), "--split needs --root"), ((), "holds no dataset")]
)
def test_wrong_use_is_told(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(tmp_path, *arguments, "--json")
    assert isinstance(done.exception, InstructgenError)
    assert message in json.loads(done.stdout)["error"]
