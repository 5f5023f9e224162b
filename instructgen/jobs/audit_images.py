"""The annotations of the images that some data names, on disk, so that every process can look one up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.image_names import base_name, coco_number
from instructgen.records import ImageRecord
from instructgen.resources import shared_folder
from instructgen.sources.coco import CocoSource, find_splits

_RECORDS_NAME = "images.msgpack"
_INDEX_NAME = "index.msgpack"
_TELL_EVERY = 1000  # images
_SAMPLE = "sample"

# Is told what is being done, how much of it is done and, where it is known, of how much.
Tell = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class Wanted:
    """Images by what records call them: COCO ids, and file names that tell none or may belong to another id."""

    numbers: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def add(self, image: str | int) -> None:
        number = coco_number(image)
        if number is not None:
            self.numbers.add(number)
        if isinstance(image, str):
            self.names.add(base_name(image))


class ShelfIndex(Struct, frozen=True):
    """Where each image lies in the file; by name only those whose name does not tell the id."""

    places: dict[int, tuple[int, int]]
    """COCO id -> first byte, number of bytes."""
    numbers_by_name: dict[str, int]
    titles: tuple[str, ...]
    """What was read, for people."""

    def find(self, image: str | int) -> int | None:
        """Return the COCO id of an image that is here, or None. A file's own name comes before the id in it."""
        if isinstance(image, str) and (number := self.numbers_by_name.get(base_name(image))) is not None:
            return number
        number = coco_number(image)
        return number if number in self.places else None


def open_sources(root: Path | None, split: str | None) -> Iterator[CocoSource]:
    """Yield the sources to look in, the smallest first; without a root the bundled sample."""
    if root is None:
        yield CocoSource(shared_folder("data") / _SAMPLE, image_id_prefix=_SAMPLE)
    elif split is not None:
        yield CocoSource(root, split)
    else:
        for files in sorted(find_splits(root), key=lambda files: files.instances.stat().st_size):
            yield CocoSource(root, files.split)


def gather_images(sources: Iterator[CocoSource], wanted: Wanted, folder: Path, tell: Tell) -> ShelfIndex:
    """Write the wanted images of the sources into the folder; the first source that has one gives it.

    Sources are read until every COCO id is found. Raises InstructgenError for annotations that cannot be read.
    """
    places: dict[int, tuple[int, int]] = {}
    numbers_by_name: dict[str, int] = {}
    titles: list[str] = []
    offset = 0
    with (folder / _RECORDS_NAME).open("wb") as file:
        for source in sources:
            if titles and not wanted.numbers - places.keys():
                break
            titles.append(source.title)
            for number, record in _numbered(source, tell):
                name = base_name(record.file_name)
                is_named = name in wanted.names and coco_number(name) != number
                if number in places or not (is_named or number in wanted.numbers):
                    continue
                if is_named:
                    numbers_by_name.setdefault(name, number)
                text = msgspec.msgpack.encode(record)
                file.write(text)
                places[number] = offset, len(text)
                offset += len(text)
    index = ShelfIndex(places, numbers_by_name, tuple(titles))
    (folder / _INDEX_NAME).write_bytes(msgspec.msgpack.encode(index))
    return index


def _numbered(source: CocoSource, tell: Tell) -> Iterator[tuple[int, ImageRecord]]:
    num_images = 0
    for record in source.records():
        if isinstance(record, ImageRecord):
            num_images += 1
            if num_images % _TELL_EVERY == 0:
                tell("annotations", num_images, source.num_images)
            yield int(record.image_id.rpartition("/")[2]), record


class ImageShelf:
    """Looks images up in a folder that `gather_images` wrote."""

    def __init__(self, folder: Path) -> None:
        self.index = msgspec.msgpack.decode((folder / _INDEX_NAME).read_bytes(), type=ShelfIndex)
        self._file = (folder / _RECORDS_NAME).open("rb")
        self._decoder = msgspec.msgpack.Decoder(ImageRecord)

    def read(self, number: int) -> ImageRecord:
        start, num_bytes = self.index.places[number]
        self._file.seek(start)
        return self._decoder.decode(self._file.read(num_bytes))

    def close(self) -> None:
        self._file.close()
