"""Whether a published version is still what was published, to the last bit."""

import hashlib
from collections.abc import Callable, Generator, Iterator

from msgspec import Struct

from instructgen.dataset.columns import hash_row
from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, make_version
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion, told
from instructgen.dataset.sums import SUMS_NAME, hash_stream, parse_sums
from instructgen.errors import InstructgenError

_BATCH_ROWS = 64
Watch = Callable[[str], None]


class Damage(Struct, frozen=True):
    """What is wrong with a file of a version; `reason` is a fixed word."""

    path: str
    reason: str
    detail: str = ""


def verify_version(
    version: StoredVersion, name: str, *, is_deep: bool = False, watch: Watch = lambda _: None
) -> list[Damage]:
    """Return what differs from the digests in SHA256SUMS and in the manifest; nothing where all is whole.

    Every byte of every file is read. `is_deep` also reads the rows and makes their digests anew, which finds a shard
    that was replaced together with its digest. `name` is what the version is published as; `watch` is told of each
    file before it is read.
    """
    found: list[Damage] = []
    try:
        manifest = version.manifest
    except InstructgenError as error:
        return [Damage(MANIFEST_NAME, "manifest_unreadable", str(error))]
    sums = _collect(_read_sums(version, manifest), found)
    found += _check_files(version, sums, watch)
    made = make_version(manifest)
    if not made == manifest.version == name:
        found.append(Damage(MANIFEST_NAME, "name_differs", f"what it tells has the name {made}"))
    found += [
        Damage(shard.path, "digests_disagree", f"{SUMS_NAME} and {MANIFEST_NAME} tell two digests")
        for shard in manifest.shards
        if sums.get(shard.path, shard.sha256) != shard.sha256
    ]
    if is_deep and not found:
        found += _check_rows(version, manifest, watch)
    return found


def _collect(steps: Generator[Damage, None, dict[str, str]], found: list[Damage]) -> dict[str, str]:
    """Add what a generator yields to the list, and return what it returns."""
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return dict(end.value)


def _read_sums(version: StoredVersion, manifest: Manifest) -> Generator[Damage, None, dict[str, str]]:
    """Return the digest by path; what the manifest knows where SHA256SUMS cannot be used, or is from before it."""
    try:
        with version.open(SUMS_NAME) as file:
            sums = parse_sums(file.read())
        for path in (MANIFEST_NAME, *(shard.path for shard in manifest.shards)):
            if path not in sums:
                yield Damage(SUMS_NAME, "sums_incomplete", f"it does not have {path}")
    except FileNotFoundError:
        if manifest.format > 1:
            yield Damage(SUMS_NAME, "missing")
    except (InstructgenError, OSError) as error:
        yield Damage(SUMS_NAME, "unreadable", str(error))
    else:
        return sums
    return {shard.path: shard.sha256 for shard in manifest.shards}


def _check_files(version: StoredVersion, sums: dict[str, str], watch: Watch) -> Iterator[Damage]:
    # A stray file in data/ would be read by every glob over it; without SHA256SUMS the others have no digest.
    for path in set(version.paths()) - sums.keys() - {SUMS_NAME}:
        if MANIFEST_NAME in sums or path.startswith("data/"):
            yield Damage(path, "unlisted", "no digest is known of it")
    for path, sha256 in sums.items():
        watch(path)
        try:
            with version.open(path) as file:
                if hash_stream(file) != sha256:
                    yield Damage(path, "differs", "its bytes are not those that were published")
        except FileNotFoundError:
            yield Damage(path, "missing")
        except OSError as error:
            yield Damage(path, "unreadable", str(error))


def _check_rows(version: StoredVersion, manifest: Manifest, watch: Watch) -> Iterator[Damage]:
    series = {name: hashlib.sha256() for name in manifest.contents}
    for shard in manifest.shards:
        watch(shard.path)
        try:
            num_rows, digest = _hash_rows(version, shard, series.get(f"{shard.split}/{shard.sample_type}"))
        except InstructgenError as error:
            yield Damage(shard.path, "unreadable", str(error))
            continue
        if (num_rows, digest) != (shard.num_rows, shard.content_sha256):
            yield Damage(shard.path, "rows_differ", f"{num_rows} rows, where {shard.num_rows} others were published")
    for name, made in series.items():
        if made.hexdigest() != manifest.contents[name]:
            yield Damage(MANIFEST_NAME, "rows_differ", f"the rows of {name} are not those of the version's name")


def _hash_rows(version: StoredVersion, shard: Shard, series: "hashlib._Hash | None") -> tuple[int, str]:
    import pyarrow.parquet as pq

    digest, num_rows = hashlib.sha256(), 0
    with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=_BATCH_ROWS):
            for row in batch.to_pylist():
                one = hash_row(row)
                digest.update(one)
                num_rows += 1
                if series is not None:
                    series.update(one)
    return num_rows, digest.hexdigest()
