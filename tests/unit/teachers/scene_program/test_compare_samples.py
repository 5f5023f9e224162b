"""Two images compared as wholes: what is told of made-up images, and of none where nothing is certain."""

import pytest

from instructgen.records import Box, ImageRecord
from instructgen.teachers.scene_program import Task, choose_others, write
from instructgen.teachers.scene_program.several import load_several
from instructgen.teachers.scene_program.talk import Told
from instructgen.teachers.scene_program.wordings import slots_of
from tests.provers.images import DOGS, GIRAFFE, KITCHEN, MADE_IMAGES, NOTHING, STREET, SURFER
from tests.provers.several import find_objections_in_several
from tests.unit.teachers.scene_program.making import make

SEEDS = range(24)
TWO_DOGS = make(
    ["Two dogs on a red couch.", "Two dogs on a couch in a living room."],
    Box("dog", 0.1, 0.4, 0.4, 0.7), Box("dog", 0.5, 0.4, 0.8, 0.7), Box("couch", 0.05, 0.3, 0.95, 0.95),
    image_id="made/10",
)  # fmt: skip
THREE_DOGS = make(
    ["Three dogs on a blue couch.", "Three dogs on a couch with a clock in a living room."],
    Box("dog", 0.1, 0.4, 0.3, 0.7), Box("dog", 0.4, 0.4, 0.6, 0.7), Box("dog", 0.7, 0.4, 0.9, 0.7),
    Box("couch", 0.05, 0.3, 0.95, 0.95), Box("clock", 0.4, 0.05, 0.6, 0.25),
    image_id="made/11",
)  # fmt: skip


def tell(first: ImageRecord, second: ImageRecord, seed: int = 0) -> tuple[Told, ...]:
    return write(Task("compare", second, first), seed).turns


def test_differences_are_the_counts_the_colors_and_what_one_alone_has() -> None:
    answers = [tell(TWO_DOGS, THREE_DOGS, seed)[0] for seed in SEEDS]
    differing = {one.answer for one in answers if one.family == "compare_differs"}
    assert differing
    for answer in differing:
        lowered = answer.lower()
        assert "two dogs" in lowered
        assert "three dogs" in lowered
        assert "red" in lowered
        assert "blue" in lowered
        assert "clock" in lowered
        assert lowered.index("two dogs") < lowered.index("three dogs")


def test_similarities_are_what_both_have_and_where_they_are() -> None:
    answers = [tell(TWO_DOGS, THREE_DOGS, seed)[0] for seed in SEEDS]
    same = [one.answer.lower() for one in answers if one.family == "compare_same"]
    assert same
    assert all("living room" in answer and "couch" in answer for answer in same)
    assert not any("red" in answer or "clock" in answer for answer in same)


def test_every_claim_and_word_of_made_images_is_proved() -> None:
    images = [*MADE_IMAGES, TWO_DOGS, THREE_DOGS]
    num_told = 0
    for first in images:
        for second in images:
            if first is second:
                continue
            for seed in range(2):
                written = write(Task("compare", second, first), seed)
                num_told += bool(written.turns)
                assert find_objections_in_several([first, second], "compare", written) == []
    assert num_told > 50


def test_follow_up_questions_tell_nothing_again() -> None:
    for seed in range(100):
        first, *more = tell(TWO_DOGS, THREE_DOGS, seed)
        assert len(more) <= 2
        told = {(claim.kind, claim.subject, claim.image) for claim in first.claims if claim.kind != "exists"}
        for one in more:
            assert not told & {(claim.kind, claim.subject, claim.image) for claim in one.claims}


def test_nothing_is_told_where_nothing_is_certain() -> None:
    assert tell(NOTHING, make(["It is there."], image_id="made/40")) == ()
    assert write(Task("compare", SURFER), 0).turns == (), "there is no other image"


def test_partner_is_the_first_with_which_a_comparison_is_worth_while() -> None:
    twin = make(TWO_DOGS.captions, *TWO_DOGS.boxes, image_id="made/12")
    chosen = choose_others("compare", TWO_DOGS, [NOTHING, THREE_DOGS, STREET], 0)
    assert chosen == (THREE_DOGS,)
    assert choose_others("compare", TWO_DOGS, [twin, THREE_DOGS], 0) == (THREE_DOGS,), "of a twin nothing differs"
    assert choose_others("compare", TWO_DOGS, [], 0) == ()


def test_same_seed_and_images_give_the_same_words() -> None:
    assert tell(DOGS, KITCHEN, 1) == tell(DOGS, KITCHEN, 1)
    assert len({tell(TWO_DOGS, THREE_DOGS, seed)[0].question for seed in SEEDS}) > 8


@pytest.mark.parametrize("family", sorted(load_several()))
def test_forms_are_enough_and_alike_in_their_slots(family: str) -> None:
    forms = load_several()[family]
    if family.startswith("ask_"):
        assert len(forms.plain) == len(set(forms.plain)) >= 12
        assert all(slots_of(form) == {"pic"} for form in forms.plain)
    elif family.startswith("say_"):
        assert len({frozenset(slots_of(form) - {"pic", "lacks", "be_a"}) for form in forms.plain}) == 1
    assert len(forms.plain) >= 1


def test_giraffe_and_kitchen_differ_in_what_they_show() -> None:
    told = tell(GIRAFFE, KITCHEN, 3)
    assert told
    assert "giraffe" in " ".join(one.answer.lower() for one in told)
