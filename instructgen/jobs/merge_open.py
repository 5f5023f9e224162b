"""Finds the parts of a build, and holds them against each other before anything is merged."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.versions import find_folder, open_version, split_store, split_version
from instructgen.errors import InstructgenError
from instructgen.jobs.merge_part import PART_TAG, PartFacts, list_settings, read_facts

_MAX_SHOWN = 10
_MAX_CHARS = 120


class OpenedPart(Struct, frozen=True):
    """A part by the name that it was given by. `folder` is the dataset's that it was built in, None for one that
    lies elsewhere: it has no ledger.
    """

    ref: str
    stored: StoredVersion
    facts: PartFacts
    folder: Path | None


def open_parts(refs: Sequence[str]) -> list[OpenedPart]:
    """Return the parts in the order of their shares. Raises InstructgenError for what is no part."""
    return sorted((_open(ref) for ref in refs), key=lambda part: part.facts.share.index)


def _open(ref: str) -> OpenedPart:
    _, name = split_version(ref)
    if name or find_folder(ref) is not None:
        stored = open_version(ref)
    else:
        store, _ = split_store(ref)
        version = store.list_tags().get(PART_TAG)
        if version is None:
            raise InstructgenError(
                f"{ref} holds no part that is finished; `instructgen build ... --shard i/N --out {ref}` makes one, "
                "or goes on with it"
            )
        stored = store.open_version(version)
    folder = None
    if isinstance(stored, LocalVersion) and stored.folder.parent.name == "versions":
        folder = stored.folder.parent.parent
    return OpenedPart(ref, stored, read_facts(stored), folder)


def check_parts(opened: Sequence[OpenedPart]) -> None:
    """Raise InstructgenError where these are not all parts of one build, each once."""
    if not opened:
        raise InstructgenError("name the parts to merge: the --out of each build with --shard")
    first = opened[0]
    for part in opened[1:]:
        _check_settings(first, part)
    num_shares = first.facts.share.num_shares
    by_index: dict[int, OpenedPart] = {}
    for part in opened:
        other = by_index.setdefault(part.facts.share.index, part)
        if other is not part:
            raise InstructgenError(f"{other.ref} and {part.ref} are both share {part.facts.share}; give one of them")
    lacking = [f"{index}/{num_shares}" for index in range(num_shares) if index not in by_index]
    if lacking:
        shown = ", ".join(lacking[:_MAX_SHOWN]) + (" ..." if len(lacking) > _MAX_SHOWN else "")
        raise InstructgenError(
            f"{len(lacking)} of {num_shares} parts are not there: {shown}; build each with --shard, and name them all"
        )
    _check_chain(opened)


def _check_settings(first: OpenedPart, part: OpenedPart) -> None:
    ours, theirs = (list_settings(one.stored.manifest, one.facts) for one in (first, part))
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            raise InstructgenError(
                f"{first.ref} and {part.ref} are not parts of one build: {name} differs, {_show(ours.get(name))} and "
                f"{_show(theirs.get(name))}; build one of them again with the settings of the other"
            )


def _check_chain(opened: Sequence[OpenedPart]) -> None:
    """Raise where a share does not go on where the one before it ends: they have read different sources."""
    last = ""
    for part in opened:
        if part.facts.before != last:
            raise InstructgenError(
                f"{part.ref} goes on after image {part.facts.before or '(none)'}, and the share before it ends with "
                f"{last or '(none)'}: the source changed between the builds; build the parts of one source"
            )
        last = part.facts.last or last


def _show(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]} ..."
