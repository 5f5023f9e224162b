"""LLaVA's balanced subset: its arithmetic, its draws, and that they hang on nothing but seed and captions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructgen.sources.balance import BalanceRule, balance_captions
from instructgen.sources.hash_draws import draw_rows, make_key, mix_bits

VECTOR = [["a"]] * 2 + [["b"]] * 3 + [["c"]] * 250


def keep(captions: list[list[str]], **rule: object) -> list[int]:
    found = balance_captions(captions, BalanceRule(**rule))  # type: ignore[arg-type]
    return np.flatnonzero(found.is_kept).tolist()


@pytest.mark.parametrize("counts", ["all", "remaining"])
def test_vector_keeps_none_of_two_all_of_three_and_a_hundred_of_250(counts: str) -> None:
    kept = keep(VECTOR, counts=counts)
    assert len(kept) == 103
    assert kept[:3] == [2, 3, 4]
    assert len([place for place in kept if place >= 5]) == 100


def test_hundred_are_drawn_and_not_the_first() -> None:
    drawn = [place - 5 for place in keep(VECTOR) if place >= 5]
    assert drawn != list(range(100))
    assert min(drawn) < 25
    assert max(drawn) > 225


@pytest.mark.parametrize("counts", ["all", "remaining"])
def test_same_seed_draws_the_same_and_another_seed_others(counts: str) -> None:
    assert keep(VECTOR, counts=counts) == keep(VECTOR, counts=counts)
    assert keep(VECTOR, counts=counts, seed=1) != keep(VECTOR, counts=counts)


def test_draw_of_a_seed_does_not_change_between_releases() -> None:
    kept = keep([["c"]] * 12, min_frequency=1, max_per_phrase=4)
    assert kept == [3, 8, 10, 11]


def test_frequency_at_either_bound_is_taken_whole() -> None:
    assert len(keep([["a"]] * 3)) == 3
    assert len(keep([["a"]] * 100)) == 100
    assert len(keep([["a"]] * 101)) == 100


def test_bounds_can_be_set() -> None:
    assert keep([["a"]], min_frequency=1) == [0]
    assert len(keep([["a"]] * 9, max_per_phrase=4)) == 4


def test_caption_is_kept_for_any_one_of_its_phrases() -> None:
    captions = [["rare", "common"]] * 3 + [["common"]] * 300 + [[]] * 5 + [["once"]]
    kept = keep(captions)
    assert kept[:3] == [0, 1, 2]
    assert all(place < 303 for place in kept)
    assert 100 <= len(kept) <= 103


def test_all_draws_among_chosen_captions_too_and_remaining_does_not() -> None:
    captions = [["rare", "common"]] * 100 + [["common"]] * 100
    assert len(keep(captions, counts="remaining")) == 200
    assert 130 < len(keep(captions, counts="all")) < 170


def test_remaining_goes_from_the_rarest_phrase_up() -> None:
    # The other way round, the frequent phrase may take all three captions of the rare one, and its own are left.
    captions = [["rare", "frequent"]] * 3 + [["frequent"]] * 2
    for seed in range(20):
        assert keep(captions, counts="remaining", max_per_phrase=3, seed=seed) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("first", "last"), [("x", "y"), ("w", "x")])
def test_remaining_goes_by_text_where_phrases_are_as_frequent(first: str, last: str) -> None:
    # The first draws 3 of its 5 captions, and leaves the last at most 3, all of which that takes.
    captions = [[last, first]] * 4 + [[first], [last]]
    kept = [keep(captions, counts="remaining", max_per_phrase=3, seed=seed) for seed in range(40)]
    assert all(5 in one for one in kept)
    assert not all(4 in one for one in kept)


def test_no_captions_and_no_phrases_keep_nothing() -> None:
    for counts in ("all", "remaining"):
        assert keep([], counts=counts) == []
        assert keep([[], []], counts=counts) == []


def test_phrases_are_counted() -> None:
    found = balance_captions(VECTOR, BalanceRule())
    assert (found.num_phrases, found.num_frequent) == (3, 2)


phrases = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4), max_size=120)


@given(phrases, st.integers(1, 4), st.integers(1, 6))
def test_all_is_what_a_plain_reading_of_the_paper_gives(captions: list[list[str]], least: int, most: int) -> None:
    frequencies = Counter(phrase for names in captions for phrase in names)
    kept = set(keep(captions, min_frequency=least, max_per_phrase=most))
    whole = {name for name, count in frequencies.items() if least <= count <= most}
    some = {name for name, count in frequencies.items() if count >= least}
    assert {place for place, names in enumerate(captions) if whole.intersection(names)} <= kept
    assert all(some.intersection(captions[place]) for place in kept)
    for name in some:
        assert sum(name in captions[place] for place in kept) >= min(most, frequencies[name])


@given(phrases, st.integers(1, 4), st.integers(1, 6), st.integers(0, 3))
def test_remaining_is_what_a_plain_reading_of_the_paper_gives(
    captions: list[list[str]], least: int, most: int, seed: int
) -> None:
    frequencies = Counter(phrase for names in captions for phrase in names)
    num_kept = 0
    left = set(range(len(captions)))
    kept = set(keep(captions, min_frequency=least, max_per_phrase=most, counts="remaining", seed=seed))
    for count, name in sorted((count, name) for name, count in frequencies.items() if count >= least):
        having = {place for place in left if name in captions[place]}
        num_kept += min(most, len(having))
        if len(having) > most:
            return  # the draw decides from here on
        assert having <= kept
        left -= having
        assert count >= least
    assert len(kept) == num_kept


def test_drawn_rows_are_as_many_as_asked_and_only_marked_ones() -> None:
    marked = np.arange(50_000) % 3 == 0
    for num in (0, 1, 17, 16_666, 16_667, 20_000):
        drawn = draw_rows(marked, num, make_key(0, "t"))
        assert np.count_nonzero(drawn) == min(num, 16_667)
        assert not (drawn & ~marked).any()


def test_more_rows_are_drawn_by_adding_to_fewer() -> None:
    marked = np.ones(1_000, np.bool_)
    few, many = (draw_rows(marked, num, make_key(0, "t")) for num in (10, 500))
    assert not (few & ~many).any()


def test_numbers_of_rows_are_those_of_splitmix64() -> None:
    # The first outputs of SplitMix64 with the seed 0, as its author's code prints them.
    steps = np.array([0, 1, 2], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert [hex(number) for number in mix_bits(steps, 0).tolist()] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]
