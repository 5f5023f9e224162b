"""Figures and their standard errors."""

import math
import statistics

import pytest

from instructgen.evaluate.scores import Score, flatten, group_rows, measure, ratio


def test_error_of_a_mean_is_the_textbooks() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    score = measure([(value, 1.0) for value in values], ratio(0, 1), len(values))
    assert score.value == pytest.approx(statistics.mean(values), abs=1e-6)
    assert score.stderr == pytest.approx(statistics.stdev(values) / math.sqrt(len(values)), abs=1e-6)


def test_samples_of_one_picture_count_as_one_group() -> None:
    right, wrong = (1.0, 1.0), (0.0, 1.0)
    alone = measure([right, right, wrong, wrong] * 3, ratio(0, 1), 12)
    keyed = [(f"{number // 6}", right if number < 6 else wrong) for number in range(12)]
    together = measure(group_rows(keyed), ratio(0, 1), 12)
    assert alone.value == together.value == 0.5
    assert together.stderr is not None
    assert alone.stderr is not None
    assert together.stderr > 3 * alone.stderr


def test_nothing_measured_has_no_value_and_one_group_no_error() -> None:
    assert measure([], ratio(0, 1), 0) == Score(None, None, 0)
    assert measure([(1.0, 2.0)], ratio(0, 1), 2) == Score(0.5, None, 2)


def test_ratio_to_nothing_is_none() -> None:
    assert measure([(0.0, 0.0), (0.0, 0.0)], ratio(0, 1), 2).value is None


def test_errors_stand_beside_their_values() -> None:
    assert flatten({"accuracy": Score(0.5, 0.1, 25)}) == {"accuracy": 0.5, "accuracy_stderr": 0.1}
