"""Fetches COCO: the archives of a split, checked and unpacked into the folder that `--source coco` reads."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from instructgen.disk import replace_text
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.fetch.addresses import parse_url
from instructgen.fetch.ask import Asker, Came, Moved
from instructgen.fetch.folder import STATE, full_disk_told, lock_folder
from instructgen.fetch.options import Limits, Politeness
from instructgen.fetch.partials import Partial
from instructgen.fetch.reasons import MEANINGS, TRANSIENT, Missed
from instructgen.fetch.session import find_loop_factory, make_asker, make_session
from instructgen.fetch.signals import listen_to_signals
from instructgen.fetch.unzip import unpack
from instructgen.fetch.waits import Backoff

BASE_URL = "http://images.cocodataset.org"
What = Literal["annotations", "images"]
MAX_BYTES = 60 << 30  # of one archive, packed and unpacked: the largest that COCO has is 20 GB
_MAX_TRIES = 10  # in a row that brought nothing new
_ANNOTATIONS = {
    "train2014": "annotations_trainval2014",
    "val2014": "annotations_trainval2014",
    "test2014": "image_info_test2014",
    "test2015": "image_info_test2015",
    "train2017": "annotations_trainval2017",
    "val2017": "annotations_trainval2017",
    "test2017": "image_info_test2017",
    "unlabeled2017": "image_info_unlabeled2017",
}
SPLITS = tuple(_ANNOTATIONS)
# The md5 of the archives that are known; the server has no TLS, so this is what says that they are COCO's.
MD5 = {
    "annotations_trainval2014": "0a379cfc70b0e71301e0f377548639bd",
    "annotations_trainval2017": "f4bbac642086de4f52a3fdda2de5fa2c",
    "train2014": "0da8c0bd3d6becc4dcb32757491aca88",
    "val2014": "a3d79f5ed8d289b7a7554ce06a5782b3",
    "train2017": "cced6f7f71b7629ddf16f17bbcfab6b2",
    "val2017": "442b8da7639aecaf257c1dceb8ba8c80",
    "test2017": "77ad2c53ac5d0aea611d422c0938fb35",
    "unlabeled2017": "7ebc562819fdb32847aab79530457326",
}


class CocoOptions(Struct, frozen=True):
    """`md5` None takes an archive as it is, as from a mirror that packed it anew."""

    split: str
    what: tuple[What, ...] = ("annotations", "images")
    base_url: str = BASE_URL
    md5: dict[str, str] | None = msgspec.field(default_factory=MD5.copy)
    max_bytes: int = MAX_BYTES
    keeps_archives: bool = False
    limits: Limits = Limits(connect_timeout_s=30, read_timeout_s=60, total_timeout_s=0)


class Archive(Struct, frozen=True):
    """An archive that was fetched and unpacked. `was_there`: by an earlier run."""

    name: str
    url: str
    num_bytes: int
    md5: str
    sha256: str
    folder: str
    num_files: int
    was_there: bool = False


class CocoWatch(Protocol):
    """Is told of bytes: fetched of an archive, then unpacked."""

    def begin(self, stage: str, num_bytes: int | None) -> None: ...

    def bytes(self, num_bytes: int) -> None: ...


def fetch_coco(out: Path, options: CocoOptions, watch: CocoWatch) -> list[Archive]:
    """Fetch and unpack what is not there yet. Raises InstructgenError, naming the archive and what to do."""
    if options.split not in SPLITS:
        raise InstructgenError(f"COCO has no split {options.split!r}; there are: {', '.join(SPLITS)}")
    lock = lock_folder(out)
    try:
        with full_disk_told(out):
            return [_bring(out, options, what, watch) for what in options.what]
    finally:
        lock.release()


def _bring(out: Path, options: CocoOptions, what: What, watch: CocoWatch) -> Archive:
    split = options.split
    name = split if what == "images" else _ANNOTATIONS[split]
    url = f"{options.base_url.rstrip('/')}/{'zips' if what == 'images' else 'annotations'}/{name}.zip"
    pattern = rf"{split}/[\w.\-]+\.jpg" if what == "images" else rf"annotations/[\w\-]+_{split}\.json"
    folder = split if what == "images" else "annotations"
    told = out / STATE / f"coco-{what}-{split}.json"
    done = _read_done(told)
    wanted = re.compile(pattern)
    if done is not None and _count_files(out / folder, folder, wanted) >= done.num_files:
        return msgspec.structs.replace(done, was_there=True)
    archive = out / STATE / f"{name}.zip"
    if not archive.exists():
        watch.begin(f"{name}.zip", None)
        _download(url, archive, options, watch)
    md5, sha256 = _hash(archive)
    known = None if options.md5 is None else options.md5.get(name)
    if known is not None and md5 != known:
        num_bytes = archive.stat().st_size
        archive.unlink()
        raise InstructgenError(
            f"{url} is not COCO's {name}.zip: its md5 is {md5} ({num_bytes} bytes), not {known}; it was removed. Run "
            "the command again, or with --any-checksum for a mirror that packed it anew"
        )
    num_bytes = archive.stat().st_size
    watch.begin(f"unpacking {name}.zip", None)
    unpacked = unpack(archive, out, wanted, options.max_bytes, watch.bytes)
    if not unpacked.num_files:
        raise InstructgenError(f"{archive} has no {folder}/ of {split}; remove it and give another --base-url")
    done = Archive(name, url, num_bytes, md5, sha256, folder, unpacked.num_files)
    replace_text(told, msgspec.json.encode(done).decode() + "\n")
    if not options.keeps_archives:
        archive.unlink()
    return done


def _read_done(path: Path) -> Archive | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Archive)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _count_files(path: Path, folder: str, wanted: re.Pattern[str]) -> int:
    if not path.is_dir():
        return 0
    return sum(bool(wanted.fullmatch(f"{folder}/{file.name}")) for file in path.iterdir())


def _hash(path: Path) -> tuple[str, str]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()


def _download(url: str, archive: Path, options: CocoOptions, watch: CocoWatch) -> None:
    with asyncio.Runner(loop_factory=find_loop_factory()) as runner:
        runner.run(_download_to(url, archive, options, watch.bytes))


async def _download_to(url: str, archive: Path, options: CocoOptions, on_bytes: Callable[[int], None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    listen_to_signals(task.cancel)
    limits = msgspec.structs.replace(options.limits, max_bytes=options.max_bytes)
    partial = Partial(archive.parent / "partial", archive.name, url)
    on_bytes(partial.num_bytes)
    try:
        async with make_session(Politeness(), limits) as session:
            asker = make_asker(session, Politeness(opt_out=()), limits, _judge_head, on_bytes)
            await _ask_until_there(url, asker, partial)
    except asyncio.CancelledError:
        raise RunStoppedError("stopped; the same command goes on from here") from None
    body = partial.take()
    if isinstance(body, Path):
        body.replace(archive)
    else:
        new = archive.with_suffix(".new")
        new.write_bytes(body)
        new.replace(archive)
    partial.discard()


async def _ask_until_there(url: str, asker: Asker, partial: Partial) -> None:
    """Try as long as anything new comes. Raises InstructgenError with what the server said."""
    backoff = Backoff()
    parsed = parse_url(url)
    if isinstance(parsed, Missed):
        raise InstructgenError(f"--base-url: {url} is no http or https address")
    num_tries = num_hops = 0
    at = parsed
    while True:
        num_before = partial.num_bytes
        outcome = await asker.ask(at, partial)
        if isinstance(outcome, Came):
            return
        if isinstance(outcome, Moved):
            at, num_hops = outcome.url, num_hops + 1
            if num_hops > asker.limits.max_redirects:
                raise InstructgenError(f"{url}: {MEANINGS['too_many_redirects']}")
            continue
        at, num_hops = parsed, 0
        num_tries = 1 if partial.num_bytes > num_before else num_tries + 1
        if outcome.reason not in TRANSIENT or num_tries >= _MAX_TRIES:
            partial.pause()
            what = f"{MEANINGS[outcome.reason]} ({outcome.reason}; {outcome.detail})"
            hint = "; --allow-private lets it be asked" if outcome.reason == "private_address" else ""
            raise InstructgenError(f"{url} did not come: {what}{hint}")
        await asyncio.sleep(min(max(backoff.wait_s(num_tries), outcome.retry_after_s or 0.0), 300.0))


def _judge_head(head: bytes) -> str:
    return "" if head.startswith(b"PK") else "html_page" if head.lstrip()[:1] == b"<" else "not_an_image"
