"""Strings that a chat template or a tokenizer would take for its own (docs/filters.md).

One "</s>" or " ASSISTANT:" in an answer shifts LLaVA's loss mask so far that the whole sample is dropped
silently; an "<image>" asks for a picture that is not there.
"""

import re
from typing import ClassVar

from msgspec import Struct

from instructgen.filters.quotes import fault_at, join_turns
from instructgen.records import ImageRecord, Sample, Verdict

_TAGS = (
    r"/?(?:s|bos|eos|unk|pad|mask|cls|sep|eod|eot|eoc|bot|start_of_turn|end_of_turn|endoftext)"
    r"|/?(?:image|img|video|audio|im_start|im_end|im_patch|vid_start|vid_end|box|ref|quad|st|ed|obj)[ _]?\d*"
    r"|image(?:here|feature|content|_placeholder|_soft_token)"
)
_CONTROL = re.compile(
    rf"</?(?:{_TAGS})>"
    r"|<\|[^|<>\n]{1,40}\|>"
    r"|<</?sys>>"
    r"|\[/?(?:inst|img|image|pad|cls|sep|mask|unk|eos|bos|gmask|available_tools|tool_calls)\]"
    r"|\#{3}"
    r"|(?-i:\b(?:USER|ASSISTANT|HUMAN|SYSTEM|GPT)\s?:)"
    r"|^[ \t]*\**(?:user|assistant|human|system|gpt|question|answer)\**[ \t]?:"
    r"|^[ \t]*={3,}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Flamingo's prompts have them at the start of a text (arXiv 2204.14198), and no chat template reads a document.
_DOCUMENTS = ("interleaved",)
_LABELS = re.compile(r"^(?:Question|Answer) ?:", re.MULTILINE)
# A text never holds these; a terminal or a C string would act on them.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# A text without any of these cannot match; looking for them is ten times faster than the pattern.
_CUES = ("<", "[", "###", "===", "user", "assistant", "human", "system", "gpt", "question", "answer")


class ControlStrings(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample that holds a control string; the score is 1 for a hit and 0 otherwise."""

    reasons: ClassVar[tuple[str, ...]] = ("control_string",)

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        text = join_turns(sample.turns)
        if sample.sample_type in _DOCUMENTS:
            text = _LABELS.sub("", text)
        lowered = text.lower()
        hit = _CONTROL.search(text) if any(cue in lowered for cue in _CUES) else None
        hit = hit or _UNPRINTABLE.search(text)
        if hit is None:
            return Verdict(0.0)
        return Verdict(1.0, fault_at("control_string", hit, text))
