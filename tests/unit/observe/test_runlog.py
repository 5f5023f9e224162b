"""The log of a run and its summary: readable line by line, without a secret, and never the end of a run."""

import ast
import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from instructgen import secrets
from instructgen.config import BuildConfig, ServerConfig, TeacherConfig
from instructgen.errors import (
    AnswersCollapsedError,
    BudgetSpentError,
    InstructgenError,
    RunLockedError,
    RunStoppedError,
)
from instructgen.observe.runlog import (
    RunLog,
    RunSummary,
    describe_settings,
    exit_word,
    read_versions,
    utc_now,
    write_run_json,
)
from instructgen.observe.stats import RunStats
from tests.support.cli import ROOT

KEY = "sk-planted-0123456789"


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def planted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_secrets", set())
    monkeypatch.setattr(secrets, "_forms", ())
    secrets.register(KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "log.jsonl"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_line_says_what_and_when(path: Path) -> None:
    clock = Clock()
    log = RunLog(path, now=clock)
    clock.now_s += 1.25
    log.write("server_paused", server="h", wait_s=2.5, tokens=3, model=None)
    (line,) = read(path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "t_s": 1.25, "event": "server_paused", "server": "h", "wait_s": 2.5, "tokens": 3, "model": None,
    }  # fmt: skip
    assert log.summary() == {"written": 1, "suppressed": 0, "dropped": 0}


def test_no_field_holds_a_key_however_deep(path: Path) -> None:
    log = RunLog(path)
    log.write(
        "odd",
        plain=f"x {KEY} y",
        deep={"a": [KEY, (KEY,)], KEY: {KEY}},
        error=ValueError(KEY),
        long="x" * 1_990 + KEY,
    )
    text = path.read_text(encoding="utf-8")
    assert "planted" not in text
    assert "sk-" not in text, "a key that is cut must be redacted before"
    assert text.count("[key]") == 7


def test_long_text_is_cut(path: Path) -> None:
    RunLog(path).write("odd", page="<p>" * 100_000)
    (line,) = read(path)
    assert len(line["page"]) == 2_000


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (10**30, 10**30),
        ("half \ud83d pair", "half \ud83d pair"),
        ("two\nlines\u2028three", "two\nlines\u2028three"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_value_that_json_has_no_word_for_is_still_one_line(path: Path, value: object, written: object) -> None:
    RunLog(path).write("odd", value=value)
    (line,) = read(path)
    assert line["value"] == written


def test_field_cannot_take_the_place_of_the_time(path: Path) -> None:
    RunLog(path).write("odd", time="never", t_s=-1)
    (line,) = read(path)
    assert line["time"].startswith("2")
    assert line["t_s"] >= 0


def test_storm_of_one_event_is_counted_and_others_still_show(path: Path) -> None:
    clock = Clock()
    log = RunLog(path, now=clock)
    for _ in range(10_000):
        log.write("attempt_failed", reason="rate_limited")
    log.write("attempt_failed", reason="server_error")
    assert len(read(path)) == 51
    clock.now_s += 60.0
    log.write("attempt_failed", reason="rate_limited")
    log.close()
    lines = read(path)
    assert [line["event"] for line in lines[51:]] == ["suppressed", "attempt_failed"]
    assert {key: lines[51][key] for key in ("of", "reason", "suppressed")} == {
        "of": "attempt_failed", "reason": "rate_limited", "suppressed": 9_950,
    }  # fmt: skip
    assert log.summary()["suppressed"] == 9_950


def test_close_tells_what_was_left_out(path: Path) -> None:
    log = RunLog(path, now=Clock())
    for _ in range(60):
        log.write("attempt_failed", reason="timeout")
    log.close()
    assert read(path)[-1]["suppressed"] == 10


def test_log_is_bounded_and_keeps_the_newest(path: Path) -> None:
    clock = Clock()
    num_open = len(list(Path("/dev/fd").iterdir()))
    log = RunLog(path, now=clock, max_bytes=5_000)
    for number in range(1_000):
        clock.now_s += 60.0
        log.write("tick", number=number)
    log.close()
    assert len(list(Path("/dev/fd").iterdir())) == num_open
    older = read(path.with_name("log.1.jsonl"))
    numbers = [line["number"] for line in older + read(path)]
    assert numbers == list(range(numbers[0], 1_000))
    assert path.stat().st_size <= 5_000
    assert path.with_name("log.1.jsonl").stat().st_size <= 5_000
    assert sorted(file.name for file in path.parent.iterdir()) == ["log.1.jsonl", "log.jsonl"]


def test_next_run_appends_also_after_half_a_line(path: Path) -> None:
    RunLog(path).write("first")
    with path.open("ab") as file:
        file.write(b'{"event": "kil')
    RunLog(path).write("second")
    first, torn, second = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["event"] == "first"
    assert torn == '{"event": "kil'
    assert json.loads(second)["event"] == "second"


def test_full_disk_is_said_once_and_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    log = RunLog(path, say=said.append)
    log.write("before")

    def refuse(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", refuse)
        log.write("lost")
        log.write("lost")
    log.write("after")
    assert [line["event"] for line in read(path)] == ["before", "after"]
    assert log.summary() == {"written": 2, "suppressed": 0, "dropped": 2}
    assert len(said) == 1
    assert "No space left" in said[0]


def test_line_that_fitted_only_in_part_spoils_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RunLog(path)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:10]))
        log.write("torn")
    log.write("whole")
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["event"] == "whole"
    assert log.num_dropped == 1


