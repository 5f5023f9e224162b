"""Turns and pictures as pages show them: claims marked with their evidence, boxes over the picture."""

from collections.abc import Sequence

from instructgen.grounding.claims import Claim
from instructgen.grounding.samples import find_claims
from instructgen.pages.claims import Note, Turn, split_answer
from instructgen.pages.figures import BoxMark, mark_boxes
from instructgen.records import ImageRecord, Message


def mark_turns(
    turns: Sequence[Message], record: ImageRecord | None, sample_type: str, partner: ImageRecord | None = None
) -> tuple[Turn, ...]:
    """Return the turns, the claims of answers marked where the image's captions and boxes are known."""
    claims = () if record is None else find_claims(tuple(turns), record, sample_type, partner).claims
    return tuple(
        Turn(turn.role, split_answer(turn.content, make_notes(turn.content, place, claims)))
        for place, turn in enumerate(turns)
    )


def mark_record(record: ImageRecord) -> tuple[BoxMark, ...]:
    return mark_boxes([(box.category, box.x0, box.y0, box.x1, box.y1, box.is_crowd) for box in record.boxes])


def make_notes(text: str, place: int, claims: Sequence[Claim]) -> list[Note]:
    """Return the claims of one turn as notes on its characters; a claim is told by its sentence and its words."""
    notes = []
    for claim in claims:
        if claim.turn == place:
            at = text.find(claim.text, claim.start, claim.end) if claim.text else -1
            start, end = (at, at + len(claim.text)) if at >= 0 else (claim.start, claim.end)
            notes.append(Note(start, end, claim.truth, claim.kind, claim.evidence, claim.subject))
    return notes
