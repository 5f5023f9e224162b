"""Claims that boxes prove: what is there, how many, where in the frame, how large. Only the boxes that are cited count."""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from instructgen.records import Box
from instructgen.scenegraph.claims import Claim
from tests.provers.evidence import Evidence, category_of, find_things, is_many, is_modifier, name_pattern, singular_of
from tests.provers.words import NUMBERS

# Categories of which one (before the bar) and one (after it) suggest the place.
_PLACES_FROM_THINGS = {
    "kitchen": [{"oven", "refrigerator"}, {"refrigerator", "microwave", "sink"}],
    "bathroom": [{"toilet"}, {"sink"}],
    "living room": [{"couch"}, {"tv", "remote"}],
}
_MOST = 3  # captions
_MANY = r"(?:two|three|four|five|several|many|some|lots of|group of|bunch(?:es)? of|pile of|couple of|pair of)"
_NOT_COUNTED = ("skis", "scissors", "broccoli")
# Words that say of a category more than its name does: captions have to say so too.
_OF_CAPTIONS = {"stove": "stoves?|stove tops?", "game controller": "controllers?|wii|nintendo|game"}


_PART = re.compile(r" +(?:face|head|neck|mouth|tongue|tail|back|eyes?|nose|ears?|engine|side|top|front)\b")


