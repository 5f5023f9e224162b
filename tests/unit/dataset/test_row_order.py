from collections import Counter

import pytest

from instructgen.dataset.reading.row_order import Group, RowOrder


def make_groups(*sizes: int, types: tuple[str, ...] = ("conv",)) -> list[Group]:
    return [Group(0, number, size, types[number % len(types)]) for number, size in enumerate(sizes)]


def visit(order: RowOrder) -> list[tuple[int, int]]:
    return [order.find(index) for index in range(order.num_rows)]


@pytest.mark.parametrize("window_groups", [1, 2, 3, 100])
def test_epoch_has_each_row_once_whatever_the_sizes_of_groups_and_windows(window_groups: int) -> None:
    groups = make_groups(7, 1, 30, 2, 2, 11, 5)
    visited = visit(RowOrder(groups, "v", 3, 0, window_groups))
    assert sorted(visited) == [(place, row) for place, group in enumerate(groups) for row in range(group.num_rows)]


def test_order_is_the_one_that_earlier_runs_had() -> None:
    """A run that is resumed with a newer instructgen must go on in the order it began."""
    order = RowOrder(make_groups(3, 3, 3, 2), "version/train", 7, 2, 2)
    assert visit(order) == [
        (1, 1), (3, 0), (3, 1), (1, 2), (1, 0), (2, 1), (0, 1), (2, 2), (0, 0), (2, 0), (0, 2),
    ]  # fmt: skip


def test_row_does_not_depend_on_what_was_looked_up_before() -> None:
    order, fresh = (RowOrder(make_groups(*[10] * 12), "v", 0, 0, 3) for _ in range(2))
    forward = visit(order)
    assert [fresh.find(index) for index in reversed(range(120))] == forward[::-1]


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}, {"key": "w"}, {"window_groups": 4}])
def test_seed_epoch_files_and_window_each_change_the_order(change: dict[str, object]) -> None:
    settings: dict[str, object] = {"key": "v", "seed": 0, "epoch": 0, "window_groups": 3}
    groups = make_groups(*[10] * 12)
    first = visit(RowOrder(groups, **settings))  # type: ignore[arg-type]
    assert visit(RowOrder(groups, **{**settings, **change})) != first  # type: ignore[arg-type]


def test_no_seed_keeps_the_order_of_the_shards() -> None:
    groups = make_groups(2, 3, 1)
    assert visit(RowOrder(groups, "v", None, 0, 2)) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0)]


def test_each_window_has_every_sample_type_in_its_share() -> None:
    groups = [Group(shard, n, 10, name) for shard, name in enumerate(("a", "b", "c")) for n in range(40)]
    order = RowOrder(groups, "v", 0, 0, 12)
    visited = visit(order)
    for first in range(0, len(visited), 120):
        types = Counter(groups[place].sample_type for place, _ in visited[first : first + 120])
        assert types == {"a": 40, "b": 40, "c": 40}


def test_rows_of_a_window_are_mixed_and_not_only_its_groups() -> None:
    visited = visit(RowOrder(make_groups(*[100] * 4), "v", 0, 0, 4))
    first_quarter = Counter(place for place, _ in visited[:100])
    assert all(10 < count < 45 for count in first_quarter.values())
    assert len(first_quarter) == 4
