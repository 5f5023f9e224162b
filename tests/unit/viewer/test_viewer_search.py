"""What the viewer finds: held against the rows themselves, sorted and filtered by plain Python."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from instructgen.lexicon.mentions import find_mentions
from tests.support.versions import make_row_of
from tests.support.viewer import make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")

from instructgen.viewer.asked import Asked, read_asked
from instructgen.viewer.index import cache_folder, find_index
from instructgen.viewer.search import Searcher, read_terms
from instructgen.viewer.words import split_words

NUM_ROWS = 70
REASONS = ("too_short", "contradicted_claim")
REJECTED = [
    {"unit_id": f"coco/{900 + n:012d}/conv", "outcome": "rejected", "stage": "filter", "reason": REASONS[n % 2],
     "image_id": f"coco/{900 + n:012d}", "sample_type": "conv", "detail": "", "text": f"Unit {n} says zebra"}
    for n in range(5)
]  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return make_rows(NUM_ROWS)


@pytest.fixture(scope="module")
def version(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> LocalVersion:
    lines = "".join(json.dumps(line) + "\n" for line in REJECTED)
    return write_store(tmp_path_factory.mktemp("search") / "ds", rows, rejected=lines.encode())


@pytest.fixture(scope="module")
def searcher(version: LocalVersion, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with viewing(version.folder) as view:
            yield view.collection.searcher


def ids(searcher: Searcher, asked: Asked) -> list[str]:
    return [hit.sample_id for hit in searcher.list_hits(asked, 10_000)]


def answer_of(row: Row) -> str:
    return str(row["messages"][1]["content"])


def in_order(rows: list[Row]) -> list[Row]:
    """As the shards have them: type by type."""
    return sorted(rows, key=lambda row: row["sample_type"])


KEYS = {
    "order": lambda row: 0,
    "doubt": lambda row: -row["scores"]["grounding"],
    "longest": lambda row: -len(answer_of(row).split()),
    "shortest": lambda row: len(answer_of(row).split()),
    "cost": lambda row: -(row["cost_usd"] or 0),
}


@pytest.mark.parametrize("sort", KEYS)
def test_pages_by_key_have_every_row_once_in_both_directions(searcher: Searcher, rows: list[Row], sort: str) -> None:
    wanted = [row["sample_id"] for row in sorted(in_order(rows), key=KEYS[sort])]
    forward, page = [], searcher.find(Asked(sort=sort), 8)
    while True:
        assert page.first == len(forward) + 1
        assert page.num_found == NUM_ROWS
        forward += [hit.sample_id for hit in page.hits]
        if not page.has_after:
            break
        page = searcher.find(Asked(sort=sort, after=page.hits[-1].pos), 8)
    assert forward == wanted
    backward, page = [], searcher.find(Asked(sort=sort, last=True), 8)
    while True:
        backward = [*(hit.sample_id for hit in page.hits), *backward]
        assert page.first == NUM_ROWS - len(backward) + 1
        if not page.has_before:
            break
        page = searcher.find(Asked(sort=sort, before=page.hits[0].pos), 8)
    assert backward == wanted


FILTERS = {
    "type": (Asked(type="detail"), lambda row: row["sample_type"] == "detail"),
    "score": (Asked(score="grounding", score_min=0.5, score_max=0.5), lambda row: row["scores"]["grounding"] == 0.5),
    "doubt": (Asked(score="doubt", score_min=0.5), lambda row: row["scores"]["grounding"] >= 0.5),
    "other score": (Asked(score="length", score_max=2), lambda row: row["scores"]["length"] <= 2),
    "length": (Asked(words_min=6, words_max=7), lambda row: 6 <= len(answer_of(row).split()) <= 7),
    "image": (Asked(image="coco/000000000007"), lambda row: row["image_id"] == "coco/000000000007"),
    "word": (Asked(q="dog"), lambda row: "dog" in answer_of(row)),
    "begins a word": (Asked(q="ca"), lambda row: " car" in answer_of(row) or "café" in answer_of(row)),
    "whole word": (Asked(q='"car"'), lambda row: False),
    "without accents": (Asked(q="CAFE"), lambda row: "café" in answer_of(row)),
    "in a row": (Asked(q='"hot dog"'), lambda row: "hot dog" in answer_of(row)),
    "not in a row": (Asked(q='"dog hot"'), lambda row: False),
    "left out": (Asked(q="dog -hot"), lambda row: "a dog" in answer_of(row)),
    "left out in a row": (Asked(q='-"hot dog" there'), lambda row: "hot dog" not in answer_of(row)),
    "two words": (Asked(q="red what"), lambda row: "red" in answer_of(row)),
    "object": (Asked(thing="dog"), lambda row: "a dog" in answer_of(row)),
    "object of two words": (Asked(thing="hot dog"), lambda row: "hot dog" in answer_of(row)),
    "together": (Asked(q="car", type="conv", score="doubt", score_min=0.25), lambda row: "cars" in answer_of(row)
                 and row["sample_type"] == "conv" and row["scores"]["grounding"] >= 0.25),
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_filter_finds_what_plain_python_finds(searcher: Searcher, rows: list[Row], name: str) -> None:
    asked, holds = FILTERS[name]
    wanted = [row["sample_id"] for row in in_order(rows) if holds(row)]
    assert ids(searcher, asked) == wanted
    assert searcher.count(asked).get("accepted", 0) == len(wanted)


def test_rejected_units_are_found_by_reason_and_text_beside_the_accepted(searcher: Searcher) -> None:
    assert searcher.count(Asked(q="zebra")) == {"rejected": 5}
    assert ids(searcher, Asked(outcome="rejected", reason="too_short")) == [REJECTED[n]["unit_id"] for n in (0, 2, 4)]
    assert len(ids(searcher, Asked(outcome="all"))) == NUM_ROWS + 5


def test_neighbours_are_those_of_the_list_that_is_asked_for(searcher: Searcher) -> None:
    asked = Asked(q="dog", sort="longest")
    hits = searcher.list_hits(asked, 100)
    before, behind = searcher.neighbours(asked, hits[3].pos)
    assert (before, behind) == (hits[2], hits[4])
    assert searcher.neighbours(asked, hits[0].pos)[0] is None
    assert searcher.neighbours(asked, hits[-1].pos)[1] is None


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE rows; --', "%", "\x00", "\\", "{}", "(" * 50, "日本語"]
)
def test_text_of_an_address_is_never_a_part_of_a_query(searcher: Searcher, text: str) -> None:
    for name in ("type", "reason", "split", "image", "thing", "score"):
        asked = replace(read_asked({name: text}), sort="doubt")
        assert ids(searcher, asked) in ([], ids(searcher, Asked(sort="doubt"))), name
    searcher.find(read_asked({"q": text}))
    assert searcher.count(Asked())["accepted"] == NUM_ROWS


def test_what_an_address_says_wrongly_is_left_out() -> None:
    given = {"after": "x", "words_min": "-3", "score_min": "nan", "sort": "; drop", "outcome": "none", "start": "1e3"}
    assert read_asked(given) == Asked()


def test_an_address_holds_all_of_a_list() -> None:
    asked = Asked(q='dog "red car"', type="conv", score="grounding", score_min=0.25, sort="doubt", thing="hot dog")
    from urllib.parse import parse_qsl, urlsplit

    query = dict(parse_qsl(urlsplit(asked.address("/")).query))
    assert read_asked(query) == asked
    assert read_asked(dict(parse_qsl(urlsplit(asked.address("/", after=7)).query))) == replace(asked, after=7)


def test_objects_are_those_of_the_lexicon_the_longest_phrase_first() -> None:
    texts = [
        "A hot dog and a dog.",
        "Two traffic lights by a bus stop.",
        "A teddy bear beside the bear.",
        "No cats here",
    ]
    rows = [make_row_of(n, "conv", [("Well?", text)]) for n, text in enumerate(texts, 1)]
    import numpy as np
    import pyarrow as pa

    from instructgen.viewer.words import WordTable

    table = WordTable()
    table.add(pa.array([row["messages"][1]["content"] for row in rows]), np.arange(4), 0, 4)
    found = {name: set(places) for name, places in zip(*table.objects_table().to_pydict().values(), strict=True)}
    wanted: dict[str, set[int]] = {}
    for place, text in enumerate(texts):
        for mention in find_mentions(text):
            wanted.setdefault(mention.category, set()).add(place)
    assert found == wanted


def test_words_of_texts_with_and_without_accents_are_split_alike() -> None:
    assert split_words("Dog's CAFÉ, under_score 3.5") == ["dog", "s", "cafe", "under", "score", "3", "5"]
    assert split_words("Dog's cafe, under_score 3.5") == ["dog", "s", "cafe", "under", "score", "3", "5"]


def test_terms_keep_quotes_and_signs() -> None:
    terms = read_terms('dog "red car" -hot -"a b" "open')
    assert [(term.words, term.is_exact, term.is_left_out) for term in terms] == [
        (("dog",), False, False),
        (("red", "car"), True, False),
        (("hot",), False, True),
        (("a", "b"), True, True),
        (("open",), True, False),
    ]


def test_index_lies_in_the_cache_and_is_made_once(
    version: LocalVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in version.folder.rglob("*"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[int] = []
    path = find_index(version, cache_folder(), lambda done, of: told.append(done))
    num = len(told)
    assert path.is_relative_to(tmp_path)
    assert num
    assert find_index(version, cache_folder(), lambda done, of: told.append(done)) == path
    assert len(told) == num
    assert sorted((path, path.stat().st_mtime_ns) for path in version.folder.rglob("*")) == before


def test_index_of_another_content_is_another_file(rows: list[Row], version: LocalVersion, tmp_path: Path) -> None:
    other = write_store(tmp_path / "ds", rows[:-1])
    first = find_index(version, tmp_path, lambda done, of: None)
    assert find_index(other, tmp_path, lambda done, of: None) != first


def test_rejected_line_that_is_no_object_is_told_by_its_number(tmp_path: Path) -> None:
    broken = write_store(tmp_path / "ds", make_rows(1), rejected=b'{"unit_id": "a/conv"}\n[1]\n')
    with pytest.raises(InstructgenError, match=r"rejected\.jsonl line 2"):
        find_index(broken, tmp_path, lambda done, of: None)
    assert not list(tmp_path.glob("*.duckdb"))
