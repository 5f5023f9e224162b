"""Which answers a version refers to."""

import json
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.jobs.ledger_care import read_request_ids


def write_rejected(folder: Path, *lines: object) -> Path:
    (folder / "rejected.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_everything_that_a_rejected_unit_took_is_named(tmp_path: Path) -> None:
    line = {"request_id": "a1", "first_request_id": "b2", "judge_request_id": "c3", "request_ids": ["d4", "e5"]}
    version = write_rejected(tmp_path, {"unit_id": "x"}, line, {"request_ids": ["f6"]})
    assert list(read_request_ids(version)) == ["a1", "b2", "c3", "d4", "e5", "f6"]


@pytest.mark.parametrize("line", [7, ["request_id"], {"request_ids": 7}])
def test_line_that_is_no_rejection_is_named_with_its_number(line: object, tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"line 1: .*nothing was dropped"):
        list(read_request_ids(write_rejected(tmp_path, line)))
