"""A sample as the page shows it: pictures with boxes, the conversation with its claims marked, and why it is here."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.pictures import make_thumbnail
from instructgen.grounding.claims import Findings, Truth
from instructgen.grounding.samples import find_claims
from instructgen.pages.claims import Note, Segment, Turn, split_answer
from instructgen.pages.figures import Picture, make_data_uri
from instructgen.records import ImageRecord, Message
from instructgen.report.rejections import cut_text
from instructgen.review.annotations import PictureFinder
from instructgen.review.marks import make_notes, mark_record
from instructgen.review.order import DOUBT_SCORES

TRUTHS: tuple[Truth, ...] = ("supported", "contradicted", "unverifiable")
_MAX_TURN_CHARS = 4_000  # a longer one is shown to there
_MAX_CHARS = 16_000  # of all turns of a sample
_MAX_PICTURES = 4
MAX_SIDE_PX = 480


class ShownSample(Struct, frozen=True):
    """`key` is its place in the page; `why` says what it is shown for, "" for one that was only drawn."""

    key: str
    sample_id: str
    sample_type: str
    split: str
    made_by: str
    turns: tuple[Turn, ...]
    pictures: tuple[Picture, ...]
    captions: tuple[str, ...]
    doubts: tuple[tuple[str, float], ...]
    """Score and value."""
    claims: dict[str, int]
    """Truth -> how many; empty where nothing was checked."""
    why: str = ""


def check_claims(
    turns: tuple[Message, ...], record: ImageRecord | None, sample_type: str, partner: ImageRecord | None = None
) -> Findings | None:
    """Return what the answers claim; None without annotations."""
    return None if record is None else find_claims(turns, record, sample_type, partner)


class SampleShower(Struct, frozen=True):
    """Makes what is shown of rows; `records` are those of the images that are at hand."""

    records: Mapping[str, ImageRecord]
    finder: PictureFinder
    usual_model: str
    """Is not named again at each sample."""

    def show(self, row: Row, split: str, key: str, why: str = "") -> ShownSample:
        given = (turn or {} for turn in row["messages"] or ())
        turns = tuple(Message(turn.get("role") or "user", turn.get("content") or "") for turn in given)
        record = self.records.get(row["image_id"])
        partner = self._find_partner(row)
        is_whole = len(row["images"]) < 2 or (len(row["images"]) == 2 and partner is not None)
        findings = check_claims(turns, record if is_whole else None, row["sample_type"], partner)
        scores = row.get("scores") or {}
        return ShownSample(
            key=key,
            sample_id=row["sample_id"],
            sample_type=row["sample_type"],
            split=split,
            made_by="" if row.get("model") == self.usual_model else row.get("model") or "",
            turns=_mark_turns(turns, findings),
            pictures=self._show_pictures(row, record, partner),
            captions=() if record is None else record.captions,
            doubts=tuple((name, scores[name]) for name in DOUBT_SCORES if scores.get(name)),
            claims={} if findings is None else _count_claims(findings),
            why=why,
        )

    def _find_partner(self, row: Row) -> ImageRecord | None:
        """Return the record of the first of two pictures, whose id a COCO file's name tells."""
        if len(row["images"]) != 2:
            return None
        path = row["images"][0]["path"] or ""
        prefix = row["image_id"].partition("/")[0]
        found = self.records.get(f"{prefix}/{PurePosixPath(path).stem}")
        return found if found is not None and found.file_name == path else None

    def _show_pictures(
        self, row: Row, record: ImageRecord | None, partner: ImageRecord | None
    ) -> tuple[Picture, ...]:
        num = len(row["images"])
        shown = range(num) if num <= _MAX_PICTURES else [*range(_MAX_PICTURES - 1), num - 1]
        records = {num - 1: record, **({0: partner} if num == 2 else {})}
        return tuple(self._show_picture(row, number, records.get(number)) for number in shown)

    def _show_picture(self, row: Row, number: int, record: ImageRecord | None) -> Picture:
        path = row["images"][number]["path"] or "picture"
        picture = self.finder.find(row, number)
        marks = () if record is None else mark_record(record)
        alt = record.captions[0] if record is not None and record.captions else path
        if picture is not None:
            small = make_thumbnail(picture, MAX_SIDE_PX)
            if small.jpeg:
                return Picture(make_data_uri(small.jpeg), alt, *_fit(small.width_px, small.height_px), marks)
            missing = f"{path}: {small.missing}"
        else:
            missing = f"{path}: the picture is not at hand; give --images FOLDER"
        size = _fit(*((4, 3) if record is None else (record.width_px, record.height_px)))
        return Picture(None, alt, *size, marks, missing)


def _fit(width_px: int, height_px: int) -> tuple[int, int]:
    """Return at which size a picture is shown: its longer side is the same for all; 4 to 3 where nothing is known."""
    if width_px < 1 or height_px < 1:
        width_px, height_px = 4, 3
    scale = MAX_SIDE_PX / max(width_px, height_px)
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def _mark_turns(turns: tuple[Message, ...], findings: Findings | None) -> tuple[Turn, ...]:
    """Return the turns as far as there is room for a sample; the last one shown says how many follow."""
    shown: list[Turn] = []
    room = _MAX_CHARS
    for number, turn in enumerate(turns):
        if room <= 0:
            shown.append(Turn("left out", (Segment(f"{len(turns) - number} turns more"),)))
            break
        text = cut_text(turn.content, _MAX_TURN_CHARS)
        shown.append(Turn(turn.role, split_answer(text, _mark(turn.content, number, findings))))
        room -= len(text)
    return tuple(shown)


def _mark(text: str, number: int, findings: Findings | None) -> list[Note]:
    notes = [] if findings is None else make_notes(text, number, findings.claims)
    return [note for note in notes if note.end <= _MAX_TURN_CHARS]


def _count_claims(findings: Findings) -> dict[str, int]:
    return {truth: findings.count(truth) for truth in TRUTHS}
