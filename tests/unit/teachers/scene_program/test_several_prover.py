"""The prover of what is said of several images: nothing to object to, and no fault passes that is planted."""

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec import structs

from instructgen.jobs.likeness import Likeness
from instructgen.records import ImageRecord
from instructgen.teachers.scene_program import Task, Written, choose_others, write
from instructgen.teachers.scene_program.speech import polish
from tests.provers.several import find_objections_in_several
from tests.unit.teachers.scene_program.making import read_bundled

COCO = Path(__file__).resolve().parents[5] / "shared" / "data" / "coco-val2017"
RECORDS = read_bundled()[::3]
TYPES = ("compare", "few-shot", "interleaved")
Case = tuple[tuple[ImageRecord, ...], Written]


def tell_all(records: list[ImageRecord], sample_type: str, seed: int, num: int | None = None) -> Iterator[Case]:
    likeness = Likeness(records, seed, lambda _: "")
    for record in records[:num]:
        others = choose_others(sample_type, record, likeness.find(record.image_id, 12), seed)
        is_pair = sample_type == "compare"
        task = Task(sample_type, record, others[0] if is_pair and others else None, () if is_pair else others)
        yield (*others, record), write(task, seed)


@cache
def tell_bundled(sample_type: str, seed: int) -> tuple[Case, ...]:
    return tuple(tell_all(RECORDS, sample_type, seed))


@cache
def read_coco() -> list[ImageRecord]:
    from instructgen.sources.coco import CocoSource

    return [one for one in CocoSource(COCO).records() if isinstance(one, ImageRecord)]


@pytest.mark.parametrize("sample_type", TYPES)
def test_nothing_is_said_that_the_images_do_not_prove(sample_type: str) -> None:
    objections, num_told = [], 0
    for seed in (5, 6):
        for records, written in tell_bundled(sample_type, seed):
            num_told += bool(written.turns)
            objections += find_objections_in_several(records, sample_type, written)
    assert objections == []
    assert num_told > 1.6 * len(RECORDS)


@pytest.mark.coco
@pytest.mark.skipif(not COCO.is_dir(), reason="COCO val2017 is not here")
@pytest.mark.parametrize("sample_type", TYPES)
def test_nothing_unproved_is_said_of_150_images_of_coco(sample_type: str) -> None:
    """All are read by `python -m tests.provers --all --types compare,few-shot,interleaved`."""
    told = list(tell_all(read_coco(), sample_type, 7, 150))
    assert [fault for one, written in told for fault in find_objections_in_several(one, sample_type, written)] == []
    assert sum(bool(written.turns) for _, written in told) > 129


def object_to(cases: list[Case], sample_type: str) -> float:
    """Return the share of the cases that the prover objects to."""
    found = [bool(find_objections_in_several(records, sample_type, written)) for records, written in cases]
    return sum(found) / len(found)


@pytest.mark.parametrize("sample_type", TYPES)
def test_images_in_another_order_are_objected_to(sample_type: str) -> None:
    cases = [case for case in tell_bundled(sample_type, 5) if case[1].turns]
    turned = [(records[::-1], written) for records, written in cases]
    assert object_to(cases, sample_type) == 0.0
    assert object_to(turned, sample_type) > 0.8


def alter(written: Written, change: dict[str, str]) -> Written | None:
    """Return the first answer that has one of the words with the other in its place; None where none has."""
    for number, told in enumerate(written.turns):
        for word, other in change.items():
            pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
            if pattern.search(told.answer) and told.family.startswith(("compare", "shot")):
                answer = polish(pattern.sub(other, told.answer, count=1))
                turns = list(written.turns)
                turns[number] = structs.replace(told, answer=answer)
                return Written(tuple(turns))
    return None


CHANGES = {
    "compare": [
        {"first": "second", "second": "first"},
        {"two": "five", "three": "six", "four": "seven"},
        {"red": "green", "blue": "brown", "white": "purple", "black": "yellow"},
        {"only the": "surely the", "both": "some"},
    ],
    "few-shot": [
        {"yes": "no", "no": "yes"},
        {"one": "five", "two": "six", "three": "seven"},
        {"red": "green", "blue": "brown", "white": "purple", "black": "yellow", "green": "red"},
    ],
}


@pytest.mark.parametrize("sample_type", CHANGES)
def test_a_word_that_is_changed_is_found(sample_type: str) -> None:
    cases = [case for seed in (5, 6) for case in tell_bundled(sample_type, seed) if case[1].turns]
    for change in CHANGES[sample_type]:
        altered = [(records, one) for records, written in cases if (one := alter(written, change)) is not None]
        assert len(altered) > 3, change
        assert object_to(altered, sample_type) > 0.9, change


def test_thing_that_only_one_has_is_not_said_of_both() -> None:
    for records, written in tell_bundled("compare", 5):
        for told in written.turns:
            if told.answer.startswith("Only the"):
                turned = told.answer.replace("Only the first", "Only the second") if "first" in told.answer else ""
                if turned:
                    wrong = Written((structs.replace(told, answer=turned),))
                    assert find_objections_in_several(records, "compare", wrong)


def test_document_that_is_not_its_turns_is_objected_to() -> None:
    records, written = next(case for case in tell_bundled("interleaved", 5) if case[1].turns)
    for texts in (written.texts[:-1], (*written.texts[:-1], "Something else."), written.texts[::-1]):
        if texts != written.texts:
            assert find_objections_in_several(records, "interleaved", structs.replace(written, texts=texts))


def test_turns_without_an_image_are_objected_to() -> None:
    records, written = next(case for case in tell_bundled("few-shot", 5) if case[1].turns)
    assert find_objections_in_several(records[:-1], "few-shot", written)
    mixed = structs.replace(written, turns=tuple(random.Random(0).sample(written.turns, len(written.turns)))[::-1])
    if mixed.turns != written.turns:
        assert find_objections_in_several(records, "few-shot", mixed)
