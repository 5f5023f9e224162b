"""Answers that go from image to image: each is held against its own image."""

from instructgen.grounding.samples import find_claims, join_records
from instructgen.records import Box, ImageRecord, Message
from tests.support.make import make_record

DOG = make_record(1)
BUS = ImageRecord(
    "coco/2", "2.jpg", 640, 480, ("A red bus on a street.", "The red bus drives."), (Box("bus", 0.1, 0.2, 0.8, 0.9),)
)


def chat(*pairs: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(one for asked, told in pairs for one in (Message("user", asked), Message("assistant", told)))


def texts(*told: str) -> tuple[Message, ...]:
    return tuple(Message("assistant", one) for one in told)


def truths(turns: tuple[Message, ...], record: ImageRecord, *shots: ImageRecord) -> list[tuple[int, str]]:
    claims = find_claims(turns, record, "few-shot", None, shots).claims
    return sorted({(claim.turn, claim.truth) for claim in claims if claim.truth != "unverifiable"})


ASKED = "Is there a bus in the picture?"
TURNS = chat((ASKED, "No, there is no bus."), (ASKED, "Yes, there is a bus."))


def test_each_answer_is_judged_by_its_own_image() -> None:
    assert truths(TURNS, BUS, DOG) == [(1, "supported"), (3, "supported")]
    assert truths(TURNS, DOG, BUS) == [(1, "contradicted"), (3, "contradicted")]


def test_question_within_a_text_claims_nothing() -> None:
    document = texts("Question:Is there a bus? Short answer:No", "Question:Is there a bus? Short answer:Yes")
    assert truths(document, BUS, DOG) == [(0, "supported"), (1, "supported")]
    assert truths(document, DOG, BUS) == [(0, "contradicted"), (1, "contradicted")]


def test_claims_keep_their_places_in_the_texts() -> None:
    text = "Question: How many buses are there? Answer: There is one red bus."
    found = find_claims(texts(text, text), BUS, "interleaved", None, (BUS,)).claims
    assert {claim.turn for claim in found} == {0, 1}
    assert all("red bus" in text[claim.start : claim.end] for claim in found if claim.subject == "bus")
    assert all(claim.start >= text.index("There is") for claim in found)


def test_caption_behind_its_label_is_a_claim() -> None:
    assert (1, "contradicted") in truths(texts("Output:A dog lies there.", "Output:There are two buses."), BUS, DOG)


def test_images_together_show_what_each_shows() -> None:
    both = join_records(DOG, BUS)
    assert both.boxes == DOG.boxes + BUS.boxes
    assert both.captions == DOG.captions + BUS.captions
    assert join_records(DOG) == DOG
