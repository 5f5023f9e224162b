"""From a source to the units to ask for; whatever cannot be asked is rejected here, before money is spent."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from instructgen.config import BuildConfig, SurrogateConfig
from instructgen.dataset.pictures import find_picture_fault
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.jobs.matching import Matcher, join_units
from instructgen.records import ImageRecord, Rejected, SourceIssue, Unit
from instructgen.sample_types import MATCHED_TYPES, NEIGHBOUR_TYPES
from instructgen.sources.base import Source
from instructgen.surrogate.render import make_surrogate


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """An image and its units: each type is either a unit to ask or a rejection. `record` None: unusable image.

    `picture` is what a row embeds, or None, and `other_pictures` those of its units' other images, by their ids.
    """

    image_id: str
    record: ImageRecord | None
    picture: bytes | None
    units: tuple[tuple[str, Unit | Rejected], ...]
    other_pictures: Mapping[str, bytes | None] = field(default_factory=dict)


def find_split(config: BuildConfig, image_id: str) -> str:
    """Return the split that an image's samples go to."""
    is_val = draw_fraction(config.seed, "split", image_id) < config.dataset.val_fraction
    return "val" if is_val else "train"


@dataclass(slots=True)
class Planner:
    """Reads the source once for each call of `images`, in the same order with the same result.

    For types that compare an image with its neighbour that is the usable one before it of the same split, so that no
    image is in two splits; the first of a split has none. For types of images that are alike `matcher` finds them.
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
    records_before: Callable[[], Iterator[ImageRecord | Rejected]] = lambda: iter(())
    """Images that come before those of a source which is a share, the nearest first."""
    matcher: Matcher | None = None
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
            if self._pairs:
                planned = self._pair(planned, before)
            yield planned if self.matcher is None else self._match(planned, self.matcher)

    @property
    def _pairs(self) -> bool:
        return any(name in NEIGHBOUR_TYPES for name in self.types)

    def _match(self, planned: PlannedImage, matcher: Matcher) -> PlannedImage:
        """Give the units of images that are alike theirs."""
        pictures = dict(planned.other_pictures)
        units = list(planned.units)
        for number, (name, unit) in enumerate(planned.units):
            if name not in MATCHED_TYPES or isinstance(unit, Rejected):
                continue
            found: dict[str, PlannedImage] = {}

            def look(record: ImageRecord, of: str = name, found: dict[str, PlannedImage] = found) -> Unit | None:
                found[record.image_id] = other = self._plan(record)
                one = dict(other.units)[of]
                return one if isinstance(one, Unit) else None

            others = matcher.match(unit, look)
            pictures |= {one.record.image_id: found[one.record.image_id].picture for one in others}
            units[number] = name, join_units(unit, others)
        return PlannedImage(planned.image_id, planned.record, planned.picture, tuple(units), pictures)

    def _pair(self, planned: PlannedImage, before: dict[str, PlannedImage]) -> PlannedImage:
        """Give the units that want one the image before, and note this one for the next."""
        if not _has_pair(planned):
            return planned
        split = self.split_of(planned.image_id)
        partner = before.get(split) or self._find_before(split)
        before[split] = planned
        if partner is None:
            return planned
        first = dict(partner.units)
        units = tuple((name, _join(first[name], unit)) for name, unit in planned.units)
        pictures = {partner.image_id: partner.picture}
        return PlannedImage(planned.image_id, planned.record, planned.picture, units, pictures)

    def _find_before(self, split: str) -> PlannedImage | None:
        """Return the usable image of the split that comes before all that are read here, if there is one."""
        for found in self.records_before():
            if isinstance(found, ImageRecord) and self.split_of(found.image_id) == split:
                planned = self._plan(found)
                if _has_pair(planned):
                    return planned
        return None

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


def _has_pair(planned: PlannedImage) -> bool:
    """Return whether the image has a unit of a type that compares two images."""
    return any(isinstance(unit, Unit) and name in NEIGHBOUR_TYPES for name, unit in planned.units)


def _join(first: Unit | Rejected, unit: Unit | Rejected) -> Unit | Rejected:
    """Return the unit as one of two images, where it is to be and the image before has a unit too."""
    if isinstance(first, Rejected) or isinstance(unit, Rejected) or unit.sample_type not in NEIGHBOUR_TYPES:
        return unit
    return join_units(unit, (first,))
