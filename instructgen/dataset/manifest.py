"""What a version of a dataset is: what went in, what came out, and the digest of every file."""

import hashlib
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import instructgen
from instructgen.dataset.shards import Shard
from instructgen.dataset.sums import is_inside
from instructgen.errors import InstructgenError

FORMAT = 2
MANIFEST_NAME = "manifest.json"
_VERSION_CHARS = 12
# Parts of the names of files and folders: of versions, of shards, and of what is exported.
_SPLIT = re.compile(r"\w+")
_VERSION = re.compile(rf"[0-9a-f]{{{_VERSION_CHARS}}}")
_DIGEST = re.compile(r"[0-9a-f]*")
_TYPE = re.compile(r"(?!\.)[\w.-]{1,64}")


class Counts(Struct, frozen=True):
    """Units by sample type; accepted + rejected + failed = planned for each."""

    planned: dict[str, int]
    accepted: dict[str, int]
    rejected: dict[str, int]
    failed: dict[str, int]
    reasons: dict[str, dict[str, int]]
    """Of rejected and failed units: type -> reason -> count."""


class SourceFacts(Struct, frozen=True):
    name: str
    title: str
    num_images: int
    issues: dict[str, int]
    """Annotations set aside or mended: reason -> count."""


class TeacherFacts(Struct, frozen=True):
    name: str
    model: str
    decoding: dict[str, Any]
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None where some reply has no known price."""


class ReviewAgreement(Struct, frozen=True):
    """Two reviewers on the samples that both decided.

    `share` and `kappa` are over accept, edit and reject, `keep_*` over kept and rejected. Kappa is None where
    chance alone would make them agree always: both said one and the same thing throughout.
    """

    reviewers: tuple[str, str]
    num_samples: int
    share: float
    kappa: float | None
    keep_share: float
    keep_kappa: float | None


class ReviewFacts(Struct, frozen=True):
    """How people's decisions on the version `of` made this one."""

    of: str
    reviewers: dict[str, int]
    """Name -> samples that they decided."""
    first_at: str
    last_at: str
    reviewed: int
    accepted: int
    edited: int
    rejected: int
    keep_rate: float | None
    """Accepted and edited share of the reviewed samples."""
    left_out: int
    """Rows that nobody reviewed, and that a strict version leaves out."""
    is_strict: bool
    agreement: tuple[ReviewAgreement, ...]
    decisions_sha256: str


class RefinementFacts(Struct, frozen=True):
    """What was done to the teacher's texts; refined.jsonl has each of them before and after."""

    teacher: str
    model: str
    """Of whoever rewrote and repaired."""
    decoding: dict[str, Any]
    steps: dict[str, dict[str, int]]
    """Step -> "changed", "unchanged" and what became of them: "accepted", or the reason words."""
    rules: dict[str, int]
    refined_sha256: str
    """Digest of refined.jsonl."""


class Parent(Struct, frozen=True, omit_defaults=True):
    """A version whose rows are in this one. `sha256` is of its manifest.json; `taken` its rows that are here."""

    version: str
    title: str
    sha256: str
    taken: int


class Lineage(Struct, frozen=True):
    """How a version was made of others, or of files that no build of ours wrote.

    `operation` is "merge", "split", "sample", "mix" or "import"; `settings` are all that its rows follow from, with
    the digests of the files that were read.
    """

    operation: str
    settings: dict[str, Any]
    parents: tuple[Parent, ...] = ()


class Manifest(Struct, frozen=True, omit_defaults=True):
    """A version. Its name digests what shaped the rows and what they say: neither `parent`, `created_at`, `metrics`,
    `shards`, `rows_per_shard`, the digests of the parents' manifests nor the versions of the code.
    """

    format: int
    version: str
    parent: str | None
    created_at: str
    code: dict[str, str]
    config: dict[str, Any]
    prompts: dict[str, str]
    source: SourceFacts
    teacher: TeacherFacts
    counts: Counts
    splits: dict[str, int]
    embeds_images: bool
    unpublished_sha256: str
    """Digest of the unit, stage and reason of everything in rejected.jsonl."""
    shards: tuple[Shard, ...]
    review: ReviewFacts | None = None
    refinement: RefinementFacts | None = None
    contents: dict[str, str] = {}
    """"<split>/<type>" -> digest of its rows, in their order, however they are cut into shards. Since format 2."""
    rows_per_shard: int = 2_000
    """How the next version is to cut its shards; not in the name."""
    lineage: Lineage | None = None
    """None for what a build or a review made."""
    metrics: dict[str, Any] | None = None
    """Measures of what was published, in all and by type; they follow from the rows and are not in the name."""


