"""`instructgen review`: what a reviewer sits down to, and what all reviewers of a version say together."""

import getpass
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.dataset.manifest import Manifest, read_manifest
from instructgen.dataset.publish import find_version
from instructgen.errors import InstructgenError
from instructgen.review.agreement import (
    MINIGPT4_KEEP_RATE,
    compare_reviewers,
    count_by_reviewer,
    count_choices,
    pool_agreement,
    settle,
)
from instructgen.review.annotations import PictureFinder, Say, open_annotations, read_records
from instructgen.review.decisions import FOLDER, DecisionLog, Reviews, read_reviews
from instructgen.review.desk import Desk
from instructgen.review.order import order_places
from instructgen.review.rows import RowReader, read_places

_GIT_TIMEOUT_S = 5


class QueueOptions(Struct, frozen=True):
    """Which samples, and in which order; None is all of them."""

    sample_type: str | None = None
    num_samples: int | None = None
    seed: int = 0


class Evidence(Struct, frozen=True):
    """Where captions, boxes and pictures are that the dataset does not hold."""

    root: Path | None = None
    images: Path | None = None


class Reviewed(Struct, frozen=True):
    """A published version, and where the decisions on it lie."""

    version: Path
    manifest: Manifest
    out: Path

    @property
    def folder(self) -> Path:
        return self.out / FOLDER / self.manifest.version


def find_reviewed(dataset: Path) -> Reviewed:
    """Return the version to review. Raises InstructgenError where it does not lie in a dataset's folder."""
    version = find_version(dataset).resolve()
    manifest = read_manifest(version)
    if version.parent.name != "versions" or version.name != manifest.version:
        raise InstructgenError(
            f"{version} does not lie in a dataset's folder; put it at FOLDER/versions/{manifest.version}, "
            "so that the decisions and the new version have a place beside it"
        )
    return Reviewed(version, manifest, version.parent.parent)


def find_reviewer() -> str:
    """Return git's user name, or else the login name."""
    try:
        done = subprocess.run(
            ["git", "config", "user.name"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return _find_login()
    return done.stdout.strip() or _find_login()


def _find_login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise InstructgenError("this machine knows no user name; give --by NAME") from None


@contextmanager
def open_desk(
    reviewed: Reviewed, by: str, options: QueueOptions, evidence: Evidence | None, say: Say
) -> Iterator[Desk]:
    """Give the reviewer's desk; raises InstructgenError where there is nothing to review.

    `evidence` None is of a desk that only takes decisions: it shows neither pictures nor annotations.
    """
    places = read_places(reviewed.version, reviewed.manifest)
    found = [place for place in places if options.sample_type in (None, place.sample_type)]
    if not found:
        raise InstructgenError(f"version {reviewed.manifest.version} has no sample of type '{options.sample_type}'")
    queue = order_places(found, options.seed)[: options.num_samples]
    wanted = {place.image_id for place in queue}
    source = None if evidence is None else open_annotations(reviewed.manifest, wanted, evidence.root)
    records = {} if source is None else read_records(source, wanted, say)
    reader = RowReader(reviewed.version, reviewed.manifest)
    pictures = PictureFinder(None if evidence is None else evidence.images, source)
    with DecisionLog(reviewed.folder, by) as log:
        yield Desk(queue, log, reader, records, pictures.find)


def find_pictures(reviewed: Reviewed, evidence: Evidence) -> PictureFinder:
    """Return where pictures are that the rows of a version do not hold."""
    source = None if evidence.root is None else open_annotations(reviewed.manifest, (), evidence.root)
    return PictureFinder(evidence.images, source)


def make_report(reviewed: Reviewed) -> dict[str, Any]:
    """Return the keep rate and the agreement of a version's reviewers, for `--json` and for people."""
    reviews = read_reviews(reviewed.folder)
    places = read_places(reviewed.version, reviewed.manifest)
    type_of = {place.sample_id: place.sample_type for place in places}
    check_samples(reviews, type_of.keys(), reviewed)
    settled = settle(reviews)
    pairs = compare_reviewers(reviews)
    types = {shard.sample_type: 0 for shard in reviewed.manifest.shards}
    for shard in reviewed.manifest.shards:
        types[shard.sample_type] += shard.num_rows
    why: dict[str, int] = {}
    for one in settled.values():
        if one.choice == "reject":
            why[one.why or "no reason given"] = why.get(one.why or "no reason given", 0) + 1
    report: dict[str, Any] = {
        "version": reviewed.manifest.version,
        "rows": len(places),
        "all": count_choices(one.choice for one in settled.values()),
        "keep_rate_of_minigpt4": MINIGPT4_KEEP_RATE,
        "types": {
            name: {
                "rows": num_rows,
                **msgspec.to_builtins(
                    count_choices(one.choice for key, one in settled.items() if type_of[key] == name)
                ),
            }
            for name, num_rows in types.items()
        },
        "reviewers": count_by_reviewer(reviews),
        "agreement": pool_agreement(pairs),
        "pairs": pairs,
        "reasons": dict(sorted(why.items(), key=lambda found: (-found[1], found[0]))),
        "made_by_review": reviewed.manifest.review,
    }
    found: dict[str, Any] = msgspec.to_builtins(report)
    return found


def check_samples(reviews: Reviews, known: Any, reviewed: Reviewed) -> None:
    """Raise InstructgenError for decisions on samples that the version does not hold."""
    unknown = sorted({key for standing in reviews.values() for key in standing if key not in known})
    if unknown:
        raise InstructgenError(
            f"{reviewed.folder} has {len(unknown)} decisions on samples that version {reviewed.manifest.version} "
            f"does not hold, as {unknown[0]}; move the file that is of another version"
        )
