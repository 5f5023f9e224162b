"""What every source of annotated images offers."""

from collections.abc import Iterator
from typing import Protocol

from instructgen.records import ImageRecord, Rejected, SourceIssue


class Source(Protocol):
    """Annotated images in a fixed order. Reading twice yields the same records."""

    name: str
    """The key in `instructgen.sources.SOURCES`, and the first part of every image id."""

    title: str
    """One line for people: what is read. It goes into manifests and cards, so it names no folder."""

    split: str | None
    """The name of the part that is read, or None where a source has no parts."""

    num_images: int | None
    """How many images `records` yields, rejected ones included; None until it has yielded the first."""

    def records(self) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        """Yield every image once, as a record or rejected, in the order of its id; issues lie between.

        A `Rejected` stands for a whole image (its `record_id` is the image id); a `SourceIssue` for one
        annotation. Raises InstructgenError for files that cannot be used at all.
        """
        ...

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        """Return the encoded picture as it is stored, or None where the source has no picture."""
        ...
