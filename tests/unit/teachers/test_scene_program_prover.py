"""The prover has teeth: it objects to planted faults, and accepts the same claim or answer without the fault."""

# ruff: noqa: E501 - a row of a table is a line

import random

import pytest

from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.claims import Claim, ClaimKind
from instructgen.scenegraph.graph import Evidence as Cited
from instructgen.scenegraph.graph import Span
from instructgen.teachers.scene_program import Task, Written, write
from instructgen.teachers.scene_program.talk import Told
from tests.provers.altered import mutate
from tests.provers.claims import PROOFS, doubt_claim
from tests.provers.evidence import Evidence
from tests.provers.images import DOGS, GIRAFFE, KITCHEN, MADE_IMAGES, STREET, SURFER
from tests.provers.scene_program import find_objections

LIT = ImageRecord(
    "made/8", "8.jpg", 640, 480,
    (
        "A red bus parked on a street at night.",
        "A bus on a city street on a rainy night.",
        "The red bus is parked on a street in the rain.",
        "A bus at night with no people around.",
        "A red bus and a wooden bench on a street.",
    ),
    (
        Box("bus", 0.0, 0.2, 0.4, 0.8),
        Box("bench", 0.6, 0.65, 0.9, 0.9),
        Box("bird", 0.5, 0.05, 0.56, 0.1),
        Box("car", 0.1, 0.6, 0.6, 0.9),
        Box("clock", 0.62, 0.02, 0.72, 0.1),
        Box("clock", 0.9, 0.02, 0.93, 0.05),
    ),
)  # fmt: skip

CLOCKS = ImageRecord(
    "made/9", "9.jpg", 640, 480, ("Two clocks and two cups on a wall.",),
    (
        Box("clock", 0.05, 0.2, 0.2, 0.4), Box("clock", 0.8, 0.2, 0.95, 0.4),
        Box("cup", 0.05, 0.6, 0.1, 0.7), Box("cup", 0.15, 0.6, 0.2, 0.7),
    ),
)  # fmt: skip


def cite(record: ImageRecord, *captions: int, boxes: tuple[int, ...] = ()) -> Cited:
    return Cited(tuple(Span(number, 0, len(record.captions[number])) for number in captions), boxes)


def claim(
    kind: ClaimKind, subject: str = "", value: str = "", other: str = "", number: int = 0, *, by: Cited
) -> Claim:
    return Claim(kind, subject, value, other, number, by)


