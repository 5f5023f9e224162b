"""Several tables: ratios to a row, caps, seeds, and that nothing is left out untold."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructgen.config import SourceConfig, TableConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.sources.mixture import apportion, count_mixture, draw_order
from instructgen.sources.pairs import PairsSource
from tests.support.pair_tables import Found, captions_of, read_pairs, reasons_of, write_tsv


def make_tables(
    folder: Path, num_a: int, num_b: int, **changes: tuple[float | int | None, ...]
) -> tuple[TableConfig, ...]:
    paths = write_tsv(folder / "laion.tsv", num_a, "a"), write_tsv(folder / "cc.tsv", num_b, "b")
    return tuple(
        TableConfig(str(path), **{key: value[index] for key, value in changes.items()})  # type: ignore[arg-type]
        for index, path in enumerate(paths)
    )


def count_by_table(found: list[Found]) -> Counter[str]:
    return Counter(one.image_id.split("/")[1] for one in found if isinstance(one, ImageRecord))


def test_minigpt4s_ratio_is_kept_to_a_row_and_reported(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, 2_000, 2_000, weight=(115, 14))
    source = PairsSource(SourceConfig("pairs", tables=tables, limit=1_290), 3)
    found = list(source.records())
    assert count_by_table(found) == {"laion": 1_150, "cc": 140}
    assert "laion 1150 (89.1473%, weight 115), cc 140 (10.8527%, weight 14)" in source.title


def test_scarcest_table_ends_the_mixture_and_what_is_left_is_told(tmp_path: Path) -> None:
    found = read_pairs(None, tables=make_tables(tmp_path, 100, 10, weight=(1, 1)))
    assert count_by_table(found) == {"laion": 11, "cc": 10}
    assert Counter(reasons_of(found)) == {"left_by_ratio": 89}


def test_tables_are_interleaved_and_not_one_behind_the_other(tmp_path: Path) -> None:
    found = read_pairs(None, tables=make_tables(tmp_path, 300, 300, weight=(1, 1)))
    names = [one.image_id.split("/")[1] for one in found if isinstance(one, ImageRecord)]
    halves = Counter(names[:300])
    assert 100 < halves["laion"] < 200
    assert all(len(set(names[at : at + 30])) == 2 for at in range(0, 600, 30))


def test_rows_of_a_share_are_drawn_from_the_whole_table(tmp_path: Path) -> None:
    found = read_pairs(None, tables=make_tables(tmp_path, 1_000, 100, weight=(1, 1)))
    rows = [int(one.image_id[-9:]) for one in found if isinstance(one, ImageRecord) and "laion" in one.image_id]
    assert rows == sorted(rows)
    assert min(rows) < 150
    assert max(rows) > 850


def test_same_seed_gives_the_same_mixture_and_another_seed_another(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, 500, 500, weight=(3, 1))
    first = read_pairs(None, tables=tables, limit=200)
    assert read_pairs(None, tables=tables, limit=200) == first
    assert read_pairs(None, seed=1, tables=tables, limit=200) != first


def test_without_weights_the_tables_follow_one_another_whole(tmp_path: Path) -> None:
    found = read_pairs(None, tables=make_tables(tmp_path, 3, 2))
    assert [one.image_id for one in found if isinstance(one, ImageRecord)] == [
        *(f"pairs/laion/laion-{row:09d}" for row in (1, 2, 3)),
        *(f"pairs/cc/cc-{row:09d}" for row in (1, 2)),
    ]


def test_cap_keeps_so_many_drawn_rows_and_tells_of_the_others(tmp_path: Path) -> None:
    found = read_pairs(None, tables=make_tables(tmp_path, 50, 5, cap=(20, None)))
    assert count_by_table(found) == {"laion": 20, "cc": 5}
    assert Counter(reasons_of(found)) == {"left_by_cap": 30}
    assert captions_of(found)[:20] != [f"a dog called rex{row}" for row in range(1, 21)]


def test_bad_rows_of_a_mixture_are_told_besides(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, 20, 20, weight=(1, 1))
    path = tmp_path / "laion.tsv"
    path.write_bytes(b"\n" + path.read_bytes() + b"\n")
    source = PairsSource(SourceConfig("pairs", tables=tables), 0)
    found = list(source.records())
    assert count_by_table(found) == {"laion": 20, "cc": 20}
    assert reasons_of(found) == ["bad_column", "bad_column"]
    assert source.num_images == 42


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ((TableConfig("a.tsv", weight=1.0), TableConfig("a.tsv", name="b")), "a weight for every table"),
        ((TableConfig("a.tsv"), TableConfig("a.tsv")), "two tables are called 'a'"),
        ((TableConfig("a.tsv", name="a b"),), "cannot be part of an id"),
    ],
)
def test_tables_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tables: tuple[TableConfig, ...], message: str
) -> None:
    write_tsv(tmp_path / "a.tsv", 1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InstructgenError, match=message):
        PairsSource(SourceConfig("pairs", tables=tables), 0)


def test_root_and_tables_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="give one of them"):
        read_pairs(tmp_path, tables=(TableConfig("a.tsv"),))


weights = st.lists(st.floats(0.01, 1000), min_size=1, max_size=5)


@given(weights, st.integers(0, 10_000))
def test_shares_add_up_and_are_within_one_row_of_exact(weights: list[float], num_rows: int) -> None:
    counts = apportion(weights, num_rows)
    assert sum(counts) == num_rows
    for weight, count in zip(weights, counts, strict=True):
        assert abs(count - num_rows * weight / sum(weights)) < 1 + 1e-6


@given(st.data())
def test_no_table_gives_more_than_it_has(data: st.DataObject) -> None:
    given_weights = data.draw(weights)
    available = [data.draw(st.integers(0, 500)) for _ in given_weights]
    counts = count_mixture(given_weights, available, data.draw(st.none() | st.integers(1, 100)))
    assert all(0 <= count <= there for count, there in zip(counts, available, strict=True))


def test_order_takes_each_table_as_often_as_it_gives_rows() -> None:
    order = list(draw_order([5, 0, 2], 0))
    assert Counter(order) == {0: 5, 2: 2}
    assert list(draw_order([5, 0, 2], 0)) == order
