"""Replies of questions and answers, as models write them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.blocks import parse_turns, write_turns
from instructgen.sample_types.conversation import Conversation

TWO_PAIRS = [("user", "A?"), ("assistant", "B."), ("user", "C?"), ("assistant", "D.")]


def read(text: str) -> list[tuple[str, str]] | str:
    turns = parse_turns(text)
    return turns.reason if isinstance(turns, Fault) else [(turn.role, turn.content) for turn in turns]


@pytest.mark.parametrize(
    "text",
    [
        "Question:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?\n===\nAnswer:\nD.",
        "Question:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?\n===\nAnswer:\nD.\n===",
        "Question:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?\n===\nAnswer:\nD.\n===\n\n",
        "===\nQuestion:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?\n===\nAnswer:\nD.",
        "Question:\r\nA?\r\n===\r\nAnswer:\r\nB.\r\n===\r\nQuestion:\r\nC?\r\n===\r\nAnswer:\r\nD.\r\n",
        "Question: A?\n ===== \nAnswer: B.\n  ===\nQuestion: C?\n====\nAnswer: D.",
        "Question: A?\nAnswer: B.\nQuestion: C?\nAnswer: D.",
        "Question: A?\n\nAnswer: B.\n\n\nQuestion: C?\n\nAnswer: D.",
        "Question: A?\nAnswer: B.\n===\nQuestion: C?\nAnswer: D.",
        "Question:\nA?\n===\nAnswer:\nB.\nQuestion: C?\nAnswer: D.",
        "**Question:** A?\n===\n**Answer:** B.\n===\n**Question:** C?\n===\n**Answer:** D.",
        "**Question**: A?\n**Answer**: B.\n**Question**: C?\n**Answer**: D.",
        "**Question: A?**\nAnswer: B.\n**Question: C?**\nAnswer: D.",
        "**Question**\nA?\n===\n**Answer**\nB.\n===\n**Question**\nC?\n===\n**Answer**\nD.",
        "Question\nA?\n===\nAnswer\nB.\n===\nQuestion\nC?\n===\nAnswer\nD.",
        "### Question 1:\nA?\n### Answer 1:\nB.\n### Question 2:\nC?\n### Answer 2:\nD.",
        "QUESTION: A?\nanswer: B.\nQuestion : C?\nAnswer : D.",
        "```\nQuestion:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?\n===\nAnswer:\nD.\n```",
        '{"turns": [{"question": "A?", "answer": "B."}, {"question": " C? ", "answer": "D.\\n"}]}',
        '```json\n{"turns": [{"question": "A?", "answer": "B."}, {"question": "C?", "answer": "D."}]}\n```',
        '  {"turns":[{"question":"A?","answer":"B.","id":1},{"question":"C?","answer":"D."}],"note":"x"}\n',
    ],
)
def test_both_pairs_are_read(text: str) -> None:
    assert read(text) == TWO_PAIRS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty_reply"),
        (" \n\n ", "empty_reply"),
        ("```\n\n```", "empty_reply"),
        ("Question:\nA?\n===\nAnswer:\nB.\n===\nQuestion:\nC?", "dangling_question"),
        ("Question: A?", "dangling_question"),
        ("Question: A?\nQuestion: B?\nAnswer: C.", "turns_do_not_alternate"),
        ("Question: A?\nAnswer: B.\nAnswer: C.", "turns_do_not_alternate"),
        ("Answer:\nB.\n===\nQuestion:\nA?", "turns_do_not_alternate"),
        ("Question:\nA?\n===\nB.\n===\nAnswer:\nC.", "turns_do_not_alternate"),
        ("Here you are:\nQuestion: A?\nAnswer: B.", "text_before_first_question"),
        ("Sure!\n===\nQuestion:\nA?\n===\nAnswer:\nB.", "text_before_first_question"),
        ("Question:\n\n===\nAnswer:\nB.", "empty_turn"),
        ("Question:\nA?\n===\nAnswer:\n===", "empty_turn"),
        ('{"turns": [{"question": "A?", "answer": " "}]}', "empty_turn"),
        ("There is a dog on the mat.", "no_question_found"),
        ("Answer: There is a dog.", "no_question_found"),
        ("Questions are easy, answers are not.", "no_question_found"),
        ('{"turns": []}', "no_question_found"),
        ('{"turns": [{"question": "A?", "answer"', "invalid_json"),
        ('{"turns": [{"question": "A?", "answer": "B."}]} I hope this helps.', "invalid_json"),
        ('{"turns": [{"question": "A?", "answer": "\ud800"}]}', "invalid_json"),
        ('{"turns": [{"q": "A?", "a": "B."}]}', "json_wrong_shape"),
        ('{"turns": {"question": "A?", "answer": "B."}}', "json_wrong_shape"),
        ('{"turns": [{"question": "A?", "answer": 5}]}', "json_wrong_shape"),
    ],
)
def test_unusable_reply_has_its_fixed_reason(text: str, reason: str) -> None:
    assert read(text) == reason


def test_answer_with_blank_lines_and_a_numbered_list_is_kept_verbatim() -> None:
    answer = "Three steps:\n\n1. Look left.\n2. Look right:\n   - cars\n   - bicycles\n\nThen **cross**."
    assert read(f"Question:\nHow?\n===\nAnswer:\n{answer}") == [("user", "How?"), ("assistant", answer)]


def test_equals_signs_within_a_line_are_kept() -> None:
    assert read("Question:\nA?\n===\nAnswer:\nIt says a === b here.") == [
        ("user", "A?"),
        ("assistant", "It says a === b here."),
    ]


def test_bold_text_behind_a_plain_label_stays_bold() -> None:
    assert read("Question: A?\nAnswer: **Yes**, a dog.") == [("user", "A?"), ("assistant", "**Yes**, a dog.")]
    assert read("Question: A?\nAnswer:**Yes**, a dog.") == [("user", "A?"), ("assistant", "**Yes**, a dog.")]


def test_pair_inside_an_answer_is_never_swallowed() -> None:
    turns = read("Question: A?\nAnswer: one\nQuestion: B?\nAnswer: two")
    assert turns == [("user", "A?"), ("assistant", "one"), ("user", "B?"), ("assistant", "two")]


def test_word_question_within_a_line_is_no_label() -> None:
    answer = "The sign asks a question: who am I?\nQuestion marks are painted on it.\nAnswering is hard."
    assert read(f"Question:\nA?\n===\nAnswer:\n{answer}") == [("user", "A?"), ("assistant", answer)]


def test_detail_quotes_at_most_eighty_characters() -> None:
    fault = parse_turns("There is a dog. " * 100)
    assert isinstance(fault, Fault)
    assert len(fault.detail) == 80


@pytest.mark.parametrize("start", ["", "**Question", "###", "Question", "```", "{", "==="])
def test_endless_spaces_are_read_to_their_end(start: str) -> None:
    """Quadratic matching would take hours here, and the suite's time limit would tell."""
    tail = start + " " * 200_000 + "x"
    assert read(f"Question: A?\nAnswer: B.\n{tail}") == [("user", "A?"), ("assistant", f"B.\n{tail}".strip())]
    assert read(tail) in ("no_question_found", "invalid_json")


LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20) | st.sampled_from(
    ["**bold**", "a === b", "1. one", "# title", "Questions", "{x}", "```", "  indented", "", "answer"]
)


def is_plain(line: str) -> bool:
    word = line.lower().lstrip(" \t*#").split(":")[0].rstrip(" \t*0123456789")
    return word not in ("question", "answer") and set(line.strip()) != {"="}


TEXTS = (
    st.lists(LINES.filter(is_plain), min_size=1, max_size=5)
    .map(lambda lines: "\n".join(lines).strip())
    .filter(lambda text: text != "")
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draw of texts takes a second on a busy machine
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.sampled_from(["text", "json"]))
def test_written_turns_are_read_back(pairs: list[tuple[str, str]], output_format: str) -> None:
    decoding = Decoding(output_format=output_format)  # type: ignore[arg-type]
    turns = tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))
    assert parse_turns(write_turns(turns, decoding)) == turns


@given(st.text())
def test_any_text_gives_turns_in_order_or_a_fault(text: str) -> None:
    turns = parse_turns(text)
    if not isinstance(turns, Fault):
        assert [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        assert all(turn.content for turn in turns)


def test_text_format_is_llavas() -> None:
    turns = (Message("user", "A?"), Message("assistant", "B."))
    assert Conversation("conv").write(turns, Decoding()) == "Question:\nA?\n===\nAnswer:\nB."
