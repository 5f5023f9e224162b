"""Makes a finished version visible: one atomic rename, immutable after.

A dataset's folder holds `versions/<version>/` (data/, README.md, manifest.json, rejected.jsonl, and refined.jsonl
where texts were refined), `tags/latest` with the version that the newest build made, a README.md that opens it, and
`run/` with the ledger.
"""

import os
import shutil
from pathlib import Path

from instructgen.dataset.card import make_card
from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, encode_manifest, read_manifest
from instructgen.errors import InstructgenError
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

LATEST = "latest"
REJECTED_NAME = "rejected.jsonl"
REFINED_NAME = "refined.jsonl"


def publish(staging: Path, manifest: Manifest, out: Path, *, is_latest: bool = True) -> Path:
    """Turn `staging` (data/ and rejected.jsonl, on the same disk) into a version of `out` and return its folder.

    The same version published before is left as it is. Killed at any moment, either the new version is whole
    or it is not there. A version without a row is kept for its rejected.jsonl, and never becomes the latest;
    neither does one that is not to (`is_latest`).
    """
    (staging / "README.md").write_text(make_card(manifest), encoding="utf-8")
    (staging / MANIFEST_NAME).write_bytes(encode_manifest(manifest))
    for path in sorted(staging.rglob("*")):
        sync(path)
    sync(staging)
    version = out / "versions" / manifest.version
    version.parent.mkdir(parents=True, exist_ok=True)
    if version.exists():
        shutil.rmtree(staging)
    else:
        staging.rename(version)
        sync(version.parent)
    published = read_manifest(version)
    if not published.shards or not is_latest:
        return version
    replace_text(out / "tags" / LATEST, manifest.version + "\n")
    replace_text(out / "README.md", make_card(published, prefix=f"versions/{manifest.version}/"))
    return version


def check_out(out: Path) -> None:
    """Raise InstructgenError where a build would write over what no build made: somebody's README.md, say."""
    if any((out / "run" / name).exists() for name in (LEDGER_NAME, JOURNAL_NAME)):
        return
    for name in ("README.md", "tags", "versions"):
        if (out / name).exists():
            raise InstructgenError(
                f"{out} is not a dataset's folder but holds a {name}; give a new folder, or one that a build made"
            )


def read_tag(out: Path, tag: str) -> str | None:
    """Return the version that a tag points to, or None where there is no such tag."""
    path = out / "tags" / tag
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def find_version(dataset: Path) -> Path:
    """Return the folder of a version: `dataset` itself, or what its tag `latest` points to.

    Raises InstructgenError where there is neither.
    """
    if (dataset / MANIFEST_NAME).is_file():
        return dataset
    version = read_tag(dataset, LATEST)
    if version is None:
        empty = sorted((dataset / "versions").glob("*"))
        if empty:
            raise InstructgenError(
                f"no version of {dataset} has a row; `instructgen show --rejected {empty[-1]}` shows why"
            )
        raise InstructgenError(
            f"{dataset} holds no dataset; give the --out of a build, or a folder below its versions/"
        )
    folder = dataset / "versions" / version
    if not (folder / MANIFEST_NAME).is_file():
        raise InstructgenError(f"{dataset}: the tag '{LATEST}' points to version {version}, which is not there")
    return folder


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old or the new text, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the file, or the folder's list of names, is on disk."""
    if path.is_dir():
        if os.name == "nt":
            return  # Windows cannot open a folder, and writes its names through
        flags = os.O_RDONLY
    else:
        flags = os.O_RDWR  # what Windows wants of a file that is to be synchronised
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
