"""Captions as lines of a surrogate."""

import re

# White space that would break or bend a line; runs of it, with the blanks around, become one space.
_CONTROL_SPACE = re.compile(r"\s*[\t-\r\x1c-\x1f\x85\u2028\u2029]+\s*")


def clean_caption(text: str) -> str:
    """Return the text as one line: no outer white space, no control white space inside, otherwise untouched."""
    text = text.strip()
    return text if text.isprintable() else _CONTROL_SPACE.sub(" ", text)
