"""Is what an answer names in the picture, and is what it denies not?"""

# ruff: noqa: E501 - a row of a table is a line

from collections.abc import Callable, Sequence

from instructgen.grounding.claims import Truth
from instructgen.grounding.denial import denies_some
from instructgen.grounding.evidence import Evidence, keys_of
from instructgen.grounding.judged import Judged
from instructgen.grounding.nouns import BIKE, singular_of
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
        "car": "vehicle vehicles traffic van vans suv", "truck": "vehicle vehicles van vans trailer suv jeep", "bus": "vehicle vehicles shuttle trolley van",
        "train": "railway subway rail rails trolley railroad", "boat": "vessel vessels watercraft marina", "airplane": "aviation airliner airlines",
        "traffic light": "lights signal signals", "stop sign": "sign signs", "parking meter": "meter meters", "bench": "seat seats seating pew",
        "bird": "flock fowl feathers", "dog": "pet pets animal animals pup canine", "cat": "pet pets animal animals feline kitties",
        "horse": "animals animal equestrian carriage horseback rodeo", "sheep": "herd flock animals goat goats livestock", "cow": "herd animals livestock bovine longhorn",
        "elephant": "animals animal", "bear": "animals cub cubs animal teddy", "zebra": "animals", "giraffe": "animals",
        "backpack": "bag bags luggage pack packs gear", "handbag": "bag bags luggage tote", "suitcase": "luggage bag bags baggage briefcase trunk",
        "umbrella": "canopy parasols", "tie": "suit suits tuxedo tuxedos formal bow", "frisbee": "disc disk", "skis": "skiing skier skiers",
        "snowboard": "snowboarding snowboarder snowboarders board boards", "sports ball": "ball balls baseball tennis soccer basketball volleyball",
        "kite": "parasailing kiteboarding parachute", "baseball bat": "baseball batter batting softball", "baseball glove": "baseball catcher pitcher softball",
        "skateboard": "skateboarder skateboarding skateboarders skating board skater", "surfboard": "surfer surfers surfing board boards",
        "tennis racket": "tennis racquets", "bottle": "wine beer drink drinks beverage beverages", "wine glass": "wine glass glasses champagne",
        "cup": "glass glasses coffee drink drinks tea beverage", "fork": "utensil utensils silverware cutlery flatware", "knife": "utensil utensils silverware cutlery cutting blade",
        "spoon": "utensil utensils silverware cutlery", "bowl": "dish dishes container containers soup", "banana": "fruit fruits", "apple": "fruit fruits",
        "orange": "fruit fruits citrus", "sandwich": "bun bread bagel", "broccoli": "vegetable vegetables veggies veggie greens", "carrot": "vegetable vegetables veggies veggie",
        "hot dog": "sausage sausages bratwurst", "pizza": "pie slice", "donut": "pastry pastries bagel", "cake": "dessert desserts pastry pastries",
        "chair": "seat seats seating furniture", "couch": "furniture seat seating futon", "potted plant": "plant plants flower flowers pot pots",
        "bed": "bedding cot bunk", "dining table": "desk counter tabletop table tables", "toilet": "urinal urinals", "tv": "screen screens monitor monitors computer",
        "laptop": "computer computers notebook", "mouse": "computer computers", "keyboard": "computer computers piano", "remote": "controller controllers wii game",
        "cell phone": "phones texting mobile device", "microwave": "appliance appliances", "oven": "appliance appliances stovetop", "toaster": "appliance appliances",
        "sink": "faucet vanity basin", "refrigerator": "appliance appliances", "book": "reading magazine magazines bookshelf bookcase", "clock": "time watch",
        "vase": "bouquet jar pottery pot", "scissors": "cutting", "teddy bear": "stuffed toy toys doll dolls plush bear bears", "hair drier": "dryer",
        "toothbrush": "brushing toothpaste brush",
        "person": "he she his her him hand hands arm arms leg legs face selfie riding holding wearing team group members someone skiing surfing busy",
    }.items()
}  # fmt: skip
# Boxes beside which the thing is likely, though annotators and captions pass over it.
_ON_A_TABLE = frozenset(name for name, known in CATEGORIES.items() if known.group in ("kitchen", "food")) | {
    "laptop",
    "keyboard",
    "mouse",
    "vase",
}
_LIKELY = {
    "dining table": _ON_A_TABLE,
    "person": frozenset({"skis", "snowboard", "tennis racket", "baseball bat", "baseball glove", "tie", "surfboard"}),
    "bear": frozenset({"teddy bear"}),
    "dog": frozenset({"hot dog"}),
    "plate": _ON_A_TABLE,
}
# Not boxed in COCO; but who describes a picture does not pass over them.
_ANIMALS = as_words(
    """
    squirrel rabbit deer goat pig monkey lion wolf camel kangaroo koala raccoon rat snake turtle frog
    butterfly dolphin whale shark seal octopus alligator rhino hippo dinosaur
    """
)
# Kinds of a category that nobody takes for one another.
_KINDS = {
    "bird": frozenset(
        [
            "owl",
            "parrot",
            "pigeon",
            "swan",
            "eagle",
            "pelican",
            "flamingo",
            "rooster",
            "hummingbird",
            "ostrich",
            "peacock",
            "penguin",
        ]
    ),
    "boat": frozenset({"sailboat", "canoe", "kayak", "ferry", "cruise ship", "gondola"}),
    "truck": frozenset({"fire truck", "garbage truck", "food truck", "dump truck", "tow truck"}),
    "sports ball": frozenset({"soccer ball", "tennis ball", "basketball", "volleyball", "beach ball"}),
}
_GENDERS = {
    "man": "male", "boy": "male", "guy": "male", "gentleman": "male", "groom": "male",
    "woman": "female", "girl": "female", "lady": "female", "bride": "female",
}  # fmt: skip
_MALE_WORDS = as_words(
    """
    man men boy boys guy guys male he his him gentleman gentlemen groom father
    """
)
_FEMALE_WORDS = frozenset(
    {"woman", "women", "girl", "girls", "lady", "ladies", "female", "she", "her", "bride", "mother"}
)


