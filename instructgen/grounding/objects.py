"""Is what an answer names in the picture, and is what it denies not?"""

from collections.abc import Sequence

from instructgen.grounding.claims import Truth
from instructgen.grounding.denial import denies_some
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.judged import Judged
from instructgen.grounding.nouns import BIKE, singular_of
from instructgen.grounding.partial import is_shown_there
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import PICTURE_NOUNS, as_words
from instructgen.lexicon.categories import CATEGORIES, find_category
from instructgen.lexicon.things import THINGS

# Words of captions that may speak of the category: then its name in an answer is neither proven nor wrong.
_MAYBE = {
    name: frozenset(words.split())
    for name, words in {
        "bicycle": "bike bikes biking", "motorcycle": "bike bikes biker bikers scooter scooters vespa",
        "car": "vehicle vehicles traffic van vans suv", "truck": "vehicle vehicles van vans trailer suv jeep",
        "bus": "vehicle vehicles shuttle trolley van", "train": "railway subway rail rails trolley railroad",
        "boat": "vessel vessels watercraft marina", "airplane": "aviation airliner airlines",
        "traffic light": "lights signal signals", "stop sign": "sign signs", "parking meter": "meter meters",
        "bench": "seat seats seating pew", "bird": "flock fowl feathers",
        "dog": "pet pets animal animals pup canine", "cat": "pet pets animal animals feline kitties",
        "horse": "animals animal equestrian carriage horseback rodeo",
        "sheep": "herd flock animals goat goats livestock", "cow": "herd animals livestock bovine longhorn",
        "elephant": "animals animal", "bear": "animals cub cubs animal teddy", "zebra": "animals",
        "giraffe": "animals", "backpack": "bag bags luggage pack packs gear", "handbag": "bag bags luggage tote",
        "suitcase": "luggage bag bags baggage briefcase trunk", "umbrella": "canopy parasols",
        "tie": "suit suits tuxedo tuxedos formal bow", "frisbee": "disc disk", "skis": "skiing skier skiers",
        "snowboard": "snowboarding snowboarder snowboarders board boards",
        "sports ball": "ball balls baseball tennis soccer basketball volleyball",
        "kite": "parasailing kiteboarding parachute", "baseball bat": "baseball batter batting softball",
        "baseball glove": "baseball catcher pitcher softball",
        "skateboard": "skateboarder skateboarding skateboarders skating board skater",
        "surfboard": "surfer surfers surfing board boards", "tennis racket": "tennis racquets",
        "bottle": "wine beer drink drinks beverage beverages", "wine glass": "wine glass glasses champagne",
        "cup": "glass glasses coffee drink drinks tea beverage",
        "fork": "utensil utensils silverware cutlery flatware",
        "knife": "utensil utensils silverware cutlery cutting blade", "spoon": "utensil utensils silverware cutlery",
        "bowl": "dish dishes container containers soup", "banana": "fruit fruits", "apple": "fruit fruits",
        "orange": "fruit fruits citrus", "sandwich": "bun bread bagel",
        "broccoli": "vegetable vegetables veggies veggie greens", "carrot": "vegetable vegetables veggies veggie",
        "hot dog": "sausage sausages bratwurst", "pizza": "pie slice slices", "donut": "pastry pastries bagel",
        "cake": "dessert desserts pastry pastries slice slices", "chair": "seat seats seating furniture",
        "couch": "furniture seat seating futon", "potted plant": "plant plants flower flowers pot pots",
        "bed": "bedding cot bunk", "dining table": "desk counter tabletop table tables", "toilet": "urinal urinals",
        "tv": "screen screens monitor monitors computer", "laptop": "computer computers notebook",
        "mouse": "computer computers", "keyboard": "computer computers piano",
        "remote": "controller controllers wii game", "cell phone": "phones texting mobile device",
        "microwave": "appliance appliances", "oven": "appliance appliances stovetop",
        "toaster": "appliance appliances", "sink": "faucet vanity basin", "refrigerator": "appliance appliances",
        "book": "reading magazine magazines bookshelf bookcase", "clock": "time watch",
        "vase": "bouquet jar pottery pot", "scissors": "cutting",
        "teddy bear": "stuffed toy toys doll dolls plush bear bears", "hair drier": "dryer",
        "toothbrush": "brushing toothpaste brush",
        "person": """he she his her him hand hands arm arms leg legs face selfie riding holding wearing team group
            members someone skiing surfing busy""",
    }.items()
}  # fmt: skip
# Boxes beside which the thing is likely, though annotators and captions pass over it.
_LIKELY = {
    "dining table": as_words("laptop keyboard mouse vase")
    | {name for name, known in CATEGORIES.items() if known.group in ("kitchen", "food")},
    "person": frozenset({"skis", "snowboard", "tennis racket", "baseball bat", "baseball glove", "tie", "surfboard"}),
    "bear": frozenset({"teddy bear"}),
    "dog": frozenset({"hot dog"}),
}
# Not boxed in COCO; but who describes a picture does not pass over them.
_ANIMALS = as_words("""
    squirrel rabbit deer goat pig monkey lion wolf camel kangaroo koala raccoon rat snake turtle frog butterfly
    dolphin whale shark seal octopus alligator rhino hippo dinosaur
    """)
