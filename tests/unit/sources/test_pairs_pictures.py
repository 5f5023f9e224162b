"""Pictures with their captions beside them: tar shards and folders of files."""

import json
from pathlib import Path

import pytest

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.sources.pairs import PairsSource
from tests.support.pair_tables import captions_of, make_jpeg, make_shard, read_pairs, reasons_of, write_tar


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_shard_yields_keys_captions_and_the_pictures_own_size(tmp_path: Path) -> None:
    make_shard(tmp_path / "00000.tar", 2)
    _, second = read_pairs(tmp_path)
    assert isinstance(second, ImageRecord)
    assert second.image_id == "pairs/000000001"
    assert second.file_name == "00000.tar/000000001.jpg"
    assert (second.width_px, second.height_px) == (33, 24)  # the JSON says 999
    assert second.captions == ("a red square 1",)
    assert second.url == "http://a.example/1.jpg"


def test_files_beside_img2datasets_shards_are_no_tables(tmp_path: Path) -> None:
    make_shard(tmp_path / "00000.tar", 1)
    make_shard(tmp_path / "00001.tar", 1, 10_000)
    write_files(tmp_path, {"00000_stats.json": b"{}", "00000.parquet": b"x"})
    assert captions_of(read_pairs(tmp_path)) == ["a red square 0", "a red square 10000"]


def test_picture_is_found_in_turn_and_out_of_turn(tmp_path: Path) -> None:
    make_shard(tmp_path / "00000.tar", 2)
    make_shard(tmp_path / "00001.tar", 2, 2)
    source = PairsSource(SourceConfig("pairs", str(tmp_path)), 0)
    in_turn = {one: source.image_bytes(one) for one in source.records() if isinstance(one, ImageRecord)}
    assert [one.width_px for one in in_turn] == [32, 33, 34, 35]
    fresh = PairsSource(SourceConfig("pairs", str(tmp_path)), 0)
    for record, picture in reversed(in_turn.items()):
        assert picture == make_jpeg((record.width_px, 24))
        assert fresh.image_bytes(record) == picture


def test_sample_of_a_shard_that_lacks_something_is_rejected(tmp_path: Path) -> None:
    picture = make_jpeg()
    members = {
        "1.txt": b"no picture",
        "2.jpg": picture,
        "3.jpg": b"no jpeg",
        "3.txt": b"a cat",
        "4.jpg": picture,
        "4.txt": b"a caf\xe9",
        "5.jpg": picture,
        "5.json": b"{",
        "../6.jpg": picture,
        "../6.txt": b"a fox",
        "caf\udce9.jpg": picture,
        "caf\udce9.txt": b"a bar",
        "7.png": picture,
        "7.json": b'{"caption": "a dog"}',
    }
    found = read_pairs(write_tar(tmp_path / "a.tar", members))
    reasons = ["no_picture", "no_caption", "image_unreadable", "not_utf8", "bad_column", "bad_file_name", "not_utf8"]
    assert reasons_of(found) == reasons
    assert captions_of(found) == ["a dog"]


def test_shard_whose_files_are_out_of_order_stops_the_build(tmp_path: Path) -> None:
    members = {"1.jpg": make_jpeg(), "2.jpg": make_jpeg(), "1.txt": b"a dog", "2.txt": b"a cat"}
    with pytest.raises(InstructgenError, match=r"files of '1' do not stand together.*--sort=name"):
        read_pairs(write_tar(tmp_path / "a.tar", members))


@pytest.mark.parametrize("num_bytes", [700, 5_000])
def test_shard_that_was_cut_off_stops_the_build_by_its_name(tmp_path: Path, num_bytes: int) -> None:
    path = make_shard(tmp_path / "00007.tar", 3)
    path.write_bytes(path.read_bytes()[:num_bytes])
    with pytest.raises(InstructgenError, match=r"00007\.tar is no whole tar file"):
        read_pairs(path)


def test_folders_of_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "00001/000010000.jpg": make_jpeg(),
            "00001/000010000.txt": b"a cat",
            "00000/000000001.jpg": make_jpeg((10, 20)),
            "00000/000000001.json": json.dumps({"key": "000000001", "caption": "a dog"}).encode(),
            "00000.parquet": b"x",
            "00000_stats.json": b"{}",
        },
    )
    source = PairsSource(SourceConfig("pairs", str(tmp_path)), 0)
    found = list(source.records())
    assert captions_of(found) == ["a dog", "a cat"]
    first = found[0]
    assert isinstance(first, ImageRecord)
    assert (first.image_id, first.file_name) == ("pairs/000000001", "00000/000000001.jpg")
    assert (first.width_px, first.height_px) == (10, 20)
    assert source.image_bytes(first) == make_jpeg((10, 20))


def test_link_out_of_the_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(make_jpeg())
    folder = write_files(tmp_path / "pictures", {"1.jpg": make_jpeg(), "1.txt": b"a dog", "2.txt": b"a cat"})
    (folder / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    found = read_pairs(folder)
    assert captions_of(found) == ["a dog"]
    assert reasons_of(found) == ["bad_file_name"]


def test_shards_of_two_tables_may_have_one_name(tmp_path: Path) -> None:
    from instructgen.config import TableConfig

    for name, first in (("cc", 0), ("sbu", 5)):
        (tmp_path / name).mkdir()
        make_shard(tmp_path / name / "00000.tar", 1, first)
    tables = tuple(TableConfig(str(tmp_path / name)) for name in ("cc", "sbu"))
    source = PairsSource(SourceConfig("pairs", tables=tables), 0)
    found = [one for one in source.records() if isinstance(one, ImageRecord)]
    assert [one.file_name for one in found] == ["cc/00000.tar/000000000.jpg", "sbu/00000.tar/000000005.jpg"]
    assert source.image_bytes(found[0]) == make_jpeg((32, 24))


def test_shards_that_webdataset_wrote_are_read(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    with webdataset.TarWriter(str(tmp_path / "0.tar")) as sink:
        sink.write({"__key__": "a/b1", "jpg": make_jpeg(), "txt": "a dog", "json": {"caption": "other"}})
    (found,) = read_pairs(tmp_path)
    assert isinstance(found, ImageRecord)
    assert (found.image_id, found.captions) == ("pairs/a/b1", ("a dog",))