ALL_LIT = cite(LIT, 0, 1, 2, boxes=(0,))
CLAIMS = [
    # kind, record, a true claim, two false ones
    (SURFER, claim("exists", "surfboard", number=1, by=cite(SURFER, boxes=(1,))),
     [claim("exists", "surfboards", number=2, by=cite(SURFER, boxes=(1,))), claim("exists", "surfboard", by=cite(SURFER, boxes=(0,)))]),
    (GIRAFFE, claim("exists", "tree", number=1, by=cite(GIRAFFE, 0, 2)),
     [claim("exists", "fence", number=1, by=cite(GIRAFFE, 0, 2)), claim("exists", "tree", number=1, by=cite(GIRAFFE, 1))]),
    (STREET, claim("absent", "boat", by=Cited()), [claim("absent", "car", by=Cited()), claim("absent", "people", by=Cited())]),
    (DOGS, claim("count", "dogs", number=2, by=cite(DOGS, boxes=(1, 2))),
     [claim("count", "dogs", number=3, by=cite(DOGS, boxes=(1, 2))), claim("count", "couches", number=2, by=cite(DOGS, boxes=(0, 3)))]),
    (LIT, claim("more", "clock", other="bus", by=Cited()),
     [claim("more", "bus", other="clock", by=Cited()), claim("more", "bus", other="bench", by=Cited())]),
    (LIT, claim("attribute", "bus", "red", "color", by=cite(LIT, 0, 2)),
     [claim("attribute", "bus", "blue", "color", by=cite(LIT, 0, 2)), claim("attribute", "bus", "red", "color", by=cite(LIT, 1))]),
    (LIT, claim("attribute", "bench", "wood", "material", by=cite(LIT, 4)),
     [claim("attribute", "bus", "wood", "material", by=cite(LIT, 4)), claim("attribute", "bench", "red", "color", by=cite(LIT, 4))]),
    (KITCHEN, claim("doing", "woman", "cutting a carrot", by=cite(KITCHEN, 1, 2)),
     [claim("doing", "woman", "cutting a knife", by=cite(KITCHEN, 3)), claim("doing", "man", "cutting a carrot", by=cite(KITCHEN, 0))]),
    (LIT, claim("doing", "bus", "parked", "on a street", by=cite(LIT, 0, 2)),
     [claim("doing", "bus", "parked", "under a street", by=cite(LIT, 0)), claim("doing", "bus", "driving", "on a street", by=cite(LIT, 0))]),
    (STREET, claim("region", "bus", "left", by=cite(STREET, boxes=(0,))),
     [claim("region", "bus", "right", by=cite(STREET, boxes=(0,))), claim("region", "car", "right", by=cite(STREET, boxes=(1,)))]),
    (SURFER, claim("relation", "man", "left", "surfboard", by=cite(SURFER, boxes=(0, 1))),
     [claim("relation", "surfboard", "left", "man", by=cite(SURFER, boxes=(0, 1))), claim("relation", "man", "lower", "surfboard", by=cite(SURFER, boxes=(0, 1)))]),
    (KITCHEN, claim("larger", "woman", other="knife", by=cite(KITCHEN, boxes=(0, 1))),
     [claim("larger", "knife", other="woman", by=cite(KITCHEN, boxes=(0, 1))), claim("larger", "woman", other="knife", by=cite(KITCHEN, boxes=(2,)))]),
    (LIT, claim("order", "bus|bench", "left to right", by=cite(LIT, boxes=(0, 1))),
     [claim("order", "bench|bus", "left to right", by=cite(LIT, boxes=(0, 1))), claim("order", "bird|bus", "large to small", by=cite(LIT, boxes=(0, 2)))]),
    (LIT, claim("largest", "clock", "right top", by=cite(LIT, boxes=(4,))),
     [claim("largest", "clock", "right top", by=cite(LIT, boxes=(5,))), claim("largest", "clock", "left", by=cite(LIT, boxes=(4,)))]),
    (LIT, claim("overlap", "bus", other="car", by=cite(LIT, boxes=(0, 3))),
     [claim("overlap", "bus", other="bench", by=cite(LIT, boxes=(0, 1))), claim("overlap", "bus", other="car", by=cite(LIT, boxes=(0,)))]),
    (LIT, claim("edge", "bus", "left", by=cite(LIT, boxes=(0,))),
     [claim("edge", "bus", "right", by=cite(LIT, boxes=(0,))), claim("edge", "bench", "left", by=cite(LIT, boxes=(1,)))]),
    (GIRAFFE, claim("extent", "giraffe", "tall", by=cite(GIRAFFE, boxes=(0,))),
     [claim("extent", "giraffe", "wide", by=cite(GIRAFFE, boxes=(0,))), claim("extent", "giraffe", "small", by=cite(GIRAFFE, boxes=(0,)))]),
    (DOGS, claim("half", "dogs", "both", by=cite(DOGS, boxes=(1, 2))),
     [claim("half", "dogs", "left", by=cite(DOGS, boxes=(1, 2))), claim("half", "dogs", "both", by=cite(DOGS, boxes=(1,)))]),
    (KITCHEN, claim("place", value="kitchen", by=cite(KITCHEN, 0, 2, 4)),
     [claim("place", value="bathroom", by=cite(KITCHEN, 0, 2)), claim("place", value="kitchen", by=cite(KITCHEN, 1, 3))]),
    (LIT, claim("time", value="night", by=cite(LIT, 0, 3)),
     [claim("time", value="day", by=cite(LIT, 0)), claim("time", value="night", by=cite(LIT, 4))]),
    (LIT, claim("weather", value="rainy", by=cite(LIT, 1, 2)),
     [claim("weather", value="sunny", by=cite(LIT, 1)), claim("weather", value="rainy", by=cite(LIT, 3))]),
    (KITCHEN, claim("inferred", "oven|refrigerator", "kitchen", by=cite(KITCHEN, boxes=(3, 4))),
     [claim("inferred", "oven|refrigerator", "bathroom", by=cite(KITCHEN, boxes=(3, 4))), claim("inferred", "oven|sink", "kitchen", by=cite(KITCHEN, boxes=(3,)))]),
    (SURFER, claim("located", "surfboard", by=cite(SURFER, boxes=(1,))),
     [claim("located", "surfboard", by=cite(SURFER, boxes=(0,))), claim("located", "woman", by=cite(SURFER, boxes=(0,)))]),
    (GIRAFFE, claim("main", "giraffe", by=cite(GIRAFFE, boxes=(0,))),
     [claim("main", "tree", by=cite(GIRAFFE, boxes=(0,))), claim("main", "giraffe", by=Cited())]),
    (LIT, claim("told", "a red bus", "parked on a street at night", by=cite(LIT, 0, boxes=(0,))),
     [claim("told", "a red bus", "parked on a street in the rain", by=cite(LIT, 0)), claim("told", "a blue bus", "parked on a street", by=cite(LIT, 0)),
      claim("told", "a street", "parked on a red bus", by=cite(LIT, 0)), claim("told", "red buses", "parked on a street", by=cite(LIT, 0)),
      claim("told", "a bus", "people", by=cite(LIT, 3)), claim("told", "a red bus", "parked on a street", by=cite(LIT, 0, 2))]),
    (CLOCKS, claim("sides", "clocks", "opposite", by=cite(CLOCKS, boxes=(0, 1))),
     [claim("sides", "clocks", "opposite", by=cite(CLOCKS, boxes=(0,))), claim("sides", "cups", "opposite", by=cite(CLOCKS, boxes=(2, 3)))]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "true", "false"), CLAIMS, ids=[f"{row[1].kind} {row[1].subject}" for row in CLAIMS]
)
def test_each_kind_of_claim_is_proved_and_disproved(record: ImageRecord, true: Claim, false: list[Claim]) -> None:
    assert doubt_claim(Evidence(record), true) == []
    for one in false:
        assert doubt_claim(Evidence(record), one) != [], one