# Kinds of a category that nobody takes for one another.
_KINDS = {
    "bird": as_words("owl parrot pigeon swan eagle pelican flamingo rooster hummingbird ostrich peacock penguin"),
    "boat": frozenset({"sailboat", "canoe", "kayak", "ferry", "cruise ship", "gondola"}),
    "truck": frozenset({"fire truck", "garbage truck", "food truck", "dump truck", "tow truck"}),
    "sports ball": frozenset({"soccer ball", "tennis ball", "basketball", "volleyball", "beach ball"}),
}
_GENDERS = {
    "man": "male", "boy": "male", "guy": "male", "gentleman": "male", "groom": "male",
    "woman": "female", "girl": "female", "lady": "female", "bride": "female",
}  # fmt: skip
_MALE_WORDS = as_words("man men boy boys guy guys male he his him gentleman gentlemen groom father")
_FEMALE_WORDS = as_words("woman women girl girls lady ladies female she her bride mother")
_ANYBODY = as_words("person people human someone")
# Groups whose vague words are taken by what is boxed.
_TELLING_GROUPS = as_words("""
    vehicle animal accessory food furniture kitchen appliance electronic""")


def _group_names() -> dict[str, frozenset[str]]:
    """Return by the first word of a group of things all words of it."""
    names: dict[str, set[str]] = {}
    for word, (lemma, _) in THINGS.items():
        names.setdefault(lemma, set()).add(word)
    return {lemma: frozenset(words) for lemma, words in names.items()}


_NAMES = _group_names()


