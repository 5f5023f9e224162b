"""`instructgen capfilt`: pairs in, pairs with better captions out (BLIP-2, arXiv 2301.12597, section 3.4).

Of a picture's own caption and those that captioners wrote, a scorer keeps the best. Pictures come out in the order in
which they went in, durable batch by batch; running again goes on where it was stopped.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from instructgen.disk import hold_folder, read_whole_lines
from instructgen.errors import InstructgenError
from instructgen.records import Failed, Message
from instructgen.sources.capfilt import ScoredCaption, Scorer, ScoreTable, select_captions
from instructgen.student.ask import Ask, Sampling, Student
from instructgen.student.trying import answer_each
from instructgen.surrogate.captions import clean_caption
from instructgen.train.example_pictures import PictureStore
from instructgen.train.example_rows import PicturePlace, RawRow, RowSource, open_source

ROWS_NAME, FAILED_NAME, PICTURES_NAME = "captions.jsonl", "captions.jsonl.failed", "images"
BLIP_SAMPLING = Sampling(
    max_tokens=40, temperature=1.0, top_p=0.9
)  # BLIP's nucleus sampling (2201.12086, section 3.2)
_MAX_DETAIL_CHARS = 200
_SUFFIXES = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"RIFF", ".webp"), (b"GIF", ".gif"), (b"BM", ".bmp"))


class Captioning(Struct, frozen=True):
    """How a student captions: `num_captions` answers to one prompt, each with a seed of its own."""

    prompt: str
    num_captions: int = 10
    sampling: Sampling = BLIP_SAMPLING


class PictureScorer(Protocol):
    """Says how well texts fit a picture, of which it knows the key and the bytes."""

    def __call__(self, key: str, picture: bytes, captions: Sequence[str]) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class CapFilt:
    """What is done with each picture. `identity` stands for the captioner and the scorer."""

    scorer: PictureScorer
    question: str
    """What the rows ask."""
    num_kept: int = 2
    student: Student | None = None
    captioning: Captioning | None = None
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Captions of others, by the key or the path of a picture."""
    batch: int = 8
    identity: str = ""


class CapFiltRow(Struct, frozen=True):
    """A line of the file, which `--data` takes: one for each caption that was kept."""

    sample_id: str
    messages: tuple[dict[str, str], ...]
    images: tuple[str, ...]
    score: float
    is_original: bool
    num_kept: int
    """How many rows its picture has."""
    key: str
    asked: str


class CapFiltTally(Struct):
    """How the pictures ended; `new` were done by this call."""

    images: int = 0
    done: int = 0
    new: int = 0
    captions: int = 0
    originals: int = 0
    failed: Counter[str] = msgspec.field(default_factory=Counter)


class _Picture(Struct, frozen=True):
    key: str
    place: PicturePlace
    captions: tuple[str, ...]


def filter_captions(
    source: RowSource,
    capfilt: CapFilt,
    out: Path,
    *,
    image_folder: Path | None = None,
    limit: int | None = None,
    tell: Callable[[int, int], object] = lambda _done, _all: None,
) -> CapFiltTally:
    """Write OUT/captions.jsonl and the pictures beside it.

    What fails is told in captions.jsonl.failed, with a reason, and tried again by the next call. Raises
    RunLockedError for a folder in use, InstructgenError for one that holds captions of other settings.
    """
    asked = _identify(source, capfilt)
    pictures = list(islice(_list_pictures(source), limit))
    store = PictureStore(
        [one.key for one in pictures],
        [one.place for one in pictures],
        source.files,
        source.folder if image_folder is None else image_folder,
    )
    lock = hold_folder(out)
    try:
        rows = _read_rows(out / ROWS_NAME, asked)
        done = {row.key for row in rows}
        left = [one for one in pictures if one.key not in done]
        tally = CapFiltTally(images=len(pictures), done=len(pictures) - len(left))
        tally.captions, tally.originals = len(rows), sum(row.is_original for row in rows)
        failures: list[Failed] = []
        (out / PICTURES_NAME).mkdir(exist_ok=True)
        tell(tally.done, len(pictures))
        with (out / ROWS_NAME).open("ab") as file:
            for start in range(0, len(left), capfilt.batch):
                made, failed = _choose_some(left[start : start + capfilt.batch], store, capfilt)
                rows = [
                    row for picture, data, kept in made for row in _write(out, picture, data, kept, capfilt, asked)
                ]
                _append(file, rows)
                failures += failed
                tally.new += len(made)
                tally.done += len(made)
                tally.captions += len(rows)
                tally.originals += sum(row.is_original for row in rows)
                tell(len(pictures) - len(left) + start + len(made) + len(failed), len(pictures))
    finally:
        lock.release()
    tally.failed = Counter(one.reason for one in failures)
    _write_failures(out / FAILED_NAME, failures)
    return tally


