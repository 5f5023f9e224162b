"""The prover's own words: colors, materials, numbers, verbs, times, weathers, places and things that can be seen."""

# ruff: noqa: E501 - a row of a table is a line

import re
from functools import lru_cache


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTED = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {
    word: n
    for n, word in enumerate(_COUNTED.split(), 1)
}  # fmt: skip
# Color -> other ways to write it; shades are told apart from their color by no caption.
_COLORS = {
    "black": "black", "white": "white", "red": "red", "blue": "blue", "green": "green", "yellow": "yellow",
    "orange": "orange", "pink": "pink", "purple": "purple", "brown": "brown", "gray": "gray grey", "tan": "tan",
    "beige": "beige", "gold": "gold golden", "silver": "silver", "turquoise": "turquoise", "teal": "teal", "maroon": "maroon",
}  # fmt: skip
COLORS = {word: color for color, words in _COLORS.items() for word in words.split()}
# Value of an attribute -> what captions may say for it.
VALUE_FORMS = {
    "wood": "wooden wood", "metal": "metal metallic", "concrete": "concrete cement", "large": "big large huge giant",
    "small": "small little tiny", "old": "old older elderly", "new": "new",
    "tidy": "neat tidy", "blond": "blond blonde",
}  # fmt: skip
MATERIALS = words_of(
    "wood wooden metal metallic steel glass plastic paper brick stone concrete leather marble porcelain iron cardboard"
    " wicker ceramic rubber cotton"
)
LOOKS = words_of(
    "old young new modern striped plaid spotted floral colorful empty dirty clean wet dry rusty messy tidy fluffy bearded"
    " shirtless blond blonde decorated dusty muddy furry antique vintage elderly shiny broken"
    " cluttered ornate"
)
SIZES = words_of("large small tall long huge tiny big")
OPPOSITES = (
    {"large", "small"}, {"tall", "small"}, {"old", "young"}, {"old", "new"}, {"open", "closed"}, {"empty", "full"},
    {"dirty", "clean"}, {"muddy", "clean"}, {"dusty", "clean"}, {"messy", "tidy"}, {"cluttered", "tidy"},
    {"antique", "new"}, {"vintage", "new"}, {"wood", "metal"}, {"wood", "plastic"}, {"wood", "stone"}, {"metal", "plastic"},
    {"brick", "wood"}, {"glass", "wood"}, {"paper", "plastic"}, {"striped", "plaid"},
)  # fmt: skip
# Time or weather -> what a caption says for it.
CIRCUMSTANCES = {
    "night": r"night ?time|night", "day": r"day ?time|day|mid ?day|afternoon|noon", "sunset": r"sun ?set|setting sun|sun (?:is )?setting",
    "sunrise": r"sun ?rise|dawn", "evening": r"evening", "dusk": r"dusk|twilight", "morning": r"morning",
    "sunny": r"sunny|clear (?:blue )?sk(?:y|ies)|clear day|bright day", "rainy": r"rain|raining|rainy|rain ?storm",
    "snowy": r"snowing|snow (?:is )?falling|falling snow|snowy|snow ?storm|blizzard", "cloudy": r"cloudy|overcast|gr[ae]y sk(?:y|ies)",
    "foggy": r"fog|foggy|misty|hazy", "windy": r"windy",
}  # fmt: skip
CLASHES = (
    {"day", "night"}, {"day", "sunset"}, {"day", "evening"}, {"day", "dusk"}, {"night", "sunset"}, {"night", "sunrise"},
    {"night", "morning"}, {"sunny", "rainy"}, {"sunny", "cloudy"}, {"sunny", "snowy"}, {"sunny", "foggy"}, {"rainy", "snowy"},
    {"sunrise", "sunset"}, {"morning", "evening"},
)  # fmt: skip
CIRCUMSTANCE_WORDS = words_of(
    "night day daytime nighttime sunset sunrise dawn evening dusk morning noon afternoon sunny rainy snowy cloudy foggy windy"
    " overcast stormy rain fog"
)
DIRECTIONS = words_of("left right top bottom upper lower higher above below beneath middle center")
SIZE_WORDS = words_of("larger largest bigger biggest smaller smallest")
PLACES = words_of(
    "field street road sidewalk beach park hill slope mountain bridge lake river pond pool stream court station airport"
    " harbor kitchen bathroom bedroom office restaurant room store classroom museum zoo pen enclosure pasture forest desert"
    " yard garden city town intersection crosswalk driveway alley market bar cafe bakery library hospital highway railway"
    " farm meadow island trail path stadium gym garage barn restroom lobby hallway backyard lawn marina dock pier runway"
    " platform tarmac ocean sea shore woods countryside snow grass sand playground water"
)
THINGS = words_of(
    "desk counter plate tray fence ramp log blanket rug towel shelf mirror door cabinet branch tree napkin cushion pillow"
    " roof ledge railing curb building house tower hotel church basket jar bucket stroller cart carriage wagon cage"
    " hammock dresser tent fireplace statue wave hat shirt jacket helmet suit dress wetsuit sweater uniform coat cap vest"
    " scarf hoodie skirt robe costume apron swimsuit bikini sweatshirt blouse wig glasses sunglasses goggles"
    " shorts pants jeans gloves boots headphones pajamas shoes sneakers sandals bike flag camera magazine newspaper guitar"
    " leash rope track mound candle lamp curtain microphone trophy drum scooter wheelchair van tractor trailer helicopter hammer"
    " cigarette ladder hose leaf bush vegetable potato tomato pepper onion cucumber egg pancake waffle muffin croissant bagel"
    " pretzel pineapple lemon strawberry pear peach pumpkin watermelon grape bouquet mushroom urinal bathtub shower faucet"
    " chandelier boulder cloud billboard awning balcony porch staircase gate printer wallet food meat cheese"
    " bread rice soup salad fruit coffee wine beer milk juice chocolate pasta lettuce sauce icing frosting luggage tennis"
    " baseball soccer basketball volleyball football golf cricket polo"
)
# Base form -> all other forms in use; what is regular is made by rule.
_IRREGULAR = {
    "ride": "rides riding rode ridden", "sit": "sits sitting sat", "stand": "stands standing stood", "lie": "lies lying laying lays lay laid",
    "sleep": "sleeps sleeping slept asleep", "run": "runs running ran", "hold": "holds holding held", "wear": "wears wearing wore",
    "eat": "eats eating ate", "drink": "drinks drinking drank", "swing": "swings swinging swung", "hit": "hits hitting",
    "throw": "throws throwing threw thrown", "catch": "catches catching caught", "fly": "flies flying flew flown",
    "cut": "cuts cutting", "feed": "feeds feeding fed", "drive": "drives driving drove driven", "hang": "hangs hanging hung",
    "take": "takes taking took taken", "make": "makes making made", "do": "does doing did done", "swim": "swims swimming swam",
    "kneel": "kneels kneeling knelt", "travel": "travels traveling travelling", "ski": "skis skiing", "read": "reads reading",
    "park": "parks parked parking", "seat": "seats seated", "dock": "docks docked", "perch": "perches perched perching",
    "gather": "gathers gathered gathering", "mount": "mounts mounted", "place": "places placed", "stack": "stacks stacked",
    "top": "tops topped", "fill": "fills filled", "cover": "covers covered", "decorate": "decorates decorated",
    "go": "goes going went", "sell": "sells selling sold", "lead": "leads leading led", "build": "builds building built",
    "pull": "pulls pulled pulling", "snowboard": "snowboards snowboarding", "skateboard": "skateboards skateboarding",
}  # fmt: skip
_REGULAR = (
    "rest walk carry graze play kick surf jump talk look watch use cook prepare brush pet lean float cross pose push climb"
    " wade wait work chase sail move wash paddle roam bathe serve perform smile enjoy pass approach"
)
_E_DROPPED = words_of("graze use prepare pose wade chase move paddle bathe serve smile")


