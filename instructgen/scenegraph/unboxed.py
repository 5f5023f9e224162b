"""Things without a box that captions name: what they are, and which of them may be listed."""

from msgspec import structs

from instructgen.lexicon.meanings import BORNE_OUT
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import Entity, Evidence
from instructgen.scenegraph.likenesses import find_applied_nouns
from instructgen.scenegraph.new_nouns import find_agreed_nouns
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading, Mentions, spans_of
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS

_UNBOXED_KINDS = frozenset({"surface", "thing", "wear", "mass", "unique"})
# What is no single thing, and still to be seen, where most captions name it.
_SPREAD = frozenset((
    "grass", "snow", "sand", "dirt", "mud", "hay", "water", "ocean", "food", "meat", "cheese", "bread", "rice",
    "soup", "salad", "fruit", "wine", "beer", "milk", "juice", "ice cream", "pasta", "lettuce", "luggage",
))  # fmt: skip
_SAME = {"body of water": "water"}
_HEADS = frozenset(("sign", "tree", "table", "lamp", "pole", "track", "fence", "tower", "counter", "light", "plant"))
_MOST = 3  # captions that make a thing one to be told, whatever the word
# Nouns of captions that are no thing of their own, or may be another word for something boxed.
_VAGUE = frozenset((
    "picture", "photo", "camera", "game", "corner", "cell", "trick", "skateboard trick", "snow board trick",
    "painting", "poster", "map", "goal", "bank", "lunch", "church", "hotel", "soda", "toilet paper",
    "breakfast", "dinner", "cloud", "wall", "floor", "pizza slice", "ring", "card", "instrument", "tool",
    "meal", "snack", "computer", "bike", "glass", "pole", "toy", "net", "flower", "flower pot", "plant", "wave",
    "van", "vegetable", "stove top", "countertop", "mound", "computer desk", "wheel", "tire", "body of water",
    "night stand", "monitor", "computer monitor", "computer screen", "desktop computer", "pie", "pastry",
    "dessert", "drink", "vehicle", "tongue", "lime", "mane", "antenna", "windshield", "engine", "headlight",
    "propeller", "ceiling",
))  # fmt: skip
_OF_ITSELF = frozenset(("photo", "picture"))  # said of the picture, not of what it shows
# What one viewer calls so, and another by one of the other words; a row is a group.
_ONE_THING = """
plate, pan, tray, platter, container, dish, pot, plate of food, bowl, basket, box, cutting board, skillet, board
cutting board, counter, table
basket, bucket, bin, crate, pot
rug, mat, towel, blanket, carpet, sheet, cloth, bath mat, comforter, bedspread, napkin
desk, computer desk, table, counter, stand, shelf, dresser, kitchen counter, kitchen island, vanity, night stand,\
 bench, stool
cabinet, cupboard, shelf, dresser, drawer, bookshelf, bookcase, rack, medicine cabinet
stroller, cart, wagon, carriage, trailer
bag, purse, handbag, backpack, luggage, suitcase, briefcase, paper bag, plastic bag, camera bag
building, house, tower, clock tower, church, hotel, castle, skyscraper, apartment building, barn
tower, pole, post
jacket, coat, shirt, sweater, hoodie, vest, sweatshirt
hat, cap, helmet
stone, rock, boulder, wall
bat, baseball bat, stick, pole
stick, perch, branch, tree branch, bar, rod, rail, railing, pole, post, log, wire
fire hydrant, pole, post
board, snowboard, surfboard, skateboard
thermometer, gauge, clock, watch
pole, post, light pole, lamp post, street lamp, telephone pole, fence post, lantern
lamp, light, light fixture, chandelier, street lamp, lantern
sign, street sign, road sign, traffic sign, stop sign, billboard, poster, banner, flag
ledge, sill, window sill, window
orange, lemon, lime, grapefruit, fruit, apple, peach
tree, tree branch, branch, palm tree, bush, plant, forest, jungle
flower, bouquet, plant, potted plant, vase, flower pot, rose, tulip
toilet, bidet, urinal, toilet seat, toilet bowl
animal, horse, donkey, cow, sheep, goat, dog, cat, bird
bicycle, bike, motorcycle, scooter, moped
car, traffic, vehicle, truck, van
van, truck, bus, trailer, tractor, semi, rig
person, president, officer, guard, crowd, team, couple, family
book, notebook, magazine, notepad, menu, newspaper, paper
donut, bagel, sandwich, cake, pastry, bread, burger, bun, roll, toast, waffle, pancake, muffin, croissant, pretzel,\
 pie, cupcake, dessert, cookie, cracker
hot dog, sausage, bratwurst, bun
sauce, gravy, syrup, ketchup, mustard, icing, frosting
salad, lettuce, vegetable, broccoli, spinach
pasta, noodle, spaghetti, rice
soup, stew, sauce
egg, omelet
potato, french fry, chip
teddy bear, stuffed animal, doll, toy
frisbee, toy, disc
tie, ribbon, bow
airplane, biplane, jet
pizza, pie
track, rail, railway, road, train track, railroad track
tub, bathtub, bath, shower, bath tub
screen, monitor, tv, television, computer, laptop
couch, sofa, armchair, chair, seat, bench, stool
woods, forest, tree
street, road, highway, sidewalk
window, door, mirror
painting, picture, poster, picture frame, photo
curtain, shower curtain, blind, drape, sheet
fence, railing, wall, gate, wire fence, chain link fence, barrier, cage, post
statue, sculpture, monument, fountain
ramp, half pipe, pipe, rail, ledge, skateboard ramp, curb, bench
tent, canopy, umbrella, awning
balcony, deck, porch, patio, platform, stage
pier, dock, deck, bridge
jar, bottle, can, pitcher, vase, container
glass, cup, mug, wine glass, vase
rope, leash, chain, string, wire, collar
pillow, cushion
paddle, oar
cell phone, phone, telephone, camera, remote
mountain, hill, cliff, slope
knife, blade, sword
kite, balloon, flag, parachute
game controller, remote, controller
stove, oven, range, fireplace
cone, post
goal, net
tombstone, monument, stone
"""
# True by whatever word others call it.
_GENERAL = frozenset((
    "tree", "building", "luggage", "fruit", "bathtub", "bath tub", "bookcase", "branch", "plant", "railing",
))  # fmt: skip
# Of what food lies on, what fewer captions call by another word is told by no word of its own.
_UNDER_FOOD = frozenset(("plate", "platter", "cutting board", "board", "tray", "pan", "skillet", "dish", "container"))
_UNDER_FOOD_WORDS = frozenset(("plate", "platter", "board", "tray", "pan", "skillet", "container"))
_GROUPS = [frozenset(row.split(", ")) for row in _ONE_THING.strip().splitlines()]
# Behind these it may be what a thing is in, of or like: "the floor of a house".
_PARTED = frozenset(("of", "in", "like", "as", "for", "to", "from", "than", "inside", "into", "at", "within"))
_EACH, _NEAR = frozenset(("each", "both")), 3
_HEAD = 2  # a phrase that begins no later is what its caption is about
BUILDINGS = frozenset(("house", "building", "tower", "hotel", "church", "apartment building", "skyscraper"))
SAID_TWICE = {
    word: frozenset().union(*(group for group in _GROUPS if word in group)) - {word}
    for word in frozenset().union(*_GROUPS)
}


