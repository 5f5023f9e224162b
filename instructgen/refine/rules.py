"""Cleans a text without asking anybody: what models say about themselves, say twice or break off.

MiniGPT-4's authors removed phrases of apology by hard-coded rules before they read what was left (arXiv 2304.10592,
section 3.2). A text that nothing is wrong with comes back as it went in, to the byte.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from instructgen.records import Message
from instructgen.refine.sentences import drop_sentences, is_closed, split_line
from instructgen.text import split_words

_TEXT = r"(?:paragraph|text|description|caption|version|answers?|response|passage|sentences?|questions?|turns)"
_MENDED = (
    r"(?:corrected|revised|edited|rewritten|refined|improved|cleaned(?:[- ]up)?|fixed|updated|polished|continued"
    r"|detailed|full|final|requested)"
)
_MARKS = r"[\s*_#\"“>-]{0,4}"
_OPENINGS = (
    # "Sure!", "Of course." and the like, before anything else
    re.compile(
        rf"{_MARKS}(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|all right|no problem|great"
        r"|got it|understood|with pleasure)\s{0,2}[!.](?:\s+|$)",
        re.IGNORECASE,
    ),
    # "Sure, here is the corrected paragraph:", "Here's a description of the picture:"
    re.compile(
        rf"{_MARKS}(?:(?:sure|certainly|of course|absolutely|okay|ok|alright)[,!.:]?\s{{0,2}})?"
        rf"(?:here(?:['’]s| is| are)|below (?:is|are)|the following (?:is|are))\b[^.:\n]{{0,80}}\b{_TEXT}\b"
        rf"[^.:\n]{{0,80}}:{_MARKS}",
        re.IGNORECASE,
    ),
    # "Corrected paragraph:", "**The revised description:**"
    re.compile(
        rf"{_MARKS}(?:the )?{_MENDED}(?: and {_MENDED})? {_TEXT}"
        rf"(?: of the (?:image|picture|photo))?{_MARKS}:{_MARKS}",
        re.IGNORECASE,
    ),
    # "I have corrected the mistakes in the paragraph:"
    re.compile(
        rf"{_MARKS}i(?:['’]ve| have)? (?:made|{_MENDED})\b[^.:\n]{{0,100}}:{_MARKS}",
        re.IGNORECASE,
    ),
)
_MAX_OPENINGS = 3
_CLOSING = re.compile(
    r"\(?(?:(?:please )?let me know\b"
    r"|(?:please )?(?:do not|don['’]t) hesitate to\b"
    r"|(?:please )?feel free to\b"
    r"|i hope (?:this|that|it|my)\b"
    r"|is there anything else\b"
    r"|(?:would you like|do you (?:want|need)) (?:me|any|more)\b"
    r"|if you (?:have|need|want|would like|['’]d like) (?:me to|any|anything|more|further|another|additional)\b"
    r"|i(?:['’]ve| have)? (?:also )?(?:corrected|removed|fixed|deleted|rewrote|rewritten|changed|edited|kept)\b"
    r"|(?:no|the) (?:further |other )?(?:changes|corrections|edits) (?:were|was|are|have|made)\b"
    r"|(?:note|notes|changes made|corrections made|explanation)\s?:)",
    re.IGNORECASE,
)
_SORRY = re.compile(
    r"(?:you(?:['’]re| are) (?:absolutely |quite )?right[,.;:!]? (?:and |but )?)?(?:oh,? |oops[,!.]? ?)?"
    r"(?:(?:i|we) (?:sincerely |do |must )?apologi[sz]e for\b"
    r"|(?:my |our )?(?:sincere |deepest )?apologies for\b"
    r"|(?:i['’]m|i am|we['’]re|we are) (?:very |so |really |truly |terribly )?sorry "
    r"(?:for\b|about\b|(?:that |if )?(?:i|we|my|our)\b)"
    r"|sorry (?:for|about)\b"
    r"|(?:please )?(?:forgive|excuse) (?:me for|my)\b"
    r"|i (?:have )?made (?:a|an|some) (?:\w+ )?(?:mistakes?|errors?)\b)",
    re.IGNORECASE,
)
# A refusal is no apology: the filter `refusal` turns the whole answer away.
_CANNOT = re.compile(r"\b(?:can ?not|can['’]t|could ?not|couldn['’]t|unable|not able)\b", re.IGNORECASE)
# Not U+200C and U+200D: Persian words and families of emoji are joined and parted by them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd\ue000-\uf8ff]"
)
_RUN = re.compile(r"([^\w\s.])(?:[ \t]?\1){3,}")
_DOTS = re.compile(r"\.{4,}")
_BARE_LINE = re.compile(r"^[^\w\n]*[^\w\s][^\w\n]*$\n?", re.MULTILINE)
_GAPS = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)|[ \t]+$", re.MULTILINE)
_QUOTED = re.compile(r"[\"“”]([^\"“”]+)[\"“”]")
_MAX_PASSES = 4
_MIN_WORDS_REPEATED = 4  # "It is red." may be said of two things


class Cleaned(Struct, frozen=True):
    """A text and the names of the rules that changed it, in their order."""

    text: str
    rules: tuple[str, ...]


def clean_text(text: str, *, is_cut: bool = False) -> Cleaned:
    """Return the text as the rules leave it, perhaps "".

    `is_cut` says that the teacher was cut off: then the last sentence goes where it has no end, whatever is before
    it. Otherwise only one that follows a whole sentence on its line does, for an answer such as "A red one" needs
    no full stop.
    """
    applied: set[str] = set()
    for _ in range(_MAX_PASSES):  # what one rule takes away may have hidden what is another's
        before = text
        for name, rule in RULES.items():
            changed = rule(text)
            if changed != text:
                applied.add(name)
                text = changed
        changed = drop_broken_end(text, is_cut=is_cut)
        if changed != text:
            applied.add("incomplete_end")
            text = changed
        if text == before:
            break
    return Cleaned(text, tuple(name for name in RULE_NAMES if name in applied))


class CleanedTurns(Struct, frozen=True):
    """Turns with clean answers, of which one may be "", and the names of the rules that changed one."""

    turns: tuple[Message, ...]
    rules: tuple[str, ...]


def clean_turns(turns: Sequence[Message], *, is_opened: bool = False, is_cut: bool = False) -> CleanedTurns:
    """Clean the answers, each by itself; questions stay.

    `is_opened` says that chatter in front of the whole text is gone already, `is_cut` that the text breaks off.
    """
    rules = dict.fromkeys(["chatter_in_front"] if is_opened else [])
    cleaned: list[Message] = []
    for number, turn in enumerate(turns, 1):
        if turn.role != "assistant":
            cleaned.append(turn)
            continue
        found = clean_text(turn.content, is_cut=is_cut and number == len(turns))
        rules |= dict.fromkeys(found.rules)
        cleaned.append(replace(turn, content=found.text) if found.rules else turn)
    return CleanedTurns(tuple(cleaned), tuple(rules))


def drop_chatter_in_front(text: str) -> str:
    """Take away what a model says before it begins; an answer that is nothing else stays."""
    rest = text
    for _ in range(_MAX_OPENINGS):
        shorter = rest
        for opening in _OPENINGS:
            match = opening.match(shorter)
            if match is not None and shorter[match.end() :].strip():
                shorter = shorter[match.end() :].lstrip()
        if shorter == rest:
            break
        rest = shorter
    if rest == text:
        return text
    # "**Corrected paragraph:**" and opening quotes leave their other half behind.
    return rest.rstrip('"” ') if rest.count('"') + rest.count("”") == 1 and rest[-1:] in '"”' else rest


def drop_quotes_around(text: str) -> str:
    match = _QUOTED.fullmatch(text.strip())
    return text if match is None else match[1].strip()


def drop_meaningless_characters(text: str) -> str:
    """Take away what no reader sees or can read: control characters, runs of one mark, lines of marks alone."""
    changed = _INVISIBLE.sub("", text)
    changed = _DOTS.sub("...", _RUN.sub("", changed))
    changed = _BARE_LINE.sub("", changed)
    return text if changed == text else _GAPS.sub(_keep_one_space, changed).strip()


def drop_chatter_behind(text: str) -> str:
    """Take away the last sentences while they speak to the user."""
    lines = text.rstrip().split("\n")
    has_dropped = False
    while lines:
        sentences = split_line(lines[-1])
        num_left = len(sentences)
        while num_left and _CLOSING.match(sentences[num_left - 1]):
            num_left -= 1
        if num_left < len(sentences):
            has_dropped = True
            lines[-1] = " ".join(sentences[:num_left])
        if lines[-1].strip():
            break
        lines.pop()
    left = "\n".join(lines).rstrip()
    return left if has_dropped and left else text


def drop_apologies(text: str) -> str:
    return drop_sentences(text, lambda sentence: bool(_SORRY.match(sentence)) and not _CANNOT.search(sentence))


def drop_repeated_sentences(text: str) -> str:
    """Take away a sentence that was there before, whatever its capitals and marks."""
    seen: set[tuple[str, ...]] = set()

    def is_again(sentence: str) -> bool:
        words = tuple(split_words(sentence))
        if len(words) < _MIN_WORDS_REPEATED:
            return False
        if words in seen:
            return True
        seen.add(words)
        return False

    return drop_sentences(text, is_again)


def drop_broken_end(text: str, *, is_cut: bool) -> str:
    """Take away a last sentence that breaks off (see `clean_text` for when)."""
    head, _, line = text.rstrip().rpartition("\n")
    sentences = split_line(line)
    if not sentences or is_closed(sentences[-1]):
        return text
    if len(sentences) == 1 and not is_cut:
        return text
    return f"{head}\n{' '.join(sentences[:-1])}".strip()


def _keep_one_space(match: "re.Match[str]") -> str:
    return " " if match.end() < len(match.string) and match.string[match.end()] != "\n" else ""


RULES: dict[str, Callable[[str], str]] = {
    "chatter_in_front": drop_chatter_in_front,
    "quotes_around": drop_quotes_around,
    "meaningless_characters": drop_meaningless_characters,
    "chatter_behind": drop_chatter_behind,
    "apology": drop_apologies,
    "repeated_sentence": drop_repeated_sentences,
}
RULE_NAMES = (*RULES, "incomplete_end")
