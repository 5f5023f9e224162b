"""A build leaves a report of itself, and the command writes the same one again."""

from pathlib import Path

from tests.support.cli import run_cli


def test_build_and_command_write_the_same_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    built = run_cli("build", "--report", "--limit", "4", "--out", out, "--json")
    assert built.code == 0, built.err
    page = Path(built.result["report"])
    first = page.read_bytes()
    assert page == out / "report.html"
    assert b"Content-Security-Policy" in first
    assert b'<mark class="claim supported"' in first  # the bundled sample brings its annotations
    assert b"data:image/jpeg;base64," in first
    again = run_cli("report", out, "--json")
    assert again.result["checked"] == again.result["rows"] == 12
    assert page.read_bytes() == first
    verified = run_cli("dataset", "verify", out)
    assert verified.code == 0, verified.err  # the page is no part of a version


def test_build_without_a_report_leaves_none(tmp_path: Path) -> None:
    built = run_cli("build", "--limit", "2", "--out", tmp_path / "out", "--no-report", "--json")
    assert built.result["report"] is None
    assert not (tmp_path / "out" / "report.html").exists()