def read_written(path: Path) -> dict[str, tuple[str, ...]]:
    """Return captions by picture: JSON lines with `image` or `key`, and `caption`, as `describe` writes them.

    Raises InstructgenError, naming the line, for anything else.
    """
    found: dict[str, list[str]] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    row = msgspec.json.decode(line, type=dict[str, object])
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise InstructgenError(f"{path} line {number}: {error}") from None
                key, caption = row.get("image", row.get("key")), row.get("caption")
                if not isinstance(key, str) or not isinstance(caption, str):
                    raise InstructgenError(f"{path} line {number} wants `image` (or `key`) and `caption`, two texts")
                found.setdefault(key, []).append(caption)
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from None
    return {key: tuple(captions) for key, captions in found.items()}


def score_by_table(table: ScoreTable) -> PictureScorer:
    """Return a scorer that looks scores up."""
    return lambda key, _picture, captions: table(key, captions)


def open_pairs(ref: str, split: str = "train") -> RowSource:
    return open_source(ref, split)


def _list_pictures(source: RowSource) -> Iterator[_Picture]:
    """Yield each picture once, with the captions of all its rows; those with one picture and one answer count."""
    found: dict[str, tuple[PicturePlace, list[str]]] = {}
    for row in source.rows():
        caption = _find_caption(row)
        if caption is not None:
            found.setdefault(row.keys[0], (row.places[0], []))[1].append(caption)
    for key, (place, captions) in found.items():
        yield _Picture(key, place, tuple(captions))


def _find_caption(row: RawRow) -> str | None:
    answers = [message.content for message in row.messages if message.role == "assistant"]
    if len(row.keys) != 1 or len(answers) != 1:
        return None
    return clean_caption(answers[0])


def _choose_some(
    pictures: Sequence[_Picture], store: PictureStore, capfilt: CapFilt
) -> tuple[list[tuple[_Picture, bytes, tuple[ScoredCaption, ...]]], list[Failed]]:
    read: list[tuple[_Picture, bytes]] = []
    failed: list[Failed] = []
    for picture in pictures:
        try:
            read.append((picture, store.read(picture.key)))
        except (InstructgenError, OSError) as error:
            failed.append(Failed(picture.key, "source", "image_missing", str(error)[:_MAX_DETAIL_CHARS]))
    generated, refused = _caption(read, capfilt)
    made: list[tuple[_Picture, bytes, tuple[ScoredCaption, ...]]] = []
    for picture, data in read:
        if picture.key in refused:
            failed.append(refused[picture.key])
            continue
        others = [*picture.captions[1:], *_find_written(picture, capfilt), *generated[picture.key]]
        kept = _select(picture, data, others, capfilt)
        if isinstance(kept, Failed):
            failed.append(kept)
        else:
            made.append((picture, data, kept))
    return made, failed


def _find_written(picture: _Picture, capfilt: CapFilt) -> tuple[str, ...]:
    return capfilt.written.get(picture.key) or capfilt.written.get(picture.place.path, ())


