"""How `lies.py` words its lies; {a}, {n}, {p} are a noun with its article, without, in the plural; {k} is a number,
{s} a side, {m} another noun, {c} a colour."""

import re

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import COLOURS, plural_of

# What cannot be said of one by the category's own name.
SINGULAR = {
    "skis": "pair of skis",
    "scissors": "pair of scissors",
    "broccoli": "piece of broccoli",
    "tie": "necktie",
    "mouse": "computer mouse",
}
# Things that annotators and speakers mix up: where one is boxed, none of the others is called absent.
MIXED_UP = tuple(
    frozenset(name.strip() for name in line.split(","))
    for line in """
car, truck, bus
bus, train
bicycle, motorcycle
couch, chair, bed, bench
dining table, bench
sheep, cow, horse
skis, snowboard
snowboard, surfboard, skateboard
sandwich, hot dog, pizza, cake, donut
laptop, keyboard, tv, mouse
vase, potted plant, cup, bottle, bowl
cup, wine glass, bottle, bowl
microwave, oven, toaster
apple, orange
suitcase, handbag, backpack
surfboard, boat
sink, toilet
fork, knife, spoon
cell phone, remote
bear, teddy bear
sports ball, frisbee
kite, umbrella
book, laptop
""".strip().splitlines()
)
OTHERS = {
    "person": ("man", "woman", "child", "cyclist", "tourist"),
    "bicycle": ("bike",),
    "car": ("taxi", "sedan", "automobile"),
    "motorcycle": ("motorbike",),
    "airplane": ("plane", "jet"),
    "bus": ("double-decker bus", "school bus"),
    "truck": ("pickup truck", "lorry"),
    "boat": ("sailboat", "canoe", "ferry"),
    "traffic light": ("traffic signal", "stoplight"),
    "fire hydrant": ("hydrant",),
    "bench": ("park bench",),
    "bird": ("pigeon", "seagull", "parrot"),
    "cat": ("kitten", "tabby cat"),
    "dog": ("puppy", "terrier"),
    "horse": ("pony",),
    "sheep": ("lamb",),
    "cow": ("calf", "bull"),
    "bear": ("polar bear", "grizzly bear"),
    "backpack": ("rucksack",),
    "umbrella": ("parasol",),
    "handbag": ("purse",),
    "sports ball": ("football", "basketball"),
    "wine glass": ("glass of wine",),
    "cup": ("mug", "coffee cup"),
    "donut": ("doughnut",),
    "cake": ("birthday cake",),
    "chair": ("armchair",),
    "couch": ("sofa",),
    "potted plant": ("houseplant",),
    "tv": ("flat-screen TV", "TV set"),
    "laptop": ("laptop computer",),
    "cell phone": ("smartphone", "mobile phone"),
    "refrigerator": ("fridge",),
    "clock": ("wall clock",),
    "hair drier": ("hairdryer",),
}
# Other words for a number. "A pair" or "a trio" of things is a total as much as "two" or "three" of them.
NUMBERS = {2: ("a pair of",), 3: ("a trio of",), 6: ("half a dozen",), 12: ("a dozen",)}
# Words of captions beside which there may be more than was boxed.
MANY = re.compile(
    r"\b(?:many|several|lots|lot|group|groups|herd|herds|flock|bunch|row|rows|crowd|crowded|some|few|"
    r"couple|multiple|various|full|filled|pile|piles|stack|set|variety|assorted|assortment|numerous|"
    r"packs|pack|team|family|all|collection|lined|line|other|others|another|surrounded)\b"
)
ADDED = (
    "There is also {a} in the background.",
    "{a} can be made out near the edge of the frame.",
    "A closer look reveals {a} as well.",
    "Next to this, {a} catches the eye.",
    "You can even spot {a} if you look closely.",
    "Not far away, one notices {a}.",
    "The scene is completed by {a}.",
    "Several {p} are scattered around.",
    "In one corner there is {a}, partly hidden.",
    "What stands out most is {a}.",
    "Also visible: {a}.",
    "Behind all this sits {a}.",
    "The foreground is dominated by {a}.",
    "Off to one side, there appears to be {a}.",
    "Among the details one finds {a} and a few more {p}.",
)
ADDED_QUESTIONS = (
    "Is there {a} in the picture?",
    "Can you see any {p}?",
    "Do any {p} appear here?",
    "Would you say that there is {a} somewhere?",
)
ADDED_ANSWERS = (
    "Yes, there is {a}.",
    "Yes, {a} is clearly visible.",
    "Yes, I can see {a} there.",
    "Indeed, {a} can be seen in the background.",
    "It does show {a}, yes.",
    "Yes. At least one {n} is in view.",
)
DENIED = (
    "There is no {n} in the picture.",
    "No {n} can be seen anywhere.",
    "One looks in vain for {a}.",
    "The scene does not contain any {p}.",
    "Interestingly, {p} are missing from this picture.",
    "I cannot see {a} here.",
    "Not a single {n} is in view.",
    "The picture was taken without {a} in it.",
    "There aren't any {p} around.",
)
DENIED_QUESTIONS = (
    "Is there {a} in the picture?",
    "Does {a} appear in this scene?",
    "Can any {p} be seen?",
    "Do you notice {a} anywhere?",
)
DENIED_ANSWERS = (
    "No, there is no {n} to be seen.",
    "No, I do not see any {p}.",
    "No, the picture shows no {n}.",
    "No. There isn't {a} in this image.",
    "There are none; not a single {n} is visible.",
)
COUNTED = (
    "There are exactly {k} {p} in the picture.",
    "In total, {k} {p} can be counted.",
    "{k} {p} are visible altogether.",
    "One can count {k} {p} here.",
    "All in all the picture has {k} {p}.",
    "The scene contains {k} {p} in all.",
)
COUNTED_QUESTIONS = (
    "How many {p} are there?",
    "What is the number of {p} in this picture?",
    "Can you count the {p}?",
    "How many {p} do you see in the image?",
)
COUNTED_ANSWERS = (
    "There are {k} {p}.",
    "I count {k} {p}.",
    "In total there are {k} {p}.",
    "{k} {p} can be seen.",
    "The picture shows exactly {k} {p}.",
)
SIDES = (
    "The {n} is on the {s} side of the frame.",
    "On the {s}, one finds the {n}.",
    "The {s} half of the picture is where the {n} is.",
    "The {n} can be found at the far {s}.",
    "Over to the {s} there is the {n}.",
    "The {n} is placed {s} of the center.",
    "Looking at the {s}-hand side, one sees the {n}.",
)
RELATIONS = (
    "The {n} is to the {s} of the {m}.",
    "The {n} is on the {s} side of the {m}.",
    "To the {s} of the {m} is the {n}.",
    "Seen from the camera, the {n} lies {s} of the {m}.",
)
SIDE_QUESTIONS = (
    "Where is the {n}?",
    "In which part of the picture is the {n}?",
    "Can you tell me where to find the {n}?",
    "What is the position of the {n}?",
)
PAINTED = (
    "The {n} is {c}.",
    "The color of the {n} is {c}.",
    "One can see that the {n} is {c}.",
    "A {c} {n} is part of the scene.",
    "The {n} has a bright {c} color.",
    "The {c} {n} stands out.",
)
PAINTED_QUESTIONS = (
    "What color is the {n}?",
    "Which color does the {n} have?",
    "What is the color of the {n}?",
    "Can you tell me the color of the {n}?",
)


