"""The scene program on images of COCO val2017: proof, coverage, balance, cost of changes.

Every twentieth image is read, so that CI stays short; with INSTRUCTGEN_PROVE_ALL=1 all 5,000 are, as by
`python -m tests.provers --all`.
"""

import os
import random
from functools import cache
from pathlib import Path

import pytest

from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.length import AnswerLength
from instructgen.filters.refusal import Refusal
from instructgen.filters.repetition import RepeatedText
from instructgen.records import Fault, ImageRecord, Sample
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.sources.coco import CocoSource
from instructgen.teachers.scene_program import Task, Written, join_pairs, write
from tests.provers.altered import mutate
from tests.provers.scene_program import find_objections

pytestmark = [pytest.mark.coco, pytest.mark.slow]
TYPES = ("conv", "detail", "reasoning", "negative", "referring")
SEED = 7
_EACH = 1 if os.environ.get("INSTRUCTGEN_PROVE_ALL") else 20


@cache
def read_images(root: Path) -> tuple[ImageRecord, ...]:
    records = [record for record in CocoSource(root).records() if isinstance(record, ImageRecord)]
    return tuple(records[::_EACH])


@cache
def write_all(root: Path, sample_type: str) -> dict[str, Written]:
    return {record.image_id: write(Task(sample_type, record), SEED) for record in read_images(root)}


@cache
def objections_of(root: Path, sample_type: str) -> dict[str, list[str]]:
    written = write_all(root, sample_type)
    return {
        record.image_id: find_objections(record, sample_type, written[record.image_id])
        for record in read_images(root)
    }


def text_of(written: Written) -> str:
    return written.text or join_pairs([(told.question, told.answer) for told in written.turns])


@pytest.mark.parametrize("sample_type", TYPES)
def test_nothing_is_said_that_is_not_proved(coco_root: Path, sample_type: str) -> None:
    found = objections_of(coco_root, sample_type)
    assert [f"{image}: {fault}" for image, faults in found.items() for fault in faults] == []


@pytest.mark.parametrize("style", ["terse", "warm"])
def test_other_styles_are_proved_too(coco_root: Path, style: str) -> None:
    faults = [
        f"{record.image_id}: {fault}"
        for record in read_images(coco_root)[::2]
        for sample_type in ("conv", "negative")
        for fault in find_objections(record, sample_type, write(Task(sample_type, record), SEED, style))  # type: ignore[arg-type]
    ]
    assert faults == []


@pytest.mark.parametrize(("sample_type", "share"), [("conv", 0.99), ("detail", 0.985), ("reasoning", 0.90)])
def test_coverage_is_reached(coco_root: Path, sample_type: str, share: float) -> None:
    written = write_all(coco_root, sample_type)
    assert sum(bool(one.turns or one.text) for one in written.values()) >= share * len(written)


def test_yes_and_no_are_balanced(coco_root: Path) -> None:
    """Of the questions that ask whether something is there, about half are answered with no."""
    families = [told.family for one in write_all(coco_root, "conv").values() for told in one.turns]
    yes = sum(family.startswith("present_") for family in families)
    no = sum(family.startswith("absent_") for family in families)
    assert yes + no > len(read_images(coco_root)) / 2
    assert 0.4 <= yes / (yes + no) <= 0.6


def test_no_reply_is_turned_away_by_parser_or_filters(coco_root: Path) -> None:
    filters = (SourceLeakage(), ControlStrings(), Refusal(), AnswerLength(), RepeatedText())
    turned_away = []
    for record in read_images(coco_root):
        for kind in ("conv", "detail", "reasoning"):
            text = text_of(write_all(coco_root, kind)[record.image_id])
            turns = SAMPLE_TYPES[kind].parse(text, ["What is this?"], random.Random(0)) if text else ()
            if isinstance(turns, Fault):
                turned_away.append((record.image_id, kind, turns.reason))
                continue
            sample = Sample(f"{record.image_id}/{kind}/0", record.image_id, kind, turns, ("r1",), {})
            faults = [fault for check in filters if turns and (fault := check.check(sample, record).fault)]
            turned_away += [(record.image_id, kind, fault.reason) for fault in faults]
    assert turned_away == []


def test_texts_of_one_image_share_no_question(coco_root: Path) -> None:
    for record in read_images(coco_root):
        asked = [
            told.question
            for kind in ("conv", "reasoning")
            for told in write_all(coco_root, kind)[record.image_id].turns
        ]
        assert len(asked) == len(set(asked)), record.image_id


@pytest.mark.parametrize("sample_type", ["conv", "detail", "negative", "referring"])
def test_one_changed_word_is_caught(coco_root: Path, sample_type: str) -> None:
    """Of answers with one telling word changed, at least 98 of 100 are objected to."""
    draw = random.Random(SEED)
    planted = caught = 0
    for record in read_images(coco_root)[:500]:
        written = write_all(coco_root, sample_type)[record.image_id]
        changed = mutate(written, draw) if not objections_of(coco_root, sample_type)[record.image_id] else None
        if changed is not None:
            planted += 1
            caught += bool(find_objections(record, sample_type, changed))
    assert planted > 50
    assert caught >= 0.98 * planted
