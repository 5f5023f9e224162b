"""Places a picture can be set in: how they are said, and which things give them away."""

from msgspec import Struct

from instructgen.scenegraph.phrases import NounPhrase


class Setting(Struct, frozen=True):
    """`phrase` says where ("in a kitchen"), `name` what ("a kitchen"); `signs` are categories that fit it."""

    lemma: str
    phrase: str
    name: str
    signs: frozenset[str]


# lemma | phrase | categories that fit
_TABLE = """
kitchen|in a kitchen|oven, refrigerator, microwave, sink, toaster
bathroom|in a bathroom|toilet, sink, toothbrush, hair drier
restroom|in a restroom|toilet, sink
living room|in a living room|couch
bedroom|in a bedroom|bed
dining room|in a dining room|dining table
hotel room|in a hotel room|
office|in an office|laptop, keyboard, mouse, tv
restaurant|at a restaurant|dining table, wine glass, fork, cup, pizza
classroom|in a classroom|chair, book
store|in a store|
library|in a library|book
bakery|in a bakery|donut, cake
train station|at a train station|train
station|at a station|train
airport|at an airport|airplane, suitcase
runway|on a runway|airplane
tarmac|on the tarmac|airplane
harbor|in a harbor|boat
marina|at a marina|boat
zoo|at a zoo|elephant, giraffe, zebra, bear
tennis court|on a tennis court|tennis racket, sports ball
baseball field|on a baseball field|baseball bat, baseball glove, sports ball
soccer field|on a soccer field|sports ball
skate park|at a skate park|skateboard
ski slope|on a ski slope|skis, snowboard
parking lot|in a parking lot|car, truck, motorcycle, bus
intersection|at an intersection|traffic light, stop sign, car
city street|on a city street|car, bus, traffic light, truck, motorcycle
street|on a street|car, bus, traffic light, stop sign, truck, bicycle, motorcycle
highway|on a highway|car, truck
dirt road|on a dirt road|
road|on a road|car, truck, bus, motorcycle
sidewalk|on a sidewalk|fire hydrant, parking meter, bicycle
beach|on a beach|surfboard, kite, umbrella
park|in a park|bench, frisbee, kite
playground|on a playground|
garden|in a garden|
yard|in a yard|
backyard|in a backyard|
farm|on a farm|cow, sheep, horse
pasture|in a pasture|cow, sheep, horse
meadow|in a meadow|cow, sheep, horse
enclosure|in an enclosure|elephant, giraffe, zebra, bear
pen|in a pen|sheep, cow, horse
forest|in a forest|bear
woods|in the woods|bear
desert|in a desert|
slope|on a slope|skis, snowboard
mountain|on a mountain|skis, snowboard
hill|on a hill|skis, snowboard, sheep, cow
river|at a river|boat
lake|at a lake|boat
pond|at a pond|bird
ocean|in the ocean|surfboard, boat
snow|in the snow|skis, snowboard
field|in a field|cow, sheep, horse, zebra, giraffe, elephant, kite, frisbee
grass|on the grass|
water|in the water|boat, surfboard, bird
city|in a city|car, bus, traffic light
room|in a room|couch, chair, tv, bed
market|at a market|
museum|in a museum|
stadium|in a stadium|
bar|in a bar|
cafe|at a cafe|
hospital|in a hospital|
lobby|in a lobby|
hallway|in a hallway|
garage|in a garage|
barn|in a barn|
gym|in a gym|
platform|on a platform|
bridge|on a bridge|
pier|on a pier|
dock|at a dock|
patio|on a patio|
porch|on a porch|
deck|on a deck|
driveway|in a driveway|
alley|in an alley|
courtyard|in a courtyard|
plaza|in a plaza|
town square|in a town square|
crosswalk|at a crosswalk|
bus stop|at a bus stop|
construction site|at a construction site|
trail|on a trail|
lawn|on a lawn|
parade|at a parade|
wedding|at a wedding|
party|at a party|
"""


def _parse_line(line: str) -> Setting:
    lemma, phrase, signs = line.split("|")
    name = phrase.split(" ", 1)[1]
    return Setting(lemma, phrase, name, frozenset(sign.strip() for sign in signs.split(",") if sign.strip()))


