"""`instructgen view`: opens versions, their indexes, annotations and pictures, and puts the pages together."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import LocalVersion, StoredVersion, read_rows
from instructgen.dataset.versions import open_version
from instructgen.errors import InstructgenError
from instructgen.jobs.review import Evidence, QueueOptions, find_reviewed, find_reviewer, open_desk
from instructgen.jobs.view_sent import SentFinder
from instructgen.records import ImageRecord
from instructgen.review.annotations import PictureFinder, open_annotations
from instructgen.sources.base import Source
from instructgen.viewer.app import About, Pages, make_app
from instructgen.viewer.collection import Collection, open_collection
from instructgen.viewer.evidence import find_evidence_file
from instructgen.viewer.guard import Guard, make_token
from instructgen.viewer.index import cache_folder, find_index, require_packages
from instructgen.viewer.reviewing import Reviewing
from instructgen.viewer.rows import VersionRows

# Drawing a scene again takes 5 ms: a thousand are five seconds, once.
_MAX_SCENES = 1_000
Say = Callable[[str], None]


class ViewOptions(Struct, frozen=True):
    """`other` is the version that `dataset` is shown against: the newer of the two."""

    dataset: str
    other: str | None = None
    evidence: Evidence = Evidence()
    is_review: bool = False
    by: str | None = None


class View(Struct, frozen=True):
    """What is served. `first_path` is where a browser begins."""

    app: Guard
    token: str
    first_path: str
    collection: Collection


@contextmanager
def open_view(options: ViewOptions, say: Say) -> Iterator[View]:
    """Give what is to be served. Raises InstructgenError for what cannot be shown, or where a package is missing."""
    require_packages()
    if options.is_review and options.other is not None:
        raise InstructgenError("--review goes with one dataset; give the version to decide on alone")
    versions = [open_version(ref) for ref in (options.dataset, options.other) if ref is not None]
    for version in versions:
        if not version.manifest.shards and len(versions) > 1:
            raise InstructgenError(f"{version.place} has no row, and nothing can be shown beside it")
    with ExitStack() as stack:
        collection = _open(versions, options.evidence, say)
        stack.callback(collection.connection.close)
        reviewing, token = None, make_token()
        if options.is_review:
            reviewing = _begin_review(options, stack, say)
            collection.searcher.decided = reviewing.decided
        newest = versions[-1]
        folder = newest.folder if isinstance(newest, LocalVersion) else None
        pages = Pages(
            collection=collection,
            about=_describe(versions, is_review=options.is_review),
            find_sent=SentFinder(folder, collection.evidence.find).find,
            reviewing=reviewing,
            changes=collection.count_changes(),
        )
        yield View(make_app(pages, token), token, _choose_path(options, pages.changes), collection)


def _open(versions: list[StoredVersion], evidence: Evidence, say: Say) -> Collection:
    folder = cache_folder()
    indexes = []
    for version in versions:
        num_rows = sum(version.manifest.splits.values())
        is_told = [False]

        def tell(done: int, of: int, is_told: list[bool] = is_told, num_rows: int = num_rows) -> None:
            if not is_told[0] and of > done:
                say(f"preparing {num_rows:,} samples for search; this is done once for a version")
                is_told[0] = True

        indexes.append(find_index(version, folder, tell))
    newest = versions[-1].manifest
    source = _open_source(versions[-1], evidence)
    annotations = None if source is None else _read_annotations(folder, newest, source, say)
    rows = [VersionRows(version, PictureFinder(evidence.images, source).find) for version in versions]
    return open_collection(rows, indexes, annotations)


def _open_source(version: StoredVersion, evidence: Evidence) -> Source | None:
    """Return what the rows were made from, as `instructgen review` finds it."""
    row = next(read_rows(version, ["image_id"]), None)
    return open_annotations(version.manifest, [] if row is None else [row["image_id"]], evidence.root)


def _read_annotations(folder: Path, manifest: Manifest, source: Source, say: Say) -> Path | None:
    num_images = manifest.config.get("source", {}).get("limit") or 0
    if source.name.endswith("scenes") and num_images > _MAX_SCENES:
        say(f"captions and boxes of {num_images:,} rendered scenes are not drawn again: claims are not marked")
        return None

    def records() -> Iterator[ImageRecord]:
        say(f"reading the captions and boxes of {source.title}; this is done once")
        yield from (record for record in source.records() if isinstance(record, ImageRecord))

    return find_evidence_file(folder, _identify(source), records())


def _identify(source: Source) -> str:
    """Return a text that changes when the annotations do."""
    files = getattr(source, "files", None)
    paths = [getattr(files, name, None) for name in ("captions", "instances")]
    parts = [source.name, source.title]
    for path in paths:
        if isinstance(path, Path):
            stat = path.stat()
            parts.append(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}")
    if source.name == "pairs":  # tables have no one file: their records say what they are
        digest = hashlib.sha256()
        for record in source.records():
            digest.update(repr(record).encode())
        parts.append(digest.hexdigest())
    return "\n".join(parts)


def _begin_review(options: ViewOptions, stack: ExitStack, say: Say) -> Reviewing:
    reviewed = find_reviewed(Path(options.dataset))
    # Captions and boxes come from the viewer's own file: the desk needs none.
    desk = stack.enter_context(open_desk(reviewed, options.by or find_reviewer(), QueueOptions(), None, say))
    return Reviewing(desk, make_token())


def _describe(versions: list[StoredVersion], *, is_review: bool) -> About:
    newest = versions[-1].manifest
    names = [version.manifest.version for version in versions]
    title = f"{newest.source.title}, version {newest.version}"
    if len(versions) == 2:
        title = f"{newest.source.title}: {names[0]} → {names[1]}"
    footer = (
        f"Version {newest.version} of {newest.created_at[:10]}; {sum(newest.splits.values()):,} samples of "
        f"{newest.source.title}, written by {newest.teacher.name} ({newest.teacher.model}). "
        "Served by this machine to itself."
    )
    older, newer = (f"older: {names[0]}", f"newer: {names[1]}") if len(versions) == 2 else ("", "")
    return About(title, versions[-1].place, footer, older, newer, is_review)


def _choose_path(options: ViewOptions, changes: dict[str, int]) -> str:
    """Return the list that one has come for: what changed, or what is doubtful and not decided."""
    if options.other is not None:
        found = next((what for what in ("changed", "added", "removed") if changes.get(what)), "")
        return f"/?change={found}" if found else "/"
    return "/?sort=doubt&decision=open" if options.is_review else "/"
