"""A part of the samples that differ from one another most."""

import pytest

from instructgen.errors import InstructgenError
from instructgen.filters.diversity import DiversitySelection, make_features, pick_farthest, select
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())
THINGS = ("dog", "cat", "bus", "kite", "cake", "boat", "sink", "bird")
PLACES = ("kitchen", "street", "field", "harbour", "bathroom")


def make_sample(number: int, answer: str, kind: str = "conv") -> Sample:
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    return Sample(f"own/{number}/{kind}/0", f"own/{number}", kind, turns, (), {})


def kept(options: DiversitySelection, samples: list[Sample], dropped: frozenset[str] = frozenset()) -> list[str]:
    look = options.start()
    for sample in samples:
        look.observe(sample, RECORD)
    faults = look.decide(dropped)
    assert {fault.reason for fault in faults.values()} <= {"not_selected"}
    return [sample.sample_id for sample in samples if sample.sample_id not in faults]


def texts(num: int) -> list[str]:
    return [f"A {THINGS[at % 8]} and {at} {THINGS[at // 8 % 8]}s in a {PLACES[at % 5]}." for at in range(num)]


@pytest.mark.parametrize("num_wanted", [1, 7, 999, 2000])
def test_exactly_the_wanted_number_is_kept(num_wanted: int) -> None:
    samples = [make_sample(number, text) for number, text in enumerate(texts(2000))]
    assert len(kept(DiversitySelection(max_samples=num_wanted), samples)) == num_wanted


def test_fraction_is_of_each_type_and_the_lower_limit_holds() -> None:
    samples = [make_sample(number, text) for number, text in enumerate(texts(40))]
    samples += [make_sample(number, text, "detail") for number, text in enumerate(texts(10))]
    found = kept(DiversitySelection(max_fraction=0.5), samples)
    assert sum("/conv/" in sample_id for sample_id in found) == 20
    assert sum("/detail/" in sample_id for sample_id in found) == 5
    assert len(kept(DiversitySelection(max_fraction=0.5, max_samples=8), samples)) == 13


def test_copies_go_before_what_is_different() -> None:
    samples = [make_sample(number, "A brown dog sleeps on the mat.") for number in range(20)]
    samples += [
        make_sample(20 + number, f"A {thing} in a {PLACES[number % 5]}.") for number, thing in enumerate(THINGS)
    ]
    found = kept(DiversitySelection(max_samples=9), samples)
    assert {sample_id for sample_id in found if int(sample_id.split("/")[1]) >= 20} == {
        f"own/{20 + number}/conv/0" for number in range(8)
    }


def test_choice_is_the_same_again_and_another_with_another_seed() -> None:
    samples = [make_sample(number, text) for number, text in enumerate(texts(2000))]
    first, again = (kept(DiversitySelection(max_samples=50), samples) for _ in range(2))
    assert first == again
    assert kept(DiversitySelection(max_samples=50, seed=1), samples) != first


def test_what_was_dropped_before_counts_for_nothing() -> None:
    samples = [make_sample(number, text) for number, text in enumerate(texts(10))]
    dropped = frozenset(sample.sample_id for sample in samples[:6])
    assert len(set(kept(DiversitySelection(max_samples=4), samples, dropped)) - dropped) == 4


def test_selection_covers_more_than_the_first_ones_do() -> None:
    features = make_features(texts(400))
    chosen = select(features, 40, seed=0)

    def reach(places: list[int]) -> float:
        """How near the sample that is farthest from all kept ones is to one of them."""
        return float((features @ features[places].T).max(axis=1).min())

    assert len(set(chosen)) == 40
    assert reach(chosen) > reach(list(range(40)))


def test_farthest_are_picked_without_doubles() -> None:
    features = make_features(["dog"] * 5 + ["cat"])
    assert set(pick_farthest(features, 2)) == {0, 5}
    assert sorted(pick_farthest(features, 6)) == list(range(6))


def test_without_a_limit_it_is_an_error() -> None:
    with pytest.raises(InstructgenError, match="wants max_samples or max_fraction"):
        DiversitySelection().start()
