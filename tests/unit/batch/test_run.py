"""Batches on disk, what is remembered of requests, and what a line of answers says."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from instructgen.batch.files import BatchFolder, BatchLimits, BatchState, BatchWriter, count_open, write_line
from instructgen.batch.roster import Mark, Roster, Spool
from instructgen.errors import InstructgenError
from instructgen.generate.asked import Asked
from instructgen.prompting.requests import make_request
from instructgen.records import NOTHING, Cost, Decoding, Message, Picture
from instructgen.teachers.openai_batch import AnswerLine, BatchApi
from tests.support.batch_child import for_batches, make_asked, make_server

ADDRESS = "http://127.0.0.1:9/v1"
MOST = Cost(7, 3)


def write_batch(folder: Path, num: int = 5) -> BatchState:
    writer = BatchWriter(BatchFolder(folder), ADDRESS, "m")
    for number in range(num):
        writer.add_line(f"{number:064x}", write_line(f"{number:064x}", b'{"model":"m"}'), MOST)
    return writer.finish()


def read_answers(tmp_path: Path, *lines: bytes) -> list[AnswerLine | None]:
    path = tmp_path / "answers"
    path.write_bytes(b"".join(lines))
    return list(BatchApi(for_batches(make_server(ADDRESS, tmp_path))).read_lines(path))


def answer(**fields: object) -> bytes:
    return json.dumps({"custom_id": "a", "response": None, "error": None, **fields}).encode() + b"\n"


def test_a_line_is_what_openai_wants() -> None:
    line = json.loads(write_line("ab", b'{"model":"m","messages":[]}'))
    assert line == {
        "custom_id": "ab",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": []},
    }


def test_a_planned_batch_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    state = write_batch(tmp_path)
    folder = BatchFolder(tmp_path)
    assert folder.states() == [state]
    assert (state.num_requests, state.most, state.step) == (5, Cost(35, 15), "planned")
    assert state.num_bytes == folder.file(state).stat().st_size
    assert list(folder.read_ids(state)) == [(f"{number:064x}", MOST) for number in range(5)]


def test_what_a_killed_process_had_begun_is_removed_and_nothing_else(tmp_path: Path) -> None:
    state = write_batch(tmp_path)
    whole = sorted(tmp_path.iterdir())
    BatchWriter(BatchFolder(tmp_path), ADDRESS, "m").add_line("0" * 64, b"{}\n", MOST)
    for name in ("late.jsonl", "late.ids", f"{state.key}.json.new"):
        (tmp_path / name).write_text("x")
    BatchFolder(tmp_path).clear_unfinished()
    assert sorted(tmp_path.iterdir()) == whole


def test_a_discarded_batch_leaves_nothing(tmp_path: Path) -> None:
    writer = BatchWriter(BatchFolder(tmp_path), ADDRESS, "m")
    writer.add_line("0" * 64, b"{}\n", MOST)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "num_fitting"),
    [(BatchLimits(max_requests=2), 2), (BatchLimits(max_bytes=30), 3), (BatchLimits(max_bytes=29), 2)],
)
def test_a_batch_is_full_at_its_limits(tmp_path: Path, limits: BatchLimits, num_fitting: int) -> None:
    writer = BatchWriter(BatchFolder(tmp_path), ADDRESS, "m")
    while writer.fits(10, limits):
        writer.add_line("0" * 64, b"123456789\n", MOST)
    assert writer.num_requests == num_fitting


def test_one_request_always_fits(tmp_path: Path) -> None:
    assert BatchWriter(BatchFolder(tmp_path), ADDRESS, "m").fits(100, BatchLimits(max_bytes=10))


def test_two_halves_hold_each_request_once_however_often_they_are_made(tmp_path: Path) -> None:
    state, folder = write_batch(tmp_path), BatchFolder(tmp_path)
    halves = folder.split(state)
    assert folder.split(state) == halves
    assert [half.num_requests for half in halves] == [2, 3]
    assert [pair for half in halves for pair in folder.read_ids(half)] == list(folder.read_ids(state))
    assert b"".join(folder.file(half).read_bytes() for half in halves) == folder.file(state).read_bytes()
    assert halves[0].most + halves[1].most == state.most
    assert len({state.name, *(half.name for half in halves)}) == 3


def test_open_batches_are_counted_without_those_that_are_done(tmp_path: Path) -> None:
    folder = BatchFolder(tmp_path)
    folder.save(msgspec.structs.replace(write_batch(tmp_path), step="collected"))
    folder.save(msgspec.structs.replace(write_batch(tmp_path, 3), step="submitted"))
    write_batch(tmp_path, 1)
    assert (count_open(tmp_path).num_batches, count_open(tmp_path).num_requests) == (2, 4)
    assert count_open(tmp_path).most == Cost(28, 12)
    assert count_open(tmp_path / "none").most == NOTHING


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "a"}', "\xff"])
def test_a_damaged_state_is_told_with_what_to_do(tmp_path: Path, content: str) -> None:
    state = write_batch(tmp_path)
    (tmp_path / f"{state.key}.json").write_text(content, encoding="latin-1")
    with pytest.raises(InstructgenError, match=rf"{state.key}\.json cannot be read .* remove {state.key}\.\*"):
        BatchFolder(tmp_path).states()


@pytest.mark.parametrize("content", ["x\n", "a b c\n"])
def test_a_damaged_list_of_ids_is_told_with_what_to_do(tmp_path: Path, content: str) -> None:
    state = write_batch(tmp_path)
    (tmp_path / f"{state.key}.ids").write_text(content)
    with pytest.raises(InstructgenError, match="give up the batch"):
        list(BatchFolder(tmp_path).read_ids(state))


def test_roster_remembers_the_last_mark() -> None:
    roster = Roster()
    assert roster.is_empty()
    roster.put("0" * 64, Mark.OUT)
    roster.put("0" * 64, Mark.BOUGHT)
    assert roster.find("0" * 64) is Mark.BOUGHT
    assert roster.find("1" * 64) is None
    assert not roster.is_empty()
    roster.close()


def test_spool_gives_units_back_in_order() -> None:
    spool, asked = Spool(), [make_asked(number) for number in range(3)]
    for one in asked:
        spool.add(one)
    assert spool.num == 3
    assert list(spool.read()) == asked


def test_an_answer_keeps_its_completion_byte_for_byte(tmp_path: Path) -> None:
    body = b'{"choices": [ {"x": 1.50} ]}'
    line = b'{"custom_id": "a", "response": {"status_code": 200, "body": ' + body + b'}, "error": null}\n'
    assert read_answers(tmp_path, line) == [AnswerLine("a", body)]


@pytest.mark.parametrize(
    ("status", "error", "reason", "is_final"),
    [
        (400, {"message": "too long", "code": "context_length_exceeded"}, "bad_request", True),
        (422, {"message": "no"}, "bad_request", True),
        (401, {"message": "no"}, "unauthorized", False),
        (404, {"message": "no", "code": "model_not_found"}, "unknown_model", False),
        (408, {"message": "no"}, "timeout", False),
        (429, {"message": "no"}, "rate_limited", False),
        (429, {"message": "no", "code": "insufficient_quota"}, "quota_exhausted", False),
        (500, {"message": "no"}, "server_error", False),
        (503, "busy", "overloaded", False),
        (500, None, "server_error", False),
    ],
)
def test_a_refusal_in_a_line_has_the_reason_of_a_live_one(
    tmp_path: Path, status: int, error: object, reason: str, is_final: bool
) -> None:
    (line,) = read_answers(tmp_path, answer(response={"status_code": status, "body": {"error": error}}))
    assert line is not None
    assert (line.reason, line.is_final, line.completion) == (reason, is_final, None)
    assert line.detail.startswith(f"HTTP {status}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("batch_expired", "batch_expired"),
        ("batch_cancelled", "batch_cancelled"),
        ("request_timeout", "timeout"),
        ("news", "no_answer"),
    ],
)
def test_a_line_without_a_response_says_why(tmp_path: Path, code: str, reason: str) -> None:
    (line,) = read_answers(tmp_path, answer(error={"code": code, "message": "words"}))
    assert line == AnswerLine("a", None, reason, "words")


def test_a_line_with_neither_is_an_unanswered_request(tmp_path: Path) -> None:
    assert [line and line.reason for line in read_answers(tmp_path, answer(), answer(response={}))] == [
        "no_answer"
    ] * 2


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"null\n",
        b"\x00\x00\n",
        b'{"custom_id": null}\n',
        b'{"custom_id": "a", "response": 3}\n',
        b'{"custom_id": "\xff"}\n',
        b'{"custom_id": "a", "response": {"status_code": "200"}}\n',
        b'{"custom_id": "a", "resp',
    ],
)
def test_a_broken_line_costs_only_itself(tmp_path: Path, line: bytes) -> None:
    good = answer(error={"code": "batch_expired"})
    found = read_answers(tmp_path, good, line if line.endswith(b"\n") else line + b"\n", b" \r\n", good)
    assert [one and one.reason for one in found] == ["batch_expired", None, "batch_expired"]


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instructgen.teachers.openai_batch._MAX_LINE_BYTES", 1000)
    good = answer(error={"code": "batch_expired"})
    found = read_answers(tmp_path, good, b"x" * 5500 + b"\n", good)
    assert [one and one.reason for one in found] == ["batch_expired", None, "batch_expired"]


def test_a_key_in_a_refusal_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    error = {"message": "wrong key sk-planted-0123456789"}
    (line,) = read_answers(tmp_path, answer(response={"status_code": 401, "body": {"error": error}}))
    assert line is not None
    assert "planted" not in line.detail


def test_request_that_waits_for_its_turn_keeps_its_step_its_lane_and_its_picture() -> None:
    unit = replace(make_asked(3).unit, picture_sha256="ab" * 32)
    messages = (Message("system", "Look."), Message("user", "What is there?", Picture("ab" * 32, 768)))
    asked = Asked(unit, make_request(unit, messages, "m", Decoding()), 2, "rewrite")
    spool = Spool()
    spool.add(asked)
    assert list(spool.read()) == [asked]
