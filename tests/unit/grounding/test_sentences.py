"""Words, clauses and places of a sentence."""

from tests.support.claims import sentence


def test_words_are_lower_case_and_lose_their_possessive() -> None:
    found = sentence("The Dog's bowl isn't there.")
    assert found.words == ("the", "dog", "bowl", "isn't", "there")
    assert found.possessive == (False, True, False, False, False)


def test_short_forms_of_is_are_no_possessives() -> None:
    assert sentence("It's a dog, and there's a cat.").words == ("it's", "a", "dog", "and", "there's", "a", "cat")


def test_offsets_are_those_of_the_text() -> None:
    text = "A dog’s big-eared friend."
    found = sentence(text)
    assert [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)] == [
        "A",
        "dog’s",
        "big",
        "eared",
        "friend",
    ]


def test_marks_between_words_are_kept() -> None:
    assert sentence("A dog, big-eared (and brown)").gaps == ("", "", ",", "-", "(", "")


def test_clause_ends_at_a_semicolon_at_while_and_at_a_comma_before_and() -> None:
    found = sentence("A dog sits; a cat lies while a bird sings, and it rains")
    assert found.clauses == (0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)
    assert set(sentence("A red, white and blue flag").clauses) == {0}


def test_doubt_reaches_to_the_end_of_its_clause() -> None:
    found = sentence("It may be a dog, but it barks")
    assert [word for word, doubtful in zip(found.words, found.doubtful, strict=True) if doubtful] == [
        "be",
        "a",
        "dog",
    ]


def test_there_is_ends_a_doubt() -> None:
    found = sentence("I would guess there is a dog")
    assert found.doubtful == (False, False, True, False, False, False, False)


def test_to_before_an_article_is_no_intention() -> None:
    assert not any(sentence("It runs to the dog").intended)
    assert sentence("It wants to see dogs").intended == (False, False, False, True, True)


def test_words_in_quotation_marks_are_quoted() -> None:
    assert sentence('It says "stop now" there').quoted == (False, False, True, True, False)
    assert sentence("It says “stop” there").quoted == (False, False, True, False)


def test_question_is_known_by_its_mark() -> None:
    assert sentence('Is it a "dog?"').is_question
    assert not sentence("It is a dog.").is_question
