"""The place, the time of day and the weather, where captions name them and nothing disagrees."""

# ruff: noqa: E501, ISC004 - a row of the table is a line

import re

from instructgen.lexicon.meanings import BORNE_OUT
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import Circumstance, CircumstanceKind, Contradiction, Evidence, Span
from instructgen.scenegraph.prepositions import Placings, is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.rivals import is_outvoted
from instructgen.scenegraph.settings import SETTINGS, TOLD_TWICE, Setting, is_scene

# kind | value | how it is said | what captions say
_TABLE = (
    ("time", "night", "at night", r"\b(?:at night|by night|night ?time|night sky|late at night|during the night|night scene)\b"),
    ("time", "day", "during the day",
     r"\b(?:(?:sunny|clear|bright) day|day ?time"
     r"|in the day|during the day|midday|mid day|afternoon)\b"),
    ("time", "sunset", "at sunset", r"\b(?:at sunset|sun ?set(?! (?:blvd|boulevard|strip|st|street|ave|avenue))|sun (?:is )?setting|setting sun)\b"),
    ("time", "sunrise", "at sunrise", r"\b(?:sun ?rise|at dawn)\b"),
    ("time", "evening", "in the evening", r"\bevening\b(?! (?:gown|dress))"),
    ("time", "dusk", "at dusk", r"\b(?:dusk|twilight)\b"),
    ("time", "morning", "in the morning", r"\bin the morning\b"),
    ("weather", "sunny", "sunny", r"\b(?:sunny(?! (?:side|room|kitchen|office|desk|window|bedroom|living|spot))|clear (?:blue )?sk(?:y|ies)|clear day|bright day)\b"),
    ("weather", "rainy", "rainy", r"\b(?:in the rain|raining|rainy(?: day| street| weather| night)|rain storm|rainstorm)\b"),
    ("weather", "snowy", "snowy", r"\b(?:snowing|snow (?:is )?falling|falling snow|snowy day|snow ?storm|blizzard|snowstorm)\b"),
    ("weather", "cloudy", "cloudy", r"\b(?:cloudy(?! water)|overcast|gray sk(?:y|ies)|grey sk(?:y|ies))\b"),
    ("weather", "foggy", "foggy", r"\b(?:foggy(?! (?:glass|window|mirror))|in the fog|misty|hazy)\b"),
    ("weather", "windy", "windy", r"\bwindy\b"),
)  # fmt: skip
_PATTERNS = tuple(
    (kind, value, phrase, re.compile(pattern, re.IGNORECASE)) for kind, value, phrase, pattern in _TABLE
)
# Without any of these a caption has nothing of the table.
_TELLS = re.compile(
    r"night|day|noon|sun|dawn|evening|dusk|twilight|morning|clear|bright|rain|snow|blizzard|cloud|overcast|gr[ae]y sk"
    r"|fog|mist|haz|wind"
)
# Rooms of different kinds exclude one another.
ROOMS = {
    "kitchen": 0, "bathroom": 1, "restroom": 1, "bedroom": 2, "hotel room": 2, "living room": 3, "office": 4,
    "classroom": 5, "restaurant": 6, "store": 7, "library": 8, "dining room": 9, "bakery": 10, "museum": 11,
    "hospital": 12, "lobby": 13, "hallway": 14, "garage": 15, "barn": 16, "market": 17, "bar": 18, "cafe": 6, "gym": 19,
}  # fmt: skip
_SETTING_WORDS = tuple(frozenset(lemma.split()) for lemma in SETTINGS)
# Open places of different kinds: of one that a single caption tells, a word for another in a second one is enough.
_OPEN_PLACES = frozenset((
    "sidewalk", "street", "road", "city street", "dirt road", "highway", "parking lot", "field", "park", "yard",
    "backyard", "garden", "pasture", "meadow", "forest", "beach", "farm", "playground", "desert", "hill", "mountain",
    "slope", "pen", "enclosure", "intersection",
))  # fmt: skip
# Grounds that are never told, and where more captions name one of these it is no other.
_GROUNDS = frozenset(("marsh", "swamp", "wetland", "wetlands", "jungle", "savannah", "savanna", "plaza", "plains"))
_ONE_GROUND = (
    frozenset(("street", "road", "city street", "dirt road", "highway")),
    frozenset(("hill", "mountain", "slope")),
    frozenset(("field", "pasture", "meadow")),
    frozenset(("pen", "enclosure")),
    frozenset(("yard", "backyard", "garden")),
)
_OTHER_OPEN = frozenset((
    "driveway", "alley", "track", "lot", "courtyard", "patio", "deck", "porch", "plaza", "trail", "path",
    "pathway", "walkway",
    "dock", "pier", "bridge", "ramp", "rooftop", "balcony", "stadium", "arena", "jungle", "savannah", "savanna",
    "house", "houses", "building", "buildings", "store", "shop", "pavement", "landfill", "square",
    "roundabout", "dump", "gravel", "asphalt", "model", "toy", "toys",
))  # fmt: skip
# A room that is looked into from elsewhere is not where the picture was taken.
_SEEN_INTO = re.compile(
    r"\b(?:from (?:the )?outside|outside of an?"
    r"|(?:view|seen|looking(?! out)|taken|photo|picture|shot)\b[^.]*\b(?:from the (?:hallway|hall)"
    r"|(?:through|from) (?:a|an|the) (?:open )?(?:glass )?(?:door|doorway|window)))\b",
    re.IGNORECASE,
)
# Rooms that are never told, and speak against another that a single caption tells.
_OTHER_ROOMS = frozenset((
    "warehouse", "garage", "shop", "lobby", "hallway", "basement", "gym", "studio", "lab", "hospital", "museum",
    "church", "cafe", "pub", "cafeteria", "salon", "market", "attic", "den", "lounge", "workshop", "showroom",
    "cabin", "trailer", "camper", "tent", "laundry", "factory", "mall", "school", "closet", "dorm", "corridor",
    "checkout", "conference", "cubicle", "apartment", "hotel", "suite", "efficiency", "diner", "cockpit",
))  # fmt: skip
_TOO_WIDE = frozenset({"room", "city", "water", "snow"})  # of these one caption alone is not enough
_UNSIGNED = _OPEN_PLACES  # nor of these
_DARK = frozenset({"night", "dusk", "evening", "sunset", "sunrise"})
_DISAGREE = ({"sunny", "rainy"}, {"sunny", "cloudy"}, {"sunny", "snowy"}, {"sunny", "foggy"}, {"rainy", "snowy"})
# Where these words stand, what a caption says of time or weather may hold for a picture within the picture.
_LIKENESS = re.compile(
    r"\b(?:painting|poster|mural|screen ?saver|drawing|postcard|tv|television|screen)\b", re.IGNORECASE
)

