"""Pictures and sentences: the best assignment, and each picture with the sentence that it was given to."""

import random
from itertools import permutations

import pytest

from instructgen.sources.documents_match import assign, match_pictures
from tests.support.mmc4 import README_SIMILARITIES


def draw_matrix(draw: random.Random, num_pictures: int, num_sentences: int) -> list[list[float]]:
    return [[draw.uniform(0.1, 0.5) for _ in range(num_sentences)] for _ in range(num_pictures)]


def find_most(matrix: list[list[float]]) -> float:
    """Return the most that any assignment adds up to, by trying all."""
    num_pictures, num_sentences = len(matrix), len(matrix[0])
    if num_pictures > num_sentences:
        return find_most([list(column) for column in zip(*matrix, strict=True)])
    return max(
        sum(matrix[picture][sentence] for picture, sentence in enumerate(chosen))
        for chosen in permutations(range(num_sentences), num_pictures)
    )


def test_example_of_mmc4_pairs_the_second_picture_first() -> None:
    """OpenFlamingo's loader shows picture 0 beside sentence 1 and picture 1 beside sentence 2 here."""
    assert match_pictures(README_SIMILARITIES, 0.24) == [(1, 1), (2, 0)]


@pytest.mark.parametrize(("num_pictures", "num_sentences"), [(1, 1), (2, 3), (4, 4), (5, 3), (3, 6), (6, 2)])
def test_no_assignment_adds_up_to_more(num_pictures: int, num_sentences: int) -> None:
    draw = random.Random(num_pictures * 10 + num_sentences)
    for _ in range(20):
        matrix = draw_matrix(draw, num_pictures, num_sentences)
        found = assign(matrix)
        taken = [sentence for sentence in found if sentence is not None]
        assert len(set(taken)) == len(taken) == min(num_pictures, num_sentences)
        total = sum(matrix[picture][sentence] for picture, sentence in enumerate(found) if sentence is not None)
        assert total == pytest.approx(find_most(matrix))


def test_assignment_is_that_of_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is not installed")
    draw = random.Random(3)
    for _ in range(200):
        matrix = draw_matrix(draw, draw.randint(1, 12), draw.randint(1, 30))
        pictures, sentences = optimize.linear_sum_assignment([[-one for one in line] for line in matrix])
        wanted = dict(zip(pictures.tolist(), sentences.tolist(), strict=True))
        assert {k: one for k, one in enumerate(assign(matrix)) if one is not None} == wanted


def test_less_similar_pairs_are_left_out_once_all_are_assigned() -> None:
    """Picture 1 would pass the bound with sentence 0, but the best assignment gives that to picture 0."""
    matrix = [[0.9, 0.1], [0.5, 0.2]]
    assert match_pictures(matrix, 0.24) == [(0, 0)]
    assert match_pictures([[0.24]], 0.24) == [(0, 0)]
    assert match_pictures([[0.2399]], 0.24) == []


def test_nothing_is_assigned_to_nothing() -> None:
    assert assign([]) == []
    assert assign([[], []]) == [None, None]
