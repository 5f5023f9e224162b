"""Encoded datasets on disk, so that a run that goes on does not tokenise again.

A folder is named by everything that its content follows from, and gets its name when it is whole. It may be deleted
at any time.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock
from msgspec import Struct
from numpy.typing import NDArray

from instructgen.dataset.shards import hash_file
from instructgen.disk import sync
from instructgen.errors import InstructgenError
from instructgen.train.encode import RowEncoder
from instructgen.train.example_pictures import PictureStore
from instructgen.train.example_rows import PicturePlace, RowSource
from instructgen.train.example_set import ExampleSet, Summary

_FORMAT = 3
_NAMES = "names.json"
_ARRAYS = (
    *("ids", "is_trained", "offsets", "picture_numbers", "picture_offsets"),
    *("frames", "frame_offsets", "sees_next"),
)


class _Names(Struct, frozen=True):
    sample_ids: list[str]
    keys: list[str]
    places: list[PicturePlace]
    tokens_per_image: int
    summary: Summary
    sha256: dict[str, str]
    """Of each array's file."""


def name_cache(source: RowSource, encoder: RowEncoder) -> str:
    """Return the name of what the encoder makes of the rows."""
    return hashlib.sha256(f"{_FORMAT} {source.identity} {encoder.identity}".encode()).hexdigest()[:32]


def hold_cache(cache: Path) -> FileLock:
    """Return the lock of the folder of caches, to be held while one is read or written."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstructgenError(f"{cache} cannot keep encoded samples: {error}") from None
    return FileLock(cache.with_name(f"{cache.name}.lock"))


def read_cache(folder: Path, source: RowSource, image_folder: Path | None) -> ExampleSet | None:
    """Return what is kept in a folder, or None where that is nothing, or cannot be read any more."""
    try:
        names = msgspec.json.decode((folder / _NAMES).read_bytes(), type=_Names)
        if any(hash_file(folder / f"{name}.npy") != names.sha256.get(name) for name in _ARRAYS):
            return None
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    except (OSError, EOFError, ValueError, msgspec.MsgspecError):
        return None
    store = PictureStore(names.keys, names.places, source.files, image_folder)
    return ExampleSet(
        **arrays,
        sample_ids=names.sample_ids,
        pictures=store,
        tokens_per_image=names.tokens_per_image,
        summary=names.summary,
    )


def write_cache(folder: Path, examples: ExampleSet) -> None:
    """Keep a dataset; one that another process has kept meanwhile is the same, and stays."""
    try:
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InstructgenError(f"{folder.parent} cannot keep encoded samples: {error}") from None
    try:
        for name in _ARRAYS:
            array: NDArray[np.generic] = getattr(examples, name)
            np.save(new / f"{name}.npy", array, allow_pickle=False)
            sync(new / f"{name}.npy")
        store = examples.pictures
        names = _Names(
            list(examples.sample_ids),
            store.keys,
            store.places,
            examples.tokens_per_image,
            examples.summary,
            {name: hash_file(new / f"{name}.npy") for name in _ARRAYS},
        )
        (new / _NAMES).write_bytes(msgspec.json.encode(names))
        sync(new / _NAMES)
        new.rename(folder)
    except OSError as error:
        if not (folder / _NAMES).is_file():
            raise InstructgenError(f"{folder.parent} cannot keep encoded samples: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
