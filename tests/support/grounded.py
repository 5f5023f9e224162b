"""Small images and findings for tests of measures."""

from instructgen.grounding.claims import Claim, Findings, Kind, Truth
from instructgen.grounding.evidence import Evidence, read_evidence
from instructgen.records import Box, ImageRecord, Message


def make_record(*categories: str, captions: tuple[str, ...] = (), image_id: str = "coco/000000000139") -> ImageRecord:
    boxes = tuple(Box(category, 0.1, 0.1, 0.4, 0.4) for category in categories)
    return ImageRecord(image_id, "000000000139.jpg", 640, 480, captions, boxes)


def make_evidence(*categories: str, captions: tuple[str, ...] = ()) -> Evidence:
    return read_evidence(make_record(*categories, captions=captions))


def claim(kind: Kind, truth: Truth, subject: str, text: str = "") -> Claim:
    return Claim(kind, truth, text or subject, "", subject, 1, 0, 9)


def findings(*claims: Claim) -> Findings:
    return Findings(claims)


def talk(*texts: str) -> tuple[Message, ...]:
    """Questions and answers in turns."""
    return tuple(Message("assistant" if place % 2 else "user", text) for place, text in enumerate(texts))
