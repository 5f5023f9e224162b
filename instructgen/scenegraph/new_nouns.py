"""Nouns outside the vocabulary: some by a table, others because two captions have them where a noun stands."""

from collections import Counter
from collections.abc import Iterator, Sequence

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of
from instructgen.scenegraph.phrases import NounPhrase, read_phrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, Noun

# What follows "a" and is no thing.
_NO_NOUNS = frozenset((
    "lots", "variety", "view", "side", "front", "back", "middle", "bottom", "times", "kinds", "types", "close",
    "edge", "herd", "flock", "line", "pile", "time", "night", "level", "upside", "attempt", "follow", "lick",
    "grind", "process", "turn", "speed", "help", "home", "show", "birthday", "good", "spot", "furniture",
    "rows", "sale", "center", "group", "groups", "pair", "pairs", "couple", "bunch", "number", "piece",
    "pieces", "part", "parts", "stages", "stage", "steps", "phases", "ways", "types", "kinds", "angles",
    "something", "someone", "thing", "things", "area", "areas", "color", "colors",
    "style", "image", "item", "items", "others", "skies", "each", "half", "halves", "kind", "type", "direction",
    "distance", "that", "them", "they", "well", "very", "more", "while", "next", "this", "there", "here",
    "what", "event", "team", "male", "female", "pose", "ready", "made", "make", "bite", "match", "left",
    "right", "full", "flight", "motion", "shape", "size",
))  # fmt: skip
_MASS = frozenset(
    (
        "graffiti",
        "furniture",
        "smoke",
        "equipment",
        "hair",
        "traffic",
        "jewelry",
        "wood",
        "fruit",
        "ketchup",
        "mustard",
        "cereal",
        "corn",
        "popcorn",
        "spinach",
    )
)
# Nouns that statements know beside those of the vocabulary.
_MORE_NOUNS = frozenset((
    "selfie", "stall", "trunk", "chip", "topping", "step", "stair", "tulip", "moon", "grill", "sprinkle", "handle",
    "hole", "trolley", "device", "roll", "utensil", "sticker", "photograph", "tunnel", "sled", "shoulder", "machine",
    "button", "obstacle", "shop", "desktop", "feather", "briefcase", "llama", "magnet", "rainbow", "parachute",
    "blackboard", "pickle", "veggie", "figurine", "wedge", "doll", "frame", "ticket", "rose", "shadow", "canal",
    "olive", "advertisement", "tag", "puddle", "centerpiece", "tripod", "sneaker", "decoration", "factory", "planter",
    "holder", "banner", "wheelbarrow", "dumpster", "aquarium", "dugout", "loaf", "mural", "cooler", "beverage",
    "valley", "petal", "skillet", "cave", "neighborhood", "tusk", "lighthouse", "marker", "overpass", "chalkboard",
    "runner", "condiment", "closet", "hanger", "shark", "comb", "dashboard", "cafeteria", "piano", "spire", "sidecar",
    "cemetery", "tube", "flashlight", "gift", "feeder", "cubicle", "dolphin", "steeple", "tank", "crate", "windmill",
    "cupboard", "logo", "terminal", "podium", "tablecloth", "meatball", "apartment", "arrow", "burrito", "omelet",
    "shipyard", "coin", "freeway", "ornament", "frog", "mixer", "blender", "sock", "clown", "tin", "lizard", "iguana",
    "mannequin", "monkey", "fish", "castle", "robot", "wolf", "cord", "glacier", "package", "animal", "appliance",
    "slice", "reflection", "hand", "arm", "head", "face", "mouth", "body", "leg", "lap", "tail", "trail", "cone",
    "container", "item", "meal", "drink", "crowd", "fan", "spectator", "passenger", "skyline", "entrance", "archway",
))  # fmt: skip
_IN_IE = frozenset(("veggie", "selfie", "brownie", "cookie", "smoothie", "movie", "hoodie", "zombie", "pie", "tie"))
# Endings of words for people, and other words for these.
_OF_PEOPLE = ("er", "or", "ist", "ers", "ors", "ists", "man", "men", "ian", "ians", "ee", "ees")
# People, parts of a body, and what is too vague to be told as a thing.
_NO_THINGS = frozenset((
    "mother", "father", "mom", "dad", "son", "daughter", "friend", "friends", "family", "adult", "adults", "teen",
    "teens", "youth", "crowd", "audience", "fans", "team", "teammate", "guys", "ladies", "parent", "parents",
    "individual", "individuals", "someone", "athlete", "athletes", "pilot", "cowboy", "cowboys", "guest", "guests",
    "couples", "animal", "animals", "item", "items", "hand", "hands", "head", "heads", "face", "faces", "body",
    "mouth", "reflection", "shadow", "sides", "attempt", "lots", "pose", "fun", "love", "meal", "drink", "drinks",
    "slice", "slices", "photograph", "entrance", "appliance", "appliances", "device", "devices", "equipment",
    "furniture",
    "traffic", "vehicle", "vehicles", "machine", "machines", "shop", "apartment", "wood", "container", "package",
    "frame", "trail", "back", "court", "marine", "pitch", "objects", "bunches", "base", "instructions", "ingredients",
    "board", "lips", "eyes", "leg", "legs", "teeth", "stomach", "haircut", "roll", "hood", "star", "stars", "greens",
    "numerals", "handle", "holes", "screen", "moon", "heart", "trunk", "trunks", "piercings", "zombies", "fire",
    "arm", "arms", "tail", "glove", "foot", "feet", "clown", "petals", "lap", "shoulder", "tusks",
))  # fmt: skip
_MOST = 3  # captions that have to have it


