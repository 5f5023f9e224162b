"""How doings are said: what verbs are done to, prepositions that fit their place, things with their article."""

from collections.abc import Collection, Iterable

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.corroboration import tells_itself
from instructgen.scenegraph.events import letter_of
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.settings import SETTINGS
from instructgen.scenegraph.unboxed import BUILDINGS
from instructgen.scenegraph.vocabulary import AGES, Noun

GAME_VERBS = frozenset({"play", "watch", "enjoy"})
# What is watched on a screen is said without an article.
WATCHED = {"tv": "television", "television": "television"}
_HIGH = frozenset(("mountain", "hill"))  # one may be on top of these
# What one is on, not on top of.
_FLAT = frozenset((
    "table", "desk", "bench", "bed", "couch", "chair", "surfboard", "skateboard", "snowboard", "skis", "motorcycle",
    "bicycle", "horse", "counter", "plate", "tray", "stool", "blanket", "towel", "rug", "snow", "grass", "ground",
    "floor", "dirt", "sand", "ramp", "wave", "court", "elephant", "cutting board", "shelf", "mat", "pan", "track",
    "runway", "tracks", "skateboard ramp", "kitchen counter", "wooden table", "coffee table", "keyboard", "laptop",
    "deck", "wooden deck", "porch", "patio", "bridge", "lawn",
))  # fmt: skip
_OPEN = frozenset(("field", "pasture", "meadow", "yard", "park", "forest", "parking lot"))  # one is in these
_PLAYED_ON = frozenset(("baseball field", "soccer field", "tennis court", "ball field", "football field"))
_TAKEN = frozenset(("picture", "photo", "photograph", "selfie", "nap", "bite", "swing", "shot", "bath", "shower"))
# What is ridden, and the verb that says so: nobody "rides" skis.
SPORTS = {
    "skis": "ski",
    "snowboard": "snowboard",
    "surfboard": "surf",
    "skateboard": "skateboard",
}  # what is done on them
RIDDEN = {"skis": "skiing", "snowboard": "snowboarding"}
_MOUNTS = frozenset(("motorcycle", "bicycle", "horse", "skateboard", "surfboard", "snowboard"))
RIDDEN_BY = {"surf": "surfboard", "skateboard": "skateboard", "snowboard": "snowboard"}
_ALONG = frozenset(("down", "along", "across"))
_WAYS = frozenset(("track", "staircase", "escalator", "stairs", "steps", "rope", "bridge", "wave", "ladder", "pipe"))
_MOST_ON_ONE, _STANDING_BY = 2, 2
_UNDERFOOT = frozenset({"skis", "snowboard", "skateboard", "surfboard"})
# What one does to a small thing, and what may only stand beside it.
_IN_HAND = frozenset(("hold", "carry", "wear", "eat", "use", "fly", "make", "prepare"))
_NOT_IN_HAND = frozenset(("vehicle", "person", "animal", "furniture", "place", "appliance"))
_HALF_SAID = frozenset(("stand", "drive"))
# What one plays, and how it is said.
PLAYED = {
    **{game: game for game in ("tennis", "baseball", "soccer", "frisbee", "basketball", "volleyball", "football")},
    **{game: game for game in ("golf", "cricket", "polo", "video games", "a video game", "a game of tennis")},
    **{game: game for game in ("a game of frisbee", "a game of baseball", "a game of soccer")},
    **{
        f"a game of {game}": f"a game of {game}"
        for game in ("basketball", "football", "volleyball", "polo", "cricket", "rugby", "golf")
    },
    "a wii game": "a Wii game",
    "wii": "a Wii game",
    "guitar": "a guitar",
    "instrument": "an instrument",
}


# What is done to no single one of a kind: nobody eats a whole pizza.
_BARE_THINGS = {
    **{("eat", food): food for food in ("pizza", "watermelon")},
    **{(verb, "water"): "water" for verb in ("drink", "spray")},
}
# Words for what only looks like the thing that it is called by.
_UNREAL = frozenset((
    "mini", "miniature", "toy", "fake", "plastic", "model", "kiddie", "pretend", "artificial", "carousel",
    "inflatable", "imitation", "lego", "rocking",
))  # fmt: skip
_FED = frozenset(("animal", "person", "toy"))
_MAY_BE_TOYS = frozenset(("vehicle", "animal", "food"))


def are_too_many(num_people: int, category: str, num_mounts: int) -> bool:
    """True where there are more people than can all ride what is boxed: some only stand by."""
    return category in _MOUNTS and 0 < _MOST_ON_ONE * num_mounts + _STANDING_BY < num_people


