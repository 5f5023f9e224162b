"""Words that a caption told in its own words may have, may end with, or may never have."""

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.pieces import RUDE
from instructgen.scenegraph.plain_words import DOUBTFUL, IN_PICTURES, NO_HEADS
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.sharing import FUNCTION_WORDS
from instructgen.scenegraph.vocabulary import ADJECTIVES, LIKENESS, NOUNS

LOOKS = ADJECTIVES | COLOURS.keys()
# These say that what they go with is no real one, or is shown: told where another caption has the word too.
SHOWN = LIKENESS | IN_PICTURES
SEVERAL = frozenset(("several", "some", "many", "two", "three", "four", "five"))  # also of sheep
BE = frozenset(("is", "are"))
LINKS = BE | {"that", "who", "has", "have"}
_TOLD = {"getting", "front", "half", "left", "right", "each", "other", "while", "set", "one", "another"}
# Words that point at what is not in the picture, or that no other caption can bear out.
NEVER = ((DOUBTFUL | RUDE) - _TOLD) | {
    "without", "nobody", "none", "than", "when", "but", "or", "where", "if", "because", "after", "before", "which",
    "was", "were", "do", "does", "am", "us", "me", "lap",
}  # fmt: skip
POINTING = frozenset(("this", "that", "any", "both", "few", "another"))
_MAY_END = frozenset(("it", "them", "him", "together", "other", "another", "side", "himself", "herself"))
NO_ENDS = (FUNCTION_WORDS | (LOOKS - NOUNS.keys()) | NO_HEADS) - _MAY_END
NO_ENDS |= {"up", "next", ",", "shaped", "sized", "colored"}
GROUPS = frozenset((
    "bunch", "group", "herd", "flock", "pair", "couple", "pile", "piece", "slice", "variety", "lot", "lots", "row",
    "number", "collection",
))  # fmt: skip
# What says no more than "with", "in" or a plural does, before these.
SAYING_LITTLE = {
    **dict.fromkeys(("group", "bunch", "variety", "number", "lot", "lots", "collection", "assortment"), ("of",)),
    **dict.fromkeys(("filled", "loaded", "topped"), ("with",)),
    "full": ("of",),
}
SIZES = frozenset(("large", "small", "big", "little", "huge", "tiny"))  # by the measure of who looks
LARGE = ("person", "animal", "vehicle", "furniture")
LYING = frozenset(("laying", "lays", "lay"))
OWNERS = {"his": "male", "him": "male", "himself": "male", "her": "female", "herself": "female"}
ALWAYS_DONE = POSTURES | {"wear", "hold", "have"}  # what others need not tell by a verb
# No look that can be left out.
KEPT = SHOWN | {
    "different", "various", "other", "same", "half", "several", "fallen", "broken", "dead", "empty", "burnt",
    "melted", "unfinished", "abandoned", "cut", "sliced", "eaten", "open", "closed", "upside", "frozen",
}  # fmt: skip
# Of these there is one in a picture, though no caption has told of it before.
ONLY_ONE = frozenset(("camera", "game", "trick", "background", "foreground", "sun", "moon", "goal", "net", "mound"))
# Without their look these say nothing: everybody has them.
OF_ALL = frozenset((
    "hair", "pants", "shirt", "shorts", "clothes", "clothing", "eyes", "face", "head", "skin", "fur", "wall", "walls",
    "floor", "floors", "hand", "hands", "tongue", "mouth",
))  # fmt: skip
BOUND = frozenset(("of", "to", "into", "for", "from", "like", "up", "off", "out"))  # no end is cut before these
