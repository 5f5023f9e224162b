"""Pictures made of several: what they show is told in none of them for certain, but that they are several is."""

import re
from collections.abc import Iterable, Sequence

from msgspec import structs

from instructgen.scenegraph.graph import Entity, Span, Statement, StatementPart
from instructgen.scenegraph.people import PersonWords

_ENOUGH = 2  # captions
_PICTURES = r"(?:photographs|photos|pictures|images|shots)"
# The lemmas of such statements.
PICTURE_LEMMAS = frozenset((
    "collage", "montage", "photograph", "photo", "picture", "image", "shot", "time lapse", "time-lapse",
    "multiple exposure", "double exposure",
))  # fmt: skip
_COLLAGE = re.compile(r"\b(?:collage|montage|time[- ]lapse|(?:multiple|double) exposure)\b")
# One caption that says so is enough for what no more than half of the captions have in the plural.
_TWICE = re.compile(
    rf"\b(?:(?:identical|duplicate|duplicated|mirrored|mirror|repeated) (?:{_PICTURES}|image)"
    rf"|side by side (?:{_PICTURES})|(?:{_PICTURES}|views|exposures) of the same"
    r"|double shots?"
    r"|(?:different|multiple|several|two|three|four|five) (?:views|exposures|angles|frames|stages) of an?)\b"
)
# What bears out that there are several pictures, and is not told by itself.
_ALIKE = re.compile(
    r"\b(?:(?:different|several|multiple|various|many|two|three|four|five|six)"
    r" (?:stages|angles|views|exposures|frames|positions) of|sequence of|in sequence|composite|compilation)\b"
)
_SEVERAL = re.compile(
    rf"\b(?P<many>(?:series|set|collection|group|sequence) of|several|two|three|four|five|six|multiple|many|various)"
    rf" (?:[a-z]+ ){{0,2}}(?P<what>{_PICTURES})\b"
)


def find_collage(captions: Sequence[str]) -> Statement | None:
    """Return that it is a collage, or that there are several pictures, where two captions say so.

    One of them at least has to say it outright; "different angles of" and "a sequence of" bear it out.
    """
    found = [
        (number, match)
        for number, caption in enumerate(captions)
        for match in [_COLLAGE.search(caption.lower()) or _SEVERAL.search(caption.lower())]
        if match is not None
    ]
    outright = {number for number, _ in found}
    alike = sum(bool(_ALIKE.search(one.lower())) for number, one in enumerate(captions) if number not in outright)
    if len(found) + alike < min(_ENOUGH, len(captions)) or not found:
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


def is_collage(one: Statement) -> bool:
    """True for what `find_collage` returns, and not for "a picture with a red bus"."""
    is_whole = one.lemma in PICTURE_LEMMAS and one.keys == {one.lemma} and len(one.subject) == 1 and not one.predicate
    return is_whole and (one.is_plural or _COLLAGE.search(one.subject[0].text) is not None)


def shows_twice(captions: Iterable[str]) -> bool:
    """True where a caption says that one picture shows the same thing again."""
    return any(_TWICE.search(one.lower()) for one in captions)


def tell_each_once(entities: Iterable[Entity], person: PersonWords) -> list[Entity]:
    """Make one of what is boxed several times, in one picture each, where fewer than half of
    the captions that name it have it in the plural.
    """
    return [
        structs.replace(
            one,
            boxes=(),
            has_crowd=False,
            is_single=True,
            count=None,
            word=person.singular if one.category == "person" else one.word,
        )
        if one.is_many and one.category and one.num_captions and 2 * one.num_plural < one.num_captions
        else one
        for one in entities
    ]
