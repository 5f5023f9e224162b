import pytest
from rich.cells import cell_len

from instructgen.cli.terminal_text import clean_text, cut_text, wrap_text

# Moves the cursor, sets the title, writes the clipboard (OSC 52), the same with C1 codes, turns the writing round.
HOSTILE = "a\x1b[2J\x1b]0;t\x07\x1b]52;c;cm0gLXJm\x07\x9b2J\x9d52;c;eA==\x9c\r\x08\x7f\u202eb\u200bc\u2028d"


def test_nothing_is_left_that_a_terminal_would_act_on() -> None:
    cleaned = clean_text(HOSTILE)
    assert cleaned.isprintable()
    assert cleaned.startswith("a?[2J?]0;t??]52;c;cm0gLXJm??2J?52;c;eA==????")


def test_ordinary_text_of_any_script_stays_as_it_is() -> None:
    for text in ("Größe 5 €", "犬がいます", "كلب", "שלום", "a dog 🐕", "e\u0301"):
        assert clean_text(text) == text


def test_any_kind_of_space_becomes_a_blank_and_a_tab_four() -> None:
    assert clean_text("a\u00a0b\u3000c") == "a b c"
    assert clean_text("a\tb") == "a   b"


@pytest.mark.parametrize("width", [5, 7, 20, 39])
def test_no_wrapped_line_is_wider_than_asked_for_in_cells(width: int) -> None:
    text = "A dog and 二匹の猫がいます near Donaudampfschifffahrtsgesellschaft 🐕🐕🐕🐕🐕🐕🐕\n\nsecond"
    lines = wrap_text(text, width, "A: ")
    assert max(map(cell_len, lines)) <= width
    assert lines[0].startswith("A: A")
    assert all(line.startswith("   ") or not line for line in lines[1:])
    assert lines[-1].strip().endswith("d")


def test_wrapping_loses_no_letter() -> None:
    text = "one two three fourteen letters"
    assert "".join(wrap_text(text, 9)).replace(" ", "") == text.replace(" ", "")


def test_empty_text_is_one_line_and_its_lines_stay_apart() -> None:
    assert wrap_text("", 20, "Q: ") == ["Q:"]
    assert wrap_text("a\n  b", 20, "A: ") == ["A: a", "     b"]


def test_cut_text_ends_with_a_sign_and_keeps_the_width() -> None:
    assert cut_text("abcdef", 6) == "abcdef"
    assert cut_text("abcdefg", 6) == "abc..."
    assert cell_len(cut_text("二匹の猫がいます", 6, "…")) <= 6