def find_noun(tokens: tuple[str, ...], at: int, num_captions: Counter[str]) -> Noun | None:
    """Return the noun at a token that no table of the vocabulary has, or None where it may be something else."""
    token, behind = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else "."
    if behind not in BOUNDARIES and behind not in VERB_FORMS:
        return None
    if token in _MASS:
        return Noun(token, "thing", "mass", is_plural=False, category=None)
    single = _single_of(token)
    known = token in NOUNS or token in VERB_FORMS or token in BASE_FORMS or token in BOUNDARIES
    if known or token in _NO_NOUNS or (single != token and plural_of(single) != token):
        return None
    is_word = token.isalpha() and len(token) > 3 and not token.endswith("ing")
    agreed = is_word and num_captions[token] > 1 and token not in ADJECTIVES and token not in COLOURS
    if single in _MORE_NOUNS or agreed:
        return Noun(single, "thing", "a", is_plural=single != token, category=None)
    return None


def _single_of(token: str) -> str:
    """Return the singular of a plural by its ending: "fry" for "fries", but "veggie" for "veggies"."""
    if not token.endswith("s") or token.endswith(("ss", "us")):
        return token
    return f"{token[:-3]}y" if token.endswith("ies") and token[:-1] not in _IN_IE else token[:-1]


def find_agreed_nouns(readings: Sequence[CaptionReading]) -> Iterator[tuple[CaptionReading, NounPhrase]]:
    """Yield the phrases of things that three captions name by one word, each in the same number."""
    num_captions = Counter(token for reading in readings for token in set(reading.tokens))
    found = [
        (reading, phrase)
        for reading in readings
        for at, token in enumerate(reading.tokens)
        if num_captions[token] >= _MOST and _may_be_thing(token) and not _is_in_phrase(reading, at)
        for noun in (find_noun(reading.tokens, at, num_captions),)
        if noun is not None
        for phrase in (read_phrase(reading.tokens, at, at + 1, noun),)
        if phrase is not None and _opens(reading.tokens, phrase)
    ]
    naming = Counter((noun.lemma, noun.is_plural) for noun, _ in {(p.noun, r.number) for r, p in found})
    for reading, phrase in found:
        if naming[phrase.noun.lemma, phrase.noun.is_plural] >= _MOST:
            yield reading, phrase


def _is_in_phrase(reading: CaptionReading, at: int) -> bool:
    """True for a word of a longer name: "traffic lights" are no lights beside these."""
    return any(phrase.start <= at < phrase.end for phrase in reading.phrases)


def _may_be_thing(token: str) -> bool:
    verb = token in TOLD_VERBS or token in VERB_FORMS
    return not verb and token not in _NO_THINGS and not token.endswith(_OF_PEOPLE)


def _opens(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True where an article or a number stands before it, or it is a plural: "a tunnel", "three seashells"."""
    first = tokens[phrase.start]
    return phrase.noun.is_plural or phrase.noun.article == "mass" or first in DETERMINERS or first in NUMBER_WORDS
