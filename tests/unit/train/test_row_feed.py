"""Rows come in their order, loaded ahead but not without bound."""

import threading
import time
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from instructgen.train.feed import RowFeed  # noqa: E402
from instructgen.train.packed import PackedRow  # noqa: E402
from instructgen.train.rows import Row  # noqa: E402


def make_row(_epoch: int, row: Row) -> PackedRow:
    ids = torch.tensor([number for group in row for number in group])
    empty = torch.zeros(0, dtype=torch.long)
    return PackedRow(ids, ids, empty, empty, empty, (), (f"picture {row[0][0]}",), len(ids))


def load_pictures(keys: tuple[str, ...]) -> torch.Tensor:
    number = int(keys[0].split()[1])
    time.sleep(0.002 * (number % 3))
    if number == 13:
        raise ValueError("no picture")
    return torch.full((1, 3, 2, 2), float(number))


def test_rows_come_in_order_with_their_own_pictures_whatever_the_threads() -> None:
    rows: list[Row] = [((number,), (number + 100, number + 200)) for number in range(13)]
    for num_threads in (1, 4):
        loaded = list(RowFeed(make_row, load_pictures, num_threads).load((0, row) for row in rows))
        assert [each.numbers for each in loaded] == [(n, n + 100, n + 200) for n in range(13)]
        assert [float(each.pictures[0, 0, 0, 0]) for each in loaded] == list(range(13))


def test_only_a_few_rows_are_loaded_ahead() -> None:
    asked: list[int] = []

    def rows() -> Iterator[tuple[int, Row]]:
        for number in range(10_000):
            asked.append(number)
            yield 0, ((number % 13,),)

    feed = RowFeed(make_row, load_pictures, 2).load(rows())
    next(feed)
    assert len(asked) <= 5
    feed.close()


def test_an_error_comes_up_at_its_row_and_no_thread_is_left() -> None:
    before = threading.active_count()
    feed = RowFeed(make_row, load_pictures, 2).load([(0, ((number,),)) for number in range(20)])
    assert [next(feed).numbers[0] for _ in range(13)] == list(range(13))
    with pytest.raises(ValueError, match="no picture"):
        next(feed)
    assert threading.active_count() == before
