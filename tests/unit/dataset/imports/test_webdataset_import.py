"""WebDataset tars: img2dataset's, ours, and ones that are made to do harm."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.exports.base import DEFAULT_SETTINGS
from instructgen.dataset.exports.webdataset import write_webdataset
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_questions
from tests.support.exports import (
    make_hostile_rows,
    make_picture,
    make_row,
    read_form,
    tell_imported,
    tell_row,
    write_rows,
)
from tests.support.interleaved import make_document, write_documents

Member = tuple[str | tarfile.TarInfo, bytes]


def write_tar(path: Path, members: Sequence[Member], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = info.size or len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def downloaded(key: str = "000000007", **meta: Any) -> list[Member]:
    """What img2dataset writes of one picture."""
    known = {"caption": "A dog.", "url": "https://x.org/a.jpg", "key": key, "status": "success", "sha256": "0" * 64}
    text = json.dumps({**known, **meta}, indent=4).encode()
    return [(f"{key}.jpg", make_picture(1)), (f"{key}.json", text), (f"{key}.txt", b"A dog.")]


def test_picture_that_img2dataset_fetched_becomes_a_caption_sample(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "00000.tar", downloaded())
    [one], rejected = read_form(path, "webdataset")
    assert rejected == []
    assert (one.sample_id, one.image_id) == ("webdataset/000000007/caption/0", "webdataset/000000007")
    assert one.sample_type == "caption"
    assert one.turns[0].content in load_questions(None, "brief")
    assert (one.turns[1].role, one.turns[1].content) == ("assistant", "A dog.")
    assert (one.images[0].path, one.images[0].data) == ("000000007.jpg", make_picture(1))


def test_caption_of_the_json_stands_in_where_there_is_no_text(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", downloaded(caption="A cat.")[:2])
    assert read_form(path, "webdataset")[0][0].turns[1].content == "A cat."


def test_address_that_only_coco_has_gives_its_id(tmp_path: Path) -> None:
    url = "http://images.cocodataset.org/train2017/000000000139.jpg"
    path = write_tar(tmp_path / "a.tar", downloaded(url=url))
    assert read_form(path, "webdataset")[0][0].image_id == "coco/000000000139"


def test_short_key_is_no_coco_id(tmp_path: Path) -> None:
    assert (
        read_form(write_tar(tmp_path / "a.tar", downloaded("139")), "webdataset")[0][0].image_id == "webdataset/139"
    )


@pytest.mark.parametrize(
    ("reason", "members"),
    [
        ("not_downloaded", downloaded("bad", status="failed_to_download")),
        ("image_missing", downloaded("bad")[1:]),
        ("image_unreadable", [("bad.jpg", b"no picture"), ("bad.txt", b"A dog.")]),
        ("several_images", [*downloaded("bad"), ("bad.png", make_picture(1, "PNG"))]),
        ("no_answer", [("bad.jpg", make_picture(1))]),
        ("no_answer", [("bad.jpg", make_picture(1)), ("bad.txt", b" \n")]),
        ("broken_text", [("bad.jpg", make_picture(1)), ("bad.txt", b"\xff")]),
        ("not_json", [("bad.jpg", make_picture(1)), ("bad.json", b"{")]),
        ("not_an_object", [("bad.jpg", make_picture(1)), ("bad.json", b"[]")]),
        ("file_twice", [*downloaded("bad"), ("bad.txt", b"A cat.")]),
        ("not_a_turn", [("bad.json", b'{"messages": [7]}')]),
        ("unknown_speaker", [("bad.json", b'{"messages": [{"role": "tool", "content": ""}]}')]),
        ("no_answer", [("bad.json", b'{"messages": [{"role": "user", "content": "Well?"}]}')]),
        (
            "image_missing",
            [("bad.json", b'{"messages": [{"role": "assistant", "content": "A."}], "images": ["a.jpg"]}')],
        ),
        (
            "image_place_unknown",
            [
                (
                    "bad.json",
                    b'{"messages": [{"role": "assistant", "content": "A."}], "image_at": [9], "has_image_at": true}',
                ),
                ("bad.jpg", make_picture(1)),
            ],
        ),
    ],
)
def test_bad_sample_is_rejected_and_the_next_is_read(reason: str, members: list[Member], tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [*members, *downloaded()])
    imported, rejected = read_form(path, "webdataset")
    assert [(one.record_id, one.stage, one.reason) for one in rejected] == [("bad", "source", reason)]
    assert [one.image_id for one in imported] == ["webdataset/000000007"]


@pytest.mark.parametrize("name", ["/etc/passwd.jpg", "../up.jpg", "a/../../up.txt", "C:/x.jpg", "..\\up.jpg"])
def test_name_that_leads_out_of_the_tar_is_rejected(name: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [(name, make_picture(1)), *downloaded()])
    imported, rejected = read_form(path, "webdataset")
    assert [(one.record_id, one.reason) for one in rejected] == [(name, "unsafe_path")]
    assert len(imported) == 1


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_link_or_device_costs_its_sample(kind: bytes, tmp_path: Path) -> None:
    link = tarfile.TarInfo("bad.jpg")
    link.type = kind
    link.linkname = "/etc/passwd"
    path = write_tar(tmp_path / "a.tar", [("bad.txt", b"A dog."), (link, b""), *downloaded()])
    imported, rejected = read_form(path, "webdataset")
    assert [(one.record_id, one.reason) for one in rejected] == [("bad", "not_a_file")]
    assert len(imported) == 1


def test_folders_are_passed_over_and_belong_to_keys(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("shard.0")
    folder.type = tarfile.DIRTYPE
    members = [(f"shard.0/{name}", data) for name, data in downloaded()]
    imported, rejected = read_form(write_tar(tmp_path / "a.tar", [(folder, b""), *members]), "webdataset")
    assert rejected == []
    assert imported[0].image_id == "webdataset/shard.0/000000007"
    assert imported[0].images[0].path == "000000007.jpg"


def test_files_that_belong_to_no_sample_are_counted(tmp_path: Path) -> None:
    members = [("README", b""), ("__shard__/a.json", b"{}"), (".hidden", b""), *downloaded()]
    imported, rejected = read_form(write_tar(tmp_path / "a.tar", members), "webdataset")
    assert [(one.record_id, one.reason) for one in rejected] == [
        ("README", "not_a_sample"),
        ("__shard__/a.json", "not_a_sample"),
        (".hidden", "not_a_sample"),
    ]
    assert len(imported) == 1


@pytest.mark.parametrize("sizes", [(6000, 0), (3000, 3000)])
def test_sample_over_the_bound_is_passed_over_unread(sizes: tuple[int, int], tmp_path: Path) -> None:
    members = [("bad.jpg", make_picture(1) + bytes(sizes[0])), ("bad.txt", b"A" * sizes[1]), *downloaded()]
    imported, rejected = read_form(write_tar(tmp_path / "a.tar", members), "webdataset", max_bytes=5000)
    assert [(one.record_id, one.reason) for one in rejected] == [("bad", "record_too_large")]
    assert len(imported) == 1


def test_picture_of_too_many_pixels_is_rejected(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", downloaded())
    assert [one.reason for one in read_form(path, "webdataset", max_pixels=1199)[1]] == ["image_too_large"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_are_read(form: int, tmp_path: Path) -> None:
    key = "Фото/" + "x" * 150
    imported, _ = read_form(write_tar(tmp_path / "a.tar", downloaded(key), form), "webdataset")
    assert imported[0].image_id == f"webdataset/{key}"


def test_tar_cut_anywhere_is_an_error_and_not_a_shorter_one(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "a.tar", [*downloaded("1"), *downloaded("2")]).read_bytes()
    used = len(whole.rstrip(b"\0"))
    for end in (0, 100, 512, 600, used - 100, used + 1, used // 512 * 512 + 512):
        (tmp_path / "cut.tar").write_bytes(whole[:end])
        with pytest.raises(InstructgenError, match=r"cut\.tar"):
            read_form(tmp_path / "cut.tar", "webdataset")


def test_broken_header_in_the_middle_is_an_error(tmp_path: Path) -> None:
    data = bytearray(write_tar(tmp_path / "a.tar", [*downloaded("1"), *downloaded("2")]).read_bytes())
    at = data.index(b"2.jpg\0")
    data[at : at + 5] = b"3.jpg"
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(InstructgenError, match=f"byte {at}: not the header of a file"):
        read_form(tmp_path / "a.tar", "webdataset")


def test_size_below_zero_is_an_error_and_not_an_endless_loop(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.txt")
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # -1024
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(4096))
    with pytest.raises(InstructgenError, match="-1024 bytes"):
        read_form(tmp_path / "a.tar", "webdataset")


def test_header_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        info = tarfile.TarInfo("././@LongLink")
        info.type = kind
        info.size = 8 << 30
        (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
        with pytest.raises(InstructgenError, match="a header of 8589934592 bytes"):
            read_form(tmp_path / "a.tar", "webdataset")


def test_headers_upon_headers_are_an_error(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 2
    (tmp_path / "a.tar").write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")) * 3000)
    with pytest.raises(InstructgenError, match="no whole tar"):
        read_form(tmp_path / "a.tar", "webdataset")


def test_packed_tar_is_an_error_that_says_so(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a.txt"))
    with pytest.raises(InstructgenError, match="gunzip"):
        read_form(tmp_path / "a.tar", "webdataset")


def test_folder_is_read_in_the_order_of_its_tars(tmp_path: Path) -> None:
    for name in ("00001", "00000"):
        write_tar(tmp_path / f"{name}.tar", downloaded(f"{name}0000"))
    imported, _ = read_form(tmp_path, "webdataset")
    assert [one.image_id for one in imported] == ["webdataset/000000000", "webdataset/000010000"]


def test_samples_of_two_tars_do_not_run_into_each_other(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", downloaded("a")[:1])
    write_tar(tmp_path / "1.tar", downloaded("a")[1:])
    imported, rejected = read_form(tmp_path, "webdataset")
    assert imported == []
    assert [one.reason for one in rejected] == ["no_answer", "image_missing"]


def test_pictures_of_one_sample_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    pictures = {f"{number}.jpg": make_picture(number) for number in range(12)}
    row = make_row(1, pictures=pictures)
    write_rows([row], "webdataset", tmp_path)
    [one], _ = read_form(tmp_path / "out", "webdataset")
    assert tell_imported(one) == tell_row(row)


def test_round_trip_keeps_every_row_and_the_paths_that_stay_inside(tmp_path: Path) -> None:
    rows = make_hostile_rows()
    write_rows(rows, "webdataset", tmp_path)
    imported, rejected = read_form(tmp_path / "out", "webdataset")
    assert rejected == []
    assert {one.sample_id: tell_imported(one) for one in imported} == {
        row["sample_id"]: tell_row(row) for row in rows
    }
    paths = {one.sample_id: [image.path for image in one.images] for one in imported}
    assert paths[rows[0]["sample_id"]] == ["000000000001.jpg"]
    assert not any(".." in path or path.startswith("/") for found in paths.values() for path in found)


def test_round_trip_keeps_where_pictures_stand(tmp_path: Path) -> None:
    rows = [make_document(1, ["One.", "Two."], [1, 2]), {**make_row(2), "image_at": [0]}, make_row(3)]
    version = write_documents(tmp_path / "v", rows)
    write_webdataset(version, tmp_path / "out", lambda _, __: None, DEFAULT_SETTINGS)
    imported, _ = read_form(tmp_path / "out", "webdataset")
    assert {one.sample_type + one.image_id[-1]: one.image_at for one in imported} == {
        "interleaved1": (1, 2),
        "conv2": (0,),
        "conv3": None,
    }


def test_number_of_thousands_of_digits_is_a_name_like_any_other(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}]
    members = [
        ("k.json", json.dumps({"messages": turns}).encode()),
        ("k.1.jpg", make_picture(1)),
        (f"k.{'9' * 5000}.jpg", make_picture(2)),
        ("k.0.jpg", make_picture(0)),
    ]
    [one], rejected = read_form(write_tar(tmp_path / "a.tar", members), "webdataset")
    assert rejected == []
    assert [image.data for image in one.images] == [make_picture(2), make_picture(0), make_picture(1)]
