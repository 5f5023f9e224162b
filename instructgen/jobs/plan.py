"""From a source to the units to ask for; whatever cannot be asked is rejected here, before money is spent."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from instructgen.config import BuildConfig, SurrogateConfig
from instructgen.dataset.pictures import find_picture_fault
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue, Surrogate, Unit
from instructgen.sample_types import PAIRED_TYPES
from instructgen.sources.base import Source
from instructgen.surrogate.render import make_surrogate


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image and its units: each type is either a unit to ask or a rejection. `record` None: unusable image.

    `picture` is what a row embeds, or None, and `partner_picture` that of the units' partner.
    """

    image_id: str
    record: ImageRecord | None
    picture: bytes | None
    units: tuple[tuple[str, Unit | Rejected], ...]
    partner_picture: bytes | None = None


def find_split(config: BuildConfig, image_id: str) -> str:
    """Return the split that an image's samples go to."""
    is_val = draw_fraction(config.seed, "split", image_id) < config.dataset.val_fraction
    return "val" if is_val else "train"


@dataclass(slots=True)
class Planner:
    """Reads the source once for each call of `images`, in the same order with the same result.

    For types that compare two images the partner of an image is the usable one before it of the same split, so that
    no image is in two splits; the first of a split has none.
    """

    source: Source
    surrogate: SurrogateConfig
    types: tuple[str, ...]
    max_image_pixels: int | None
    """None where pictures are not looked at: neither embedded nor shown to a teacher."""
    embeds: bool = True
    shows: bool = False
    split_of: Callable[[str], str] = lambda _: ""
    """Of an image id; only asked where images are paired."""
    num_images: int = 0
    issues: Counter[str] = field(default_factory=Counter)

    def images(self) -> Iterator[PlannedImage]:
        """Yield every image; `num_images` and `issues` count what has been read so far."""
        self.num_images = 0
        self.issues.clear()
        before: dict[str, PlannedImage] = {}  # of each split, the last usable image
        for found in self.source.records():
            if isinstance(found, SourceIssue):
                self.issues[found.reason] += 1
                continue
            self.num_images += 1
            planned = self._reject(found) if isinstance(found, Rejected) else self._plan(found)
            yield self._pair(planned, before) if self._pairs else planned

    @property
    def _pairs(self) -> bool:
        return any(name in PAIRED_TYPES for name in self.types)

    def _pair(self, planned: PlannedImage, before: dict[str, PlannedImage]) -> PlannedImage:
        """Give the units that want one the image before, and note this one for the next."""
        if not any(isinstance(unit, Unit) and name in PAIRED_TYPES for name, unit in planned.units):
            return planned
        split = self.split_of(planned.image_id)
        partner = before.get(split)
        before[split] = planned
        if partner is None:
            return planned
        first = dict(partner.units)
        units = tuple((name, _join(first[name], unit)) for name, unit in planned.units)
        return PlannedImage(planned.image_id, planned.record, planned.picture, units, partner.picture)

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


def _join(first: Unit | Rejected, unit: Unit | Rejected) -> Unit | Rejected:
    """Return the unit as one of two images, where it is to be and the image before has a unit too."""
    if isinstance(first, Rejected) or isinstance(unit, Rejected) or unit.sample_type not in PAIRED_TYPES:
        return unit
    one, two = first.surrogate, unit.surrogate
    text = f"The first image:\n{one.text}\n\nThe second image:\n{two.text}"
    surrogate = Surrogate(two.image_id, text, one.num_captions + two.num_captions, one.num_boxes + two.num_boxes)
    return replace(unit, partner=first.record, surrogate=surrogate)
