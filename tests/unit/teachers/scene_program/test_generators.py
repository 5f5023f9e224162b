"""The tables of generators: what each declares is what it does, its forms have its slots, and each is tested."""

import re
from functools import cache
from importlib import import_module

import pytest

from instructgen.records import Box, ImageRecord
from instructgen.teachers.scene_program.generators import ADDERS, FOLLOWERS, GENERATORS
from instructgen.teachers.scene_program.talk import Move, Subject, Talk
from instructgen.teachers.scene_program.wordings import STYLES, load_wordings, slots_of
from tests.unit.teachers.scene_program import test_generators_doings as doings
from tests.unit.teachers.scene_program import test_generators_looks as looks
from tests.unit.teachers.scene_program import test_generators_places as places
from tests.unit.teachers.scene_program import test_generators_presence as presence
from tests.unit.teachers.scene_program import test_generators_settings as settings
from tests.unit.teachers.scene_program.making import ALL, at, make, place, read_bundled, talk_about

_FOLDER = "tests.unit.teachers.scene_program"
_PARTS = ("presence", "looks", "doings", "places", "settings", "shown")
MADE = (
    *(
        presence.CAT,
        presence.STREET,
        looks.DOGS,
        looks.PETS,
        looks.BUS,
        looks.BENCH,
        doings.RIDER,
        doings.CAT,
        doings.HOLDER,
    ),
    *(
        places.YARD,
        places.CATS,
        settings.KITCHEN,
        settings.APPLIANCES,
        settings.BUS,
        settings.OUTSIDE,
        settings.COLLAGE,
    ),
    place(places.YARD, *places.SIZES),
    place(places.CATS, *places.CATS.boxes, places.SMALL_CAT),
    place(places.YARD, Box("cat", 0.0, 0.02, 1.0, 0.99)),
    make(
        ("Two men are riding a red horse.", "Two men ride a horse.", "Two men.", "Two men riding a horse."),
        *(at("left", "person"), at("right", "person"), at("middle", "horse")),
    ),
)


def _open_talks(name: str) -> list[Talk]:
    """Return talks in which the generator may find something: afresh, or after each thing that others speak of."""
    talks = []
    for number, record in enumerate((*MADE, *_bundled())):
        talk = talk_about(record, seed=number)
        if name in GENERATORS:
            talks.append(talk)
            continue
        for subject in _subjects(number):
            talks.append(talk_about(record, seed=number))
            talks[-1].last = subject
    return talks


@cache
def _bundled() -> tuple[ImageRecord, ...]:
    return tuple(read_bundled())


@cache
def _subjects(number: int) -> tuple[Subject, ...]:
    record = (*MADE, *_bundled())[number]
    talk = talk_about(record)
    moves = (move for one in GENERATORS.values() for move in one.find(talk))
    return tuple({(move.about.word, move.about.kind): move.about for move in moves if move.about}.values())


@cache
def _moves(name: str) -> tuple[Move, ...]:
    return tuple(move for talk in _open_talks(name) for move in ALL[name].find(talk))


@pytest.mark.parametrize("name", ALL)
def test_generator_uses_the_families_that_it_declares_and_no_other(name: str) -> None:
    assert {move.family for move in _moves(name)} == set(ALL[name].families)


@pytest.mark.parametrize("name", ALL)
def test_generator_makes_the_claims_that_it_declares_and_no_other(name: str) -> None:
    assert {claim.kind for move in _moves(name) for claim in move.claims} == set(ALL[name].claims)


@pytest.mark.parametrize("name", ALL)
def test_each_move_has_keys_claims_and_the_slots_of_its_forms(name: str) -> None:
    families = load_wordings()
    for move in _moves(name):
        family = families[move.family]
        assert move.keys
        assert move.claims
        asked = {slot for form in family.ask for slot in slots_of(form)}
        told = {slot for style in STYLES for form in family.tells(style) for slot in slots_of(form)}
        assert asked <= {"pic", *move.tell, *move.ask}, move.family
        assert told <= {"pic", *move.tell}, move.family
        assert all(value.strip() for slot, value in move.tell.items() if slot != "place"), move


@pytest.mark.parametrize("name", ALL)
def test_generator_does_not_say_twice_what_it_said(name: str) -> None:
    """Told once, the same move is not found again."""
    for talk in _open_talks(name)[:60]:
        move = next(ALL[name].find(talk), None)
        if move is None:
            continue
        talk.said.update(move.keys)
        assert move.claims not in [again.claims for again in ALL[name].find(talk)]


def test_tables_share_no_name_and_no_family() -> None:
    assert len(ALL) == len(GENERATORS) + len(FOLLOWERS) + len(ADDERS)
    assert all(name == one.name for name, one in ALL.items())
    used = [family for one in ALL.values() for family in one.families]
    assert len(used) == len(set(used))
    assert set(used) <= load_wordings().keys()


def test_each_wording_of_a_question_is_used() -> None:
    used = {family for one in ALL.values() for family in one.families}
    assert {name for name in load_wordings() if not name.startswith(("d_", "r_", "refer_", "multi_"))} == used


@pytest.mark.parametrize("name", ALL)
def test_each_generator_has_a_test_of_what_it_says_and_of_when_it_is_silent(name: str) -> None:
    written = [test for part in _PARTS for test in vars(import_module(f"{_FOLDER}.test_generators_{part}"))]
    named = re.compile(rf"(?:test|_and)_{name.replace('-', '_')}_(?:says|is_silent|are_silent|and_)")
    own = [test for test in written if named.search(test)]
    assert [test for test in own if "says" in test]
    assert [test for test in own if "silent" in test]
