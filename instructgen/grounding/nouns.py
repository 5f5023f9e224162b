"""Nouns that are known: which words of a sentence name a category of COCO, or a thing without one."""

from functools import lru_cache

from msgspec import Struct

from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import ALL_COLOURS, DETERMINERS, NUMBERS, SHADES, STOPS, as_words, is_number
from instructgen.lexicon.mentions import CATEGORY_PHRASES
from instructgen.lexicon.things import THINGS

BIKE = "bike"
_PLANT = "plant"
_SCREEN = "screen"
UNSURE = frozenset({BIKE, _PLANT, _SCREEN})  # words that captions use for more than the category
# Words of the lexicon that say too little, or something else besides, to accuse an answer by.
_WEAK = as_words("""
    freezer someone friend passenger spectator worker student driver vendor couple family crowd adult human athlete
    rider soldier tourist chicken turkey crane football basketball volleyball sub steer ram cycle meter pack
    controller waiter waitress swimmer hiker officer pedestrian player pitcher batter catcher boarder commode teenager
    chef raft barge bat flatbread ship parasail plantain cyclist umpire surfer skier snowboarder skater baby toddler
    kid child people person pickup remote tie range cooker stool pew
    """) | {
    *("street light", "signal light", "stove top", "notebook computer", "wash basin", "washbasin", "police officer"),
}
# Unknown words that may follow a noun and are no nouns.
_AFTER_NOUNS = as_words("""
    full empty open asleep awake close adjacent similar next alone high low tall long wide deep red busy ready big
    small large single unattended upside mid about number count topped left right first last different worth made lone
    solitary sole
    """)


class Head(Struct, frozen=True):
    """A known noun as it stands in a sentence; a weak one says too little to accuse by."""

    lemma: str
    category: str | None
    is_plural: bool
    is_weak: bool = False


class Span(Struct, frozen=True):
    """The words `start` to `end` of a sentence. `head` is None for words that only look like a known noun."""

    start: int
    end: int
    head: Head | None


_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "people", "mice": "mouse", "knives": "knife",
    "leaves": "leaf", "shelves": "shelf", "loaves": "loaf", "scarves": "scarf", "calves": "calf", "geese": "goose",
    "oxen": "ox", "feet": "foot", "teeth": "tooth", "buses": "bus", "busses": "bus", "benches": "bench",
    "glasses": "glasses", "skis": "skis", "scissors": "scissors", "clothes": "clothes", "sunglasses": "sunglasses",
    "dishes": "dish", "gas": "gas", "bus": "bus", "tennis": "tennis", "grass": "grass", "dress": "dress",
    "glass": "glass", "compass": "compass", "canvas": "canvas", "broccoli": "broccoli", "police": "police",
    "cookies": "cookie", "ties": "tie", "pies": "pie", "movies": "movie", "gentlemen": "gentleman",
    "policemen": "policeman", "firemen": "fireman", "wolves": "wolf",
}  # fmt: skip


@lru_cache(maxsize=20_000)
def singular_of(noun: str) -> str:
    """Return the singular of a noun, of whose words the last is bent; what looks singular is left alone."""
    head, space, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        bent = _IRREGULAR[last]
    elif last.endswith("ies") and len(last) > 4:
        bent = last[:-3] + "y"
    elif last.endswith(("ches", "shes", "sses", "xes", "zes")) or (last.endswith("oes") and len(last) > 5):
        bent = last[:-2]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")) and len(last) > 3:
        bent = last[:-1]
    else:
        bent = last
    return f"{head}{space}{bent}"


def _make_heads() -> dict[str, Head | None]:
    heads: dict[str, Head | None] = {phrase: Head(lemma, None, plural) for phrase, (lemma, plural) in THINGS.items()}
    for phrase, known in CATEGORY_PHRASES.items():
        if known is None:
            heads.setdefault(phrase, None)
            continue
        is_weak = phrase in _WEAK or singular_of(phrase) in _WEAK
        heads[phrase] = Head(phrase, known[0], known[1], is_weak)
    heads |= dict.fromkeys(("nobody", "no one"), Head("person", "person", is_plural=False))
    # Either of two categories (instructgen.grounding.objects); captions that say it prove neither.
    for lemma, category, is_weak in ((BIKE, "bicycle", False), (_PLANT, "potted plant", True), (_SCREEN, "tv", True)):
        heads[lemma] = Head(lemma, category, is_plural=False, is_weak=is_weak)
        heads[f"{lemma}s"] = Head(lemma, category, is_plural=True, is_weak=is_weak)
    return heads


def _lengths() -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for phrase in _HEADS:
        words = phrase.split(" ")
        found.setdefault(words[0], set()).add(len(words))
    return {first: tuple(sorted(sizes, reverse=True)) for first, sizes in found.items()}


_HEADS = _make_heads()
_LENGTHS = _lengths()


def find_spans(sentence: Sentence) -> list[Span]:
    """Return the known nouns and the words that only look like one, from left to right, none overlapping."""
    spans: list[Span] = []
    index = 0
    while index < len(sentence.words):
        span = _read_span(sentence, index) if sentence.words[index] in _LENGTHS else None
        if span is None:
            index += 1
            continue
        spans.append(span)
        index = span.end
    return _drop_modifiers(sentence, spans)


def _read_span(sentence: Sentence, index: int) -> Span | None:
    words = sentence.words
    for length in _LENGTHS[words[index]]:
        end = index + length
        phrase = words[index] if length == 1 else " ".join(words[index:end])
        if phrase in _HEADS and end <= len(words) and sentence.is_joined(index, end):
            if phrase == "orange" and _is_colour(sentence, index):
                return None
            return Span(index, end, _HEADS[phrase])
    return None


def _drop_modifiers(sentence: Sentence, spans: list[Span]) -> list[Span]:
    """Take the head from a noun right before another one, as in "cat food bowl": it says what the other is for."""
    kept: list[Span] = []
    for place, span in enumerate(spans):
        following = spans[place + 1] if place + 1 < len(spans) else None
        is_next = following is not None and following.start == span.end and following.head is not None
        after = sentence.words[span.end] if span.end < len(sentence.words) else ""
        is_close = bool(after) and not sentence.gaps[span.end].strip("-") and not sentence.possessive[span.end - 1]
        # Behind a plural an unknown word is a verb: "cups form a row".
        is_one = span.head is not None and span.head.category is not None and not span.head.is_plural
        is_modifier = is_close and (is_next or (is_one and _is_noun(after)))
        kept.append(Span(span.start, span.end, None) if is_modifier else span)
    return kept


def _is_noun(word: str) -> bool:
    """Return whether an unknown word right behind a noun is likely the noun that the phrase is about: "pizza hut"."""
    if word in STOPS or word in DETERMINERS or is_number(word) or word in ALL_COLOURS or word in SHADES:
        return False
    return not word.endswith(("ing", "ed", "s", "ly")) and word not in _AFTER_NOUNS and len(word) > 2


def _is_colour(sentence: Sentence, index: int) -> bool:
    """Return whether "orange" is the colour: it says so unless it has an article and nothing that it could colour."""
    words = sentence.words
    before = words[index - 1] if index else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    if before not in DETERMINERS and before not in NUMBERS and before not in ("sliced", "peeled", "fresh", "of", ""):
        return True
    if after in ALL_COLOURS or after == "of" or (not before and not after):
        return True
    if after in ("and", "or") and index + 2 < len(words) and words[index + 2] in ALL_COLOURS:
        return True
    return bool(after) and after not in STOPS and not sentence.gaps[index + 1] and not after.endswith(("ing", "ed"))
