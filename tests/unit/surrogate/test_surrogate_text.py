"""The surrogate's text, byte for byte."""

import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from instructgen.config import SurrogateConfig
from instructgen.records import Box, ImageRecord, Rejected, Surrogate
from instructgen.sources.coco import CocoSource
from instructgen.surrogate.captions import clean_caption
from instructgen.surrogate.render import box_lines, make_surrogate, surrogate_text

CONFIG = SurrogateConfig()
GOLDEN = Path(__file__).resolve().parents[2] / "golden"
FRACTIONS = (
    st.floats(0, 1) | st.integers(0, 2000).map(lambda n: n / 2000) | st.integers(0, 64000).map(lambda n: n / 64000)
)


def make_record(captions: tuple[str, ...], boxes: tuple[Box, ...]) -> ImageRecord:
    return ImageRecord("coco/000000000042", "000000000042.jpg", 640, 480, captions, boxes)


def text_of(record: ImageRecord, config: SurrogateConfig = CONFIG, *, with_boxes: bool = True) -> str:
    surrogate = make_surrogate(record, config, with_boxes=with_boxes)
    assert isinstance(surrogate, Surrogate)
    return surrogate.text


def test_captions_then_a_blank_line_then_boxes_without_a_newline_at_the_end() -> None:
    record = make_record(
        ("A dog on grass.", "A brown dog"),
        (Box("dog", 0.1, 0.0, 0.53, 1.0), Box("sports ball", 0.12345, 0.5006, 0.99951, 0.9994, is_crowd=True)),
    )
    assert make_surrogate(record, CONFIG, with_boxes=True) == Surrogate(
        "coco/000000000042",
        "A dog on grass.\nA brown dog\n\ndog: [0.1, 0.0, 0.53, 1.0]\nsports ball: [0.123, 0.501, 1.0, 0.999]",
        num_captions=2,
        num_boxes=2,
    )


def test_captions_stand_alone_where_boxes_are_not_wanted_or_not_there() -> None:
    alone = Surrogate("coco/000000000042", "A dog.\nA cat.", num_captions=2, num_boxes=0)
    captions = ("A dog.", "A cat.")
    record = make_record(captions, (Box("dog", 0, 0, 1, 1),))
    assert make_surrogate(record, CONFIG, with_boxes=False) == alone
    assert make_surrogate(make_record(captions, ()), CONFIG, with_boxes=True) == alone


def test_image_without_captions_is_rejected_not_dropped() -> None:
    record = make_record((), (Box("dog", 0, 0, 1, 1),))
    for with_boxes in (True, False):
        rejected = make_surrogate(record, CONFIG, with_boxes=with_boxes)
        assert rejected == Rejected("coco/000000000042", "surrogate", "no_captions", "1 boxes")


@settings(max_examples=300)
@given(x0=FRACTIONS, y0=FRACTIONS, x1=FRACTIONS, y1=FRACTIONS)
@example(0.0005, 0.0015, 0.0025, 0.9995)
@example(math.nextafter(0.0005, 0), math.nextafter(0.9995, 1), math.nextafter(1, 0), 5e-324)
def test_numbers_print_as_pythons_rounded_floats(x0: float, y0: float, x1: float, y1: float) -> None:
    expected = f"dog: [{round(x0, 3)}, {round(y0, 3)}, {round(x1, 3)}, {round(y1, 3)}]"
    assert box_lines([Box("dog", x0, y0, x1, y1)]) == [expected]


def test_every_tie_between_thousandths_and_its_neighbours_print_as_pythons_rounded_floats() -> None:
    for half in range(1, 2000):
        tie = half / 2000
        value = math.nextafter(math.nextafter(tie, 0), 0)
        for _ in range(5):
            shown = round(value, 3)
            assert box_lines([Box("dog", value, 0, 0, value)]) == [f"dog: [{shown}, 0.0, 0.0, {shown}]"]
            value = math.nextafter(value, 1)


def test_every_pixel_of_every_usual_image_size_prints_as_pythons_rounded_floats() -> None:
    for size_px in (640, 480, 427, 500, 375, 333):
        for hundredth in range(0, 100 * size_px + 1, 4):
            value = hundredth / 100 / size_px
            assert box_lines([Box("a", 0.0, 0.0, 0.0, value)]) == [f"a: [0.0, 0.0, 0.0, {round(value, 3)}]"]


@given(st.text())
def test_cleaned_caption_is_one_line_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean_caption(text)
    assert len(cleaned.splitlines()) <= 1
    assert cleaned == cleaned.strip()
    assert clean_caption(cleaned) == cleaned
    assert "".join(cleaned.split()) == "".join(text.split())


def test_golden_surrogates_are_written_byte_for_byte() -> None:
    golden = json.loads((GOLDEN / "surrogates.json").read_text(encoding="utf-8"))
    for case in golden:
        width_px, height_px = case["width_px"], case["height_px"]
        boxes = tuple(
            Box(category, x / width_px, y / height_px, (x + width) / width_px, (y + height) / height_px)
            for category, x, y, width, height in case["boxes_px"]
        )
        record = ImageRecord("sample/1", "1.jpg", width_px, height_px, tuple(case["captions"]), boxes)
        assert text_of(record).encode() == "\n".join(case["lines"]).encode(), case["case"]


@pytest.mark.coco
@pytest.mark.parametrize(("column", "with_boxes"), [("captions_and_boxes", True), ("captions_alone", False)])
def test_surrogates_of_all_val2017_images_have_the_golden_digest(
    coco_root: Path, column: str, with_boxes: bool
) -> None:
    golden = json.loads((GOLDEN / "surrogate_digests.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256()
    by_id: dict[str, str] = {}
    for record in CocoSource(coco_root, "val2017").records():
        assert isinstance(record, ImageRecord)
        text = text_of(record, with_boxes=with_boxes)
        digest.update(f"{int(record.image_id[5:])}\n{text}\0".encode())
        by_id[record.image_id] = hashlib.sha256(text.encode()).hexdigest()
    for image_id, expected in golden["images"].items():
        assert by_id[image_id] == expected[column], image_id
    assert digest.hexdigest() == golden["val2017"][column]


@pytest.mark.coco
def test_rounding_is_that_of_exact_arithmetic_on_real_boxes(coco_root: Path) -> None:
    for record in CocoSource(coco_root, "val2017", limit=300).records():
        assert isinstance(record, ImageRecord)
        for box, line in zip(record.boxes, box_lines(record.boxes), strict=True):
            printed = json.loads(line.removeprefix(f"{box.category}: "))
            assert printed[0] <= printed[2]
            assert printed[1] <= printed[3]
            for value, shown in zip((box.x0, box.y0, box.x1, box.y1), printed, strict=True):
                assert abs(Fraction(value) - Fraction(str(shown))) <= Fraction(1, 2000)


def test_text_of_captions_and_boxes_can_be_had_without_a_record() -> None:
    assert surrogate_text(["A dog."], [Box("dog", 0.25, 0.5, 0.75, 1.0)]) == "A dog.\n\ndog: [0.25, 0.5, 0.75, 1.0]"


def test_negative_zero_beside_a_tie_prints_as_zero() -> None:
    assert box_lines([Box("dog", -0.0, 0.0625, 0.5, 1.0)]) == ["dog: [0.0, 0.062, 0.5, 1.0]"]
