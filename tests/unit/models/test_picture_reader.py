import io
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.pictures import PictureReader, usual_colours  # noqa: E402

MEAN, STD = usual_colours("clip_vision_model")


def reader(aspect: str, image_px: int = 32) -> PictureReader:
    return PictureReader(image_px, aspect, MEAN, STD)  # type: ignore[arg-type]


def noise(width_px: int, height_px: int) -> Image.Image:
    draw = random.Random(width_px * 1000 + height_px)
    small = Image.new("RGB", (7, 5))
    small.putdata([(draw.randrange(256), draw.randrange(256), draw.randrange(256)) for _ in range(35)])
    return small.resize((width_px, height_px), Image.Resampling.BILINEAR)


def encode(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def to_values(pixels: torch.Tensor) -> np.ndarray:
    """Return [H, W, 3] in 0 to 255 as before normalising."""
    return (pixels.numpy().transpose(1, 2, 0) * STD + MEAN) * 255


@pytest.mark.parametrize("size", [(32, 32), (640, 480), (480, 640), (333, 500), (50, 33), (1000, 41), (31, 33)])
def test_crop_is_clips_own_processing_to_one_step_of_256(size: tuple[int, int]) -> None:
    from transformers import CLIPImageProcessor

    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    expected = torch.as_tensor(processor(noise(*size), return_tensors="np")["pixel_values"][0])
    given = reader("crop")(encode(noise(*size)))
    assert float((given - expected).abs().max()) * max(STD) <= 1 / 255
    assert given.dtype == torch.float32


def test_padding_is_the_mean_colour_of_clip_around_the_middle() -> None:
    assert reader("pad").pad_colour == (122, 116, 104)
    white = Image.new("RGB", (64, 32), "white")
    values = to_values(reader("pad")(encode(white)))
    assert np.allclose(values[:6], (122, 116, 104), atol=0.01)
    assert np.allclose(values[-6:], (122, 116, 104), atol=0.01)
    assert np.allclose(values[11:21], 255, atol=0.01)


def test_squash_keeps_the_edges_that_a_crop_cuts_off() -> None:
    left_red = Image.new("RGB", (90, 30), "white")
    left_red.paste("red", (0, 0, 20, 30))
    squashed, cropped = (to_values(reader(aspect)(encode(left_red))) for aspect in ("squash", "crop"))
    assert np.allclose(squashed[16, 1], (255, 0, 0), atol=1)
    assert np.allclose(cropped[16, 1], 255, atol=1)


def test_square_picture_is_the_same_whatever_the_aspect() -> None:
    picture = encode(noise(50, 50))
    crop, pad, squash = (reader(aspect)(picture) for aspect in ("crop", "pad", "squash"))
    assert torch.equal(crop, pad)
    assert torch.equal(pad, squash)


def test_no_picture_is_zeros() -> None:
    assert torch.equal(reader("crop")(None), torch.zeros(3, 32, 32))


def test_encoded_and_opened_pictures_give_the_same() -> None:
    image = noise(40, 30)
    assert torch.equal(reader("crop")(encode(image)), reader("crop")(image))


def test_transparent_pixels_are_white_and_grey_pictures_have_three_channels() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert np.allclose(to_values(reader("squash")(encode(clear))), 255, atol=0.01)
    assert np.allclose(to_values(reader("squash")(encode(Image.new("L", (8, 8), 77)))), 77, atol=0.01)


def test_reader_can_be_given_to_worker_processes() -> None:
    copy = pickle.loads(pickle.dumps(reader("pad")))
    assert torch.equal(copy(encode(noise(40, 30))), reader("pad")(encode(noise(40, 30))))


def test_huge_picture_is_refused_before_it_is_decoded() -> None:
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(InstructgenError, match=r"20000 x 20000|cannot be read"):
        reader("crop")(bomb)


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (9_000, 2)])
@pytest.mark.parametrize("aspect", ["crop", "pad", "squash"])
def test_line_of_a_picture_is_never_made_into_a_large_one(
    aspect: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    resize, new = Image.Image.resize, Image.new

    def measured(image: Image.Image, side: tuple[int, int], *rest: object, **options: object) -> Image.Image:
        made.append(side[0] * side[1])
        return resize(image, side, *rest, **options)  # type: ignore[arg-type]

    def measured_new(mode: str, side: tuple[int, int], *rest: object) -> Image.Image:
        made.append(side[0] * side[1])
        return new(mode, side, *rest)  # type: ignore[arg-type]

    picture = encode(Image.new("RGB", size, "red"))
    monkeypatch.setattr(Image.Image, "resize", measured)
    monkeypatch.setattr(Image, "new", measured_new)
    values = to_values(reader(aspect)(picture))
    assert max(made) <= (100_000_000 if aspect == "pad" else 70_000)
    assert values[16, 16, 0] > 120
    if aspect != "pad":
        assert np.allclose(values[16, 16], (255, 0, 0), atol=0.01)


def test_middle_of_a_long_picture_is_what_a_crop_shows() -> None:
    strip = Image.new("RGB", (6_000, 4), "white")
    strip.paste("red", (2_900, 0, 3_100, 4))
    assert np.allclose(to_values(reader("crop")(encode(strip))), (255, 0, 0), atol=0.01)


@pytest.mark.parametrize("picture", [b"", b"no picture", encode(noise(20, 20))[:-30], encode(noise(9, 9), "PPM")])
def test_what_is_no_whole_picture_is_refused(picture: bytes) -> None:
    with pytest.raises(InstructgenError, match="cannot be read"):
        reader("crop")(picture)


def test_mean_and_deviation_follow_the_tower(tmp_path: Path) -> None:
    assert usual_colours("siglip_vision_model")[0] == (0.5, 0.5, 0.5)
    assert usual_colours("dinov2")[0] == (0.485, 0.456, 0.406)
    assert usual_colours("blip_2_vision_model") == usual_colours("clip_vision_model")
