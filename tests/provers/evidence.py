"""What an image's boxes and captions say, looked up with the prover's own words and geometry."""

# ruff: noqa: E501 - a pattern is a line

import re
from functools import lru_cache

from instructgen.records import Box, ImageRecord

# Category -> what a text may call it, singular | plural forms written out as a pattern.
_NAMES = {
    "person": r"person|people|persons|m[ae]n|wom[ae]n|boys?|girls?|lady|ladies|guys?|gentlem[ae]n|child|children|kids?"
    r"|toddlers?|bab(?:y|ies)|(?:tennis |baseball |soccer )?players?|surfers?|skiers?|snowboarders?|skateboarders?"
    r"|skaters?|riders?|batters?|pitchers?|catchers?|umpires?|chefs?|brides?|grooms?|(?:police )?officers?|policem[ae]n"
    r"|couples?|crowds?|famil(?:y|ies)|adults?|someone|pedestrians?|cyclists?|bicyclists?|motorcyclists?|bikers?"
    r"|athletes?|passengers?|workers?|soldiers?|tourists?|students?|teenagers?|friends?|firem[ae]n|cowboys?"
    r"|boarders?|drivers?|jockeys?|swimmers?|hikers?|vendors?|waiters?|waitress(?:es)?|spectators?|humans?",
    "bicycle": r"bicycles?|cycles?",
    "car": r"cars?|automobiles?|sedans?|suvs?|taxis?|(?:taxi )?cabs?|minivans?|station wagons?|convertibles?|hatchbacks?|jeeps?",
    "motorcycle": r"motorcycles?|motor ?bikes?|mopeds?|dirt bikes?|harleys?",
    "airplane": r"airplanes?|planes?|aeroplanes?|aircraft|(?:jumbo )?jets?|jetliners?|airliners?|biplanes?",
    "bus": r"(?:school |tour |coach )?buss?(?:es)?|double deckers?|minibus(?:es)?",
    "train": r"(?:subway |freight |passenger )?trains?|locomotives?|trams?|train engines?",
    "truck": r"(?:pickup |fire |dump |tow |semi |garbage |food )?trucks?|lorry|lorries|pickups?|firetrucks?",
    "boat": r"(?:fishing )?boats?|sailboats?|(?:cruise )?ships?|canoes?|kayaks?|yachts?|rowboats?|motorboats?|speedboats?"
    r"|ferry|ferries|gondolas?|rafts?|barges?",
    "traffic light": r"traffic (?:light|signal)s?|stop ?lights?|street lights?|signal lights?",
    "fire hydrant": r"(?:fire |water )?hydrants?",
    "stop sign": r"stop ?signs?",
    "parking meter": r"(?:parking )?meters?",
    "bench": r"(?:park )?bench(?:es)?|pews?",
    "bird": r"birds?|ducks?|seagulls?|goose|geese|parrots?|pigeons?|swans?|owls?|eagles?|hawks?|pelicans?|flamingos?"
    r"|chickens?|roosters?|crows?|gulls?|hummingbirds?|parakeets?|ostrich(?:es)?|peacocks?|penguins?|cranes?|herons?"
    r"|finch(?:es)?|cockatoos?|sparrows?|doves?|robins?|hens?|egrets?|turkeys?|storks?",
    "cat": r"(?:tabby |calico |siamese )?cats?|kittens?|kitty|kitties|tabb(?:y|ies)",
    "dog": r"(?:sheep )?dogs?|pupp(?:y|ies)|poodles?|bulldogs?|terriers?|dachshunds?|golden retrievers?|labradors?|pugs?"
    r"|beagles?|german shepherds?|chihuahuas?|corgis?|husk(?:y|ies)|collies?|sheepdogs?",
    "horse": r"horses?|pon(?:y|ies)|stallions?|mares?|foals?|colts?|donkeys?|mules?",
    "sheep": r"sheep|lambs?|rams?|ewes?",
    "cow": r"cows?|bulls?|calf|calves|cattle|steers?|ox|oxen|buffalos?|buffaloes|bisons?",
    "elephant": r"(?:baby )?elephants?",
    "bear": r"(?:brown |black |polar |grizzly |panda )?bears?|grizzly|bear cubs?|pandas?",
    "zebra": r"(?:baby )?zebras?",
    "giraffe": r"(?:baby )?giraffes?",
    "backpack": r"back ?packs?|rucksacks?|knapsacks?",
    "umbrella": r"umbrellas?|parasols?",
    "handbag": r"hand ?bags?|purses?",
    "tie": r"(?:neck |bow )?ties?|neckties?|bowties?",
    "suitcase": r"suit ?cases?",
    "frisbee": r"frisbees?|flying discs?",
    "skis": r"(?:pairs? of )?skis?",
    "snowboard": r"snow ?boards?",
    "sports ball": r"(?:soccer |tennis |beach |baseball )?balls?|basketballs?|volleyballs?|footballs?",
    "kite": r"kites?|parasails?",
    "baseball bat": r"(?:baseball )?bats?",
    "baseball glove": r"baseball gloves?|(?:catchers )?mitts?",
    "skateboard": r"skate ?boards?|longboards?",
    "surfboard": r"(?:surf|boogie|body|paddle) boards?|surfboards?",
    "tennis racket": r"(?:tennis )?(?:rackets?|racquets?)",
    "bottle": r"(?:wine |water |beer )?bottles?",
    "wine glass": r"wine ?glass(?:es)?|glass(?:es)? of wine",
    "cup": r"(?:coffee |tea )?cups?|(?:coffee )?mugs?|teacups?",
    "fork": r"(?:salad )?forks?",
    "knife": r"(?:butter )?kni(?:fe|ves)",
    "spoon": r"spoons?|ladles?|teaspoons?|tablespoons?",
    "bowl": r"(?:soup |salad )?bowls?",
    "banana": r"bananas?|plantains?",
    "apple": r"(?:green |red )?apples?",
    "sandwich": r"(?:sub )?sandwich(?:es)?|(?:ham|cheese)?burgers?|subs?",
    "orange": r"oranges?|clementines?|tangerines?|mandarins?",
    "broccoli": r"broccoli(?: florets?)?",
    "carrot": r"(?:baby )?carrots?",
    "hot dog": r"hot ?dogs?|frankfurters?|(?:chili|corn) dogs?",
    "pizza": r"pizzas?(?: pies?)?|flatbreads?",
    "donut": r"donuts?|doughnuts?",
    "cake": r"(?:birthday |wedding )?cakes?|cupcakes?|cheesecakes?",
    "chair": r"(?:arm |lawn |rocking |high |office )?chairs?|armchairs?|stools?|recliners?",
    "couch": r"couch(?:es)?|sofas?|love ?seats?",
    "potted plant": r"(?:potted|house|pot) plants?|houseplants?|plants? in a pot",
    "bed": r"(?:bunk |hospital )?beds?|(?:air )?mattress(?:es)?|cribs?",
    "dining table": r"(?:dining |kitchen |coffee |picnic )?tables?",
    "toilet": r"toilets?(?: bowls?)?|commodes?",
    "tv": r"tvs?|televisions?(?: sets?)?|flat ?screens?|(?:tv )?screens?",
    "laptop": r"laptops?(?: computers?)?|notebook computers?|macbooks?",
    "mouse": r"(?:computer )?(?:mouse|mice)",
    "remote": r"remotes?(?: controls?)?|(?:wii|game|video game)? ?(?:controllers?|remotes?)|wii motes?",
    "keyboard": r"(?:computer )?keyboards?",
    "cell phone": r"(?:cell|smart|mobile|flip)? ?phones?|cellphones?|smartphones?|telephones?|iphones?",
    "microwave": r"microwaves?(?: ovens?)?",
    "oven": r"ovens?|stoves?(?: tops?)?|ranges?|cookers?",
    "toaster": r"toasters?(?: ovens?)?",
    "sink": r"sinks?|wash ?basins?",
    "refrigerator": r"refrigerators?|fridges?|freezers?",
    "book": r"books?|textbooks?|paperbacks?",
    "clock": r"(?:alarm |grandfather |wall )?clocks?",
    "vase": r"(?:flower )?vases?",
    "scissors": r"(?:pairs? of )?scissors|shears",
    "teddy bear": r"teddy ?(?:bears?)?|stuffed bears?|toy bears?",
    "hair drier": r"(?:hair|blow) ?d[ry][iy]ers?",
    "toothbrush": r"(?:electric )?tooth ?brush(?:es)?",
}  # fmt: skip
_PATTERNS = {name: re.compile(rf"(?:{body})") for name, body in _NAMES.items()}
# Single words under which a thing may be present by another name; enough to doubt its absence.
_DOUBTS = {
    "car": "vehicle vehicles traffic van vans parking", "truck": "vehicle vehicles van vans trailer",
    "bus": "transit trolley vehicles", "train": "railway subway rail", "boat": "vessel harbor dock marina",
    "bicycle": "bike bikes", "motorcycle": "bike bikes scooter", "dog": "pet pets animals pup", "cat": "pet pets animals feline",
    "laptop": "computer computers", "tv": "monitor monitors computer computers", "keyboard": "computer computers piano",
    "couch": "furniture futon", "chair": "seat seats", "sheep": "goat goats", "horse": "equestrian animals",
    "cake": "dessert frosting", "donut": "pastry pastries", "carrot": "vegetable vegetables veggies", "suitcase": "luggage bags",
    "apple": "fruit fruits", "orange": "fruit fruits", "banana": "fruit fruits", "clock": "time", "vase": "flowers bouquet",
    "umbrella": "canopy", "bench": "benches seating", "sports ball": "baseball tennis soccer", "toilet": "bathroom urinal",
    "person": "he she his her him they group someone team male female hand hands", "bird": "flock animals", "kite": "parasailing",
    "oven": "appliances stovetop", "refrigerator": "appliances", "microwave": "appliances", "fork": "utensils silverware",
    "wine glass": "wine champagne glasses", "surfboard": "surfing surfer board", "skateboard": "skating skater board",
}  # fmt: skip


