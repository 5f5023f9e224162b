"""Different n-grams: exact for few, near for many, the same however they come."""

import pickle

import numpy as np

from instructgen.evaluate.distinct import DistinctCounter, WordHashes, hash_ngrams


def counter_of(*texts: str, n: int) -> DistinctCounter:
    counter = DistinctCounter()
    words = WordHashes().hash_words(" ".join(texts).split())
    counter.add(hash_ngrams(words, [len(text.split()) for text in texts], n))
    return counter


def test_few_are_counted_exactly_and_none_runs_from_text_to_text() -> None:
    texts = ("a b a b", "a b c")
    assert [(counter_of(*texts, n=n).count(), counter_of(*texts, n=n).num_all) for n in (1, 2, 3)] == [
        (3, 7),
        (3, 5),
        (3, 3),
    ]


def test_an_ngram_is_not_the_same_in_another_order() -> None:
    assert counter_of("a b", "b a", "a a", "b b", n=2).count() == 4


def test_a_text_shorter_than_n_has_none() -> None:
    assert (counter_of("a", n=2).count(), counter_of("a", n=2).num_all) == (0, 0)


def random_hashes(seed: int, num: int) -> "np.ndarray":
    return np.random.default_rng(seed).integers(0, 1 << 64, num, np.uint64)


def test_many_are_counted_to_one_percent_with_what_is_kept_bounded() -> None:
    counter = DistinctCounter()
    for seed in range(100):
        counter.add(random_hashes(seed % 50, 20_000))
    assert counter.num_all == 2_000_000
    assert abs(counter.count() - 1_000_000) < 10_000
    assert sum(map(len, counter.kept)) == 1 << 16


def test_parts_put_together_count_as_the_whole() -> None:
    whole, left, right = DistinctCounter(), DistinctCounter(), DistinctCounter()
    for seed in range(12):
        whole.add(random_hashes(seed, 20_000))
        (left if seed % 2 else right).add(random_hashes(seed, 20_000))
    merged = pickle.loads(pickle.dumps(right))
    merged.merge(left)
    assert (merged.count(), merged.num_all) == (whole.count(), whole.num_all)
