"""Answers that speak of the text behind them instead of the picture (docs/filters.md).

The teacher sees sentences and boxes; a reader of the dataset sees a picture. No public script filters this:
LRV-Instruction's own example answers "There is no mention of ...".
"""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from msgspec import Struct

from instructgen.filters.quotes import fault_at, join_turns
from instructgen.records import ImageRecord, Message, Sample, Verdict

# What a teacher was given. "text" counts only with "provided" or the like: pictures show text, too.
_GIVEN = r"(?:information|details?|data|context|input|sentences?|statements?|descriptions?|text|objects list)"
_TOLD = r"(?:provided|given|supplied)"
_SAYS = r"(?:(?:mention|state|say|indicate|suggest|describe|list)s?|specif(?:y|ies)|do(?:es)? not|do(?:es)?n['’]t)"
_NOT = r"do(?:es)?(?: not|n['’]t)"
_EXACTLY = r"(?:explicitly |specifically |directly |clearly )?"
# On a sign or by a person, "not mentioned" is a thing in the picture.
_BY_SOMEBODY = r"(?! (?:on|by|at) (?:the|a|an|any|his|her|their) )"

_PATTERNS = (
    r"caption(?:s|ed)?\b",
    r"bounding[ _-]?box(?:es)?\b",
    r"bbox(?:es)?\b",
    r"annotat(?:ions?|ors?)\b",
    r"annotated (?:as|with|box|object|region|image|instance)",
    # "to coordinate" is what people do: the noun is known by the words around it.
    (
        r"(?:the|these|those|its|box|given|provided|normali[sz]ed|pixel|image|at|from|with|on|using|by|their)"
        r" coordinates\b(?! (?:the|a|an|with|his|her|their|and|traffic|play)\b)"
    ),
    r"coordinates (?:of|for|show|indicate|suggest|tell|are|is|provided|given|place|range)\b",
    r"no (?:specific |direct |explicit |further )?mention (?:of|that|whether|about|is made|was made)\b",
    rf"(?:not|never|\w+n['’]t) (?:been )?{_EXACTLY}(?:mentioned|specified|stated)\b{_BY_SOMEBODY}",
    rf"(?:image|scene|photo|picture) {_NOT} {_EXACTLY}(?:mention|specify|state|describe)\b",
    (
        rf"(?:information|data|input|sentences|statements) {_NOT} {_EXACTLY}"
        r"(?:mention|specify|state|say|indicate|describe|list|include|provide|tell|reveal|show)\b"
    ),
    (
        r"(?:mentioned|described) (?:in|by) (?:the|this|any|one|these)"
        r" (?:image|photo|picture|scene|text|information|input|context|data|sentences?|descriptions?)\b"
    ),
    rf"(?:the|this|these|image|scene) descriptions? (?:{_TOLD}|above|{_SAYS})\b",
    r"(?:image|scene|textual|written|verbal|above) descriptions?\b",
    (
        r"(?:according to|based on|judging by|going by) (?:the|this|these|those) (?:\w+ )?"
        r"(?:descriptions?|sentences?|statements?)\b(?! (?:on|written|printed|painted)\b)"
    ),
    r"(?:from|in|of|by) the (?:\w+ )?sentences\b(?! (?:on|written|printed|painted)\b)",
    rf"the (?:\w+ )?sentences (?:{_TOLD}|above|{_SAYS})\b",
    r"(?:the|this) (?:scene|image|photo|picture)(?: that is| as)? described\b",
    rf"(?:the|this|these|any|all|on|from|to|in|with) (?:\w+ )?{_TOLD} {_GIVEN}\b",
    (
        rf"(?:the|this|these|any|enough|no|limited|more|further|additional) {_GIVEN} {_TOLD}\b"
        r"(?! (?:on|by|at|to|inside)\b)"
    ),
    r"(?:based on|given|going by) the (?:available |limited )?(?:information|data)\b(?! (?:on|board|sign))",
    r"(?:detected|listed) (?:objects|boxes)\b",
    r"the (?:object|category) (?:list|labels?)\b",
    r"ground[ -]truth\b",
    # Fractions: [0.12, ... and (0.5, 0.3) and x = 0.4.
    r"[\[(] ?(?:0?\.\d+|[01](?:\.0+)?) ?, ?(?:0?\.\d+|[01]\.0+)",
    r"0?\.\d+ ?, ?0?\.\d+ ?, ?0?\.\d+",
    r"[xy][012]? ?[=:] ?(?:0?\.\d+|1\.0+)\b",
)
_LEAK = re.compile(rf"(?<![\w-])(?:{'|'.join(_PATTERNS)})")
# Every hit holds one of these; looking for them is five times faster than the patterns, which then see no more
# than their surroundings.
_REACH_CHARS = 60
_OF_BOXES = ("referring",)  # types whose samples speak of boxes by design
_CUES = (
    "caption",
    "bounding",
    "bbox",
    "annotat",
    "coordinates",
    "mention",
    "specif",
    "state",
    "descri",
    "provided",
    "given",
    "supplied",
    "information",
    "detail",
    "data",
    "sentence",
    "statement",
    "input",
    "detected ",
    "listed ",
    "the object",
    "the category",
    "truth",
    "0.",
    "1.0",
    "[.",
    "(.",
    "=.",
    "= .",
)


class SourceLeakage(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample that gives away its source; the score is 1 for a leak and 0 otherwise.

    Words that the image's own captions use are left alone: a picture may show a page with a caption. Samples of the
    type "referring" speak of boxes by design and are not looked at.
    """

    reasons: ClassVar[tuple[str, ...]] = ("source_leak",)

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        if sample.sample_type in _OF_BOXES:
            return Verdict(0.0)
        text = " ".join(join_turns(_without_requests(sample.turns)).split())  # a phrase may run over a line's end
        captions = [caption for one in (record, *sample.others) for caption in one.captions]
        for hit in _find_leaks(text.lower()):
            if not any(hit[0] in caption.lower() for caption in captions):
                return Verdict(1.0, fault_at("source_leak", hit, text))
        return Verdict(0.0)


# "Give me a short caption" asks for one, and tells of none.
_REQUEST = re.compile(
    r"\b(?:give|write|provide|suggest|create|generate|make|propose|compose|think of|come up with|what would be|be) "
    r"(?:\w+ ){0,4}?captions?\b",
    re.IGNORECASE,
)


def _without_requests(turns: Sequence[Message]) -> list[Message]:
    return [
        Message("user", _REQUEST.sub("", turn.content)) if turn.role == "user" and "caption" in turn.content else turn
        for turn in turns
    ]


def _find_leaks(lowered: str) -> Iterator[re.Match[str]]:
    """Yield the hits around each cue, cue by cue; one hit may come twice."""
    for cue in _CUES:
        at = lowered.find(cue)
        while at != -1:
            yield from _LEAK.finditer(lowered, max(0, at - _REACH_CHARS), at + len(cue) + _REACH_CHARS)
            at = lowered.find(cue, at + len(cue))
