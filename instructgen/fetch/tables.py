"""Reads tables of addresses: TSV, CSV, plain lists, Parquet, JSON lines; a row that cannot be used has a reason.

Names of columns are those of CC3M, CC12M, SBU, LAION, COYO and DataComp, whatever their case. Memory does not grow
with the table.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.json_pieces import is_list, read_lines, read_list
from instructgen.dataset.imports.read import find_data
from instructgen.errors import InstructgenError
from instructgen.fetch.addresses import MAX_URL_CHARS, parse_url
from instructgen.fetch.reasons import Missed

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_NAMES = {
    "url": ("url", "image_url", "img_url"),
    "id": ("file_name", "filename", "id", "key", "sample_id", "uid", "image_id"),
    "caption": ("caption", "text", "alt_text"),
    "sha256": ("sha256",),
    "md5": ("md5",),
}
_MAX_LINE_BYTES = 1 << 20
_MAX_CAPTION_CHARS = 1 << 16
_ROWS_AT_ONCE = 1024
_BUFFER_BYTES = 1 << 20
_KEY_DIGITS = 32
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,127}")
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")  # Windows opens devices by these
_EXTENSION = re.compile(r"\.(?:jpe?g|png|webp|gif|bmp|tiff?)", re.IGNORECASE)
_HEX = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}
_URL_START = re.compile(r"https?://", re.IGNORECASE)


class Columns(Struct, frozen=True):
    """Names to use instead of those that are known; empty for the known ones."""

    url: str = ""
    id: str = ""
    caption: str = ""


_KNOWN = Columns()


class TableRow(Struct, frozen=True, gc=False):
    """A row that can be fetched. `number` counts the table's rows from 1; `key` names the picture's file."""

    number: int
    key: str
    url: str
    caption: str = ""
    sha256: str = ""
    md5: str = ""


class BadRow(Struct, frozen=True, gc=False):
    """A row that cannot. Its key is made of all that it holds, so that it stays the same."""

    number: int
    key: str
    reason: str
    detail: str
    url: str = ""
    caption: str = ""


def read_table(path: Path, columns: Columns = _KNOWN) -> Iterator[TableRow | BadRow]:
    """Yield the rows in order. Raises InstructgenError for a file that is no such table."""
    if not path.exists():
        raise InstructgenError(f"no table {path}")
    layout = "text" if path.is_file() and _is_text(path) else find_data(path).layout
    if layout == "Parquet":
        found = _read_parquet(find_data(path).paths, columns)
    elif layout == "text":
        found = _read_text(path, columns)
    else:
        found = _read_json(path, columns)
    for number, cells in enumerate(found, 1):
        yield make_row(number, cells)


def make_row(number: int, cells: Mapping[str, str] | None) -> TableRow | BadRow:
    """Check one row; None stands for one that could not be read."""
    if cells is None:
        return BadRow(number, f"row-{number}", "bad_row", "")
    url, caption = cells.get("url", "").strip(), cells.get("caption", "")
    if len(caption) > _MAX_CAPTION_CHARS or len(url) > 4 * MAX_URL_CHARS:
        return BadRow(number, f"row-{number}", "bad_row", "a cell is too long")

    def refuse(reason: str, detail: str = "") -> BadRow:
        key = make_key("\0".join([url, *(cells.get(name, "") for name in ("id", "sha256", "md5"))]))
        return BadRow(number, f"row-{number}" if not url else f"bad-{key}", reason, detail[:200], url, caption)

    parsed = parse_url(url)
    if isinstance(parsed, Missed):
        return refuse(parsed.reason, parsed.detail)
    sums = {name: cells.get(name, "").strip().lower() for name in _HEX}
    for name, pattern in _HEX.items():
        if sums[name] and not pattern.fullmatch(sums[name]):
            return refuse("bad_checksum", f"{name} {sums[name][:80]}")
    name = _EXTENSION.sub("", cells.get("id", "").strip()) if cells.get("id") else ""
    if name and (not _ID.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name)):
        return refuse("bad_id", name[:80])
    return TableRow(number, name or make_key(url), url, caption, sums["sha256"], sums["md5"])


def make_key(url: str) -> str:
    """Return the key of a picture that has no id."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_DIGITS]