def size_of(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def fits_region(box: Box, region: str) -> bool:
    """A box fits a side if its centre lies there with room to spare; the middle is a band around the centre."""
    across, along = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    fits = {
        "left": across < 0.4 and box.x1 < 0.6,
        "right": across > 0.6 and box.x0 > 0.4,
        "top": along < 0.4 and box.y1 < 0.6,
        "bottom": along > 0.6 and box.y0 > 0.4,
        "middle": abs(across - 0.5) < 0.1 and abs(along - 0.5) < 0.1,
    }
    if region in ("near left", "near right"):
        off = across - 0.5 if region == "near right" else 0.5 - across
        return 0.05 < off < 0.16 and box.x1 - box.x0 < 0.55
    words = region.split()
    return bool(words) and all(fits.get(word, False) for word in words)


def _category(claim_noun: str) -> str:
    category = category_of(claim_noun)
    if category is None:
        raise ValueError(f"no box can prove anything of '{claim_noun}'")
    return category


def _only_one(evidence: Evidence, claim: Claim, noun: str) -> Box:
    """Return the one box that "the X" can mean; raise ValueError unless it is cited and there is no other."""
    category = _category(noun)
    if not evidence.is_one(category):
        raise ValueError(f"'the {noun}' may be any of several, or none")
    boxes = evidence.cited_boxes(claim, category)
    if len(boxes) != 1:
        raise ValueError(f"does not cite the box of '{noun}'")
    return boxes[0]


def prove_exists(evidence: Evidence, claim: Claim) -> Iterator[str]:
    noun = claim.subject
    category = _category(noun)
    boxes = evidence.cited_boxes(claim, category)
    if not boxes:
        # What most captions name is there, though annotators missed it.
        if evidence.boxes(category) or len(evidence.captions_with(name_pattern(noun))) < _MOST:
            yield f"cites no box of '{noun}'"
        return
    yield from doubt_name(evidence, noun)
    certain = sum(2 if box.is_crowd else 1 for box in boxes)
    is_several = claim.number > 1 or is_many(noun)
    if is_several and category not in _NOT_COUNTED and certain < 2 and not _are_told(evidence, noun):
        yield f"only one '{noun}' is certain"
    if claim.number > 2:
        yield from _doubt_least(evidence, claim, certain)


def _doubt_least(evidence: Evidence, claim: Claim, certain: int) -> Iterator[str]:
    """Object to "at least seven" where fewer are boxed, or where a caption counts fewer."""
    noun = claim.subject
    if certain < claim.number:
        yield f"{certain} of '{noun}' are certain, not {claim.number}"
    adjectives = r"(?:,? [a-z]+){0,2}? "
    for word, told in NUMBERS.items():
        pattern = rf"{word}{adjectives}(?:{name_pattern(noun)})"
        for caption in evidence.captions_with(pattern) if 1 < told < claim.number else ():
            yield f"a caption counts {told} of '{noun}', not {claim.number}: {caption}"


def _are_told(evidence: Evidence, noun: str) -> bool:
    """True where three captions, and more than have it as one, tell several of what one box holds: "many apples"."""
    names = name_pattern(noun)
    one = evidence.captions_with(rf"(?:an?|one|the) (?:[a-z]+ )?{re.escape(singular_of(noun))}")
    several = evidence.captions_with(rf"{_MANY} (?:[a-z]+,? ){{0,3}}?(?:{names})|(?:{names})(?<=s)(?:'s)?")
    return len(several) >= _MOST and len(several) > len(one)


def doubt_name(evidence: Evidence, noun: str) -> Iterator[str]:
    """Object to a narrow name ("woman", "stove") that no caption has, and to one of the other sex."""
    single = singular_of(noun)
    pattern = _OF_CAPTIONS.get(single) or ("" if single == "screen" else name_pattern(noun))
    if pattern and pattern != name_pattern(_category(noun)) and not evidence.captions_with(pattern):
        yield f"no caption says '{noun}'"


def prove_absent(evidence: Evidence, claim: Claim) -> Iterator[str]:
    if evidence.doubts_absence(_category(claim.subject)):
        yield f"'{claim.subject}' may be there"


def prove_count(evidence: Evidence, claim: Claim) -> Iterator[str]:
    noun, number = claim.subject, claim.number
    category = _category(noun)
    cited = evidence.cited_boxes(claim, category)
    if evidence.has_crowd(category) or not len(cited) == len(evidence.boxes(category)) == number:
        yield f"boxes do not show exactly {number} of '{noun}'"
    # "A man and two boys" are three people: only "people" counts them all.
    names = "people|persons?" if noun in ("people", "person") else name_pattern(noun)
    words = "|".join([word for word, n in NUMBERS.items() if n > 1] + ["couple", "pair", "[2-9]", "1[0-2]"])
    adjectives = r"(?:,? (?!and |with |on |in |at |by |of |next |near |behind |from |to )[a-z]+){0,2}? "
    for caption in evidence.captions_with(rf"(?:{words})(?: of(?! the\b))?{adjectives}(?:{names})"):
        yield from _doubt_number(caption, rf"\b({words})(?: of(?! the\b))?{adjectives}(?:{names})\b", number, noun)
    many = (
        rf"\b(?:many|several|lots of|a lot of|group of|herd of|flock of|bunch of|dozens? of){adjectives}(?:{names})\b"
    )
    told = evidence.captions_with(rf"(?:{_words_for(number)}){adjectives}(?:{names})")
    for caption in evidence.captions if number < 3 and not told else ():
        if any(not is_modifier(caption[found.end() :]) for found in re.finditer(many, caption)):
            yield f"a caption speaks of more than {number} '{noun}'"
    for caption in evidence.captions if number == 1 else ():
        # "A giraffes neck" is one giraffe's.
        for found in re.finditer(rf"\b(?:{_plurals(noun)})\b", caption):
            alone = re.search(r"\ban? +(?:[a-z]+ +){0,4}$", caption[: found.start()])
            if not alone and not is_modifier(caption[found.end() :]) and not _PART.match(caption, found.end()):
                yield f"a caption has '{noun}' in the plural"


def _words_for(number: int) -> str:
    words = [word for word, n in NUMBERS.items() if n == number]
    return "|".join([*words, str(number), *(["(?:pair|couple) of"] if number == 2 else [])])


def _doubt_number(caption: str, pattern: str, number: int, noun: str) -> Iterator[str]:
    for match in re.finditer(pattern, caption):
        word = match.group(1)
        told = 2 if word in ("couple", "pair") else NUMBERS.get(word) or int(word)
        # "Four men playing frisbee", "two apples, a bowl", "a 2 tier cake": the number is another thing's.
        between = re.sub(rf"(?:{name_pattern(noun)})$", "", match.group().removeprefix(word))
        if (
            is_modifier(caption[match.end() :])
            or find_things(between)
            or re.search(r"ing\b|\b(?:an?|their|his|her|its)\b|,|\b(?:tier|layer|level|stor)", between)
        ):
            continue
        if told != number and not (told == 2 and word == "pair" and noun.startswith("ski")):
            yield f"a caption counts {told} of '{noun}', not {number}"


def _plurals(noun: str) -> str:
    single = singular_of(noun)
    plain = {"person": "people", "man": "men", "woman": "women", "child": "children"}.get(
        single, f"{single}es" if single.endswith("s") else f"{single}e?s"
    )
    return plain if single not in _NOT_COUNTED and single not in ("sheep",) else r"(?!)"


def prove_more(evidence: Evidence, claim: Claim) -> Iterator[str]:
    one, other = (evidence.boxes(_category(noun)) for noun in (claim.subject, claim.other))
    if len(one) <= len(other):
        yield f"'{claim.subject}' do not outnumber '{claim.other}'"


def prove_region(evidence: Evidence, claim: Claim) -> Iterator[str]:
    box = _only_one(evidence, claim, claim.subject)
    if not fits_region(box, claim.value):
        yield f"'{claim.subject}' is not at '{claim.value}'"
    yield from doubt_name(evidence, claim.subject)


def prove_relation(evidence: Evidence, claim: Claim) -> Iterator[str]:
    a, b = (_only_one(evidence, claim, noun) for noun in (claim.subject, claim.other))
    holds = {"left": a.x1 < b.x0, "right": a.x0 > b.x1, "higher": a.y1 < b.y0, "lower": a.y0 > b.y1}
    if _category(claim.subject) == _category(claim.other) or not holds.get(claim.value, False):
        yield f"'{claim.subject}' is not {claim.value} of '{claim.other}'"


def prove_larger(evidence: Evidence, claim: Claim) -> Iterator[str]:
    a, b = (_only_one(evidence, claim, noun) for noun in (claim.subject, claim.other))
    if size_of(a) <= 1.5 * size_of(b):
        yield f"'{claim.subject}' is not clearly larger than '{claim.other}'"


def prove_order(evidence: Evidence, claim: Claim) -> Iterator[str]:
    boxes = [_only_one(evidence, claim, noun) for noun in claim.subject.split("|")]
    if len(boxes) < 2:
        yield "an order of fewer than two"
    holds: dict[str, Callable[[Box, Box], bool]] = {
        "left to right": lambda a, b: a.x1 < b.x0,
        "large to small": lambda a, b: size_of(a) > 1.5 * size_of(b),
    }
    follows = holds.get(claim.value)
    if follows is None or not all(follows(a, b) for a, b in pairwise(boxes)):
        yield f"'{claim.subject}' are not in order {claim.value}"


def prove_largest(evidence: Evidence, claim: Claim) -> Iterator[str]:
    category = _category(claim.subject)
    ranked = sorted(evidence.boxes(category), key=size_of)
    cited = evidence.cited_boxes(claim, category)
    if len(cited) != 1:
        yield f"cites not one box of '{claim.subject}' but {len(cited)}"
        return
    if len(ranked) < 2 or cited[0] != ranked[-1] or size_of(ranked[-1]) < 1.4 * size_of(ranked[-2]):
        yield f"the box is not clearly the largest '{claim.subject}'"
    if evidence.has_crowd(category):
        yield f"a crowd of '{claim.subject}' is not measured"
    if claim.value and not fits_region(cited[0], claim.value):
        yield f"the largest '{claim.subject}' is not at '{claim.value}'"


def prove_overlap(evidence: Evidence, claim: Claim) -> Iterator[str]:
    a, b = (_only_one(evidence, claim, noun) for noun in (claim.subject, claim.other))
    wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(0.0, wide) * max(0.0, high)
    if shared <= 0.05 * (size_of(a) + size_of(b) - shared):
        yield f"'{claim.subject}' and '{claim.other}' hardly overlap"


def prove_edge(evidence: Evidence, claim: Claim) -> Iterator[str]:
    box = _only_one(evidence, claim, claim.subject)
    gaps = {"left": box.x0, "right": 1 - box.x1, "top": box.y0, "bottom": 1 - box.y1}
    if gaps.get(claim.value, 1.0) > 0.006:
        yield f"'{claim.subject}' does not reach the {claim.value} edge"


def prove_extent(evidence: Evidence, claim: Claim) -> Iterator[str]:
    box = _only_one(evidence, claim, claim.subject)
    width, height = box.x1 - box.x0, box.y1 - box.y0
    holds = {
        "wide": width > 0.7, "tall": height > 0.7, "large": width * height > 0.2, "small": width * height < 0.05,
    }  # fmt: skip
    if not holds.get(claim.value, False):
        yield f"'{claim.subject}' is not {claim.value}"


def prove_sides(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """There are two, one on the left and one on the right."""
    boxes = evidence.cited_boxes(claim, _category(claim.subject))
    if len(boxes) != 2 or any(box.is_crowd for box in evidence.record.boxes if box.category == boxes[0].category):
        yield f"cites {len(boxes)} boxes of '{claim.subject}'"
    elif not any(fits_region(one, "left") and fits_region(other, "right") for one, other in (boxes, boxes[::-1])):
        yield f"'{claim.subject}' are not on opposite sides"


def prove_half(evidence: Evidence, claim: Claim) -> Iterator[str]:
    category = _category(claim.subject)
    boxes = evidence.cited_boxes(claim, category)
    if len(boxes) != len([box for box in evidence.record.boxes if box.category == category]) or not boxes:
        yield f"does not cite all boxes of '{claim.subject}'"
    ends = {
        "left": [box.x1 <= 0.5 for box in boxes], "right": [box.x0 >= 0.5 for box in boxes],
        "upper": [box.y1 <= 0.5 for box in boxes], "lower": [box.y0 >= 0.5 for box in boxes],
    }  # fmt: skip
    if claim.value == "both":
        holds = any(ends["left"]) and any(ends["right"])
    else:
        holds = all(ends.get(claim.value, [False])) and not any(box.is_crowd for box in boxes)
    if not holds:
        yield f"'{claim.subject}' are not in the {claim.value} half"


def prove_inferred(evidence: Evidence, claim: Claim) -> Iterator[str]:
    things = {_category(noun) for noun in claim.subject.split("|")}
    yield from (f"cites no box of '{name}'" for name in sorted(things) if not evidence.cited_boxes(claim, name))
    signs = _PLACES_FROM_THINGS.get(claim.value)
    if signs is None or not all(group & things for group in signs) or len(things) < 2:
        yield f"{sorted(things)} do not give '{claim.value}' away"


def prove_located(evidence: Evidence, claim: Claim) -> Iterator[str]:
    boxes = evidence.cited_boxes(claim, _category(claim.subject))
    if len(boxes) != 1 or boxes[0].is_crowd or len(claim.evidence.boxes) != 1:
        yield f"cites not one box of '{claim.subject}'"
    yield from doubt_name(evidence, claim.subject)


def prove_main(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """Nearly all captions have to name what is called the main thing."""
    category = _category(claim.subject)
    if not evidence.cited_boxes(claim, category):
        yield f"cites no box of '{claim.subject}'"
    named = len(evidence.captions_with(name_pattern(category)))
    if named < max(2, len(evidence.captions) - 1):
        yield f"{named} of {len(evidence.captions)} captions name '{claim.subject}'"
    yield from doubt_name(evidence, claim.subject)
