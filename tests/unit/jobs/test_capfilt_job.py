"""CapFilt as a job: pairs in, the best captions of each picture out, and no picture done twice."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError
from instructgen.jobs.capfilt import (
    BLIP_SAMPLING,
    CapFilt,
    Captioning,
    filter_captions,
    open_pairs,
    read_written,
)
from instructgen.student.ask import Answer, AnyAsk, Sampling
from tests.support.tiny_blip2 import write_pairs

QUESTION = "What is it?"
COUNT = 10


class Captioner:
    """Answers with its seed, and with what the picture is; fails where it is told to."""

    name = "captioner"

    def __init__(self, refuses: bytes = b"") -> None:
        self.asked: list[tuple[int, int]] = []
        self._refuses = refuses

    def answer_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer]:
        self.asked.append((sampling.seed, len(asks)))
        if any(ask.pictures[0] == self._refuses for ask in asks):
            raise InstructgenError("no position is left")
        return [Answer(f"written {sampling.seed}", "stop", 1, 2) for _ in asks]

    def stream(self, ask: AnyAsk, sampling: Sampling) -> Iterator[str]:
        raise NotImplementedError

    def score(self, ask: AnyAsk, candidates: Sequence[str]) -> list[float]:
        raise NotImplementedError


def score_by(scores: dict[str, float]) -> Callable[[str, bytes, Sequence[str]], list[float]]:
    return lambda _key, _picture, captions: [scores.get(caption, 0.0) for caption in captions]


def read_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "captions.jsonl").read_text(encoding="utf-8").splitlines()]


def make_capfilt(student: Captioner | None = None, **changes: Any) -> CapFilt:
    fields = {
        "scorer": score_by({"written 3": 2.0, "written 5": 1.0}),
        "question": QUESTION,
        "student": student or Captioner(),
        "captioning": Captioning("Say it.", COUNT),
        "batch": 2,
        **changes,
    }
    return CapFilt(**fields)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs", num_pictures=5)


def test_the_best_two_of_ten_written_ones_and_the_original_are_kept(data: Path, tmp_path: Path) -> None:
    student = Captioner()
    tally = filter_captions(open_pairs(str(data)), make_capfilt(student), tmp_path / "out")
    assert (tally.images, tally.done, tally.new, tally.captions, tally.originals) == (5, 5, 5, 10, 0)
    rows = read_rows(tmp_path / "out")
    assert [row["messages"][1]["content"] for row in rows] == ["written 3", "written 5"] * 5
    assert [row["score"] for row in rows[:2]] == [2.0, 1.0]
    assert rows[0]["messages"][0] == {"role": "user", "content": QUESTION}
    assert student.asked == [(seed, size) for size in (2, 2, 1) for seed in range(COUNT)]


def test_rows_are_data_for_the_first_stage_with_both_captions_of_a_picture(data: Path, tmp_path: Path) -> None:
    filter_captions(open_pairs(str(data)), make_capfilt(), tmp_path / "out")
    rows = list(open_pairs(str(tmp_path / "out" / "captions.jsonl")).rows())
    assert len(rows) == 10
    assert len({row.keys for row in rows}) == 5
    for row, other in zip(rows[::2], rows[1::2], strict=True):
        assert row.keys == other.keys
        assert (tmp_path / "out" / row.places[0].path).read_bytes()[:4] == b"\x89PNG"


def test_original_is_kept_where_nothing_is_better(data: Path, tmp_path: Path) -> None:
    capfilt = make_capfilt(scorer=score_by({"A red picture.": 5.0, "written 1": 1.0}), num_kept=1)
    tally = filter_captions(open_pairs(str(data)), capfilt, tmp_path / "out")
    rows = read_rows(tmp_path / "out")
    assert (rows[0]["messages"][1]["content"], rows[0]["is_original"]) == ("A red picture.", True)
    assert (rows[1]["messages"][1]["content"], rows[1]["is_original"]) == ("written 1", False)
    assert tally.originals == 1


def test_captions_of_others_are_found_by_the_pictures_path(data: Path, tmp_path: Path) -> None:
    lines = [{"image": "1.png", "caption": f"other {number}"} for number in range(3)]
    path = tmp_path / "captions.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    capfilt = make_capfilt(
        captioning=None, written=read_written(path), scorer=score_by({"other 1": 3.0, "other 2": 2.0})
    )
    filter_captions(open_pairs(str(data)), capfilt, tmp_path / "out")
    kept: dict[str, list[str]] = {}
    for row in read_rows(tmp_path / "out"):
        kept.setdefault(row["key"], []).append(row["messages"][1]["content"])
    assert kept["1.png"] == ["other 1", "other 2"]
    assert kept["0.png"] == ["A red picture."]


def test_a_second_call_does_only_what_is_left(data: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    filter_captions(open_pairs(str(data)), make_capfilt(), whole)
    out = tmp_path / "out"
    filter_captions(open_pairs(str(data)), make_capfilt(), out, limit=2)
    # A kill in the middle of a picture's rows, and of a line.
    lines = (out / "captions.jsonl").read_bytes().splitlines(keepends=True)
    (out / "captions.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:20])
    student = Captioner()
    tally = filter_captions(open_pairs(str(data)), make_capfilt(student), out)
    assert (tally.done, tally.new) == (5, 4)
    assert (out / "captions.jsonl").read_bytes() == (whole / "captions.jsonl").read_bytes()
    again = Captioner()
    assert filter_captions(open_pairs(str(data)), make_capfilt(again), out).new == 0
    assert again.asked == []


def test_other_settings_do_not_go_on_in_the_folder(data: Path, tmp_path: Path) -> None:
    filter_captions(open_pairs(str(data)), make_capfilt(), tmp_path / "out")
    with pytest.raises(InstructgenError, match="another captioner, scorer or setting"):
        filter_captions(open_pairs(str(data)), make_capfilt(num_kept=1), tmp_path / "out")
    with pytest.raises(InstructgenError, match="another captioner, scorer or setting"):
        filter_captions(open_pairs(str(data)), make_capfilt(identity="another scorer"), tmp_path / "out")


def test_what_fails_is_told_with_its_reason_and_tried_again(data: Path, tmp_path: Path) -> None:
    refused = (data.parent / "1.png").read_bytes()
    (data.parent / "2.png").unlink()
    out = tmp_path / "out"
    tally = filter_captions(open_pairs(str(data)), make_capfilt(Captioner(refused)), out)
    assert tally.failed == {"not_answered": 1, "image_missing": 1}
    assert tally.done == 3
    failed = [json.loads(line) for line in (out / "captions.jsonl.failed").read_text(encoding="utf-8").splitlines()]
    assert {one["key"]: one["reason"] for one in failed} == {"1.png": "not_answered", "2.png": "image_missing"}
    (data.parent / "2.png").write_bytes(refused)
    tally = filter_captions(open_pairs(str(data)), make_capfilt(), out)
    assert (tally.new, tally.failed) == (2, {})
    assert not (out / "captions.jsonl.failed").exists()


def test_blip_draws_captions_by_nucleus_sampling() -> None:
    assert (BLIP_SAMPLING.temperature, BLIP_SAMPLING.top_p) == (1.0, 0.9)


def test_line_without_a_caption_is_refused_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text('{"image": "a", "caption": "b"}\n{"image": "a"}\n', encoding="utf-8")
    with pytest.raises(InstructgenError, match="line 2 wants"):
        read_written(path)
