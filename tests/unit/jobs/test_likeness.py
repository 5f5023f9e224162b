"""Images that are alike: by the kinds of things in them, whatever the order and the share of the source."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from instructgen.config import BuildConfig, SurrogateConfig
from instructgen.jobs.likeness import Likeness
from instructgen.jobs.matching import Matcher
from instructgen.jobs.plan import PlannedImage, Planner, find_split
from instructgen.records import Box, ImageRecord, Rejected, Unit
from instructgen.sources.shares import Share, ShareOfSource
from instructgen.teachers.scene_program import choose_others
from tests.support.make import make_record
from tests.unit.jobs.test_plan_pairs import Images

KINDS = ("dog", "cat", "bus", "car", "person", "bench", "boat", "cow")


def make_image(number: int, *kinds: str, **changes: Any) -> ImageRecord:
    boxes = tuple(Box(kind, 0.1, 0.1, 0.5, 0.5) for kind in kinds)
    listed = " and ".join(f"a {kind}" for kind in kinds) or "a view"
    captions = (f"There is {listed} here.", f"A photo of {listed}.")
    return make_record(number, boxes=boxes, captions=captions, **changes)


def draw_images(num: int, seed: int = 0) -> list[ImageRecord]:
    draw = random.Random(seed)
    return [make_image(number, *sorted(draw.sample(KINDS, draw.randint(1, 4)))) for number in range(1, num + 1)]


def ids(found: list[ImageRecord]) -> list[str]:
    return [one.image_id for one in found]


def name(number: int) -> str:
    return make_record(number).image_id


def test_what_shares_more_kinds_comes_first_and_rare_ones_tell_more() -> None:
    images = [
        make_image(1, "dog", "person"),
        make_image(2, "dog", "person"),
        make_image(3, "dog"),
        make_image(4, "person"),
        *(make_image(number, "person", "car") for number in range(5, 12)),
    ]
    assert ids(Likeness(images, 0, lambda _: "").find(name(1), 3)) == [name(2), name(3), name(4)]


def test_order_of_the_source_does_not_count() -> None:
    images = draw_images(200)
    shuffled = random.Random(5).sample(images, len(images))
    first, second = Likeness(images, 0, lambda _: ""), Likeness(shuffled, 0, lambda _: "")
    for one in images:
        found = ids(first.find(one.image_id, 8))
        assert found == ids(second.find(one.image_id, 8))
        assert len(set(found)) == 8
        assert one.image_id not in found
    other = Likeness(images, 1, lambda _: "")
    assert any(ids(first.find(one.image_id, 8)) != ids(other.find(one.image_id, 8)) for one in images)


def test_images_without_boxes_still_have_others() -> None:
    images = [make_image(1), make_image(2), make_image(3, "dog")]
    assert len(Likeness(images, 0, lambda _: "").find(name(1), 5)) == 2
    assert Likeness(images, 0, lambda _: "").find("none", 5) == []


def test_records_come_back_as_they_were() -> None:
    images = draw_images(20)
    by_id = {one.image_id: one for one in images}
    found = Likeness([Rejected("x", "source", "gone"), *images], 0, lambda _: "").find(name(3), 19)
    assert len(found) == 19
    assert all(by_id[one.image_id] == one for one in found)


def make_planner(
    images: list[Any], types: tuple[str, ...] = ("compare", "few-shot"), split_of: Callable[[str], str] = lambda _: ""
) -> Planner:
    def choose(sample_type: str, image: ImageRecord, candidates: Any) -> tuple[ImageRecord, ...]:
        return choose_others(sample_type, image, candidates, seed=0)

    source = Images(*images)
    planner = Planner(source, SurrogateConfig(), types, None, split_of=split_of)  # type: ignore[arg-type]
    planner.matcher = Matcher(source.records, 0, split_of, choose)
    return planner


def others_of(planned: list[PlannedImage]) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {
        image.image_id: tuple(
            tuple(one.image_id for one in (*unit.shots, *((unit.partner,) if unit.partner else ())))
            for _, unit in image.units
            if isinstance(unit, Unit)
        )
        for image in planned
    }


def test_units_get_the_images_that_can_be_asked_the_same() -> None:
    images = draw_images(60)
    planned = list(make_planner(images).images())
    num_shown = 0
    for image in planned:
        (_, compare), (_, shots) = image.units
        assert isinstance(compare, Unit)
        assert isinstance(shots, Unit)
        assert compare.partner is not None
        assert len(shots.shots) in (0, 2, 3, 4)
        num_shown += bool(shots.shots)
        assert set(image.other_pictures) == {one.image_id for one in (*shots.shots, compare.partner)}
        assert shots.surrogate.text.startswith("Image 1:\n") or not shots.shots
        assert shots.surrogate.num_boxes == sum(len(one.boxes) for one in (*shots.shots, shots.record))
    assert num_shown > 10


def test_order_share_and_repetition_do_not_change_the_others() -> None:
    images = draw_images(60)
    planner = make_planner(images)
    wanted = others_of(list(planner.images()))
    assert others_of(list(planner.images())) == wanted, "a second pass"
    assert others_of(list(make_planner(images[::-1]).images())) == wanted
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for index in range(3):
        share = ShareOfSource(Counted(*images), Share(index, 3))  # type: ignore[arg-type]
        part = make_planner(images)
        part.source = share
        found |= others_of(list(part.images()))
    assert found == wanted


class Counted(Images):
    @property
    def num_images(self) -> int:  # type: ignore[override]
        return len(self.found)


def test_all_records_of_a_share_are_those_of_the_source() -> None:
    images = draw_images(9)
    share = ShareOfSource(Counted(*images), Share(1, 3))  # type: ignore[arg-type]
    assert list(share.all_records()) == images


def test_no_image_is_in_two_splits() -> None:
    config = BuildConfig(seed=3)
    planner = make_planner(draw_images(120), split_of=lambda image_id: find_split(config, image_id))
    found = others_of(list(planner.images()))
    assert {find_split(config, image_id) for image_id in found} == {"train", "val"}
    for image_id, units in found.items():
        split = find_split(config, image_id)
        assert all(find_split(config, other) == split for unit in units for other in unit)


def test_unusable_image_is_nobodys_other() -> None:
    images = draw_images(30)
    broken = {images[number].image_id for number in range(0, 30, 3)}
    images = [
        make_image(int(one.image_id[-6:]), *(box.category for box in one.boxes), file_name="broken.jpg")
        if one.image_id in broken
        else one
        for one in images
    ]
    planner = make_planner(images)
    planner.max_image_pixels = 100_000_000
    planned = [image for image in planner.images() if image.record is not None]
    found = others_of(planned)
    assert len(found) == 20
    assert any(found.values())
    for image in planned:
        assert not broken & {other for unit in found[image.image_id] for other in unit}
        assert all(picture is not None for picture in image.other_pictures.values())


def test_source_of_one_image_has_no_others() -> None:
    (image,) = make_planner([make_image(1, "dog")]).images()
    assert image.other_pictures == {}
    assert all(isinstance(unit, Unit) and not unit.shots and unit.partner is None for _, unit in image.units)


@pytest.mark.parametrize("types", [("conv",), ("multi-image",)])
def test_source_is_read_once_where_no_type_wants_likeness(types: tuple[str, ...]) -> None:
    num_read = 0

    def records() -> Iterator[ImageRecord]:
        nonlocal num_read
        num_read += 1
        yield from draw_images(5)

    planner = make_planner(draw_images(5), types)
    planner.matcher = Matcher(records, 0, lambda _: "", lambda *_: ())
    assert len(list(planner.images())) == 5
    assert num_read == 0
