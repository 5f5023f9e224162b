"""Words and runs of words as numbers."""

import re

from hypothesis import given
from hypothesis import strategies as st

from instructgen.filters.shingles import hash_shingles, hash_words

TEXTS = st.lists(st.text(alphabet="abcXY09 .,\n'é犬", max_size=40), min_size=1, max_size=6)


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9\u0080-\U0010ffff]+", text.lower())


@given(TEXTS)
def test_equal_words_have_equal_hashes_and_others_do_not(texts: list[str]) -> None:
    hashes, places = hash_words(texts)
    words = [words_of(text) for text in texts]
    assert places.tolist() == [sum(map(len, words[:count])) for count in range(len(texts) + 1)]
    flat = [word for own in words for word in own]
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat)) == len(set(hashes.tolist()))


@given(TEXTS, st.integers(1, 4))
def test_runs_stay_inside_their_text(texts: list[str], n: int) -> None:
    words, word_places = hash_words(texts)
    hashes, places = hash_shingles(words, word_places, n)
    runs: list[tuple[str, ...]] = []
    counts = [0]
    for text in texts:
        own = words_of(text)
        runs += [tuple(own[start : start + n]) for start in range(max(1, len(own) - n + 1))] if own else []
        counts.append(len(runs))
    assert places.tolist() == counts
    assert len(set(zip(runs, hashes.tolist(), strict=True))) == len(set(runs)) == len(set(hashes.tolist()))


def test_hash_of_a_word_does_not_hang_on_its_place_or_case() -> None:
    hashes, _ = hash_words(["Dog. A dog", "the DOG"])
    assert hashes[0] == hashes[2] == hashes[4]
    assert hashes[1] != hashes[3]
