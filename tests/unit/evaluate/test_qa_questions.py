"""Questions with one right answer: made, read, and asked blindly."""

from collections import Counter

import pytest

from instructgen.evaluate.qa_claims import KINDS
from instructgen.evaluate.qa_questions import QaQuestion, make_qa, read_label
from instructgen.evaluate.suites.qa import shuffle_pictures
from instructgen.records import ImageRecord
from instructgen.sources.scenes import ScenesSource

COLOR = QaQuestion("color", "i", "What color is the dog?", ("brown", "white", "gray"), ("", "", ""), "brown")
COUNT = QaQuestion("counting", "i", "How many dogs?", ("one", "two", "three"), ("", "", ""), "two")
SIDE = QaQuestion("relation", "i", "Is the dog left or right of the cat?", ("left", "right"), ("", ""), "left")
LARGER = QaQuestion("larger", "i", "Which is larger?", ("hot dog", "dog"), ("", ""), "dog")
WITHIN = QaQuestion("larger", "i", "Which is larger?", ("car", "carrot"), ("", ""), "carrot")
THERE = QaQuestion("existence", "i", "Is there a dog?", ("yes", "no"), ("", ""), "yes")
REGION = QaQuestion("region", "i", "Where?", ("left top", "right", "middle"), ("", "", ""), "right")


@pytest.fixture(scope="module")
def records() -> list[ImageRecord]:
    return list(ScenesSource(60, seed=5, size_px=(96, 72)).records())


@pytest.mark.parametrize(
    ("question", "answer", "label"),
    [
        (COLOR, "Brown.", "brown"),
        (COLOR, "The dog is brown.", "brown"),
        (COLOR, "It is grey", "gray"),
        (COLOR, "Brown and white.", None),
        (COLOR, "It sleeps.", None),
        (COUNT, "There are 2 dogs.", "two"),
        (COUNT, "three", "three"),
        (COUNT, "Some.", None),
        (SIDE, "To the left of the cat.", "left"),
        (SIDE, "Neither.", None),
        (LARGER, "The dog.", "dog"),
        (LARGER, "The hot dog looks larger than the dog.", "hot dog"),
        (LARGER, "The dog is smaller than the hot dog.", None),
        (WITHIN, "The carrot looks larger than the car.", "carrot"),
        (THERE, "Yes, there is a dog.", "yes"),
        (THERE, "No.", "no"),
        (THERE, "There is not.", "no"),
        (THERE, "A dog.", None),
        (REGION, "In the upper left of the image.", "left top"),
        (REGION, "On the right side.", "right"),
        (REGION, "In the center.", "middle"),
        (REGION, "On the left and on the right.", None),
    ],
)
def test_answer_is_read_as_the_one_label_that_it_names(question: QaQuestion, answer: str, label: str | None) -> None:
    assert read_label(question, answer) == label


def test_every_candidate_is_read_as_its_own_label(records: list[ImageRecord]) -> None:
    questions = make_qa(records, 0, 100)
    assert {one.kind for one in questions} >= set(KINDS) - {"larger"}
    for one in questions:
        assert [read_label(one, answer) for answer in one.answers] == list(one.labels)
        assert one.truth in one.labels
        assert len(set(one.answers)) == len(one.labels) > 1


def test_seed_and_records_alone_decide_what_is_asked(records: list[ImageRecord]) -> None:
    assert make_qa(records, 0, 20) == make_qa(records, 0, 20)
    assert make_qa(records, 1, 20) != make_qa(records, 0, 20)


def test_yes_and_no_are_right_equally_often_for_each_thing(records: list[ImageRecord]) -> None:
    questions = [one for one in make_qa(records, 0, 200) if one.kind == "existence"]
    by_thing: dict[tuple[str, ...], Counter[str]] = {}
    for one in questions:
        by_thing.setdefault(one.answers, Counter())[one.truth] += 1
    assert len(by_thing) > 3
    assert all(counts["yes"] == counts["no"] for counts in by_thing.values())


def test_people_are_asked_for_in_the_plural_whatever_their_number(records: list[ImageRecord]) -> None:
    questions = [one for one in make_qa(records, 0, 200) if one.kind == "existence" and one.group == "person"]
    assert {one.truth for one in questions} == {"yes", "no"}
    assert all("people" in one.text for one in questions)


def test_what_is_asked_for_is_true_of_the_boxes(records: list[ImageRecord]) -> None:
    boxed = {record.image_id: {box.category for box in record.boxes} for record in records}
    for one in make_qa(records, 0, 200):
        if one.kind == "existence" and one.answers[0].startswith("Yes, there is "):
            noun = one.answers[0].removeprefix("Yes, there is ").removesuffix(" in the image.").split(" ", 1)[1]
            is_there = any(category in (noun, {"ball": "sports ball"}.get(noun)) for category in boxed[one.image_id])
            if noun in {name for names in boxed.values() for name in names}:
                assert is_there == (one.truth == "yes"), one


def test_number_of_questions_of_a_kind_is_bounded(records: list[ImageRecord]) -> None:
    assert max(Counter(one.kind for one in make_qa(records, 0, 10)).values()) <= 10


def test_shuffled_pictures_are_the_same_in_other_places() -> None:
    image_ids = [f"{number % 7}" for number in range(40)]
    others = shuffle_pictures(image_ids, 0, "color")
    assert Counter(others) == Counter(image_ids)
    assert all(one != other for one, other in zip(image_ids, others, strict=True))
    assert others == shuffle_pictures(image_ids, 0, "color") != shuffle_pictures(image_ids, 1, "color")


def test_pictures_that_cannot_all_move_are_not_shuffled() -> None:
    assert shuffle_pictures(["a", "a", "b"], 0, "color") == []
    assert shuffle_pictures([], 0, "color") == []
    assert shuffle_pictures(["a", "a", "b", "b"], 0, "color") == ["b", "b", "a", "a"]