_OUTDOOR = frozenset((
    "field", "fields", "street", "streets", "road", "roads", "sidewalk", "beach", "ocean", "sea", "lake", "river", "sky",
    "snow", "snowy", "grass", "grassy", "hill", "mountain", "mountains", "slope", "runway", "tarmac", "highway", "forest",
    "woods", "wooded", "pasture", "meadow", "desert", "yard", "wave", "waves", "surf", "outdoors", "outside", "outdoor",
    "tree", "trees", "harbor", "dock", "pier", "garden", "farm", "intersection", "crosswalk", "park", "traffic", "tracks",
    "railroad", "hillside", "shore", "pond", "dirt", "parking", "surfing", "skiing", "snowboarding",
))  # fmt: skip
_INDOOR = frozenset((
    "room", "kitchen", "bathroom", "bedroom", "indoor", "indoors", "inside", "office", "restaurant", "store", "couch",
    "bed", "desk", "floor", "carpet", "ceiling", "museum", "gym", "rug", "window", "mirror", "toy", "toys", "model",
    "painting", "drawing", "poster", "tv", "television", "screen", "statue", "lego", "display", "interior", "sink", "stove",
    "toilet", "book", "magazine", "cake", "sign", "wall", "counter", "table", "plate", "miniature", "train set", "mural",
))  # fmt: skip
_INDOOR_BOXES = frozenset((
    "bed", "couch", "toilet", "sink", "oven", "refrigerator", "microwave", "tv", "laptop", "keyboard", "mouse", "toaster",
))  # fmt: skip
_MAYBE_INDOOR = _INDOOR | {"christmas", "ornament", "ornaments", "wreath"}  # their tree may stand in a room
_MOST_NAMING = 3  # captions that name a place by some word
_ENOUGH_OUTSIDE = 3  # captions that speak of what is outdoors
_BLUE_SKY = re.compile(r"\bblue sk(?:y|ies)\b", re.IGNORECASE)  # no night has it


