"""What every import offers: samples of another project's files, read one at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from instructgen.records import Message, Rejected


class ImportedImage(Struct, frozen=True):
    """A picture of a sample. `path` is relative to the folder of pictures; `data` None where only it is known."""

    path: str
    data: bytes | None = None


class Imported(Struct, frozen=True):
    """One sample as it was found.

    `turns` hold no placeholder for a picture. `image_at` says before which turn each picture stands, where they do
    not all stand before the first (interleaved documents). `fields` are what else a row of ours knows and the form
    kept: "source", "teacher", "model"; nothing else is taken over.
    """

    sample_id: str
    image_id: str
    sample_type: str
    turns: tuple[Message, ...]
    images: tuple[ImportedImage, ...]
    image_at: tuple[int, ...] | None = None
    fields: dict[str, str] = {}


class ImportSettings(Struct, frozen=True):
    """`images` is the folder that paths are relative to, None where the form brings its pictures or none is needed.

    `max_pixels` bounds width x height of a picture, `max_bytes` what one record may take.
    """

    images: Path | None = None
    max_pixels: int = 100_000_000
    max_bytes: int = 64 << 20


# Given the file or folder, yields every record as a sample or as rejected (stage "source", a fixed reason word).
Import = Callable[[Path, ImportSettings], Iterator[Imported | Rejected]]
