"""Sends a version to a dataset repository: what is new in one commit, and a tag of the version's name.

The branch then holds this version and nothing of the one before, which stays under its own tag. A version that is
there under its tag is never replaced: its name means its content.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.cards.croissant import CROISSANT_NAME
from instructgen.dataset.cards.licences import UNKNOWN, describe_licence
from instructgen.dataset.cards.presentation import CARD_NAME
from instructgen.dataset.cards.statistics import STATISTICS_NAME, read_statistics
from instructgen.dataset.manifest import MANIFEST_NAME, Manifest
from instructgen.dataset.publish import REFINED_NAME, REJECTED_NAME, read_tag
from instructgen.dataset.pushing.hub import HubRepo, RemoteFile, RemoteState
from instructgen.dataset.shards import hash_file
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores.base import list_files_to_copy
from instructgen.dataset.sums import SUMS_NAME
from instructgen.dataset.versions import open_version, split_version
from instructgen.errors import InstructgenError

MAIN = "main"
# What of an older version goes from the branch when a newer one comes that has no such file.
_DATA_FOLDER = "data/"
_OWN_FOLDERS = (_DATA_FOLDER, "assets/")
_OWN_FILES = (REJECTED_NAME, REFINED_NAME, STATISTICS_NAME, CROISSANT_NAME)
# What a version from before SHA256SUMS may have besides its shards.
_EARLY_FILES = {
    MANIFEST_NAME,
    CARD_NAME,
    *_OWN_FILES,
    *(f"assets/{name}.svg" for name in ("types", "lengths", "reasons")),
}


class LocalFile(Struct, frozen=True):
    path: str
    num_bytes: int
    sha256: str


class PushPlan(Struct, frozen=True):
    """What a push does. `commit` is None where the branch holds the version already."""

    repo: str
    url: str
    version: str
    branch: str
    creates_repo: bool
    creates_branch: bool
    head: str | None
    sent: tuple[LocalFile, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    tagged: str | None
    """The commit that the version's tag leads to, None where there is none yet."""
    notes: tuple[str, ...]

    @property
    def num_bytes(self) -> int:
        return sum(file.num_bytes for file in self.sent)

    @property
    def is_done(self) -> bool:
        return self.tagged is not None


def choose_version(dataset: str, version: str | None = None, tag: str | None = None) -> Path:
    """Return the folder of the version that is named: by the dataset alone, or by its version or tag beside it.

    Raises InstructgenError where there is none, or it is not on this machine.
    """
    if version is None and tag is None:
        stored = open_version(dataset)
        if not isinstance(stored, LocalVersion):
            raise InstructgenError(
                f"{dataset} is not on this machine, and a push reads it more than once; `dataset copy {dataset} "
                "FOLDER`, then push FOLDER"
            )
        return stored.folder
    if split_version(dataset)[1]:
        raise InstructgenError(f"{dataset} names a version, and so does --version or --tag; give one of them")
    return _find_by(Path(dataset), version, tag)


def _find_by(dataset: Path, version: str | None, tag: str | None) -> Path:
    name = version if tag is None else read_tag(dataset, tag)
    if name is None:
        raise InstructgenError(f"{dataset} has no tag '{tag}'; its tags lie in {dataset / 'tags'}")
    folder = dataset / "versions" / name
    if (
        not folder.resolve().is_relative_to((dataset / "versions").resolve())
        or not (folder / MANIFEST_NAME).is_file()
    ):
        raise InstructgenError(f"{dataset} has no version '{name}'; its versions lie in {dataset / 'versions'}")
    return folder


def plan_push(folder: Path, hub: HubRepo, branch: str = MAIN) -> PushPlan:
    """Compare the version with the repository; nothing is written there.

    Raises InstructgenError for a version without a row or with a damaged shard, for a repository that holds other
    things, and where the version's tag leads to another content.
    """
    manifest = LocalVersion(folder).manifest
    files = list_files(folder, manifest)
    state = hub.read_state(branch)
    head = None if state is None else state.head
    tagged = None if state is None else state.tags.get(manifest.version)
    if tagged is not None:
        _check_tagged(folder, files, hub, manifest.version, hub.list_files(manifest.version))
    remote = {} if head is None else hub.list_files(head)
    same = {path for path, file in files.items() if path in remote and is_same(folder, file, remote[path])}
    deleted = tuple(path for path in sorted(remote) if _is_own(path) and path not in files)
    _check_owner(hub, branch, remote, [*(path for path in files if path in remote and path not in same), *deleted])
    is_done = tagged is not None
    return PushPlan(
        repo=hub.repo,
        url=hub.url,
        version=manifest.version,
        branch=branch,
        creates_repo=state is None,
        creates_branch=not is_done and head is None and branch != MAIN,
        head=head,
        sent=() if is_done else tuple(file for path, file in sorted(files.items()) if path not in same),
        unchanged=tuple(sorted(files)) if is_done else tuple(sorted(same)),
        deleted=() if is_done else deleted,
        tagged=tagged,
        notes=tuple(_make_notes(folder, manifest)),
    )


