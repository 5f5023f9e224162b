"""Steps and rows: each sample once an epoch, the same steps for any number of processes, rows of one length."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")

from instructgen.errors import InstructgenError
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.recipe import RowsConfig
from instructgen.train.rows import ALONE, EpochPlan, SampleTable, Step, measure, num_steps, plan_steps

ROW_TOKENS = 64


@st.composite
def tables(draw: st.DrawFn) -> SampleTable:
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=20))
    lengths, groups, trunks = [], [], []
    for group, size in enumerate(sizes):
        trunk = draw(st.sampled_from((0, 0, 5, 20)))
        for _ in range(size):
            lengths.append(trunk + draw(st.integers(1, ROW_TOKENS - 20)))
            groups.append(group if trunk else ALONE)
            trunks.append(trunk)
    return SampleTable(*(np.array(column, np.int64) for column in (lengths, groups, trunks)))


def configs(batch: int = 8) -> list[RowsConfig]:
    return [
        RowsConfig(batch=batch, max_tokens=ROW_TOKENS),
        RowsConfig(batch=batch, max_tokens=ROW_TOKENS, sharing=False),
        RowsConfig(batch=batch, max_tokens=ROW_TOKENS, packing=False),
    ]


def rows_of(step: Step) -> list[tuple[tuple[int, ...], ...]]:
    return [row for rank in step.rows for row in rank]


@settings(max_examples=60, deadline=None)
@given(
    table=tables(), kind=st.integers(0, 2), batch=st.integers(1, 12), ranks=st.integers(1, 4), epoch=st.integers(0, 3)
)
def test_each_sample_comes_once_an_epoch_in_full_steps(
    table: SampleTable, kind: int, batch: int, ranks: int, epoch: int
) -> None:
    plan = plan_steps(table, configs(batch)[kind], seed=3, epoch=epoch, num_ranks=ranks)
    steps = list(plan)
    assert len(steps) == num_steps(len(table), batch)
    assert sorted(number for step in steps for number in step.numbers) == list(range(len(table)))
    assert all(step.num_samples == len(step.numbers) == batch for step in steps[:-1])
    for step in steps:
        assert len(step.rows) == ranks
        assert len({len(rank) for rank in step.rows}) == 1


@settings(max_examples=60, deadline=None)
@given(table=tables(), kind=st.integers(0, 2), ranks=st.integers(1, 4))
def test_step_holds_the_same_samples_for_any_number_of_processes(table: SampleTable, kind: int, ranks: int) -> None:
    config = configs()[kind]
    alone = plan_steps(table, config, seed=1, epoch=2)
    together = plan_steps(table, config, seed=1, epoch=2, num_ranks=ranks)
    assert [step.numbers for step in alone] == [step.numbers for step in together]


@settings(max_examples=60, deadline=None)
@given(table=tables(), ranks=st.integers(1, 4))
def test_no_row_is_longer_than_allowed_and_its_length_is_told(table: SampleTable, ranks: int) -> None:
    for config in configs()[:2]:
        for step in plan_steps(table, config, seed=0, epoch=0, num_ranks=ranks):
            for row, told in zip(rows_of(step), [length for rank in step.row_tokens for length in rank], strict=True):
                tokens = 0
                for group in row:
                    trunk = int(table.trunks[group[0]]) if len(group) > 1 else 0
                    tokens += trunk + sum(int(table.lengths[number]) - trunk for number in group)
                    assert len({int(table.groups[number]) for number in group}) == 1
                assert tokens == told <= ROW_TOKENS


def test_step_is_the_same_whenever_it_is_asked_for() -> None:
    table = uniform(40, 3)
    plan = plan_steps(table, configs()[0], seed=5, epoch=1)
    later = plan_steps(table, configs()[0], seed=5, epoch=1)
    assert later[7] == [plan[number] for number in range(len(plan))][7]
    with pytest.raises(IndexError):
        plan[len(plan)]


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    table = uniform(100, 2)
    orders = {
        tuple(tuple(step.numbers) for step in plan_steps(table, config, seed=seed, epoch=epoch))
        for config in configs()[:1]
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(orders) == 4


def test_order_of_a_seed_never_changes() -> None:
    """A run that is taken up under another numpy must see the same steps."""
    plan = plan_steps(uniform(6, 2), RowsConfig(batch=4, max_tokens=ROW_TOKENS), seed=0, epoch=0)
    assert [step.numbers for step in plan] == [[0, 1, 4, 5], [6, 7, 8, 9], [2, 3, 10, 11]]


def uniform(num_images: int, per_image: int, trunk: int = 10, own: int = 8) -> SampleTable:
    groups = np.repeat(np.arange(num_images), per_image)
    lengths = np.full(len(groups), trunk + own)
    return SampleTable(lengths, groups, np.full(len(groups), trunk))


@pytest.mark.parametrize("per_image", [2, 4])
def test_samples_of_one_image_are_in_one_step_and_one_row(per_image: int) -> None:
    table = uniform(50, per_image)
    for step in plan_steps(table, configs()[0], seed=0, epoch=0):
        assert {len(group) for row in rows_of(step) for group in row} == {per_image}


def test_no_image_is_cut_where_others_fill_the_step() -> None:
    sizes = [1, 2, 3] * 30
    groups = np.repeat(np.arange(90), sizes)
    table = SampleTable(np.full(180, 20), groups, np.full(180, 10))
    plan = plan_steps(table, RowsConfig(batch=9, max_tokens=ROW_TOKENS), seed=0, epoch=0)
    steps_of: dict[int, set[int]] = {}
    for number, step in enumerate(plan):
        for group in table.groups[step.numbers].tolist():
            steps_of.setdefault(group, set()).add(number)
    assert sum(len(steps) > 1 for steps in steps_of.values()) <= 1  # the last steps have nothing left to choose from


def spread(table: SampleTable, num_shards: int, share_loose: float = 0.0) -> SampleTable:
    """Return the table with its images in shards, as a file has them, and some samples in none."""
    shards = table.groups * num_shards // (int(table.groups.max()) + 1)
    loose = np.random.default_rng(0).random(len(table)) < share_loose
    return SampleTable(table.lengths, np.where(loose, ALONE, table.groups), table.trunks, np.where(loose, -1, shards))


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("share_loose", [0.0, 0.2])
def test_steps_of_a_window_need_its_shards_alone_and_each_sample_comes_once(kind: int, share_loose: float) -> None:
    table = spread(uniform(240, 2), 12, share_loose)
    config = structs.replace(configs()[kind], mixed_shards=3)
    assert table.shards is not None
    orders = []
    for epoch in (0, 1):
        plan = plan_steps(table, config, seed=5, epoch=epoch)
        assert sorted(number for step in plan for number in step.numbers) == list(range(480))
        needed = [set(table.shards[step.numbers].tolist()) - {-1} for step in plan]
        for shard in range(12):
            steps = [at for at, shards in enumerate(needed) if shard in shards]
            # A window is a quarter of the epoch. In kind 2 a step of two windows lies anywhere in the first of them,
            # and what fills no step comes at the end.
            assert np.percentile(steps, 90) - np.percentile(steps, 10) <= 16, (shard, steps)
        loose = [int((table.shards[step.numbers] < 0).sum()) for step in plan]
        assert sum(loose[:30]) == pytest.approx(sum(loose[30:]), abs=24)
        orders.append([sorted(shards) for shards in needed])
    assert orders[0] != orders[1]


@settings(max_examples=15, deadline=None)
@given(table=tables(), kind=st.integers(0, 2), ranks=st.integers(2, 4), mixed=st.integers(1, 3))
def test_windows_are_the_same_for_any_number_of_processes(
    table: SampleTable, kind: int, ranks: int, mixed: int
) -> None:
    placed = SampleTable(table.lengths, table.groups, table.trunks, np.arange(len(table)) // 5)
    config = structs.replace(configs()[kind], mixed_shards=mixed)
    alone = plan_steps(placed, config, seed=1, epoch=2)
    together = plan_steps(placed, config, seed=1, epoch=2, num_ranks=ranks)
    assert [step.numbers for step in alone] == [step.numbers for step in together]
    assert sorted(number for step in alone for number in step.numbers) == list(range(len(table)))


def test_few_images_are_cut_where_the_counts_do_not_fit() -> None:
    table = uniform(200, 3)
    cut = 0
    for step in plan_steps(table, RowsConfig(batch=32, max_tokens=ROW_TOKENS), seed=0, epoch=0):
        images = table.groups[step.numbers]
        cut += sum(int(count) < 3 for count in np.unique(images, return_counts=True)[1])
    assert cut <= 2 * 19  # 32 is not a multiple of 3: at each of 19 seams one image at most lies in two steps


def test_image_with_more_samples_than_a_step_has_them_in_a_random_order() -> None:
    many = 200
    table = SampleTable(*(np.full(many, value, np.int64) for value in (8, 0, 5)))
    first = plan_steps(table, RowsConfig(batch=20, max_tokens=ROW_TOKENS), seed=3, epoch=0)[0].numbers
    assert len(first) == 20
    assert max(first) - min(first) > many // 2, "not twenty that follow one another in the file"


def test_tree_too_long_for_a_row_is_split_and_no_sample_is() -> None:
    table = SampleTable(np.full(8, 30), np.zeros(8, np.int64), np.full(8, 20))
    (step,) = plan_steps(table, RowsConfig(batch=8, max_tokens=ROW_TOKENS), seed=0, epoch=0)
    groups = [group for row in rows_of(step) for group in row]
    assert sorted(number for group in groups for number in group) == list(range(8))
    assert max(len(group) for group in groups) == 4  # 20 + 4 * 10 = 60 of 64


def test_sample_longer_than_a_row_is_told() -> None:
    table = SampleTable(np.array([65]), np.array([ALONE]), np.array([0]))
    with pytest.raises(InstructgenError, match=r"65 tokens, more than a row's 64; raise rows\.row_tokens"):
        plan_steps(table, configs()[0], seed=0, epoch=0)


def test_few_samples_still_give_every_process_a_row() -> None:
    table = uniform(1, 4)
    (step,) = plan_steps(table, configs()[0], seed=0, epoch=0, num_ranks=3)
    assert [len(rank) for rank in step.rows] == [1, 1, 1]
    assert all(rank[0] for rank in step.rows)
    (lonely,) = plan_steps(uniform(1, 1), configs()[0], seed=0, epoch=0, num_ranks=2)
    assert [len(rank[0]) for rank in lonely.rows] == [1, 0]


@pytest.mark.parametrize(
    ("per_image", "tokens", "row_tokens"), [((3, 3), 256, 2048), ((1, 6), 256, 4096), ((1, 3), 576, 4096)]
)
@pytest.mark.parametrize("ranks", [1, 8])
def test_rows_are_filled_to_95_percent_of_the_longest(
    per_image: tuple[int, int], tokens: int, row_tokens: int, ranks: int
) -> None:
    table = llava_like(2000, per_image, tokens)
    plan = plan_steps(table, RowsConfig(batch=128, row_tokens=row_tokens), seed=0, epoch=0, num_ranks=ranks)
    fills = [plan[number].fill for number in range(10)]
    assert sum(fills) / len(fills) >= 0.95


def llava_like(num_images: int, per_image: tuple[int, int], tokens: int) -> SampleTable:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(num_images), rng.integers(per_image[0], per_image[1] + 1, num_images))
    own = np.exp(rng.uniform(np.log(40), np.log(400), len(groups))).astype(np.int64)
    return SampleTable(tokens + own, groups, np.full(len(groups), tokens))


def test_rows_of_one_moment_are_alike_in_all_processes() -> None:
    plan = plan_steps(llava_like(2000, (1, 6), 256), RowsConfig(batch=128), seed=0, epoch=0, num_ranks=4)
    lengths = plan[0].row_tokens
    assert plan[0].busy >= 0.95
    for moment in zip(*lengths, strict=True):
        assert max(moment) - min(moment) <= 0.2 * max(moment)
    assert all(longer >= shorter for rank in lengths for longer, shorter in pairwise(rank))


def test_what_is_filled_and_how_long_processes_wait() -> None:
    step = Step(rows=((((0,),), ((1,),)), (((2,),), ((3,),))), row_tokens=((100, 60), (80, 60)), num_samples=4)
    assert step.fill == 0.75  # 300 of 4 * 100
    assert step.busy == 300 / 320
    assert step.fill_of(200) == 0.375
    empty = Step(rows=((),), row_tokens=((),), num_samples=0)
    assert (empty.fill, empty.busy, empty.fill_of(8)) == (1.0, 1.0, 1.0)


def test_padded_batches_hold_one_kind_and_alike_lengths() -> None:
    table = llava_like(300, (1, 1), 256)
    groups = table.groups.copy()
    groups[::3] = ALONE
    mixed = SampleTable(np.where(groups == ALONE, table.lengths - 256, table.lengths), groups, table.trunks)
    plan = plan_steps(mixed, RowsConfig(batch=32, packing=False), seed=0, epoch=0)
    kinds = [{int(mixed.groups[number]) == ALONE for number in step.numbers} for step in plan]
    assert sum(len(kind) == 2 for kind in kinds) <= 2  # what was left over of both
    assert {True} in kinds[:-2]
    assert {False} in kinds[:-2]
    padded = sum(length for step in plan for rank in step.row_tokens for length in rank)
    assert int(mixed.lengths.sum()) / padded > 0.85


def test_measure_groups_equal_beginnings_only() -> None:
    def chat(ids: list[int], *pictures: str, first: int = 3) -> Example:
        return Example("x", np.array(ids, np.int32), np.arange(len(ids)) >= first, pictures)

    table = measure(
        [
            chat([1, IMAGE_SLOT, 7, 8], "a"),
            chat([1, IMAGE_SLOT, 9, 9, 9], "a"),
            chat([2, IMAGE_SLOT, 7, 8], "a"),
            chat([1, IMAGE_SLOT, 7, 8], "b"),
            chat([1, 7, 8]),
            chat([1, IMAGE_SLOT, 7, 8, IMAGE_SLOT, 9], "a", "b", first=5),
            chat([1, 4, IMAGE_SLOT, 7], "a", first=1),
        ],
        10,
    )
    assert table.lengths.tolist() == [13, 14, 13, 13, 3, 24, 13]
    assert table.groups.tolist() == [0, 0, 1, 2, ALONE, 3, ALONE]
    assert table.trunks.tolist() == [11, 11, 11, 11, 0, 23, 0]


def test_last_step_of_two_hundred_thousand_samples_holds_the_rest() -> None:
    plan = EpochPlan(llava_like(60_000, (1, 6), 576), RowsConfig(batch=128), seed=0, epoch=0, num_ranks=8)
    assert plan[len(plan) - 1].num_samples == len(plan._table) - 128 * (len(plan) - 1)
