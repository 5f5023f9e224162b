from instructgen.cli.review_layout import KEYS, make_body, make_head, make_reasons
from instructgen.records import Message
from instructgen.review.agreement import Numbers
from instructgen.review.desk import REASONS, SampleView

NUMBERS = Numbers(11, 8, 1, 2, 0.8182)


def make_view(**changes: object) -> SampleView:
    fields: dict[str, object] = {
        "at": 3,
        "sample_id": "coco/000000000139/conv/0",
        "sample_type": "conv",
        "image_path": "000000000139.jpg",
        "made_by": "openai, m",
        "turns": (Message("user", "What is there?"), Message("assistant", "A dog. " * 60)),
        "captions": ("A dog on the grass.",),
        "boxes": ("1 dog: middle centre",),
        "doubts": ('contradicted colour: "red" (the captions say brown)',),
        "review": None,
        "decision": None,
        "answers": (),
        "why": "",
    }
    return SampleView(**{**fields, **changes})  # type: ignore[arg-type]


def plain(lines: list[str]) -> list[str]:
    import click

    return [click.unstyle(line) for line in lines]


def test_no_line_is_wider_than_the_terminal() -> None:
    view = make_view(sample_id="a/" + "9" * 90, image_path="p" * 90, decision="reject", why="w" * 90)
    lines = plain([*make_head(view, NUMBERS, 200, 79), *make_body(view, 79), *make_reasons(79), KEYS])
    assert max(map(len, lines)) <= 79


def test_head_tells_place_numbers_and_own_decision() -> None:
    head = "\n".join(plain(make_head(make_view(decision="reject", why="wrong_count"), NUMBERS, 200, 79)))
    assert "4/200  coco/000000000139/conv/0" in head
    assert "reject: wrong_count" in head
    assert "8 accepted, 1 edited, 2 rejected" in head


def test_doubts_come_before_turns_and_captions_after() -> None:
    text = "\n".join(plain(make_body(make_view(), 79)))
    assert text.index("contradicted colour") < text.index("Q: What is there?") < text.index(" - A dog on the grass.")


def test_own_edit_is_shown_in_place_of_the_answer() -> None:
    text = "\n".join(plain(make_body(make_view(answers=("A cat.",)), 79)))
    assert "A: A cat." in text
    assert "A dog. A dog." not in text


def test_text_cannot_steer_the_terminal() -> None:
    view = make_view(turns=(Message("assistant", "\x1b]0;owned\x07 hi\x9b2J"),), captions=("\x1b[2Jx",))
    text = "".join(make_body(view, 79))
    assert "\x07" not in text
    assert "\x9b" not in text
    assert "\x1b[2J" not in text
    assert "\x1b]" not in text


def test_no_reason_is_torn_by_a_line_break() -> None:
    lines = make_reasons(40)
    assert all(any(reason.replace("_", " ") in line for line in lines) for reason in REASONS.values())
