import io

import msgspec
import pytest
from PIL import Image

from instructgen.dataset.pictures import find_picture_fault, make_thumbnail
from tests.support.make import make_record


def encode(width_px: int, height_px: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width_px, height_px)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_ordinary_picture_has_no_fault(kind: str) -> None:
    assert find_picture_fault(encode(640, 480, kind), make_record(), 10**8) is None


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (None, "image_missing"),
        (b"", "image_unreadable"),
        (b"<html>not found</html>", "image_unreadable"),
        (encode(640, 480)[:20], "image_unreadable"),
        (encode(480, 640), "image_size_differs"),
    ],
)
def test_bad_picture_has_a_reason(picture: bytes | None, reason: str) -> None:
    fault = find_picture_fault(picture, make_record(), 10**8)
    assert fault is not None
    assert fault.reason == reason
    assert "000000000001.jpg" in fault.detail


@pytest.mark.parametrize(
    ("told_px", "reason"),
    [
        ((0, 0), ""),
        ((640, 0), ""),
        ((0, 480), ""),
        ((0, 481), "image_size_differs"),
        ((641, 0), "image_size_differs"),
    ],
)
def test_size_that_the_record_does_not_know_is_not_compared(told_px: tuple[int, int], reason: str) -> None:
    record = msgspec.structs.replace(make_record(), width_px=told_px[0], height_px=told_px[1])
    fault = find_picture_fault(encode(640, 480), record, 10**8)
    assert (fault.reason if fault else "") == reason


def test_picture_with_too_many_pixels_is_refused_by_its_header() -> None:
    fault = find_picture_fault(encode(640, 480), make_record(), max_pixels=640 * 480 - 1)
    assert fault is not None
    assert fault.reason == "image_too_large"


def test_decompression_bomb_is_refused() -> None:
    bomb = encode(1, 1).replace(b"IHDR\x00\x00\x00\x01\x00\x00\x00\x01", b"IHDR\x00\x0f\xff\xff\x00\x0f\xff\xff")
    fault = find_picture_fault(bomb, make_record(), 10**8)
    assert fault is not None


def test_thumbnail_is_small_and_what_is_no_picture_is_told() -> None:
    small = make_thumbnail(encode(1600, 400), 320)
    with Image.open(io.BytesIO(small.jpeg)) as image:
        assert (image.format, image.size) == ("JPEG", (320, 80))
    assert (small.width_px, small.height_px) == (320, 80)
    for broken in (b"<svg onload=alert(1)>", encode(30, 20)[:40]):
        assert make_thumbnail(broken, 320).jpeg == b""
        assert make_thumbnail(broken, 320).missing.startswith("the picture cannot be read: ")


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "CMYK"])
def test_pictures_of_every_mode_become_small_jpegs(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (30, 40)).save(file, "TIFF" if mode == "CMYK" else "PNG")
    small = make_thumbnail(file.getvalue(), 480)
    assert (small.width_px, small.height_px) == (30, 40)
    assert small.jpeg.startswith(b"\xff\xd8")


def test_picture_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instructgen.dataset.pictures._MAX_THUMBNAIL_PIXELS", 100_000)
    assert make_thumbnail(encode(640, 480), 320).missing == "the picture has 640 x 480 pixels: not decoded"
