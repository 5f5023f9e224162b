"""What stage 0 of the demo is shown: scenes of its own, what is where in them, and never a held-out one."""

import numpy as np
import pytest

from instructgen.jobs.demo_plan import QUICK, DemoPlan
from instructgen.jobs.demo_scenes import GRID, SeenThing, draw_other_scenes, nouns, write_list


def thing(noun: str, x: float, y: float, colour: str | None = "red", patches: tuple[int, ...] = (0,)) -> SeenThing:
    return SeenThing(noun, colour, x, y, patches)


def test_three_parts_of_a_demo_share_no_scene_seed_with_each_other_or_another_demo() -> None:
    seeds = [
        seed
        for number in range(3)
        for plan in (DemoPlan(seed=number),)
        for seed in (plan.other_seed, plan.student_seed, plan.held_out_seed)
    ]
    assert len(set(seeds)) == 9


def test_plan_is_read_as_it_was_written() -> None:
    assert DemoPlan.read(QUICK.write()) == QUICK


def test_list_goes_from_left_to_right_with_colour_and_place() -> None:
    things = (thing("dog", 0.9, 0.8), thing("cat", 0.1, 0.2, None), thing("car", 0.5, 0.5))
    assert write_list(things) == "cat plain left top; car red middle middle; dog red right bottom"


def test_patches_of_a_thing_lie_around_its_middle() -> None:
    for scene in draw_other_scenes(7, 12):
        for one in scene.things:
            assert one.patches
            columns = [patch % GRID for patch in one.patches]
            assert min(columns) - 1 <= one.x * GRID <= max(columns) + 2
            assert one.noun in nouns()


def test_mirrored_truth_is_that_of_the_mirrored_scene() -> None:
    torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_vision import _mirror, _tell_words

    seen = (thing("dog", 0.1, 0.5, patches=(8, 9)),)
    mirrored = (thing("dog", 0.9, 0.5, patches=(14, 15)),)
    turned = _mirror(torch.from_numpy(_tell_words(seen))[None].float())[0]
    assert np.array_equal(turned.bool().numpy(), _tell_words(mirrored))


def test_words_of_a_thing_hold_its_noun_colour_and_directions() -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_language import see

    sight = see((thing("dog", 0.0, 1.0, "blue", (56, 57)),))
    assert np.array_equal(sight.by_patch[56], sight.by_thing[0])
    assert np.flatnonzero(sight.by_patch.any(axis=1)).tolist() == [56, 57]
    left, right, top, bottom = sight.by_thing[0][-4:]
    assert left == bottom > 0
    assert right == top == 0
