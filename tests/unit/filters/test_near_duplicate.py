"""Samples whose text all but repeats an earlier one's."""

import random

import pytest

from instructgen.filters.near_duplicate import NearDuplicate, choose_rows
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())
WORDS = [f"{start}{end}" for start in ("ba", "ko", "li", "mu", "ze", "tra") for end in ("n", "rt", "sk", "lo", "mi")]


def make_text(seed: int, num_words: int = 100) -> list[str]:
    return random.Random(seed).choices(WORDS, k=num_words)


def make_sample(number: int, answer: str, question: str = "What is there?", kind: str = "detail") -> Sample:
    turns = (Message("user", question), Message("assistant", answer))
    return Sample(f"own/{number}/{kind}/0", f"own/{number}", kind, turns, (), {})


def find(
    samples: list[Sample], options: NearDuplicate | None = None, dropped: frozenset[str] = frozenset()
) -> dict[str, str]:
    look = (options or NearDuplicate()).start()
    for sample in samples:
        look.observe(sample, RECORD)
    return {sample_id: fault.detail for sample_id, fault in look.decide(dropped).items()}


def similarity(one: list[str], other: list[str], n: int) -> float:
    left, right = (set(zip(*(words[at:] for at in range(n)), strict=False)) for words in (one, other))
    return len(left & right) / len(left | right)


def test_later_copy_is_dropped_and_names_the_one_that_is_kept() -> None:
    first, second = " ".join(make_text(1)), " ".join(make_text(2))
    samples = [make_sample(1, first), make_sample(2, second), make_sample(3, first.upper() + "!")]
    assert find(samples) == {"own/3/detail/0": "own/1/detail/0"}


@pytest.mark.parametrize(("num_changed", "is_found"), [(1, True), (3, True), (12, False), (40, False)])
def test_threshold_is_the_true_similarity(num_changed: int, is_found: bool) -> None:
    words = make_text(1)
    changed = list(words)
    for place in range(num_changed):
        changed[5 + place * (90 // num_changed)] = "other"
    assert (similarity(words, changed, 3) >= 0.8) == is_found
    samples = [make_sample(1, " ".join(words)), make_sample(2, " ".join(changed))]
    assert bool(find(samples)) == is_found


def test_all_planted_copies_are_found_and_nothing_else() -> None:
    texts = [make_text(seed) for seed in range(400)]
    for later in range(200, 300):
        texts[later] = [*texts[later - 200][:50], "other", *texts[later - 200][51:]]
    found = find([make_sample(number, " ".join(words)) for number, words in enumerate(texts)])
    assert found == {f"own/{later}/detail/0": f"own/{later - 200}/detail/0" for later in range(200, 300)}


def test_crowd_of_copies_leaves_the_first_one() -> None:
    words = make_text(1)
    samples = []
    for number in range(300):
        words[number % 100] = "other" if number % 100 == 50 else words[number % 100]
        samples.append(make_sample(number, " ".join(words)))
    assert set(find(samples).values()) == {"own/0/detail/0"}
    assert len(find(samples)) == 299


def test_copy_of_a_dropped_sample_alone_is_kept() -> None:
    words = make_text(1, 200)
    steps = [words, list(words), list(words)]
    for later in (1, 2):
        for place in range(5 + 100 * (later == 2), 105 + 95 * (later == 2), 15):
            for step in steps[later:]:
                step[place] = f"other{later}"
    assert similarity(steps[0], steps[1], 3) >= 0.8 <= similarity(steps[1], steps[2], 3)
    assert similarity(steps[0], steps[2], 3) < 0.8
    samples = [make_sample(number, " ".join(step)) for number, step in enumerate(steps)]
    assert find(samples) == {"own/1/detail/0": "own/0/detail/0"}


def test_sample_that_an_earlier_filter_dropped_makes_nothing_a_copy() -> None:
    text = " ".join(make_text(1))
    samples = [make_sample(number, text) for number in range(3)]
    assert find(samples, dropped=frozenset({"own/0/detail/0"})) == {"own/2/detail/0": "own/1/detail/0"}


def test_types_are_not_compared_with_one_another() -> None:
    text = " ".join(make_text(1))
    assert find([make_sample(1, text), make_sample(1, text, kind="reasoning")]) == {}


def test_short_answers_may_be_the_same_for_many_images() -> None:
    samples = [make_sample(number, "Yes, there is a dog on the mat.") for number in range(3)]
    assert find(samples) == {}
    assert len(find(samples, NearDuplicate(min_words=8))) == 2


def test_questions_count_where_that_is_asked_for() -> None:
    text, question = " ".join(make_text(1, 40)), " ".join(make_text(2, 40))
    samples = [make_sample(1, text), make_sample(2, text, question=question)]
    assert len(find(samples)) == 1
    assert find(samples, NearDuplicate(text="turns")) == {}


def test_nothing_observed_is_nothing_found() -> None:
    assert find([]) == {}
    assert find([make_sample(1, ""), make_sample(2, "")], NearDuplicate(min_words=1)) == {}


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.8, 0.9, 0.97, 1.0])
def test_bands_propose_nearly_all_pairs_at_the_threshold(threshold: float) -> None:
    rows = choose_rows(threshold)
    assert 1 - (1 - threshold**rows) ** (120 // rows) >= 0.995