def find_circumstances(
    captions: tuple[str, ...], readings: tuple[CaptionReading, ...], boxed: frozenset[str], placings: Placings
) -> tuple[list[Circumstance], list[Contradiction]]:
    """Return places, times and weathers, the best supported of each kind first."""
    found, disputed = _find_places(readings, boxed, placings)
    if any(_SEEN_INTO.search(caption) for caption in captions):
        found = [one for one in found if one.value not in ROOMS]
    telling = [(number, caption) for number, caption in enumerate(captions) if _TELLS.search(caption.lower())]
    for kind in ("time", "weather") if telling else ():
        told: dict[str, list[Span]] = {}
        doubted: set[str] = set()
        phrases: dict[str, str] = {}
        for number, caption in telling:
            for of, value, phrase, pattern in _PATTERNS:
                match = pattern.search(caption) if of == kind else None
                if match and _LIKENESS.search(caption):
                    doubted.add(value)
                elif match:
                    told.setdefault(value, []).append(Span(number, match.start(), match.end()))
                    phrases[value] = phrase
        if kind == "time" and told and any(_BLUE_SKY.search(caption) for caption in captions):
            doubted.add("blue sky")
        spans = tuple(span for said in told.values() for span in said)
        if told and _disagree(set(told) | doubted):
            disputed.append(Contradiction("scene", kind, tuple(told), Evidence(spans)))
            continue
        if kind == "weather":
            told = {value: said for value, said in told.items() if _is_weather(said, readings, boxed)}
        ordered = sorted(told.items(), key=lambda pair: -len(pair[1]))
        found += [_make(kind, value, phrases[value], Evidence(tuple(said))) for value, said in ordered]
    return found, disputed


def find_outdoors(readings: tuple[CaptionReading, ...], boxed: frozenset[str]) -> Evidence | None:
    """Return what shows that it is outdoors, if three captions have words for that and none has one for a room."""
    if boxed & _INDOOR_BOXES or any(not _MAYBE_INDOOR.isdisjoint(reading.tokens) for reading in readings):
        return None
    spans = []
    for reading in readings:
        at = next((at for at, token in enumerate(reading.tokens) if token in _OUTDOOR), None)
        if at is not None:
            spans.append(reading.span(at, at + 1))
    return Evidence(tuple(spans)) if len(spans) >= min(_ENOUGH_OUTSIDE, len(readings)) and spans else None


def _is_weather(said: list[Span], readings: tuple[CaptionReading, ...], boxed: frozenset[str]) -> bool:
    """True for weather that two captions tell, or one of a picture that no box or word shows to be of a room."""
    several = len({span.caption for span in said}) > 1
    outside, inside = (any(not words.isdisjoint(one.tokens) for one in readings) for words in (_OUTDOOR, _INDOOR))
    return several or (boxed.isdisjoint(_INDOOR_BOXES) and (outside or not inside))


def _disagree(values: set[str]) -> bool:
    return (
        any(pair <= values for pair in _DISAGREE)
        or bool("day" in values and values & _DARK)
        or ("night" in values and bool(values & {"sunset", "sunrise", "morning", "dusk", "blue sky"}))
        or {"sunset", "sunrise"} <= values
        or {"sunset", "morning"} <= values
    )


def _find_places(
    readings: tuple[CaptionReading, ...], boxed: frozenset[str], placings: Placings
) -> tuple[list[Circumstance], list[Contradiction]]:
    votes: dict[str, list[Span]] = {}
    for reading in readings:
        lemmas = {phrase.noun.lemma: phrase for phrase in reading.phrases if is_scene(reading.tokens, phrase)}
        for lemma, phrase in lemmas.items():
            votes.setdefault(lemma, []).append(reading.span(phrase.start, phrase.end))
    agreed = [
        setting
        for lemma, setting in SETTINGS.items()
        if lemma in votes and (len(votes[lemma]) > 1 or _is_borne_out(setting, readings, boxed))
    ]
    if not agreed and len(votes) == 1:
        unsure = _TOO_WIDE | (_UNSIGNED | TOLD_TWICE if len(readings) >= FEW else frozenset())
        sure = [one for one in votes if one not in unsure and not _has_rival(one, readings)]
        agreed = [SETTINGS[lemma] for lemma in sure]
    agreed = [one for one in agreed if not _is_beside_others(one.lemma, len(votes[one.lemma]), readings)]
    captions = [reading.tokens for reading in readings]
    agreed = [one for one in agreed if not is_outvoted(one.lemma.split(), "", captions)]
    agreed = [one for one in agreed if not is_misplaced(one.phrase.split()[0], one.lemma, placings)]
    agreed = [one for one in agreed if not _is_outnumbered(one.lemma, readings)]
    agreed.sort(key=lambda setting: -len(votes[setting.lemma]))
    kept, rivals = _choose_room([setting.lemma for setting in agreed], votes)
    places = [
        _make("place", setting.lemma, setting.phrase, Evidence(tuple(votes[setting.lemma])))
        for setting in agreed
        if setting.lemma in kept
    ]
    if not rivals:
        return places, []
    spans = tuple(span for lemma in rivals for span in votes[lemma])
    return places, [Contradiction("scene", "place", tuple(rivals), Evidence(spans))]


