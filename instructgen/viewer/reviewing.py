"""Decisions from the page: the keys of `instructgen review`, at the same desk, into the same file."""

import secrets
import threading
from typing import get_args
from urllib.parse import parse_qsl

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.review.agreement import Numbers
from instructgen.review.decisions import Choice
from instructgen.review.desk import REASONS, Desk

MAX_BODY_BYTES = 1 << 20
_MAX_WHY_CHARS = 500


class Form(Struct, frozen=True):
    """What the page sent. `answers` are in the order of the sample's; `key` shows that one of our pages sent it."""

    key: str
    sample_id: str
    choice: str
    seconds: float
    answers: tuple[str, ...]
    why: str


class ReviewBar(Struct, frozen=True):
    """What the page says of the reviewer's work, and of the sample that is shown."""

    by: str
    numbers: Numbers
    num_samples: int
    decision: str
    why: str
    answers: tuple[str, ...]
    key: str
    reasons: dict[str, str]


class Reviewing:
    """One desk for all requests: one at a time reads or writes."""

    def __init__(self, desk: Desk, key: str) -> None:
        self._desk = desk
        self._key = key
        self._lock = threading.Lock()

    def make_bar(self, sample_id: str) -> ReviewBar | None:
        """Return the bar for a sample; None for one that is not in the queue."""
        with self._lock:
            if self._desk.find(sample_id) is None:
                return None
            own = self._desk.log.standing.get(sample_id)
            return ReviewBar(
                by=self._desk.log.by,
                numbers=self._desk.count(),
                num_samples=len(self._desk.queue),
                decision="" if own is None else own.decision,
                why="" if own is None else own.why,
                answers=() if own is None else own.answers,
                key=self._key,
                reasons=REASONS,
            )

    def decided(self) -> dict[str, str]:
        """Return the reviewer's decisions by sample."""
        with self._lock:
            return {sample_id: one.decision for sample_id, one in self._desk.log.standing.items()}

    def decide(self, form: Form) -> None:
        """Store a decision. Raises InstructgenError for one that may not be, RunStoppedError for a full disk."""
        if form.choice not in get_args(Choice):
            raise InstructgenError(f"there is no decision '{form.choice}'")
        choice: Choice = form.choice  # type: ignore[assignment]
        with self._lock:
            at = self._desk.find(form.sample_id)
            if at is None:
                raise InstructgenError(f"{form.sample_id} is not in the queue of this review")
            self._desk.decide(at, choice, form.seconds, form.answers, form.why)

    def undo(self) -> str | None:
        """Take back the last decision and return its sample; None where there is none."""
        with self._lock:
            at = self._desk.undo()
            return None if at is None else self._desk.queue[at].sample_id

    def is_ours(self, form: Form) -> bool:
        return secrets.compare_digest(form.key.encode(), self._key.encode())


def read_form(body: bytes) -> Form:
    """Return what a form sent; what is missing is empty."""
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True):
        fields.setdefault(name, []).append(value)

    def last(name: str) -> str:
        return fields.get(name, [""])[-1]

    # Browsers send line ends as CR LF; answers hold LF.
    answers = tuple(text.replace("\r\n", "\n") for text in fields.get("answer", ()))
    why = (last("own_why") or last("why")).strip()[:_MAX_WHY_CHARS]
    return Form(last("key"), last("sample_id"), last("choice"), _read_seconds(last("seconds")), answers, why)


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < float("inf") else 0.0
