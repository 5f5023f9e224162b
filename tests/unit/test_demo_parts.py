"""What stage 0 of the demo is shown: scenes of its own, what is where in them, and never a held-out one."""

import random
from pathlib import Path

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
    write_presence,
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


def test_presence_asks_for_as_many_things_that_are_not_there_as_are() -> None:
    asked = [pair for number in range(30) for pair in write_presence(THINGS, random.Random(number))]
    said_no = {noun for question, answer in asked if answer.startswith("No,") for noun in NOUNS if noun in question}
    said_yes = {noun for question, answer in asked if answer.startswith("Yes,") for noun in NOUNS if noun in question}
    assert said_yes == {"cup", "bird", "car"}
    assert said_no == {*NOUNS} - said_yes
    assert sum(answer.startswith("No,") for _, answer in asked) == len(asked) / 2 == 90


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


def test_features_are_centred_over_the_pictures_and_stay_so_on_disk(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    from msgspec.structs import replace

    from instructgen.jobs.demo_vision import IMAGE_PX, centre, make_spec
    from instructgen.models.saved_tower import save_tower
    from instructgen.models.towers import build_tower

    pixels = torch.rand(60, 3, IMAGE_PX, IMAGE_PX, generator=torch.Generator().manual_seed(0))
    tower = build_tower(make_spec(), 0, weights=True, dtype=torch.float32).eval()
    with torch.no_grad():
        tower.final_norm.bias += 3
    centre(tower, pixels)
    save_tower(tower, tmp_path / "tower")
    spec = replace(make_spec(), config=None, name=str(tmp_path / "tower"))
    with torch.no_grad():
        features = build_tower(spec, 0, weights=True, dtype=torch.float32).eval()(pixels)
    assert features.mean(dim=(0, 1)).abs().max() < 1e-4
    assert features.std() == pytest.approx(1, abs=1e-3)


def test_captions_and_descriptions_are_asked_for_as_the_students_dataset_asks() -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_language import write_chats
    from instructgen.prompting.prompts import load_questions

    written = [write_chats(scene, 0) for scene in draw_other_scenes(7, 12)]
    for kind, sample_type in (("caption", "brief"), ("description", "detail")):
        asked = {chat[0][0] for by_kind in written for chat in by_kind[kind]}
        assert len(asked) > 1
        assert asked <= set(load_questions(None, sample_type))


def test_language_model_is_the_same_whatever_was_drawn_before(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_language import train_language

    scenes = list(draw_other_scenes(7, 12))
    for number in range(2):
        torch.manual_seed(number)
        train_language(scenes, tmp_path / str(number), steps=(1, 1, 1), seed=5, tell=lambda *_: None)
    first, second = ((tmp_path / str(number) / "model.safetensors").read_bytes() for number in range(2))
    assert first == second


def test_words_that_tell_weigh_more_than_wording(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    from instructgen.jobs.demo_language import train_tokenizer, weigh

    tokenizer = train_tokenizer(["The cup is blue.", "The cup is on the left side."] * 8, tmp_path)
    weights = weigh(tokenizer)
    of = {
        word: float(weights[tokenizer.encode(f" {word}", add_special_tokens=False)].max()) for word in ("is", "cup")
    }
    assert of["cup"] > 5 * of["is"]
