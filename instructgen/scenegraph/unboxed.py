"""Things without a box that captions name: what they are, and which of them may be listed."""

from msgspec import structs

from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import Entity, Evidence
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading, Mentions, spans_of
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS

_UNBOXED_KINDS = frozenset({"surface", "thing", "wear"})
# Nouns of captions that are no thing of their own, or may be another word for something boxed.
_VAGUE = frozenset(
    (
        *(
            "picture",
            "photo",
            "camera",
            "game",
            "corner",
            "cell",
            "trick",
            "skateboard trick",
            "snow board trick",
            "painting",
        ),
        *(
            "poster",
            "map",
            "goal",
            "bank",
            "lunch",
            "church",
            "hotel",
            "soda",
            "toilet paper",
            "breakfast",
            "dinner",
            "cloud",
            "wall",
            "floor",
            "pizza slice",
            "ring",
            "card",
            "instrument",
            "tool",
            "meal",
            "snack",
            "computer",
            "bike",
            "glass",
            "pole",
        ),
        *(
            "toy",
            "net",
            "flower",
            "flower pot",
            "plant",
            "wave",
            "van",
            "vegetable",
            "stove top",
            "countertop",
            "mound",
        ),
        *("countertop", "mound", "computer desk", "wheel", "tire", "body of water", "night stand"),
        *(
            "monitor",
            "computer monitor",
            "computer screen",
            "desktop computer",
            "pie",
            "pastry",
            "dessert",
            "drink",
            "vehicle",
        ),
    )
)
_OF_ITSELF = frozenset(("photo", "picture"))  # said of the picture, not of what it shows
# What one viewer calls so, and another by one of the other words.
_ONE_THING = (
    frozenset(
        ("plate", "pan", "tray", "platter", "container", "dish", "pot", "plate of food", "bowl", "basket", "box")
    ),
    frozenset(("rug", "mat", "towel", "blanket", "carpet", "sheet", "cloth")),
    frozenset(("desk", "table", "counter", "stand", "shelf", "dresser")),
    frozenset(("stroller", "cart", "wagon", "carriage")),
    frozenset(("bag", "purse", "handbag", "backpack", "luggage", "suitcase")),
    frozenset(("building", "house", "tower", "clock tower", "church", "hotel", "castle")),
    frozenset(("jacket", "coat", "shirt", "sweater", "hoodie", "vest", "sweatshirt")),
    frozenset(("hat", "cap", "helmet")),
    frozenset(("stone", "rock", "boulder")),
    frozenset(("bat", "baseball bat", "stick", "pole")),
    frozenset(("ledge", "sill", "window sill")),
    frozenset(("orange", "lemon", "lime", "grapefruit", "fruit")),
    frozenset(("tree", "tree branch", "branch", "palm tree", "bush")),
    frozenset(("toilet", "bidet", "urinal", "toilet seat", "toilet bowl")),
    frozenset(("animal", "horse", "donkey", "cow", "sheep", "goat", "dog", "cat", "bird")),
    frozenset(("bicycle", "bike", "motorcycle", "scooter", "moped")),
    frozenset(("car", "traffic", "vehicle", "truck", "van")),
    frozenset(("person", "president", "officer", "guard", "crowd", "team", "couple", "family")),
    frozenset(("book", "notebook", "magazine", "notepad", "menu")),
    frozenset(("donut", "bagel", "sandwich", "cake", "pastry", "bread", "burger", "bun", "roll", "toast")),
    frozenset(("teddy bear", "stuffed animal", "doll", "toy")),
    frozenset(("track", "rail", "railway", "road")),
    frozenset(("tub", "bathtub", "bath", "shower")),
    frozenset(("screen", "monitor", "tv", "television", "computer", "laptop")),
    frozenset(("couch", "sofa", "armchair", "chair", "seat")),
    frozenset(("woods", "forest", "tree")),
    frozenset(("street", "road", "highway", "sidewalk")),
    frozenset(("window", "door", "mirror")),
    frozenset(("statue", "sculpture", "monument")),
    frozenset(("ramp", "half pipe", "pipe", "rail", "ledge")),
)
SAID_TWICE = {word: group - {word} for group in _ONE_THING for word in group}


def find_unboxed(readings: tuple[CaptionReading, ...], words: frozenset[str]) -> list[Entity]:
    """Return what captions name and no box holds, the oftenest named first."""
    by_lemma: dict[str, Mentions] = {}
    for reading in readings:
        for phrase in reading.phrases:
            noun = phrase.noun
            known = noun.kind in _UNBOXED_KINDS and noun.category is None and noun.lemma not in _OF_ITSELF
            if known and not phrase.is_likeness and _is_whole(reading.tokens, phrase):
                by_lemma.setdefault(noun.lemma, []).append((reading, phrase))
    found = []
    for lemma, said in sorted(by_lemma.items(), key=lambda pair: (-len({r.number for r, _ in pair[1]}), pair[0])):
        if not any(phrase.is_negated for _, phrase in said):
            found.append(_make_unboxed(lemma, said, words))
    # "A tree" may be the palm tree that another caption names.
    heads = {one.name.rsplit(" ", 1)[-1] for one in found if " " in one.name}
    return [structs.replace(one, is_listed=False) if one.name in heads else one for one in found]


def _is_whole(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True unless a word before the phrase may belong to it: "the Opera House" is no house."""
    first = phrase.start
    return first == 0 or tokens[first] in DETERMINERS or tokens[first - 1] in BOUNDARIES


def _make_unboxed(lemma: str, said: Mentions, words: frozenset[str]) -> Entity:
    noun = said[0][1].noun
    many = {phrase.is_plural for _, phrase in said}
    scarce = any("few" in reading.tokens[phrase.start : phrase.end] for reading, phrase in said)
    listed = (
        not scarce
        and noun.article == "a"
        and noun.kind != "wear"
        and len(many) == 1
        and lemma not in _VAGUE
        and (len({reading.number for reading, _ in said}) > 1 or not SAID_TWICE.get(lemma, frozenset()) & words)
    )
    num_captions = len({reading.number for reading, _ in said})
    return Entity(
        number=0,
        name=lemma,
        category="",
        kind=noun.kind,
        word=lemma,
        plural=plural_of(lemma) if noun.article == "a" else lemma,
        boxes=(),
        has_crowd=False,
        num_captions=num_captions,
        is_single=noun.article == "a" and many == {False} and plural_of(lemma) not in words,
        count=None,
        evidence=Evidence(spans_of(said)),
        certainty="sure" if num_captions > 1 else "likely",
        is_plural_noun=True in many,
        is_listed=listed,
    )