def test_table_has_all_kinds() -> None:
    assert {row[1].kind for row in CLAIMS} == set(PROOFS)


@pytest.mark.parametrize(
    "one",
    [
        claim("doing", "bus", "parked", by=Cited((Span(9, 0, 5),))),
        claim("doing", "bus", "parked", by=Cited((Span(0, 0, 900),))),
        claim("doing", "bus", "parked", "on a street", by=Cited((Span(0, 0, 9),))),
        claim("region", "bus", "left", by=cite(LIT, boxes=(40,))),
        claim("doing", "people", "standing", by=cite(LIT, 3)),
    ],
)
def test_citations_have_to_hold_what_is_claimed(one: Claim) -> None:
    assert doubt_claim(Evidence(LIT), one) != []


def test_another_caption_with_another_color_or_number_is_an_objection() -> None:
    record = ImageRecord(
        "made/9", "9.jpg", 9, 9, ("A red bus.", "A bus.", "A blue bus.", "Three dogs by a bus."),
        (Box("bus", 0, 0, 1, 1), Box("dog", 0, 0, 0.1, 0.1), Box("dog", 0.5, 0, 0.6, 0.1)),
    )  # fmt: skip
    evidence = Evidence(record)
    assert doubt_claim(evidence, claim("attribute", "bus", "red", "color", by=cite(record, 0))) != []
    assert doubt_claim(evidence, claim("count", "dogs", number=2, by=cite(record, boxes=(1, 2)))) != []