class Evidence:
    """Boxes and captions of one image; every question about them is answered anew from the record."""

    def __init__(self, record: ImageRecord) -> None:
        self.record = record
        self.captions = [re.sub(r"[^a-z0-9' ,.]+", " ", caption.lower()) for caption in record.captions]
        self.text = " . ".join(self.captions)

    def boxes(self, category: str) -> list[Box]:
        return [box for box in self.record.boxes if box.category == category and not box.is_crowd]

    def has_crowd(self, category: str) -> bool:
        return any(box.category == category and box.is_crowd for box in self.record.boxes)

    def is_boxed(self, category: str) -> bool:
        return any(box.category == category for box in self.record.boxes)

    def captions_with(self, pattern: str) -> list[str]:
        found = re.compile(rf"\b(?:{pattern})\b")
        return [caption for caption in self.captions if found.search(caption)]

    def doubts_absence(self, category: str) -> bool:
        """True if a box or any word leaves room for the thing."""
        words = set(re.findall(r"[a-z0-9]+", self.text))
        if self.is_boxed(category) or words & set(_DOUBTS.get(category, "").split()):
            return True
        return bool(self.captions_with(_NAMES[category]))


@lru_cache(maxsize=4096)
def category_of(noun: str) -> str | None:
    """Return the category a noun names in full, or None."""
    for name in ("teddy bear", "hot dog", *_PATTERNS):
        if _PATTERNS[name].fullmatch(noun):
            return name
    return None