def push(folder: Path, hub: HubRepo, plan: PushPlan, *, is_private: bool) -> str:
    """Do what the plan says, and return the commit that the version's tag leads to.

    Killed between commit and tag, the next push finds nothing to send and sets the tag.
    """
    if plan.tagged is not None:
        return plan.tagged
    if plan.creates_repo:
        hub.create(is_private=is_private)
    if plan.creates_branch:
        hub.create_branch(plan.branch)
    head = plan.head or _read_new_head(hub, plan.branch)
    commit = head
    message = f"instructgen version {plan.version}"
    if plan.sent or plan.deleted:
        added = {file.path: folder / file.path for file in plan.sent}
        commit = hub.commit(plan.branch, added, plan.deleted, message, head)
    assert commit is not None, "a repository without a commit has a file to be sent"
    hub.tag(plan.version, commit, message)
    return commit


def list_files(folder: Path, manifest: Manifest) -> dict[str, LocalFile]:
    """Return the version's files by path, and nothing else that lies there.

    Raises InstructgenError for a shard that is not the one of the manifest, for a file that SHA256SUMS names and that
    is not there, and for a link out of the folder to anything but what SHA256SUMS names.
    """
    if not manifest.shards:
        raise InstructgenError(f"version {manifest.version} has no row; there is nothing to push")
    shards = {shard.path for shard in manifest.shards}
    known = list_files_to_copy(LocalVersion(folder))
    if SUMS_NAME not in known:
        known = {name: sha256 for name, sha256 in known.items() if name in shards or name in _EARLY_FILES}
    found: dict[str, LocalFile] = {}
    for name, sha256 in sorted(known.items()):
        path = folder / name
        if not path.is_file():
            raise InstructgenError(f"{folder} has no {name}; build or copy the version again")
        found[name] = file = LocalFile(name, path.stat().st_size, hash_file(path))
        if file.sha256 == sha256:
            continue
        if name in shards:
            raise InstructgenError(f"{path} is not the file that the manifest names; build or copy the version again")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InstructgenError(
                f"{path} leads out of the version, to a file that it does not have; it is not sent"
            )
    return found


def is_same(folder: Path, file: LocalFile, remote: RemoteFile) -> bool:
    """Return whether the repository has this content; what lies in git itself is small, and compared as git does."""
    if remote.sha256:
        return remote.sha256 == file.sha256
    digest = hashlib.sha1(f"blob {file.num_bytes}\0".encode(), usedforsecurity=False)
    with (folder / file.path).open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == remote.git_oid


def _check_tagged(
    folder: Path, files: Mapping[str, LocalFile], hub: HubRepo, version: str, remote: Mapping[str, RemoteFile]
) -> None:
    """Refuse a version whose name is taken by other shards; a manifest of another day is no matter."""
    paths = {path for path in [*files, *remote] if path.startswith(_DATA_FOLDER)}
    other = [
        path
        for path in sorted(paths)
        if path not in files or path not in remote or not is_same(folder, files[path], remote[path])
    ]
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        raise InstructgenError(
            f"{hub.repo} has a version {version} already, with other files ({', '.join(other[:3])}{more}); "
            "a version is never replaced: push to another repository, or delete its tag there first"
        )


def _check_owner(hub: HubRepo, branch: str, remote: Mapping[str, RemoteFile], touched: list[str]) -> None:
    """Refuse to overwrite what no push has put there."""
    if touched and MANIFEST_NAME not in remote:
        raise InstructgenError(
            f"{hub.repo} holds a {touched[0]} on '{branch}', but no version that was pushed; "
            "give a new repository, or another --revision"
        )


def _read_new_head(hub: HubRepo, branch: str) -> str | None:
    state: RemoteState | None = hub.read_state(branch)
    return None if state is None else state.head


def _is_own(path: str) -> bool:
    return path in _OWN_FILES or path.startswith(_OWN_FOLDERS)


def _make_notes(folder: Path, manifest: Manifest) -> list[str]:
    """Return what one should know before the rows are public."""
    if not manifest.embeds_images:
        return ["the pictures are not in the rows: whoever reads the dataset needs the source's own"]
    statistics = read_statistics(LocalVersion(folder))
    if statistics is None:
        return []
    counts = {"non-commercial": 0, "no-derivatives": 0, "unknown": 0}
    for found in statistics.licences:
        licence = describe_licence(found.name)
        counts["non-commercial"] += found.images * bool(licence.is_non_commercial)
        counts["no-derivatives"] += found.images * bool(licence.is_no_derivatives)
        counts["unknown"] += found.images * (found.name == UNKNOWN or licence.is_non_commercial is None)
    return [f"{count} pictures are under a licence that is {kind}" for kind, count in counts.items() if count]
