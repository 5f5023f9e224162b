"""From a source to the units to ask for; whatever cannot be asked is rejected here, before money is spent."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from instructgen.config import SurrogateConfig
from instructgen.dataset.pictures import find_picture_fault
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue, Unit
from instructgen.sources.base import Source
from instructgen.surrogate.render import make_surrogate


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image and its units: each type is either a unit to ask or a rejection. `record` None: unusable image.

    `picture` is what a row embeds, or None.
    """

    image_id: str
    record: ImageRecord | None
    picture: bytes | None
    units: tuple[tuple[str, Unit | Rejected], ...]


@dataclass(slots=True)
class Planner:
    """Reads the source once for each call of `images`, in the same order with the same result."""

    source: Source
    surrogate: SurrogateConfig
    types: tuple[str, ...]
    max_image_pixels: int | None
    """None where pictures are not looked at: neither embedded nor shown to a teacher."""
    embeds: bool = True
    shows: bool = False
    num_images: int = 0
    issues: Counter[str] = field(default_factory=Counter)

    def images(self) -> Iterator[PlannedImage]:
        """Yield every image; `num_images` and `issues` count what has been read so far."""
        self.num_images = 0
        self.issues.clear()
        for found in self.source.records():
            if isinstance(found, SourceIssue):
                self.issues[found.reason] += 1
                continue
            self.num_images += 1
            yield self._reject(found) if isinstance(found, Rejected) else self._plan(found)

    def _plan(self, record: ImageRecord) -> PlannedImage:
        picture, sha256 = None, ""
        if self.max_image_pixels is not None:
            try:
                picture = self.source.image_bytes(record)
            except InstructgenError as error:
                return self._reject(Rejected(record.image_id, "source", "image_unreadable", str(error)))
            fault = find_picture_fault(picture, record, self.max_image_pixels)
            if fault is not None:
                return self._reject(Rejected(record.image_id, "source", fault.reason, fault.detail))
            if self.shows and picture is not None:
                sha256 = hashlib.sha256(picture).hexdigest()
        surrogates = {
            with_boxes: make_surrogate(record, self.surrogate, with_boxes=with_boxes)
            for with_boxes in {self.surrogate.shows_boxes(name) for name in self.types}
        }
        units: list[tuple[str, Unit | Rejected]] = []
        for name in self.types:
            surrogate = surrogates[self.surrogate.shows_boxes(name)]
            if isinstance(surrogate, Rejected):
                unit_id = f"{record.image_id}/{name}"
                units.append((name, Rejected(unit_id, surrogate.stage, surrogate.reason, surrogate.detail)))
            else:
                units.append((name, Unit(record, name, surrogate, sha256)))
        return PlannedImage(record.image_id, record, picture if self.embeds else None, tuple(units))

    def _reject(self, image: Rejected) -> PlannedImage:
        units = tuple(
            (name, Rejected(f"{image.record_id}/{name}", image.stage, image.reason, image.detail))
            for name in self.types
        )
        return PlannedImage(image.record_id, None, None, units)
