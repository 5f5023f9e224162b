"""Claims that captions prove: only the captions and the parts of them that a claim cites count."""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Iterator

from instructgen.scenegraph.claims import Claim
from tests.provers.evidence import (
    Cited,
    Evidence,
    category_of,
    find_things,
    is_general,
    is_many,
    is_modifier,
    name_pattern,
    names_of,
    singular_of,
)
from tests.provers.words import (
    CIRCUMSTANCES,
    CLASHES,
    COLORS,
    OPPOSITES,
    PREPOSITIONS,
    forms_of,
    lemma_of,
    value_pattern,
    words_of,
)

# Words that end the run from an adjective to its noun.
_LINKS = (
    "a|an|the|with|on|in|of|to|next|near|by|for|at|is|are|that|has|have|over|behind|under|from|while|his|her|its|their"
    "|into|or|this|who|which|some|two|three|and|beside|above|below|around|against|through|across|along|wearing|holding|as"
)
NEGATION = re.compile(
    r"\b(?:no(?! (?:parking|smoking|left|right|u turn|entry|stopping|turn|outlet)\b)|not|without|nor|isn't|empty of|aren't|never)(?: [a-z]+){0,2} $"
)
_PREPOSITIONS = ("on the side of", "in the middle of", "on top of", "in front of", "next to", "out of")
LIKENESS = re.compile(
    r"\b(?:statue|painting|drawing|sculpture|toy|poster|mural|figurine|doll|reflection|cartoon|shadow|cutout)s?(?: of)?"
    r"(?: [a-z]+){0,2} $"
)
_NOT_OF_SCENE = re.compile(r"\b(?:painting|poster|mural|drawing|postcard|cartoon|screen ?saver)\b")
_NO_PLACE = re.compile(
    r"\b(?:no|not (?:in|on|at)|without)(?: an?| the)? +$|\b(?:painting|drawing|poster|mural) of(?: an?| the)? +$"
)
# What contradicts is told more narrowly than what proves: a "snowy slope" may lie in the sun.
_AGAINST = {
    "night": r"at night|night ?time", "day": "day ?time|during the day",
    "snowy": "snowing|snow (?:is )?falling|falling snow|snowy day|snow ?storm|blizzard",
}  # fmt: skip
_UNDER_SKY = re.compile(
    r"out(?:doors?|side)|(?:mountain|hill|field|street|road|tree|wave)s?|side ?walk|beach|ocean|sea|lake|river|pond|sky|snowy?"
    r"|grassy?|slope|runway|tarmac|highway|forest|wood(?:s|ed)|pasture|meadow|desert|yard|surf(?:ing)?|harbor|dock|pier"
    r"|garden|farm|intersection|crosswalk|park(?:ing)?|traffic|tracks|railroad|hillside|shore|dirt|skiing|snowboarding"
)
_WITHIN = (
    r"(?:bed|bath|living |class)?rooms?|kitchen|indoors?|inside|interior|office|restaurant|museum|gym|ceiling|carpet|couch"
    r"|painting|poster|mural|screen|televisions?|toys?|miniature|statue"
)
_PLACING = re.compile(
    r"\b(?:in|on|at|down|across|through|inside|along|into|of|by|near|onto|around|to|over|from|off|outside|beside|up)"
    r"(?: +(?!(?:with|is|are)\b)[a-z]+){0,4} +$"
)


