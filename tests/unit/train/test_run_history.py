"""When a run was worked at: what is kept of each sitting, also where one was killed."""

from pathlib import Path

from instructgen.train.history import HISTORY_NAME, Began, Ended, append_event, read_history


def began(step: int) -> Began:
    return Began("2026-01-02T03:04:05+00:00", step, "cpu", "", 1, 1, "Linux x86_64, Python 3.11.7", {"torch": "2"})


def ended(step: int) -> Ended:
    return Ended("2026-01-02T03:05:05+00:00", step, "stopped", "stopped after a step", 1000)


def test_sitting_is_its_beginning_and_its_end(tmp_path: Path) -> None:
    append_event(tmp_path, began(0))
    append_event(tmp_path, ended(3))
    append_event(tmp_path, began(3))
    first, second = read_history(tmp_path)
    assert (first.began, first.ended) == (began(0), ended(3))
    assert (second.began, second.ended) == (began(3), None)


def test_line_that_a_kill_cut_short_spoils_no_later_one(tmp_path: Path) -> None:
    append_event(tmp_path, began(0))
    with (tmp_path / HISTORY_NAME).open("ab") as file:
        file.write(b'{"event":"ended","at":"20')
    append_event(tmp_path, began(2))
    append_event(tmp_path, ended(4))
    assert [(one.began.step, one.ended and one.ended.step) for one in read_history(tmp_path)] == [(0, None), (2, 4)]


def test_run_without_the_file_has_no_sittings(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []
