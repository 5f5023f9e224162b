"""Each kind of claim, checked against the evidence. A check returns "" or why the claim is not proved."""

# ruff: noqa: E501 - a pattern is a line

import re

from instructgen.records import Box
from tests.provers.evidence import Evidence, category_of, is_many, name_pattern

_NUMBERS = {
    word: n
    for n, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
}
_GENDERED = {
    **dict.fromkeys(("man", "men"), "m[ae]n|guys?|gentlem[ae]n"),
    **dict.fromkeys(("woman", "women"), "wom[ae]n|lady|ladies"),
    **dict.fromkeys(("boy", "boys"), "boys?"),
    **dict.fromkeys(("girl", "girls"), "girls?"),
    **dict.fromkeys(("baby", "babies"), "bab(?:y|ies)"),
    **dict.fromkeys(("child", "children"), "child|children|kids?|toddlers?"),
}  # fmt: skip
# Noun -> categories of which one (before the bar) and one (after it) suggest the place.
_PLACES_FROM_THINGS = {
    "kitchen": [{"oven", "refrigerator"}, {"refrigerator", "microwave", "sink"}],
    "bathroom": [{"toilet"}, {"sink"}],
    "living room": [{"couch"}, {"tv", "remote"}],
}
# Between a color and its noun none of these may stand.
_LINKS = "a|an|the|with|on|in|of|and|to|next|near|by|for|at|is|are|that|has|over|behind|under|from|while|his|her|its|into|or"
_SKIPPED = {
    "a",
    "an",
    "the",
    "in",
    "on",
    "at",
    "of",
    "to",
    "by",
    "up",
    "it",
    "its",
    "with",
    "from",
    "for",
    "into",
    "and",
    "top",
    "side",
    "middle",
    "front",
    "next",
    "down",
    "over",
}


def number_of(word: str) -> int:
    return _NUMBERS[word] if word in _NUMBERS else int(word)


def check_exists(evidence: Evidence, noun: str, *, many: bool | None = None) -> str:
    """Many: at least two must be certain. One: at least one."""
    many = is_many(noun) if many is None else many
    category = category_of(noun)
    if category is None or not evidence.is_boxed(category):
        found = evidence.captions_with(name_pattern(noun))
        return "" if found and category is None else f"no {noun}"
    if category == "person" and noun not in ("person", "people"):
        pattern = _GENDERED.get(noun, name_pattern(noun) if noun not in _GENDERED else "")
        if not evidence.captions_with(pattern):
            return f"nobody calls them {noun}"
    if many and category not in ("skis", "scissors", "broccoli"):
        enough = len(evidence.boxes(category)) > 1 or evidence.has_crowd(category)
        return "" if enough else f"only one {noun}"
    return ""


def check_absent(evidence: Evidence, noun: str) -> str:
    category = category_of(noun)
    if category is None:
        return f"cannot look for {noun}"
    return f"{noun} may be there" if evidence.doubts_absence(category) else ""


def check_count(evidence: Evidence, noun: str, number: int) -> str:
    category = category_of(noun)
    if category is None or evidence.has_crowd(category) or len(evidence.boxes(category)) != number:
        return f"boxes do not show {number} {noun}"
    if number == 1:
        return "" if evidence.captions_with(name_pattern(noun)) else f"no caption has one {noun}"
    words = [word for word, n in _NUMBERS.items() if n == number] + [str(number)]
    if number == 2:
        words += ["couple", "pair"]
    named = name_pattern(noun)
    told = evidence.captions_with(rf"(?:{'|'.join(words)})(?:,? [a-z]+){{0,6}}? (?:{named})")
    if category == "person":
        told += [caption for caption in evidence.captions if len(re.findall(rf"\b(?:{named})\b", caption)) == number]
    return "" if told else f"no caption counts {number} {noun}"


