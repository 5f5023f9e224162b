"""One question asked of image after image: which images, which question, and how the answers read."""

import random

import pytest

from instructgen.draws import make_generator
from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, choose_others, write, write_text
from instructgen.teachers.scene_program.shots import choose_shots, make_shots
from tests.provers.images import MADE_IMAGES, NOTHING
from tests.provers.several import find_objections_in_several
from tests.unit.teachers.scene_program.making import make

SEEDS = range(16)


def make_buses(color: str, num: int, number: int, *, place: str = "street") -> ImageRecord:
    word = ("zero", "one", "two", "three", "four")[num]
    many = "buses" if num > 1 else "bus"
    boxes = [Box("bus", 0.02 + 0.24 * k, 0.2, 0.2 + 0.24 * k, 0.8) for k in range(num)]
    captions = (
        [f"{word.capitalize()} {many} on a {place}.", f"There are {word} {many} on the {place}."]
        if num > 1
        else [f"A {color} bus on a {place}.", f"One {color} bus is parked on a {place}."]
    )
    return make(captions, *boxes, image_id=f"made/2{number}")


BUSES = [
    *(make_buses(color, 1, k) for k, color in enumerate(("red", "blue", "green", "red"))),
    *(make_buses("red", num, 4 + num) for num in (2, 3, 4)),
    make(["A dog on a beach.", "The dog lies on a beach."], Box("dog", 0.2, 0.2, 0.7, 0.7), image_id="made/30"),
]


def tell(image: ImageRecord, others: list[ImageRecord], seed: int, sample_type: str = "few-shot") -> Task:
    return Task(sample_type, image, None, choose_others(sample_type, image, others, seed))


@pytest.mark.parametrize("sample_type", ["few-shot", "interleaved"])
def test_every_answer_is_proved_by_its_own_image(sample_type: str) -> None:
    images = [*BUSES, *MADE_IMAGES]
    families = set()
    for seed in SEEDS:
        for image in images:
            others = [one for one in images if one is not image]
            random.Random(seed).shuffle(others)
            task = tell(image, others, seed, sample_type)
            written = write(task, seed)
            assert bool(written.turns) == bool(task.shots)
            assert find_objections_in_several([*task.shots, image], sample_type, written) == []
            families |= {one.family for one in written.turns}
    wanted = {
        "shot_count",
        "shot_color",
        "shot_there_yes",
        "shot_there_no",
        "shot_place",
        "shot_caption",
        "shot_doing",
    }
    assert families >= wanted - {"shot_doing"}


def test_all_images_are_asked_the_same_and_answer_in_one_form() -> None:
    for seed in SEEDS:
        task = tell(BUSES[0], BUSES[1:], seed)
        turns = write(task, seed).turns
        if not turns:
            continue
        assert 3 <= len(turns) == len(task.shots) + 1 <= 5
        assert len({one.question for one in turns}) == 1
        assert [claim.image for one in turns for claim in one.claims] == list(range(len(turns)))
        assert len({one.answer.endswith(".") for one in turns}) == 1


def test_images_before_do_not_all_answer_alike() -> None:
    for seed in range(40):
        turns = write(tell(BUSES[0], BUSES[1:], seed), seed).turns
        if turns and turns[0].family != "shot_caption":
            assert len({one.answer for one in turns[:-1]}) > 1


def test_images_that_cannot_be_asked_are_passed_over() -> None:
    for seed in SEEDS:
        chosen = choose_others("few-shot", BUSES[0], [NOTHING, *BUSES[1:]], seed)
        assert NOTHING not in chosen
    assert choose_others("few-shot", BUSES[0], [NOTHING, NOTHING], 0) == ()
    assert write(Task("few-shot", BUSES[0], None, (NOTHING, BUSES[1])), 0).turns == ()
    assert write(Task("few-shot", BUSES[0]), 0).turns == ()


def test_what_is_chosen_is_what_is_told() -> None:
    """The planner chooses images by the question that the teacher will ask: with those alone it is the same one."""
    graphs = [read_graph(one) for one in BUSES]
    for seed in range(60):
        chosen = choose_shots(graphs[0], graphs[1:], make_generator(seed, "t", "x"))
        if chosen is None:
            continue
        others = [graphs[1:][number] for number in chosen.numbers]
        again = choose_shots(graphs[0], others, make_generator(seed, "t", "x"), len(others))
        assert again is not None
        assert again.numbers == tuple(range(len(others)))
        assert (again.topic.family, again.topic.ask) == (chosen.topic.family, chosen.topic.ask)
        turns = make_shots(others, graphs[0], make_generator(seed, "t", "x"))
        assert len(turns) == len(others) + 1


def test_document_has_the_prompts_of_openflamingo_among_its_forms() -> None:
    texts = [
        text
        for seed in SEEDS
        for image in BUSES
        for text in write(tell(image, [one for one in BUSES if one is not image], seed, "interleaved"), seed).texts
    ]
    assert any(text.startswith("Question:") and " Short answer:" in text for text in texts)
    assert any(text.startswith("Output:") for text in texts)
    assert not any("{" in text or "<image>" in text for text in texts)


def test_reply_of_a_document_is_its_texts_and_of_a_chat_its_turns() -> None:
    document, chat = (tell(BUSES[0], BUSES[1:], 3, name) for name in ("interleaved", "few-shot"))
    assert write_text(document, 3).split("\n===\n") == list(write(document, 3).texts)
    assert write_text(chat, 3).count("Question:\n") == len(write(chat, 3).turns)


def test_same_seed_gives_the_same_and_another_seed_another() -> None:
    told = [write_text(tell(BUSES[0], BUSES[1:], seed), seed) for seed in SEEDS]
    assert told == [write_text(tell(BUSES[0], BUSES[1:], seed), seed) for seed in SEEDS]
    assert len(set(told)) > 8
