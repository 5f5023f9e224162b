"""What the planted-fault benchmark says for things, colours and numbers, and which of them exclude each other.

This is the benchmark's own list, on purpose apart from the checker's.
"""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

# Key: a category; value: words that are true of every such thing.
SAME: dict[str, tuple[str, ...]] = {
    "airplane": ("airplane", "plane", "aircraft"),
    "bicycle": ("bicycle", "bike"),
    "motorcycle": ("motorcycle", "motorbike"),
    "couch": ("couch", "sofa"),
    "tv": ("TV", "television"),
    "refrigerator": ("refrigerator", "fridge"),
    "cell phone": ("cell phone", "phone", "mobile phone"),
    "donut": ("donut", "doughnut"),
    "dining table": ("table",),
    "sports ball": ("ball",),
    "fire hydrant": ("fire hydrant", "hydrant"),
    "remote": ("remote control",),
    "mouse": ("computer mouse",),
    "hair drier": ("hair dryer",),
    "tennis racket": ("tennis racket", "racquet"),
    "laptop": ("laptop", "laptop computer"),
    "person": ("person",),
    "orange": ("orange",),
    "bus": ("bus",),
    "traffic light": ("traffic light", "stoplight"),
}

# Key: a category that is not in the picture; value: words that name one of its kind.
KINDS: dict[str, tuple[str, ...]] = {
    "dog": ("dog", "puppy", "dog", "golden retriever"),
    "cat": ("cat", "kitten", "cat", "tabby cat"),
    "bird": ("bird", "seagull", "bird", "parrot", "pigeon"),
    "horse": ("horse", "horse", "pony"),
    "cow": ("cow", "cow", "bull"),
    "sheep": ("sheep", "lamb"),
    "bear": ("bear", "brown bear"),
    "car": ("car", "car", "sedan", "SUV", "taxi"),
    "truck": ("truck", "pickup truck", "truck", "delivery truck"),
    "bus": ("bus", "school bus", "double-decker bus", "bus"),
    "boat": ("boat", "sailboat", "boat", "canoe", "rowboat"),
    "train": ("train", "train", "freight train"),
    "person": ("man", "woman", "person", "young boy", "little girl", "child"),
    "motorcycle": ("motorcycle", "motorbike", "moped"),
    "umbrella": ("umbrella", "umbrella", "parasol"),
    "chair": ("chair", "armchair", "chair"),
    "cake": ("cake", "birthday cake", "cake"),
    "sandwich": ("sandwich", "burger", "sandwich"),
    "backpack": ("backpack", "rucksack", "backpack"),
    "handbag": ("handbag", "purse"),
    "cup": ("cup", "mug", "coffee cup"),
    "bottle": ("bottle", "wine bottle"),
    "cell phone": ("cell phone", "smartphone", "phone"),
    "teddy bear": ("teddy bear", "stuffed bear"),
    "bed": ("bed", "bed", "bunk bed"),
    "clock": ("clock", "clock", "wall clock"),
    "oven": ("oven", "stove"),
    "couch": ("couch", "sofa", "loveseat"),
}

# Things that one may take for each other: where one is boxed, the absence of the other is in doubt.
_CONFUSED = (
    "car truck bus train",
    "couch chair bed bench",
    "cup bowl wine_glass bottle vase",
    "fork knife spoon",
    "handbag backpack suitcase",
    "tv laptop keyboard mouse cell_phone remote",
    "oven microwave toaster refrigerator",
    "bicycle motorcycle",
    "cake donut sandwich pizza hot_dog",
    "apple orange banana",
    "snowboard skis skateboard surfboard",
    "sports_ball frisbee orange",
    "baseball_bat baseball_glove sports_ball",
    "sheep cow dog horse",
    "teddy_bear bear dog",
    "kite umbrella",
    "stop_sign traffic_light parking_meter",
    "potted_plant vase",
    "carrot broccoli",
    "dining_table bench",
    "boat surfboard",
)
CONFUSED: dict[str, set[str]] = {}
for _line in _CONFUSED:
    _names = [name.replace("_", " ") for name in _line.split()]
    for _name in _names:
        CONFUSED.setdefault(_name, set()).update(set(_names) - {_name})

