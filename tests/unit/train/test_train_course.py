"""The steps of a run over its epochs."""

from itertools import chain

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError
from instructgen.train.course import Course, count_learned_of
from instructgen.train.example import Example
from instructgen.train.recipe import Recipe, make_recipe
from instructgen.train.rows import measure


def make_examples(num_samples: int = 10) -> list[Example]:
    return [
        Example(f"s{number}", np.arange(1, 6 + number, dtype=np.int32), np.arange(5 + number) >= 3)
        for number in range(num_samples)
    ]


def make_course(**train: object) -> Recipe:
    table = {
        "model": {"vision": {"name": "v"}, "connector": {}, "language": {"name": "l"}},
        "train": train,
        "rows": {"batch": 3, "max_tokens": 32},
    }
    return make_recipe(table, "x")


@pytest.mark.parametrize(
    ("train", "num_steps"),
    [({"epochs": 1}, 4), ({"epochs": 3}, 12), ({"epochs": 0.5}, 2), ({"epochs": 0.6}, 3), ({"steps": 9}, 9)],
)
def test_steps_of_epochs(train: dict[str, object], num_steps: int) -> None:
    assert len(Course(measure(make_examples(), 4), make_course(**train))) == num_steps


def test_each_epoch_has_every_sample_once_and_another_order() -> None:
    course = Course(measure(make_examples(), 4), make_course(epochs=2))
    steps = [course[number].numbers for number in range(len(course))]
    assert sorted(chain.from_iterable(steps[:4])) == list(range(10))
    assert sorted(chain.from_iterable(steps[4:])) == list(range(10))
    assert steps[:4] != steps[4:]


def test_a_step_is_the_same_whatever_was_asked_before() -> None:
    table, recipe = measure(make_examples(), 4), make_course(epochs=3)
    forward = [Course(table, recipe)[number] for number in range(12)]
    one = Course(table, recipe)
    assert [one[number] for number in reversed(range(12))] == forward[::-1]


def test_no_sample_at_all_is_refused() -> None:
    with pytest.raises(InstructgenError, match="no sample is left"):
        Course(measure([], 4), make_course(epochs=1))


def test_learned_tokens_are_those_that_something_comes_before() -> None:
    examples = make_examples(2)
    first = Example("x", np.array([5, 6], np.int32), np.array([True, True]))
    assert count_learned_of([*examples, first]).tolist() == [2, 3, 1]
