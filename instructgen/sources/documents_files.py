"""Reads documents out of files, one at a time: JSON lines, zipped or not, tar shards, Parquet, tables of pairs."""

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.records import Rejected
from instructgen.sources.clips import CLIP_SUFFIXES
from instructgen.sources.documents import Document, DocumentError, DocumentPicture, read_document
from instructgen.sources.documents_choose import Media
from instructgen.sources.documents_media import FolderMedia, PairMedia, TarMedia
from instructgen.sources.pairs_files import find_files
from instructgen.sources.pairs_pictures import split_name
from instructgen.surrogate.captions import clean_caption

if TYPE_CHECKING:
    import pyarrow as pa

Found = tuple[Document | Rejected, Media]
_MAX_RECORD_BYTES = 64 << 20
_MAX_TEXT_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20
_ROWS_AT_ONCE = 64
_DOCUMENT_KEYS = frozenset(("text_list", "texts", "parts", "video", "clip"))
_COLUMNS = (*("id", "sample_id", "texts", "images", "parts"), *("video", "clip", "caption", "text"))
_SUFFIXES = (".jsonl", ".zip", ".tar", ".parquet")


def read_documents(config: SourceConfig) -> Iterator[Found]:
    """Yield the documents of --root in the order of its files, each with where its pictures are.

    Raises InstructgenError for a path that holds none, and for files that cannot be used at all.
    """
    if config.root is None:
        raise InstructgenError("documents are read from --root PATH: a file of them, or a folder")
    root = Path(config.root)
    images = config.documents.images
    if images is not None and not Path(images).is_dir():
        raise InstructgenError(f"[source.documents] images: no folder {images}")
    files = _find_files(root)
    if files is None:
        yield from _read_pairs(root, config)
        return
    for file in files:
        media = FolderMedia(Path(images) if images is not None else _find_folder(file, root))
        label = file.relative_to(root).as_posix() if root.is_dir() else file.name
        for number, (record, own) in enumerate(_read_records(file, media), 1):
            document_id = f"interleaved/{label}-{number:09d}"
            if isinstance(record, DocumentError):
                yield Rejected(document_id, "source", record.fault.reason, record.fault.detail), own
                continue
            try:
                yield _with_id(read_document(record, document_id)), own
            except DocumentError as error:
                yield Rejected(document_id, "source", error.fault.reason, error.fault.detail), own


def _with_id(document: Document) -> Document:
    if document.document_id.startswith("interleaved/"):
        return document
    return msgspec.structs.replace(document, document_id=f"interleaved/{document.document_id}")


def _find_files(root: Path) -> list[Path] | None:
    """Return the files of documents; None for what tables of pairs are read from."""
    if root.is_file():
        return [root] if _has_documents(root) else None
    if not root.is_dir():
        raise InstructgenError(f"no file or folder {root}")
    if clips := _list_clips(root):
        return sorted({clip.parent for clip in clips})
    found = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    kinds = {path.suffix for path in found if _has_documents(path)}
    if len(kinds) > 1:
        raise InstructgenError(f"{root} has documents of several kinds ({', '.join(sorted(kinds))}); give one file")
    return [path for path in found if path.suffix in kinds] if kinds else None


def _list_clips(root: Path) -> list[Path]:
    """Return the clips of a folder that have their text beside them."""
    clips = sorted(path for path in root.rglob("*") if path.suffix.lower().removeprefix(".") in CLIP_SUFFIXES)
    return [path for path in clips if path.with_suffix(".txt").is_file()]


def _has_documents(path: Path) -> bool:
    """Return whether a file holds documents, or clips with their texts, by its first record."""
    if path.suffix == ".zip":
        return True
    if path.suffix == ".jsonl":
        with path.open("rb") as lines:
            first_line = next(_read_lines(lines), {})
        return isinstance(first_line, DocumentError) or not _DOCUMENT_KEYS.isdisjoint(first_line)
    if path.suffix == ".parquet":
        return not _DOCUMENT_KEYS.isdisjoint(_read_names(path))
    if path.suffix == ".tar":
        first = next(_read_tar(path), None)
        is_pair = isinstance(first, tuple) and isinstance(first[0], dict) and "image" in first[0]
        return first is not None and not is_pair
    return False


