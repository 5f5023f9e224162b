"""What every filter offers."""

from typing import Protocol

from instructgen.records import ImageRecord, Sample, Verdict


class Filter(Protocol):
    """A frozen struct whose fields are its options. `check` does no I/O and holds no state."""

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        """Return the score, and the fault where the sample must not be published."""
        ...
