"""Reads what came back from rewriting: a text that is better, or that needs nothing."""

import re

from instructgen.sample_types.blocks import strip_fence

# "No changes are needed.", "The paragraph is already correct." instead of the paragraph
_SAYS_RIGHT = re.compile(
    r"(?:(?:the|this|your) (?:given |provided |original )?"
    r"(?:paragraph|text|description|caption|answer|passage|response)"
    r" (?:is|looks|seems|appears)(?: to be)? (?:already |perfectly )?(?:correct|fine|good|right|error-free|free of)"
    r"|no (?:changes?|corrections?|mistakes?|errors?|edits?)\b"
    r"|(?:there (?:is|are) )?(?:nothing|no (?:\w+ )?(?:mistakes?|errors?|changes?)) (?:to|that|in|needs?)"
    r"|unchanged\b)",
    re.IGNORECASE,
)
_MAX_SAID_WORDS = 25  # a longer reply is a text


def says_unchanged(text: str, before: str) -> bool:
    """Return whether a reply says of the text that it is right, instead of giving it back."""
    said = strip_fence(text).strip("*_\"' ")
    num_words = len(said.split())
    is_short = num_words <= _MAX_SAID_WORDS and num_words < len(before.split())
    return is_short and _SAYS_RIGHT.match(said) is not None
