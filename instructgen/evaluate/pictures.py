"""The annotated pictures that questions are made of: drawn by seed, those whose picture is there."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

from instructgen.draws import draw_fraction
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.sources.base import Source

_KEPT_BYTES = 256 << 20


class Gallery:
    """All records of a source, and its pictures by image id; what was read last is kept, up to 256 MiB."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.records: list[ImageRecord] = []
        self._rejected: Counter[str] = Counter()
        self._num_missing: Counter[str] = Counter()
        for one in source.records():
            match one:
                case ImageRecord():
                    self.records.append(one)
                case Rejected(reason=reason):
                    self._rejected[reason] += 1
                case SourceIssue():
                    pass
        self._by_id = {record.image_id: record for record in self.records}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._num_kept_bytes = 0

    def read(self, image_id: str) -> bytes | None:
        """Return the encoded picture, or None where there is none."""
        kept = self._kept.get(image_id)
        if kept is not None:
            self._kept.move_to_end(image_id)
            return kept
        picture = self.source.image_bytes(self._by_id[image_id])
        if picture is not None:
            self._kept[image_id] = picture
            self._num_kept_bytes += len(picture)
            while self._num_kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._num_kept_bytes -= len(dropped)
        return picture

    def draw(
        self, stage: str, seed: int, limit: int | None, is_fit: Callable[[ImageRecord], bool]
    ) -> Sequence[ImageRecord]:
        """Return up to `limit` fit images with a picture, drawn by seed, in the order of the source.

        What is drawn for a smaller limit is among what is drawn for a larger one.
        """
        self._num_missing[stage] = 0
        ranked = sorted(self.records, key=lambda one: draw_fraction(seed, f"evaluate/{stage}", one.image_id))
        chosen: list[ImageRecord] = []
        for record in ranked:
            if limit is not None and len(chosen) >= limit:
                break
            if not is_fit(record):
                continue
            if self.read(record.image_id) is None:
                self._num_missing[stage] += 1
                continue
            chosen.append(record)
        return sorted(chosen, key=lambda one: one.image_id)

    def left_out(self, stage: str) -> dict[str, int]:
        """Return, by reason, images that the source rejects and those that a draw passed over without a picture."""
        counts = {**self._rejected, "image_missing": self._num_missing[stage]}
        return {reason: number for reason, number in sorted(counts.items()) if number}
