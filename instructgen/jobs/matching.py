"""Gives the units of several images theirs: alike in what they show, usable, and of the same split."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from instructgen.jobs.likeness import Likeness
from instructgen.records import ImageRecord, Rejected, SourceIssue, Surrogate, Unit
from instructgen.sample_types import SHOT_TYPES

_NUM_CANDIDATES = 12
Choose = Callable[[str, ImageRecord, Sequence[ImageRecord]], tuple[ImageRecord, ...]]
"""Of a sample type, the unit's image and others, the likest first, to those that are to come before the image."""


class Matcher:
    """Remembers the choice for each unit, so that a build's later passes need not make it again.

    `records` are all of the source, also where a build reads a share of it.
    """

    def __init__(
        self,
        records: Callable[[], Iterable[ImageRecord | Rejected | SourceIssue]],
        seed: int,
        split_of: Callable[[str], str],
        choose: Choose,
    ) -> None:
        self._records = records
        self._seed = seed
        self._split_of = split_of
        self._choose = choose
        self._likeness: Likeness | None = None
        self._chosen: dict[str, tuple[str, ...]] = {}

    def match(self, unit: Unit, look: Callable[[ImageRecord], Unit | None]) -> tuple[Unit, ...]:
        """Return the units, of the same type, of the images that come before; none where there are no such images.

        `look` returns the unit of an image, or None for one that cannot be used.
        """
        if self._likeness is None:
            self._likeness = Likeness(self._records(), self._seed, self._split_of)
        known = self._chosen.get(unit.unit_id)
        if known is not None:
            found = [look(one) for one in self._likeness.read(known)]
            return tuple(one for one in found if one is not None)
        candidates = self._likeness.find(unit.record.image_id, _NUM_CANDIDATES)
        while candidates:
            chosen = self._choose(unit.sample_type, unit.record, candidates)
            looked = [(one, look(one)) for one in chosen]
            unusable = [one for one, of_one in looked if of_one is None]
            if not unusable:
                self._chosen[unit.unit_id] = tuple(one.image_id for one in chosen)
                return tuple(of_one for _, of_one in looked if of_one is not None)
            candidates = [one for one in candidates if one not in unusable]
        return ()


def join_units(unit: Unit, others: Sequence[Unit]) -> Unit:
    """Return the unit as one of several images, written down one after the other."""
    if not others:
        return unit
    surrogates = [*(one.surrogate for one in others), unit.surrogate]
    if unit.sample_type in SHOT_TYPES:
        names = [f"Image {number}" for number in range(1, len(surrogates) + 1)]
        unit = replace(unit, shots=tuple(one.record for one in others))
    else:
        names = ["The first image", "The second image"]
        unit = replace(unit, partner=others[0].record)
    text = "\n\n".join(f"{name}:\n{one.text}" for name, one in zip(names, surrogates, strict=True))
    num_captions, num_boxes = sum(one.num_captions for one in surrogates), sum(one.num_boxes for one in surrogates)
    return replace(unit, surrogate=Surrogate(unit.surrogate.image_id, text, num_captions, num_boxes))
