"""What stage 0 of the demo is shown: scenes of its own, what is where in them, and never a held-out one."""

import random

import numpy as np
import pytest

from instructgen.jobs.demo_plan import QUICK, DemoPlan
from instructgen.jobs.demo_scenes import (
    GRID,
    NOUNS,
    SeenThing,
    draw_other_scenes,
    write_drill,
    write_list,
    write_tally,
)


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


THINGS = (thing("cup", 0.9, 0.8), thing("bird", 0.1, 0.2, "blue"), thing("car", 0.5, 0.5), thing("car", 0.5, 0.2))


def test_list_goes_from_left_to_right_with_colour_and_place() -> None:
    seen = (*THINGS[:2], thing("car", 0.5, 0.5, None))
    assert write_list(seen) == "bird blue upper left; car plain middle; cup red lower right"


def test_tally_names_every_kind_once_with_how_many_there_are() -> None:
    told = write_tally(THINGS, random.Random(0)).split("; ")
    assert {"cup one", "bird one", "car two", "kite no"} <= set(told)
    assert sorted(part.split()[0] for part in told) == sorted(NOUNS)


def test_drill_answers_what_it_asks() -> None:
    asked = dict(pair for number in range(40) for pair in write_drill(THINGS, random.Random(number)))
    assert asked["How many cars are there?"] == "There are two cars."
    assert asked["What color is the bird?"] == "The bird is blue."
    assert asked["Where is the cup?"] == "The cup is in the lower right."
    assert asked["Is the cup left or right of the bird?"] == "The cup is to the right of the bird."
    assert asked["Is there a kite?"] == "No, there is no kite."
    assert asked["Is there a car?"] == "Yes, there is a car."
    assert "Where is the car?" not in asked


def test_patches_of_a_thing_lie_around_its_middle() -> None:
    for scene in draw_other_scenes(7, 12):
        for one in scene.things:
            assert one.patches
            columns = [patch % GRID for patch in one.patches]
            assert min(columns) - 1 <= one.x * GRID <= max(columns) + 2
            assert one.noun in NOUNS


def test_mirrored_truth_is_that_of_the_mirrored_scene() -> None:
    torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_vision import _mirror, _tell_words

    seen = (thing("cup", 0.1, 0.5, patches=(3, 4)),)
    mirrored = (thing("cup", 0.9, 0.5, patches=(4, 5)),)
    turned = _mirror(torch.from_numpy(_tell_words(seen))[None].float())[0]
    assert np.array_equal(turned.bool().numpy(), _tell_words(mirrored))


def test_words_of_a_thing_hold_its_noun_colour_and_place() -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_language import WORDS, see

    sight = see((thing("cup", 0.1, 0.9, "blue", (6,)),))
    assert np.array_equal(sight.by_patch[6], sight.by_thing[0])
    assert np.flatnonzero(sight.by_patch.any(axis=1)).tolist() == [6]
    assert {WORDS[at] for at in np.flatnonzero(sight.by_patch[6])} == {"cup", "blue", "left", "lower"}


def test_words_that_tell_weigh_more_than_wording() -> None:
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from instructgen.jobs.demo_language import train_tokenizer, weigh

    with TemporaryDirectory() as folder:
        tokenizer = train_tokenizer(["The cup is blue.", "The cup is on the left side."] * 8, Path(folder))
        weights = weigh(tokenizer)
        of = {
            word: float(weights[tokenizer.encode(f" {word}", add_special_tokens=False)].max())
            for word in ("is", "cup")
        }
    assert of["cup"] > 5 * of["is"]
