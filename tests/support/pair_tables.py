"""Writes tables of image-caption pairs for tests, and reads them back through the source."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructgen.config import SourceConfig
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.sources.pairs import PairsSource

Found = ImageRecord | Rejected | SourceIssue


def write_tsv(path: Path, num: int, host: str = "a") -> Path:
    """Write CC3M's form: "a dog called rex1", its address."""
    lines = [f"a dog called rex{k}\thttp://{host}.example/{k}.jpg\n" for k in range(1, num + 1)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def make_jpeg(size_px: tuple[int, int] = (32, 24)) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", size_px, (200, 30, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def make_shard(path: Path, num: int, first: int = 0) -> Path:
    """Write a shard as img2dataset does: picture, text and JSON for each key."""
    members: dict[str, bytes] = {}
    for k in range(first, first + num):
        key = f"{k:09d}"
        facts = {"key": key, "caption": f"a red square {k}", "url": f"http://a.example/{k}.jpg", "width": 999}
        members[f"{key}.jpg"] = make_jpeg((32 + k, 24))
        members[f"{key}.json"] = json.dumps(facts).encode()
        members[f"{key}.txt"] = f"a red square {k}".encode()
    return write_tar(path, members)


def read_pairs(root: Path | None, seed: int = 0, **settings: Any) -> list[Found]:
    config = SourceConfig("pairs", None if root is None else str(root), **settings)
    return list(PairsSource(config, seed).records())


def captions_of(found: list[Found]) -> list[str]:
    return [one.captions[0] for one in found if isinstance(one, ImageRecord)]


def reasons_of(found: list[Found]) -> list[str]:
    return [one.reason for one in found if not isinstance(one, ImageRecord)]
