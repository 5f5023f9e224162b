"""Yes and no, read and asked as POPE does."""

from collections import Counter

import pytest

from instructgen.evaluate.pope import (
    SETTINGS,
    CategoryCounts,
    PopeQuestion,
    Setting,
    YesNoCounts,
    asks_existence,
    count_categories,
    make_questions,
    read_answer,
)
from instructgen.records import ImageRecord
from tests.support.grounded import make_record, talk

PRESENT = ("dog", "person", "bench")
RECORDS = [
    make_record(*PRESENT),
    *[make_record("dog", "person", "frisbee", "cat")] * 3,
    *[make_record("dog", "person", "kite", "bird")] * 2,
    *[make_record("car", "truck", "bus", "zebra")] * 9,
]


def asked(setting: Setting, record: ImageRecord = RECORDS[0], seed: int = 0) -> tuple[PopeQuestion, ...]:
    return make_questions(record, count_categories(RECORDS), setting, seed)


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("Yes", "yes"),
        ("No", "no"),
        ("No, there is none", "no"),
        ("There is not any dog. Yes.", "no"),
        ("There is no dog", "no"),
        ("Yes. But no cat.", "yes"),
        ("A dog is there", "yes"),
        ("Nobody knows", "yes"),
        ("", "yes"),
    ],
)
def test_an_answer_is_read_by_the_words_of_its_first_sentence(answer: str, read: str) -> None:
    assert read_answer(answer) == read


@pytest.mark.parametrize(
    "question",
    [
        "Is there a dog in the image?",
        "Are there any people?",
        "Can you see a clock in this picture?",
        "Does the photo show a bus?",
        "Is a traffic light visible?",
        "Is the cat in the picture?",
    ],
)
def test_a_question_that_asks_whether_something_is_there_is_one_of_existence(question: str) -> None:
    assert asks_existence(question)


@pytest.mark.parametrize(
    "question",
    [
        "Is the dog black?",
        "Are there one or two dogs?",
        "Can you see what the man holds?",
        "How many dogs are there?",
        "What is there?",
        "Are there any dogs, and where are they?",
    ],
)
def test_other_questions_are_none_of_existence(question: str) -> None:
    assert not asks_existence(question)


def test_yes_share_takes_answers_to_questions_of_existence_alone() -> None:
    counts = YesNoCounts()
    counts.observe(
        talk("Is there a dog?", "Yes.", "Is it black?", "No.", "Is there a cat?", "No.", "Any bus?", "No.")
    )
    assert (counts.num_yes, counts.num_no, counts.yes_share) == (1, 1, 0.5)


def test_nothing_asked_gives_no_share() -> None:
    assert YesNoCounts().yes_share is None


@pytest.mark.parametrize("setting", SETTINGS)
def test_half_of_the_questions_are_to_be_answered_yes_and_all_are_right(setting: Setting) -> None:
    questions = asked(setting)
    assert Counter(question.answer for question in questions) == {"yes": 3, "no": 3}
    assert all((question.category in PRESENT) == (question.answer == "yes") for question in questions)
    assert len({question.category for question in questions}) == 6


def test_popular_asks_for_the_most_frequent_of_what_is_absent() -> None:
    absent = {question.category for question in asked("popular") if question.answer == "no"}
    assert absent == {"bus", "car", "truck"}


def test_adversarial_asks_for_what_is_most_often_seen_together_with_what_is_there() -> None:
    absent = [question.category for question in asked("adversarial") if question.answer == "no"]
    assert absent == ["cat", "frisbee", "bird"]


def test_random_depends_on_the_seed_alone() -> None:
    assert asked("random") == asked("random")
    assert len({asked("random", seed=seed) for seed in range(20)}) > 1


def test_an_image_with_two_categories_is_not_asked_about() -> None:
    assert asked("random", make_record("dog", "dog", "person")) == ()


def test_what_a_caption_names_or_hints_at_is_not_asked_as_absent() -> None:
    record = make_record(*PRESENT, captions=("A dog looks at heavy traffic and a cat.",))
    for seed in range(20):
        absent = {question.category for question in asked("random", record, seed) if question.answer == "no"}
        assert not absent & {"cat", "car", "truck"}


def test_questions_are_said_in_english() -> None:
    record = make_record("scissors", "apple", "dog")
    counts = CategoryCounts()
    counts.observe(make_record("cat", "bus", "kite"))
    texts = {question.category: question.question for question in make_questions(record, counts, "random")}
    assert texts["scissors"] == "Are there any scissors in the image?"
    assert texts["apple"] == "Is there an apple in the image?"
