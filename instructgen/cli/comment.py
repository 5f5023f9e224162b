"""Text for a comment on a pull request, or a terminal, in which nothing that a dataset says can act."""

import unicodedata
from collections.abc import Iterable, Sequence

MAX_CHARS = 65_536
"""What GitHub takes of a comment."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,;%/-")
_CUT = "\n\n*Cut here: a comment holds no more. `instructgen dataset diff` prints the rest.*\n"


def escape(text: str) -> str:
    """Return the text as HTML in which no character has a meaning, neither in Markdown nor in HTML.

    What could be markup in ASCII becomes a number entity, of which Markdown makes no markup; control
    characters, and those that turn the direction of writing, become U+FFFD. A mention or an address is told apart
    after that, so it must stand within <code> or <pre>, where GitHub looks for none.
    """
    return "".join(_escape_one(character, text[max(0, at - 1) : at]) for at, character in enumerate(text))


def _escape_one(character: str, before: str) -> str:
    if character in _PLAIN:
        return character
    if character == "." and before.isalnum() and before not in "wW":  # "www." begins an address
        return character
    if character == "\n" or (ord(character) < 127 and character.isprintable()):
        return f"&#{ord(character)};"
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return "\ufffd"
    return character


def make_printable(line: str) -> str:
    """Return the line without what a terminal would act on."""
    return "".join(character if character.isprintable() else " " for character in line)


def code(text: str, max_chars: int = 200) -> str:
    """Return a text on one line, as code; longer ones are cut."""
    return f"<code>{escape(shorten(' '.join(text.split()), max_chars))}</code>"


def shorten(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def draw_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is aligned to the left; cells must be escaped. No row, no table."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join([f"| {' | '.join(titles)} |", f"| {' | '.join(rule)} |", *lines])


def fold(title: str, body: str) -> str:
    """Return a part that is shut until somebody opens it; `title` must be escaped."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def fit(parts: Iterable[str], max_chars: int = MAX_CHARS) -> str:
    """Join whole parts, the most important first, up to the limit; what is left out is told."""
    text = ""
    for part in parts:
        if not part:
            continue
        longer = f"{text}\n\n{part}" if text else part
        if len(longer) + len(_CUT) > max_chars:
            return (text + _CUT)[:max_chars]
        text = longer
    return text + "\n"
