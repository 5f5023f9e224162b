"""How a caption's own words are written: words joined, other words for one thing, articles put right."""

from collections.abc import Sequence

from instructgen.lexicon.words import NUMBER_WORDS, with_article
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.vocabulary import DETERMINERS, NOUNS, PREPOSITIONS

ARTICLES = frozenset(("a", "an"))
_ONLY_ONE = frozenset(("sky", "sun", "moon", "ocean", "sea", "ground"))
JOINED = {
    ("skate", "board"): "skateboard", ("surf", "board"): "surfboard", ("snow", "board"): "snowboard",
    ("skate", "boards"): "skateboards", ("surf", "boards"): "surfboards", ("snow", "boards"): "snowboards",
    ("tooth", "brush"): "toothbrush", ("suit", "case"): "suitcase", ("suit", "cases"): "suitcases",
    ("motor", "cycle"): "motorcycle", ("motor", "bike"): "motorcycle", ("sail", "boat"): "sailboat",
    ("skate", "boarder"): "skateboarder", ("side", "car"): "sidecar", ("door", "way"): "doorway",
    ("rail", "road"): "railroad", ("beside", "of"): "beside", ("along", "side"): "alongside",
    ("in", "background"): "in the background", ("in", "foreground"): "in the foreground",
}  # fmt: skip
WRITTEN = {
    "guy": "man", "guys": "men", "lady": "woman", "ladies": "women", "kid": "child", "kids": "children",
    "fridge": "refrigerator", "racquet": "racket", "doughnut": "donut", "doughnuts": "donuts",
}  # fmt: skip


def joins_two(words: list[str]) -> bool:
    """True for "a man and a woman", and not for "a man in a shirt and a tie" or "a skier crouched and gliding"."""
    if "and" not in words[:-1]:
        return False
    at = words.index("and")
    is_thing = words[at + 1] in DETERMINERS or words[at + 1] in NOUNS or words[at + 1] in NUMBER_WORDS
    return is_thing and PREPOSITIONS.keys().isdisjoint(words[:at])


def lack_comma(before: str, word: str) -> bool:
    """True for two things that no comma parts: "a cup plate laptop monitor", and for "it itself"."""
    if (before, word) == ("it", "itself"):
        return True
    noun, other = NOUNS.get(word), NOUNS.get(before)
    if noun is None or other is None or f"{before} {word}" in NOUNS:
        return False
    return None not in (noun.category, other.category) and noun.category != other.category


def is_slip(tokens: Sequence[str], at: int) -> bool:
    """True for "on on", for "sitting top of", and for "a close up food"."""
    before, word, behind = tokens[at - 1] if at else "", tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
    is_topless = (word, behind) == ("top", "of") and before not in ("on", "the", "a")
    is_cut = word in ARTICLES and behind in PREPOSITIONS  # "grazing a on a field"
    is_cut = is_cut or (word in ("looking", "looks") and behind in DETERMINERS)  # "looking a pizza"
    return (
        word == behind
        or is_topless
        or is_cut
        or ((before, word) == ("close", "up") and behind not in ("of", "", "."))
    )


def put_articles(words: list[str], first: NounPhrase, *, is_first: bool) -> list[str]:
    """Put the article that goes with the next word, and one before what begins without."""
    if words[0] == "the" and words[2:3] == ["of"]:
        words = ["a", *words[1:]]  # "the group of three friends" comes up for the first time
    is_bare = words[0] not in DETERMINERS and words[0] not in NUMBER_WORDS
    lacks = not first.is_plural and first.noun.article == "a" and (words[0] == "the" or is_first)
    said = ["a", *words[words[0] == "the" :]] if lacks and (is_bare or words[0] == "the") else list(words)
    for at, word in enumerate(said[:-1]):
        if word in ARTICLES:
            behind = said[at + 2] if at + 2 < len(said) else ""
            is_only = said[at + 1] in _ONLY_ONE and behind not in NOUNS and behind != "of"
            said[at] = "the" if is_only else with_article(said[at + 1]).split()[0]
    return said
