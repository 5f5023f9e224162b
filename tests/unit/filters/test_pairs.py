"""Questions with their answers, some of which are cut."""

from instructgen.filters.given_away import GivenAway
from instructgen.filters.pairs import cut_pairs
from instructgen.filters.relevance import AnswerRelevance
from instructgen.filters.repetition import RepeatedText
from instructgen.records import Fault, ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())
FAULT = Fault("bad", "it is bad")


def make_turns(*pairs: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))


def make_sample(*pairs: tuple[str, str]) -> Sample:
    return Sample("own/1/conv/0", "own/1", "conv", make_turns(*pairs), (), {})


def test_faulty_pairs_go_with_their_questions() -> None:
    turns = make_turns(("a?", "bad"), ("b?", "good"), ("c?", "bad"))
    kept, fault, num = cut_pairs(turns, lambda _i, _q, answer: FAULT if answer.content == "bad" else None)
    assert kept == make_turns(("b?", "good"))
    assert (fault, num) == (FAULT, 2)


def test_turns_without_fault_are_the_same() -> None:
    turns = make_turns(("a?", "x"), ("b?", "y"))
    assert cut_pairs(turns, lambda *_: None) == (turns, None, 0)


def test_turns_that_are_no_pairs_stay() -> None:
    turns = (Message("system", "s"), Message("assistant", "bad"), *make_turns(("a?", "bad")), Message("user", "b?"))
    kept, _, num = cut_pairs(turns, lambda *_: FAULT)
    assert kept == (turns[0], turns[1], turns[4])
    assert num == 1


def test_places_are_those_of_the_answers() -> None:
    places: list[int] = []

    def note(index: int, _asked: Message, _answer: Message) -> None:
        places.append(index)

    cut_pairs(make_turns(("a?", "x"), ("b?", "y")), note)
    assert places == [1, 3]


def test_relevance_cuts_what_is_not_to_the_point() -> None:
    good = ("What color is the dog?", "It is brown.")
    verdict = AnswerRelevance(on_fault="cut").check(make_sample(("How many dogs are there?", "Brown."), good), RECORD)
    assert verdict.fault is None
    assert verdict.turns == make_turns(good)


def test_given_away_cuts_the_pair() -> None:
    good = ("Where is it?", "It lies on a mat.")
    given = ("What kind of animal is the brown dog?", "A dog.")
    verdict = GivenAway(on_fault="cut").check(make_sample(good, given), RECORD)
    assert verdict.fault is None
    assert verdict.turns == make_turns(good)


def test_a_question_asked_again_is_cut() -> None:
    first, again = ("Where is the dog?", "On a mat."), ("Where is the dog ?", "It is on a mat.")
    verdict = RepeatedText(on_fault="cut").check(make_sample(first, again), RECORD)
    assert verdict.fault is None
    assert verdict.turns == make_turns(first)


def test_an_answer_going_round_in_circles_is_cut() -> None:
    good = ("Where is the dog?", "On a mat.")
    verdict = RepeatedText(on_fault="cut").check(make_sample(good, ("And?", "The dog sleeps on a mat. " * 5)), RECORD)
    assert verdict.fault is None
    assert verdict.turns == make_turns(good)
