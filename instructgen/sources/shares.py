"""One of several shares of a source's images, so that several builds can divide the work.

A share is a run of images that follow each other: share i of N has those from n i // N to before n (i + 1) // N of n.
So shares differ by one image at most, every reader finds its own alone, what lies next to each other stays together,
and the whole is one share after the other.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.scenes.render import Drawing
from instructgen.sources.base import Source
from instructgen.sources.scenes import ScenesSource, encode_jpeg

_Found = ImageRecord | Rejected | SourceIssue
_SHARE = re.compile(r"(\d{1,9})/(\d{1,9})")
_GROWTH = 16
_REMEMBERED = 1024  # images before the share, for types that pair an image with the one before it


class Share(Struct, frozen=True):
    """Share `index` of `num_shares`, counted from 0."""

    index: int
    num_shares: int

    def bounds(self, num_images: int) -> tuple[int, int]:
        """Return the first image of the share and the one behind its last, counted from 0."""
        return num_images * self.index // self.num_shares, num_images * (self.index + 1) // self.num_shares

    @property
    def is_last(self) -> bool:
        return self.index == self.num_shares - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.num_shares}"


def parse_share(text: str) -> Share:
    """Return the share that "3/8" names, the fourth of eight; InstructgenError for anything else."""
    found = _SHARE.fullmatch(text)
    if found is None or not 0 <= int(found[1]) < int(found[2]):
        raise InstructgenError(f"--shard {text}: wants i/N with i from 0 to N - 1, as 0/8, 1/8 ... 7/8")
    return Share(int(found[1]), int(found[2]))


class ShareOfSource:
    """A source of the images of one share; it counts as the whole source by name and title.

    An issue is read with the image that comes next, those behind the last image with the last share: over all shares
    each is read once.
    """

    def __init__(self, source: Source, share: Share) -> None:
        self._source = source
        self._share = share
        self._latest: tuple[str, Drawing] | None = None
        self._before: deque[ImageRecord | Rejected] = deque(maxlen=_REMEMBERED)
        self.name = source.name
        self.title = source.title
        self.split = source.split
        self.num_images: int | None = None
        self.num_all: int | None = None
        """Images of the whole source, once a record has been read."""
        self.neighbours: tuple[str, str] = ("", "")
        """Ids of the image before the share's first and of its last, "" for none; known once it is read."""

    def records(self) -> Iterator[_Found]:
        self._before.clear()
        self.neighbours = "", ""
        yield from self._draw() if isinstance(self._source, ScenesSource) else self._read()

    def records_before(self) -> Iterator[ImageRecord | Rejected]:
        """Yield the images before the share, the nearest first; to be asked once its first is read.

        Beyond those that are remembered the source is read again.
        """
        low, _ = self._share.bounds(self.num_all or 0)
        if isinstance(self._source, ScenesSource):
            for number in range(low, 0, -1):
                yield self._source.make_record(number, self._source.draw(number))
            return
        num_seen = len(self._before)
        yield from reversed(list(self._before))
        while num_seen < low:  # a split that few images are in
            images = (found for found in self._source.records() if not isinstance(found, SourceIssue))
            window = deque(islice(images, low - num_seen), maxlen=_GROWTH * _REMEMBERED)
            num_seen += len(window)
            yield from reversed(window)

    def all_records(self) -> Iterator[_Found]:
        """Yield what the whole source has, for what must not depend on the share."""
        return self._source.records()

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        if self._latest is not None and self._latest[0] == record.image_id:
            return encode_jpeg(self._latest[1])
        return self._source.image_bytes(record)

    def _note(self, num_all: int) -> tuple[int, int]:
        low, high = self._share.bounds(num_all)
        self.num_all, self.num_images = num_all, high - low
        self.title = self._source.title  # some know more of themselves once they are read
        return low, high

    def _read(self) -> Iterator[_Found]:
        place, low, high = 0, 0, 0
        for found in self._source.records():
            if self.num_all is None or place == 0:
                low, high = self._note(self._source.num_images or 0)
            is_own = low <= place < high
            if isinstance(found, SourceIssue):
                if is_own or (self._share.is_last and place >= high):
                    yield found
                continue
            image_id = found.record_id if isinstance(found, Rejected) else found.image_id
            if place < low:
                self._before.append(found)
                self.neighbours = image_id, ""
            elif is_own:
                self.neighbours = self.neighbours[0], image_id
                yield found
            place += 1
            if place >= high and not self._share.is_last:
                return
        if place == 0:
            self._note(0)

    def _draw(self) -> Iterator[ImageRecord]:
        """Draw the share's scenes and no others: each depends on its own number alone."""
        assert isinstance(self._source, ScenesSource)
        low, high = self._note(self._source.num_images or 0)
        if low:
            self.neighbours = f"{self.name}/{low:012d}", ""
        for number in range(low + 1, high + 1):
            image = self._source.draw(number)
            record = self._source.make_record(number, image)
            self._latest = record.image_id, image.drawing
            self.neighbours = self.neighbours[0], record.image_id
            yield record
