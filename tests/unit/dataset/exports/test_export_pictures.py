"""Names of pictures beside an export: safe anywhere, one for each picture."""

from pathlib import Path

import pytest

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import DEFAULT_SETTINGS, ExportSettings, LeftOutError
from instructgen.dataset.exports.pictures import PictureFolder, find_suffix, make_safe_path
from tests.support.exports import make_picture


def row_of(*images: tuple[str | None, bytes | None]) -> Row:
    return {"image_id": "coco/7", "images": [{"path": path, "bytes": data} for path, data in images]}


def place(folder: PictureFolder, path: str | None, data: bytes | None) -> str:
    [name] = folder.place(row_of((path, data)))
    return name


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("000000000139.jpg", "000000000139.jpg"),
        ("coco/train2017/000000000139.jpg", "coco/train2017/000000000139.jpg"),
        ("../../x.jpg", "x.jpg"),
        ("/etc/x.jpg", "etc/x.jpg"),
        ("C:\\data\\x.jpg", "data/x.jpg"),
        ("a//./b/../x.jpg", "a/b/x.jpg"),
        ("x\0y?.jpg", "x-y-.jpg"),
        ("nul.jpg", "_nul.jpg"),
        ("dots...", "dots"),
        ("..", "image"),
        ("", "image"),
        ("Фото 1.png", "Фото 1.png"),
    ],
)
def test_path_is_made_safe_and_otherwise_kept(path: str, safe: str) -> None:
    assert make_safe_path(path, "image") == safe


def test_long_name_keeps_its_suffix() -> None:
    name = make_safe_path("ф" * 300 + ".jpg", "image")
    assert name.endswith("фф.jpg")
    assert len(name.encode()) <= 120
    assert make_safe_path("a" * 1_000_000 + ".jpg", "image") == "a" * 116 + ".jpg"


@pytest.mark.parametrize("part", ["a", "a" * 100])
def test_deep_path_keeps_its_end(part: str, tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, __: None, DEFAULT_SETTINGS)
    name = place(folder, f"{part}/" * 1500 + "x.jpg", b"1")
    assert name.endswith(f"{part}/x.jpg")
    assert len(name.encode()) <= 1000
    assert place(folder, f"{part}/" * 1600 + "x.jpg", b"2") == name.replace("x.jpg", "x-2.jpg")
    assert (tmp_path / "images" / name).read_bytes() == b"1"


def test_same_picture_is_written_once_and_another_under_its_path_gets_a_number(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, __: None, DEFAULT_SETTINGS)
    assert place(folder, "x.jpg", b"1") == "x.jpg"
    assert place(folder, "x.jpg", b"2") == "x-2.jpg"
    assert place(folder, "x.jpg", b"1") == "x.jpg"
    assert place(folder, "X.JPG", b"3") == "X-2.JPG".replace("-2", "-3")
    assert place(folder, "x-2.jpg", b"4") == "x-2-2.jpg"
    assert {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()} == {
        "x.jpg": b"1",
        "x-2.jpg": b"2",
        "X-3.JPG": b"3",
        "x-2-2.jpg": b"4",
    }


def test_picture_and_folder_of_one_name_both_find_room(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, __: None, DEFAULT_SETTINGS)
    assert place(folder, "a/b", b"1") == "a/b"
    assert place(folder, "a", b"2") == "a-2"
    assert place(folder, "a/b/c.jpg", b"3") == "a-2/b/c.jpg".replace("a-2", "a-3")
    assert place(folder, "a/b/c.jpg", b"4") not in ("a/b/c.jpg", "a-3/b/c.jpg")
    assert sorted(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) == [b"1", b"2", b"3", b"4"]


def test_picture_without_a_path_is_named_for_its_image(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, __: None, DEFAULT_SETTINGS)
    assert place(folder, None, make_picture(1, "PNG")) == "coco-7.png"
    assert place(folder, "", make_picture(2)) == "coco-7.jpg"


def test_missing_picture_is_told_before_any_of_the_row_is_written(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, name: b"found" if name == "there.jpg" else None, DEFAULT_SETTINGS)
    for images in ((("x.jpg", b"1"), ("gone.jpg", None)), (("x.jpg", b"1"), (None, None))):
        with pytest.raises(LeftOutError, match="image_missing"):
            folder.place(row_of(*images))
    assert list(tmp_path.rglob("*.jpg")) == []
    assert place(folder, "there.jpg", None) == "there.jpg"
    assert (tmp_path / "images" / "there.jpg").read_bytes() == b"found"


@pytest.mark.parametrize("path", ["../x.jpg", "/x.jpg", "C:\\x.jpg", "a/../../x.jpg", "x\0.jpg"])
def test_path_alone_must_stay_in_its_folder(path: str, tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, lambda _, __: None, ExportSettings(with_pictures=False))
    with pytest.raises(LeftOutError, match="unsafe_path"):
        folder.place(row_of((path, None)))
    assert folder.place(row_of(("train2017/x.jpg", None))) == ["train2017/x.jpg"]


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("BMP", ".bmp"), ("TIFF", ".tif")],
)
def test_suffix_is_that_of_the_bytes(form: str, suffix: str) -> None:
    assert find_suffix(make_picture(1, form)) == suffix
    assert find_suffix(b"text") == ""
