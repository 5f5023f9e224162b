"""Takes a tar apart into samples, in bounded memory, without believing anything that it says.

The files of a sample lie one behind the other and share a name up to the first dot of its last part, as the
webdataset package reads them.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import IO

from instructgen.dataset.imports.checks import RecordError, check_relative, whole_or_shown
from instructgen.errors import InstructgenError

_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)", re.DOTALL)
# Names that the webdataset package passes over, for they tell of the shard.
_OF_SHARD = re.compile(r"__[^/]*__(?:$|/)")
_MAX_HEADER_BYTES = 1 << 20  # of a long name, or of what is said of a file besides


@dataclass(slots=True)
class TarSample:
    """The files of one sample by their suffix, in lower case; `fault` is the first thing that was wrong with them."""

    key: str
    files: dict[str, bytes] = field(default_factory=dict)
    num_bytes: int = 0
    fault: RecordError | None = None


def read_samples(path: Path, max_bytes: int) -> Iterator[TarSample]:
    """Yield the samples in the order of the tar; what has no sample's name comes as one of its own, with a fault.

    Files of more than `max_bytes`, alone or together in a sample, are passed over unread. Raises InstructgenError for
    a file that is no tar, or is cut short or damaged.
    """
    sample: TarSample | None = None
    try:
        with path.open("rb") as file:
            for info in _read_headers(path):
                name = whole_or_shown(info.name)
                if info.isdir() and _find_fault(name) is None:
                    continue
                key, suffix = _split(name)
                if sample is None or sample.key != key:
                    if sample is not None:
                        yield sample
                    sample = TarSample(key)
                _take(sample, suffix, info, file, max_bytes)
            if sample is not None:
                yield sample
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def _split(name: str) -> tuple[str, str]:
    """Return the key and the suffix; of a name that is no sample's all of it, and ""."""
    found = None if _find_fault(name) else _NAME.fullmatch(name)
    return (found[1], found[2].lower()) if found else (name, "")


def _find_fault(name: str) -> RecordError | None:
    try:
        check_relative(name)
    except RecordError as error:
        return error
    return RecordError("not_a_sample", name) if _OF_SHARD.match(name) else None


def _take(sample: TarSample, suffix: str, info: tarfile.TarInfo, file: IO[bytes], max_bytes: int) -> None:
    """Read one file into the sample, or note what is wrong with it: then the rest of the sample is not needed."""
    sample.num_bytes += info.size
    try:
        if not suffix:
            raise _find_fault(sample.key) or RecordError("not_a_sample", sample.key)
        if not info.isreg() or info.issparse():
            raise RecordError("not_a_file", f"{info.name} is a link, a device or sparse")
        if sample.num_bytes > max_bytes:
            raise RecordError("record_too_large", f"{info.name}: {sample.num_bytes} bytes, at most {max_bytes}")
        if suffix in sample.files:
            raise RecordError("file_twice", info.name)
        if sample.fault is None:
            file.seek(info.offset_data)
            sample.files[suffix] = file.read(info.size)
    except RecordError as error:
        sample.files.clear()
        sample.fault = sample.fault or error


def _read_headers(path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the headers of the tar one by one."""
    try:
        with _Headers(path) as headers, tarfile.open(fileobj=headers, mode="r:") as tar:
            while (info := tar.next()) is not None:
                # The next header is behind this one, whatever size, even below 0, the header gives.
                if info.size < 0 or tar.offset <= info.offset:
                    raise InstructgenError(f"{path} byte {info.offset}: a file of {info.size} bytes; fetch it again")
                yield info
                tar.members = []  # type: ignore[attr-defined]  # it would remember them all
            _check_end(headers, tar.offset, path)
    except (tarfile.TarError, RecursionError, ValueError) as error:
        raise InstructgenError(f"{path} is no whole tar: {error}; unpack it (gunzip), or fetch it again") from None


def _check_end(file: "_Headers", offset: int, path: Path) -> None:
    """Raise InstructgenError unless the zeros that end a tar stand here: tarfile ends at a broken header as well."""
    file.seek(offset)
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise InstructgenError(f"{path} ends too early, at byte {offset + len(block)}; copy or download it again")
    if block.strip(b"\0"):
        raise InstructgenError(f"{path} byte {offset}: not the header of a file; copy or download it again")


class _Headers(FileIO):
    """What tarfile reads headers from. It would read one of any size, and one below 0 to the file's end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path = path

    def read(self, num_bytes: int | None = -1) -> bytes:
        if num_bytes is None or not 0 <= num_bytes <= _MAX_HEADER_BYTES:
            raise InstructgenError(f"{self._path} byte {self.tell()}: a header of {num_bytes} bytes; fetch it again")
        return super().read(num_bytes) or b""