def _is_borne_out(setting: Setting, readings: tuple[CaptionReading, ...], boxed: frozenset[str]) -> bool:
    """True for a place of one caption that boxes fit, or that others have by another word: a store, and shops."""
    words = BORNE_OUT.get(setting.lemma, frozenset[str]()) | {setting.lemma}
    naming = sum(not words.isdisjoint(reading.tokens) for reading in readings)
    return (bool(setting.signs & boxed) or naming >= _MOST_NAMING) and not _has_rival(setting.lemma, readings)


def _has_rival(lemma: str, readings: tuple[CaptionReading, ...]) -> bool:
    """True where a caption that does not name the place names another one, in whatever role."""
    own = set(lemma.split())
    for reading in readings:
        tokens = set(reading.tokens)
        if own <= tokens:
            continue
        others = _OTHER_ROOMS if lemma in ROOMS else _OTHER_OPEN if lemma in _OPEN_PLACES else frozenset[str]()
        if others & tokens or any(other <= tokens for other in _SETTING_WORDS if not own & other):
            return True
    return False


def _is_outnumbered(lemma: str, readings: tuple[CaptionReading, ...]) -> bool:
    """True for an open place where more captions name another one instead: a field to two, and a marsh to four."""
    if lemma not in _OPEN_PLACES:
        return False
    own = set(lemma.split())
    said = [set(reading.tokens) for reading in readings]
    naming = sum(not own.isdisjoint(words) for words in said)
    rest = [words for words in said if own.isdisjoint(words)]
    alike = next((group for group in _ONE_GROUND if lemma in group), frozenset((lemma,)))
    others = (_OPEN_PLACES | _GROUNDS) - alike
    return any(sum(set(other.split()) <= words for words in rest) > naming for other in others)


def _is_beside_others(lemma: str, num_votes: int, readings: tuple[CaptionReading, ...]) -> bool:
    """True for a room where half as many captions name one of another kind instead, be it in what role it may."""
    kind = ROOMS.get(lemma)
    own = {word for room in ROOMS if ROOMS[room] == kind for word in (room.split()[-1],)}
    others = [set(other.split()) for other in ROOMS if ROOMS[other] != kind]
    rest = [set(reading.tokens) for reading in readings if own.isdisjoint(reading.tokens)]
    both = [set(reading.tokens) for reading in readings if not own.isdisjoint(reading.tokens)]
    naming = sum(not _OTHER_ROOMS.isdisjoint(words) or any(other <= words for other in others) for words in rest)
    alone = len(readings) - len(rest) - sum(any(other <= words for other in others) for words in both)
    return kind is not None and 2 * naming >= max(num_votes, alone)


def _choose_room(lemmas: list[str], votes: dict[str, list[Span]]) -> tuple[set[str], list[str]]:
    """Return the places that may stand, and the rooms that exclude one another: one of these at most is kept."""
    rooms = [lemma for lemma in lemmas if lemma in ROOMS]
    kinds = list(dict.fromkeys(ROOMS[lemma] for lemma in rooms))
    if len(kinds) < 2:
        return set(lemmas), []
    most, next_most = (max(len(votes[lemma]) for lemma in rooms if ROOMS[lemma] == kind) for kind in kinds[:2])
    kept = kinds[0] if most > next_most else None
    return {lemma for lemma in lemmas if ROOMS.get(lemma, kept) == kept}, rooms


def _make(kind: CircumstanceKind, value: str, phrase: str, evidence: Evidence) -> Circumstance:
    captions = len({span.caption for span in evidence.spans})
    return Circumstance(kind, value, phrase, evidence, "sure" if captions > 1 else "likely", captions)
