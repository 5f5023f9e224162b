"""WebDataset: tar shards in which the files of one sample share a name and lie one behind the other.

    train-000000.tar   00000000-coco-000000000042-conv-0.json   {"sample_id", "messages", "image_at", "images", ...}
                       00000000-coco-000000000042-conv-0.jpg    the picture as it is stored; of several .0.jpg, .1.jpg

Where rows differ in the number or the formats of their pictures, each kind has a folder: jpg/, jpg-jpg/, text/. For
datasets' builder takes the files of the first sample for those of all, and drops what others have besides.

A key begins with the sample's number in the export, so that none comes twice, and has no dot and no slash. The suffix
of a picture is that of its bytes, which may not be that of its path.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import (
    Exported,
    ExportSettings,
    LeftOutError,
    ReadPicture,
    Tally,
    check_written,
    find_splits,
    new_folder,
    read_split,
)
from instructgen.dataset.exports.conversations import KEPT_FIELDS
from instructgen.dataset.exports.pictures import find_pictures, find_suffix, make_safe_path
from instructgen.dataset.places import find_places
from instructgen.dataset.stored import StoredVersion

_MAX_SHARD_BYTES = 1_000_000_000
_MAX_OPEN = 64  # tars at once
_MAX_KIND_CHARS = 64
_MAX_KEY_CHARS = 64  # a name in a tar's plain header has 100
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


def write_webdataset(
    version: StoredVersion,
    out: Path,
    read_picture: ReadPicture,
    _settings: ExportSettings,
    max_shard_bytes: int = _MAX_SHARD_BYTES,
) -> Exported:
    """Write every row whose pictures are there; a shard passes `max_shard_bytes` only where one sample does."""
    tally = Tally()
    with new_folder(out) as folder:
        with _Kinds(folder, max_shard_bytes) as kinds:
            for split in find_splits(version):
                for row in read_split(version, split):
                    with tally:
                        kinds.write(split, _make_files(row, tally.num_rows, read_picture))
        kinds.settle()
        return check_written(tally, out, version)


class _Kinds:
    """The tars of samples that have the same files, each kind in a folder of its own until `settle`."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._shards: dict[tuple[str, str], _Shards] = {}
        self._open: dict[tuple[str, str], _Shards] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for shards in self._open.values():
            shards.close()

    def write(self, split: str, files: Mapping[str, bytes]) -> None:
        kind = (_name_kind(files), split)
        shards = self._open.pop(kind, None) or self._start(kind)
        self._open[kind] = shards
        shards.write(files)

    def _start(self, kind: tuple[str, str]) -> "_Shards":
        if len(self._open) == _MAX_OPEN:
            self._open.pop(next(iter(self._open))).close()
        if kind not in self._shards:
            (self._folder / kind[0]).mkdir(exist_ok=True)
            self._shards[kind] = _Shards(self._folder / kind[0], kind[1], self._max_bytes)
        return self._shards[kind]

    def settle(self) -> None:
        """Move the tars of an only kind up; where there are several, tell Hugging Face of each."""
        kinds = sorted({kind for kind, _ in self._shards})
        if len(kinds) > 1:
            (self._folder / "README.md").write_text(_make_card(sorted(self._shards)), encoding="utf-8")
        for kind in kinds if len(kinds) == 1 else ():
            for path in sorted((self._folder / kind).iterdir()):
                path.rename(self._folder / path.name)
            (self._folder / kind).rmdir()


def _name_kind(files: Mapping[str, bytes]) -> str:
    """Return "jpg", or "jpg-png" of two pictures, or "text" of none; of many a digest that is as long as any."""
    suffixes = [name.rpartition(".")[2] for name in files]
    kind = "-".join(suffix for suffix in suffixes if suffix != "json") or "text"
    return kind if len(kind) <= _MAX_KIND_CHARS else f"pictures-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"


def _make_card(kinds: Sequence[tuple[str, str]]) -> str:
    lines = ["---", "configs:"]
    for number, (kind, split) in enumerate(kinds):
        if number == 0 or kinds[number - 1][0] != kind:
            lines += [f"- config_name: {kind}", "  data_files:"]
        lines += [f"  - split: {split}", f"    path: {kind}/{split}-*.tar"]
    return "\n".join([*lines, "---", ""])


class _Shards:
    """The tars of one kind and split; the same files give the same bytes on any machine and day."""

    def __init__(self, folder: Path, split: str, max_bytes: int) -> None:
        self._folder = folder
        self._split = split
        self._max_bytes = max_bytes
        self._number = 0
        self._num_bytes = 0
        self._tar: tarfile.TarFile | None = None

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()
            self._tar = None

    def write(self, files: Mapping[str, bytes]) -> None:
        num_bytes = sum(2 * tarfile.BLOCKSIZE + len(data) for data in files.values())  # header, data, rest of a block
        if self._tar is None or self._num_bytes + num_bytes > self._max_bytes:
            self._tar = self._start()
        self._num_bytes += num_bytes
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            self._tar.addfile(info, io.BytesIO(data))
        self._tar.getmembers().clear()  # it would remember every file

    def _start(self) -> tarfile.TarFile:
        self.close()
        path = self._folder / f"{self._split}-{self._number:06d}.tar"
        self._number += 1
        self._num_bytes = 0
        return tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)


def _make_files(row: Row, number: int, read_picture: ReadPicture) -> dict[str, bytes]:
    pictures = find_pictures(row, read_picture)
    key = _make_key(number, row["sample_id"])
    suffixes = [find_suffix(picture) for _, picture in pictures]
    if not all(suffixes):
        raise LeftOutError("image_format")
    if len(suffixes) > 1:
        suffixes = [f".{place}{suffix}" for place, suffix in enumerate(suffixes)]
    record = _make_record(row, [make_safe_path(path, "image") for path, _ in pictures])
    files = {f"{key}.json": msgspec.json.encode(record)}
    return files | {f"{key}{suffix}": data for suffix, (_, data) in zip(suffixes, pictures, strict=True)}


def _make_key(number: int, sample_id: str) -> str:
    return f"{number:08d}-{_UNSAFE.sub('-', sample_id).strip('-')[-_MAX_KEY_CHARS:].strip('-')}"


def _make_record(row: Row, paths: Sequence[str]) -> dict[str, Any]:
    """Return what the .json holds: always the same keys, with values of one kind, for readers that infer a schema."""
    return {
        "sample_id": row["sample_id"],
        **{name: row.get(name) or "" for name in KEPT_FIELDS},
        "messages": [{"role": turn["role"], "content": turn["content"]} for turn in row["messages"]],
        "images": paths,
        "image_at": find_places(row),
        "has_image_at": row.get("image_at") is not None,
    }
