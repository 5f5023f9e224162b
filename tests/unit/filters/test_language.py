"""Answers in a language that is not wanted."""

import pytest

from instructgen.filters.language import AnswerLanguage
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

FOREIGN = [
    "Der Hund liegt auf der Matte und schläft.",
    "Ein Mann mit einem roten Hut steht neben dem Auto.",
    "De man staat op het strand en houdt een bord vast.",
    "Le chien est couché sur le tapis dans la cuisine.",
    "El perro está en la cocina con los niños.",
    "O cachorro está na cozinha com uma bola.",
    "Il cane è nella cucina con una palla.",
    "Hunden ligger på mattan och sover.",
    "Pies leży na dywanie i śpi, a obok niego jest kot, który patrzy w okno.",
    "Собака лежит на коврике.",
    "一只狗躺在垫子上。",
    "犬がマットの上で寝ています。",
    "Ο σκύλος κοιμάται.",
    "الكلب نائم على السجادة",
    "कुत्ता चटाई पर सो रहा है",
    "The dog lies on the mat. El perro duerme en la casa.",
    "A dog sleeps.\n一只狗躺在垫子上。",
    "Köpek mavi bir top ile oynuyor.",
    "Mbwa analala karibu na mlango, paka juu ya meza, watoto wote wanacheza nje, jua kali leo sana, maji ni baridi",
]
ENGLISH = [
    "Yes.",
    "Red",
    "2",
    "Pizza, spaghetti, ravioli, lasagne and minestrone.",
    "Bananas, apples, oranges.",
    "A man in a café eats a crème brûlée.",
    "It is El Capitan in Yosemite.",
    "The sign reads 停.",
    'The sign says "Salida de emergencia" in white letters.',
    "The banner says 'Bienvenue dans la ville de Paris' above the door.",
    "A red van, a blue van and a man with his son in La Jolla.",
    "Los Angeles, San Francisco, Las Vegas.",
    "Dom Pérignon and Château Margaux.",
    "A Siberian husky.",
    "Playing baseball.",
    "Mercedes-Benz, BMW, Volkswagen and Škoda cars.",
    "It weighs 20 kg and costs 15 €.",
    "",
]


def make_sample(*answers: str) -> Sample:
    turns = tuple(turn for text in answers for turn in (Message("user", "What?"), Message("assistant", text)))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", FOREIGN)
def test_answer_in_another_language_is_rejected(answer: str) -> None:
    fault = AnswerLanguage().check(make_sample(answer), RECORD).fault
    assert fault is not None
    assert fault.reason == "wrong_language"


@pytest.mark.parametrize("answer", ENGLISH)
def test_english_passes_with_its_loan_words_and_signs(answer: str) -> None:
    assert AnswerLanguage().check(make_sample(answer), RECORD).fault is None


@pytest.mark.parametrize("answer", FOREIGN)
def test_any_language_may_be_wanted(answer: str) -> None:
    assert AnswerLanguage(expected="any").check(make_sample(answer), RECORD).fault is None


def test_question_may_be_in_any_language() -> None:
    turns = (Message("user", "Was ist das auf dem Bild und wo ist es?"), Message("assistant", "A dog."))
    sample = Sample("own/1/conv/0", "own/1", "conv", turns, (), {})
    assert AnswerLanguage().check(sample, RECORD).fault is None


def test_score_is_the_share_of_small_words() -> None:
    assert AnswerLanguage().check(make_sample("The dog is on the mat", "Red dog"), RECORD).score == 0.5


def test_detail_is_the_foreign_sentence() -> None:
    fault = AnswerLanguage().check(make_sample("A dog. El perro duerme en la casa. A cat."), RECORD).fault
    assert fault is not None
    assert fault.detail == "El perro duerme en la casa"
