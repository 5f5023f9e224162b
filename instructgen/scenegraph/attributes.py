"""What things are like: colors, materials, sizes, ages, patterns and states that captions tie to one thing."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import COLOURS, join_words, plural_of
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import Attribute, AttributeKind, Contradiction, Entity, Evidence, Span
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.vocabulary import BOUNDARIES, PREPOSITIONS

# kind | word as we say it = words of captions
_TABLE = """
material|wood = wooden wood
material|metal = metal metallic
material|steel = steel
material|glass = glass
material|plastic = plastic
material|paper = paper
material|brick = brick
material|stone = stone
material|concrete = concrete
material|leather = leather
material|marble = marble
material|porcelain = porcelain
material|iron = iron
material|cardboard = cardboard
material|wicker = wicker
size|large = big large huge giant large-sized
size|small = small little tiny
size|tall = tall
size|long = long
age|old = old older elderly
age|antique = antique
age|vintage = vintage
age|young = young
age|new = new
age|modern = modern
pattern|striped = striped
pattern|plaid = plaid
pattern|spotted = spotted
pattern|floral = floral
pattern|colorful = colorful
state|open = open
state|closed = closed
state|empty = empty
state|full = full
state|dirty = dirty
state|dusty = dusty
state|muddy = muddy
state|clean = clean
state|wet = wet
state|rusty = rusty
state|messy = messy
state|cluttered = cluttered
state|tidy = neat tidy
state|fluffy = fluffy
state|furry = furry
state|bearded = bearded
state|shirtless = shirtless
state|blond = blonde blond
state|decorated = decorated
state|ornate = ornate
"""
_OPPOSITES = (
    {"large", "small"}, {"tall", "small"}, {"long", "small"}, {"old", "young"}, {"old", "new"}, {"old", "modern"},
    {"open", "closed"}, {"empty", "full"}, {"dirty", "clean"}, {"messy", "tidy"}, {"dusty", "clean"},
    {"muddy", "clean"}, {"cluttered", "tidy"}, {"cluttered", "clean"}, {"messy", "clean"},
    {"antique", "new"}, {"antique", "modern"}, {"vintage", "new"}, {"vintage", "modern"},
)  # fmt: skip
_SAFE_KINDS = frozenset({"wear", "surface", "thing"})
# "Red" says something else of these: wine, the state of a lamp behind it, the name of a species.
_NO_COLOR = frozenset(
    (
        "wine glass",
        "glass",
        "bear",
        "orange",
        "person",
        "tree",
        "screen",
        "tv",
        "egg",
        "pepper",
        "onion",
        "bean",
        "cup",
    )
)
# What may be made of something else than its name says: "a glass window", "a paper cup" are told as they are.
_NO_MATERIAL = frozenset(("glass", "person", "window", "book", "paper", "wine glass"))
DRAPED = frozenset(("bed", "dining table", "couch"))  # a color may be that of what lies on these
# Colors that are never told, and speak against another.
_OTHER_COLORS = frozenset((
    "lavender", "magenta", "violet", "cream", "navy", "lime", "burgundy", "bronze", "copper", "multicolored",
    "rainbow", "multi", "peach", "coral", "mustard", "khaki", "aqua", "indigo", "neon", "checkered", "camouflage",
    "calico",
))  # fmt: skip
_MONOCHROME = frozenset(
    {"sepia", "monochrome", "grayscale", "greyscale", "photograph", "photo", "picture", "image", "pic"}
)
_LAST_WORDS = frozenset(words.split()[-1] for words in PREPOSITIONS) | {"of"}
_KEPT_WORDS = 1 << 12
_REACH = 8  # words before a noun in which a color may be meant for it
_LIKE_IT = frozenset(("patterned", "pattern", "print", "printed", "style", "looking", "like", "colored", "effect"))
_COATS = frozenset((
    "hair", "fur", "coat", "spots", "spot", "markings", "patches", "patch", "feathers", "mane", "stripes", "head",
    "ears", "face", "paws", "legs", "tail", "trim", "roof", "top",
))  # fmt: skip
# Parts whose color other captions may tell of the whole: "a wicker chair with a red cushion".
_PARTS = frozenset((
    "cushion", "cushions", "seat", "seats", "pillow", "pillows", "handle", "handles", "lid", "door", "doors",
    "stripe", "accents", "upholstery", "padding", "cover",
))  # fmt: skip
_IN_PART = {color: f"partly {color}" for color in COLOURS.values()}
_ANY_COLOR = frozenset(COLOURS.values()) | _OTHER_COLORS
_MATERIALS = frozenset({"wood", "metal", "glass", "plastic", "brick", "stone", "concrete", "leather", "marble"})
_BE = frozenset({"is", "are"})
_PARTLY = frozenset(("partially", "partly", "half", "slightly", "almost", "nearly", "semi", "not", "mostly", "kind"))
# Words that may mean any machine: of a boxed one beside them they may be another name.
_ANY_MACHINE = frozenset(("box", "device", "machine", "object", "item", "unit", "monitor", "screen", "appliance"))
_MACHINES = frozenset(("electronic", "appliance"))
_ENDS = frozenset({".", ",", "and", "with", "on", "in", "while", ";", "!"})


def _make_values() -> dict[str, tuple[AttributeKind, str]]:
    values: dict[str, tuple[AttributeKind, str]] = {}
    for line in _TABLE.strip().splitlines():
        kind, _, rest = line.partition("|")
        value, _, words = rest.partition(" = ")
        for word in words.split():
            values[word] = kind, value  # type: ignore[assignment]
    return values


# Key: a caption's adjective; value: kind and the word as we say it.
VALUES = _make_values()
BEFORE_NOUN = {"wood": "wooden"}  # how a material is said before its noun
Told = tuple[CaptionReading, NounPhrase, AttributeKind, str, Span]


def find_attributes(
    readings: tuple[CaptionReading, ...], entities: list[Entity]
) -> tuple[list[Attribute], list[Contradiction]]:
    """Return the attributes of single things, the best supported first, and those that captions disagree on."""
    colors_count = not any(_is_monochrome(reading.tokens) for reading in readings)
    found: list[Attribute] = []
    disputed: list[Contradiction] = []
    for entity in entities:
        in_parts = bool(entity.category) and not entity.boxes
        if not entity.is_single or entity.member_of is not None or in_parts or not _is_askable(entity):
            continue
        phrases = [(reading, phrase) for reading in readings for phrase in reading.phrases if _names(phrase, entity)]
        if entity.name in _ANY_MACHINE and _may_be_machine(phrases, entities):
            continue
        if any(phrase.is_plural or phrase.is_likeness or phrase.is_negated for _, phrase in phrases):
            continue
        told = [fact for reading, phrase in phrases for fact in _read_phrase(reading, phrase)]
        near = frozenset().union(*(_near(reading.tokens, entity) for reading in readings))
        if colors_count and entity.name not in _NO_COLOR:
            clear = all(phrase.colours is not None for _, phrase in phrases)
            _add_color(entity, told if clear else [], near, found, disputed)
        _add_others(entity, told, near, found, disputed)
    found = [one for one in found if not _is_doubtful(one, entities[one.entity], is_few=len(readings) < FEW)]
    found.sort(key=lambda one: (-one.num_captions, not entities[one.entity].category, one.entity, one.kind))
    return found, disputed


def _is_doubtful(one: Attribute, entity: Entity, *, is_few: bool) -> bool:
    """True for what a single caption of many tells and others may see otherwise: a size, the color of a bed."""
    if one.value == "full":
        return True  # a moon, a tree: only of a vessel it tells something
    if one.value in ("open", "closed") and entity.name.endswith("sign"):
        return True  # its words are of what it stands by
    is_alone = one.num_captions < 2 and not is_few
    return is_alone and (one.kind == "size" or (one.kind == "color" and entity.name in DRAPED))


def _may_be_machine(said: list[tuple[CaptionReading, NounPhrase]], entities: list[Entity]) -> bool:
    """True where a machine is boxed that no caption names beside this word: it may be that one."""
    boxed = {one.name for one in entities if one.boxes and one.kind in _MACHINES}
    apart = {other.noun.category for reading, _ in said for other in reading.phrases}
    return bool(boxed - apart)


def _names(phrase: NounPhrase, entity: Entity) -> bool:
    return (phrase.noun.category or phrase.noun.lemma) == entity.name and bool(entity.category) == bool(
        phrase.noun.category
    )


def _is_askable(entity: Entity) -> bool:
    return bool(entity.category) or entity.kind in _SAFE_KINDS


def _read_phrase(reading: CaptionReading, phrase: NounPhrase) -> Iterator[Told]:
    """Yield what stands before the noun ("a red bus"), or behind it ("the bus is red")."""
    span = reading.span(phrase.start, phrase.end)
    if phrase.noun.lemma == "wall" and reading.tokens[phrase.start] == "one":
        return  # of a room with "one brick wall" the others are not
    if phrase.colours:
        yield reading, phrase, "color", join_words(list(phrase.colours)), span
    behind = dict(pairwise(reading.tokens[phrase.start : phrase.end]))
    for word in phrase.adjectives:
        if word in VALUES and behind.get(word) not in _LIKE_IT:
            yield reading, phrase, *VALUES[word], span
    yield from _read_predicate(reading, phrase)
    for quality in reading.qualities:
        if (quality.start, quality.end) == (phrase.start, phrase.end):
            whole = reading.span(quality.first, quality.last)
            if quality.word in COLOURS:
                yield reading, phrase, "color", COLOURS[quality.word], whole
            elif quality.word in VALUES:
                yield reading, phrase, *VALUES[quality.word], whole


def _read_predicate(reading: CaptionReading, phrase: NounPhrase) -> Iterator[Told]:
    tokens, at = reading.tokens, phrase.end
    if tokens[at : at + 1] in (("that",), ("which",)):
        at += 1
    elif phrase.start and tokens[phrase.start - 1] in _LAST_WORDS:
        return  # of "a light near a sign is red" the light is
    if at + 1 >= len(tokens) or tokens[at] not in _BE:
        return
    colors: list[str] = []
    index = at + 1
    while index < len(tokens) and (tokens[index] in COLOURS or (colors and tokens[index] in ("and", ","))):
        if tokens[index] in COLOURS:
            colors.append(COLOURS[tokens[index]])
        index += 1
    ends = index >= len(tokens) or tokens[index] in _ENDS or tokens[index - 1] in ("and", ",")
    span = reading.span(phrase.start, index)
    if colors and ends and tokens[index - 1] not in ("and", ","):
        yield reading, phrase, "color", join_words(colors), span
    word = tokens[at + 1]
    if word in VALUES and (at + 2 >= len(tokens) or tokens[at + 2] in _ENDS):
        yield reading, phrase, *VALUES[word], reading.span(phrase.start, at + 2)


@lru_cache(maxsize=_KEPT_WORDS)
def _heads_of(word: str, category: str) -> frozenset[str]:
    """Return the last words of all names of a thing, in both numbers."""
    others = CATEGORIES[category].synonyms if category else SAID_TWICE.get(word, frozenset())
    return frozenset(form for one in (word, *others) for form in (one.split()[-1], plural_of(one).split()[-1]))


def _near(tokens: tuple[str, ...], entity: Entity) -> set[str]:
    """Return colors and other known looks before any word for the thing, whether or not the phrase is understood."""
    heads = _heads_of(entity.word, entity.category or "")
    found: set[str] = set()
    for at in (index for index, token in enumerate(tokens) if token in heads):
        for index in range(at - 1, max(-1, at - _REACH), -1):
            is_typo = tokens[index] == "." and tokens[index - 1] in COLOURS  # "a red. white, and blue hydrant"
            if tokens[index] in BOUNDARIES and tokens[index] not in ("and", ",") and not is_typo:
                break
            if tokens[index] in COLOURS or tokens[index] in _OTHER_COLORS:
                found.add(COLOURS.get(tokens[index], tokens[index]))
            elif tokens[index] in VALUES:
                found.add(VALUES[tokens[index]][1])
        found |= _find_behind(tokens, at + 1)
    if not heads.isdisjoint(tokens):
        found |= {f"partly {VALUES[word][1]}" for before, word in pairwise(tokens) if _is_partly(before, word)}
    return found


def _is_partly(before: str, word: str) -> bool:
    """True for "partially open", wherever it stands: the thing is not open."""
    return before in _PARTLY and word in VALUES


def _find_behind(tokens: tuple[str, ...], start: int) -> set[str]:
    """Return the colors of its hair, markings ("a dog with orange hair") or parts."""
    colors: set[str] = set()
    behind = tokens[start : start + _REACH]
    for token in behind[1:] if behind[:1] == ("with",) else ():
        if token in _COATS:
            return colors
        if token in _PARTS:
            return {_IN_PART[color] for color in colors}
        if token in BOUNDARIES and token not in ("and", ",", "a"):
            break
        colors |= {COLOURS[token]} if token in COLOURS else set()
    return set()


def _add_color(
    entity: Entity, told: list[Told], near: frozenset[str], found: list[Attribute], disputed: list[Contradiction]
) -> None:
    colors = [fact for fact in told if fact[2] == "color"]
    values = list(dict.fromkeys(fact[3] for fact in colors))
    near = (near & _ANY_COLOR) | {one for value in values if (one := _IN_PART.get(value)) in near}
    sets = {frozenset(value.replace(",", " and").split(" and ")) for value in values}
    if len(sets) > 1 or (sets and not near <= next(iter(sets))):
        values += sorted(near - set(values))
        disputed.append(
            Contradiction(entity.name, "color", tuple(values), Evidence(tuple(fact[4] for fact in colors)))
        )
    elif colors and len(next(iter(sets))) < 3:
        found.append(_make(entity, "color", values[0], colors))


def _add_others(
    entity: Entity, told: list[Told], near: frozenset[str], found: list[Attribute], disputed: list[Contradiction]
) -> None:
    by_value: dict[tuple[AttributeKind, str], list[Told]] = {}
    for fact in told:
        if fact[2] != "color":
            by_value.setdefault((fact[2], fact[3]), []).append(fact)
    values = {value for _, value in by_value} | near
    materials = [value for kind, value in by_value if kind == "material"]
    for (kind, value), facts in by_value.items():
        rivals = [one for one in values if {value, one} in _OPPOSITES or one == f"partly {value}"]
        if kind == "material":
            rivals = [other for other in {*materials, *(near & _MATERIALS)} if other != value]
            if entity.name in _NO_MATERIAL or entity.kind in ("person", "animal", "vehicle", "food"):
                continue
        if (value, entity.name) in (("empty", "toilet"), ("colorful", "person")):
            continue  # it is the roll of paper, or the clothes
        if rivals:
            spans = tuple(fact[4] for fact in told if fact[3] in (value, *rivals))
            disputed.append(Contradiction(entity.name, kind, (value, *rivals), Evidence(spans)))
        else:
            found.append(_make(entity, kind, value, facts))


def _make(entity: Entity, kind: AttributeKind, value: str, facts: list[Told]) -> Attribute:
    captions = {reading.number for reading, *_ in facts}
    return Attribute(
        entity=entity.number,
        kind=kind,
        value=value,
        evidence=Evidence(tuple(fact[4] for fact in facts), entity.evidence.boxes),
        certainty="sure" if len(captions) > 1 else "likely",
        num_captions=len(captions),
    )


def _is_monochrome(tokens: tuple[str, ...]) -> bool:
    text = " ".join(tokens)
    return bool(_MONOCHROME.intersection(tokens)) and ("black and white" in text or "sepia" in text)
