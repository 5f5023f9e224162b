"""Portions: where captions tell of a slice or a piece, the box of a pizza is told as that, and not as a whole one."""

import re
from collections.abc import Iterable, Sequence

from msgspec import structs

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import Attribute, Certainty, Entity, Evidence, Span

_CUT = ("pizza", "cake", "sandwich", "orange", "apple", "banana")
_PORTIONS = ("slice", "piece")
_EATEN = r"\b(?:half|partially|partly)[- ]eaten"
_SEVERAL = re.compile(r"\b(?:slices|pieces|wedges) of\b")
_ENOUGH = 2  # captions
# Where these are named too, the box may be of the whole.
_WHOLE = re.compile(r"\b(?:whole|entire|full|missing|gone|taken|removed|remaining|cut out|from a|off of a|out of)\b")


def tell_portions(entities: Iterable[Entity], captions: Sequence[str]) -> list[Entity]:
    """Name what most captions call a slice or a piece of a thing so, wherever it is told."""
    said = [one.lower() for one in captions]
    found = list(entities)
    for at, one in enumerate(found):
        portion = _find_portion(one, said) if one.category in _CUT and one.member_of is None else ""
        if portion:
            names = {f"{each} of {one.category}" for each in _PORTIONS}
            parts = [other for other in found if other.name in names]
            found[at] = _make_portion(one, portion, parts)
            found = [structs.replace(other, is_listed=False) if other in parts else other for other in found]
    return found


def _make_portion(entity: Entity, portion: str, parts: Sequence[Entity]) -> Entity:
    """Return the boxed thing under its new name, which is told by all captions that have it by either."""
    spans = entity.evidence.spans + tuple(span for one in parts for span in one.evidence.spans)
    return structs.replace(
        entity,
        word=f"{portion} of {entity.word}",
        plural=f"{plural_of(portion)} of {entity.word}",
        num_captions=len({span.caption for span in spans}),
        evidence=Evidence(tuple(dict.fromkeys(spans)), entity.evidence.boxes),
        certainty="sure",
    )


def find_eaten(entities: Iterable[Entity], captions: Sequence[str]) -> list[Attribute]:
    """Return of which single foods two captions say that a part was eaten."""
    found = []
    for one in entities:
        if one.kind != "food" or not one.is_single or one.member_of is not None:
            continue
        words = "|".join(sorted(re.escape(word) for word in (*find_category(one.category).synonyms, one.word)))
        pattern = re.compile(rf"{_EATEN} (?:[a-z]+ ){{0,2}}(?:{words})\b")
        matches = [(number, pattern.search(caption.lower())) for number, caption in enumerate(captions)]
        spans = [Span(number, match.start(), match.end()) for number, match in matches if match is not None]
        num_told = sum(re.search(_EATEN, caption.lower()) is not None for caption in captions)
        if spans and num_told >= _ENOUGH:
            evidence = Evidence(tuple(spans), one.evidence.boxes)
            certainty: Certainty = "sure" if len(spans) > 1 else "likely"
            found.append(Attribute(one.number, "state", "partly eaten", evidence, certainty, len(spans)))
    return found


def _find_portion(entity: Entity, said: Sequence[str]) -> str:
    """Return the word for a portion that more than half of the captions have that name the food; "" for none."""
    words = "|".join(sorted(re.escape(word) for word in find_category(entity.category).synonyms))
    naming = [text for text in said if re.search(rf"\b(?:{words})(?:e?s)?\b", text)]
    pattern = re.compile(rf"\b(?:sliced?|piece|half|bite|wedge)s? of [a-z ]*\b(?:{words})")
    parts = [text for text in naming if pattern.search(text)]
    if entity.is_single and any(_SEVERAL.search(text) for text in parts):
        return ""  # one box of two slices is no slice
    if 2 * len(parts) <= len(naming) or not parts or any(_WHOLE.search(text) for text in said):
        return ""
    return max(_PORTIONS, key=lambda word: sum(f"{word}s of" in text or f"{word} of" in text for text in parts))
