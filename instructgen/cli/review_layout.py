"""A sample and its reviewer's numbers as lines for a terminal."""

import textwrap
from collections.abc import Iterable

import typer

from instructgen.cli.terminal_text import clean_text, wrap_text
from instructgen.review.agreement import Numbers
from instructgen.review.desk import REASONS, SampleView

KEYS = "a accept  e edit  r reject  s skip  u undo  arrows move, scroll  q quit"
DONE = (
    "Every sample of this queue is decided.",
    "u takes the last decision back, the left arrow looks again, q ends.",
)
_HARD_SPACE = "\xa0"
_MAX_WIDTH = 110


def make_head(view: SampleView, numbers: Numbers, num_samples: int, width: int) -> list[str]:
    """Return the lines above the text, which do not scroll."""
    if view.decision:
        mark = f"{view.decision}: {view.why}" if view.why else view.decision
    else:
        mark = f"{view.review} in an earlier review" if view.review else ""
    told = f"{numbers.accepted} accepted, {numbers.edited} edited, {numbers.rejected} rejected"
    return [
        typer.style(
            _spread(f"{view.at + 1}/{num_samples}  {clean_text(view.sample_id)}", clean_text(mark), width), bold=True
        ),
        _spread(f"image {clean_text(view.image_path)}", told, width),
        "-" * width,
    ]


def make_body(view: SampleView, width: int) -> list[str]:
    """Return what is to be read: doubts, turns, then what is known of the image."""
    width = min(width, _MAX_WIDTH)
    lines: list[str] = []
    if view.doubts:
        lines += [typer.style("Look at", fg="yellow"), *_list(view.doubts, width), ""]
    for turn in view.shown_turns:
        is_answer = turn.role == "assistant"
        speaker = "A: " if is_answer else "Q: " if turn.role == "user" else f"{turn.role}: "
        wrapped = wrap_text(turn.content, width, speaker)
        lines += wrapped if is_answer else [typer.style(line, fg="cyan") for line in wrapped]
        lines += [""] if is_answer else []
    if view.captions:
        lines += [typer.style("Captions", fg="green"), *_list(view.captions, width)]
    if view.boxes:
        lines += [typer.style("Boxes", fg="green"), *_list(view.boxes, width)]
    return lines


def make_reasons(width: int) -> list[str]:
    """Return the keys that a rejection asks for; no line breaks within one."""
    reasons = [f"{key} {reason.replace('_', ' ')}" for key, reason in REASONS.items()]
    parts = ["why?", *reasons, "t type it", "Enter no reason", "Escape back"]
    lines = textwrap.wrap("  ".join(part.replace(" ", _HARD_SPACE) for part in parts), width)
    return [line.replace(_HARD_SPACE, " ") for line in lines]


def _list(texts: Iterable[str], width: int) -> list[str]:
    return [line for text in texts for line in wrap_text(text, width, " - ")]


def _spread(left: str, right: str, width: int) -> str:
    """Put the two at both ends of a line; the left one is cut where they do not fit."""
    right = right[: width // 2] if len(left) + len(right) >= width else right
    room = width - len(right) - (2 if right else 0)
    left = left if len(left) <= room else f"{left[: room - 3]}..."
    return f"{left:<{room}}{'  ' if right else ''}{right}"
