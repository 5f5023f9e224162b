"""Sentences taken apart into clauses that claim one thing each; no claim is checked here."""

# ruff: noqa: E501 - a pattern is a line

import re

PICTURE = r"(?:picture|image|photo|scene|frame)"
REGION = (
    rf"(?:in|on|at|near) the (?:upper left|upper right|lower left|lower right|left|right|middle|center|top|bottom"
    rf"|upper|lower)(?: side| part)? of the {PICTURE}"
)
ANYWHERE = (
    rf"(?:(?:anywhere )?in (?:the|this) {PICTURE}|in view|in sight|in total|here|to be seen(?: here)?|in this scene)"
)
COLORS = (
    r"(?:black|white|red|blue|green|yellow|orange|pink|purple|brown|gray|tan|beige|gold|silver|turquoise|teal|maroon)"
)
COLOR = rf"{COLORS}(?: and {COLORS})?"
NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+)"
ACT = r"(?!(?:building|railing|parking|ceiling|painting|string|clothing|awning|cutting board|dining|living|king)\b)(?:[a-z]+ing|parked|perched|docked|seated|gathered|pulled|mounted|topped|filled|covered|decorated)"
THING = r"[a-z][a-z ]*?"

# What frames a claim without adding one; taken away from the front, again and again.
_FRAMES = re.compile(
    rf"^(?:yes|no|here|meanwhile|besides this|besides|in total|altogether|all in all|in addition|apart from that"
    rf"|as for colors|in terms of color|its colors are easy to tell|as for its position|at first glance|to begin with"
    rf"|overall|on the whole|taken as a whole|all things considered|within the frame|in the frame|in (?:the|this) {PICTURE}"
    rf"|looking at the {PICTURE}|seen by the viewer|from where the viewer stands|of the two|judging by the {PICTURE}"
    rf"|at this moment|neither of them|from side to side|from top to bottom)(?:, |: )"
    rf"|^(?:a closer look shows that|it can also be seen that|you can see that|one can see that"
    rf"|what the {PICTURE} makes clear is that|the {PICTURE} shows that|it is clear that) "
)


def simplify(sentence: str) -> str:
    text = sentence.strip().rstrip(".").lower()
    found = _FRAMES.match(text)
    while found:
        text = text[found.end() :]
        found = _FRAMES.match(text)
    return text


def split_clauses(text: str) -> list[str]:
    """Part the clauses; "it" is put back to what it stands for."""
    special = re.fullmatch(rf"the ({THING}), which is ({REGION}), is ({COLOR})", text)
    if special:
        return [f"the {special[1]} is {special[2]}", f"the {special[1]} is {special[3]}"]
    special = re.fullmatch(rf"it is ({COLOR}); you can find the ({THING}) ({REGION})", text)
    if special:
        return [f"the {special[2]} is {special[1]}", f"the {special[2]} is {special[3]}"]
    special = re.fullmatch(rf"if you look for the ({THING}), you will see it ({REGION})", text)
    if special:
        return [f"the {special[1]} is {special[2]}"]
    special = re.fullmatch(
        rf"as for colors, (.*)|compared with the ({THING}), the ({THING}) takes up the larger part of the frame", text
    )
    if special and special[2]:
        return [f"the {special[3]} takes up more of the frame than the {special[2]}"]
    if re.match(r"(?:toward|over on) the (?:left|right), |(?:one )?of the [a-z ]+, the largest", text):
        return [text]
    parts = re.split(
        r"(?:, |; )(?:and|while|whereas|but|although|though|where|since|because|so|which|as|given that)?(?: |\b)",
        text,
    )
    parts = _join_lists([part.strip() for part in parts if part.strip()], text)
    subject = re.search(
        rf"(?:just one|only one|a single|exactly one|one) ({THING})(?: in the| in this| is visible| can be seen|$)",
        parts[0],
    )
    about = f"the {subject[1]}" if subject else (re.match(rf"(the {THING}) is ", parts[0] + " is ") or [""])[0][:-4]
    clauses = []
    for number, part in enumerate(parts):
        whole = re.sub(r"^it is (?=in |on |at |near )", f"{about} is ", part) if number else part
        whole = re.sub(r"^is (?=in |on |at |near )", f"{about} is ", whole) if number else whole
        clauses += _split_pairs(whole)
    return clauses


def _split_pairs(clause: str) -> list[str]:
    """Part "the X is red and the Y is blue"."""
    found = re.fullmatch(rf"(the {THING} is {COLOR}) and (the {THING} is {COLOR})", clause)
    return [found[1], found[2]] if found else [clause]


def _join_lists(parts: list[str], text: str) -> list[str]:
    """Put lists back together: a comma between things is none between clauses."""
    joined: list[str] = []
    for part in parts:
        # A part that is a thing, or begins with things before "and", continues a list.
        listed = re.match(r"(?:an? )?[a-z ]+$", part) and joined and f"{joined[-1]}, {part}" in text
        if listed and not re.match(
            r"(?:the|there|it|what|no one|nobody|you|i|neither|one|more|with|most|all)\b", part
        ):
            joined[-1] = f"{joined[-1]}, {part}"
        else:
            joined.append(part)
    return joined
