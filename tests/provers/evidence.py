"""What an image's boxes and captions say, looked up with the prover's own words and geometry."""

# ruff: noqa: E501 - a pattern is a line

import re
from functools import lru_cache

from msgspec import Struct

from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.claims import Claim
from tests.provers.words import PLACES, THINGS

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
    "bus": r"(?:school |tour |coach |double decker )?buss?(?:es)?|double deckers?|minibus(?:es)?",
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
    "sports ball": r"(?:soccer |tennis |beach |baseball |sports )?balls?|basketballs?|volleyballs?|footballs?",
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
    "remote": r"remotes?(?: controls?)?|(?:(?:wii|game|video game) )?(?:controllers?|remotes?)|wii motes?",
    "keyboard": r"(?:computer )?keyboards?",
    "cell phone": r"(?:(?:cell|smart|mobile|flip) )?phones?|cellphones?|smartphones?|telephones?|iphones?",
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
# Words for one category that say all of it: any other name that captions use says the same.
_GENERIC = {
    "people": "person", "ball": "sports ball", "table": "dining table", "television": "tv", "computer mouse": "mouse",
    "remote control": "remote", "hair dryer": "hair drier", "glove": "baseball glove", "bat": "baseball bat",
    "racket": "tennis racket", "computer mice": "mouse", "pair of skis": "skis", "pair of scissors": "scissors",
}  # fmt: skip
# Words for people that mean the same.
_PEOPLE = {
    "man": "m[ae]n|guys?|gentlem[ae]n", "woman": "wom[ae]n|lady|ladies", "boy": "boys?", "girl": "girls?",
    "baby": "bab(?:y|ies)", "child": "child|children|kids?|toddlers?", "skateboarder": "skateboarders?|skaters?",
    "police officer": "(?:police )?officers?|policem[ae]n", "skier": "skiers?",
}  # fmt: skip
# Words that are written as one, as two or with a hyphen.
_SPELLINGS = {
    "wetsuit": "wet[ ]*suits?", "wet suit": "wet[ ]*suits?", "t shirt": "t(?:ee)?[ ]*shirts?", "countertop": "counter[ ]*tops?",
    "nightstand": "night[ ]*stands?", "night stand": "night[ ]*stands?", "stove top": "stove[ ]*tops?", "desk top": "desk[ ]*tops?",
    "sidewalk": "side[ ]*walks?", "bathtub": "bath[ ]*tubs?", "swimsuit": "swim[ ]*suits?|bathing[ ]*suits?", "raincoat": "rain[ ]*coats?",
}  # fmt: skip
_IRREGULAR = {
    "men": "man", "women": "woman", "babies": "baby", "children": "child", "people": "person", "knives": "knife", "mice": "mouse",
    "shelves": "shelf", "leaves": "leaf", "geese": "goose", "calves": "calf", "policemen": "police officer", "ladies": "lady",
}  # fmt: skip
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


def _flexible(body: str) -> str:
    """Let any run of spaces stand for one: a hyphen or a comma was made a space."""
    return body.replace(" ?", "[ ]*").replace(" ", "[ ]+").replace("[[ ]+]", "[ ]")


_FLEXIBLE = {name: _flexible(body) for name, body in _NAMES.items()}
_PATTERNS = {name: re.compile(rf"(?:{body})") for name, body in _FLEXIBLE.items()}


class Cited(Struct, frozen=True):
    """A caption that a claim cites, in lower case and letter for letter, and the part of it that is cited."""

    number: int
    caption: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.caption[self.start : self.end]


class Evidence:
    """Boxes and captions of one image; every question about them is answered anew from the record."""

    def __init__(self, record: ImageRecord) -> None:
        self.record = record
        self.captions = [re.sub(r"[^a-z0-9' ,.]", " ", caption.lower()) for caption in record.captions]
        self.text = " . ".join(self.captions)

    def boxes(self, category: str) -> list[Box]:
        return [box for box in self.record.boxes if box.category == category and not box.is_crowd]

    def has_crowd(self, category: str) -> bool:
        return any(box.category == category and box.is_crowd for box in self.record.boxes)

    def is_boxed(self, category: str) -> bool:
        return any(box.category == category for box in self.record.boxes)

    def is_one(self, category: str) -> bool:
        return len(self.boxes(category)) == 1 and not self.has_crowd(category)

    def captions_with(self, pattern: str) -> list[str]:
        found = re.compile(rf"\b(?:{pattern})\b")
        return [caption for caption in self.captions if found.search(caption)]

    def cited(self, claim: Claim) -> list[Cited]:
        """Return the captions that a claim cites; raise ValueError where there is no such caption or part of it."""
        found = []
        for span in claim.evidence.spans:
            if not 0 <= span.caption < len(self.captions):
                raise ValueError(f"there is no caption {span.caption}")
            caption = self.captions[span.caption]
            if not 0 <= span.start < span.end <= len(caption):
                raise ValueError(f"caption {span.caption} has no characters {span.start} to {span.end}")
            found.append(Cited(span.caption, caption, span.start, span.end))
        return found

    def cited_boxes(self, claim: Claim, category: str) -> list[Box]:
        """Return those of the cited boxes that are of the category; raise ValueError for a number that no box has."""
        if any(not 0 <= number < len(self.record.boxes) for number in claim.evidence.boxes):
            raise ValueError("cites a box that there is not")
        boxes = [self.record.boxes[number] for number in dict.fromkeys(claim.evidence.boxes)]
        return [box for box in boxes if box.category == category]

    def doubts_absence(self, category: str) -> bool:
        """True if a box or any word leaves room for the thing."""
        words = set(re.findall(r"[a-z0-9]+", self.text))
        if self.is_boxed(category) or words & set(_DOUBTS.get(category, "").split()):
            return True
        return bool(self.captions_with(names_of(category)))


