"""What every filter offers."""

from collections.abc import Set
from typing import Protocol

from instructgen.records import Fault, ImageRecord, Sample, Verdict


class Filter(Protocol):
    """A frozen struct whose fields are its options. `check` does no I/O and holds no state.

    A class variable `is_default = False` keeps a filter out of a build that does not name it; `adds = True` says that
    it puts in what was not there, and so comes once, after all that cut.
    """

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        """Return the score, and the fault where the sample must not be published."""
        ...


class CorpusPass(Protocol):
    """One look over all samples of a dataset; what is kept of a sample is small."""

    def observe(self, sample: Sample, record: ImageRecord) -> None:
        """Take an accepted sample; they come in the source's order, which the result may depend on."""
        ...

    def decide(self, dropped: Set[str] = frozenset()) -> dict[str, Fault]:
        """Return the sample ids that must not be published; called once, after the last sample.

        Those of `dropped` were turned away by an earlier filter: they count for nothing here.
        """
        ...


class CorpusFilter(Protocol):
    """A filter that must see the whole dataset: a frozen struct whose fields are its options.

    `is_default` is as for `Filter`.
    """

    def start(self) -> CorpusPass:
        """Return a fresh look over a dataset.

        Raises InstructgenError for an option that cannot work, as a file that is not there.
        """
        ...
