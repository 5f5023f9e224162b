"""Which files make up a table of pairs, told from a path."""

import os
from collections.abc import Callable
from pathlib import Path

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.sources.pairs_json import JsonFile
from instructgen.sources.pairs_parquet import ParquetFile, find_index
from instructgen.sources.pairs_pictures import PICTURE_SUFFIXES, PictureFolder, TarFile, split_name
from instructgen.sources.pairs_rows import PairFile
from instructgen.sources.pairs_text import JsonLinesFile, TsvFile, TwoFiles

_TABLES: dict[str, Callable[[Path, ColumnsConfig], PairFile]] = {
    ".tsv": TsvFile,
    ".parquet": ParquetFile,
    ".jsonl": JsonLinesFile,
    ".json": JsonFile,
}
_KNOWN = (
    "tar shards, pictures with .txt or .json beside them, or tables (.parquet, .tsv, .jsonl, .json, SBU's two .txt)"
)


def find_files(path: Path, columns: ColumnsConfig) -> tuple[PairFile, ...]:
    """Return the files of a table, by name. Raises InstructgenError for a path that holds none, or several kinds."""
    if path.is_file():
        return (_open_file(path, columns),)
    if not path.is_dir():
        raise InstructgenError(f"no file or folder {path}; wants {_KNOWN}")
    if index := find_index(path):
        return (ParquetFile(index, columns),)
    found = _list_files(path)
    if found is None:
        return (PictureFolder(path),)
    if tars := found.get(".tar"):
        return tuple(TarFile(one, one.relative_to(path).as_posix()) for one in tars)
    if two := _find_two(found.get(".txt", [])):
        return (two,)
    kinds = [kind for kind in _TABLES if found.get(kind)]
    if len(kinds) > 1:
        raise InstructgenError(f"{path} has tables of several kinds ({', '.join(kinds)}); give the path of one file")
    if not kinds:
        raise InstructgenError(f"{path} holds no pairs; wants {_KNOWN}")
    return tuple(_TABLES[kinds[0]](one, columns) for one in found[kinds[0]])


def _open_file(path: Path, columns: ColumnsConfig) -> PairFile:
    kind = path.suffix.lower()
    if kind == ".tar":
        return TarFile(path, path.name)
    if kind == ".txt":
        two = _find_two(sorted(path.parent.glob("*.txt")))
        if two is not None:
            return two
    if kind not in _TABLES:
        raise InstructgenError(f"{path}: pairs are not read from '{kind}' files; wants {_KNOWN}")
    return _TABLES[kind](path, columns)


def _list_files(root: Path) -> dict[str, list[Path]] | None:
    """Return the files of a folder by suffix, or None for a folder of pictures with their captions beside them."""
    found: dict[str, list[Path]] = {}
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        if _has_captioned_picture(names):
            return None
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() in (*_TABLES, ".tar", ".txt") and not name.endswith("_stats.json"):
                found.setdefault(path.suffix.lower(), []).append(path)
    return found


def _has_captioned_picture(names: list[str]) -> bool:
    there = {split_name(name) for name in names}
    pictures = {stem for stem, suffix in there if suffix in PICTURE_SUFFIXES}
    return any(stem in pictures for stem, suffix in there if suffix in ("txt", "json"))


def _find_two(texts: list[Path]) -> TwoFiles | None:
    captions = [path for path in texts if "caption" in path.name.lower() and "url" not in path.name.lower()]
    urls = [path for path in texts if "url" in path.name.lower()]
    return TwoFiles(captions[0], urls[0]) if len(captions) == len(urls) == 1 else None