def _is_text(path: Path) -> bool:
    """Return whether a file is neither Parquet nor JSON nor packed, which the reader of other data tells apart."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise InstructgenError(f"{path} is empty")
    is_packed = start.startswith((b"PAR1", b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\x28\xb5\x2f\xfd"))
    return not is_packed and start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"[")


def _pick(names: list[str], columns: Columns, path: Path) -> dict[str, int]:
    """Return field -> number of its column. Raises InstructgenError where there is no address."""
    lower = [name.strip().lower() for name in names]
    found: dict[str, int] = {}
    for field, known in _NAMES.items():
        wanted = getattr(columns, field, "")
        for name in (wanted.lower(),) if wanted else known:
            if name in lower:
                found[field] = lower.index(name)
                break
        else:
            if wanted or field == "url":
                told = ", ".join(names[:20])
                raise InstructgenError(
                    f"{path} has no column {wanted or 'url'}; it has {told}; give --{field}-column"
                )
    return found


def _read_text(path: Path, columns: Columns) -> Iterator[dict[str, str] | None]:
    with path.open("rb") as file:
        first = file.readline(_MAX_LINE_BYTES).decode("utf-8-sig", "replace").rstrip("\r\n")
    if path.suffix.lower() == ".txt" and "\t" not in first:
        delimiter = ""
    else:
        delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") or "\t" in first else ","
    rows = _split_lines(path, delimiter)
    head = next(rows) or []
    has_head = not any(_URL_START.match(cell) for cell in head)
    if has_head:
        places = _pick(head, columns, path)
    else:
        # CC3M (caption, address), CC12M (address, caption) and plain lists have no names of columns.
        at = next(number for number, cell in enumerate(head) if _URL_START.match(cell))
        places = {"url": at, **({"caption": 1 - at} if len(head) == 2 else {})}
        yield {field: head[place] for field, place in places.items()}
    for cells in rows:
        if cells is None or len(cells) <= max(places.values()):
            yield None
        else:
            yield {field: cells[place] for field, place in places.items()}


def _split_lines(path: Path, delimiter: str) -> Iterator[list[str] | None]:
    """Yield the cells of each line, None for one that is too long. Only CSV has quotes: CC3M's captions hold them."""
    lines = _read_bounded(path)
    if delimiter != ",":
        for line in lines:
            if line is None:
                yield None
            elif line.strip():
                yield line.split(delimiter) if delimiter else [line]
        return
    reader = csv.reader(line + "\n" if line is not None else "\0\n" for line in lines)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a quote that is never closed, or a NUL; the reader goes on with the next line
            yield None
        else:
            if cells:
                yield None if cells == ["\0"] else cells


def _read_bounded(path: Path) -> Iterator[str | None]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE_BYTES):
            number += 1
            is_cut = not line.endswith(b"\n") and len(line) == _MAX_LINE_BYTES
            while is_cut and (rest := file.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
            yield None if is_cut else text.rstrip("\r\n")


def _read_parquet(paths: tuple[Path, ...], columns: Columns) -> Iterator[dict[str, str] | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        try:
            with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES) as file:
                yield from _read_rows(file, path, columns)
        except pa.ArrowException as error:
            raise InstructgenError(f"{path} cannot be read: {error}; copy or download it again") from None


def _read_rows(file: "pq.ParquetFile", path: Path, columns: Columns) -> Iterator[dict[str, str]]:
    names = file.schema_arrow.names
    places = _pick(names, columns, path)
    wanted = [names[place] for place in places.values()]
    for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=wanted):
        cells = [batch.column(name).to_pylist() for name in wanted]
        for row in zip(*cells, strict=True):
            yield dict(zip(places, map(_to_text, row), strict=True))


def _read_json(path: Path, columns: Columns) -> Iterator[dict[str, str] | None]:
    places: dict[str, str] | None = None
    for piece in (read_list if is_list(path) else read_lines)(path):
        try:
            record = msgspec.json.decode(piece.text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield None
            continue
        if places is None or places["url"] not in record:
            try:
                names = list(record)
                places = {field: names[place] for field, place in _pick(names, columns, path).items()}
            except InstructgenError:
                if places is None:
                    raise
        yield {field: _to_text(record.get(name)) for field, name in places.items()}


def _to_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    return value if isinstance(value, str) else str(value)