def check_color(evidence: Evidence, noun: str, colors: set[str]) -> str:
    category = category_of(noun)
    if category is not None and (len(evidence.boxes(category)) != 1 or evidence.has_crowd(category)):
        return f"{noun} is not one thing"
    gray = {"gray": "gr[ae]y", "gold": "gold(?:en)?"}
    names = "|".join(
        [
            "black",
            "white",
            "red",
            "blue",
            "green",
            "yellow",
            "orange",
            "pink",
            "purple",
            "brown",
            "gray",
            "grey",
            "tan",
            "beige",
            "golden",
            "gold",
            "silver",
            "turquoise",
            "teal",
            "maroon",
        ]
    )
    run = rf"\b((?:{names})(?:(?:,? and |, | )(?:{names}))*)(?: (?!(?:{_LINKS}|{names})\b)[a-z]+){{0,4}}? (?:{name_pattern(noun)})\b"
    told = [
        set(re.findall(names, match.group(1))) for caption in evidence.captions for match in re.finditer(run, caption)
    ]
    told = [{next((k for k, v in gray.items() if re.fullmatch(v, c)), c) for c in found} for found in told]
    return "" if colors in told else f"{noun} is not told to be {sorted(colors)}, but {told}"


def _single(evidence: Evidence, noun: str) -> Box | None:
    category = category_of(noun)
    boxes = evidence.boxes(category) if category else []
    return boxes[0] if len(boxes) == 1 and category and not evidence.has_crowd(category) else None


def fits_region(box: Box, region: str) -> bool:
    """A box fits a side if its centre lies there with room to spare; the middle is a band around the centre."""
    across, along = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    facts = {
        "left": across < 0.4, "right": across > 0.6, "upper": along < 0.42, "top": along < 0.42,
        "lower": along > 0.58, "bottom": along > 0.58,
    }  # fmt: skip
    if re.search(r"\b(?:middle|center)\b", region):
        return abs(across - 0.5) < 0.1 and abs(along - 0.5) < 0.1
    asked = [fits for word, fits in facts.items() if re.search(rf"\b{word}\b", region)]
    return bool(asked) and all(asked)


def check_region(evidence: Evidence, noun: str, region: str) -> str:
    category = category_of(noun)
    boxes = evidence.boxes(category) if category else []
    return "" if any(fits_region(box, region) for box in boxes) else f"{noun} is not {region}"


def check_only_region(evidence: Evidence, noun: str, region: str) -> str:
    """For "the X": its one box must lie there."""
    box = _single(evidence, noun)
    return "" if box is not None and fits_region(box, region) else f"the {noun} is not {region}"


def check_relation(evidence: Evidence, one: str, other: str, direction: str) -> str:
    a, b = _single(evidence, one), _single(evidence, other)
    if a is None or b is None or category_of(one) == category_of(other):
        return f"{one} or {other} is not one thing"
    holds = {"left": a.x1 < b.x0, "right": a.x0 > b.x1, "higher": a.y1 < b.y0, "lower": a.y0 > b.y1}[direction]
    return "" if holds else f"{one} is not {direction} of {other}"


def check_larger(evidence: Evidence, one: str, other: str) -> str:
    a, b = _single(evidence, one), _single(evidence, other)
    if a is None or b is None:
        return f"{one} or {other} is not one thing"
    sizes = [(box.x1 - box.x0) * (box.y1 - box.y0) for box in (a, b)]
    return "" if sizes[0] > 1.5 * sizes[1] else f"{one} is not clearly larger than {other}"


def check_extent(evidence: Evidence, noun: str, kind: str) -> str:
    box = _single(evidence, noun)
    if box is None:
        return f"{noun} is not one thing"
    width, height = box.x1 - box.x0, box.y1 - box.y0
    holds = {"wide": width > 0.7, "tall": height > 0.7, "small": width * height < 0.05}[kind]
    return "" if holds else f"{noun} is not {kind}"


def check_half(evidence: Evidence, noun: str, half: str) -> str:
    boxes = evidence.boxes(category_of(noun) or "")
    ends = {
        "left": [box.x1 <= 0.5 for box in boxes], "right": [box.x0 >= 0.5 for box in boxes],
        "upper": [box.y1 <= 0.5 for box in boxes], "lower": [box.y0 >= 0.5 for box in boxes],
    }  # fmt: skip
    if half == "both":
        return "" if any(ends["left"]) and any(ends["right"]) else f"{noun} are not on both sides"
    return "" if len(boxes) > 1 and all(ends[half]) else f"not all {noun} are in the {half} half"


def check_largest(evidence: Evidence, noun: str, region: str) -> str:
    boxes = sorted(evidence.boxes(category_of(noun) or ""), key=lambda box: (box.x1 - box.x0) * (box.y1 - box.y0))
    if len(boxes) < 2 or boxes[-1].area < 1.4 * boxes[-2].area:
        return f"no {noun} is clearly the largest"
    return "" if fits_region(boxes[-1], region) else f"the largest {noun} is not {region}"


