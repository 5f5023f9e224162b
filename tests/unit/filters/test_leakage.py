"""What gives the source of an answer away, and what only sounds like it."""

import pytest
from msgspec import structs

from instructgen.filters.leakage import SourceLeakage
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog sleeps beside a stack of boxes.",), ())

LEAKS = [
    "The caption says that the dog is asleep.",
    "All five captions agree on the colour.",
    "The dog's bounding box lies to the left of the cat's.",
    "Two bounding boxes overlap.",
    "The bounding_box of the dog is small.",
    "The bbox is in the corner.",
    "The coordinates of the dog show that it lies on the left.",
    "Judging from the coordinates, the dog is on the left.",
    "Going by its coordinates, the dog is on the left.",
    "The annotations list two people.",
    "This is annotated as a bench.",
    "There is no mention of a teapot in the picture.",
    "No mention is made of a cat.",
    "The colour is not mentioned.",
    "The colour isn't mentioned.",
    "The colour isn’t mentioned.",
    "The weather was not specified.",
    "It is not explicitly stated whether it rains.",
    "The brand is never mentioned.",
    "The image does not mention a cat.",
    "The scene doesn't specify the season.",
    "The information does not include the time of day.",
    "The dog mentioned in the text is asleep.",
    "A dog is described in the scene.",
    "The description provided speaks of a dog.",
    "The description given is short.",
    "The description mentions a dog.",
    "The description does not mention a cat.",
    "According to the description, it is a dog.",
    "Based on the description, the dog is tired.",
    "Going by the image description, the dog is tired.",
    "The scene described is peaceful.",
    "Based on the provided information, the dog is tired.",
    "Based on the provided text, it is noon.",
    "From the given details, the dog is tired.",
    "The information provided does not say why.",
    "Based on the information, the dog is tired.",
    "Going by the sentences, it is a dog.",
    "The sentences describe a dog.",
    "One of the sentences speaks of a dog.",
    "The five sentences above agree.",
    "The detected objects are a dog and a box.",
    "The ground truth is a dog.",
    "The dog lies at [0.12, 0.4, 0.5, 0.9].",
    "The dog lies at [0, 0.4, 0.5, 0.9].",
    "Its centre is about (0.5, 0.3) of the way.",
    "It spans 0.1, 0.25, 0.4, 0.9 of the picture.",
    "The dog starts at x = 0.25.",
    "The\nbounding\nbox of the dog is small.",
]

HARMLESS = [
    "A dog sleeps beside a stack of cardboard boxes.",
    "The box on the left is open.",
    "He is standing in the batter's box; a box office is behind him.",
    "The man mentions a price to the customer.",
    "As the seller mentions the price, the woman opens her purse.",
    "The sign does not mention a price.",
    "A price is not mentioned on the sign.",
    "The style can be described as Art Deco.",
    "The room could be described as cosy.",
    "It fits the description of a mid-century kitchen.",
    "The referee coordinates the players with a whistle.",
    "The two rowers have to coordinate their strokes.",
    "She wears a coordinated outfit and has good hand-eye coordination.",
    "The text on the sign says STOP.",
    "The text says 'No parking'.",
    "The information provided on the board helps travellers to find their train.",
    "The shade provided by the umbrella keeps the fruit fresh.",
    "Given the weather, the people should take umbrellas.",
    "In the given situation the driver should slow down.",
    "The sentences on the blackboard are written in chalk.",
    "The details do not distract from the clock in the centre.",
    "The image does not show any people.",
    "The scene does not include a cat.",
    "The bottle holds 0.5 litres and costs 1.50 euros.",
    "The digits 12.5, 13.2 and 14.1 stand on the display.",
    "A table for two (1, 2) is laid.",
    "The photo shows the state of the old wall in detail.",
    "The data centre has rows of black cabinets.",
    "The label on the bottle is green.",
    "The captain stands at the wheel.",
]


def make_sample(answer: str, question: str = "What is there?") -> Sample:
    turns = (Message("user", question), Message("assistant", answer))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", LEAKS)
def test_answer_that_names_its_source_is_rejected(answer: str) -> None:
    verdict = SourceLeakage().check(make_sample(answer), RECORD)
    assert verdict.score == 1.0
    assert verdict.fault is not None
    assert verdict.fault.reason == "source_leak"
    assert 0 < len(verdict.fault.detail) <= 80


@pytest.mark.parametrize("answer", HARMLESS)
def test_answer_about_the_picture_passes(answer: str) -> None:
    assert SourceLeakage().check(make_sample(answer), RECORD).fault is None


def test_question_that_names_the_source_is_rejected() -> None:
    sample = make_sample("A dog.", question="Which animal do the captions speak of?")
    assert SourceLeakage().check(sample, RECORD).fault is not None


def test_word_of_the_images_own_captions_is_not_a_leak() -> None:
    page = ImageRecord("own/2", "2.jpg", 640, 480, ("A magazine page with a caption under the photo.",), ())
    sample = make_sample("There is a caption under the photo on the page.")
    assert SourceLeakage().check(sample, page).fault is None
    assert SourceLeakage().check(sample, RECORD).fault is not None


def test_leak_behind_an_allowed_word_is_still_found() -> None:
    page = ImageRecord("own/2", "2.jpg", 640, 480, ("A magazine page with a caption under the photo.",), ())
    sample = make_sample("There is a caption on the page. A bounding box lies around it.")
    fault = SourceLeakage().check(sample, page).fault
    assert fault is not None
    assert "bounding box" in fault.detail


def test_two_leaks_close_together_are_both_seen() -> None:
    filler = "The statement on the wall and the statement on the door both say nothing. "
    fault = SourceLeakage().check(make_sample(filler + "The statements do not mention a cat."), RECORD).fault
    assert fault is not None


def test_detail_quotes_the_hit_out_of_a_long_answer() -> None:
    answer = "The dog sleeps. " * 40 + "No mention of a cat is made. " + "The dog sleeps. " * 40
    fault = SourceLeakage().check(make_sample(answer), RECORD).fault
    assert fault is not None
    assert "mention of" in fault.detail.lower()
    assert len(fault.detail) <= 80


@pytest.mark.parametrize(
    "question", ["Give me a short caption.", "Write a caption for this photo.", "Could you suggest a funny caption?"]
)
def test_asking_for_a_caption_is_no_leak(question: str) -> None:
    turns = (Message("user", question), Message("assistant", "A dog on a mat."))
    assert SourceLeakage().check(Sample("own/1/conv/0", "own/1", "conv", turns, (), {}), RECORD).fault is None


def test_telling_of_a_caption_in_a_question_is_one() -> None:
    turns = (Message("user", "According to the caption, what is there?"), Message("assistant", "A dog on a mat."))
    assert SourceLeakage().check(Sample("own/1/conv/0", "own/1", "conv", turns, (), {}), RECORD).fault is not None


def test_words_of_either_of_two_images_are_left_alone() -> None:
    sample = make_sample("The first picture shows a page with a caption.")
    page = structs.replace(RECORD, captions=("A page with a caption.",))
    assert SourceLeakage().check(sample, RECORD).fault is not None
    assert SourceLeakage().check(structs.replace(sample, partner=page), RECORD).fault is None