def judge_object(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> Judged | None:
    """Judge that a thing is there, or is not; None where nothing is claimed of the picture."""
    is_nothing_like = phrase.is_negated and sentence.words[max(0, phrase.first - 2) : phrase.first] == (
        "nothing",
        "like",
    )
    if (phrase.is_unreal and not is_nothing_like) or phrase.lemma in PICTURE_NOUNS:
        return None
    if phrase.category is None:
        is_all = phrase.is_negated and not denies_some(sentence, phrases, phrase, evidence.words)
        return _judge_thing(phrase, evidence, is_denied=is_all)
    if phrase.is_negated:
        truth, said = _judge_denial(
            phrase, evidence, some=lambda words: denies_some(sentence, phrases, phrase, words)
        )
    else:
        truth, said = _judge_presence(phrase, evidence)
    return Judged("object", truth, phrase.category, phrase.first, phrase.end, said)


def find_presence(category: str, evidence: Evidence) -> str:
    """Return what shows that a category is there; "" where nothing does."""
    num = evidence.num_boxes(category)
    if num or category in evidence.crowds:
        return (
            f"{num} boxes of {category}"
            if category not in evidence.crowds
            else f"boxes of {category}, a crowd among them"
        )
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
    """Return whether a vague word has its thing already: "animals" where cows are boxed leaves no room for a horse."""
    group = find_category(category).group
    if group == "animal" and word in ("animal", "animals", "pet", "pets"):
        return any(find_category(other).group == group for other in evidence.boxes)
    return group in _TELLING_GROUPS and any(
        other != category and find_category(other).group == group and word in _MAYBE.get(other, frozenset())
        for other in evidence.boxes
    )


_TELLING_GROUPS = frozenset({"vehicle", "animal", "accessory", "food", "furniture", "kitchen", "appliance"})


def _judge_presence(phrase: Phrase, evidence: Evidence) -> tuple[Truth, str]:
    assert phrase.category is not None
    said = find_presence(phrase.category, evidence)
    if phrase.lemma == BIKE and not said:
        said = find_presence("motorcycle", evidence)
    if said:
        return _judge_gender(phrase, evidence) or _judge_kind(phrase, evidence) or ("supported", said)
    if phrase.category not in CATEGORIES:
        return "unverifiable", "no caption names it"
    hint = find_hint(phrase.category, evidence)
    if hint:
        return "unverifiable", hint
    if phrase.is_supposed or phrase.is_weak:
        return (
            "unverifiable",
            "neither boxed nor named, and only supposed" if phrase.is_supposed else "nothing shows it",
        )
    return "contradicted", f"no box of {phrase.category}, and no caption names one"


def _judge_gender(phrase: Phrase, evidence: Evidence) -> tuple[Truth, str] | None:
    """Return the fault of a woman who is a man in every caption, where there is one person."""
    gender = _GENDERS.get(phrase.lemma)
    if gender is None or evidence.num_boxes("person") != 1 or "person" in evidence.crowds or phrase.is_supposed:
        return None
    own, other = (_MALE_WORDS, _FEMALE_WORDS) if gender == "male" else (_FEMALE_WORDS, _MALE_WORDS)
    if own & evidence.words or not other & evidence.words or evidence.words & {"person", "people"}:
        return None
    return "contradicted", f"one person, and captions say '{sorted(other & evidence.words)[0]}'"


def _judge_kind(phrase: Phrase, evidence: Evidence) -> tuple[Truth, str] | None:
    """Return the fault of an owl that is a parrot in two captions or more, and an owl in none."""
    kinds = _KINDS.get(phrase.category or "", frozenset())
    if phrase.lemma not in kinds or evidence.mentions.get(phrase.lemma):
        return None
    others = sorted(kind for kind in kinds if evidence.mentions.get(kind, 0) > 1)
    return ("contradicted", f"captions say '{others[0]}'") if others else None


def _judge_denial(phrase: Phrase, evidence: Evidence, *, some: Callable[[frozenset[str]], bool]) -> tuple[Truth, str]:
    assert phrase.category is not None
    said = find_presence(phrase.category, evidence)
    if phrase.category == "person" and phrase.lemma not in ("person", "people", "human", "someone"):
        words = (
            _MALE_WORDS
            if _GENDERS.get(phrase.lemma) == "male"
            else _FEMALE_WORDS
            if phrase.lemma in _GENDERS
            else frozenset()
        )
        said = "captions name one" if evidence.mentions.get(phrase.lemma) or words & evidence.words else ""
        if not said and find_presence("person", evidence):
            return "unverifiable", "there are people"
    if not said:
        hint = find_hint(phrase.category, evidence)
        return (
            ("unverifiable", hint)
            if hint
            else ("supported", f"no box of {phrase.category}, and no caption names one")
        )
    if some(evidence.words):
        return "unverifiable", f"{said}, but only some are denied"
    return "contradicted", said


def _judge_thing(phrase: Phrase, evidence: Evidence, *, is_denied: bool) -> Judged | None:
    """Judge a thing that COCO does not box: only captions can bear it out, or show that it is denied wrongly."""
    if phrase.is_negated:
        if is_denied and any(evidence.mentions.get(key) for key in keys_of(phrase)):
            return Judged("object", "contradicted", phrase.lemma, phrase.first, phrase.end, "captions name it")
        return None
    shown = any(evidence.mentions.get(key) for key in keys_of(phrase)) or phrase.lemma in evidence.words
    if not shown:
        shown = any(group == phrase.lemma and word in evidence.words for word, (group, _) in _group(phrase.lemma))
    truth: Truth = "supported" if shown else "unverifiable"
    if not shown and phrase.lemma in _ANIMALS and phrase.is_asserted:
        return Judged(
            "object", "contradicted", phrase.lemma, phrase.first, phrase.end, "no caption names such an animal"
        )
    said = "captions name it" if shown else "no caption names it"
    return Judged("thing", truth, singular_of(phrase.lemma), phrase.first, phrase.end, said)


def _group(lemma: str) -> list[tuple[str, tuple[str, bool]]]:
    return _GROUPS.get(lemma, [])


def _make_groups() -> dict[str, list[tuple[str, tuple[str, bool]]]]:
    groups: dict[str, list[tuple[str, tuple[str, bool]]]] = {}
    for word, known in THINGS.items():
        groups.setdefault(known[0], []).append((word, known))
    return groups


_GROUPS = _make_groups()