def singular_of(noun: str) -> str:
    """Return the singular, as far as the ending and a few irregular words tell."""
    head, _, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith(("sses", "shes", "ches", "xes")) or last in ("buses", "potatoes", "tomatoes"):
        last = last[:-2]
    elif last.endswith("ies") and last not in ("ties", "cookies", "brownies"):
        last = last[:-3] + "y"
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")):
        last = last[:-1]
    return f"{head} {last}".strip()


@lru_cache(maxsize=4096)
def category_of(noun: str) -> str | None:
    """Return the category a noun names in full, or None."""
    for name in ("teddy bear", "hot dog", *_PATTERNS):
        if _PATTERNS[name].fullmatch(noun):
            return name
    return None


def is_general(noun: str, category: str) -> bool:
    """True for the category's own name, in the singular, or one that says as much."""
    return _GENERIC.get(noun, noun) == category


@lru_cache(maxsize=4096)
def name_pattern(noun: str) -> str:
    """Return a pattern for all that a caption may say for the noun, singular or plural.

    A category's own name stands for all its names, a narrower one ("taxi", "woman") only for itself.
    """
    single = singular_of(noun)
    category = category_of(noun)
    generic = _GENERIC.get(noun) or _GENERIC.get(single) or (noun if noun in _NAMES else single)
    if category is not None and generic == category:
        return _FLEXIBLE[category]
    if single in _SPELLINGS:
        return _SPELLINGS[single]
    if single in _PEOPLE:
        return _flexible(_PEOPLE[single])
    stem = re.escape(single).replace(r"\ ", "[ ]*" if single in ("suit case", "t shirt") else "[ ]+")
    variants = {stem, stem + "e?s", re.escape(noun).replace(r"\ ", "[ ]+")}
    if single.endswith("y"):
        variants.add(stem[:-1] + "ies")
    if single.endswith("man"):
        variants.add(stem[:-3] + "men")
    if single.endswith(("f", "fe")):
        variants.add(stem.rstrip("e")[:-1] + "ves")
    return "|".join(sorted(variants, key=len, reverse=True))


def is_many(noun: str) -> bool:
    """True for a plural, as far as the ending and a few irregular words tell."""
    return noun in ("skis", "scissors") or (singular_of(noun) != noun and noun != "glasses")


def names_of(category: str) -> str:
    """Return a pattern for all that the category may be called."""
    return _FLEXIBLE[category]


class Thing(Struct, frozen=True):
    """A noun that a text has: its category, or "" for a thing or place that has none."""

    start: int
    end: int
    word: str
    category: str


# Words of the names above that a sentence of the program may have in another sense.
_OTHER_SENSES = r"ranges?|subs?|rams?|couples?|cycles?|steers?"
_SOMEBODY = r"somebody|someone|nobody|no one|anybody|anyone"
_ALL_NAMES = re.compile(
    rf"\b(?!(?:{_OTHER_SENSES})\b)(?:(?P<whole>(?:clock|water) towers?|christmas trees?|street lamps?|toilet paper|table ?cloths?)|"
    + "|".join(
        f"(?P<c{number}>{body}{'|' + _SOMEBODY if name == 'person' else ''})"
        for number, (name, body) in sorted(
            enumerate(_FLEXIBLE.items()), key=lambda pair: pair[1][0] not in ("teddy bear", "hot dog", "wine glass")
        )
    )
    + r"|(?P<thing>"
    + "|".join(f"{word}(?:e?s)?" for word in sorted(PLACES | THINGS, key=len, reverse=True))
    + r"))\b"
)
_CATEGORY_BY_GROUP = {f"c{number}": name for number, name in enumerate(_NAMES)}


@lru_cache(maxsize=65536)
def find_things(text: str) -> tuple[Thing, ...]:
    """Return the nouns of a text in lower case, in order, none overlapping; the longer name goes first."""
    found: list[Thing] = []
    for match in _ALL_NAMES.finditer(text):
        group = match.lastgroup or ""
        found.append(Thing(match.start(), match.end(), match.group(), _CATEGORY_BY_GROUP.get(group, "")))
    return tuple(found)


def is_modifier(behind: str) -> bool:
    """True where what follows a noun is another one that it only tells apart: "street sign", "train tracks"."""
    match = re.match(r" +([a-z]+)", behind)
    things = find_things(match.group(1)) if match else ()
    return bool(things) and match is not None and things[0].end == len(match.group(1))
