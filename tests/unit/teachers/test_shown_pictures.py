"""Pictures on their way to a teacher: how large, in what form, and what is not sent."""

import base64
import hashlib
import io

import msgspec
import pytest
from PIL import Image

from instructgen.attempts import AttemptError
from instructgen.errors import InstructgenError
from instructgen.records import Decoding, ImageRecord, Message, Picture, Request
from instructgen.teachers.openai_chat import Bodies
from instructgen.teachers.pictures import PictureReader, encode_small, estimate_picture_tokens, most_tokens
from tests.support.make import make_record

RECORD = make_record()
MAX_PIXELS = 1_000_000


def draw(size: tuple[int, int], mode: str = "RGB", kind: str = "PNG", color: object = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, kind)  # type: ignore[arg-type]
    return buffer.getvalue()


def open_small(stored: bytes, max_side_px: int = 768) -> Image.Image:
    return Image.open(io.BytesIO(encode_small(stored, max_side_px, MAX_PIXELS, "a.png")))


def make_request(stored: bytes, *messages: Message) -> Request:
    picture = Picture(hashlib.sha256(stored).hexdigest(), 768)
    shown = Message("user", "What is there?", picture)
    return Request("r", "caption", RECORD.image_id, (Message("system", "Look."), shown, *messages), RECORD)


def write_body(request: Request, stored: bytes | None) -> dict[str, object]:
    bodies = Bodies("m", Decoding(), {}, pictures=PictureReader(lambda _: stored, MAX_PIXELS))
    found: dict[str, object] = msgspec.json.decode(bodies.write(request))
    return found


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (640, 480)), ((1200, 600), (768, 384)), ((300, 900), (256, 768)), ((1, 1), (1, 1))],
)
def test_picture_is_made_smaller_and_never_larger(size: tuple[int, int], expected: tuple[int, int]) -> None:
    small = open_small(draw(size))
    assert small.format == "JPEG"
    assert small.size == expected


@pytest.mark.parametrize(
    ("mode", "kind", "color"),
    [
        ("L", "PNG", 90),
        ("P", "GIF", 1),
        ("RGBA", "PNG", (255, 0, 0, 0)),
        ("CMYK", "JPEG", (0, 9, 9, 9)),
        ("1", "PNG", 1),
    ],
)
def test_picture_of_any_kind_is_sent_in_color(mode: str, kind: str, color: object) -> None:
    assert open_small(draw((20, 10), mode, kind, color)).mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    assert open_small(draw((20, 10), "RGBA", "PNG", (255, 0, 0, 0))).getpixel((5, 5)) == (255, 255, 255)


def test_what_the_camera_wrote_stays_behind_and_nothing_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0110] = "secret camera"
    exif[0x0112] = 6  # to be turned by a quarter
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20)).save(buffer, "JPEG", exif=exif)
    small = encode_small(buffer.getvalue(), 768, MAX_PIXELS, "a.jpg")
    assert b"secret camera" not in small
    assert Image.open(io.BytesIO(small)).size == (40, 20)


def damaged_tiff() -> bytes:
    """Return a TIFF that says of the place of its pixels, its sixth tag, that it is text."""
    stored = bytearray(draw((4, 3), kind="TIFF"))
    first_tag = int.from_bytes(stored[4:8], "little") + 2
    stored[first_tag + 5 * 12 + 2] = 2
    return bytes(stored)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (damaged_tiff(), "image_unreadable"),
        (draw((1001, 1000)), "image_too_large"),
        (b"no picture", "image_unreadable"),
        (draw((300, 300), kind="JPEG")[:400], "image_unreadable"),
        (b"", "image_unreadable"),
    ],
)
def test_picture_that_cannot_be_decoded_is_never_sent(stored: bytes, reason: str) -> None:
    with pytest.raises(AttemptError) as caught:
        encode_small(stored, 768, MAX_PIXELS, "a.png")
    assert caught.value.reason == reason
    assert not caught.value.may_have_cost
    assert not caught.value.is_worth_retry


def test_body_has_the_picture_before_the_text() -> None:
    stored = draw((40, 20))
    body = write_body(make_request(stored), stored)
    first, second = body["messages"][1]["content"]  # type: ignore[index]
    head, _, coded = first["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(coded))).size == (40, 20)
    assert second == {"type": "text", "text": "What is there?"}
    assert body["messages"][0] == {"role": "system", "content": "Look."}  # type: ignore[index]


def test_talk_that_goes_on_still_shows_its_picture() -> None:
    stored = draw((40, 20))
    request = make_request(stored, Message("assistant", "A dog."), Message("user", "Continue"))
    body = write_body(request, stored)
    contents = [message["content"] for message in body["messages"]]  # type: ignore[attr-defined]
    assert isinstance(contents[1], list)
    assert contents[2:] == ["A dog.", "Continue"]


@pytest.mark.parametrize(("stored", "reason"), [(None, "image_missing"), (draw((8, 8)), "image_changed")])
def test_picture_that_is_another_one_by_now_is_not_sent(stored: bytes | None, reason: str) -> None:
    with pytest.raises(AttemptError) as caught:
        write_body(make_request(draw((40, 20))), stored)
    assert caught.value.reason == reason


def test_picture_that_the_source_refuses_fails_the_request_alone() -> None:
    def refuse(_: ImageRecord) -> bytes:
        raise InstructgenError("it leads out of the folder")

    with pytest.raises(AttemptError, match="leads out"):
        PictureReader(refuse, MAX_PIXELS).data_url(RECORD, Picture("", 768))


@pytest.mark.parametrize(
    ("max_side_px", "tokens"), [(512, 2833 + 5667), (768, 2833 + 4 * 5667), (1025, 2833 + 9 * 5667)]
)
def test_budget_sets_aside_what_the_greediest_model_counts(max_side_px: int, tokens: int) -> None:
    assert most_tokens(Picture("", max_side_px)) == tokens
    assert estimate_picture_tokens("gpt-4o-mini-2024-07-18", max_side_px) == tokens
    assert estimate_picture_tokens("my-model", max_side_px) < tokens / 20
