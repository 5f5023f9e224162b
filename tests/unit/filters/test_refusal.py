"""Answers in which the model speaks of itself."""

import pytest

from instructgen.filters.refusal import Refusal
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, I cannot see it.",
    "I am very sorry, but there is nothing to see.",
    "Sorry, I can't tell.",
    "Sorry, but I don't know.",
    "I apologize for the confusion.",
    "My apologies, but this is not possible.",
    "As an AI, I have no eyes.",
    "As an AI language model, I cannot view pictures.",
    "That is hard to say. As a language model, I only read text.",
    "As a text-based assistant I cannot look.",
    "I cannot see the image.",
    "I can't view images directly.",
    "I can not see it.",
    "I am unable to view the picture.",
    "I'm unable to see the photo you speak of.",
    "It may be a dog, but I cannot see the image.",
    "I cannot directly access the picture.",
    "Unfortunately, I cannot see it.",
    "I do not have access to the picture.",
    "I don't see any image here.",
    "I am just a language model.",
    "I'm an AI assistant.",
    "Please provide the image.",
    "Could you please upload the photo?",
    "Could you share more details?",
    "No image was provided.",
    "I don't have the ability to see pictures.",
    "My training data ends in spring.",
    "That goes against the content policy.",
]

HARMLESS = [
    'The man says "I\'m sorry" to the woman.',
    "A note on the door reads: I cannot see you.",
    "The woman looks sorry for the dog.",
    'The card says "I am so sorry".',
    "The dog cannot see the ball behind the bench.",
    "The driver is unable to see the picture on the billboard.",
    "The teacher asks the pupils to provide the picture with a title.",
    "As an airplane passes, the boy looks up.",
    "As a text message arrives, she smiles.",
    "I can see a dog on the left.",
    "I am certain that there are two dogs.",
    "There is no image on the screen.",
    "The policeman stops the traffic.",
    "The girl is afraid of the goose.",
    "Please note that the dog is on a leash.",
]


def make_sample(answer: str) -> Sample:
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", REFUSALS)
def test_model_that_speaks_of_itself_is_rejected(answer: str) -> None:
    verdict = Refusal().check(make_sample(answer), RECORD)
    assert verdict.fault is not None
    assert verdict.fault.reason == "refusal"
    assert verdict.score == 1.0


@pytest.mark.parametrize("answer", HARMLESS)
def test_people_in_the_picture_may_be_sorry(answer: str) -> None:
    assert Refusal().check(make_sample(answer), RECORD).fault is None


def test_question_of_a_person_who_cannot_see_passes() -> None:
    turns = (Message("user", "I cannot see the image well. What is it?"), Message("assistant", "A dog."))
    sample = Sample("own/1/conv/0", "own/1", "conv", turns, (), {})
    assert Refusal().check(sample, RECORD).fault is None
