"""Whatever changes in a published version is found."""

import random
import shutil
from pathlib import Path

import pytest

from instructgen.dataset.manifest import MANIFEST_NAME
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.sums import SUMS_NAME, make_sums, parse_sums
from instructgen.dataset.verify import verify_version
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version

NUM_FLIPS = 1000


@pytest.fixture
def version(tmp_path: Path) -> LocalVersion:
    rows = [make_row_of(number, picture=bytes(range(number, 200 + number))) for number in range(1, 20)]
    return write_version(tmp_path / "v", [*rows, make_row_of(1, "detail")], rejected=b'{"unit_id": "x"}\n')


def reasons(folder: Path, name: str, *, is_deep: bool = False) -> dict[str, str]:
    return {one.path: one.reason for one in verify_version(LocalVersion(folder), name, is_deep=is_deep)}


def test_whole_version_has_no_damage(version: LocalVersion) -> None:
    seen: list[str] = []
    found = verify_version(version, version.manifest.version, is_deep=True, watch=seen.append)
    assert found == []
    assert {*seen, SUMS_NAME} == set(version.paths())


def test_every_flipped_bit_is_found(version: LocalVersion) -> None:
    name = version.manifest.version
    paths = [path for path in version.folder.rglob("*") if path.is_file()]
    draw = random.Random(0)
    touched = set()
    for number in range(NUM_FLIPS):
        path = paths[number % len(paths)]
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        assert verify_version(LocalVersion(version.folder), name) != [], f"{path.name}, flip {number}"
        path.write_bytes(whole)
        touched.add(path.name)
    assert len(touched) == len(paths) == 6
    assert verify_version(LocalVersion(version.folder), name) == []


def test_missing_and_added_files_are_found(version: LocalVersion) -> None:
    (version.folder / "README.md").unlink()
    shutil.copy(version.folder / version.manifest.shards[0].path, version.folder / "data" / "train-9.parquet")
    assert reasons(version.folder, version.manifest.version) == {
        "README.md": "missing",
        "data/train-9.parquet": "unlisted",
    }


def test_cut_off_shard_is_found(version: LocalVersion) -> None:
    path = version.folder / version.manifest.shards[0].path
    path.write_bytes(path.read_bytes()[:-10])
    assert reasons(version.folder, version.manifest.version) == {version.manifest.shards[0].path: "differs"}


def test_version_under_another_name_is_found(version: LocalVersion) -> None:
    assert reasons(version.folder, "0" * 12) == {MANIFEST_NAME: "name_differs"}


def test_shard_replaced_with_its_digest_is_found_by_its_rows(version: LocalVersion, tmp_path: Path) -> None:
    """Someone who writes all digests anew still cannot keep the name."""
    other = write_version(tmp_path / "w", [make_row_of(n, picture=b"other") for n in range(1, 20)])
    first, new = version.manifest.shards[0], other.manifest.shards[0]
    shutil.copy(other.folder / new.path, version.folder / first.path)
    text = (version.folder / MANIFEST_NAME).read_text()
    for old_digest, new_digest in ((first.sha256, new.sha256), (first.content_sha256, new.content_sha256)):
        text = text.replace(old_digest, new_digest)
    (version.folder / MANIFEST_NAME).write_text(text)
    (version.folder / SUMS_NAME).write_bytes(make_sums(version.folder))
    # The digest of one shard's rows is that of its series too, here; so the name is already wrong.
    assert reasons(version.folder, version.manifest.version)[MANIFEST_NAME] == "name_differs"


def test_rows_are_read_on_request(version: LocalVersion, tmp_path: Path) -> None:
    other = write_version(tmp_path / "w", [make_row_of(n, picture=b"other") for n in range(1, 20)])
    first, new = version.manifest.shards[0], other.manifest.shards[0]
    shutil.copy(other.folder / new.path, version.folder / first.path)
    text = (version.folder / MANIFEST_NAME).read_text().replace(first.sha256, new.sha256)
    (version.folder / MANIFEST_NAME).write_text(text)
    (version.folder / SUMS_NAME).write_bytes(make_sums(version.folder))
    assert reasons(version.folder, version.manifest.version) == {}
    assert "rows_differ" in reasons(version.folder, version.manifest.version, is_deep=True).values()


def test_missing_sums_are_damage(version: LocalVersion) -> None:
    (version.folder / SUMS_NAME).unlink()
    assert reasons(version.folder, version.manifest.version) == {SUMS_NAME: "missing"}


@pytest.mark.parametrize("num_lines", range(6))
def test_sums_cut_at_a_line_are_found(version: LocalVersion, num_lines: int) -> None:
    lines = (version.folder / SUMS_NAME).read_bytes().splitlines(keepends=True)
    (version.folder / SUMS_NAME).write_bytes(b"".join(lines[:num_lines] if num_lines < len(lines) else lines[1:]))
    assert reasons(version.folder, version.manifest.version) != {}


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"a" * 64 + b"  x", b"A" * 64 + b"  x\n", b"a" * 64 + b" x\n", (b"a" * 64 + b"  x\n") * 2],
    ids=["not_text", "cut_off", "upper_case", "one_space", "twice"],
)
def test_sums_are_read_strictly(content: bytes) -> None:
    with pytest.raises(InstructgenError, match=SUMS_NAME):
        parse_sums(content)


@pytest.mark.parametrize("path", ["../x", "a/../x", "/x", "a//x", "C:/x", "a\\x", "a\0x", "./x", "a/"])
def test_sums_of_a_file_outside_are_refused(path: str) -> None:
    with pytest.raises(InstructgenError, match=r"line 1 names .* not inside of the version"):
        parse_sums(f"{'a' * 64}  {path}\n".encode())


def test_sums_are_as_the_systems_tool_reads_them(version: LocalVersion) -> None:
    sums = parse_sums((version.folder / SUMS_NAME).read_bytes())
    assert set(sums) == set(version.paths()) - {SUMS_NAME}
    assert (version.folder / SUMS_NAME).read_text().splitlines()[0] == f"{sums['README.md']}  README.md"
