"""What is drawn is what is said to be there."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageDraw

from instructgen.scenes.categories import list_categories
from instructgen.scenes.kinds import KINDS
from instructgen.scenes.layout import lay_out
from instructgen.scenes.palette import COLOUR_NAMES, PAINT, colour_name, name_pixels
from instructgen.scenes.pen import Frame, Look, Pen
from instructgen.scenes.render import draw_scene
from instructgen.scenes.settings import SETTINGS
from instructgen.sources.scenes import SceneImage, make_scene

_EVERY_LOOK = [
    (kind, pose, variant)
    for kind, spec in KINDS.items()
    for pose in (*spec.poses, *(("sitting", "riding", "reaching") if kind == "person" else ()))
    for variant in spec.variants
]


def test_boxes_are_the_extents_of_the_visible_pixels(images: list[SceneImage]) -> None:
    for image in images:
        for position, sighting in enumerate(image.drawing.sightings, start=1):
            ys, xs = np.nonzero(image.drawing.mask == position)
            assert sighting.box_px == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            assert sighting.area_px == len(xs)


def test_mask_holds_nothing_but_the_sightings(images: list[SceneImage]) -> None:
    for image in images:
        assert image.drawing.mask.shape == (image.drawing.picture.height, image.drawing.picture.width)
        assert set(np.unique(image.drawing.mask)) - {0} == set(range(1, len(image.drawing.sightings) + 1))


def test_pixels_of_a_thing_differ_from_the_same_scene_without_it(images: list[SceneImage]) -> None:
    for image in images[:40]:
        drawing = image.drawing
        for position, sighting in enumerate(drawing.sightings, start=1):
            without = draw_scene(
                drawing.scene.without_groups(frozenset({sighting.thing.group})), drawing.picture.size
            )
            own = drawing.mask == position
            changed = (np.asarray(without.picture) != np.asarray(drawing.picture)).any(axis=2)
            assert changed[own].mean() > 0.6, sighting.thing


def test_a_scene_has_one_to_eight_things(images: list[SceneImage]) -> None:
    counts = Counter(len(image.drawing.sightings) for image in images)
    assert min(counts) >= 1
    assert max(counts) <= 8
    assert len(counts) >= 7


def test_counts_of_a_kind_vary_from_one_to_five() -> None:
    seen = Counter(
        count
        for number in range(1, 600)
        for count in Counter(thing.kind for thing in lay_out(5, number, 4 / 3).things).values()
    )
    assert {1, 2, 3, 4, 5} <= set(seen)


@pytest.mark.parametrize(("kind", "pose", "variant"), _EVERY_LOOK)
def test_every_kind_can_be_drawn_in_its_box(kind: str, pose: str, variant: str) -> None:
    spec = KINDS[kind]
    picture, mask = Image.new("RGB", (300, 300), (1, 2, 3)), Image.new("L", (300, 300))
    unit_px = 150 / max(spec.width, spec.height)
    pen = Pen(ImageDraw.Draw(picture), ImageDraw.Draw(mask), Frame(150, 220, unit_px), 7)
    spec.draw(pen, Look(spec.colours[0], pose, variant, 5))
    drawn = (np.asarray(picture) != (1, 2, 3)).any(axis=2)
    assert np.array_equal(drawn, np.asarray(mask) == 7)
    ys, xs = np.nonzero(drawn)
    assert drawn.sum() > 0.1 * spec.width * spec.height * unit_px**2
    assert abs(xs - 150).max() < 0.95 * spec.width * unit_px + 2
    assert ys.min() > 220 - 1.3 * spec.height * unit_px


def test_every_kind_and_setting_is_seen_in_a_thousand_images() -> None:
    scenes = [lay_out(1, number, 4 / 3) for number in range(1, 1001)]
    assert {thing.kind for scene in scenes for thing in scene.things} == set(KINDS)
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    assert {act.verb for scene in scenes for act in scene.acts} == {
        "riding", "flying", "chasing", "walking", "holding", "sitting on", "lying on",
    }  # fmt: skip


def test_a_named_colour_is_the_hue_of_most_pixels(images: list[SceneImage]) -> None:
    """By hue alone, without our names: coloured pixels of a thing lie nearer its paint than any other paint."""
    hues = {"red": 0, "orange": 30, "yellow": 47, "green": 135, "blue": 218, "purple": 273, "pink": 337}
    num_checked = 0
    for image in images:
        pixels = np.asarray(image.drawing.picture.convert("HSV"))
        for position, sighting in enumerate(image.drawing.sightings, start=1):
            if sighting.colour not in hues:
                continue
            own = pixels[image.drawing.mask == position].astype(float)
            strong_deg = own[(own[:, 1] > 0.4 * 255) & (own[:, 2] > 0.3 * 255), 0] * 360 / 255
            turns_deg = np.abs(strong_deg[:, None] - np.array(list(hues.values())))
            nearest = Counter(np.array(list(hues))[np.minimum(turns_deg, 360 - turns_deg).argmin(axis=1)].tolist())
            assert nearest.most_common(1)[0][0] == sighting.colour, sighting.thing
            assert nearest[sighting.colour] > 0.3 * len(own)
            num_checked += 1
    assert num_checked > 200


def test_a_named_gray_is_colourless_and_a_named_brown_is_a_dark_orange(images: list[SceneImage]) -> None:
    bounds = {
        "white": (0, 0.2, 0.75, 1),
        "gray": (0, 0.25, 0.3, 0.9),
        "black": (0, 1, 0, 0.35),
        "brown": (0.3, 1, 0.25, 0.7),
    }
    for image in images:
        pixels = np.asarray(image.drawing.picture) / 255
        for position, sighting in enumerate(image.drawing.sightings, start=1):
            if sighting.colour in bounds:
                own = pixels[image.drawing.mask == position]
                value = own.max(axis=1)
                saturation = 1 - own.min(axis=1) / np.maximum(value, 1e-6)
                s0, s1, v0, v1 = bounds[sighting.colour]
                fits = (saturation >= s0) & (saturation <= s1) & (value >= v0) & (value <= v1)
                assert fits.mean() > 0.3, sighting.thing


def test_the_table_of_names_gives_each_paint_its_own_name() -> None:
    paints = np.array([list(PAINT.values())], dtype=np.uint8)
    assert [COLOUR_NAMES[index] for index in name_pixels(paints)[0]] == list(PAINT)
    assert [colour_name(rgb) for rgb in PAINT.values()] == list(PAINT)


def test_same_seed_and_number_give_the_same_picture_and_another_number_another() -> None:
    first, again, other = (make_scene(3, number, (160, 120)) for number in (9, 9, 10))
    assert first.drawing.picture.tobytes() == again.drawing.picture.tobytes()
    assert first.drawing.sightings == again.drawing.sightings
    assert first.captions == again.captions
    assert first.drawing.picture.tobytes() != other.drawing.picture.tobytes()


def test_things_can_be_seen_at_48_pixels() -> None:
    for number in range(1, 60):
        drawing = make_scene(2, number, (48, 48)).drawing
        assert drawing.sightings
        assert len(drawing.sightings) == 1 or min(sighting.area_px for sighting in drawing.sightings) >= 10


def test_the_80_categories_have_the_official_ids() -> None:
    categories = list_categories()
    missing_ids = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}  # COCO's own gaps
    assert [category.category_id for category in categories] == sorted(set(range(1, 91)) - missing_ids)
    assert len({category.name for category in categories}) == 80
    assert set(KINDS) <= {category.name for category in categories}