@lru_cache(maxsize=4096)
def name_pattern(noun: str) -> str:
    """Return a pattern for all that a caption may call the noun, singular or plural."""
    category = category_of(noun)
    if category is not None:
        return _NAMES[category]
    stem = re.escape(noun)
    variants = {stem, stem + "s", stem + "es"}
    if noun.endswith("s"):
        variants |= {re.escape(noun[:-1]), re.escape(noun[:-2])}
    if noun.endswith("y"):
        variants.add(re.escape(noun[:-1]) + "ies")
    if noun.endswith("ies"):
        variants.add(re.escape(noun[:-3]) + "y")
    if noun.endswith("ves"):
        variants |= {re.escape(noun[:-3]) + "f", re.escape(noun[:-3]) + "fe"}
    return "|".join(sorted(variants, key=len, reverse=True)).replace(r"\ ", r"[ ]+")


def is_many(noun: str) -> bool:
    """True for a plural, as far as the ending and a few irregular words tell."""
    irregular = {
        "people",
        "men",
        "women",
        "children",
        "geese",
        "mice",
        "knives",
        "calves",
        "oxen",
        "skis",
        "scissors",
    }
    last = noun.rsplit(maxsplit=1)[-1]
    return last in irregular or (last.endswith("s") and not last.endswith("ss") and last not in ("bus", "tennis"))


def names_of(category: str) -> str:
    """Return a pattern for all that the category may be called."""
    return _NAMES[category]