def is_done_to(verb: str, thing: NounPhrase) -> bool:
    """True unless a game is thrown, a thing is played, a hand is walked, or skis are ridden or worn."""
    if verb == "ride" and thing.noun.category == "skis":
        return False
    if verb == "walk":
        return thing.noun.kind in ("animal", "vehicle", "place", "surface", "structure")  # nobody walks a hand
    if verb == "take" and thing.noun.lemma not in _TAKEN:
        return False  # "taking a dog for a walk", "taking a horse and carriage ride"
    if verb in ("shake", "shak") and thing.noun.lemma == "water":
        return False  # it is shaken off
    if verb == "hold" and thing.noun.lemma in ("face", "head"):
        return False  # it is held somewhere, or up to something
    if verb == "feed" and thing.noun.kind not in _FED:
        return False  # what is fed is lost: "feeding an animal a carrot"
    if verb == "wear" and thing.noun.category in _UNDERFOOT:
        return False
    if thing.noun.kind == "game":
        return verb in GAME_VERBS
    return verb != "play" or thing.noun.lemma in PLAYED


def say_bare(verb: str, thing: NounPhrase, said: str) -> str:
    """Return how a thing is said that is eaten, drunk or sprayed: "eating pizza", not "eating a pizza"."""
    bare = "" if thing.is_plural else _BARE_THINGS.get((verb, thing.noun.lemma), "")
    return bare if said in (f"a {bare}", f"the {bare}") else said


def hides_toy(phrases: Iterable[NounPhrase], words: Collection[str], readings: Iterable[CaptionReading]) -> bool:
    """True for a train told without the word by which another caption tells that it is a toy."""
    lemmas = {one.noun.lemma.rpartition(" ")[2] for one in phrases if one.noun.kind in _MAY_BE_TOYS}
    if not lemmas or not _UNREAL.isdisjoint(words):
        return False
    named = lemmas | {plural_of(lemma) for lemma in lemmas}
    return any(
        token in named and not _UNREAL.isdisjoint(reading.tokens[max(0, at - 2) : at])
        for reading in readings
        for at, token in enumerate(reading.tokens)
    )


def is_way(preposition: str, place: NounPhrase) -> bool:
    """True unless something is told to go along what is no way, ground or surface: a bicycle, a train."""
    noun = place.noun
    is_ground = noun.kind in ("place", "surface", "unique", "mass", "furniture")
    return preposition not in _ALONG or is_ground or noun.lemma.rpartition(" ")[2] in _WAYS


def says_nothing(verb: str, subject: NounPhrase) -> bool:
    """True for a verb that needs more than the one who does it: driving, a thing that sits, a skier skiing."""
    if tells_itself(subject.noun.lemma, verb) or (verb == "play" and _is_grown_up(subject.noun)):
        return True
    return verb in _HALF_SAID or (verb in POSTURES and letter_of(subject) not in "pa")


def _is_grown_up(noun: Noun) -> bool:
    """True for people of whom it has to be told what they play."""
    return noun.category == "person" and AGES.get(noun.lemma) != "young"


def is_beside(verb: str, noun: Noun) -> bool:
    """True for what nobody has in hand: of "holding a dog and a truck" only the dog is held."""
    return verb in _IN_HAND and (noun.kind in _NOT_IN_HAND or noun.lemma in BUILDINGS)


def say_preposition(preposition: str, lemma: str) -> str:
    """Return how a place is said: one is "on" a bench, not "on top of" it, and "in" a field."""
    if (
        preposition == "on top of"
        and lemma not in _HIGH
        and (lemma.rsplit(maxsplit=1)[-1] in _FLAT or lemma in SETTINGS)
    ):
        preposition = "on"
    if preposition == "on" and lemma in ("pier", "dock", "harbor", "marina"):
        return "at"
    if preposition == "in" and lemma in ("window sill", "ledge", "runway", "tarmac", *_UNDERFOOT):
        return "on"
    if preposition == "in" and lemma in _PLAYED_ON:
        return "on"
    return "in" if preposition == "on" and lemma in _OPEN else preposition


def lacks_from(preposition: str, before: str) -> bool:
    """True for what "takes off the runway"."""
    return preposition == "off" and before in ("take", "takes", "taking")


def say_phrase(phrase: NounPhrase, *, after_verb: bool) -> str:
    """Word a thing with its article: "an umbrella", "kites", "the ocean", "the snow", "tennis"."""
    noun = phrase.noun
    if noun.lemma == "scissors":
        return "a pair of scissors"
    if phrase.is_plural:
        return noun.lemma if noun.article == "plural" or noun.kind == "game" else plural_of(noun.lemma)
    if noun.article == "a":
        return with_article(noun.lemma)
    if noun.article == "the":
        return f"the {noun.lemma}"
    if noun.article == "mass" and not after_verb and noun.kind != "game":
        return f"the {noun.lemma}"
    return noun.lemma