def check_focus(evidence: Evidence, noun: str) -> str:
    """What is called the focus must be boxed, and be named by two captions or stand alone."""
    category = category_of(noun)
    if category is None or not evidence.is_boxed(category):
        return f"{noun} is not boxed"
    alone = len({box.category for box in evidence.record.boxes}) == 1
    large = max((box.area for box in evidence.boxes(category)), default=0.0) > 0.1
    named = len(evidence.captions_with(name_pattern(noun))) > 1
    return "" if alone or named or large else f"{noun} is not the focus"


def check_setting(evidence: Evidence, place: str) -> str:
    """Two captions must name the place, or one if something boxed belongs there; else things must give it away."""
    noun = re.sub(r"^(?:(?:in|on|at|by) )?(?:an? |the )?", "", place)
    named = len(evidence.captions_with(name_pattern(noun)))
    if named > 1 or (named == 1 and evidence.record.boxes):
        return ""
    boxed = {box.category for box in evidence.record.boxes}
    signs = _PLACES_FROM_THINGS.get(noun)
    return "" if signs and all(group & boxed for group in signs) else f"nobody says it is {place}"


def _stems(verb: str) -> str:
    """Match any form of a verb given as "-ing" or participle."""
    irregular = {
        "lying": "lying|lies|lie|laying|lays|lay|laid", "perched": "perch\\w*", "parked": "park\\w*", "docked": "dock\\w*",
        "seated": "seat\\w*", "gathered": "gather\\w*", "pulled": "pull\\w*", "mounted": "mount\\w*", "topped": "topp?\\w*",
        "filled": "fill\\w*", "covered": "cover\\w*", "decorated": "decorat\\w*", "doing": "doing|does|do",
    }  # fmt: skip
    if verb in irregular:
        return irregular[verb]
    base = re.sub(r"(?:ing)$", "", verb)
    short = base[:-1] if len(base) > 2 and base[-1] == base[-2] else base
    fly = base[:-1] + "i" if base.endswith("y") else base
    return rf"{verb}|(?:{base}|{short}|{base}e|{fly})(?:e?s)?"


def check_doing(evidence: Evidence, subject: str, doing: str) -> str:
    """One caption must have the subject, then the verb, then every noun of the rest, in this order."""
    missing = check_exists(evidence, subject)
    if missing:
        return missing
    verb, _, rest = doing.partition(" ")
    nouns = _split_nouns(rest)
    for noun in nouns:
        category = category_of(noun)
        if category is not None and not evidence.is_boxed(category):
            return f"no {noun}"
    who = name_pattern(subject)
    for caption in evidence.captions:
        at = 0
        for pattern in (who, _stems(verb), *(name_pattern(noun) for noun in nouns)):
            found = re.compile(rf"\b(?:{pattern})\b").search(caption, at)
            if found is None:
                break
            at = found.start() + 1 if pattern == who else found.end()
        else:
            return ""
    return f"no caption has {subject} {doing}"


def check_place(evidence: Evidence, subject: str, where: str) -> str:
    """One caption must have the subject before all nouns of the place, with the preposition of the same kind."""
    missing = check_exists(evidence, subject)
    if missing:
        return missing
    nouns = _split_nouns(where)
    for caption in evidence.captions:
        at = 0
        for pattern in (name_pattern(subject), *(name_pattern(noun) for noun in nouns)):
            found = re.compile(rf"\b(?:{pattern})\b").search(caption, at)
            if found is None:
                break
            at = found.end()
        else:
            return ""
    return f"no caption has {subject} {where}"


_PREPOSITIONS = re.compile(
    r"\b(?:on top of|on the side of|in the middle of|in front of|next to|out of|inside|outside|underneath|under|behind"
    r"|beside|through|across|along|around|against|toward|among|above|over|down|into|onto|near|past|from|with|off|on|in"
    r"|at|by|up|for|to)\b"
)


def _split_nouns(rest: str) -> list[str]:
    parts = (
        re.sub(r"^(?:an?|the|some|two|three|four|five|six)\s+", "", part.strip())
        for part in _PREPOSITIONS.split(rest)
    )
    games = {"video game": "video game", "wii game": "wii"}
    found = [games.get(part, part) for part in parts if part and part not in _SKIPPED]
    return [re.sub(r"^(?:pair of|game of) ", "", noun) for noun in found]