def prove_exists(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """A thing without a box: the captions that are cited have to name it, each in the cited part."""
    cited = evidence.cited(claim)
    pattern = re.compile(rf"\b(?:{name_pattern(claim.subject)})\b")
    naming = {one.number for one in cited if pattern.search(one.text)}
    yield from (f"caption {one.number} does not name '{claim.subject}'" for one in cited if one.number not in naming)
    if not naming:
        yield f"none of the cited captions names '{claim.subject}'"
    for one in cited:
        match = pattern.search(one.caption, one.start)
        if match is not None and NEGATION.search(one.caption[: match.start()]):
            yield f"caption {one.number} denies '{claim.subject}'"
    plural = re.compile(rf"\b(?!{re.escape(singular_of(claim.subject))}\b)(?:{name_pattern(claim.subject)})\b")
    several = re.compile(r"\b(?:two|three|four|several|many|some|couple|pair|and)\b")
    if claim.number > 1 and not any(plural.search(one.text) or several.search(one.text) for one in cited):
        yield f"no cited caption has several of '{claim.subject}'"


def prove_attribute(evidence: Evidence, claim: Claim) -> Iterator[str]:
    noun = claim.subject
    yield from _doubt_one(evidence, noun)
    cited = evidence.cited(claim)
    wanted = _values(claim.value)
    for one in cited:
        if wanted not in told_values(one.text, _who(evidence, noun), claim.other, claim.value):
            yield f"caption {one.number} does not say in '{one.text}' that '{noun}' is '{claim.value}'"
    if not cited:
        yield f"cites no caption for '{claim.value}'"
    for number, caption in enumerate(evidence.captions):
        for told in told_values(caption, name_pattern(noun), claim.other, claim.value):
            if (claim.other == "color" and not told <= wanted) or (claim.other != "color" and _clash(told, wanted)):
                yield f"caption {number} says that '{noun}' is {sorted(told)}, not '{claim.value}'"


def _doubt_one(evidence: Evidence, noun: str) -> Iterator[str]:
    category = category_of(noun)
    if category is not None and not evidence.is_one(category):
        yield f"'the {noun}' may be any of several, or none"
    single = singular_of(noun)
    plural = re.compile(rf"\b(?!{re.escape(single)}\b)(?:{name_pattern(noun)})\b") if category is None else None
    if plural is not None and single == noun and not is_many(noun):
        found = [c for c in evidence.captions for m in plural.finditer(c) if m.group() == f"{single}s"]
        yield from (f"a caption has '{noun}' in the plural: {caption}" for caption in found[:1])


def _values(value: str) -> frozenset[str]:
    return frozenset(COLORS.get(word, word) for word in re.split(r",? and |, ", value))


def _clash(told: frozenset[str], wanted: frozenset[str]) -> bool:
    return any(pair <= told | wanted and not pair <= wanted for pair in OPPOSITES)


def told_values(text: str, nouns: str, kind: str, value: str) -> list[frozenset[str]]:
    """Return the values of a kind that a text ties to the noun: before it, or behind it after a form of "be"."""
    if kind == "color":
        names = "|".join(COLORS)
    else:
        rivals = {word for pair in OPPOSITES if value in pair for word in pair} | {value}
        names = "|".join(value_pattern(rival) for rival in sorted(rivals))
    run = rf"((?:{names})(?:(?:,? +and +|, *| +)(?:{names}))*)"
    between = rf"(?:,? +(?!(?:{_LINKS})\b)[a-z]+| +and +(?:{'|'.join(COLORS)})\b)"
    before = rf"\b{run}{between}{{0,5}}?,? +(?:{nouns})\b"
    place = r"(?: +(?:near|in|on|by|beside|behind|under|at|with|next to) (?:an? |the )?[a-z]+(?: [a-z]+)?)"
    behind = rf"\b(?:{nouns}){place}?? +(?:that +|which +)?(?:is|are) +{run}\b(?= *$| *[.,]| +(?:and|with|in|on)\b)"
    found = []
    for match in (*re.finditer(before, text), *re.finditer(behind, text)):
        behind_values = match.group()[match.group().index(match.group(1)) + len(match.group(1)) :]
        nouns_between = [thing for thing in find_things(behind_values) if thing.word not in COLORS]
        listed = any(re.match(r",| and", behind_values[thing.end :]) for thing in nouns_between)
        if listed or is_modifier(text[match.end() :]):
            continue  # "a white vase, artwork and a cloth": the value is another thing's
        words = re.findall(rf"\b(?:{names})\b", match.group(1))
        found.append(frozenset(COLORS.get(word) or _named(word, names, value) for word in words))
    return found


def _named(word: str, names: str, value: str) -> str:
    """Return the value that a caption's word stands for."""
    for one in {value} | {rival for pair in OPPOSITES if value in pair for rival in pair}:
        if word in value_pattern(one).split("|"):
            return one
    return word


def prove_doing(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """One cited caption has to have subject, verb, object and place in this order, and none of it denied."""
    cited = evidence.cited(claim)
    yield from _doubt_subject(evidence, claim.subject)
    if not cited:
        yield "cites no caption"
        return
    faults = [_doubt_caption(evidence, one, claim) for one in cited]
    if all(faults):
        told = f"'{claim.subject}' {claim.value} {claim.other}".rstrip()
        yield f"no cited caption has {told}: {faults[0]} in: {cited[0].caption}"
    for one in cited:
        if claim.value and not re.search(rf"\b(?:{_says(claim.value.split()[0])})\b", one.text):
            yield f"caption {one.number} does not say '{claim.value.split()[0]}' in '{one.text}'"


def _doubt_subject(evidence: Evidence, subject: str) -> Iterator[str]:
    category = category_of(subject)
    if category is None:
        if not evidence.captions_with(name_pattern(subject)):
            yield f"no caption has '{subject}'"
        return
    certain = len(evidence.boxes(category)) + 2 * evidence.has_crowd(category)
    if certain == 0:
        yield f"no box of '{subject}'"
    elif is_many(subject) and certain < 2 and category not in ("skis", "scissors"):
        yield f"only one '{subject}' is certain"
    elif not is_many(subject) and certain > 1 and category not in ("person", "sheep"):
        yield f"'the {subject}' may be any of several"


def _who(evidence: Evidence, subject: str) -> str:
    """A person alone may have another name in the caption that says what they do."""
    if category_of(subject) == "person" and evidence.is_one("person") and not is_many(subject):
        return name_pattern("person")
    if category_of(subject) not in (None, "person"):
        return _any_name(evidence, subject)
    if subject == "people":
        return f"{name_pattern('person')}|group|crowd|family|couple|team"
    return name_pattern(subject)


def _says(verb: str) -> str:
    """Return a pattern for the verb; one who is "in" or "with" something to wear wears it."""
    return f"{forms_of(verb)}|dressed|in|with" if lemma_of(verb) == "wear" else forms_of(verb)


def _doubt_caption(evidence: Evidence, one: Cited, claim: Claim) -> str:
    """Return what the cited part of a caption lacks of the claim, or ""."""
    verb, _, rest = claim.value.partition(" ")
    steps = [_who(evidence, claim.subject)]
    steps += [_says(verb)] if verb else []
    steps += [_any_name(evidence, noun) for noun in _nouns_of(rest)]
    at, text = 0, one.text
    for step in steps:
        match = re.compile(rf"\b(?:{step})\b").search(text, at)
        if match is None:
            return f"'{step[:40]}' is not there, or not in this order,"
        before = one.caption[: one.start + match.start()]
        if NEGATION.search(before) or (step == steps[0] and LIKENESS.search(before)):
            return f"'{match.group()}' is denied, or a likeness,"
        at = match.end()
    return _doubt_place(evidence, text[at:], claim.other.lower()) if claim.other else ""


def _doubt_place(evidence: Evidence, rest: str, where: str) -> str:
    rest = rest.replace("one another", "each other").replace("beside each other", "next to each other")
    rest = re.sub(r"\bin (?=skis\b)", "on ", rest)
    beside = re.match(r"(.*?(?:each other|side by side)) ?(.*)$", where)
    if beside is not None and (beside[1] not in rest or not beside[2]):
        return "" if beside[1] in rest else f"'{beside[1]}' is not there"
    where = beside[2] if beside is not None else where
    if where in rest:
        return ""
    first = next((one for one in _PREPOSITIONS if where.startswith(f"{one} ")), where.split()[0])
    match = re.match(rf"({first}) (?:an? |the )?(.+)$", where)
    if match is None:
        return f"'{where}' is no place"
    for found in re.finditer(rf"\b(?:{_any_name(evidence, match[2])})\b", rest):
        between = rest[: found.start()]
        said = "|".join(PREPOSITIONS.get(match[1], match[1]).split()) if match[1] in PREPOSITIONS else match[1]
        if match[1] in ("in", "at") and match[2].split()[-1] in _OPEN:
            said += "|on"
        if match[1] == "on" and match[2].split()[-1] in ("sill", "ledge", "court"):
            said += "|in"
        if re.search(rf"\b(?:{said})\b", between) and not NEGATION.search(between):
            return ""
    return f"'{where}' is not there"


def _nouns_of(rest: str) -> list[str]:
    """Return the nouns of an object: "a slice of pizza", "a game of tennis", "a pair of skis"."""
    rest = re.sub(r"^(?:an?|the|some) ", "", rest.strip().lower())
    rest = re.sub(r"^(?:pair|game) of ", "", rest)
    return ["wii"] if rest == "wii game" else [rest] if rest else []


# Who stands on top of one of these stands in it.
_OPEN = words_of("field pasture meadow yard lake river pond water ocean snow sand grass park")
# Names that say no more than each other.
_ALIKE = (
    {"kitten", "kitty"},
    {"stove", "range", "oven"},
    {"rooster", "chicken"},
    {"game controller", "controller", "wii"},
)


def _any_name(evidence: Evidence, noun: str) -> str:
    """What one caption has a narrow name for ("pony"), another may call by the general one, where no third disagrees."""
    category, narrow, single = category_of(noun), name_pattern(noun), singular_of(noun)
    if category is None or category == "person" or narrow == name_pattern(category):
        return narrow
    alike = {word for group in _ALIKE if single in group for word in group}
    narrow = "|".join([narrow, *(f"{word}s?" for word in sorted(alike))])
    general = {category, category.split()[-1]}
    told = {
        singular_of(found) for text in evidence.captions for found in re.findall(rf"\b({names_of(category)})\b", text)
    }
    told = {word for word in told if not is_general(word, category)}
    if not evidence.captions_with(narrow) or any(not _fits(word, single, general | alike) for word in told):
        return narrow
    return "|".join([narrow, *(f"{word}(?:e?s)?" for word in sorted(general))])


def _fits(word: str, narrow: str, general: set[str]) -> bool:
    """True if a caption's name is the narrow one, a general one, or one of these with a word before it."""
    return word == narrow or word in general or word.rsplit(maxsplit=1)[-1] in general or word.endswith(f" {narrow}")


def prove_place(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """A cited caption has to set the scene there, and none may mean another thing by the word."""
    if claim.value == "outdoors":
        yield from _prove_outdoors(evidence, claim)
        return
    setting = set()
    for one in evidence.cited(claim):
        for match in re.finditer(rf"\b(?:{name_pattern(claim.value)})\b", one.text):
            before = one.caption[: one.start + match.start()]
            if _NO_PLACE.search(before) or is_modifier(one.caption[one.end :]):
                yield f"caption {one.number} denies '{claim.value}', or means another thing by it"
            if _PLACING.search(before) or len(before.split()) < 4:
                setting.add(one.number)
    if not setting:
        yield f"none of the cited captions sets the scene in '{claim.value}'"


def _prove_outdoors(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """Three captions, or all of fewer, name what is under the sky, and none a room or what is in one."""
    told = {one.number for one in evidence.cited(claim) if _UNDER_SKY.fullmatch(one.text)}
    if len(told) < min(3, len(evidence.captions)):
        yield f"only {len(told)} of the cited captions tell of what is outdoors"
    for caption in evidence.captions_with(_WITHIN)[:1]:
        yield f"a caption tells of a room, or of a picture: {caption}"


def prove_circumstance(evidence: Evidence, claim: Claim) -> Iterator[str]:
    pattern = CIRCUMSTANCES.get(claim.value)
    cited = evidence.cited(claim)
    if pattern is None or not cited:
        yield f"nothing cited tells '{claim.value}'"
        return
    for one in cited:
        if not re.search(rf"\b(?:{pattern})\b", one.text) or _NOT_OF_SCENE.search(one.caption):
            yield f"caption {one.number} does not say '{claim.value}' in '{one.text}'"
    for pair in CLASHES:
        rival = next(iter(pair - {claim.value})) if claim.value in pair else ""
        strict = _AGAINST.get(rival, CIRCUMSTANCES.get(rival, ""))
        if rival and evidence.captions_with(strict):
            yield f"a caption says '{rival}', not '{claim.value}'"