RED = claim("attribute", "bus", "red", "color", by=cite(LIT, 0, 2))
BENCH = claim("attribute", "bench", "wood", "material", by=cite(LIT, 4))
PARKED = claim("doing", "bus", "parked", "on a street", by=cite(LIT, 0, 2))
LEFT = claim("region", "bus", "left", by=cite(LIT, boxes=(0,)))
LEFT_OF = claim("relation", "bus", "left", "bench", by=cite(LIT, boxes=(0, 1)))
LARGER = claim("larger", "bus", other="bench", by=cite(LIT, boxes=(0, 1)))
TWO = claim("count", "clocks", number=2, by=cite(LIT, boxes=(4, 5)))
NO_DOG = claim("absent", "dog", by=Cited())
A_BENCH = claim("exists", "bench", number=1, by=cite(LIT, boxes=(1,)))
NIGHT = claim("time", value="night", by=cite(LIT, 0, 3))
BOTTOM = claim("region", "bench", "right bottom", by=cite(LIT, boxes=(1,)))
ORDER = claim("order", "bus|bench", "left to right", by=cite(LIT, boxes=(0, 1)))
# Name, family, question, claims, a sound answer, faulty ones.
ANSWERS = [
    ("color", "color", "What color is the bus?", (RED,), "In the picture, the bus is red.",
     ["In the picture, the bus is blue.", "In the picture, the bench is red.", "In the picture, the bus is red, and so is the car.", "The bus is there."]),
    ("number", "count", "How many clocks are there?", (TWO,), "There are two clocks in the picture.",
     ["There are three clocks in the picture.", "There are two buses in the picture.", "There are clocks in the picture."]),
    ("side", "region", "Where is the bus?", (LEFT,), "The bus is on the left side of the picture.",
     ["The bus is on the right side of the picture.", "The bus is in the upper left of the picture.", "The car is on the left side of the picture."]),
    ("two sides", "region", "Where are they?", (LEFT, BOTTOM), "The bus is on the left side, while the bench is in the lower right.",
     ["The bench is on the left side, while the bus is in the lower right.", "The bus is in the lower right, and the bench is on the left side."]),
    ("relation", "left_of", "How do the bus and the bench lie?", (LEFT_OF,), "The bus is to the left of the bench.",
     ["The bench is to the left of the bus.", "The bus is to the right of the bench.", "The bus is further to the right than the bench."]),
    ("relation told the other way", "left_of", "How do the bus and the bench lie?", (LEFT_OF,), "Going from the bench to the bus, you move to the left.",
     ["Going from the bus to the bench, you move to the left.", "Going from the bench to the bus, you move to the right."]),
    ("size", "larger", "Which looks larger, the bus or the bench?", (LARGER,), "The bus looks larger than the bench.",
     ["The bench looks larger than the bus.", "The bus looks smaller than the bench.", "The bus looks larger than the car."]),
    ("order", "order_left_right", "What is the order?", (ORDER,), "From left to right, you can see the bus and the bench.",
     ["From left to right, you can see the bench and the bus.", "From right to left, you can see the bus and the bench."]),
    ("doing", "doing", "What is the bus doing?", (PARKED,), "The bus is parked on a street.",
     ["The bus is driving on a street.", "The bus is parked on a hill.", "The bus is parked on a street and waiting.", "The bench is parked on a street."]),
    ("time", "time", "When was it taken?", (NIGHT,), "The picture was taken at night.", ["The picture was taken during the day.", "The picture was taken at night in the rain."]),
    ("yes", "present_one_bare", "Is there a bench in the picture?", (A_BENCH,), "Yes, there is a bench in the picture.",
     ["No, there is no bench in the picture.", "There is a bench in the picture.", "Yes, there is a bench and a dog in the picture."]),
    ("no", "absent_one", "Is there a dog in the picture?", (NO_DOG,), "No, there is no dog in the picture.",
     ["Yes, there is a dog in the picture.", "No, there is a dog in the picture.", "No, there is no cat in the picture."]),
    ("no but", "absent_but", "Is there a dog in the picture?", (NO_DOG, A_BENCH), "No, there is no dog, but the picture does show a bench.",
     ["No, there is no bench, but the picture does show a dog.", "No, there is no dog, but the picture does show a horse."]),
    ("look of two", "color", "What are they like?", (RED, BENCH), "The bus is red, while the bench is made of wood.",
     ["The bench is red, while the bus is made of wood.", "The bus is red, while the bench is made of metal."]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "question", "claims", "sound", "faulty"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_answer_says_what_is_claimed_and_nothing_else(
    family: str, question: str, claims: tuple[Claim, ...], sound: str, faulty: list[str]
) -> None:
    assert find_objections(LIT, "conv", Written((Told(family, question, sound, claims),))) == []
    for answer in faulty:
        assert find_objections(LIT, "conv", Written((Told(family, question, answer, claims),))) != [], answer


@pytest.mark.parametrize(
    ("family", "question", "claims", "answer"),
    [
        ("color", "What color is the boat?", (RED,), "The bus is red."),
        ("region", "Where is the clock?", (TWO,), "There are two clocks in the picture."),
        ("missing", "Which is missing, a dog or a cat?", (NO_DOG,), "It is a dog that is missing."),
        ("color_choice", "Is the bus blue or green?", (RED,), "The bus is red."),
        ("false_color", "What color is the dog?", (A_BENCH,), "The picture shows a bench."),
    ],
)
def test_question_takes_nothing_false_for_granted(
    family: str, question: str, claims: tuple[Claim, ...], answer: str
) -> None:
    assert find_objections(LIT, "conv", Written((Told(family, question, answer, claims),))) != []


def test_false_premise_has_to_be_denied() -> None:
    sound = Told(
        "false_color",
        "What color is the dog?",
        "There is no dog in the picture, but you can see a bench.",
        (NO_DOG, A_BENCH),
    )
    assert find_objections(LIT, "conv", Written((sound,))) == []


def test_nothing_is_told_twice() -> None:
    one = Told("color", "What color is the bus?", "The bus is red.", (RED,))
    again = Told("color", "Which color does the bus have?", "The bus is red.", (RED,))
    assert any("repeated" in fault for fault in find_objections(LIT, "conv", Written((one, again))))
    text = "The bus is red. In color, the bus is red."
    assert any("repeated" in fault for fault in find_objections(LIT, "detail", Written((), text, (RED, RED))))


def test_boxes_are_written_to_three_decimals() -> None:
    located = claim("located", "bench", by=cite(LIT, boxes=(1,)))
    told = Told("refer_box", "Where is the bench?", "The bench is at [0.600, 0.650, 0.900, 0.900].", (located,))
    assert find_objections(LIT, "referring", Written((told,))) == []
    wrong = Told("refer_box", "Where is the bench?", "The bench is at [0.600, 0.650, 0.900, 0.910].", (located,))
    assert find_objections(LIT, "referring", Written((wrong,))) != []


@pytest.mark.parametrize(
    ("question", "background", "is_sound"),
    [
        ("What may such weather mean for drivers?", "Wet roads usually make braking longer.", True),
        ("What may such weather mean for drivers?", "The man is waiting here for the bus.", False),
        ("What may such weather mean for drivers?", "In this picture, braking may take longer.", False),
        ("What may such weather mean for a bus?", "Wet roads usually make braking longer.", False),
    ],
)
def test_background_is_hedged_and_silent_about_the_image(question: str, background: str, *, is_sound: bool) -> None:
    told = Told("rule", question, f"One can see that a bus is parked on a street. {background}", (PARKED,))
    assert (find_objections(LIT, "reasoning", Written((told,))) == []) is is_sound


def test_one_changed_word_is_caught() -> None:
    """Real answers with one telling word changed: at least 95 of 100 are objected to."""
    draw = random.Random(5)
    planted = caught = 0
    for record in (*MADE_IMAGES, LIT):
        for seed in range(30):
            for kind in ("conv", "detail", "negative", "referring"):
                written = write(Task(kind, record), seed)
                if find_objections(record, kind, written):
                    continue
                for _ in range(3):
                    changed = mutate(written, draw)
                    planted += changed is not None
                    caught += changed is not None and bool(find_objections(record, kind, changed))
    assert planted > 300
    assert caught >= 0.95 * planted


def test_made_answers_are_sound() -> None:
    faults = [
        (record.image_id, kind, fault)
        for record in (*MADE_IMAGES, LIT)
        for kind in ("conv", "detail", "reasoning", "negative", "referring")
        for seed in range(20)
        for fault in find_objections(record, kind, write(Task(kind, record), seed))
    ]
    assert faults == []
