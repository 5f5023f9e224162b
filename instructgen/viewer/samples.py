"""One sample as its page shows it: pictures with boxes, turns with claims, where it comes from, what differs."""

import json
import random
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.pages.claims import Turn
from instructgen.pages.figures import Picture, find_media_type
from instructgen.records import Fault, ImageRecord, Message
from instructgen.review.doubts import list_box_lines, list_doubts
from instructgen.review.marks import mark_record, mark_turns
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.viewer.changes import FieldDiff, TurnDiff, diff_fields, diff_turns
from instructgen.viewer.collection import Collection
from instructgen.viewer.listing import picture_address
from instructgen.viewer.rows import read_rejected_line
from instructgen.viewer.search import Hit

_SHAPE_PX = (640, 480)  # of a sheet for boxes whose picture is not at hand and of no known size
_NO_QUESTION = "(the question was not kept)"
_ROLES = ("system", "user", "assistant")


class Numbered(Struct, frozen=True):
    """A score, or another number by its name."""

    name: str
    value: float | None


class SampleShown(Struct, frozen=True):
    """`even_sides` are the turns of two versions; () where only one is shown or the text is the same.

    `raw` is a text that no turns could be read from. `facts` are (what, value).
    """

    hit: Hit
    pictures: tuple[Picture, ...]
    turns: tuple[Turn, ...]
    messages: tuple[Message, ...]
    raw: str
    captions: tuple[str, ...]
    box_lines: tuple[str, ...]
    doubts: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    scores: tuple[Numbered, ...]
    request_ids: tuple[str, ...]
    has_claims: bool
    why_no_claims: str
    turn_diffs: tuple[TurnDiff, ...] = ()
    field_diffs: tuple[FieldDiff, ...] = ()
    detail: str = ""


def show_sample(collection: Collection, hit: Hit) -> SampleShown:
    row = collection.read(hit)
    return _show_rejected(collection, hit) if row is None else _show_row(collection, hit, row)


def _show_row(collection: Collection, hit: Hit, row: Row) -> SampleShown:
    messages = read_messages(row)
    record = collection.evidence.find(hit.image_id)
    num_images = len(row["images"])
    # Of two images one record proves nothing.
    judged = record if num_images <= 1 else None
    old = collection.read_old(hit)
    return SampleShown(
        hit=hit,
        pictures=_make_pictures(collection, hit, [picture["path"] for picture in row["images"]], record),
        turns=mark_turns(messages, judged, hit.sample_type),
        messages=messages,
        raw="",
        captions=() if record is None else record.captions,
        box_lines=() if record is None else list_box_lines(record.boxes),
        doubts=list_doubts(row.get("scores"), messages, hit.sample_type, judged),
        facts=_list_facts(row, hit),
        scores=tuple(Numbered(name, score) for name, score in (row.get("scores") or {}).items()),
        request_ids=tuple(row.get("request_ids") or ()),
        has_claims=judged is not None,
        why_no_claims=_say_why(collection, record, num_images),
        turn_diffs=() if old is None or hit.what != "changed" else diff_turns(old, row),
        field_diffs=() if old is None or hit.what != "changed" else diff_fields(old, row, write_value),
    )


def _show_rejected(collection: Collection, hit: Hit) -> SampleShown:
    found = read_rejected_line(collection.read_rejected(hit) or "{}")
    text = str(found.get("text") or "")
    messages = _parse_text(hit.sample_type, text)
    record = collection.evidence.find(hit.image_id)
    shown = ("stage", "reason", "image_id", "sample_type")
    facts = [(name.replace("_", " "), str(found[name])) for name in shown if found.get(name)]
    facts += [
        (name.replace("_", " "), write_value(value)) for name, value in found.items() if name not in (*shown, "text")
    ]
    return SampleShown(
        hit=hit,
        pictures=_make_pictures(collection, hit, [record.file_name if record else hit.image_id], record),
        turns=mark_turns(messages, record, hit.sample_type),
        messages=messages,
        raw="" if messages else text,
        captions=() if record is None else record.captions,
        box_lines=() if record is None else list_box_lines(record.boxes),
        doubts=(),
        facts=tuple(facts),
        scores=(),
        request_ids=(str(found["request_id"]),) if found.get("request_id") else (),
        has_claims=record is not None and bool(messages),
        why_no_claims=_say_why(collection, record, 1),
        detail=str(found.get("detail") or ""),
    )


def read_messages(row: Row) -> tuple[Message, ...]:
    return tuple(
        Message(turn["role"] if turn["role"] in _ROLES else "user", turn["content"] or "") for turn in row["messages"]
    )


def write_value(value: Any) -> str:
    """Return any value of a row as a text for people."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value) or "-"
    return json.dumps(value, ensure_ascii=False, default=lambda other: f"{type(other).__name__}")


def _parse_text(sample_type: str, text: str) -> tuple[Message, ...]:
    """Return the turns of a teacher's text, as far as it is one of the type."""
    kind = SAMPLE_TYPES.get(sample_type)
    if kind is None or not text.strip():
        return ()
    turns = kind.parse(text, (_NO_QUESTION,), random.Random(0))
    return () if isinstance(turns, Fault) else turns


def _make_pictures(
    collection: Collection, hit: Hit, paths: Sequence[str], record: ImageRecord | None
) -> tuple[Picture, ...]:
    """Return the sample's pictures; boxes are known of the last alone, the image that it is named for."""
    shown = []
    for number, path in enumerate(paths):
        is_own = number == len(paths) - 1
        picture = collection.picture(hit, number)
        is_shown = picture is not None and find_media_type(picture) is not None
        known = record if is_own else None
        size_px = (known.width_px, known.height_px) if known and known.width_px and known.height_px else _SHAPE_PX
        if picture is not None and is_shown:
            size_px = measure(picture) or size_px
        boxes = () if known is None else mark_record(known)
        address = picture_address(collection.version.manifest.version, hit, number)
        missing = "" if picture is None else "no browser shows pictures of this format"
        missing = missing or f"{path} is not in the dataset: give --images FOLDER"
        alt = f"Picture {path}" if path else "Picture of the sample"
        shown.append(Picture(address if is_shown else None, alt, *size_px, boxes, missing))
    return tuple(shown)


def measure(picture: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, from the picture's header alone."""
    import io

    from PIL import Image, UnidentifiedImageError

    from instructgen.dataset.pictures import PICTURE_FORMATS

    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            size_px: tuple[int, int] = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return size_px


def _list_facts(row: Row, hit: Hit) -> tuple[tuple[str, str], ...]:
    """Return every column that is not shown elsewhere."""
    elsewhere = ("messages", "images", "scores", "sample_id")
    facts = [("split", hit.split), ("pictures", ", ".join(picture["path"] or "-" for picture in row["images"]))]
    facts += [
        (name.replace("_", " "), write_value(value))
        for name, value in row.items()
        if name not in elsewhere and value not in (None, [], [None], "")
    ]
    return tuple((name, value) for name, value in facts if value)


def _say_why(collection: Collection, record: ImageRecord | None, num_images: int) -> str:
    if num_images > 1:
        return "claims about two images are not marked: the captions and boxes of one prove nothing of both"
    if record is not None:
        return ""
    if collection.evidence.is_there:
        return "the annotations that were given do not have this image, so claims are not marked"
    return "claims are marked where the image's captions and boxes are known: give --root FOLDER of the annotations"