# COCO's annotators miss these most often: absent only where the setting is far from them.
SMALL_INDOOR = {
    "book", "bottle", "cup", "chair", "potted plant", "spoon", "knife", "fork", "bowl", "remote", "cell phone",
    "vase", "wine glass", "mouse", "keyboard", "dining table", "scissors", "hair drier", "toothbrush", "sink",
    "apple", "orange", "carrot", "clock", "toaster",
}  # fmt: skip
CARRIED = {
    "handbag",
    "backpack",
    "tie",
    "baseball glove",
    "sports ball",
    "baseball bat",
    "cell phone",
    "bottle",
    "book",
}
OUTDOOR_GROUPS = {"animal", "vehicle", "outdoor", "sports"}

# Key: what captions and a box agree on; value: what a careless teacher says instead.
PARTNERS: dict[str, str] = {
    "dog": "cat|horse|sheep|bear|cow|bird",
    "cat": "dog|bird|teddy bear|laptop",
    "bird": "cat|dog|airplane|kite|boat",
    "horse": "cow|elephant|zebra|dog|motorcycle|bicycle|sheep",
    "cow": "horse|elephant|zebra|dog|giraffe|sheep",
    "sheep": "zebra|dog|horse|elephant|cow|bird",
    "elephant": "giraffe|zebra|horse|bear|cow",
    "zebra": "giraffe|elephant|cow|horse|sheep",
    "giraffe": "zebra|elephant|horse|bird|cow",
    "bear": "elephant|dog|cow|cat|horse",
    "bus": "train|boat|airplane|motorcycle|truck|car",
    "train": "bus|boat|airplane|truck|horse",
    "truck": "boat|airplane|motorcycle|train|horse|bus",
    "car": "motorcycle|boat|bicycle|airplane|train|bus",
    "boat": "truck|airplane|train|bus|car|surfboard",
    "airplane": "boat|train|bus|kite|truck|bird",
    "motorcycle": "horse|car|boat|skateboard|bicycle",
    "bicycle": "skateboard|horse|car|surfboard",
    "skateboard": "bicycle|surfboard|snowboard|motorcycle|horse",
    "surfboard": "skateboard|kite|snowboard|bicycle|boat",
    "snowboard": "skateboard|surfboard|bicycle",
    "frisbee": "kite|tennis racket|baseball bat|umbrella",
    "kite": "frisbee|umbrella|airplane|bird|surfboard",
    "umbrella": "kite|surfboard|suitcase|bicycle|teddy bear",
    "tennis racket": "baseball bat|frisbee|umbrella|skateboard",
    "baseball bat": "tennis racket|umbrella|frisbee|surfboard",
    "laptop": "teddy bear|cat|toaster|book",
    "tv": "refrigerator|clock|bicycle|microwave",
    "pizza": "cake|sandwich|hot dog|donut|banana",
    "cake": "pizza|sandwich|hot dog|donut",
    "sandwich": "pizza|donut|cake|banana",
    "donut": "pizza|banana|apple|sandwich|carrot",
    "hot dog": "pizza|donut|banana|cake",
    "banana": "donut|pizza|carrot|broccoli|apple",
    "broccoli": "banana|pizza|donut|cake",
    "carrot": "banana|donut|apple",
    "toilet": "bed|refrigerator|oven|couch|bicycle",
    "bed": "toilet|bicycle|refrigerator|couch|bench",
    "couch": "toilet|bicycle|bench|bed|refrigerator",
    "refrigerator": "toilet|bed|couch|tv",
    "oven": "tv|bed|toilet|laptop",
    "microwave": "tv|laptop|toaster|clock",
    "clock": "kite|umbrella|traffic light|stop sign|bird|tv",
    "vase": "teddy bear|clock|laptop|umbrella|cake",
    "teddy bear": "dog|cat|cake|suitcase|laptop",
    "bench": "bicycle|bed|motorcycle|couch|boat",
    "stop sign": "fire hydrant|parking meter|clock|umbrella|traffic light|kite",
    "fire hydrant": "parking meter|bench|suitcase|bicycle|stop sign",
    "traffic light": "clock|kite|bird|fire hydrant|umbrella",
    "parking meter": "fire hydrant|bench|bicycle|clock",
    "suitcase": "teddy bear|laptop|bench|skateboard|bicycle|umbrella",
    "cell phone": "banana|umbrella|book|tennis racket|sandwich",
    "scissors": "knife|banana|spoon",
}

