"""Addresses and numbers that belong to somebody."""

import sys

import pytest

from instructgen.errors import InstructgenError
from instructgen.filters.personal_data import PersonalData
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

PERSONAL = {
    "Write to jane.doe@example.org for the dog.": "email",
    "The van says: call (650) 253-0000.": "phone",
    "Her number is +49 30 901820.": "phone",
    "The card reads 4111 1111 1111 1111.": "card",
    "The note says GB82 WEST 1234 5698 7654 32.": "iban",
    "The form has 536-90-4399 on it.": "ssn",
}
HARMLESS = [
    "The clock shows 10:45 and the bus has the number 4521.",
    "The jersey has the number 23; the plate reads 7XKJ894.",
    "The train 377 302 runs from 2017 to 2019.",
    "The card reads 4111 1111 1111 1112.",
    "The code is GB82 WEST 1234 5698 7654 33.",
    "He tagged @jane in 2024.",
    "About 1,000,000 people live here.",
    "The digits 3.14159265358979 stand on the board.",
    "A dog sleeps on the mat.",
]


def make_sample(answer: str) -> Sample:
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", PERSONAL)
def test_personal_data_is_rejected_and_not_repeated(answer: str) -> None:
    fault = PersonalData().check(make_sample(answer), RECORD).fault
    assert fault is not None
    assert fault.reason == "personal_data"
    assert fault.detail.startswith(PERSONAL[answer])
    assert not [word for word in answer.split() if (set(word) & set("0123456789@")) and word in fault.detail]


@pytest.mark.parametrize("answer", HARMLESS)
def test_ordinary_number_passes(answer: str) -> None:
    assert PersonalData().check(make_sample(answer), RECORD).fault is None


def test_kinds_may_be_chosen() -> None:
    sample = make_sample("Write to jane.doe@example.org for the dog.")
    assert PersonalData(kinds=("phone", "card")).check(sample, RECORD).fault is None


def test_region_says_what_a_number_without_a_country_is() -> None:
    sample = make_sample("The van says 030 901820.")
    assert PersonalData().check(sample, RECORD).fault is None
    assert PersonalData(region="DE").check(sample, RECORD).fault is not None
    with pytest.raises(InstructgenError, match="no region 'XX'"):
        PersonalData(region="XX")


@pytest.mark.parametrize("library", ["phonenumbers", "stdnum"])
def test_missing_library_is_named_with_the_cure(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InstructgenError, match=r"pip install instructgen\[safety\]"):
        PersonalData()
