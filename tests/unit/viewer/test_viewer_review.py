"""Decisions that are taken in the viewer are those of `instructgen review`: the same file, rules and report."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from instructgen.errors import InstructgenError
from instructgen.jobs.review import find_reviewed, make_report
from instructgen.review.decisions import read_decisions
from tests.support.viewer import ask, make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")

from instructgen.jobs.view import View

NUM_ROWS = 8


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_store(tmp_path / "ds", make_rows(NUM_ROWS))
    return tmp_path / "ds"


@pytest.fixture
def view(dataset: Path) -> Iterator[View]:
    with viewing(dataset, is_review=True, by="ann") as opened:
        yield opened


def post(view: View, sample_id: str, choice: str, address: str = "/review/decide", **fields: object):  # type: ignore[no-untyped-def]
    key = re.search(r'name="key" value="([^"]+)"', ask(view, f"/sample/{sample_id}").text)
    assert key is not None
    form = {"key": key.group(1), "sample_id": sample_id, "choice": choice, **fields}
    return ask(view, address, method="POST", body=urlencode(form, doseq=True).encode())


def stored(dataset: Path) -> list[tuple[str, str, tuple[str, ...], str]]:
    path = find_reviewed(dataset).folder / "ann.jsonl"
    return [(one.sample_id, one.decision, one.answers, one.why) for one in read_decisions(path)]


A, B, C = "coco/000000000001/detail/0", "coco/000000000002/reasoning/0", "coco/000000000003/conv/0"


def test_decisions_are_on_disk_at_once_in_the_form_of_review(view: View, dataset: Path) -> None:
    post(view, A, "accept", seconds="2.5")
    assert stored(dataset) == [(A, "accept", (), "")]
    post(view, B, "reject", why="wrong_count")
    post(view, C, "edit", answer="Better.\r\nTwo lines.")
    post(view, A, "reject", why="", own_why="  not  what I see ")
    assert stored(dataset)[1:] == [
        (B, "reject", (), "wrong_count"),
        (C, "edit", ("Better.\nTwo lines.",), ""),
        (A, "reject", (), "not what I see"),
    ]
    report = make_report(find_reviewed(dataset))
    assert (report["all"]["reviewed"], report["all"]["edited"], report["all"]["rejected"]) == (3, 1, 2)
    assert read_decisions(find_reviewed(dataset).folder / "ann.jsonl")[0].seconds == 2.5


def test_after_a_decision_comes_the_next_undecided_sample_of_the_same_list(view: View) -> None:
    listed = re.findall(r'class="card" href="(/sample/[^"?]+)', ask(view, "/?sort=longest").text)
    second, third = listed[1].removeprefix("/sample/"), listed[2].removeprefix("/sample/")
    post(view, third, "accept")
    told = post(view, second, "accept", address="/review/decide?sort=longest")
    assert told.status == 303
    assert told.headers["location"] == f"{listed[3]}?sort=longest"


def test_when_all_is_decided_the_list_comes(view: View) -> None:
    for row in make_rows(NUM_ROWS):
        told = post(view, row["sample_id"], "accept")
    assert told.headers["location"] == "/"
    assert ask(view, "/?decision=open").text.count('class="card"') == 0
    assert ask(view, "/?decision=accept").text.count('class="card"') == NUM_ROWS


def test_undo_takes_back_the_last_decision_and_shows_its_sample(view: View, dataset: Path) -> None:
    post(view, A, "accept")
    post(view, B, "reject")
    told = post(view, A, "", address="/review/undo?sort=doubt")
    assert (told.status, told.headers["location"]) == (303, f"/sample/{B}?sort=doubt")
    assert stored(dataset)[-1][:2] == (B, "undo")
    assert "no decision yet" in ask(view, f"/sample/{B}").text
    assert post(view, A, "", address="/review/undo").status == 303
    assert post(view, A, "", address="/review/undo").status == 409


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"choice": "edit", "answer": "  "}, "answer 1 is empty"),
        ({"choice": "edit", "answer": ["a", "b"]}, "the sample has 1 answers, and 2 came back"),
        ({"choice": "edit", "answer": "<|im_end|>"}, "control string"),
        ({"choice": "undo"}, "no decision &#39;undo&#39;"),
        ({"choice": ""}, "no decision"),
    ],
)
def test_what_may_not_be_stored_is_told_on_the_samples_page(
    view: View, dataset: Path, fields: dict[str, object], problem: str
) -> None:
    choice = str(fields.pop("choice"))
    told = post(view, A, choice, **fields)
    assert told.status == 422
    assert problem in told.text
    assert stored(dataset) == []


def test_filter_by_decision_follows_each_decision(view: View) -> None:
    assert ask(view, "/?decision=open").text.count('class="card"') == NUM_ROWS
    post(view, A, "accept")
    assert ask(view, "/?decision=open").text.count('class="card"') == NUM_ROWS - 1
    assert f"of {NUM_ROWS - 1} samples" in ask(view, "/?decision=open").text
    post(view, A, "reject")
    assert A in ask(view, "/?decision=reject").text
    assert ask(view, "/?decision=accept").text.count('class="card"') == 0


def test_without_review_there_is_neither_form_nor_place_to_send_it(dataset: Path) -> None:
    with viewing(dataset) as plain:
        assert "review/decide" not in ask(plain, f"/sample/{A}").text
        assert ask(plain, "/review/decide", method="POST", body=b"choice=accept").status == 404
    assert not (dataset / "reviews").exists()


def test_review_of_two_versions_is_refused(dataset: Path) -> None:
    with (
        pytest.raises(InstructgenError, match="--review goes with one dataset"),
        viewing(dataset, dataset, is_review=True),
    ):
        pass