def _read_names(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise InstructgenError(f"{path} cannot be read: {error}; copy or download it again") from None


def _find_folder(file: Path, root: Path) -> Path | None:
    """Return where pictures are: in images/ beside the lines, or beside the folder data/; else beside the lines."""
    places = (root, file.parent, file.parent.parent) if root.is_dir() else (file.parent,)
    return next((one / "images" for one in places if (one / "images").is_dir()), file.parent)


_Records = Iterator[tuple[dict[str, Any] | DocumentError, Media]]


def _read_records(file: Path, media: FolderMedia) -> _Records:
    if file.is_dir():
        for clip in (path for path in _list_clips(file) if path.parent == file):
            text = clip.with_suffix(".txt").read_bytes()[:_MAX_TEXT_BYTES].decode("utf-8-sig", "surrogateescape")
            yield {"video": clip.name, "caption": clean_caption(text), "id": clip.stem}, FolderMedia(file)
    elif file.suffix == ".tar":
        yield from _read_tar(file)
    elif file.suffix == ".parquet":
        yield from ((row, media) for row in _read_parquet(file))
    elif file.suffix == ".zip":
        yield from ((record, media) for record in _read_zip(file))
    else:
        with file.open("rb") as lines:
            yield from ((record, media) for record in _read_lines(lines))


def _read_lines(lines: BinaryIO) -> Iterator[dict[str, Any] | DocumentError]:
    while line := lines.readline(_MAX_RECORD_BYTES + 1):
        if len(line) > _MAX_RECORD_BYTES and not line.endswith(b"\n"):
            while (rest := lines.readline(_BLOCK_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield DocumentError("record_too_large", f"more than {_MAX_RECORD_BYTES} bytes")
        elif line.strip():
            yield _decode(line)


def _decode(line: bytes) -> dict[str, Any] | DocumentError:
    try:
        record = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DocumentError("not_json", str(error))
    return record if isinstance(record, dict) else DocumentError("not_json", "the line is no object")


def _read_zip(path: Path) -> Iterator[dict[str, Any] | DocumentError]:
    """MMC4 comes as a zip of one file of lines for each shard."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if name.endswith(".jsonl")):
                with archive.open(name) as lines:
                    yield from _read_lines(lines)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InstructgenError(f"{path} is no whole zip file: {error}; copy or download it again") from None


def _read_parquet(path: Path) -> Iterator[dict[str, Any] | DocumentError]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, buffer_size=_BLOCK_BYTES, pre_buffer=False) as file:
            columns = [name for name in file.schema_arrow.names if name in _COLUMNS]
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
                yield from (_read_row(batch.slice(number, 1)) for number in range(batch.num_rows))
    except (pa.ArrowException, OSError) as error:
        raise InstructgenError(f"{path} cannot be read: {error}; copy or download it again") from None


def _read_row(row: "pa.RecordBatch") -> dict[str, Any] | DocumentError:
    try:
        found = row.to_pylist()[0]
    except UnicodeDecodeError:
        return DocumentError("broken_text", "a text is not UTF-8")
    if isinstance(found.get("parts"), list):  # Arrow's structs have every key
        parts = [
            {key: value for key, value in part.items() if value is not None} if part else part
            for part in found["parts"]
        ]
        return {**found, "parts": parts}
    return dict(found)


def _read_tar(path: Path) -> _Records:
    """Yield the samples of a webdataset shard: a JSON of a document, or a clip with its text or JSON."""
    for stem, group in _list_groups(path):
        media = TarMedia(path, dict(group.values()))
        clip = next((group[suffix][0] for suffix in CLIP_SUFFIXES if suffix in group), None)
        facts: dict[str, Any] | DocumentError = {}
        if "json" in group:
            facts = _decode(media.read(group["json"][0]) or b"")
        if isinstance(facts, DocumentError):
            yield facts, media
        elif clip is not None:
            text = media.read(group["txt"][0]) if "txt" in group else None
            caption = facts.get("caption") if text is None else text.decode("utf-8-sig", "surrogateescape")
            yield {"video": clip, "caption": clean_caption(str(caption or "")), "id": stem}, media
        else:
            is_document = any(key in facts for key in ("text_list", "texts", "parts"))
            yield (facts if is_document else {"image": stem, "caption": facts.get("caption", "")}), media


def _list_groups(path: Path) -> Iterator[tuple[str, dict[str, tuple[str, tuple[int, int]]]]]:
    """Yield what stands together in a shard: suffix -> name, and where its bytes are."""
    stem, group = "", dict[str, tuple[str, tuple[int, int]]]()
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
                own_stem, suffix = split_name(member.name.removeprefix("./"))
                if not member.isreg() or not own_stem:
                    continue
                if own_stem != stem and group:
                    yield stem, group
                    group = {}
                stem = own_stem
                group[suffix] = (member.name.removeprefix("./"), (member.offset_data, member.size))
    except (tarfile.TarError, OSError) as error:
        raise InstructgenError(f"{path} is no whole tar file: {error}; copy or download it again") from None
    if group:
        yield stem, group


def _read_pairs(root: Path, config: SourceConfig) -> Iterator[Found]:
    """Yield tables and shards of image-text pairs, as the source `pairs` reads them."""
    for file in find_files(root, config.columns):
        label = file.path.relative_to(root).as_posix() if file.path != root and root.is_dir() else file.path.name
        for pair in file.rows(with_pictures=True):
            document_id = f"interleaved/{label}-{pair.row:09d}"
            media = PairMedia(file, pair)
            if pair.reason:
                yield Rejected(document_id, "source", pair.reason, pair.detail), media
                continue
            picture = DocumentPicture(pair.file_name, 0, url=pair.url)
            yield Document(document_id, "pair", (pair.caption,), (picture,)), media
