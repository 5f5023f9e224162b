"""Makes a finished version visible: one atomic rename, immutable after.

A dataset's folder holds `versions/<version>/` (data/, README.md, manifest.json, SHA256SUMS, rejected.jsonl, and
refined.jsonl where texts were refined), `tags/` with the version that each of them points to, "latest" among them, a
README.md that opens the latest, and `run/` with the ledger.
"""

import re
from pathlib import Path

from instructgen.dataset.cards.presentation import present
from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, encode_manifest
from instructgen.dataset.stores.base import LATEST
from instructgen.dataset.stores.local import LocalStore
from instructgen.dataset.sums import SUMS_NAME, make_sums
from instructgen.errors import InstructgenError
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

REJECTED_NAME = "rejected.jsonl"
REFINED_NAME = "refined.jsonl"


def publish(staging: Path, manifest: Manifest, out: Path, *, is_latest: bool = True) -> Path:
    """Turn `staging` (data/ and rejected.jsonl, on the same disk) into a version of `out` and return its folder.

    The same version published before is left as it is. Killed at any moment, either the new version is whole
    or it is not there. A version without a row is kept for its rejected.jsonl, and never becomes the latest;
    neither does one that is not to (`is_latest`).
    """
    seal(staging, manifest)
    store = LocalStore(out)
    store.publish(staging, manifest, repairs=True)
    if manifest.shards and is_latest:
        store.move_tag(LATEST, manifest.version, store.list_tags().get(LATEST))
    return out / "versions" / manifest.version


def seal(staging: Path, manifest: Manifest) -> None:
    """Write what a version's folder holds besides its rows and rejections, the digests last."""
    digests = present(staging, manifest) | {shard.path: shard.sha256 for shard in manifest.shards}
    (staging / MANIFEST_NAME).write_bytes(encode_manifest(manifest))
    (staging / SUMS_NAME).write_bytes(make_sums(staging, digests))


def check_out(out: Path) -> None:
    """Raise InstructgenError where a build would write over what no build made, or to a store that is no folder."""
    if re.match(r"[a-z0-9+.-]+:/", out.as_posix()):
        raise InstructgenError(
            f"--out {out}: a build needs a folder of this machine; --send-to puts what it made into a store"
        )
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
