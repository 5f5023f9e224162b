"""SHA256SUMS: the digest of every file of a version, as `sha256sum -c` reads it."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from instructgen.errors import InstructgenError

SUMS_NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_DRIVE = re.compile(r"[A-Za-z]:")
_READ_BYTES = 1 << 20


def is_inside(path: str) -> bool:
    """Return whether the path of a version's file stays in its folder, on any system."""
    parts = path.split("/")
    if "\\" in path or "\0" in path or any(_DRIVE.match(part) for part in parts):
        return False
    return not {"", ".", ".."}.intersection(parts)


def make_sums(folder: Path, known: Mapping[str, str] | None = None) -> bytes:
    """Return the file's content for all files of the folder but itself, in the order of their paths.

    `known` are digests by path that were taken when the files were written; these are not read again.
    """
    digests = dict(known or {})
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = []
    for path in paths:
        if path == SUMS_NAME:
            continue
        if path not in digests:
            with (folder / path).open("rb") as file:
                digests[path] = hash_stream(file)
        lines.append(f"{digests[path]}  {path}\n")
    return "".join(lines).encode()


def parse_sums(content: bytes) -> dict[str, str]:
    """Return path -> digest.

    Raises InstructgenError for anything that is not exactly as `make_sums` writes it, and for a path that leads out
    of the version's folder.
    """
    sums: dict[str, str] = {}
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise InstructgenError(f"{SUMS_NAME} is not text: {error}") from None
    if lines.pop() != "":
        raise InstructgenError(f"{SUMS_NAME} is cut off")
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in sums:
            raise InstructgenError(f"{SUMS_NAME} line {number} is not a digest and a path of its own")
        if not is_inside(found[2]):
            raise InstructgenError(
                f"{SUMS_NAME} line {number} names {found[2]!r}, which is not inside of the version"
            )
        sums[found[2]] = found[1]
    return sums


def hash_stream(file: BinaryIO) -> str:
    """Return the sha256 (hex) of what is left to read."""
    digest = hashlib.sha256()
    while block := file.read(_READ_BYTES):
        digest.update(block)
    return digest.hexdigest()
