"""COCO's captions and instances, read together: the annotation files of one split and, if there, its pictures."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue

_CAPTIONS, _INSTANCES = "captions_", "instances_"


class SplitFiles(Struct, frozen=True):
    """One split of a COCO folder; `images` is None where the pictures are not there."""

    split: str
    captions: Path
    instances: Path
    images: Path | None


def find_splits(root: Path) -> tuple[SplitFiles, ...]:
    """Return the splits that have captions and instances, by name.

    The annotation files lie in <root>/annotations/ or in root itself, the pictures in <root>/<split>/ or
    <root>/images/<split>/. Raises InstructgenError where no split has both files.
    """
    captions, instances = _annotation_files(root, _CAPTIONS), _annotation_files(root, _INSTANCES)
    splits = tuple(
        SplitFiles(split, captions[split], instances[split], _image_folder(root, split))
        for split in sorted(captions.keys() & instances.keys())
    )
    if not splits:
        raise InstructgenError(f"{root} has no COCO split: {_what_is_missing(captions, instances)}")
    return splits


def _annotation_folder(root: Path) -> Path:
    if not root.is_dir():
        raise InstructgenError(f"{root} is not a folder; give the folder that holds COCO's annotations/")
    folder = root / "annotations"
    return folder if folder.is_dir() else root


def _annotation_files(root: Path, prefix: str) -> dict[str, Path]:
    paths = sorted(_annotation_folder(root).glob(f"{prefix}*.json"))
    return {path.stem.removeprefix(prefix): path for path in paths}


def _image_folder(root: Path, split: str) -> Path | None:
    for folder in (root / split, root / "images" / split):
        if folder.is_dir():
            return folder
    return None


def _what_is_missing(captions: dict[str, Path], instances: dict[str, Path]) -> str:
    lone_captions = [f"{path.name} without instances_{split}.json" for split, path in captions.items()]
    lone_instances = [f"{path.name} without captions_{split}.json" for split, path in instances.items()]
    lone = lone_captions + lone_instances
    if lone:
        return f"there is {', '.join(lone)}; put both files of a split into annotations/"
    return "wants annotations/captions_<split>.json and annotations/instances_<split>.json"


def _choose_split(root: Path, split: str | None) -> SplitFiles:
    if split is not None:
        _check_both_files(root, split)
    splits = find_splits(root)
    names = ", ".join(found.split for found in splits)
    if split is None and len(splits) > 1:
        raise InstructgenError(f"{root} has several splits, choose one: {names}")
    for found in splits:
        if split in (None, found.split):
            return found
    raise InstructgenError(f"{root} has no split '{split}'; there are: {names}")


def _check_both_files(root: Path, split: str) -> None:
    """Refuse a split that is there by half, where others may be whole."""
    captions, instances = (
        {name: path for name, path in _annotation_files(root, prefix).items() if name == split}
        for prefix in (_CAPTIONS, _INSTANCES)
    )
    if len(captions) != len(instances):
        raise InstructgenError(f"{root}: split '{split}' is half there: {_what_is_missing(captions, instances)}")


class CocoSource:
    """A split of COCO; `limit` takes the images with the lowest ids. Pictures may be missing."""

    name = "coco"

    def __init__(
        self, root: Path, split: str | None = None, limit: int | None = None, image_id_prefix: str = "coco"
    ) -> None:
        """Raises InstructgenError where the split cannot be found or told."""
        self.files = _choose_split(root, split)
        self.limit = limit
        self.image_id_prefix = image_id_prefix
        self.title = f"COCO {self.files.split}"
        self.split: str | None = self.files.split
        self.num_images: int | None = None

    def records(self) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        """Yield issues of no known image first, then every image after its own issues, in the order of COCO ids.

        An image without captions or boxes comes too.
        """
        from instructgen.sources.coco_records import RecordReader

        with RecordReader(self.files.captions, self.files.instances, self.image_id_prefix) as reader:
            num_images = len(reader.images.ids)
            self.num_images = num_images if self.limit is None else min(self.limit, num_images)
            yield from reader.records(self.num_images)

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        """Return the picture file's bytes; raises InstructgenError where name or link leads out of the folder."""
        if self.files.images is None:
            return None
        folder = self.files.images.resolve()
        where = f"{record.image_id}: picture '{record.file_name}' in {folder}"
        try:
            path = (folder / record.file_name).resolve()
            if not path.is_relative_to(folder):
                raise InstructgenError(f"{where} leads out of that folder; put the picture itself there")
            return path.read_bytes() if path.is_file() else None
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise InstructgenError(f"{where} cannot be read: {error}") from error