def make_version(manifest: Manifest) -> str:
    """Return the version's name: the same content, settings and outcomes give the same name anywhere.

    Rows count by what they say, not by their bytes or by the shard that they lie in, so that neither another Parquet
    writer nor other versions in the same store make a new version.
    """
    content: dict[str, Any] = {
        "format": manifest.format,
        "config": manifest.config,
        "prompts": manifest.prompts,
        "source": [manifest.source.name, manifest.source.num_images, manifest.source.issues],
        "teacher": msgspec.to_builtins(manifest.teacher),
        "counts": msgspec.to_builtins(manifest.counts),
        "embeds_images": manifest.embeds_images,
        "unpublished": manifest.unpublished_sha256,
        **_name_rows(manifest),
    }
    if manifest.review is not None:
        content["review"] = msgspec.to_builtins(manifest.review)
    if manifest.refinement is not None:
        content["refinement"] = msgspec.to_builtins(manifest.refinement)
    if manifest.lineage is not None:
        content["lineage"] = msgspec.to_builtins(name_lineage(manifest.lineage))
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:_VERSION_CHARS]


def name_lineage(lineage: Lineage) -> Lineage:
    """Return what of the lineage is in a version's name: parents by their names, for these say what their rows are.

    The digest of a parent's manifest is of the day it was made, too, and its title no more than a title.
    """
    parents = tuple(replace(parent, title="", sha256="") for parent in lineage.parents)
    return replace(lineage, parents=parents)


def _name_rows(manifest: Manifest) -> dict[str, Any]:
    if manifest.format == 1:
        return {"shards": [[shard.path, shard.num_rows, shard.content_sha256] for shard in manifest.shards]}
    return {"contents": manifest.contents}


def count_splits(shards: Sequence[Shard]) -> dict[str, int]:
    """Return the rows of each split, in the order of the shards."""
    splits: dict[str, int] = {}
    for shard in shards:
        splits[shard.split] = splits.get(shard.split, 0) + shard.num_rows
    return splits


def make_counts(
    accepted: Mapping[str, int], reasons: Mapping[str, Mapping[str, int]], types: Iterable[str]
) -> Counts:
    """Return the counts of what was offered and could not fail: of each type, accepted or rejected for a reason."""
    names = sorted(types)
    rejected = {name: sum(reasons.get(name, {}).values()) for name in names}
    return Counts(
        planned={name: accepted.get(name, 0) + rejected[name] for name in names},
        accepted={name: accepted.get(name, 0) for name in names},
        rejected=rejected,
        failed=dict.fromkeys(names, 0),
        reasons={name: dict(sorted(reasons[name].items())) for name in names if name in reasons},
    )


def code_versions() -> dict[str, str]:
    """Return the versions of what writes the files."""
    import pyarrow as pa

    return {
        "instructgen": instructgen.__version__,
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
    }


def encode_manifest(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read_manifest(version_folder: Path) -> Manifest:
    """Return the manifest of a published version.

    Raises InstructgenError where the folder holds none, or one of another format.
    """
    path = version_folder / MANIFEST_NAME
    try:
        return decode_manifest(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InstructgenError(f"{version_folder} is not a dataset: it has no {MANIFEST_NAME}") from None
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error}") from None


def decode_manifest(content: bytes, place: str) -> Manifest:
    """Return the manifest in a file's content; InstructgenError, which names `place`, for anything else.

    Nor is it one where a name could lead a reader or a writer out of a folder.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{place} is not a manifest that this instructgen can read: {error}") from None
    wrong = next(filter(None, map(_find_wrong, manifest.shards)), None)
    if not _VERSION.fullmatch(manifest.version):
        wrong = f"the version {manifest.version!r}"
    if wrong is not None:
        raise InstructgenError(f"{place} is not a manifest that this instructgen can read: it has {wrong}")
    return manifest


def _find_wrong(shard: Shard) -> str | None:
    """Return what names the shard as none of ours is."""
    if not (shard.path.startswith("data/") and is_inside(shard.path)):
        return f"the path {shard.path!r}, which is not inside of data/"
    if not _SPLIT.fullmatch(shard.split):
        return f"the split {shard.split!r}: letters, digits and _ only"
    if not _TYPE.fullmatch(shard.sample_type):
        return f"the sample type {shard.sample_type!r}: up to 64 letters, digits, '.', '_' and '-', '.' not first"
    if not _DIGEST.fullmatch(shard.sha256):
        return f"the digest {shard.sha256!r}"
    return None
