"""One look over a whole dataset by all filters that want one."""

from collections.abc import Mapping

from instructgen.filters.base import CorpusFilter
from instructgen.records import Fault, ImageRecord, Sample


class CorpusReview:
    """Shows every accepted sample to each filter, then lets them decide in their order.

    What one drops is not there for the next: nothing is a near duplicate of a sample that will not be published.
    """

    def __init__(self, filters: Mapping[str, CorpusFilter]) -> None:
        self._passes = [rule.start() for rule in filters.values()]

    def observe(self, sample: Sample, record: ImageRecord) -> None:
        for one in self._passes:
            one.observe(sample, record)

    def decide(self) -> dict[str, Fault]:
        """Return the sample ids that must not be published, each with the first fault found."""
        faults: dict[str, Fault] = {}
        for one in self._passes:
            faults |= one.decide(faults.keys())
        return faults