def test_folder_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where a folder should be", encoding="utf-8")
    said: list[str] = []
    log = RunLog(tmp_path / "run" / "log.jsonl", say=said.append)
    log.write("lost")
    log.close()
    assert (log.num_dropped, len(said)) == (1, 1)


def test_log_that_is_off_writes_nothing(path: Path) -> None:
    log = RunLog(path, is_enabled=False)
    log.write("any")
    log.close()
    assert not path.parent.exists()


def make_summary(**changes: Any) -> RunSummary:
    values: dict[str, Any] = {
        "started_at": utc_now(), "ended_at": utc_now(), "exit": "done", "message": "", "versions": read_versions(),
        "settings": describe_settings(BuildConfig()), "stats": {"requests": 3}, "log": {"written": 1},
    }  # fmt: skip
    return RunSummary(**(values | changes))


def test_run_json_holds_the_run_and_no_key(tmp_path: Path) -> None:
    said: list[str] = []
    write_run_json(tmp_path / "run.json", make_summary(message="first"), said.append)
    write_run_json(tmp_path / "run.json", make_summary(exit="error", message=f"refused {KEY}"), said.append)
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert (found["exit"], found["message"], found["stats"]) == ("error", "refused [key]", {"requests": 3})
    assert found["settings"]["teacher"]["concurrency"] == TeacherConfig().concurrency
    assert found["versions"]["python"].startswith("3.")
    assert "openai" in found["versions"]
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    assert said == []


def test_run_json_that_cannot_be_written_keeps_the_old_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    write_run_json(tmp_path / "run.json", make_summary(message="first"), said.append)

    def refuse(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    write_run_json(tmp_path / "run.json", make_summary(message="second"), said.append)
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["message"] == "first"
    assert len(said) == 1
    assert "No space left" in said[0]


def test_addresses_in_the_settings_lose_their_password() -> None:
    teacher = TeacherConfig(
        base_url="https://me:pass-word-1@one.example/v1",
        servers=(ServerConfig(base_url="https://two.example/v1?api_key=query-key-1"),),
        fallback=TeacherConfig(base_url="https://me:pass-word-1@three.example/v1"),
    )
    text = json.dumps(describe_settings(BuildConfig(teacher=teacher)))
    assert "pass-word-1" not in text
    assert "query-key-1" not in text
    assert all(f"https://{name}.example/v1" in text for name in ("one", "two", "three"))


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (None, "done"),
        (RunStoppedError("x"), "stopped"),
        (KeyboardInterrupt(), "stopped"),
        (BudgetSpentError("x"), "budget"),
        (AnswersCollapsedError("x"), "collapsed"),
        (RunLockedError("x"), "error"),
        (InstructgenError("x"), "error"),
        (ZeroDivisionError(), "error"),
    ],
)
def test_end_of_a_run_has_its_word(error: BaseException | None, word: str) -> None:
    assert exit_word(error) == word


def events_in_code() -> set[str]:
    """Return the events that the code writes, from its calls of `write`, `_log` and `_append`."""
    found: set[str] = set()
    for part in ("generate", "limits", "observe", "batch", "jobs"):
        for path in (ROOT / "instructgen" / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(
                            attr="write" | "_log" | "_append" | "log",
                            value=ast.Name(id="self" | "log") | ast.Attribute(attr="log"),
                        ),
                        args=[ast.Constant(value=str(event)), *_],
                    ):
                        found.add(event)
    return found


def test_every_event_is_documented() -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    table = text.partition("## log.jsonl")[2].partition("## run.json")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == events_in_code()


def test_every_field_of_run_json_is_documented() -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    section = text.partition("## run.json")[2].partition("## Metrics")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == {*RunSummary.__struct_fields__, *RunStats().summary()}
