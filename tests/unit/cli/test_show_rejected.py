"""`show --rejected` prints what the lines have, and tells of those that none are."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from instructgen.cli.app import app
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.read import read_rejected
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version


def test_line_with_less_than_ours_is_printed_with_what_it_has(tmp_path: Path) -> None:
    lines = b'{"unit_id": "a/conv"}\n{"reason": "too_short", "text": null}\n'
    write_version(tmp_path / "v", [make_row_of(1)], rejected=lines)
    done = CliRunner().invoke(app, ["show", str(tmp_path / "v"), "--rejected"])
    assert done.exit_code == 0, done.output
    assert "--- a/conv" in done.output
    assert "too_short" in done.output


@pytest.mark.parametrize("line", [b"[]\n", b"null\n", b'{"unit_id": "a', b'{"unit_id": "\xff"}\n', b"\n"])
def test_line_that_is_no_record_is_told_by_its_number(tmp_path: Path, line: bytes) -> None:
    version = write_version(tmp_path / "v", [make_row_of(1)], rejected=b'{"unit_id": "a/conv"}\n' + line)
    with pytest.raises(InstructgenError, match=r"rejected\.jsonl line 2 cannot be read"):
        read_rejected(version, None, None, 5)


def test_version_without_the_file_has_rejected_nothing(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row_of(1)])
    (version.folder / REJECTED_NAME).unlink()
    done = CliRunner().invoke(app, ["show", str(tmp_path / "v"), "--rejected"])
    assert (done.exit_code, done.output) == (0, "nothing was rejected\n")
