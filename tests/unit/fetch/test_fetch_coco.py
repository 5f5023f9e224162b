"""COCO's archives from a server on this machine: fetched, checked, unpacked, and nothing written elsewhere."""

import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.fetch.coco import Archive, CocoOptions, fetch_coco
from instructgen.fetch.options import Limits
from tests.support.picture_server import PictureServer, answer, cut, in_turn, make_jpeg, serve

NAMES = {"annotations": "annotations/annotations_trainval2017.zip", "images": "zips/val2017.zip"}


class Silent:
    """Implements CocoWatch."""

    def begin(self, stage: str, num_bytes: int | None) -> None: ...

    def bytes(self, num_bytes: int) -> None: ...


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer() as made:
        yield made


def make_zip(members: dict[str, bytes], *, mode: int = stat.S_IFREG | 0o644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in members.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            opened.writestr(member, body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


PICTURES = {f"val2017/{number:012}.jpg": make_jpeg(number) for number in range(3)}
ANNOTATIONS = {
    "annotations/captions_val2017.json": b"{}",
    "annotations/instances_val2017.json": b"{} ",
    "annotations/instances_train2017.json": b"{}  ",
}


def run(server: PictureServer, out: Path, **changes: object) -> list[Archive]:
    options = CocoOptions(
        split="val2017",
        base_url=server.url("").rstrip("/"),
        md5=None,
        limits=Limits(allows_private=True, total_timeout_s=0),
    )
    from msgspec.structs import replace

    return fetch_coco(out, replace(options, **changes), Silent())


def test_split_is_unpacked_into_the_folder_that_the_source_reads(server: PictureServer, tmp_path: Path) -> None:
    server.add(NAMES["images"], make_zip(PICTURES))
    server.add(NAMES["annotations"], make_zip(ANNOTATIONS))
    found = run(server, tmp_path)
    assert [(archive.folder, archive.num_files) for archive in found] == [("annotations", 2), ("val2017", 3)]
    assert (tmp_path / "val2017" / "000000000001.jpg").read_bytes() == make_jpeg(1)
    assert sorted(path.name for path in (tmp_path / "annotations").iterdir()) == [
        "captions_val2017.json",
        "instances_val2017.json",
    ]
    assert not list((tmp_path / ".fetch").glob("*.zip"))


def test_second_run_asks_for_nothing(server: PictureServer, tmp_path: Path) -> None:
    server.add(NAMES["images"], make_zip(PICTURES))
    run(server, tmp_path, what=("images",))
    assert run(server, tmp_path, what=("images",))[0].was_there
    assert len(server.log) == 1
    (tmp_path / "val2017" / "000000000001.jpg").unlink()
    assert not run(server, tmp_path, what=("images",))[0].was_there
    assert len(server.log) == 2


def test_archive_goes_on_where_the_connection_ended(server: PictureServer, tmp_path: Path) -> None:
    body = make_zip({f"val2017/{n}.jpg": make_jpeg(n, side=200, quality=100) for n in range(10)})
    half = len(body) // 2
    server.add(NAMES["images"], in_turn(cut(body, half), answer(503, Retry_After="0"), serve(body)))
    assert run(server, tmp_path, what=("images",))[0].num_files == 10
    assert [each.range for each in server.log] == ["", f"bytes={half}-", f"bytes={half}-"]


def test_archive_that_is_not_cocos_own_is_refused(server: PictureServer, tmp_path: Path) -> None:
    body = make_zip(PICTURES)
    server.add(NAMES["images"], body)
    right = hashlib.md5(body).hexdigest()
    with pytest.raises(InstructgenError, match=f"its md5 is {right}"):
        run(server, tmp_path, what=("images",), md5={"val2017": "0" * 32})
    assert not (tmp_path / "val2017").exists()
    assert run(server, tmp_path, what=("images",), md5={"val2017": right})[0].md5 == right


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../outside.jpg", stat.S_IFREG),
        ("val2017/../../outside.jpg", stat.S_IFREG),
        ("/outside.jpg", stat.S_IFREG),
        ("val2017\\..\\outside.jpg", stat.S_IFREG),
        ("C:outside.jpg", stat.S_IFREG),
        ("val2017/link.jpg", stat.S_IFLNK),
        ("val2017/pipe.jpg", stat.S_IFIFO),
    ],
)
def test_archive_that_would_write_elsewhere_is_not_unpacked(
    server: PictureServer, tmp_path: Path, name: str, mode: int
) -> None:
    server.add(NAMES["images"], make_zip({**PICTURES, name: b"/etc/passwd"}, mode=mode | 0o644))
    with pytest.raises(InstructgenError, match="not unpacked"):
        run(server, tmp_path / "out", what=("images",))
    assert not list(tmp_path.rglob("*outside*"))
    assert not list((tmp_path / "out").rglob("*.jpg"))


def test_archive_that_unpacks_to_too_much_is_refused(server: PictureServer, tmp_path: Path) -> None:
    server.add(NAMES["images"], make_zip({"val2017/a.jpg": bytes(2_000_000)}))
    with pytest.raises(InstructgenError, match="unpacks to 2000000 bytes, at most 100000"):
        run(server, tmp_path, what=("images",), max_bytes=100_000)


def test_folder_that_is_a_link_out_is_not_written_through(server: PictureServer, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "val2017").symlink_to(tmp_path / "elsewhere")
    server.add(NAMES["images"], make_zip(PICTURES))
    with pytest.raises(InstructgenError, match="is a link out of"):
        run(server, tmp_path / "out", what=("images",))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_damaged_archive_leaves_no_half_picture(server: PictureServer, tmp_path: Path) -> None:
    body = bytearray(make_zip({"val2017/a.jpg": make_jpeg(1, side=100)}))
    body[200] ^= 0xFF
    server.add(NAMES["images"], bytes(body))
    with pytest.raises(InstructgenError, match="damaged"):
        run(server, tmp_path, what=("images",))
    assert not list((tmp_path / "val2017").glob("*.jpg"))


@pytest.mark.parametrize(
    ("act", "told"),
    [(answer(404), "gone_404"), (answer(200, b"<html>" * 20), "html_page"), (answer(403), "refused_403")],
)
def test_what_the_server_said_is_told(server: PictureServer, tmp_path: Path, act: object, told: str) -> None:
    server.add(NAMES["images"], act)  # type: ignore[arg-type]
    with pytest.raises(InstructgenError, match=told):
        run(server, tmp_path, what=("images",))


def test_unknown_split_is_told_with_those_that_are(server: PictureServer, tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="there are: train2014"):
        run(server, tmp_path, split="val2018")
