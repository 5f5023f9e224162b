"""The scene program on all 5,000 images of COCO val2017: proof, coverage, balance, style and cost."""

import random
import re
import statistics
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
from instructgen.teachers.scene_program import Task, write_text
from tests.provers.scene_program import find_objections

pytestmark = [pytest.mark.coco, pytest.mark.slow]
TYPES = ("conv", "detail", "reasoning")
SEED = 7


@cache
def read_images(root: Path) -> tuple[ImageRecord, ...]:
    return tuple(record for record in CocoSource(root).records() if isinstance(record, ImageRecord))


@cache
def write_all(root: Path) -> dict[tuple[str, str], str]:
    return {(r.image_id, kind): write_text(Task(kind, r), SEED) for r in read_images(root) for kind in TYPES}


@pytest.mark.parametrize("sample_type", TYPES)
def test_no_statement_is_unsupported(coco_root: Path, sample_type: str) -> None:
    texts = write_all(coco_root)
    objections = [
        f"{record.image_id}: {objection}"
        for record in read_images(coco_root)
        if (text := texts[record.image_id, sample_type])
        for objection in find_objections(record, sample_type, text)
    ]
    assert objections == []


@pytest.mark.parametrize(("sample_type", "share"), [("conv", 0.97), ("detail", 0.97), ("reasoning", 0.90)])
def test_coverage_is_reached(coco_root: Path, sample_type: str, share: float) -> None:
    texts = [text for (_, kind), text in write_all(coco_root).items() if kind == sample_type]
    assert len(texts) == 5000
    assert sum(map(bool, texts)) / len(texts) >= share


def answers_of(root: Path, sample_type: str) -> list[str]:
    texts = (text for (_, kind), text in write_all(root).items() if kind == sample_type)
    return [answer for text in texts for answer in re.findall(r"Answer:\n(.+)", text)]


def test_yes_and_no_are_balanced(coco_root: Path) -> None:
    answers = answers_of(coco_root, "conv")
    yes, no = (sum(answer.startswith(word) for answer in answers) for word in ("Yes, ", "No, "))
    assert yes + no > 4000
    assert 0.45 <= yes / (yes + no) <= 0.55


def test_lengths_are_those_of_llava(coco_root: Path) -> None:
    """Mean words: LLaVA's own samples have 16.7, 79.3 and 105.2; ours may be somewhat shorter."""
    details = [text for (_, kind), text in write_all(coco_root).items() if kind == "detail" and text]
    means = [
        statistics.mean(len(text.split()) for text in texts)
        for texts in (answers_of(coco_root, "conv"), details, answers_of(coco_root, "reasoning"))
    ]
    assert 10 <= means[0] <= 17
    assert 60 <= means[1] <= 90
    assert 60 <= means[2] <= 105


def test_no_reply_is_turned_away_by_parser_or_filters(coco_root: Path) -> None:
    filters = (SourceLeakage(), ControlStrings(), Refusal(), AnswerLength(), RepeatedText())
    turned_away = []
    for record in read_images(coco_root):
        for kind in TYPES:
            text = write_all(coco_root)[record.image_id, kind]
            turns = SAMPLE_TYPES[kind].parse(text, ["What is this?"], random.Random(0)) if text else ()
            if isinstance(turns, Fault):
                turned_away.append((record.image_id, kind, turns.reason))
                continue
            sample = Sample(f"{record.image_id}/{kind}/0", record.image_id, kind, turns, ("r1",), {})
            faults = [fault for check in filters if turns and (fault := check.check(sample, record).fault)]
            turned_away += [(record.image_id, kind, fault.reason) for fault in faults]
    assert turned_away == []


def test_texts_of_one_image_share_no_question_and_no_sentence(coco_root: Path) -> None:
    texts = write_all(coco_root)
    for record in read_images(coco_root):
        conv, detail, reasoning = (texts[record.image_id, kind] for kind in TYPES)
        asked = re.findall(r"Question:\n(.+)", f"{conv}\n{reasoning}")
        assert len(asked) == len(set(asked)), record.image_id
        told = re.findall(r"Answer:\n(.+)", conv)
        assert not [answer for answer in told if answer in detail], record.image_id


def change(text: str, changes: dict[str, str]) -> str:
    return re.sub(r"\b(?:" + "|".join(changes) + r")\b", lambda match: changes[match.group()], text)


PLANTS = {
    "mirrored side": {"left": "right", "right": "left"},
    "wrong count": {"two": "five", "three": "four", "four": "three", "five": "two", "six": "nine"},
    "wrong color": {
        "red": "purple",
        "white": "purple",
        "black": "pink",
        "blue": "beige",
        "green": "maroon",
        "brown": "teal",
    },
    "swapped object": {
        "dog": "zebra",
        "cat": "bear",
        "bus": "sheep",
        "pizza": "zebra",
        "train": "giraffe",
        "couch": "kite",
    },
}


@pytest.mark.parametrize("plant", PLANTS)
def test_faults_planted_all_over_are_found(coco_root: Path, plant: str) -> None:
    """One sentence of a description is changed at a time, in the first 1,500 images."""
    texts = write_all(coco_root)
    planted = missed = 0
    for record in read_images(coco_root)[:1500]:
        for sentence in texts[record.image_id, "detail"].split(". "):
            faulty = change(sentence.rstrip(".") + ".", PLANTS[plant])
            if (
                "left and the right" in faulty
                or "as in the" in faulty
                or "half too" in faulty
                or faulty == sentence.rstrip(".") + "."
            ):
                continue
            if re.search(r"^Neither|neither|in vain", faulty):
                continue
            planted += 1
            missed += not find_objections(record, "detail", faulty)
    assert planted > 30
    assert missed == 0
