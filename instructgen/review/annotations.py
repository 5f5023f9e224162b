"""Finds what the rows of a version were made from: captions, boxes and pictures that it does not hold itself."""

from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from instructgen.config import SourceConfig
from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Manifest
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.sources import SOURCES, open_source
from instructgen.sources.base import Source

_BUNDLED_IMAGES = "sample/"
_RENDERED = ("scenes", "simple-scenes")

Say = Callable[[str], None]


class PictureFinder(Struct, frozen=True):
    """Finds pictures: in the row, in a folder, or beside the annotations."""

    images: Path | None
    source: Any
    """A Source, or None."""

    def find(self, row: Row, number: int = -1) -> bytes | None:
        """Return the picture of this number in the row; None where there is none, or it is nowhere."""
        if not -1 <= number < len(row["images"]) or not row["images"]:
            return None
        picture: dict[str, Any] = row["images"][number]
        return picture["bytes"] or self.read(row["image_id"], picture["path"] or "")

    def read(self, image_id: str, file_name: str) -> bytes | None:
        """Return a picture that no row holds. A name that leads out of the folder, or is none, finds nothing."""
        if not file_name:
            return None
        if self.images is not None:
            with suppress(OSError, ValueError):  # of a name that no file can have, or of a file that may not be read
                folder = self.images.resolve()
                path = (folder / file_name).resolve()
                if path.is_relative_to(folder) and path.is_file():
                    return path.read_bytes()
        if self.source is None:
            return None
        with suppress(InstructgenError, OSError, ValueError):
            beside: bytes | None = self.source.image_bytes(ImageRecord(image_id, file_name, 0, 0, (), ()))
            return beside
        return None


def open_annotations(
    manifest: Manifest, image_ids: Collection[str], root: Path | None, split: str | None = None
) -> Source | None:
    """Open what the rows were made from, where it is given or ships with instructgen; else return None.

    `image_ids` are those that are looked for; a root without a word of its split is opened at the manifest's.
    """
    made_from = manifest.config.get("source", {})
    name, split = manifest.source.name, split or made_from.get("split")
    if root is not None:
        known = name if name in SOURCES else "coco"  # what was imported names its own form
        return open_source(SourceConfig(name=known, root=str(root), split=split), 0)
    if name in _RENDERED:
        return open_source(SourceConfig(name=name, limit=made_from.get("limit")), manifest.config.get("seed", 0))
    if image_ids and all(image_id.startswith(_BUNDLED_IMAGES) for image_id in image_ids):
        return open_source(SourceConfig(name="coco"), 0)
    return None


def read_records(source: Source, wanted: Collection[str], say: Say) -> dict[str, ImageRecord]:
    """Return the records of the images of these ids; what is missing is said."""
    records: dict[str, ImageRecord] = {}
    for record in source.records():
        if isinstance(record, ImageRecord) and record.image_id in wanted:
            records[record.image_id] = record
            if len(records) == len(wanted):
                break
    if len(records) < len(wanted):
        say(f"{len(wanted) - len(records)} of the {len(wanted)} images are not in {source.title}")
    return records
