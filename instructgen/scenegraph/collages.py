"""Pictures made of several: what they show is told in none of them for certain, but that they are several is."""

import re
from collections.abc import Sequence

from instructgen.scenegraph.graph import Span, Statement, StatementPart

_ENOUGH = 2  # captions
_PICTURES = r"(?:photographs|photos|pictures|images|shots)"
# The lemmas of such statements.
PICTURE_LEMMAS = frozenset(("collage", "montage", "photograph", "photo", "picture", "image", "shot"))
_COLLAGE = re.compile(r"\b(?:collage|montage)\b")
_SEVERAL = re.compile(
    rf"\b(?P<many>(?:series|set|collection|group|sequence) of|several|two|three|four|five|six|multiple|many|various)"
    rf" (?:[a-z]+ ){{0,2}}(?P<what>{_PICTURES})\b"
)


def find_collage(captions: Sequence[str]) -> Statement | None:
    """Return that it is a collage, or that there are several pictures, where two captions say so."""
    found = [
        (number, match)
        for number, caption in enumerate(captions)
        for match in [_COLLAGE.search(caption.lower()) or _SEVERAL.search(caption.lower())]
        if match is not None
    ]
    if len(found) < min(_ENOUGH, len(captions)) or not found:
        return None
    number, match = next((one for one in found if "what" not in one[1].groupdict()), found[0])
    named = match.groupdict()
    what = named.get("what", "")
    said = f"{named['many']} {what}" if what else match[0]
    said = said if what and not said.endswith(f" of {what}") else f"a {said}"
    lemma = what.removesuffix("s") if what else match[0]
    return Statement(
        span=Span(number, match.start(), match.end()),
        subject=(StatementPart(said, None),),
        predicate=(),
        verb="",
        is_plural=bool(what),
        lemma=lemma,
        category="",
        kind="thing",
        keys=frozenset({lemma}),
        looks=frozenset(),
    )