# Said with "in", never named: "the setting is the water" is no English.
UNNAMED = frozenset({"water", "ocean", "snow", "grass", "woods"})
VAGUE = frozenset({"room", "grass", "water"})  # "taken in a room" tells nothing
# One caption alone is not enough for these.
TOLD_TWICE = frozenset((
    "market", "museum", "stadium", "bar", "cafe", "hospital", "lobby", "hallway", "garage", "barn", "gym", "platform",
    "bridge", "pier", "dock", "patio", "porch", "deck", "driveway", "alley", "courtyard", "plaza", "town square",
    "crosswalk", "bus stop", "construction site", "trail", "lawn", "parade", "wedding", "party",
))  # fmt: skip
# In order of precedence: the narrower place first.
SETTINGS = {setting.lemma: setting for setting in map(_parse_line, _TABLE.strip().splitlines())}
# Words for where one may be, more than that it is outdoors; a broad one stands for "grass" and "trees" too little.
_HEADS = {lemma.split()[-1] for lemma in SETTINGS if lemma not in VAGUE | {"snow"}}
PLACE_WORDS = frozenset((*_HEADS, *(f"{word}s" for word in _HEADS))) | frozenset((
    "sky", "mountainside", "hillside", "savanna", "savannah", "wilderness", "jungle", "watering", "waterhole",
    "tracks", "track", "railway", "railroad", "sea", "wave", "waves", "surf", "surfing", "skiing", "snowboarding",
    "shore", "beaches", "roads", "town", "village", "safari", "habitat", "grassland", "plain", "plains", "orchard",
    "court", "arena", "skatepark", "ramp", "square", "roadway", "path", "building", "buildings", "house", "houses",
))  # fmt: skip
# Pairs of categories (first, any of the rest) that give a place away without a word.
_SIGNATURES = (
    ("kitchen", "oven", frozenset({"refrigerator", "microwave", "sink"})),
    ("kitchen", "refrigerator", frozenset({"microwave", "sink"})),
    ("bathroom", "toilet", frozenset({"sink"})),
    ("living room", "couch", frozenset({"tv", "remote"})),
)
_ROOM_WORDS = frozenset((
    "hotel", "dorm", "office", "bedroom", "kitchen", "bathroom", "restroom", "apartment", "studio",
    "restaurant", "store", "shop", "classroom", "library", "bar", "cafe", "garage", "basement", "lobby",
    "trailer", "camper", "rv", "boat", "museum", "showroom", "den", "lounge", "waiting", "efficiency", "suite",
    "cabin", "outdoors", "outside", "yard", "street",
))  # fmt: skip
_INSIDE = frozenset({"in", "on", "at", "down", "across", "through", "inside", "along", "into"})
_NOT_IN = frozenset({"instead", "not", "no", "outside", "outdoor", "beside", "toy", "model", "miniature"})
_OUTDOOR_TOO = frozenset(("market", "stadium", "parade", "wedding", "party"))
# A picture of these is taken from elsewhere.
_SEEN_FROM_OUTSIDE = frozenset((
    "bridge", "store", "barn", "garage", "restaurant", "hospital", "museum", "stadium", "pier", "dock", "cafe", "bar",
))  # fmt: skip
_TRAINS = frozenset(("train", "trains", "subway", "locomotive"))
_VIEWS = frozenset({"view", "picture", "photo", "shot", "scene", "image", "middle", "area"})


def infer_setting(
    boxed: frozenset[str], words: frozenset[str] = frozenset()
) -> tuple[Setting, tuple[str, str]] | None:
    """Return a place that no caption names, with the two categories that give it away.

    Where `words` of captions name another room, there is none.
    """
    if not _ROOM_WORDS.isdisjoint(words) or "bed" in boxed:
        return None
    for lemma, first, rest in _SIGNATURES:
        if first in boxed and rest & boxed:
            return SETTINGS[lemma], (first, min(rest & boxed))
    return None


def is_scene(tokens: tuple[str, ...], phrase: NounPhrase) -> bool:
    """True where the caption sets the picture in the place, rather than merely naming it."""
    if phrase.noun.lemma not in SETTINGS or phrase.noun.is_plural or phrase.is_likeness or phrase.is_negated:
        return False
    if tokens[phrase.end : phrase.end + 1] == ("from",):
        return False  # "across the street from a house"
    before = tokens[max(0, phrase.start - 3) : phrase.start]
    looks = set(tokens[phrase.start : phrase.end])
    if phrase.noun.lemma in _OUTDOOR_TOO:
        looks -= {"outdoor", "outside"}
    if not _NOT_IN.isdisjoint((*before, *looks)):
        return False
    if not before or (before[-1] == "of" and phrase.noun.lemma in _SEEN_FROM_OUTSIDE):
        return phrase.noun.kind == "place" and phrase.noun.lemma not in _SEEN_FROM_OUTSIDE
    if phrase.noun.lemma == "bridge" and not _TRAINS.isdisjoint(tokens):
        return False  # who sees a train on a bridge is not there
    if phrase.noun.lemma in ("ocean", "water", "snow", "woods"):
        return before[-1] == "in"
    if before[-1] in ("along", "through") and phrase.noun.lemma in ("beach", "river", "lake", "ocean", "shore"):
        return False  # what goes along a beach may be beside it
    return before[-1] in _INSIDE or (before[-1] == "of" and before[-2] in _VIEWS)
