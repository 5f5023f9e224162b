"""The findings of a sample, kept for whoever asks for them next: filters, repair and measures ask for the same."""

from functools import lru_cache

from msgspec.structs import replace

from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Findings
from instructgen.grounding.evidence import Evidence, read_evidence
from instructgen.grounding.shots import check_shots
from instructgen.grounding.two_images import check_two
from instructgen.records import ImageRecord, Message

_NUM_KEPT = 64  # the samples of some images; a build takes image by image


@lru_cache(maxsize=_NUM_KEPT)
def find_evidence(record: ImageRecord) -> Evidence:
    return read_evidence(record)


@lru_cache(maxsize=_NUM_KEPT)
def find_claims(
    turns: tuple[Message, ...],
    record: ImageRecord,
    sample_type: str,
    partner: ImageRecord | None = None,
    shots: tuple[ImageRecord, ...] = (),
) -> Findings:
    """Return what the answers claim; where they compare `partner` and `record`, each is held against its own.

    Where they go from image to image, through `shots` to `record`, each image has as many turns, held against it.
    """
    if shots:
        return check_shots(turns, [find_evidence(one) for one in (*shots, record)], sample_type)
    if partner is not None:
        return check_two(turns, (find_evidence(partner), find_evidence(record)), sample_type)
    return check_turns(turns, find_evidence(record), sample_type)


def join_records(*records: ImageRecord) -> ImageRecord:
    """Return what images show together, for measures that ask whether a thing is in any of them."""
    captions = tuple(caption for one in records for caption in one.captions)
    return replace(records[-1], captions=captions, boxes=tuple(box for one in records for box in one.boxes))