def judge_object(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> Judged | None:
    """Judge that a thing is there, or is not; None where nothing is claimed of the picture."""
    before = sentence.words[max(0, phrase.first - 2) : phrase.first]
    is_likened = phrase.is_unreal and not (phrase.is_negated and before == ("nothing", "like"))
    if is_likened or phrase.lemma in PICTURE_NOUNS:
        return None
    is_in_part = phrase.is_negated and denies_some(sentence, phrases, phrase, evidence.words)
    is_in_part = is_in_part and not is_shown_there(sentence, phrases, phrase, evidence)
    if phrase.category is None:
        return _judge_thing(phrase, evidence, is_in_part=is_in_part)
    if phrase.is_negated:
        truth, said = _judge_denial(phrase, phrase.category, evidence, is_in_part=is_in_part)
    else:
        truth, said = _judge_presence(phrase, phrase.category, evidence)
    return Judged("object", truth, phrase.category, phrase.first, phrase.end, said)


def find_presence(category: str, evidence: Evidence) -> str:
    """Return what shows that a category is there; "" where nothing does."""
    if category in evidence.crowds:
        return f"boxes of {category}, a crowd among them"
    if evidence.is_boxed(category):
        return f"{evidence.num_boxes(category)} boxes of {category}"
    if evidence.mentions.get(category):
        return f"{evidence.mentions[category]} captions name it"
    return ""


def find_hint(category: str, evidence: Evidence) -> str:
    """Return the word or the box that leaves room for a category that nothing names; "" where nothing does."""
    words = [
        word
        for word in sorted(_MAYBE.get(category, frozenset()) & evidence.words)
        if not _is_taken(word, category, evidence)
    ]
    if words:
        return f"captions say '{words[0]}'"
    boxes = sorted(name for name in _LIKELY.get(category, frozenset()) if evidence.is_boxed(name))
    return f"there is a box of {boxes[0]}" if boxes else ""


def _is_taken(word: str, category: str, evidence: Evidence) -> bool:
    """Return whether a vague word has its thing already: with cows boxed, "animals" leaves no room for a horse."""
    group = find_category(category).group
    if group == "animal" and word in ("animal", "animals", "pet", "pets"):
        return any(find_category(other).group == group for other in evidence.boxes)
    is_telling = group in _TELLING_GROUPS or word in ("board", "boards")
    return is_telling and any(
        other != category and find_category(other).group == group and word in _MAYBE.get(other, frozenset())
        for other in evidence.boxes
    )


def _judge_presence(phrase: Phrase, category: str, evidence: Evidence) -> tuple[Truth, str]:
    said = find_presence(category, evidence)
    if phrase.lemma == BIKE and not said:
        said = find_presence("motorcycle", evidence)
    if said:
        return _judge_gender(phrase, evidence) or _judge_kind(phrase, category, evidence) or ("supported", said)
    hint = find_hint(category, evidence)
    if hint:
        return "unverifiable", hint
    if phrase.is_supposed:
        return "unverifiable", "neither boxed nor named, and only supposed"
    if phrase.is_weak:
        return "unverifiable", "nothing shows it"
    return "contradicted", _say_none(category)


def _judge_gender(phrase: Phrase, evidence: Evidence) -> tuple[Truth, str] | None:
    """Return the fault of a woman who is a man in every caption, where there is one person."""
    gender = _GENDERS.get(phrase.lemma)
    if gender is None or evidence.num_boxes("person") != 1 or "person" in evidence.crowds or phrase.is_supposed:
        return None
    own, other = (_MALE_WORDS, _FEMALE_WORDS) if gender == "male" else (_FEMALE_WORDS, _MALE_WORDS)
    if own & evidence.words or not other & evidence.words or evidence.words & {"person", "people"}:
        return None
    return "contradicted", f"one person, and captions say '{sorted(other & evidence.words)[0]}'"


def _judge_kind(phrase: Phrase, category: str, evidence: Evidence) -> tuple[Truth, str] | None:
    """Return the fault of an owl that is a parrot in two captions or more, and an owl in none."""
    kinds = _KINDS.get(category, frozenset())
    if phrase.lemma not in kinds or evidence.mentions.get(phrase.lemma):
        return None
    others = sorted(kind for kind in kinds if evidence.mentions.get(kind, 0) > 1)
    return ("contradicted", f"captions say '{others[0]}'") if others else None


def _judge_denial(phrase: Phrase, category: str, evidence: Evidence, *, is_in_part: bool) -> tuple[Truth, str]:
    said = find_presence(category, evidence)
    if category == "person" and phrase.lemma not in _ANYBODY:
        is_said = evidence.mentions.get(phrase.lemma) or _gender_words(phrase.lemma) & evidence.words
        if said and not is_said:
            return "unverifiable", "there are people"
        said = "captions name one" if is_said else ""
    if said:
        return ("unverifiable", f"{said}, but only some are denied") if is_in_part else ("contradicted", said)
    hint = find_hint(category, evidence)
    return ("unverifiable", hint) if hint else ("supported", _say_none(category))


def _gender_words(lemma: str) -> frozenset[str]:
    """Return the words of captions that speak of a man, a woman, ...; none for a word that may be either."""
    return {"male": _MALE_WORDS, "female": _FEMALE_WORDS}.get(_GENDERS.get(lemma, ""), frozenset())


def _say_none(category: str) -> str:
    return f"no box of {category}, and no caption names one"


def _judge_thing(phrase: Phrase, evidence: Evidence, *, is_in_part: bool) -> Judged | None:
    """Judge a thing that COCO does not box: only captions can bear it out, or show that it is denied wrongly."""
    lemma, place = phrase.lemma, (phrase.first, phrase.end)
    is_named = bool(evidence.mentions.get(lemma))
    if phrase.is_negated:
        is_wrong = is_named and not is_in_part
        return Judged("object", "contradicted", lemma, *place, "captions name it") if is_wrong else None
    if is_named or lemma in evidence.words or _NAMES.get(lemma, frozenset()) & evidence.words:
        return Judged("thing", "supported", singular_of(lemma), *place, "captions name it")
    if lemma in _ANIMALS and phrase.is_asserted:
        return Judged("object", "contradicted", lemma, *place, "no caption names such an animal")
    return Judged("thing", "unverifiable", singular_of(lemma), *place, "no caption names it")
