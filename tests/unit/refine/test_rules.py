"""What the cleaning rules take away, and above all what they leave."""

import random
import string

import pytest

from instructgen.records import Message
from instructgen.refine.rules import RULE_NAMES, clean_text, clean_turns

TEXT = "A brown dog lies on the grass. Beside it there is a red ball."

DIRTY = [
    (f"Sure! Here is the corrected paragraph:\n\n{TEXT}", "chatter_in_front"),
    (f"Certainly, here's a revised version of the text: {TEXT}", "chatter_in_front"),
    (f"Corrected paragraph:\n{TEXT}", "chatter_in_front"),
    (f"**Revised description:** {TEXT}", "chatter_in_front"),
    (f"I have corrected the errors in the paragraph:\n{TEXT}", "chatter_in_front"),
    (f"Okay, here is a description of the image:\n{TEXT}", "chatter_in_front"),
    (f'Here is the corrected text: "{TEXT}"', "chatter_in_front"),
    (f'"{TEXT}"', "quotes_around"),
    (f"{TEXT} Let me know if you need anything else!", "chatter_behind"),
    (f"{TEXT}\n\nI hope this helps! Is there anything else I can do for you?", "chatter_behind"),
    (f"{TEXT}\n\nNote: I removed two sentences that were there twice.", "chatter_behind"),
    (f"I'm sorry I made a mistake. {TEXT}", "apology"),
    (f"I apologize for the confusion in my last answer. {TEXT}", "apology"),
    (f"{TEXT} My apologies for the error.", "apology"),
    (f"You are right, and I apologize for that. {TEXT}", "apology"),
    (f"{TEXT} {TEXT}", "repeated_sentence"),
    (f"{TEXT} a brown DOG lies on the grass.", None),  # a sentence begins with a capital
    (f"{TEXT} A Brown dog lies, on the grass!", "repeated_sentence"),
    ("A brown dog lies on the grass.\u200b Beside it ##### there is a red ball.\ufffd", "meaningless_characters"),
    (f"{TEXT}\n###", "meaningless_characters"),
    (f"{TEXT} In the back there is a", "incomplete_end"),
]


@pytest.mark.parametrize(("text", "rule"), DIRTY)
def test_what_is_no_part_of_the_answer_goes(text: str, rule: str | None) -> None:
    cleaned = clean_text(text)
    assert cleaned.rules == (() if rule is None else (rule,))
    assert cleaned.text == (text if rule is None else TEXT)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Yes.",
        "A red one",
        "Certainly.",
        "Two",
        "Here is a dog: it sleeps.",
        "There are three things on the table: a cup, a plate and a fork.",
        'A sign says "I\'m sorry for the wait." Beside it there is a door.',
        "The man seems sorry for the mess. A dog looks on.",
        "I'm sorry, but I cannot see the image.",
        "1. A red car\n2. A blue car\n3. A bus",
        "Mr. Brown's shop is on the left. Dr. No's is on the right.",
        "It is red. It is large. A second one is red. It is red.",
        'The shirt says "Let me know if you see it." It is blue.',
        "She hopes that it helps. If you need an umbrella, this is the day.",
        "The dog\n\nsleeps.  It is brown.",
        "A man says: wait... He holds a cup.",
        "He is 1.5 metres tall. The U.S. flag is behind him.",
        "The sky is blue!!! It is day.",
        "A dog runs on the beach. It looks happy! 😊",
        "A dog runs on the beach. It looks happy! ❤️👍🏽",
        "A dog runs on the beach. It looks happy. \u200d",
        "The sign says STOP. Below it one reads 出口。",
        "The sign says STOP. Below it one reads 「出口。」",
        "A sign is in Hindi. It reads यहाँ रुकें।",
        "A sign is in Arabic. It asks: أين؟",
        "A family 👨\u200d👩\u200d👧 waits. The sign says می\u200cخواهم.",
    ],
)
def test_text_that_nothing_is_wrong_with_comes_back_to_the_byte(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.text == text
    assert cleaned.rules == ()


def test_several_rules_apply_to_one_text_in_their_order() -> None:
    text = f"Sure! Here is the paragraph:\n{TEXT} I apologize for the delay. {TEXT} In the\n\nFeel free to ask more."
    cleaned = clean_text(text)
    assert cleaned.text == TEXT
    assert cleaned.rules == ("chatter_in_front", "chatter_behind", "apology", "repeated_sentence", "incomplete_end")
    assert set(cleaned.rules) <= set(RULE_NAMES)


def test_broken_sentence_alone_stays_unless_the_teacher_was_cut_off() -> None:
    assert clean_text("A brown dog and a").text == "A brown dog and a"
    assert clean_text("A brown dog and a", is_cut=True).text == ""
    assert clean_text(f"{TEXT}\n\nIn the back", is_cut=True).text == TEXT


@pytest.mark.parametrize("end", ["In the back there is a", "In the back there is a 😊", "Its sign reads न्"])
def test_emoji_and_accents_do_not_end_a_sentence(end: str) -> None:
    assert clean_text(f"It reads 出口。 {TEXT} {end}", is_cut=True).text == f"It reads 出口。 {TEXT}"


def test_cleaning_twice_is_cleaning_once() -> None:
    draw = random.Random(5)
    pieces = [text for text, _ in DIRTY] + ["", "\n", "Sure.", "###", "I apologize for it.", *string.punctuation]
    for _ in range(300):
        text = draw.choice([" ", "\n", "\n\n"]).join(draw.choices(pieces, k=draw.randrange(1, 5)))
        once = clean_text(text).text
        assert clean_text(once).text == once, text


def test_each_answer_is_cleaned_by_itself_and_questions_are_not() -> None:
    asked = Message("user", "Sure! Here is the question: what is there? I apologize for asking.")
    turns = (asked, Message("assistant", TEXT), asked, Message("assistant", f"{TEXT} I apologize for that."))
    found = clean_turns(turns)
    assert found.turns == (asked, Message("assistant", TEXT), asked, Message("assistant", TEXT))
    assert found.rules == ("apology",)


def test_text_of_a_million_characters_is_cleaned_in_moments() -> None:
    for text in (" " * 1_000_000, "a " * 500_000, "# " * 500_000, "Sure! " * 200_000, "A b. " * 200_000):
        assert len(clean_text(text).text) <= len(text)