def find_unboxed(readings: tuple[CaptionReading, ...], words: frozenset[str]) -> list[Entity]:
    """Return what captions name and no box holds, the oftenest named first."""
    by_lemma: dict[str, Mentions] = {}
    for reading in readings:
        for phrase in reading.phrases:
            noun = phrase.noun
            known = noun.kind in _UNBOXED_KINDS and noun.category is None and noun.lemma not in _OF_ITSELF
            is_told = not phrase.is_likeness and not _is_of_each(reading.tokens, phrase)
            is_told = is_told and not _is_likened(reading.tokens, phrase)
            if known and is_told and _is_whole(reading.tokens, phrase):
                by_lemma.setdefault(_SAME.get(noun.lemma, noun.lemma), []).append((reading, phrase))
    for reading, phrase in find_agreed_nouns(readings):
        by_lemma.setdefault(phrase.noun.lemma, []).append((reading, phrase))
    _join_heads(by_lemma)
    applied = find_applied_nouns(readings)
    found = []
    for lemma, said in sorted(by_lemma.items(), key=lambda pair: (-len({r.number for r, _ in pair[1]}), pair[0])):
        if lemma not in applied and not any(phrase.is_negated for _, phrase in said):
            found.append(_make_unboxed(lemma, said, words, readings))
    found = [one for one in found if not _is_rivalled(one, found, readings)]
    # "A tree" may be the palm tree that another caption names.
    heads = {one.name.rsplit(" ", 1)[-1] for one in found if " " in one.name and " of " not in one.name}
    return [
        structs.replace(one, is_listed=False) if one.name in heads or _is_tied(one, readings) else one
        for one in found
    ]


