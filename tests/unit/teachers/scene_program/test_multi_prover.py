"""What is said of two images, proved from both records by code that shares nothing with who wrote it."""

from itertools import pairwise

import pytest

from instructgen.config import FiltersConfig, Style
from instructgen.filters import make_filters
from instructgen.grounding.samples import find_claims
from instructgen.records import ImageRecord, Message, Sample
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.talk import Told
from instructgen.teachers.scene_program.wordings import STYLES
from tests.provers.claims import doubt_claim
from tests.provers.evidence import Evidence
from tests.provers.several import ONE_HAS, doubt_meaning
from tests.unit.teachers.scene_program.making import read_bundled

RECORDS = read_bundled()
PAIRS = list(pairwise(RECORDS))


def tell(pair: tuple[ImageRecord, ImageRecord], style: Style = "plain", seed: int = 5) -> tuple[Told, ...]:
    return write(Task("multi-image", pair[1], pair[0]), seed, style).turns


def turns_of(told: tuple[Told, ...]) -> tuple[Message, ...]:
    return tuple(
        message for one in told for message in (Message("user", one.question), Message("assistant", one.answer))
    )


@pytest.mark.parametrize("style", STYLES)
def test_every_claim_is_proved_by_the_image_that_it_names(style: Style) -> None:
    objections, num_claims = [], 0
    for pair in PAIRS:
        evidence = [Evidence(record) for record in pair]
        for told in tell(pair, style):
            num_claims += len(told.claims)
            assert {claim.image for claim in told.claims} == {0, 1}, "each answer speaks of both"
            objections += [fault for claim in told.claims for fault in doubt_claim(evidence[claim.image], claim)]
    assert objections == []
    assert num_claims > 4 * len(PAIRS)


def test_claims_are_not_proved_by_the_other_image() -> None:
    """The test above can fail: with the records the other way round most comparisons do."""
    faulty = 0
    for pair in PAIRS:
        evidence = [Evidence(record) for record in reversed(pair)]
        faulty += any(doubt_claim(evidence[claim.image], claim) for told in tell(pair) for claim in told.claims)
    assert faulty > 0.9 * len(PAIRS)


@pytest.mark.parametrize("style", STYLES)
def test_words_say_of_each_image_what_its_boxes_show(style: Style) -> None:
    faults = [
        f"{fault} [{told.answer}]"
        for pair in PAIRS
        for told in tell(pair, style)
        if told.answer not in ("Yes.", "No.")
        for fault in doubt_meaning(pair, told)
    ]
    assert faults == []


def test_words_are_doubted_where_the_images_are_exchanged() -> None:
    told = [(pair, one) for pair in PAIRS for one in tell(pair) if one.family in (*ONE_HAS, "multi_more")]
    assert len(told) > len(PAIRS) / 2
    assert all(doubt_meaning((second, first), one) for (first, second), one in told)


@pytest.mark.parametrize("style", STYLES)
def test_filters_pass_what_is_told_of_nearly_every_two_images(style: Style) -> None:
    filters = make_filters(FiltersConfig())
    told = {pair[1].image_id: turns_of(tell(pair, style)) for pair in PAIRS}
    assert sum(bool(turns) for turns in told.values()) > 0.95 * len(PAIRS)
    faults = [
        f"{name}: {fault.reason} {fault.detail}"
        for first, second in PAIRS
        if told[second.image_id]
        for sample in [Sample("s", second.image_id, "multi-image", told[second.image_id], (), {}, first)]
        for name, one in filters.items()
        if (fault := one.check(sample, second).fault)
    ]
    assert faults == []


def test_grounding_contradicts_most_of_it_with_the_images_exchanged() -> None:
    """The filter judges each statement by its own image: by the other's most samples hold a false one."""
    judged = [find_claims(turns_of(tell((first, second))), first, "multi-image", second) for first, second in PAIRS]
    assert sum(found.truth == "contradicted" for found in judged) > 0.8 * len(PAIRS)
    alone = [find_claims(turns_of(tell((first, second))), second, "multi-image") for first, second in PAIRS]
    assert sum(found.truth == "contradicted" for found in alone) > 0.5 * len(PAIRS), "one record is not enough"
