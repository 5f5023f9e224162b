"""A build leaves its report."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from instructgen.cli.app import app
from tests.support.cli import run_cli

BUILD = ("build", "--source", "scenes", "--limit", "4", "--json")


def test_build_leaves_a_report_of_what_it_published(tmp_path: Path) -> None:
    done = run_cli(*BUILD, "--report", "--out", tmp_path / "out")

    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert done.code == 0
    assert done.result["report"] == str(tmp_path / "out" / "report.html")
    assert done.result["version"] in page
    assert 'src="data:image/' in page  # scenes bring their pictures and annotations


def test_build_again_leaves_the_same_bytes(tmp_path: Path) -> None:
    report = tmp_path / "out" / "report.html"
    run_cli(*BUILD, "--out", tmp_path / "out")
    assert not report.exists()  # the tests' command asks for none
    run_cli("report", tmp_path / "out")
    written = report.read_bytes()
    run_cli("report", tmp_path / "out")

    assert report.read_bytes() == written


def test_report_that_cannot_be_written_is_told_and_the_version_stands(tmp_path: Path) -> None:
    run_cli(*BUILD, "--out", tmp_path / "out")
    (tmp_path / "out" / "report.html" / "in the way").mkdir(parents=True)

    done = run_cli(*BUILD, "--report", "--out", tmp_path / "out")

    assert done.code == 0
    assert done.result["report"] is None
    assert "report.html could not be written" in done.err
    assert done.result["accepted"]["conv"] > 0


def test_ctrl_c_while_the_report_is_written_ends_the_report_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("instructgen.report.write.survey_texts", interrupt)
    done = CliRunner().invoke(app, [*BUILD, "--report", "--out", str(tmp_path / "out")])

    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["report"], told["accepted"]["conv"] > 0) == (None, True)
    assert "stopped before" in done.stderr
