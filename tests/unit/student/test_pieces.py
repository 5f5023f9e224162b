"""Text out of tokens, piece by piece."""

from collections.abc import Sequence

import pytest

from instructgen.student.pieces import Pieces


def decode(ids: Sequence[int]) -> str:
    """Tokens are bytes."""
    return bytes(ids).decode("utf-8", errors="replace")


def push_all(text: str | bytes, *stops: str) -> tuple[list[str], Pieces]:
    pieces = Pieces(decode, stops)
    shown: list[str] = []
    for byte in text.encode() if isinstance(text, str) else text:
        shown.append(pieces.push(byte))
        if pieces.is_stopped():
            break
    shown.append(pieces.finish())
    return shown, pieces


@pytest.mark.parametrize("text", ["größer als 10 Häuser", "你好,世界。", "🙂🙃 and 👩‍👩‍👧", "a\n\n b"])
def test_no_piece_holds_half_a_character_and_all_make_the_text(text: str) -> None:
    shown, pieces = push_all(text)
    assert "".join(shown) == pieces.text == text
    assert not any("\ufffd" in piece for piece in shown)
    assert pieces.num_tokens == len(text.encode())


def test_answer_cut_within_a_character_ends_before_it() -> None:
    shown, pieces = push_all("ab🙂".encode()[:-1])
    assert "".join(shown) == pieces.text == "ab"


def test_white_space_at_the_ends_is_no_part_of_the_answer() -> None:
    shown, pieces = push_all("  \n A cup. \n\n")
    assert "".join(shown) == pieces.text == "A cup."


def test_what_may_begin_a_stop_waits_and_what_did_not_comes_after_all() -> None:
    pieces = Pieces(decode, ["###"])
    assert [pieces.push(byte) for byte in b"a##b"] == ["a", "", "", "##b"]
    assert not pieces.is_stopped()


@pytest.mark.parametrize("stop", ["###", "\n", "END"])
def test_stop_and_what_follows_is_not_shown(stop: str) -> None:
    shown, pieces = push_all(f"One, two.{stop}three", stop)
    assert pieces.is_stopped()
    assert "".join(shown) == pieces.text == "One, two."
    assert pieces.num_tokens == len("One, two.")


def test_first_of_several_stops_ends_the_answer() -> None:
    shown, pieces = push_all("a b c d", "d", "b")
    assert "".join(shown) == pieces.text == "a"


def test_stop_right_away_makes_an_empty_answer() -> None:
    shown, pieces = push_all("###", "###")
    assert ("".join(shown), pieces.text, pieces.num_tokens) == ("", "", 0)


def test_long_answer_is_decoded_in_windows_and_not_again_from_the_start() -> None:
    longest = 0

    def counted(ids: Sequence[int]) -> str:
        nonlocal longest
        longest = max(longest, len(ids))
        return decode(ids)

    pieces = Pieces(counted)
    for byte in b"word " * 500:
        pieces.push(byte)
    assert longest < 10