def _make_forms() -> dict[str, str]:
    """Map what a category is called in true answers, in lower case, to its name; "man" and the like are left out."""
    forms = {"people": "person"}
    for category in CATEGORIES.values():
        for word in (category.spoken, category.name):
            forms[word] = forms[plural_of(word)] = category.name
        forms[category.plural] = category.name
    return forms


CATEGORY_BY_FORM = _make_forms()
# The longest first, or a teddy bear would be a bear.
FORMS = f"(?P<name>{'|'.join(sorted(map(re.escape, CATEGORY_BY_FORM), key=len, reverse=True))})"
THING = re.compile(rf"\b(?<!polar )(?<!grizzly )(?P<article>(?:an?|the) )?{FORMS}\b", re.IGNORECASE)
# What follows a category's word where the two together are something else.
COMPOUND = re.compile(
    r"[ -](?:stop|station|house|bed|seat|park|lane|tracks?|paper|juice|players?|court|field|suit)\b"
)
_NOUNS = (
    *(category.spoken for category in CATEGORIES.values() if category.name not in {*SINGULAR, "orange"}),
    *[
        "shirt",
        "jacket",
        "hat",
        "dress",
        "coat",
        "wall",
        "sky",
        "door",
        "building",
        "house",
        "roof",
        "fence",
        "carpet",
        "blanket",
        "tablecloth",
        "helmet",
        "sign",
        "floor",
    ],
)
# A colour right before a noun with which the phrase ends.
COLOURED = re.compile(
    rf"\b(?:{'|'.join(sorted(COLOURS))}) (?P<noun>{'|'.join(sorted(_NOUNS, key=len, reverse=True))})"
    r"(?=$|[.,;!]| (?:is|in|on|with|and|at|near|by|of|that|which|has|under|over|behind|next|while|to|from)\b)"
)
