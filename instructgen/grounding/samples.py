"""The findings of a sample, kept for whoever asks for them next: filters, repair and measures ask for the same."""

from functools import lru_cache

from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Findings
from instructgen.grounding.evidence import Evidence, read_evidence
from instructgen.records import ImageRecord, Message

_NUM_KEPT = 64  # the samples of some images; a build takes image by image


@lru_cache(maxsize=_NUM_KEPT)
def find_evidence(record: ImageRecord) -> Evidence:
    return read_evidence(record)


@lru_cache(maxsize=_NUM_KEPT)
def find_claims(turns: tuple[Message, ...], record: ImageRecord, sample_type: str) -> Findings:
    return check_turns(turns, find_evidence(record), sample_type)
