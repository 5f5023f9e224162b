"""Claims of whole samples: their order, their places in the text, and that nothing breaks."""

from hypothesis import given
from hypothesis import strategies as st

from instructgen.grounding.check import check_turns, find_sentences
from instructgen.grounding.evidence import read_evidence
from instructgen.records import Message
from tests.support.claims import find_claims, image, tell

DOG = image("A brown dog lies beside a red ball.|Two men watch.", "dog", "sports ball", "person", "person")
WORDS = [
    *(
        "A",
        "a",
        "the",
        "no",
        "not",
        "dog",
        "dogs",
        "cat",
        "two",
        "three",
        "12",
        "red",
        "blue",
        "left",
        "right",
        "of",
        "to",
    ),
    *(
        "on",
        "in",
        "is",
        "are",
        "there",
        "it",
        "one",
        "men",
        "between",
        "might",
        "and",
        "or",
        ",",
        ".",
        "?",
        "!",
        ";",
        '"',
    ),
    *(
        "“",
        "(",
        "\n",
        "photo",
        "picture",
        "color",
        "above",
        "top",
        "middle",
        "without",
        "nobody",
        "both",
        "half",
        "dozen",
    ),
    *("yes", "No.", "how", "many", "İ", "’s", "'s", "toy", "shaped", "like", "missing", "none", "'", "-"),
]


def test_claims_come_in_the_order_of_the_text() -> None:
    claims = find_claims(DOG, "Two men watch a blue dog. A zebra is there, and it is red.")
    assert tell(claims) == [
        "object supported: Two men",
        "count supported: Two men",
        "object supported: a blue dog",
        "colour contradicted: a blue dog",
        "object contradicted: A zebra",
        "colour unverifiable: A zebra is there, and it is red",
    ]


def test_claim_quotes_the_answer_and_knows_its_sentence_and_turn() -> None:
    answer = "Look here.  The dog is Blue! What next?"
    (found,) = [one for one in find_claims(DOG, "What is it?", answer) if one.kind == "colour"]
    assert found.text == "The dog is Blue"
    assert answer[found.start : found.end] == "The dog is Blue!"
    assert (found.turn, found.subject) == (1, "dog")


def test_questions_of_an_answer_claim_nothing() -> None:
    assert find_claims(DOG, "Is that a zebra? I do not know.") == ()


def test_wrong_thing_is_not_counted_on_top() -> None:
    assert tell(find_claims(DOG, "There are two zebras.")) == ["object contradicted: two zebras"]


def test_the_same_words_claim_a_thing_once() -> None:
    assert tell(find_claims(DOG, "The bench is painted in blue."), "colour") == [
        "colour unverifiable: The bench is painted in blue"
    ]


def test_it_goes_on_over_sentences_and_answers() -> None:
    claims = find_claims(DOG, "What is there?", "A dog. It rests. It is blue.", "And then?", "It is green.")
    assert tell(claims, "colour") == ["colour contradicted: It is blue", "colour contradicted: It is green"]


def test_system_turns_and_questions_are_no_answers() -> None:
    turns = (Message("system", "There is a zebra."), Message("user", "There is a zebra."))
    assert check_turns(turns, read_evidence(DOG)).claims == ()


def test_sentences_end_at_marks_and_line_breaks_and_not_in_abbreviations() -> None:
    text = 'Mr. Smith has e.g. a dog. It barks!  "Really?" Yes\nNo'
    assert [text[start:end] for start, end in find_sentences(text)] == [
        "Mr. Smith has e.g. a dog.",
        "It barks!",
        '"Really?',
        "Yes",
        "No",
    ]


def test_empty_text_has_no_sentences() -> None:
    assert find_sentences("") == []
    assert find_sentences(" \n ") == []


@given(
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(), st.sampled_from(["conv", "reasoning"])
)
def test_any_text_is_judged_and_its_claims_lie_inside_it(text: str, sample_type: str) -> None:
    for one in find_claims(DOG, text, text, text, text, sample_type=sample_type):
        assert one.turn in (1, 3)
        assert 0 <= one.start < one.end <= len(text)
        assert one.evidence


@given(st.lists(st.sampled_from([word for word in WORDS if word != "İ"]), max_size=25).map(" ".join))
def test_claim_is_a_piece_of_its_sentence(text: str) -> None:
    for one in find_claims(DOG, text):
        assert one.text
        assert one.text in text[one.start : one.end]
