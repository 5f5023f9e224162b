"""Notices in the run, not after it, that the teacher's answers have become useless."""

from collections import Counter, deque
from dataclasses import dataclass, field

from instructgen.records import Failed, Rejected, Reply, Sample

_EAGER_ANSWERS = 100
_LOOK_EVERY = 16
_SHORT_CHARS = 300  # to fold all white space of a longer text takes ten times as long as to hash it
_WINDOW = 60  # new answers that are looked at together
_MIN_ANSWERS = 30
_SHOWN_CHARS = 80
_MAX_COLLAPSED = 0.5  # share of them that are one answer, refusals, empty or cut off
_MAX_REJECTED = 0.9  # share that is rejected for whatever reason
_COLLAPSED_REASONS = frozenset(
    {"refusal", "refused", "empty_reply", "truncated_reply", "content_filtered", "wrong_model", "no_choices"}
)
_PLAIN_REASONS = {"length": "truncated_reply", "content_filter": "content_filtered"}


def find_plain_reason(reply: Reply) -> str:
    """Return why an answer is no use where that shows without reading it, else ""."""
    if "refused" in reply.notes:
        return "refused"
    if not reply.text or reply.text.isspace():
        return "empty_reply"
    return _PLAIN_REASONS.get(reply.finish_reason, "")


@dataclass(slots=True)
class Lookout:
    """Chooses the answers that are judged while a run goes on; all of them are when the dataset is written.

    Judging takes as long as sending. So after the first hundred every sixteenth is looked at, besides those whose
    fault shows without reading, and all that follow one that was turned away: a collapse is seen some 15 answers
    later than if everything were.
    """

    _num: int = 0
    _num_close: int = _EAGER_ANSWERS

    def wants(self) -> bool:
        """Return whether to look at the next answer."""
        self._num += 1
        if self._num_close:
            self._num_close -= 1
            return True
        return self._num % _LOOK_EVERY == 0

    def saw_bad(self) -> None:
        self._num_close = max(self._num_close, _LOOK_EVERY)


@dataclass(slots=True)
class Alarm:
    """Looks at the latest answers that were bought in this run. `verdict` says what is wrong, or is None.

    It is told of every answer, also of those that were not judged, for one text for all shows at once.
    """

    verdict: str | None = None
    compares_texts: bool = True
    """Whether one text for many prompts is wrong."""
    has_answer: bool = False
    """Whether the teacher has ever answered a request of these settings."""
    _recent: deque[tuple[int, str]] = field(default_factory=deque)
    _texts: Counter[int] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _latest: dict[str, Rejected | Failed] = field(default_factory=dict)  # of each reason
    _num_collapsed: int = 0
    _num_refused: int = 0

    def refuse(self, failure: Failed) -> None:
        """Take in that a request failed: where the server never took one, the settings are to blame."""
        self._num_refused += failure.reason == "bad_request"
        if self._num_refused >= _MIN_ANSWERS and not self.has_answer and self.verdict is None:
            self.verdict = f"it refused {self._num_refused} requests and took none: {failure.detail}"

    def count(self, reply: Reply, outcome: Sample | Rejected | Failed | None) -> None:
        """Take in an answer and what became of it, where that is known."""
        self.has_answer = True
        text = _hash_text(reply.text)
        reason = ""
        if outcome is not None and not isinstance(outcome, Sample):
            reason = outcome.reason
            self._latest[reason] = outcome
        self._texts[text] += 1
        self._reasons[reason] += 1
        self._num_collapsed += reason in _COLLAPSED_REASONS
        self._recent.append((text, reason))
        if len(self._recent) > _WINDOW:
            self._forget(*self._recent.popleft())
        if self.verdict is None and len(self._recent) >= _MIN_ANSWERS:
            self.verdict = self._judge(text, len(self._recent))

    def _forget(self, text: int, reason: str) -> None:
        self._num_collapsed -= reason in _COLLAPSED_REASONS
        self._reasons[reason] -= 1
        if self._texts[text] == 1:
            del self._texts[text]
        else:
            self._texts[text] -= 1

    def _judge(self, text: int, num: int) -> str | None:
        """Return what is wrong; only the newest text can have become too frequent."""
        if self._num_collapsed > _MAX_COLLAPSED * num:
            counts = {
                reason: count for reason, count in self._reasons.items() if count and reason in _COLLAPSED_REASONS
            }
            words = ", ".join(sorted(f"{reason} {count}" for reason, count in counts.items()))
            most = max((count, reason) for reason, count in counts.items())[1]
            return f"the answers are no use: of the last {num} {words}{self._show(most)}"
        if self.compares_texts and self._texts[text] > _MAX_COLLAPSED * num:
            same = self._texts[text]
            return f"the answers are the same text: {same} of the last {num} answers to different prompts"
        num_rejected = num - self._reasons[""]
        if num_rejected > _MAX_REJECTED * num:
            count, reason = max((count, reason) for reason, count in self._reasons.items() if reason)
            most = f"most of them for {reason} ({count})"
            return f"{num_rejected} of the last {num} answers were rejected, {most}{self._show(reason)}"
        return None

    def _show(self, reason: str) -> str:
        """Return the latest unit that was turned away for it, and what was found."""
        latest = self._latest[reason]
        found = f": {latest.detail[:_SHOWN_CHARS]}" if latest.detail else ""
        return f", such as {latest.record_id}{found}"


def _hash_text(text: str) -> int:
    """Return a number for a text, whatever the white space around it and, in a short one, in it."""
    return hash(" ".join(text.split()) if len(text) <= _SHORT_CHARS else text.strip())
