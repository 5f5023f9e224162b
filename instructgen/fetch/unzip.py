"""Unpacks what is expected of an archive, and nothing else: no path out of the folder, no link, a bounded size."""

import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from instructgen.errors import InstructgenError

_BLOCK_BYTES = 1 << 20


class Unpacked(Struct, frozen=True):
    """How many files are there now, and how many of the archive were none of those that were wanted."""

    num_files: int
    num_others: int


def unpack(
    archive: Path, out: Path, wanted: re.Pattern[str], max_bytes: int, on_bytes: Callable[[int], None]
) -> Unpacked:
    """Write the members whose whole name matches `wanted`; each file appears when it is whole.

    A file that is there with the member's size is left alone, so that a killed run goes on. Raises InstructgenError
    for an archive that is damaged, or that tries to write elsewhere.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [_check(member, archive) for member in opened.infolist() if not member.is_dir()]
            chosen = [member for member in members if wanted.fullmatch(member.filename)]
            total = sum(member.file_size for member in chosen)
            if total > max_bytes:
                raise InstructgenError(
                    f"{archive} unpacks to {total} bytes, at most {max_bytes} are allowed; --max-gb allows more"
                )
            if len({member.filename for member in chosen}) < len(chosen):
                raise InstructgenError(f"{archive} has two files of one name; download it from elsewhere")
            for member in chosen:
                _write(opened, member, out, on_bytes)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise InstructgenError(f"{archive} is damaged ({error}); remove it and fetch it again") from None
    return Unpacked(len(chosen), len(members) - len(chosen))


def _check(member: zipfile.ZipInfo, archive: Path) -> zipfile.ZipInfo:
    """Refuse an archive that holds what no archive of pictures does."""
    name = member.filename
    parts = PurePosixPath(name).parts
    leads_out = name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name
    kind = stat.S_IFMT(member.external_attr >> 16)
    if leads_out or kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
        what = "a path out of the folder" if leads_out else "what is no plain file"
        raise InstructgenError(f"{archive} holds {what} ({name[:80]!r}) and is not unpacked; fetch it from elsewhere")
    return member


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, out: Path, on_bytes: Callable[[int], None]) -> None:
    target = out / member.filename
    if target.is_file() and not target.is_symlink() and target.stat().st_size == member.file_size:
        on_bytes(member.file_size)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(out.resolve()):
        raise InstructgenError(f"{target.parent} is a link out of {out}; remove it")
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    with opened.open(member) as source, new.open("xb") as file:
        # zipfile gives no more than the member's told size, and checks its CRC at the end.
        while block := source.read(_BLOCK_BYTES):
            file.write(block)
            on_bytes(len(block))
        if file.tell() != member.file_size:
            raise zipfile.BadZipFile(f"{member.filename} ends early")
    new.replace(target)
