"""Which two images a sample compares: a pure function of the source's order and the split."""

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image

from instructgen.config import BuildConfig, SurrogateConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.plan import Planner, find_split
from instructgen.records import ImageRecord, Rejected, SourceIssue, Unit
from tests.support.make import make_record


class Images:
    """A source of what it is given, with a picture of its own for each image."""

    name = title = "made"
    split = None
    num_images = None

    def __init__(self, *found: ImageRecord | Rejected | SourceIssue) -> None:
        self.found = found

    def records(self) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        yield from self.found

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        if "broken" in record.file_name:
            raise InstructgenError("cannot be read")
        picture = io.BytesIO()
        Image.new("RGB", (record.width_px, record.height_px), int(record.image_id[-1])).save(picture, "PNG")
        return picture.getvalue()


def plan(*found: Any, types: tuple[str, ...] = ("conv", "multi-image"), **options: Any) -> Planner:
    return Planner(Images(*found), SurrogateConfig(), types, None, **options)  # type: ignore[arg-type]


def partners(planner: Planner, sample_type: str = "multi-image") -> list[str | None]:
    """Return the partner's id, image by image; "-" for a unit that was rejected."""
    told: list[str | None] = []
    for image in planner.images():
        unit = dict(image.units)[sample_type]
        told.append("-" if not isinstance(unit, Unit) else unit.partner.image_id if unit.partner else None)
    return told


def name(number: int) -> str:
    return make_record(number).image_id


def test_each_image_is_compared_with_the_one_before() -> None:
    planner = plan(*(make_record(number) for number in (1, 2, 3)))
    assert partners(planner) == [None, name(1), name(2)]
    assert partners(planner, "conv") == [None] * 3, "other types speak of one image"


def test_pair_is_written_down_as_two_images_for_whoever_judges_it() -> None:
    first, second = plan(make_record(1), make_record(2, captions=("A red bus.",))).images()
    alone, both = dict(first.units)["multi-image"], dict(second.units)["multi-image"]
    other = dict(second.units)["conv"]
    assert isinstance(alone, Unit)
    assert isinstance(both, Unit)
    assert isinstance(other, Unit)
    text = f"The first image:\n{alone.surrogate.text}\n\nThe second image:\n{other.surrogate.text}"
    assert both.surrogate.text == text
    assert "A red bus." in text
    assert (both.surrogate.num_captions, both.surrogate.num_boxes) == (3, 4)


def test_going_through_again_pairs_alike() -> None:
    planner = plan(*(make_record(number) for number in (4, 2, 9)))
    first = list(planner.images())
    assert list(planner.images()) == first
    stopped = planner.images()
    next(stopped)
    assert list(planner.images()) == first, "what an earlier pass saw does not count"


def test_image_that_cannot_be_used_is_nobodys_partner() -> None:
    bare = make_record(2, captions=(), boxes=())
    gone = Rejected(name(3), "source", "no_captions")
    planner = plan(make_record(1), SourceIssue("x", "bad_box", ""), bare, gone, make_record(4))
    assert partners(planner) == [None, "-", "-", name(1)]


def test_unreadable_picture_is_nobodys_partner() -> None:
    planner = plan(make_record(1), make_record(2, file_name="broken.jpg"), make_record(3))
    planner.max_image_pixels = 100_000_000
    assert partners(planner) == [None, "-", name(1)]


def test_picture_of_the_partner_goes_along_where_rows_embed_them() -> None:
    planner = plan(make_record(1), make_record(2))
    assert [image.picture for image in planner.images()] == [None, None]
    assert [image.other_pictures for image in planner.images()] == [{}, {name(1): None}]
    planner.max_image_pixels = 100_000_000
    first, second = planner.images()
    assert first.picture is not None
    assert first.other_pictures == {}
    assert second.other_pictures == {name(1): first.picture} != {name(1): second.picture}


def test_no_image_comes_into_two_splits() -> None:
    config = BuildConfig(seed=3)
    records = [make_record(number) for number in range(1, 120)]
    planner = plan(*records, split_of=lambda image_id: find_split(config, image_id))
    splits = {record.image_id: find_split(config, record.image_id) for record in records}
    told = partners(planner)
    assert set(splits.values()) == {"train", "val"}
    assert told.count(None) == 2, "the first of each split"
    for record, partner in zip(records, told, strict=True):
        assert partner is None or splits[partner] == splits[record.image_id]


def test_types_of_one_image_are_planned_as_before() -> None:
    for image in plan(make_record(1), make_record(2), types=("conv", "detail")).images():
        assert image.other_pictures == {}
        assert all(isinstance(unit, Unit) and unit.partner is None for _, unit in image.units)