def _make_forms() -> dict[str, frozenset[str]]:
    forms = {base: frozenset([base, *rest.split()]) for base, rest in _IRREGULAR.items()}
    for base in _REGULAR.split():
        stem = base[:-1] if base in _E_DROPPED else base
        twin = base + base[-1] if base == "pet" else stem
        third = base[:-1] + "ies" if base == "carry" else base + ("es" if base.endswith(("s", "sh", "ch")) else "s")
        past = base[:-1] + "ied" if base == "carry" else twin + "ed"
        forms[base] = frozenset([base, third, twin + "ing", past])
    return forms


VERBS = _make_forms()
VERBS["snowboard"] |= {"snow board"}  # "riding a snow board" is snowboarding
_BY_FORM = {form: base for base, forms in VERBS.items() for form in forms if form not in ("lay", "skis")} | {
    "lay": "lie"
}
# Forms that say by themselves that something goes on.
DOINGS = frozenset(form for forms in VERBS.values() for form in forms if form.endswith("ing")) | words_of(
    "parked seated docked perched mounted stacked topped filled decorated asleep"
)
PREPOSITIONS = {
    "on": "on onto upon atop", "on top of": "on atop upon", "in": "in inside into within", "inside": "in inside into within",
    "near": "near by beside alongside close", "by": "by near beside alongside close", "beside": "beside by near alongside along",
    "under": "under underneath beneath below", "toward": "toward towards", "among": "among amongst",
    "into": "into in inside", "onto": "onto on", "off": "off", "past": "past",
}  # fmt: skip


@lru_cache(maxsize=4096)
def lemma_of(form: str) -> str:
    """Return a verb's base form; an unknown word is its own."""
    return _BY_FORM.get(form, form)


def _regular_forms(form: str) -> frozenset[str]:
    """Return how a verb that the tables lack may be written, from its "-ing" or "-ed"."""
    for ending in ("ing", "ed"):
        if form.endswith(ending) and len(form) > len(ending) + 2:
            stem = form.removesuffix(ending)
            stems = {stem, f"{stem}e", stem[:-1] if stem[-1] == stem[-2] else stem}
            return frozenset(f"{one}{end}" for one in stems for end in ("", "s", "es", "d", "ed")) | {
                form,
                f"{stem}ing",
            }
    return frozenset((form,))


@lru_cache(maxsize=4096)
def forms_of(form: str) -> str:
    """Return a pattern for all forms of the verb of which this is one."""
    forms = VERBS.get(lemma_of(form)) or _regular_forms(form)
    return "|".join(sorted(map(re.escape, forms), key=len, reverse=True))


@lru_cache(maxsize=1024)
def value_pattern(value: str) -> str:
    """Return a pattern for what captions may say for an attribute's value."""
    return "|".join(VALUE_FORMS.get(value, value).split())
