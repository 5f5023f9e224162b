"""Which pictures of a document are kept, before which text each stands, and whether the document is."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO, Protocol

from msgspec import Struct

from instructgen.config import DocumentsConfig
from instructgen.draws import draw_fraction
from instructgen.records import Failed, Fault, Rejected
from instructgen.sources.clips import FrameRules, draw_frames
from instructgen.sources.documents import Document, DocumentPicture
from instructgen.sources.documents_match import match_pictures


class Media(Protocol):
    """Where the pictures and clips of a document lie. Both raise OSError for what is there and cannot be read."""

    def read(self, name: str) -> bytes | None:
        """Return a picture's bytes, or None where it is not there."""
        ...

    def open(self, name: str) -> BinaryIO | None:
        """Return a clip to be read and closed, or None where it is not there."""
        ...


class ChosenPicture(Struct, frozen=True):
    """`data` None: the row names it alone."""

    path: str
    data: bytes | None
    url: str = ""


class Chosen(Struct, frozen=True):
    """A document as a row has it: `places` and `frames` have a number for each slot, `pictures` all frames."""

    document: Document
    pictures: tuple[ChosenPicture, ...]
    places: tuple[int, ...]
    frames: tuple[int, ...]


class Rules(Struct, frozen=True):
    """How documents are chosen. `embeds` False keeps pictures by their names, but looks at those that are there.

    `look` says what is wrong with a picture's bytes.
    """

    config: DocumentsConfig
    seed: int
    embeds: bool
    max_pixels: int
    look: Callable[[str, bytes], Fault | None]


def choose(document: Document, media: Media, rules: Rules, left_out: Counter[str]) -> Chosen | Rejected | Failed:
    """Return the document as it is kept, or why it is not; `left_out` counts a document's pictures that are not.

    OpenFlamingo's order: small pictures go first, then each is matched, then those less similar than the bound go,
    then all but the first `max_pictures`. Of documents with one picture a seeded share is kept; pairs are kept all.
    """
    lost: list[Fault] = []
    try:
        pairs = _match(document, _look_at_all(document, media, rules, lost), rules.config, lost)
        num_kept = rules.config.max_pictures
        lost += [Fault("too_many", picture.name) for _, picture, _ in pairs[num_kept:]]
        slots = [slot for pair in pairs[:num_kept] if (slot := _take(*pair, media, rules, lost)) is not None]
    except OSError as error:
        return Failed(document.document_id, "source", "picture_unreadable", str(error))
    fault = _find_fault(document, len(slots), lost, rules)
    if fault is not None:
        return Rejected(document.document_id, "source", fault.reason, fault.detail)
    left_out.update(one.reason for one in lost)
    pictures = tuple(picture for _, shown in slots for picture in shown)
    return Chosen(document, pictures, tuple(place for place, _ in slots), tuple(len(shown) for _, shown in slots))


_There = tuple[DocumentPicture, bytes | None]
_Placed = tuple[int, DocumentPicture, bytes | None]


def _look_at_all(document: Document, media: Media, rules: Rules, lost: list[Fault]) -> list[_There]:
    """Return the pictures that may be kept, with their bytes; clips without, for they are long."""
    found: list[_There] = []
    for picture in document.pictures:
        if picture.is_clip:
            found.append((picture, None))
            continue
        data = picture.data if picture.data is not None else media.read(picture.name)
        fault = _doubt(document, picture.name, data, rules)
        if fault is None:
            found.append((picture, data if rules.embeds else None))
        else:
            lost.append(fault)
    return found


def _doubt(document: Document, name: str, data: bytes | None, rules: Rules) -> Fault | None:
    if data is None:
        return Fault("picture_missing", name) if rules.embeds else None
    # OpenFlamingo keeps what has more than 10 whole thousands of bytes, of which 11,000 is the first.
    if document.kind == "document" and len(data) < rules.config.min_picture_bytes:
        return Fault("picture_small", f"{name}: {len(data)} bytes")
    fault = rules.look(name, data)
    if fault is None:
        return None
    return Fault("picture_too_large" if fault.reason == "image_too_large" else "picture_broken", fault.detail)


def _match(document: Document, there: list[_There], config: DocumentsConfig, lost: list[Fault]) -> list[_Placed]:
    """Return the pictures with their places, in the order of these; those of one place stay in the page's."""
    if not any(one.is_matched for one, _ in there):
        return sorted(((one.place, one, data) for one, data in there), key=lambda found: found[0])
    if config.match == "given":
        placed = [pair for pair in there if pair[0].place >= 0]
        near = [pair for pair in placed if pair[0].matched is None or pair[0].matched >= config.min_similarity]
        lost += [Fault("place_unknown")] * (len(there) - len(placed))
        lost += [Fault("dissimilar")] * (len(placed) - len(near))
        return sorted(((one.place, one, data) for one, data in near), key=lambda found: found[0])
    compared = [pair for pair in there if pair[0].similarities]
    lost += [Fault("similarity_missing", 'match = "given" takes the corpus\'s own')] * (len(there) - len(compared))
    pairs = match_pictures([one.similarities for one, _ in compared], config.min_similarity)
    num_assigned = min(len(compared), len(document.texts))
    lost += [Fault("dissimilar")] * (num_assigned - len(pairs))
    lost += [Fault("no_text_left")] * (len(compared) - num_assigned)
    return [(place, *compared[number]) for place, number in pairs]


def _find_fault(document: Document, num_slots: int, lost: list[Fault], rules: Rules) -> Fault | None:
    """Return why the document is not kept; that of a pair is what its picture was lost for."""
    if num_slots == 0 and document.kind == "pair" and lost:
        return lost[0]
    if num_slots == 0:
        reasons = Counter(one.reason for one in lost)
        told = ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items()))
        return Fault("no_picture", f"none of {len(document.pictures)} is kept: {told}")
    is_single = num_slots == 1 and document.kind == "document"
    if (
        is_single
        and draw_fraction(rules.seed, "single-picture", _hash_document(document)) >= rules.config.keep_single
    ):
        return Fault("single_picture", f"of those with one, {rules.config.keep_single:.0%} are kept")
    return None


def _hash_document(document: Document) -> str:
    """Return a digest of what the document says: its line and its file do not count."""
    names = (one.name for one in document.pictures)
    return hashlib.sha256("\0".join((*document.texts, "", *names)).encode("utf-8", "surrogatepass")).hexdigest()


def _take(
    place: int, picture: DocumentPicture, data: bytes | None, media: Media, rules: Rules, lost: list[Fault]
) -> tuple[int, list[ChosenPicture]] | None:
    """Return a slot: its place and what it shows; None where a clip shows nothing."""
    if not picture.is_clip:
        return place, [ChosenPicture(picture.name, data, picture.url)]
    drawn = _draw(picture, media, rules)
    if isinstance(drawn, Fault):
        lost.append(Fault(drawn.reason, f"{picture.name}: {drawn.detail}"))
        return None
    return place, [ChosenPicture(f"{picture.name}/{number:03d}.jpg", one) for number, one in enumerate(drawn)]


def _draw(picture: DocumentPicture, media: Media, rules: Rules) -> list[bytes] | Fault:
    if not rules.embeds:
        return Fault("frames_not_embedded", "frames are in no file that a row could name: --images embed")
    clip = media.open(picture.name)
    if clip is None:
        return Fault("video_missing")
    config = rules.config
    with clip:
        return draw_frames(
            clip, FrameRules(config.fps, config.max_frames, config.max_frame_side_px, rules.max_pixels)
        )
