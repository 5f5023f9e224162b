"""Questions that no picture answers: what a stranger is called, who owns it, what it costs, what the model likes.

English only. A teacher that sees text alone answers them too, and then makes the answer up.
"""

# ruff: noqa: E501 - a pattern is a line

import re
from typing import ClassVar

from msgspec import Struct

from instructgen.filters.pairs import OnFault, cut_pairs
from instructgen.filters.questions import pair_turns
from instructgen.filters.quotes import shorten
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict

_UNANSWERABLE = re.compile(
    # "What do you see?" and "Can you describe it?" ask the assistant about the picture, "where do you live?" does not.
    r"\b(?:where|when|how old|how long|who) (?:do|did|are|were|have) you\b(?! (?:see|find|spot|notice|think|suppose|guess|believe)\b)|\bare you\b(?! able to (?:see|find|spot|tell|make)\b)|\bwhat(?:'s| is| are) your\b"
    r"|\b(?:have|had) you ever\b|\byour (?:favou?rite|name|age|job|family|house|home|country)\b"
    r"|\bdo you (?:like|love|prefer|own|want|wish|enjoy|live|work)\b|\byou (?:have|'ve) ever\b"
    r"|\bwhat(?:'s| is| are) (?:the |this |that |his |her |their )?(?:[\w ]{0,40}?(?:'s|s') )?(?:first |last |real )?names?\b"
    r"(?! (?:of|on) (?:the|this|that) (?:\w+ )?(?:sport|game|dish|food|sign|store|shop|street|restaurant|company|airline|brand|bus|train|hotel|team))"
    r"|\bwho (?:owns|owned|made|built|bought|invented|sold|painted|designed|discovered)\b"
    r"|\bhow (?:much|expensive) (?:does|do|did|is|are|was|were)\b.*\b(?:cost|price|pay|worth|expensive)\b|\bhow expensive\b"
    r"|\bwhat (?:is|was|are) the (?:price|cost|value|weight|age|nationality|phone number|address|capital) of\b"
    r"|\b(?:most|least|more) (?:expensive|valuable|popular|famous|important thing|common thing|impressive thing)\b"
    r"|\bhow old is\b|\bwhat year (?:is|was)\b"
)


class AnswerableQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away conversations with such a question; the score is the share, 0 to 1, of questions that are none.

    `on_fault` "cut" drops the pair, and rejects a sample of which nothing is left. Other types may ask what they like.
    """

    reasons: ClassVar[tuple[str, ...]] = ("unanswerable_question",)

    on_fault: OnFault = "reject"

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        if sample.sample_type != "conv":
            return Verdict(1.0)
        kept, fault, num_faulty = cut_pairs(sample.turns, _find_fault)
        score = 1 - num_faulty / max(1, sum(1 for _ in pair_turns(sample.turns)))
        if fault is not None and self.on_fault == "cut" and kept:
            return Verdict(score, None, kept)
        return Verdict(score, fault)


def _find_fault(_index: int, asked: Message, answer: Message) -> Fault | None:  # noqa: ARG001
    question = " ".join(asked.content.lower().replace("’", "'").split())
    return Fault("unanswerable_question", shorten(asked.content)) if _UNANSWERABLE.search(question) else None
