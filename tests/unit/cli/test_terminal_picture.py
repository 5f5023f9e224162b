"""Pictures for terminals, read back by the rules of each protocol."""

import base64
import io
import re
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from instructgen.cli.terminal_picture import Room, draw_picture
from instructgen.cli.terminal_picture_query import name_way, read_answer
from instructgen.cli.terminal_picture_sixel import encode_sixel
from instructgen.errors import InstructgenError

ROOM = Room(40, 10, 8, 16)
_SIXEL_TOKEN = re.compile(r'"([\d;]+)|#(\d+)((?:;\d+)*)|!(\d+)([?-~])|([?-~])|([$-])')


def make_picture(width_px: int = 160, height_px: int = 120, noise: int = 0) -> Image.Image:
    """Four quarters of plain colours; with noise every pixel is its own."""
    picture = Image.new("RGB", (width_px, height_px), (200, 30, 30))
    picture.paste((30, 200, 30), (width_px // 2, 0, width_px, height_px // 2))
    picture.paste((30, 30, 200), (0, height_px // 2, width_px // 2, height_px))
    if noise:
        values = bytes((17 * at * at + 31 * at + noise) % 256 for at in range(width_px * height_px * 3))
        picture = Image.frombytes("RGB", (width_px, height_px), values)
    return picture


def encode(picture: Image.Image, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def decode_sixel(code: str) -> Image.Image:
    """Paint what a sixel code says, one token after another. Anything that is no token fails."""
    head = re.match(r"\x1bP([\d;]*)q", code)
    assert head is not None
    assert code.endswith("\x1b\\")
    body = code[head.end() : -2]
    palette: dict[int, tuple[int, ...]] = {}
    pixels: dict[tuple[int, int], tuple[int, ...]] = {}
    x = y = colour = at = 0
    size = (0, 0)
    while at < len(body):
        token = _SIXEL_TOKEN.match(body, at)
        assert token is not None, body[at : at + 10]
        at = token.end()
        raster, number, definition, run, repeated, single, move = token.groups()
        if raster:
            size = tuple(map(int, raster.split(";")[2:]))  # type: ignore[assignment]
        elif number:
            colour = int(number)
            if definition:
                space, *shares = map(int, definition[1:].split(";"))
                assert space == 2
                assert max(shares) <= 100
                palette[colour] = tuple(round(share * 255 / 100) for share in shares)
        elif move:
            x, y = 0, y + (6 if move == "-" else 0)
        else:
            begin, x = x, x + int(run or 1)
            for place in range(begin, x):
                for bit in range(6):
                    if (ord(repeated or single) - 63) >> bit & 1:
                        assert (place, y + bit) not in pixels, "a pixel is painted twice"
                        pixels[place, y + bit] = palette[colour]
    picture = Image.new("RGB", size)
    for where, shown in pixels.items():
        picture.putpixel(where, shown)  # fails where it lies outside
    assert len(pixels) == size[0] * size[1]
    return picture


def read_kitty(code: str) -> Iterator[tuple[dict[str, str], str]]:
    for keys, data in re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", code):
        yield dict(pair.split("=") for pair in keys.split(",")), data


def differ(left: Image.Image, right: Image.Image) -> float:
    """Return the mean difference of the channels, 0 to 255."""
    assert left.size == right.size
    pairs = zip(left.convert("RGB").tobytes(), right.convert("RGB").tobytes(), strict=True)
    return sum(abs(one - other) for one, other in pairs) / len(left.convert("RGB").tobytes())


@pytest.mark.parametrize("size_px", [(1, 1), (5, 7), (40, 12), (61, 43)])
def test_sixel_paints_every_pixel_once_in_nearly_its_colour(size_px: tuple[int, int]) -> None:
    picture = make_picture(*size_px)
    assert differ(decode_sixel(encode_sixel(picture)), picture) < 2


def test_sixel_of_many_colours_is_still_the_picture() -> None:
    gradient = Image.merge(
        "RGB", [Image.linear_gradient("L").resize((64, 48)).rotate(90 * turn) for turn in range(3)]
    )
    assert differ(decode_sixel(encode_sixel(gradient)), gradient) < 8


def test_sixel_has_no_byte_that_is_not_of_the_protocol() -> None:
    code = encode_sixel(make_picture(noise=5))
    assert re.fullmatch(r'\x1bP0;1;0q"1;1;160;120[#;\d!?-~$-]+\x1b\\', code)


def test_long_runs_are_shortened() -> None:
    assert len(encode_sixel(Image.new("RGB", (600, 6), "red"))) < 60


def test_kitty_codes_are_of_4096_bytes_and_all_but_the_last_have_more() -> None:
    codes = list(read_kitty(draw_picture(encode(make_picture(noise=3)), "kitty", ROOM)))
    assert len(codes) > 2
    assert [keys["m"] for keys, _ in codes] == ["1"] * (len(codes) - 1) + ["0"]
    assert {len(data) for _, data in codes[:-1]} == {4096}
    assert 0 < len(codes[-1][1]) <= 4096
    first = codes[0][0]
    assert (first["a"], first["f"], first["q"]) == ("T", "100", "2")
    assert all(keys["q"] == "2" and set(keys) == {"q", "m"} for keys, _ in codes[1:])
    shown = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in codes), validate=True)))
    assert shown.size == (int(first["c"]) * 8, int(first["r"]) * 16)


def test_small_picture_is_one_kitty_code_and_shows_what_it_is() -> None:
    ((keys, data),) = read_kitty(draw_picture(encode(make_picture()), "kitty", ROOM))
    assert keys["m"] == "0"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert differ(shown, make_picture().resize(shown.size)) < 3


def test_iterm_code_holds_the_picture_and_its_true_size() -> None:
    code = draw_picture(encode(make_picture()), "iterm", ROOM)
    found = re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=(\d+);width=(\d+);height=(\d+);preserveAspectRatio=0:([A-Za-z0-9+/=]+)\x07\n",
        code,
    )
    assert found is not None
    data = base64.b64decode(found[4], validate=True)
    assert len(data) == int(found[1])
    shown = Image.open(io.BytesIO(data))
    assert differ(shown, make_picture().resize(shown.size)) < 6


