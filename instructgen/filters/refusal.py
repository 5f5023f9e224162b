"""Answers in which the model speaks of itself instead of the picture (docs/filters.md)."""

import re
from typing import ClassVar

from msgspec import Struct

from instructgen.filters.quotes import fault_at, join_answers
from instructgen.records import Fault, ImageRecord, Sample, Verdict

_CANNOT = (
    r"(?:can ?not|can['’]t|could ?not|couldn['’]t|(?: am|['’]m) (?:currently )?(?:unable|not able) to"
    r"|(?:do not|don['’]t) have the (?:ability|capability) to|am not capable of)"
)
_PICTURE = r"(?:image|photo|picture|photograph)"
# A person in the picture may be sorry, or not see: only a sentence that the model itself begins counts, so
# nothing with a quotation mark before it.
_SENTENCE_START = (
    r"(?:(?:^|(?<=[.!?] )|(?<=\n))(?:(?:unfortunately|however|apologies|sorry|well|oh|hello|hi),? (?:but )?)?)"
)
_SELF = (
    r"(?:i['’]m|i am) (?:very |so |really |truly |terribly )?(?:sorry|afraid)\b",
    r"i apologi[sz]e\b",
    r"(?:my )?apologies,? (?:but|for)\b",
    r"sorry,? (?:but )?i\b",
    (
        rf"i ?{_CANNOT} (?:\w+ly )?(?:see|view|access|open|display|look at|analy[sz]e|process|assist|help|comply"
        r"|fulfil|complete|generate|provide|answer|perceive|describe|engage|continue|create|write)"
    ),
    r"i (?:do not|don['’]t) (?:actually |currently )?(?:have access|have eyes|(?:have|see) (?:the|any|an) image)",
    r"(?:i['’]m|i am) (?:just |only |merely )?an? (?:text|language|ai|artificial|large|virtual|chatbot|machine)\b",
    r"as an? (?:ai|artificial intelligence|(?:large )?language model|text[- ]based|llm|chatbot)\b",
    (
        r"(?:please|kindly|could you(?: please)?|can you(?: please)?) (?:provide|upload|attach|share|send|supply)"
        rf" (?:me |us )?(?:with )?(?:the|an?|your|more) (?:\w+ )?(?:{_PICTURE}|information|details|context)"
    ),
    rf"no {_PICTURE} (?:was|is|has been) (?:provided|attached|uploaded|shared|given)",
)
_ANYWHERE = (
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language|text[- ]based) ?(?:language )?(?:model|assistant)\b",
    rf"\bi ?{_CANNOT} (?:\w+ly )?(?:see|view|access|open|look at) (?:the|this|that|your|any|an) (?:\w+ )?{_PICTURE}",
    r"\bmy (?:training data|knowledge cut-?off|programming)\b",
    rf"\bno {_PICTURE} (?:was|has been) (?:provided|attached|uploaded)\b",
    r"\b(?:openai|content policy|usage polic(?:y|ies))\b",
)
_REFUSAL = re.compile(
    rf"{_SENTENCE_START}(?:{'|'.join(_SELF)})|{'|'.join(_ANYWHERE)}",
    re.MULTILINE,
)
# A text without any of these cannot match.
_CUES = (
    "sorry",
    "afraid",
    "apolog",
    "i can",
    "i could",
    "i am ",
    "i'm ",
    "i’m ",
    "i do",
    "as a",
    "provide",
    "upload",
    "attach",
    "n you",
    "d you",
    "please",
    "image",
    "photo",
    "picture",
    "my ",
    "openai",
    "polic",
)


class Refusal(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample with an answer that refuses or breaks role; the score is 1 for a hit, 0 otherwise."""

    reasons: ClassVar[tuple[str, ...]] = ("refusal",)

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        fault = find_refusal(join_answers(sample.turns))
        return Verdict(0.0) if fault is None else Verdict(1.0, fault)


def find_refusal(text: str) -> Fault | None:
    """Return where a text refuses or breaks role."""
    lowered = text.lower()
    if not any(cue in lowered for cue in _CUES):
        return None
    hit = _REFUSAL.search(lowered)
    return None if hit is None else fault_at("refusal", hit, text)
