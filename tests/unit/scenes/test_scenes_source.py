"""The source of rendered scenes."""

import io

import pytest
from PIL import Image

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.scenes.kinds import KINDS
from instructgen.sources.base import Source
from instructgen.sources.scenes import ScenesSource


def _read(limit: int, seed: int) -> list[ImageRecord]:
    return list(ScenesSource(limit, seed).records())


def test_scenes_are_a_source() -> None:
    source: Source = ScenesSource(limit=1, seed=0)
    assert (source.name, source.split, source.num_images) == ("scenes", None, 1)


def test_a_larger_limit_adds_images_and_changes_none() -> None:
    assert _read(25, seed=4)[:10] == _read(10, seed=4)


def test_reading_twice_gives_the_same_records() -> None:
    source = ScenesSource(limit=5, seed=1)
    assert list(source.records()) == list(source.records())


def test_another_seed_gives_other_images() -> None:
    assert _read(10, seed=1) != _read(10, seed=2)


def test_ids_are_twelve_digits_in_order() -> None:
    assert [record.image_id for record in _read(3, seed=0)] == [f"scenes/00000000000{number}" for number in (1, 2, 3)]


def test_boxes_are_fractions_inside_the_image_with_coco_names() -> None:
    for record in _read(60, seed=8):
        assert record.boxes
        for box in record.boxes:
            assert 0 <= box.x0 < box.x1 <= 1
            assert 0 <= box.y0 < box.y1 <= 1
            assert box.category in KINDS


def test_image_bytes_are_a_jpeg_of_the_recorded_size() -> None:
    source = ScenesSource(limit=2, seed=6, size_px=(200, 150))
    for record in source.records():
        with Image.open(io.BytesIO(source.image_bytes(record))) as picture:
            assert picture.format == "JPEG"
            assert picture.size == (record.width_px, record.height_px) == (200, 150)


@pytest.mark.parametrize(("limit", "size_px"), [(0, (320, 240)), (1, (20, 20)), (1, (1000, 60)), (1, (9000, 9000))])
def test_a_limit_or_size_out_of_range_is_a_users_error(limit: int, size_px: tuple[int, int]) -> None:
    with pytest.raises(InstructgenError, match="scenes: "):
        ScenesSource(limit=limit, seed=0, size_px=size_px)