def test_half_blocks_show_two_pixels_a_cell() -> None:
    code = draw_picture(encode(make_picture()), "blocks", Room(8, 4))
    lines = code.splitlines()
    columns, rows = Room(8, 4).fit(160, 120)
    assert (columns, rows) == (8, 3)
    assert len(lines) == rows
    shown = Image.new("RGB", (columns, 2 * rows))
    for y, line in enumerate(lines):
        assert line.endswith("\x1b[0m")
        colours: list[int] = []
        x = 0
        for codes, block in re.findall(r"\x1b\[38;2;([\d;]+)m|(▀)", line):
            if codes:
                colours = [int(code) for code in codes.replace("48;2;", "").split(";")]
            if block:
                shown.putpixel((x, 2 * y), tuple(colours[:3]))
                shown.putpixel((x, 2 * y + 1), tuple(colours[3:]))
                x += 1
        assert x == columns
    assert shown.getpixel((0, 0)) == (200, 30, 30)
    assert shown.getpixel((7, 0)) == (30, 200, 30)
    assert shown.getpixel((0, 5)) == (30, 30, 200)


@pytest.mark.parametrize(
    ("size_px", "cells"),
    [
        ((640, 480), (27, 10)),
        ((2000, 100), (40, 1)),
        ((100, 2000), (1, 10)),
        ((1, 1), (20, 10)),
        ((10_000, 1), (40, 1)),
    ],
)
def test_picture_keeps_its_shape_and_the_room(size_px: tuple[int, int], cells: tuple[int, int]) -> None:
    assert ROOM.fit(*size_px) == cells


def test_picture_that_cannot_be_read_says_so() -> None:
    for broken in (b"", b"not a picture", encode(make_picture())[:100]):
        with pytest.raises(InstructgenError, match="cannot be read"):
            draw_picture(broken, "sixel", ROOM)


def test_picture_of_too_many_pixels_is_not_decoded() -> None:
    header = bytearray(encode(Image.new("L", (8, 8))))
    header[16:24] = (8_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    with pytest.raises(InstructgenError, match="8000 x 8000 pixels are too many"):
        draw_picture(bytes(header), "kitty", ROOM)


@pytest.mark.parametrize(
    ("env", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color"}, "ask"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x", "KITTY_WINDOW_ID": "1"}, "ask"),
        ({"TERM": "screen", "LC_TERMINAL": "iTerm2"}, "ask"),
        ({"TERM": "linux"}, None),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, None),
        ({}, None),
    ],
)
def test_environment_names_what_it_can(env: dict[str, str], way: str | None) -> None:
    assert name_way(env) == way


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c", "kitty"),
        (b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62;22c", None),
        (b"\x1b[?62;4;6;22c", "sixel"),
        (b"\x1b[?4c", None),  # the class of the terminal, a VT132, not an attribute
        (b"\x1b[?64;14;22c", None),
        (b"\x1b[?1;2c", None),
        (b"", None),
    ],
)
def test_answer_of_a_terminal_is_understood(answer: bytes, way: str | None) -> None:
    assert read_answer(answer) == way
