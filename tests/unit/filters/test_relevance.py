"""Answers that do not answer their question."""

import pytest

from instructgen.filters.relevance import AnswerRelevance
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

NO_ANSWER = [
    ("What color is the car?", "The car is parked on the street."),
    ("Which color does the umbrella have?", "It is open."),
    ("What is the colour of the two suitcases?", "They stand on the floor."),
    ("In what color is the train?", "On the left."),
    ("Can you tell me what color the bird is?", "It sits in a tree."),
    ("How many dogs are there?", "The dogs are sleeping."),
    ("Could you tell me how many people can be seen?", "They are on the beach."),
    ("What is the number of cups?", "The cups are on the table."),
    ("In this picture, how many boats are there?", "Boats are on the lake."),
    ("Where is the dog?", "The dog is brown."),
    ("Where is the man standing?", "He is tall."),
    ("Is there a dog in the picture?", "The kitchen has white cabinets."),
    ("Are there any animals?", "The red car is parked on the street."),
    ("Does the man wear a hat?", "The street is crowded with cars."),
    ("Can you see a boat?", "The kitchen has a window."),
    ("What is the man doing?", "Yes."),
    ("Who is standing there?", "No."),
    ("What is on the table?", "It is."),
    ("Why is the woman smiling?", "She is."),
    ("What is the man holding?", "What is the woman holding?"),
    ("Where is the cat?", "Is it on the sofa? Or under it?"),
    ("Is it raining?", "Do you see an umbrella?"),
]
ECHOES = [
    ("What is the man doing?", "What is the man doing?"),
    ("What is the man doing?", "what is the man  doing"),
    ("What is the man doing?", "The man is doing it."),
    ("What is the man holding?", "The man is holding something."),
    ("Why is the woman smiling?", "Because the woman is smiling."),
    ("How tall is the man?", "The man is tall."),
    ("What is the girl wearing?", "The girl wears it."),
    ("Describe the image.", "Describe the image."),
]
# The shapes of what GPT-4 said, of what people say in VQA, and of what may be said instead of an answer.
GOOD = [
    ("What is the position of the skateboard?", "The skateboard lies upside down, with its wheels up."),
    ("What is the main focus of the image?", "The main focus of the image is a car beside a parking meter."),
    ("What is the pattern on the girl's umbrella?", "The umbrella has a ladybug pattern."),
    ("What is the cat doing on the red couch?", "The cat is curled up and sleeping on the red couch."),
    ("Where is the cart with luggage located?", "The cart with luggage is located in a lobby."),
    ("What objects are on the table?", "The objects on the table include a newspaper and an apple."),
    ("Is the person riding a motorbike or a scooter?", "The person is riding a motorbike."),
    ("How many giraffes are depicted in the image?", "There are four giraffes in the image."),
    ("What is the color of the elephant in the image?", "The color of the elephant in the image is grey."),
    ("What breed is the dog?", "The dog in the image is a husky."),
    ("What stage is the house in regarding its construction?", "The house is in the beginning stages."),
    ("Can you elaborate on the elements of the picture?", "A small cell phone lies on a table."),
    ("Analyze the image in a comprehensive manner.", "A girl with a ladybug umbrella stands in the rain."),
    ("What do you think is going on here?", "A baby elephant stands alone in its pen."),
    ("Imagine you walk here; how would you know the time?", "By looking at the tall clock."),
    ("What might have happened and what comes next?", "A meal. The table must be cleared."),
    ("What color is the car?", "Red."),
    ("What color is the cat?", "Calico."),
    ("What color is the wall?", "A reddish tone."),
    ("What color is the bowl?", "It is hard to tell."),
    ("What color is her hair?", "Blonde"),
    ("What color are the flowers?", "They are multicolored."),
    ("What color is the water?", "It is clear."),
    ("What colors does the flag have?", "It cannot be seen."),
    ("What color scheme is used?", "Warm tones."),
    ("How many dogs are there?", "2"),
    ("How many dogs are there?", "There is a dog on the mat."),
    ("How many dogs are there?", "Just the one by the door."),
    ("How many people are there?", "A crowd."),
    ("How many people are there?", "Too many to count."),
    ("How many cups are left?", "None."),
    ("How many windows are there?", "It is not clear from here."),
    ("Could you count the cups?", "There are three."),
    ("Where is this?", "A kitchen."),
    ("Where was the photo taken?", "This looks like an airport."),
    ("Where is the cup?", "Kitchen table."),
    ("Where are they sitting?", "They sit under a tree."),
    ("Where is the man looking?", "Away from the camera."),
    ("Where is the phone?", "It is hidden."),
    ("Is there a dog?", "Yes"),
    ("Is it day or night?", "Night."),
    ("Is the street wet?", "It has just rained."),
    ("Are there any animals?", "A cat lies on the sofa."),
    ("Are there any vehicles?", "Two buses stand at the kerb."),
    ("Is anyone on the court?", "Two women play tennis with a coach."),
    ("Does the man wear glasses?", "He does."),
    ("Is the room tidy?", "Clothes and books lie all over the room."),
    ("Does the boy look happy?", "The boy smiles."),
    ("Is the water calm?", "Not really."),
    ("Are the people working?", "Possibly."),
    ("Can you see what the man holds?", "A kite."),
    ("Do you know why he stopped?", "The light is red."),
    ("Which is larger, the bed or the chair?", "The bed is larger than the chair."),
    ("If I look for a bus and a bench, which one will I not find?", "You will not find a bench."),
    ("Which of these is missing: a truck or a train?", "A train is missing."),
    ("Who is in the picture?", "A man and his son."),
    ("What does the sign say?", "\"Why not?\""),
    ("What does the sign say?", "It says 'What now?'"),
    ("What is behind the sink?", "It is behind glass."),
    ("What is on the table? Is it food?", "Yes, a pizza."),
    ("What does he think?", "He may wonder: what now?"),
    ("Why?", "Because it rains."),
    ("What can be seen?", "A steak, and what looks to be a baked apple?"),
    ("What is it?", ""),
]  # fmt: skip


def make_sample(*pairs: tuple[str, str]) -> Sample:
    turns = tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


def reason_of(question: str, answer: str) -> str | None:
    fault = AnswerRelevance().check(make_sample((question, answer)), RECORD).fault
    return fault.reason if fault else None


@pytest.mark.parametrize(("question", "answer"), NO_ANSWER)
def test_answer_of_another_sort_is_rejected(question: str, answer: str) -> None:
    assert reason_of(question, answer) == "no_answer_to_question"


@pytest.mark.parametrize(("question", "answer"), ECHOES)
def test_answer_that_only_says_the_question_again_is_rejected(question: str, answer: str) -> None:
    assert reason_of(question, answer) == "echoes_question"


@pytest.mark.parametrize(("question", "answer"), GOOD)
def test_answer_to_the_point_passes(question: str, answer: str) -> None:
    assert reason_of(question, answer) is None


def test_score_is_the_share_of_answers_to_the_point() -> None:
    good, bad = ("What is there?", "A dog."), ("What color is it?", "It sleeps.")
    assert AnswerRelevance().check(make_sample(good, good, good, bad), RECORD).score == 0.75


def test_detail_has_the_question_and_the_answer() -> None:
    fault = AnswerRelevance().check(make_sample(("What color is it?", "It sleeps.")), RECORD).fault
    assert fault is not None
    assert fault.detail == "What color is it? - It sleeps."