def _is_tied(one: Entity, readings: tuple[CaptionReading, ...]) -> bool:
    """True for a desk where as many other captions have a table: by neither word it is told as there."""
    if one.name in _GENERAL or one.name not in SAID_TWICE:
        return False
    own = {word.rpartition(" ")[2] for word in (one.word, one.plural)}
    naming = [reading.tokens for reading in readings if not own.isdisjoint(reading.tokens)]
    rivals = (SAID_TWICE[one.name] - {"dish"}).difference(*naming)
    return one.num_captions <= sum(
        own.isdisjoint(reading.tokens) and not rivals.isdisjoint(reading.tokens) for reading in readings
    )


def _is_rivalled(one: Entity, found: list[Entity], readings: tuple[CaptionReading, ...]) -> bool:
    """True for the platter of one caption that is a plate to others: what most call it stands, or neither."""
    if one.name not in _UNDER_FOOD:
        return False
    others = _UNDER_FOOD_WORDS - set(one.name.split())
    rest = [reading.tokens for reading in readings if one.name.rpartition(" ")[2] not in reading.tokens]
    if any(sum(other in tokens for tokens in rest) >= one.num_captions for other in others):
        return True
    captions = {span.caption for span in one.evidence.spans}
    rivals = [other for other in found if other.name in _UNDER_FOOD - {one.name}]
    apart = [other for other in rivals if captions.isdisjoint(span.caption for span in other.evidence.spans)]
    return any(other.num_captions >= one.num_captions for other in apart)


def _join_heads(by_lemma: dict[str, Mentions]) -> None:
    """Count a street sign as a sign too, where few call it so: "a road sign" and "a street sign" are one to most."""
    for head in {lemma.rpartition(" ")[2] for lemma in by_lemma if " " in lemma} & _HEADS:
        kinds = [lemma for lemma in by_lemma if lemma.endswith(f" {head}")]
        whole = [*by_lemma.get(head, []), *(one for lemma in kinds for one in by_lemma[lemma])]
        most = max(len({reading.number for reading, _ in by_lemma[lemma]}) for lemma in kinds)
        if most < _MOST and len({reading.number for reading, _ in whole}) >= _MOST:
            by_lemma[head] = whole
            for lemma in kinds:
                del by_lemma[lemma]