def _select(
    picture: _Picture, data: bytes, others: Sequence[str], capfilt: CapFilt
) -> tuple[ScoredCaption, ...] | Failed:
    scorer: Scorer = lambda key, captions: capfilt.scorer(key, data, captions)  # noqa: E731  a protocol
    try:
        kept = select_captions(picture.key, picture.captions[0], others, scorer, capfilt.num_kept)
    except InstructgenError as error:
        return Failed(picture.key, "filter", "not_scored", str(error)[:_MAX_DETAIL_CHARS])
    return kept or Failed(picture.key, "source", "no_caption")


def _caption(
    read: Sequence[tuple[_Picture, bytes]], capfilt: CapFilt
) -> tuple[dict[str, list[str]], dict[str, Failed]]:
    """Return the student's captions by key, and why a picture has none."""
    found: dict[str, list[str]] = {picture.key: [] for picture, _ in read}
    refused: dict[str, Failed] = {}
    if capfilt.student is None or capfilt.captioning is None:
        return found, refused
    captioning = capfilt.captioning
    asks = [Ask((Message("user", captioning.prompt),), (data,)) for _, data in read]
    for number in range(captioning.num_captions):
        sampling = replace(captioning.sampling, seed=captioning.sampling.seed + number)
        for (picture, _), answer in zip(read, answer_each(capfilt.student, asks, sampling), strict=True):
            if isinstance(answer, Failed):
                refused[picture.key] = Failed(picture.key, "teacher", answer.reason, answer.detail)
            else:
                found[picture.key].append(answer.text)
    return found, refused


def _write(
    out: Path, picture: _Picture, data: bytes, kept: Sequence[ScoredCaption], capfilt: CapFilt, asked: str
) -> Iterator[CapFiltRow]:
    """Write the picture, and yield its rows."""
    suffix = next((suffix for start, suffix in _SUFFIXES if data.startswith(start)), ".img")
    name = f"{PICTURES_NAME}/{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    (out / name).write_bytes(data)
    for number, one in enumerate(kept, 1):
        messages = ({"role": "user", "content": capfilt.question}, {"role": "assistant", "content": one.caption})
        is_original = one.caption == clean_caption(picture.captions[0])
        sample_id = f"{picture.key}#{number}"
        yield CapFiltRow(sample_id, messages, (name,), one.score, is_original, len(kept), picture.key, asked)


def _append(file: IO[bytes], rows: Sequence[CapFiltRow]) -> None:
    file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    file.flush()
    os.fsync(file.fileno())


def _read_rows(path: Path, asked: str) -> list[CapFiltRow]:
    """Return the rows of whole pictures; those of one that a kill cut off are taken out of the file."""
    rows: list[CapFiltRow] = []
    for number, line in enumerate(read_whole_lines(path), 1):
        try:
            row = msgspec.json.decode(line, type=CapFiltRow)
        except msgspec.MsgspecError as error:
            raise InstructgenError(f"{path} line {number} is no row of ours: {error}; name another --out") from None
        if row.asked != asked:
            raise InstructgenError(
                f"{path} line {number} was chosen from other data, or by another captioner, scorer or setting; name"
                " another --out, or run with those"
            )
        rows.append(row)
    num_last = sum(row.key == rows[-1].key for row in rows[-rows[-1].num_kept :]) if rows else 0
    if rows and num_last < rows[-1].num_kept:
        rows = rows[:-num_last]
        os.truncate(path, sum(len(msgspec.json.encode(row)) + 1 for row in rows))
    return rows


def _identify(source: RowSource, capfilt: CapFilt) -> str:
    facts = [source.identity, capfilt.identity, capfilt.question, capfilt.num_kept, capfilt.captioning]
    written = sorted((key, list(captions)) for key, captions in capfilt.written.items())
    return hashlib.sha256(msgspec.json.encode([*facts, written])).hexdigest()[:16]


def _write_failures(path: Path, failures: Sequence[Failed]) -> None:
    if not failures:
        path.unlink(missing_ok=True)
        return
    lines = [{"key": one.record_id, "reason": one.reason, "detail": one.detail} for one in failures]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
