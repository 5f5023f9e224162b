"""A student describes every picture of a folder: MiniGPT-4's caption teacher (arXiv 2304.10592, section 3.2).

Captions go to a file of JSON lines as they come, durable batch by batch; running again asks for what is not there.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from instructgen.disk import read_whole_lines
from instructgen.errors import InstructgenError, RunLockedError
from instructgen.records import Failed, Message
from instructgen.refine.joining import join_texts
from instructgen.sources.pairs_pictures import PICTURE_SUFFIXES
from instructgen.sources.pairs_rows import leads_out
from instructgen.student.ask import Answer, Ask, Sampling, Student
from instructgen.student.reading import open_checked
from instructgen.student.trying import answer_each

_MAX_PICTURE_BYTES = 64 << 20  # as a build reads them
_MAX_DETAIL_CHARS = 200
# MiniGPT-4's own sampling.
MINIGPT4_SAMPLING = Sampling(max_tokens=300, temperature=1.0, top_p=0.9, repetition_penalty=1.05)


class Describing(Struct, frozen=True):
    """What is asked of each picture. An answer of `continue_below_tokens` tokens or fewer is asked to go on, once."""

    prompt: str
    go_on: str
    sampling: Sampling = MINIGPT4_SAMPLING
    continue_below_tokens: int | None = 80
    batch: int = 8


class Place(Struct, frozen=True):
    """Where the pictures are, and where captions go. `model_sha256` tells one model's captions from another's."""

    folder: Path
    out: Path
    model_sha256: str = ""
    limit: int | None = None


class Caption(Struct, frozen=True):
    """A line of the file; `build --source pairs` reads `image` and `caption`, `asked` tells other settings apart."""

    image: str
    caption: str
    finish_reason: str
    tokens: int
    is_continued: bool
    model: str
    asked: str


class Tally(Struct):
    """How the pictures ended; `new` were described by this call."""

    images: int = 0
    described: int = 0
    new: int = 0
    continued: int = 0
    failed: Counter[str] = msgspec.field(default_factory=Counter)


def describe_folder(
    student: Student,
    place: Place,
    describing: Describing,
    tell: Callable[[int, int], object] = lambda _done, _all: None,
) -> Tally:
    """Describe the pictures of a folder and its subfolders, in the order of their names.

    What fails is told in <out>.failed, with a reason, and tried again by the next call. Raises InstructgenError for a
    folder without pictures, and a file that holds captions of other settings or another model.
    """
    folder, out = place.folder, place.out
    names = list_pictures(folder)[: place.limit]
    asked = identify(place.model_sha256 or student.name, describing)
    with _locked(out):
        done = read_captions(out, asked)
        tally = Tally(images=len(names), described=sum(name in done for name in names))
        tally.continued = sum(done[name].is_continued for name in names if name in done)
        failures: list[Failed] = []
        left = [name for name in names if name not in done]
        tell(len(names) - len(left), len(names))
        with out.open("ab") as file:
            for start in range(0, len(left), describing.batch):
                part = left[start : start + describing.batch]
                captions, failed = _describe_some(student, folder, part, describing, asked)
                _append(file, captions)
                failures += failed
                tally.new += len(captions)
                tally.described += len(captions)
                tally.continued += sum(caption.is_continued for caption in captions)
                tell(len(names) - len(left) + start + len(part), len(names))
        tally.failed = Counter(failure.reason for failure in failures)
        _write_failures(out, failures)
    return tally


def list_pictures(folder: Path) -> list[str]:
    """Return the paths of the pictures below a folder, relative to it, in order; hidden ones are left out."""
    if not folder.is_dir():
        raise InstructgenError(f"no folder {folder}; name the one that holds the pictures")
    suffixes = {f".{suffix}" for suffix in PICTURE_SUFFIXES}
    found: list[str] = []
    for root, subfolders, files in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        shown = [name for name in files if Path(name).suffix.lower() in suffixes and not name.startswith(".")]
        found += [Path(root, name).relative_to(folder).as_posix() for name in shown]
    if not found:
        raise InstructgenError(f"{folder} holds no pictures ({', '.join(sorted(suffixes))})")
    return sorted(found)


def identify(model: str, describing: Describing) -> str:
    """Return a digest of everything that a caption hangs on, but the picture; batching changes nothing."""
    settings = msgspec.structs.replace(describing, batch=0)
    return hashlib.sha256(msgspec.json.encode([model, settings])).hexdigest()[:16]


def read_captions(path: Path, asked: str | None = None) -> dict[str, Caption]:
    """Return the captions of a file, by image; a last line that a kill cut off is taken away.

    Raises InstructgenError for a line that is none, and, with `asked`, for one of other settings.
    """
    found: dict[str, Caption] = {}
    for number, line in enumerate(read_whole_lines(path), 1):
        try:
            caption = msgspec.json.decode(line, type=Caption)
        except msgspec.DecodeError as error:
            raise InstructgenError(
                f"{path} line {number} is no caption of ours: {error}; name another --out"
            ) from None
        if asked is not None and caption.asked != asked:
            raise InstructgenError(
                f"{path} line {number} is of the model '{caption.model}' with other weights, prompt or settings; "
                "name another --out, or run with those"
            )
        found[caption.image] = caption
    return found


def _describe_some(
    student: Student, folder: Path, names: Sequence[str], describing: Describing, asked: str
) -> tuple[list[Caption], list[Failed]]:
    pictures: dict[str, bytes] = {}
    failed: list[Failed] = []
    for name in names:
        picture = _read(folder, name)
        if isinstance(picture, Failed):
            failed.append(picture)
        else:
            pictures[name] = picture
    asks = {name: Ask((Message("user", describing.prompt),), (picture,)) for name, picture in pictures.items()}
    answers = zip(asks, answer_each(student, list(asks.values()), describing.sampling), strict=True)
    firsts: dict[str, Answer] = {}
    for name, answer in answers:
        if isinstance(answer, Failed):
            failed.append(Failed(name, "teacher", answer.reason, answer.detail))
        else:
            firsts[name] = answer
    longer = {
        name: Ask(
            (*asks[name].turns, Message("assistant", first.text), Message("user", describing.go_on)),
            asks[name].pictures,
        )
        for name, first in firsts.items()
        if is_short(first, describing.continue_below_tokens)
    }
    # A second answer that cannot be had, as where the model has no position left, takes nothing from the first.
    continued = zip(longer, answer_each(student, list(longer.values()), describing.sampling), strict=True)
    seconds = {name: answer for name, answer in continued if isinstance(answer, Answer)}
    captions: list[Caption] = []
    for name, first in firsts.items():
        if not first.text.strip():
            failed.append(Failed(name, "teacher", "empty_answer"))
        else:
            captions.append(_join(name, first, seconds.get(name), student.name, asked))
    return captions, failed


def is_short(answer: Answer, limit: int | None) -> bool:
    """Return whether an answer is one to go on with: of so many tokens or fewer, and of one at least."""
    return limit is not None and bool(answer.text.strip()) and answer.completion_tokens <= limit


def _join(name: str, first: Answer, second: Answer | None, model: str, asked: str) -> Caption:
    last = second or first
    tokens = first.completion_tokens + (second.completion_tokens if second else 0)
    text = first.text.strip() if second is None else join_texts(first.text, second.text)
    return Caption(name, text, last.finish_reason, tokens, second is not None, model, asked)


def _read(folder: Path, name: str) -> bytes | Failed:
    """Return a picture's bytes, or why it cannot be asked about."""
    if leads_out(name):  # a build takes no such name
        return Failed(name, "source", "bad_file_name")
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    if shown != name:  # bytes that are no text, which no file of captions can hold
        return Failed(shown, "source", "bad_file_name")
    try:
        path = folder / name
        if path.stat().st_size > _MAX_PICTURE_BYTES:
            return Failed(name, "source", "image_too_large", f"{path.stat().st_size:,} bytes")
        picture = path.read_bytes()
        open_checked(picture)
    except OSError as error:
        return Failed(name, "source", "image_unreadable", str(error)[:_MAX_DETAIL_CHARS])
    except InstructgenError as error:
        reason = "image_too_large" if "pixels" in str(error) else "image_unreadable"
        return Failed(name, "source", reason, str(error)[:_MAX_DETAIL_CHARS])
    return picture


def _append(file: IO[bytes], captions: Sequence[Caption]) -> None:
    file.write(b"".join(msgspec.json.encode(caption) + b"\n" for caption in captions))
    file.flush()
    os.fsync(file.fileno())


def _write_failures(out: Path, failures: Sequence[Failed]) -> None:
    path = out.with_name(f"{out.name}.failed")
    if not failures:
        path.unlink(missing_ok=True)
        return
    lines = [{"image": one.record_id, "reason": one.reason, "detail": one.detail} for one in failures]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunLockedError(f"another process is writing {out}; wait for it, or name another --out") from None
    try:
        yield
    finally:
        lock.release()
