"""How doings are said: what verbs are done to, prepositions that fit their place, things with their article."""

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.settings import SETTINGS

GAME_VERBS = frozenset({"play", "watch", "enjoy"})
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
_TAKEN = frozenset(("picture", "photo", "photograph", "selfie", "nap", "bite", "swing", "shot", "bath", "shower"))
# What is ridden, and the verb that says so: nobody "rides" skis.
RIDDEN = {"skis": "skiing", "snowboard": "snowboarding"}
_MOUNTS = frozenset(("motorcycle", "bicycle", "horse", "skateboard", "surfboard", "snowboard"))
_MOST_ON_ONE, _STANDING_BY = 2, 2
_UNDERFOOT = frozenset({"skis", "snowboard", "skateboard", "surfboard"})
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


def are_too_many(num_people: int, category: str, num_mounts: int) -> bool:
    """True where there are more people than can all ride what is boxed: some only stand by."""
    return category in _MOUNTS and 0 < _MOST_ON_ONE * num_mounts + _STANDING_BY < num_people


def is_done_to(verb: str, thing: NounPhrase) -> bool:
    """True unless a game is thrown, something other than a game is played, or skis are ridden or worn."""
    if verb == "ride" and thing.noun.category == "skis":
        return False
    if verb == "take" and thing.noun.lemma not in _TAKEN:
        return False  # "taking a dog for a walk", "taking a horse and carriage ride"
    if verb == "wear" and thing.noun.category in _UNDERFOOT:
        return False
    if thing.noun.kind == "game":
        return verb in GAME_VERBS
    return verb != "play" or thing.noun.lemma in PLAYED


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
    if preposition == "in" and lemma in ("window sill", "ledge"):
        return "on"
    return "in" if preposition == "on" and lemma in _OPEN else preposition


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
