"""Simple scenes: few clear things, each in a place of its own, and known as well as the others."""

from collections import Counter

import pytest

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.scenes.settings import PLAIN_SETTINGS, SETTINGS
from instructgen.scenes.simple import SIMPLE_COLOURS, SIMPLE_KINDS, lay_out_simply
from instructgen.sources import open_source
from instructgen.sources.scenes import SimpleScenesSource, make_scene
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.speech import region_of

_SIZE_PX = (160, 120)
_SCENES = [make_scene(3, number, _SIZE_PX, lay_out_simply) for number in range(1, 61)]


def _records(limit: int, seed: int = 3) -> list[ImageRecord]:
    return list(SimpleScenesSource(limit, seed).records())


def test_scene_is_of_its_seed_and_number_alone() -> None:
    few, more = _records(4), _records(6)
    assert more[:4] == few
    assert _records(4, seed=4) != few
    source = SimpleScenesSource(6, 3)
    assert source.image_bytes(few[2]) == SimpleScenesSource(3, 3).image_bytes(few[2])


def test_things_are_all_seen_and_no_two_are_in_one_place() -> None:
    for scene in _SCENES:
        laid = scene.drawing.scene
        assert len(scene.drawing.sightings) == len(laid.things)
        places = {(int(3 * thing.x * 3 / 4), int(3 * (thing.y + 0.1))) for thing in laid.things}
        assert len(places) == len(laid.things)


def test_place_of_every_thing_can_be_said() -> None:
    regions = Counter(region_of(box) for record in _records(60) for box in record.boxes)
    assert len(regions) >= 9
    assert regions[""] <= 0.02 * regions.total()


def test_things_of_a_kind_have_one_colour_which_is_seen() -> None:
    unclear = 0
    for scene in _SCENES:
        by_kind: dict[str, set[str]] = {}
        for sighting in scene.drawing.sightings:
            by_kind.setdefault(sighting.thing.kind, set()).add(sighting.thing.look.colour)
            unclear += sighting.colour is None
        assert all(len(colours) == 1 for colours in by_kind.values())
        assert by_kind.keys() <= set(SIMPLE_KINDS)
        avoided = PLAIN_SETTINGS[scene.drawing.scene.setting].avoid
        assert set().union(*by_kind.values()) <= set(SIMPLE_COLOURS) - avoided
    assert unclear <= 2


def test_scene_program_tells_colours_counts_and_places_of_simple_scenes() -> None:
    asked = Counter(
        claim.kind
        for record in _records(30)
        for turn in write(Task("conv", record), 0).turns
        for claim in turn.claims
    )
    assert {"attribute", "count", "region", "absent", "exists"} <= asked.keys()


def test_other_scenes_never_play_on_plain_grounds() -> None:
    assert not PLAIN_SETTINGS.keys() & SETTINGS.keys()


def test_build_names_them_as_a_source_of_their_own() -> None:
    source = open_source(SourceConfig(name="simple-scenes", limit=2), 5)
    assert [one.image_id for one in source.records() if isinstance(one, ImageRecord)] == [
        "simple-scenes/000000000001",
        "simple-scenes/000000000002",
    ]
    with pytest.raises(InstructgenError, match="no --root"):
        open_source(SourceConfig(name="simple-scenes", root="x"), 5)
    with pytest.raises(InstructgenError, match="simple-scenes: limit"):
        SimpleScenesSource(0)
