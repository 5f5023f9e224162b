"""A folder of pictures and a student that says as many words as it is told."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError, RunLockedError
from instructgen.student.ask import Answer, Ask, Sampling
from instructgen.student.describing import Describing, Place, describe_folder, read_captions
from instructgen.student.filter_cap import write_described
from tests.support.tiny_students import make_picture

DESCRIBING = Describing("Describe it.", "Continue", batch=2)


class Counting:
    """Answers the n-th question with `lengths[n]` words, each a token; writes down what it was asked."""

    name = "counting"

    def __init__(self, lengths: Sequence[int], *, dies_after: int | None = None) -> None:
        self.lengths = lengths
        self.asks: list[Ask] = []
        self.dies_after = dies_after

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        answers: list[Answer] = []
        for ask in asks:
            if self.dies_after is not None and len(self.asks) >= self.dies_after:
                raise KeyboardInterrupt
            is_more = ask.turns[-1].content == "Continue"
            first = sum(one.turns[-1].content != "Continue" for one in self.asks)
            length = 3 if is_more else self.lengths[first % len(self.lengths)]
            self.asks.append(ask)
            answers.append(Answer(" ".join(["more" if is_more else "word"] * length), "stop", 5, length))
        return answers

    def stream(self, ask: Ask, sampling: Sampling) -> Iterator[str]:
        yield self.answer_all([ask], sampling)[0].text

    def score(self, ask: Ask, candidates: Sequence[str]) -> list[float]:
        return [0.0] * len(candidates)

    @property
    def num_continued(self) -> int:
        return sum(ask.turns[-1].content == "Continue" for ask in self.asks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "photos" / f"{number}.png").write_bytes(make_picture(number))
    (tmp_path / "photos" / "sub" / "5.JPG").write_bytes(make_picture(5, kind="JPEG"))
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / ".hidden.png").write_bytes(b"none")
    return tmp_path / "photos"


def place(folder: Path, **more: object) -> Place:
    return Place(folder, folder / "captions.jsonl", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("num_tokens", "num_calls"), [(79, 2), (80, 2), (81, 1)])
def test_answers_of_80_tokens_or_fewer_are_gone_on_with_once(folder: Path, num_tokens: int, num_calls: int) -> None:
    student = Counting([num_tokens])
    tally = describe_folder(student, place(folder, limit=1), DESCRIBING)
    assert len(student.asks) == num_calls
    caption = read_captions(folder / "captions.jsonl")["0.png"]
    assert caption.caption == " ".join(["word"] * num_tokens + ["more"] * 3 * (num_calls - 1))
    assert (caption.is_continued, tally.continued) == (num_calls == 2, num_calls - 1)


def test_second_request_holds_the_picture_and_the_whole_talk(folder: Path) -> None:
    student = Counting([2])
    describe_folder(student, place(folder, limit=1), DESCRIBING)
    first, second = student.asks
    assert first.pictures == second.pictures == (make_picture(0),)
    assert [(turn.role, turn.content) for turn in second.turns] == [
        *(("user", "Describe it."), ("assistant", "word word"), ("user", "Continue"))
    ]


def test_every_picture_of_the_folder_is_described_in_order(folder: Path) -> None:
    tally = describe_folder(Counting([90]), place(folder), DESCRIBING)
    assert list(read_captions(folder / "captions.jsonl")) == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        "sub/5.JPG",
    ]
    assert (tally.images, tally.described, tally.new, dict(tally.failed)) == (6, 6, 6, {})


def test_stopped_run_goes_on_and_asks_nothing_twice(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        describe_folder(Counting([90], dies_after=3), place(folder), DESCRIBING)
    done = (folder / "captions.jsonl").read_bytes()
    assert done.count(b"\n") == 2  # the second batch was lost
    (folder / "captions.jsonl").write_bytes(done + b'{"image": "2.png", "capt')  # as a kill leaves it
    student = Counting([90])
    tally = describe_folder(student, place(folder), DESCRIBING)
    assert [ask.pictures[0] for ask in student.asks] == [
        *(make_picture(number) for number in (2, 3, 4)),
        make_picture(5, kind="JPEG"),
    ]
    assert (tally.described, tally.new) == (6, 4)
    assert (folder / "captions.jsonl").read_bytes().startswith(done)
    again = Counting([90])
    assert describe_folder(again, place(folder), DESCRIBING).described == 6
    assert again.asks == []


def test_every_picture_ends_described_or_failed_with_a_reason(folder: Path) -> None:
    (folder / "0.png").write_bytes(b"no picture")
    (folder / "1.png").write_bytes(make_picture(1)[:60])
    (folder / "a:b.png").write_bytes(make_picture(8))
    student = Counting([90, 0, 90])
    tally = describe_folder(student, place(folder), DESCRIBING)
    assert dict(tally.failed) == {"image_unreadable": 2, "empty_answer": 1, "bad_file_name": 1}
    assert tally.described + tally.failed.total() == tally.images == 7
    lines = [json.loads(line) for line in (folder / "captions.jsonl.failed").read_text().splitlines()]
    assert [(line["image"], line["reason"]) for line in lines] == [
        *(("0.png", "image_unreadable"), ("1.png", "image_unreadable")),
        *(("3.png", "empty_answer"), ("a:b.png", "bad_file_name")),
    ]


def test_what_failed_is_tried_again_and_its_list_goes_when_nothing_failed(folder: Path) -> None:
    (folder / "0.png").write_bytes(b"no picture")
    describe_folder(Counting([90]), place(folder), DESCRIBING)
    (folder / "0.png").write_bytes(make_picture(0))
    student = Counting([90])
    tally = describe_folder(student, place(folder), DESCRIBING)
    assert (len(student.asks), tally.described, dict(tally.failed)) == (1, 6, {})
    assert not (folder / "captions.jsonl.failed").exists()


@pytest.mark.parametrize("change", ["prompt", "seed", "continue", "model"])
def test_captions_of_other_settings_are_not_mixed(folder: Path, change: str) -> None:
    describe_folder(Counting([90]), place(folder, limit=2, model_sha256="a"), DESCRIBING)
    other = {
        "prompt": Describing("What?", "Continue"),
        "seed": Describing("Describe it.", "Continue", Sampling(seed=5)),
        "continue": Describing("Describe it.", "Continue", continue_below_tokens=None),
        "model": DESCRIBING,
    }[change]
    with pytest.raises(InstructgenError, match="other weights, prompt or settings"):
        describe_folder(Counting([90]), place(folder, model_sha256="b" if change == "model" else "a"), other)


def test_other_batches_are_no_other_settings(folder: Path) -> None:
    describe_folder(Counting([90]), place(folder, limit=2), DESCRIBING)
    tally = describe_folder(Counting([90]), place(folder), Describing("Describe it.", "Continue", batch=5))
    assert (tally.described, tally.new) == (6, 4)


def test_line_that_is_no_caption_is_told_with_its_number(folder: Path) -> None:
    (folder / "captions.jsonl").write_text('{"image": "0.png", "caption": "of somebody else"}\n')
    with pytest.raises(InstructgenError, match=r"captions\.jsonl line 1 is no caption of ours"):
        describe_folder(Counting([90]), place(folder), DESCRIBING)


def test_second_process_is_kept_out(folder: Path) -> None:
    class Nested(Counting):
        def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
            with pytest.raises(RunLockedError, match="another process is writing"):
                describe_folder(Counting([90]), place(folder), DESCRIBING)
            return super().answer_all(asks, sampling)

    describe_folder(Nested([90]), place(folder, limit=1), DESCRIBING)


def test_folder_without_pictures_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no pictures"):
        describe_folder(Counting([90]), place(tmp_path), DESCRIBING)
    with pytest.raises(InstructgenError, match="no folder"):
        describe_folder(Counting([90]), place(tmp_path / "none"), DESCRIBING)


class Refusing(Counting):
    """Has room for no second answer, and none for a picture that it is told of."""

    def __init__(self, refused: bytes = b"") -> None:
        super().__init__([5])
        self._refused = refused

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        if any(len(ask.turns) > 1 or ask.pictures == (self._refused,) for ask in asks):
            raise InstructgenError("the prompt has 173 tokens, and the model takes 150")
        return super().answer_all(asks, sampling)


def test_where_there_is_no_room_to_go_on_the_first_answer_stands(folder: Path) -> None:
    tally = describe_folder(Refusing(), place(folder), DESCRIBING)
    assert (tally.described, tally.continued, tally.failed) == (6, 0, {})
    assert read_captions(folder / "captions.jsonl")["0.png"].caption == "word word word word word"


def test_picture_that_the_student_refuses_fails_alone(folder: Path) -> None:
    tally = describe_folder(Refusing((folder / "1.png").read_bytes()), place(folder), DESCRIBING)
    assert (tally.described, tally.failed) == (5, {"not_answered": 1})
    assert "1.png" in (folder / "captions.jsonl.failed").read_text()


def test_name_that_is_no_text_and_picture_of_a_line_are_rejected_not_a_crash(folder: Path) -> None:
    (folder / "line.png").write_bytes(make_picture(7, size=(1, 9000)))
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(make_picture(8))
    except OSError:
        pytest.skip("this file system takes no such name")
    tally = describe_folder(Counting([100]), place(folder), DESCRIBING)
    assert (tally.described, tally.failed) == (6, {"bad_file_name": 1, "image_too_large": 1})


def test_described_picture_that_is_gone_is_named(folder: Path, tmp_path: Path) -> None:
    describe_folder(Counting([100]), place(folder), DESCRIBING)
    (folder / "2.png").unlink()
    with pytest.raises(InstructgenError, match=r"2\.png is described and cannot be copied"):
        write_described(folder, read_captions(folder / "captions.jsonl"), tmp_path / "cap")
    assert not (tmp_path / "cap").exists()