def _is_whole(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True unless a word before the phrase may belong to it: "the Opera House" is no house."""
    first = phrase.start
    return first == 0 or tokens[first] in DETERMINERS or tokens[first - 1] in BOUNDARIES


def _is_likened(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True for the flag of "painted like the American flag", and for the tomato of "a slice of tomato"."""
    before = tokens[max(0, phrase.start - 2) : phrase.start]
    return before[-1:] in (("like",), ("as",)) or before in (("slice", "of"), ("slices", "of"))


def _is_of_each(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True for the plate of "each has a plate": there are as many as there are people."""
    before = tokens[max(0, phrase.start - _NEAR) : phrase.start]
    return not phrase.is_plural and not _EACH.isdisjoint(before)


def _is_part(lemma: str, said: Mentions) -> bool:
    """True where one caption names it as what something is in or of, or all so name a building.

    What one caption alone is about may be another's word for what the others are about.
    """
    is_alone = len({reading.number for reading, _ in said}) == 1
    if is_alone and all(phrase.start <= _HEAD and phrase == reading.phrases[0] for reading, phrase in said):
        return True
    return (is_alone or lemma in BUILDINGS) and all(
        phrase.start and reading.tokens[phrase.start - 1] in _PARTED for reading, phrase in said
    )


def _make_unboxed(lemma: str, said: Mentions, words: frozenset[str], readings: tuple[CaptionReading, ...]) -> Entity:
    noun = said[0][1].noun
    many = {phrase.is_plural for _, phrase in said}
    num_captions = len({reading.number for reading, _ in said})
    num_many = len({reading.number for reading, phrase in said if phrase.is_plural})
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
        is_single=noun.article == "a" and many == {False} and plural_of(lemma) not in words and not _is_twice(said),
        count=None,
        evidence=Evidence(spans_of(said)),
        certainty="sure" if num_captions > 1 else "likely",
        is_plural_noun=num_many >= _MOST or (True in many and num_captions - num_many < _MOST),
        is_listed=_is_listed(lemma, said, words, readings),
    )


def _is_twice(said: Mentions) -> bool:
    """True where one caption names two of it: "a building in front of a building"."""
    return len(said) > len({reading.number for reading, _ in said})


def _count_naming(lemma: str, num_many: int, num_captions: int, readings: tuple[CaptionReading, ...]) -> int:
    """Return how many captions have the word, in whatever phrase, if all have it in one number; else 0."""
    if num_many not in (0, num_captions) or " " in lemma:
        return 0
    word, other = (plural_of(lemma), lemma) if num_many else (lemma, plural_of(lemma))
    if any(other in reading.tokens for reading in readings):
        return 0
    return sum(_names_alone(reading, word, lemma) for reading in readings)


def _names_alone(reading: CaptionReading, word: str, lemma: str) -> bool:
    """True for a caption with the word where it is no part of another noun: no sign of "a stop sign"."""
    held = {at for one in reading.phrases if one.noun.lemma != lemma for at in range(one.start, one.end)}
    return any(token == word and at not in held for at, token in enumerate(reading.tokens))


def _is_listed(lemma: str, said: Mentions, words: frozenset[str], readings: tuple[CaptionReading, ...]) -> bool:
    """True for what may be told as a thing of its own: named in one number, and by no word that may be another's.

    What most captions name, or bear out by other words, is told in any case.
    """
    noun = said[0][1].noun
    is_alone = len(readings) < FEW
    num_captions = len({reading.number for reading, _ in said})
    num_many = len({reading.number for reading, phrase in said if phrase.is_plural})
    scarce = any("few" in reading.tokens[phrase.start : phrase.end] for reading, phrase in said)
    if lemma in _SPREAD and lemma in BORNE_OUT:
        words_for = BORNE_OUT[lemma] | {lemma}
        return sum(not words_for.isdisjoint(reading.tokens) for reading in readings) >= _MOST
    if scarce or noun.kind == "wear" or _is_part(lemma, said):
        return False
    if max(num_many, num_captions - num_many, _count_naming(lemma, num_many, num_captions, readings)) >= _MOST:
        return noun.article == "a" or lemma in _SPREAD
    one_number = num_many in (0, num_captions) and all(phrase.is_plural == (num_many > 0) for _, phrase in said)
    if noun.article != "a" or not one_number or lemma in _VAGUE:
        return False
    return num_captions > 1 or (is_alone and not SAID_TWICE.get(lemma, frozenset()) & words)
