"""Several datasets in every step: their gradients are added up, each set's mean loss times its weight.

Flamingo's way (2204.14198, section 3.4), which taking turns was worse than by 8.7 points.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import overload

import numpy as np
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from instructgen.train.course import Course
from instructgen.train.example import Example
from instructgen.train.example_pictures import PictureStore
from instructgen.train.example_set import ExampleSet, Summary
from instructgen.train.recipe import Recipe, TrainConfig
from instructgen.train.rows import Row, SampleTable, Step, measure


@dataclass(frozen=True, slots=True)
class JoinedPictures:
    """The pictures of several sets; each key has its set's number first, for two sets may call two pictures alike."""

    keys: list[str]


class JoinedExamples(Sequence[Example]):
    """The examples of several sets, one set after another."""

    def __init__(self, sets: Sequence[ExampleSet]) -> None:
        self.sets = tuple(sets)
        self.starts: NDArray[np.int64] = np.cumsum([0, *map(len, sets)])[:-1]
        self.tokens_per_image = sets[0].tokens_per_image

    def __len__(self) -> int:
        return sum(map(len, self.sets))

    @overload
    def __getitem__(self, number: int) -> Example: ...

    @overload
    def __getitem__(self, number: slice) -> list[Example]: ...

    def __getitem__(self, number: int | slice) -> Example | list[Example]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        at = number + len(self) if number < 0 else number
        if not 0 <= at < len(self):
            raise IndexError(f"example {number} of {len(self)}")
        place = find_set(self.starts, at)
        example = self.sets[place][at - int(self.starts[place])]
        keys = tuple(f"{place}/{key}" for key in example.pictures)
        return Example(example.sample_id, example.ids, example.is_trained, keys, example.frames, example.sees_next)

    def __iter__(self) -> Iterator[Example]:
        return (self[at] for at in range(len(self)))

    @cached_property
    def sample_ids(self) -> list[str]:
        return list(chain.from_iterable(each.sample_ids for each in self.sets))

    @cached_property
    def pictures(self) -> JoinedPictures:
        keys = [f"{place}/{key}" for place, each in enumerate(self.sets) for key in each.pictures.keys]
        return JoinedPictures(keys)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sample, those of its images counted."""
        lengths: NDArray[np.int64] = np.concatenate([each.lengths for each in self.sets])
        return lengths

    @property
    def summary(self) -> Summary:
        """Return the sums over all sets."""
        whole = self.sets[0].summary
        for each in self.sets[1:]:
            whole = _add(whole, each.summary)
        return whole

    def far_shards(self, numbers: Iterable[int]) -> Iterator[tuple[PictureStore, int]]:
        """Yield the shards of an object store with the pictures of these samples, some of them again."""
        for number in numbers:
            place = find_set(self.starts, number)
            yield from self.sets[place].far_shards([number - int(self.starts[place])])

    def picture_bytes(self, key: str) -> bytes:
        place, _, own = key.partition("/")
        return self.sets[int(place)].picture_bytes(own)


Examples = ExampleSet | JoinedExamples


def list_sets(examples: Examples) -> tuple[ExampleSet, ...]:
    return (examples,) if isinstance(examples, ExampleSet) else examples.sets


class MixedCourse:
    """`course[k]` holds the k-th step of every set, each of which goes through its own epochs.

    The run is as long as the first set says; a row holds samples of one set alone.
    """

    def __init__(self, courses: Sequence[Course], starts: Sequence[int]) -> None:
        self._courses = tuple(courses)
        self._starts = tuple(starts)
        self.steps_per_epoch = courses[0].steps_per_epoch
        self.num_steps = courses[0].num_steps

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> Step:
        steps = [course[step] for course in self._courses]
        ranks = range(len(steps[0].rows))
        return Step(
            rows=tuple(
                tuple(
                    _move(row, start)
                    for each, start in zip(steps, self._starts, strict=True)
                    for row in each.rows[rank]
                )
                for rank in ranks
            ),
            row_tokens=tuple(tuple(chain.from_iterable(each.row_tokens[rank] for each in steps)) for rank in ranks),
            num_samples=sum(each.num_samples for each in steps),
            epoch=steps[0].epoch,
        )


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Where each set's samples begin, and what its mean loss weighs in a step's."""

    starts: NDArray[np.int64]
    weights: tuple[float, ...]

    def factors(self, numbers: Sequence[int], count_learned: Callable[[list[int]], int]) -> list[float]:
        """Return what each set's summed loss is multiplied with, so that all of them over all learned tokens are the
        weighted sum of the sets' means."""
        members: list[list[int]] = [[] for _ in self.weights]
        for number in numbers:
            members[find_set(self.starts, number)].append(number)
        learned = [count_learned(each) for each in members]
        whole = max(1, sum(learned))
        return [weight * whole / max(1, own) for weight, own in zip(self.weights, learned, strict=True)]


def make_course(examples: Examples, recipe: Recipe, num_ranks: int = 1) -> Course | MixedCourse:
    """Return a run's steps; in a mixture a set has a recipe of its own only in its batch."""
    if isinstance(examples, ExampleSet):
        return Course(_measure(examples, recipe), recipe, num_ranks)
    batches = [recipe.rows.batch, *(each.batch for each in recipe.mixture)]
    courses = [
        Course(
            _measure(each, recipe),
            replace(recipe, rows=replace(recipe.rows, batch=batch), train=_own_seed(recipe, place)),
            num_ranks,
        )
        for place, (each, batch) in enumerate(zip(examples.sets, batches, strict=True))
    ]
    return MixedCourse(courses, examples.starts.tolist())


def _measure(examples: ExampleSet, recipe: Recipe) -> SampleTable:
    return measure(examples, examples.tokens_per_image, examples.shards if recipe.rows.mixed_shards else None)


def make_weights(examples: Examples, recipe: Recipe) -> SetWeights | None:
    """Return the weights of a mixture; None where there is one dataset."""
    if isinstance(examples, ExampleSet):
        return None
    return SetWeights(examples.starts, (1.0, *(each.weight for each in recipe.mixture)))


def find_set(starts: NDArray[np.int64], number: int) -> int:
    return int(np.searchsorted(starts, number, side="right")) - 1


def _own_seed(recipe: Recipe, place: int) -> TrainConfig:
    return replace(recipe.train, seed=recipe.train.seed + place)


def _move(row: Row, start: int) -> Row:
    return tuple(tuple(number + start for number in group) for group in row)


def _add(one: Summary, other: Summary) -> Summary:
    """Add two summaries up; pictures of two sets count twice where they are the same."""
    mine, theirs = asdict(one), asdict(other)
    skipped = {
        word: one.skipped.get(word, 0) + other.skipped.get(word, 0) for word in {**one.skipped, **other.skipped}
    }
    skipped_ids = {word: [*one.skipped_ids.get(word, []), *other.skipped_ids.get(word, [])] for word in skipped}
    numbers = {name: value + theirs[name] for name, value in mine.items() if isinstance(value, int)}
    return Summary(
        **{**numbers, "longest": max(one.longest, other.longest)},
        skipped=dict(sorted(skipped.items())),
        skipped_ids=dict(sorted(skipped_ids.items())),
    )