# Key: a colour; value: colours that nobody would call it by.
OTHER_COLOURS: dict[str, str] = {
    "red": "blue green yellow white black purple",
    "blue": "red yellow orange brown pink",
    "green": "red purple orange white pink brown",
    "yellow": "blue purple black red green",
    "orange": "blue green purple black white",
    "pink": "green blue black yellow",
    "purple": "green yellow orange white",
    "brown": "blue green purple white pink red",
    "black": "white yellow red orange pink",
    "white": "black blue red green purple brown",
    "gray": "red yellow green orange pink purple",
    "silver": "red green yellow orange purple",
    "tan": "blue green purple black red",
    "gold": "blue green purple black",
}
# What animals and people come in, so that a false colour is not always an absurd one.
NATURAL: dict[str, str] = {
    "black": "white orange",
    "white": "black brown",
    "brown": "white",
    "gray": "orange",
    "orange": "black white",
    "tan": "black",
    "yellow": "black",
}
NEAR_WORDS: dict[str, str] = {
    "red": "maroon crimson reddish burgundy rust rusty", "blue": "teal turquoise navy bluish aqua",
    "green": "teal lime greenish olive grassy", "yellow": "gold golden blonde yellowish",
    "pink": "fuchsia magenta rose", "purple": "violet lavender lilac", "white": "snowy cream ivory silver whitish",
    "brown": "wooden wood tan beige brownish", "orange": "ginger", "black": "dark",
}  # fmt: skip
COLOUR_OF = {"grey": "gray", "golden": "gold", "beige": "tan", "teal": "teal", "turquoise": "turquoise"}
COLOUR_WORDS = (*OTHER_COLOURS, *COLOUR_OF, "maroon", "violet", "cream", "khaki")

# Nouns besides the categories whose colour captions tell; worn ones need a picture of one person.
WORN = [
    "shirt",
    "jacket",
    "hat",
    "dress",
    "coat",
    "helmet",
    "sweater",
    "shorts",
    "cap",
    "suit",
    "hoodie",
    "wetsuit",
    "scarf",
    "jersey",
    "vest",
    "skirt",
]
THINGS = [
    "wall",
    "walls",
    "building",
    "fence",
    "field",
    "house",
    "rug",
    "carpet",
    "blanket",
    "plate",
    "bedspread",
    "curtains",
    "collar",
    "tablecloth",
]

# Words under which a thing may hide in a caption, besides those of the lexicon.
MORE_HINTS: dict[str, str] = {
    "dog": "hound mutt dalmatian k9 mastiff", "horse": "filly colts equine mustang bronco bull",
    "car": "beetle mercedes porsche vw bmw coupe toyota ford police hearse hummer highway freeway",
    "bus": "greyhound", "truck": "wheeler hauler tanker ford ambulance",
    "boat": "catamaran schooner skiff tug tugboat dinghy pontoon river lake",
    "bird": "puffin macaw osprey falcon vulture chick chicks mallard geese seabird toucan", "cat": "lion tiger cub",
    "airplane": "boeing helicopter glider cessna 747 bomber airbus airfield airshow", "sheep": "ewes fleece",
    "person": "crew staff shoppers sailor lifeguard commuters cop teen monk santa farmer class bicyclists cyclists",
    "train": "metro railcar wagon", "couch": "ottoman", "tv": "plasma lcd", "bench": "sitting seated",
    "kite": "sail sails", "umbrella": "beach patio cocktail", "clock": "tower", "cow": "herd moo",
    "bear": "costume", "elephant": "circus",
}  # fmt: skip
