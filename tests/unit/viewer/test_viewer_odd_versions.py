"""What other programs wrote, and what lies in the browser and in the cache: what there is to show is shown."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.columns import Row
from instructgen.errors import InstructgenError
from instructgen.jobs.review import Evidence
from instructgen.viewer.search import read_terms
from instructgen.viewer.texts import mark_terms
from tests.support.coco_folder import make_coco
from tests.support.versions import make_row_of
from tests.support.viewer import ask, make_picture, make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")

TURNS = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "A dog."}]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def find_indexes(tmp_path: Path, start: str = "") -> list[Path]:
    return sorted((tmp_path / "cache").rglob(f"{start}*.duckdb"))


@pytest.mark.parametrize(
    "others",
    ['state={"a": "b"}', "name=two words", "a@b=c", "path=/", "lonely", "café=é", "expires=never", 'quoted="a;b"'],
)
def test_cookies_of_other_programs_on_this_machine_close_nothing(tmp_path: Path, others: str) -> None:
    write_store(tmp_path / "ds", make_rows(1))
    with viewing(tmp_path / "ds") as view:
        for cookie in (f"{others}; instructgen-8000={view.token}", f"instructgen-8000={view.token}; {others}"):
            assert ask(view, "/", headers={"cookie": cookie}).status == 200
        assert ask(view, "/", headers={"cookie": f"{others}; instructgen-8000=guess"}).status == 403


@pytest.mark.parametrize("number", ["9" * 30, "9" * 60, "9" * 5000, "-1", "1.5", "²", "%C2%B2"])
def test_number_that_no_row_has_is_not_found(tmp_path: Path, number: str) -> None:
    version = write_store(tmp_path / "ds", make_rows(1, picture=make_picture())).manifest.version
    with viewing(tmp_path / "ds") as view:
        for path in (f"/row/{number}", f"/picture/{version}/{number}/0", f"/picture/{version}/0/{number}"):
            assert ask(view, path).status == 404


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"messages": None}, "No text."),
        ({"messages": [None, *TURNS]}, "A dog."),
        ({"messages": [{"role": None, "content": None}, *TURNS]}, "A dog."),
        ({"images": [{"bytes": b"", "path": "a.png"}]}, "a.png is not in the dataset"),
        ({"images": [{"bytes": None, "path": "a\0b.png"}]}, "is not in the dataset"),
        ({"images": [{"bytes": None, "path": "a" * 5000}]}, "is not in the dataset"),
        ({"images": [{"bytes": None, "path": None}]}, "is not in the dataset"),
    ],
)
def test_row_that_lacks_something_is_shown_without_it(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    row: Row = {**make_row_of(1), **changes}  # type: ignore[typeddict-item]
    write_store(tmp_path / "ds", [row, make_row_of(2)])
    with viewing(tmp_path / "ds", evidence=Evidence(images=tmp_path)) as view:
        assert ask(view, "/").text.count('class="card"') == 2
        told = ask(view, "/row/0")
        assert (told.status, text in told.text) == (200, True)


def test_rejected_line_that_calls_itself_accepted_is_not_looked_for_among_the_rows(tmp_path: Path) -> None:
    line = {"unit_id": "x/conv", "outcome": "accepted", "stage": "filter", "reason": "too_short", "text": "odd"}
    write_store(tmp_path / "ds", make_rows(2), rejected=json.dumps(line).encode() + b"\n")
    with viewing(tmp_path / "ds") as view:
        assert ask(view, "/").text.count('class="card"') == 2
        assert "odd" in ask(view, "/?outcome=rejected").text


@pytest.mark.parametrize("typed", ["cafe", "café", "CAFÉ", '"café"'])
def test_word_with_accents_is_marked_however_it_was_typed(typed: str) -> None:
    pieces = mark_terms("Une table de Café.", read_terms(typed), 100)
    assert [piece.text for piece in pieces if piece.is_hit] == ["Café"]


def test_turn_that_was_searched_for_is_the_one_of_the_card(tmp_path: Path) -> None:
    pairs = [("What is there?", "A dog."), ("And behind it?", "Un café.")]
    write_store(tmp_path / "ds", [make_row_of(1, "conv", pairs)])
    with viewing(tmp_path / "ds") as view:
        assert '<mark class="hit">café</mark>' in ask(view, "/?q=cafe").text


def test_word_beside_an_underscore_is_marked_as_it_is_found() -> None:
    pieces = mark_terms("a red_car", read_terms("car"), 100)
    assert [piece.text for piece in pieces if piece.is_hit] == ["car"]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:5000], lambda data: b"no database" * 900])
def test_damaged_file_of_the_cache_is_made_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    make_coco(tmp_path / "coco", 3)
    write_store(tmp_path / "ds", make_rows(3), config={"source": {"split": "val2017"}})
    evidence = Evidence(root=tmp_path / "coco")
    with viewing(tmp_path / "ds", evidence=evidence) as view:
        before = ask(view, "/row/0").text
    files = find_indexes(tmp_path)
    assert len(files) == 2  # the version's, and the annotations'
    for path in files:
        path.write_bytes(damage(path.read_bytes()))
    with viewing(tmp_path / "ds", evidence=evidence) as view:
        assert ask(view, "/").text.count('class="card"') == 3
        assert ask(view, "/row/0").text == before


_FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from instructgen.errors import InstructgenError
from tests.support.viewer import viewing
try:
    with viewing(sys.argv[1]):
        print("opened")
except InstructgenError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no such limit")
def test_full_disk_is_told_and_nothing_is_left_half_written(tmp_path: Path) -> None:
    words = " ".join(f"word{number}" for number in range(3000))
    write_store(tmp_path / "ds", [make_row_of(n, "conv", [("What?", f"{words} {n}")]) for n in range(1, 40)])
    command = [sys.executable, "-c", _FULL, str(tmp_path / "ds")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert "free space" in done.stdout
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_two_that_read_one_index_are_not_in_each_others_way(tmp_path: Path) -> None:
    write_store(tmp_path / "ds", make_rows(3))
    with viewing(tmp_path / "ds") as one, viewing(tmp_path / "ds", tmp_path / "ds") as other:
        assert ask(one, "/").text.count('class="card"') == ask(other, "/").text.count('class="card"') == 3


def test_rejected_line_of_no_depth_that_can_be_read_is_told(tmp_path: Path) -> None:
    line = b'{"unit_id": "a", "reason": "x", "n": ' + b"[" * 9000 + b"]" * 9000 + b"}\n"
    write_store(tmp_path / "ds", make_rows(1), rejected=line)
    with pytest.raises(InstructgenError, match="line 1 cannot be read"), viewing(tmp_path / "ds"):
        pass


def test_place_behind_the_end_of_a_list_is_no_empty_list(tmp_path: Path) -> None:
    write_store(tmp_path / "ds", make_rows(3))
    with viewing(tmp_path / "ds") as view:
        told = ask(view, "/?q=there&start=9").text
        assert "No sample passes" not in told
        assert 'href="/?q=there">Show it from its beginning' in told
