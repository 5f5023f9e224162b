"""Retrieval: what is found, what counts as right, and what chance would find."""

import numpy as np
import pytest

from instructgen.evaluate.retrieval import find_chance, make_catalogue, measure_retrieval

CAPTIONS = {"a": ["one", "two"], "b": ["three"], "c": ["two", "four", "four"]}


def values(similarity: list[list[float]]) -> dict[str, float | None]:
    report = measure_retrieval(make_catalogue(CAPTIONS), np.array(similarity, np.float32))
    return {name: score.value for name, score in report.scores.items()}


def test_catalogue_has_each_text_once_with_all_its_pictures() -> None:
    catalogue = make_catalogue(CAPTIONS)
    assert catalogue.image_ids == ("a", "b", "c")
    assert catalogue.texts == ("one", "two", "three", "four")
    assert catalogue.owners == ((0,), (0, 2), (1,), (2,))


def test_everything_is_found_where_own_texts_are_the_most_alike() -> None:
    found = values([[0.9, 0.8, 0.1, 0.0], [0.0, 0.1, 0.9, 0.1], [0.1, 0.7, 0.2, 0.9]])
    assert found["image_to_text_recall_at_1"] == 1.0
    assert found["text_to_image_recall_at_1"] == 1.0


def test_a_text_of_two_pictures_is_right_for_both() -> None:
    found = values([[0.0, 0.9, 0.1, 0.0], [0.9, 0.1, 0.2, 0.1], [0.1, 0.8, 0.2, 0.1]])
    assert found["image_to_text_recall_at_1"] == pytest.approx(2 / 3)
    # "one" finds b, "two" a, "three" b, "four" b or c: of equal ones the earlier.
    assert found["text_to_image_recall_at_1"] == pytest.approx(2 / 4)
    assert found["image_to_text_recall_at_5"] == 1.0


def test_chance_is_that_of_a_random_order() -> None:
    assert find_chance(10, 1, 1) == pytest.approx(0.1)
    assert find_chance(10, 2, 1) == pytest.approx(0.2)
    assert find_chance(10, 1, 5) == pytest.approx(0.5)
    assert find_chance(4, 2, 2) == pytest.approx(1 - 1 / 6)
    assert find_chance(3, 1, 5) == 1.0
    found = values([[0.0] * 4] * 3)
    assert found["image_to_text_chance_at_1"] == pytest.approx((2 / 4 + 1 / 4 + 2 / 4) / 3)
    assert found["text_to_image_chance_at_1"] == pytest.approx((1 / 3 + 2 / 3 + 1 / 3 + 1 / 3) / 4)


def test_errors_count_the_texts_of_one_picture_as_one() -> None:
    report = measure_retrieval(make_catalogue(CAPTIONS), np.eye(3, 4, dtype=np.float32))
    assert report.counts == {"images": 3, "texts": 4, "shared_texts": 1}
    assert report.scores["text_to_image_recall_at_1"].num_samples == 4
    assert report.scores["text_to_image_recall_at_1"].stderr is not None
    assert set(report.groups["way"]) == {"image_to_text", "text_to_image"}
