"""The pass of a build in which the whole dataset is looked at, before any of it is written."""

from collections.abc import Callable, Iterator

from instructgen.filters.corpus import CorpusReview
from instructgen.jobs.course import Answer, Ended
from instructgen.jobs.outcomes import Outcome
from instructgen.jobs.parts import BuildParts
from instructgen.records import Fault, Rejected, Sample


def compare_all(
    parts: BuildParts, find: Callable[[str], Answer | None]
) -> Iterator[tuple[list[Outcome], dict[str, Fault]]]:
    """Yield, image by image, what its units come to by themselves, and what is to be dropped because of others.

    Nothing is until the last image is seen; the last value maps the ids of the samples to the reason. `find` looks an
    answer up.
    """
    review = CorpusReview(parts.corpus_filters)
    for image in parts.planner.images():
        outcomes: list[Outcome] = []
        for _, unit in image.units:
            if isinstance(unit, Rejected):
                outcomes.append(unit)
            else:
                ended = parts.course.walk(unit, find)
                assert isinstance(ended, Ended), f"{unit.unit_id} was neither answered nor failed"
                outcomes.append(ended.outcome)
                if isinstance(ended.outcome, Sample):
                    review.observe(ended.outcome, unit.record)
        yield outcomes, {}
    yield [], review.decide()
