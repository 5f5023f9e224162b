"""Likenesses: categories that captions name as a toy, a statue or a painting of the thing, not as the thing."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import CATEGORY_PHRASES, lengths_by_first_word
from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.vocabulary import ADJECTIVES, DETERMINERS, UNREAL

_LENGTHS = lengths_by_first_word(CATEGORY_PHRASES)
_REACH = 3  # adjectives before a noun among which a word may say that it is no real one
_SEVERAL = 2  # captions that are enough, whatever the others say
_OPENING = 6  # tokens in which a caption says that it is of a painting
_ANY = frozenset(
    ("toy", "fake", "model", "cartoon", "lego", "origami", "pretend", "imitation", "replica", "frosting", "icing")
)
# Materials make a likeness of what lives; "a plastic banana" is none to eat, but a wooden boat is a boat.
_BY_GROUP = {
    "person": _ANY | UNREAL | {"bronze", "carved", "sculpted", "marble", "brass", "porcelain"},
    "animal": _ANY | UNREAL | {"bronze", "carved", "sculpted", "marble", "brass", "porcelain", "robotic"},
    "food": _ANY | {"plastic", "rubber", "wax", "plush"},
}
_SHAPES = frozenset(
    (
        "statue",
        "statues",
        "sculpture",
        "sculptures",
        "figurine",
        "figurines",
        "figure",
        "figures",
        "cutout",
        "cutouts",
    )
)
_RIDES = frozenset(("ride", "rides", "costume", "costumes", "carousel"))  # behind an animal
_TOYS = frozenset(("toy", "toys"))
_OWNERS = frozenset(("dog", "cat", "bird"))  # "a dog toy" is one for dogs
_PICTURED = _SHAPES | {
    "painting", "paintings", "drawing", "drawings", "mural", "murals", "carving", "carvings", "cartoon", "sketch",
    "illustration", "poster", "posters", "billboard", "board", "model", "models", "replica", "graffiti",
}  # fmt: skip
# A likeness too where it is held, looked at or hung up; else it is what a caption begins with, "a picture of".
_PHOTOS = frozenset(("picture", "pictures", "photo", "photos", "photograph", "photographs", "portrait", "portraits"))
_HOLDING = frozenset(
    ("with", "has", "have", "holding", "displaying", "displays", "showing", "at", "featuring", "framed")
)
# "A picture of a couple behind glass": not the couple was met there.
_HUNG_UP = re.compile(
    r"\b(?:picture|photo|photograph|portrait)s? of .*\b(?:behind glass|(?:is|are) (?:displayed|hung|framed))\b"
    r"|\bframed (?:picture|photo|photograph|portrait)s? of\b"
)
_PHOTO_OF = re.compile(r"\b(?:picture|photo|photograph|portrait)s? of\b")
_MOST = 3  # captions
# Where one caption likens a thing, these in another say the same of it: "a giant statue with a suitcase".
_COPIES = frozenset(("statue", "sculpture", "replica", "figurine", "model"))
_LIVING = ("person", "animal")
_SHOWN = frozenset(("display", "displays", "exhibit", "exhibits", "replica", "replicas", "model", "models"))
DRAWN = frozenset((
    "painting", "drawing", "mural", "sketch", "illustration", "cartoon", "rendering", "render", "template",
    "blueprint", "animation", "3d", "generated", "mockup", "diorama",
))  # fmt: skip
_OF = frozenset(("of", "depicting", "showing", "shows", "featuring"))
_SCREENS = frozenset(("tv", "television", "screen", "monitor"))
# "A cup with a bird on it" shows one.
_PRINTED = _SCREENS | {
    "wallpaper",
    "signs",
    "cup",
    "cups",
    "mug",
    "sign",
    "cover",
    "poster",
    "shirt",
    "tie",
    "billboard",
}
_SHOWING = frozenset(
    ("showing", "shows", "displaying", "displays", "depicting", "depicts", "picture", "image", "photo")
)
_ON_IT = (("on", "it"), ("on", "it's"), ("on", "its"))
_HAVING = frozenset(("with", "has", "have", "having"))
# Between what is only painted and what it is painted on.
_APPLIED = frozenset((
    "painted", "printed", "drawn", "etched", "embroidered", "engraved", "stenciled", "depicted", "carved",
))  # fmt: skip
_ONTO = frozenset(("on", "onto", "into"))
_BEHIND = 8  # tokens behind a noun in which "on the screen" may follow
_WATCHING = frozenset(("watching", "watches", "watch"))
# Where two captions have these, no car is one.
_MADE_SMALL = frozenset(("toy", "toys", "lego", "legos", "miniature", "mini", "kiddie"))
_TOY_ANIMALS = re.compile(r"\b(?:(?:toy|plastic|wooden) animals?|animal (?:toys?|figures?|figurines?))\b")
_MADE = frozenset(("made", "carved", "sculpted"))
# Behind these begins what is beside the likeness, or about it.
_BREAKS = frozenset((
    ".", ";", "in", "at", "near", "next", "beside", "behind", "front", "against", "by", "is", "are", "while", "as",
    "outside", "inside", "that", "which", "above", "below", "under",
))  # fmt: skip


def find_likenesses(captions: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """Return the categories that two captions, or all that name them, name as likenesses only."""
    likened: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    real: Counter[str] = Counter()
    for tokens in captions:
        by_name: dict[str, bool] = {}
        for name, is_likened in _find_mentions(tokens):
            by_name[name] = by_name.get(name, True) and is_likened
        for name, is_likened in by_name.items():
            is_copy = not is_likened and CATEGORIES[name].group not in _LIVING and not _COPIES.isdisjoint(tokens)
            (copied if is_copy else likened if is_likened else real)[name] += 1
    if is_hung_up(captions):
        return frozenset((*likened, *copied, *real))
    found = _find_applied(captions, real)
    found |= {name for name, num in likened.items() if num + copied[name] >= min(_SEVERAL, real[name] + copied[name])}
    if sum(not _MADE_SMALL.isdisjoint(tokens) for tokens in captions) >= _SEVERAL:
        found |= {name for name in (*likened, *copied, *real) if CATEGORIES[name].group == "vehicle"}
    if sum(bool(_TOY_ANIMALS.search(" ".join(tokens))) for tokens in captions) >= _SEVERAL:
        found |= {name for name, one in CATEGORIES.items() if one.group == "animal"}
    return frozenset(found)


def _find_applied(captions: Sequence[tuple[str, ...]], real: Counter[str]) -> set[str]:
    """Return what as many captions have as painted on something as have it otherwise."""
    applied: Counter[str] = Counter()
    for tokens in captions:
        ends = {at for at in range(1, len(tokens)) if is_applied(tokens, at)}
        starts = {at: _name_at(tokens, at) for at in range(len(tokens))} if ends else {}
        applied.update({name for at, (length, name) in starts.items() if name is not None and at + length in ends})
    return {name for name, num in applied.items() if num >= real[name] - num}


def find_applied_nouns(readings: Iterable[CaptionReading]) -> frozenset[str]:
    """Return what no box can hold and as many captions have as painted on something as have it otherwise."""
    said = [(r.tokens, one) for r in readings for one in r.phrases if one.noun.category is None]
    applied = Counter(one.noun.lemma for tokens, one in said if is_applied(tokens, one.end))
    named = Counter(one.noun.lemma for _, one in said)
    return frozenset(lemma for lemma, num in applied.items() if 2 * num >= named[lemma])


def is_applied(tokens: tuple[str, ...], end: int) -> bool:
    """True behind the leaves of "a vase with leaves painted on its sides"."""
    at = end + (tokens[end : end + 1] in (("is",), ("are",)))
    return not _APPLIED.isdisjoint(tokens[at : at + 1]) and not _ONTO.isdisjoint(tokens[at + 1 : at + 2])


def is_all_likeness(captions: Sequence[tuple[str, ...]]) -> bool:
    """True where at least two captions begin as "a painting of": what is boxed may be painted."""
    return sum(map(begins_as_likeness, captions)) >= _SEVERAL or is_hung_up(captions)


def is_hung_up(captions: Sequence[tuple[str, ...]]) -> bool:
    """True where two captions tell that a picture of people hangs somewhere, and most that it is a picture."""
    said = [" ".join(tokens) for tokens in captions]
    hung = [tokens for tokens, text in zip(captions, said, strict=True) if _HUNG_UP.search(text)]
    has_people = all("person" in {name for name, _ in _find_mentions(tokens)} for tokens in hung)
    return len(hung) >= _SEVERAL and has_people and sum(bool(_PHOTO_OF.search(text)) for text in said) >= _MOST


def begins_as_likeness(tokens: tuple[str, ...]) -> bool:
    """True for a caption of a painting or another picture that somebody made."""
    opening = tokens[:_OPENING]
    return any(token in DRAWN and not _OF.isdisjoint(opening[at + 1 :]) for at, token in enumerate(opening))


def _find_mentions(tokens: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    at = 0
    while at < len(tokens):
        length, name = _name_at(tokens, at)
        if name == "teddy bear":
            yield name, _is_on_screen(tokens, at)  # itself a toy
        elif name is not None:
            yield name, _is_likened(tokens, at, at + length, name)
        at += length


def _name_at(tokens: tuple[str, ...], at: int) -> tuple[int, str | None]:
    """Return the category that is named at a token; "horse statue" names the horse that it is of."""
    for length in _LENGTHS.get(tokens[at], ()):
        phrase = " ".join(tokens[at : at + length])
        if at + length > len(tokens) or phrase not in CATEGORY_PHRASES:
            continue
        known = CATEGORY_PHRASES[phrase]
        if known is not None:
            return length, known[0]
        if tokens[at + length - 1] not in _SHAPES:
            return length, None
    return 1, None


def _is_likened(tokens: tuple[str, ...], start: int, end: int, name: str) -> bool:
    group = CATEGORIES[name].group
    before = _BY_GROUP.get(group, _ANY)
    for at in range(start - 1, max(-1, start - 1 - _REACH), -1):
        if tokens[at] in before:
            return True
        if tokens[at] not in ADJECTIVES and tokens[at] not in COLOURS and tokens[at] != "animal":
            break  # "stuffed animal dogs" are no dogs
    behind = tokens[end : end + 2]
    if behind and (behind[0] in _SHAPES or (behind[0] in _TOYS and name not in _OWNERS)):
        return True
    if behind and group == "animal" and behind[0] in _RIDES:
        return True
    is_made = len(behind) > 1 and behind[0] in _MADE and behind[1] in ("of", "out", "from")
    is_living = group in ("person", "animal")
    pictures = _PICTURED | _SHOWN if is_living and "zoo" not in tokens else _PICTURED
    return (is_made and is_living) or _is_pictured(tokens, start, pictures) or _is_on_screen(tokens, start)


def _is_on_screen(tokens: tuple[str, ...], start: int) -> bool:
    """True for two men of "a television showing two men", and of "a screen with two men on it"."""
    before = tokens[:start]
    if _is_watched(tokens, start):
        return True
    at = next((at for at in range(start - 1, -1, -1) if before[at] in _PRINTED), None)
    if at is None:
        return False
    between, behind = before[at + 1 :], tokens[start : start + _BEHIND]
    shows = before[at] in _SCREENS and not _SHOWING.isdisjoint(between) and _BREAKS.isdisjoint(between)
    is_on_it = any(behind[index : index + 2] in _ON_IT for index in range(len(behind)))
    is_sign = before[at] in ("sign", "signs")
    is_had = between[:1] == ("with",) or (is_sign and not _HAVING.isdisjoint(between))
    return shows or (is_had and (is_on_it or any(word in _SCREENS for word in behind)))


def _is_watched(tokens: tuple[str, ...], start: int) -> bool:
    """True for the player of "watching a tennis player on a television"."""
    before, behind = tokens[max(0, start - _REACH - 1) : start], tokens[start : start + _BEHIND]
    ends = (at for at, word in enumerate(behind) if word in _SCREENS)
    return not _WATCHING.isdisjoint(before) and any("on" in behind[max(0, at - 3) : at] for at in ends)


def _is_pictured(tokens: tuple[str, ...], start: int, pictures: frozenset[str]) -> bool:
    """True behind "a statue of": up to where the likeness ends, all that is named is a part of it."""
    for at in range(start - 1, 0, -1):
        if tokens[at] in _BREAKS:
            return False
        if tokens[at] in _OF and (tokens[at - 1] in pictures or _is_held_photo(tokens, at - 1)):
            return True
    return False


def _is_held_photo(tokens: tuple[str, ...], at: int) -> bool:
    """True for the photo of "holding a photo of a dog"; not of "taking a photo of", or where a caption begins."""
    if tokens[at] not in _PHOTOS:
        return False
    before = next((token for token in reversed(tokens[:at]) if not _is_between(token)), "")
    return before in _HOLDING


def _is_between(token: str) -> bool:
    return token in DETERMINERS or token in ADJECTIVES or token in COLOURS
