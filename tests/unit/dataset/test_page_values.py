import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructgen.dataset.reading.page_values import find_values

PICTURES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def write(path: Path, rows: list[list[bytes | None] | None], **options: Any) -> tuple[memoryview, Any]:
    """Return the pages of the first row group's pictures, and what the file says of them."""
    column = [row and [{"bytes": picture, "path": "x"} for picture in row] for row in rows]
    settings = {"compression": "none", "use_dictionary": False, **options}
    pq.write_table(pa.table({"images": pa.array(column, PICTURES)}), path, **settings)
    leaf = pq.read_metadata(path).row_group(0).column(0)
    assert leaf.path_in_schema == "images.list.element.bytes"
    first = leaf.data_page_offset
    return memoryview(path.read_bytes())[first : first + leaf.total_compressed_size], leaf


def make_rows(num_rows: int) -> list[list[bytes | None] | None]:
    generator = random.Random(0)
    return [[generator.randbytes(generator.randrange(5000)) for _ in range(row % 4)] for row in range(num_rows)]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("chunking", [False, True])
@pytest.mark.parametrize("page_bytes", [1000, 1 << 20])
@pytest.mark.parametrize("checksums", [False, True])
def test_values_are_found_in_every_kind_of_plain_page(
    tmp_path: Path, version: str, chunking: bool, page_bytes: int, checksums: bool
) -> None:
    rows = make_rows(200)
    options = {"data_page_version": version, "data_page_size": page_bytes, "write_page_checksum": checksums}
    chunk, _ = write(tmp_path / "x.parquet", rows, use_content_defined_chunking=chunking, **options)
    found = find_values(chunk)
    assert found is not None
    assert [bytes(chunk[at : at + size]) for at, size in found] == [picture for row in rows for picture in row or ()]


def test_nulls_have_no_place_in_the_file(tmp_path: Path) -> None:
    chunk, _ = write(tmp_path / "x.parquet", [[b"a", None], None, [b"ccc"], []])
    found = find_values(chunk)
    assert found is not None
    assert [bytes(chunk[at : at + size]) for at, size in found] == [b"a", b"ccc"]


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zstd"},
        {"compression": "snappy", "data_page_version": "2.0"},
        {"column_encoding": {"images.list.element.bytes": "DELTA_BYTE_ARRAY"}},
        {"column_encoding": {"images.list.element.bytes": "DELTA_LENGTH_BYTE_ARRAY"}},
    ],
)
def test_pages_of_another_kind_are_left_to_the_parquet_reader(tmp_path: Path, options: dict[str, Any]) -> None:
    chunk, _ = write(tmp_path / "x.parquet", [[b"a" * 5000], [b"b" * 5000]], **options)
    assert find_values(chunk) is None


def test_damaged_pages_give_none_or_places_inside_the_chunk(tmp_path: Path) -> None:
    """Never a place outside, an exception or an endless loop, whatever byte is wrong."""
    chunk, _ = write(tmp_path / "x.parquet", make_rows(12), data_page_size=2000)
    generator = random.Random(1)
    num_none = 0
    for _ in range(3000):
        damaged = bytearray(chunk)
        at = generator.choice([generator.randrange(len(damaged)), generator.randrange(60)])
        damaged[at] = generator.randrange(256)
        found = find_values(
            memoryview(damaged)[: generator.choice([len(damaged), generator.randrange(len(damaged))])]
        )
        num_none += found is None
        assert found is None or all(first >= 0 and first + size <= len(damaged) for first, size in found)
    assert num_none > 1000


def test_value_that_would_not_end_with_its_page_is_refused(tmp_path: Path) -> None:
    chunk, _ = write(tmp_path / "x.parquet", [[b"a" * 300], [b"b" * 300]])
    found = find_values(chunk)
    assert found is not None
    longer = bytearray(chunk)
    longer[found[-1][0] - 4] += 1
    assert find_values(memoryview(longer)) is None


def test_numbers_without_an_end_are_refused_at_once() -> None:
    assert find_values(memoryview(b"\x15" + b"\xff" * 5_000_000)) is None
    assert find_values(memoryview(b"\x1c" * 100_000)) is None
