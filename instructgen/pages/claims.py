"""An answer cut into what is only said and what was held against annotations."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Truth = Literal["supported", "contradicted", "unverifiable"]
_WORST: tuple[Truth, ...] = ("contradicted", "unverifiable", "supported")


class Note(Struct, frozen=True):
    """What is known of the characters `start` to `end` of an answer. `subject` is the label of the boxes it is of."""

    start: int
    end: int
    truth: Truth
    kind: str
    evidence: str
    subject: str = ""


class Segment(Struct, frozen=True):
    """A piece of an answer; without notes it is only said. `truth` is the worst of its notes."""

    text: str
    notes: tuple[Note, ...] = ()

    @property
    def truth(self) -> Truth | None:
        return next((truth for truth in _WORST if any(note.truth == truth for note in self.notes)), None)

    @property
    def subjects(self) -> str:
        """The labels it is about, a line each."""
        return "\n".join(dict.fromkeys(note.subject for note in self.notes if note.subject))


class Turn(Struct, frozen=True):
    role: str
    segments: tuple[Segment, ...]


def split_answer(text: str, notes: Sequence[Note]) -> tuple[Segment, ...]:
    """Return the whole text in segments; notes that overlap share one. A note outside the text is left out."""
    segments: list[Segment] = []
    done = 0
    for start, end, group in _group(text, notes):
        if start > done:
            segments.append(Segment(text[done:start]))
        segments.append(Segment(text[start:end], tuple(group)))
        done = end
    if done < len(text) or not segments:
        segments.append(Segment(text[done:]))
    return tuple(segments)


def _group(text: str, notes: Sequence[Note]) -> list[tuple[int, int, list[Note]]]:
    groups: list[tuple[int, int, list[Note]]] = []
    inside = (note for note in notes if 0 <= note.start < note.end <= len(text))
    for note in sorted(inside, key=lambda note: (note.start, note.end)):
        if groups and note.start < groups[-1][1]:
            start, end, group = groups[-1]
            groups[-1] = (start, max(end, note.end), [*group, note])
        else:
            groups.append((note.start, note.end, [note]))
    return groups
