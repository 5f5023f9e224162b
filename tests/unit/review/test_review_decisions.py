from pathlib import Path
from urllib.parse import quote

import pytest

from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.review.decisions import Decision, DecisionLog, read_decisions, read_reviews


def decide(
    choice: str, sample: str = "coco/1/conv/0", by: str = "ann", at: str = "2026-01-01", **more: object
) -> Decision:
    return Decision(sample_id=sample, decision=choice, by=by, at=at, seconds=1.5, **more)  # type: ignore[arg-type]


def log_all(folder: Path, by: str, *decisions: Decision) -> Path:
    with DecisionLog(folder, by) as log:
        for decision in decisions:
            log.append(decision)
        return log.path


def test_what_is_decided_is_there_after_opening_again(tmp_path: Path) -> None:
    edit = decide("edit", answers=("A red ball.", 'Two "dogs".'), why="wrong_count")
    log_all(tmp_path, "ann", decide("accept", "coco/2/conv/0"), edit)
    with DecisionLog(tmp_path, "ann") as log:
        assert log.standing == {"coco/2/conv/0": decide("accept", "coco/2/conv/0"), "coco/1/conv/0": edit}


def test_undo_takes_back_the_last_decision_and_the_one_before_stands_again(tmp_path: Path) -> None:
    log_all(tmp_path, "ann", decide("accept"), decide("reject"), decide("undo"))
    assert read_reviews(tmp_path)["ann"]["coco/1/conv/0"].decision == "accept"


def test_reviewer_who_took_everything_back_has_reviewed_nothing(tmp_path: Path) -> None:
    log_all(tmp_path, "ann", decide("reject"), decide("undo"))
    assert read_reviews(tmp_path) == {}


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_line_cut_off_by_a_kill_is_not_read_and_does_not_spoil_the_next(tmp_path: Path, cut: int) -> None:
    path = log_all(tmp_path, "ann", decide("accept"), decide("reject", "coco/2/conv/0"))
    path.write_bytes(path.read_bytes()[:-cut])
    kept = read_decisions(path)
    log_all(tmp_path, "ann", decide("edit", "coco/3/conv/0", answers=("x",)))
    assert [line.sample_id for line in kept] == ["coco/1/conv/0", "coco/2/conv/0"][: 2 if cut == 1 else 1]
    assert [line.sample_id for line in read_decisions(path)] == [*(line.sample_id for line in kept), "coco/3/conv/0"]


def test_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = log_all(tmp_path, "ann", decide("accept"), decide("reject"))
    path.write_bytes(path.read_bytes().replace(b'"accept"', b'"maybe"', 1))
    with pytest.raises(InstructgenError, match=r"ann\.jsonl line 1 is no decision"):
        read_reviews(tmp_path)


def test_one_name_reviews_in_one_place_at_a_time(tmp_path: Path) -> None:
    with DecisionLog(tmp_path, "ann"), pytest.raises(RunLockedError, match="another window"):
        DecisionLog(tmp_path, "ann")
    log_all(tmp_path, "ann", decide("accept"))


@pytest.mark.parametrize("by", ["Ann Lee", "../ann", "a/b", ".ann", "Zoë"])
def test_any_name_makes_a_file_in_the_folder(tmp_path: Path, by: str) -> None:
    folder = tmp_path / "reviews"
    path = log_all(folder, by, decide("accept", by=by))
    assert path.parent == folder
    assert list(read_reviews(folder)) == [by]


@pytest.mark.parametrize("by", ["", " ", " ann", "a\nb", "a" * 61])
def test_name_that_is_none_is_refused(tmp_path: Path, by: str) -> None:
    with pytest.raises(InstructgenError, match="--by wants a name"):
        DecisionLog(tmp_path, by)


@pytest.mark.parametrize("letter", ["名", "é", "🙂"])
def test_name_is_usable_or_refused_however_many_bytes_its_letters_take(tmp_path: Path, letter: str) -> None:
    refused = []
    for num_letters in range(1, 61):
        try:
            DecisionLog(tmp_path, letter * num_letters).close()
        except InstructgenError as error:
            assert "--by wants a shorter name" in str(error)  # noqa: PT017
            refused.append(num_letters)
    shortest = (255 - len("..jsonl.lock")) // len(quote(letter)) + 1
    assert refused == list(range(shortest, 61))


def test_of_a_name_in_two_files_the_newer_decision_stands(tmp_path: Path) -> None:
    path = log_all(tmp_path, "ann", decide("accept", at="2026-01-02"))
    path.rename(tmp_path / "from-laptop.jsonl")
    log_all(tmp_path, "ann", decide("reject", at="2026-01-01"), decide("reject", "coco/2/conv/0"))
    standing = read_reviews(tmp_path)["ann"]
    assert {key: decision.decision for key, decision in standing.items()} == {
        "coco/1/conv/0": "accept",
        "coco/2/conv/0": "reject",
    }


def test_later_line_of_a_file_stands_also_where_the_clock_stepped_back(tmp_path: Path) -> None:
    log_all(tmp_path, "ann", decide("reject", at="2026-01-02"), decide("accept", at="2026-01-01"))
    with DecisionLog(tmp_path, "ann") as log:
        assert read_reviews(tmp_path) == {"ann": log.standing}
    assert log.standing["coco/1/conv/0"].decision == "accept"


def test_of_two_files_each_is_taken_by_its_last_line(tmp_path: Path) -> None:
    path = log_all(
        tmp_path, "ann", decide("reject", at="2026-01-03"), decide("edit", at="2026-01-01", answers=("x",))
    )
    path.rename(tmp_path / "from-laptop.jsonl")
    log_all(tmp_path, "ann", decide("accept", at="2026-01-02"))
    assert read_reviews(tmp_path)["ann"]["coco/1/conv/0"].decision == "accept"


def test_decision_that_does_not_fit_on_the_disk_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with DecisionLog(tmp_path, "ann") as log:
        log.append(decide("accept"))
        size = log.path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
        try:
            with pytest.raises(RunStoppedError, match="last decision is not stored"):
                log.append(decide("reject"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert log.path.stat().st_size == size
        assert log.standing["coco/1/conv/0"].decision == "accept"
