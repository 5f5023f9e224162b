"""Subjects of statements: who or what a caption is about, behind "there is" and "a picture of"."""

from itertools import pairwise

from msgspec import structs

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, with_article
from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.attributes import VALUES
from instructgen.scenegraph.garments import EVERYDAY
from instructgen.scenegraph.graph import StatementPart
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import Caption, Piece, read_whole, word_piece
from instructgen.scenegraph.placements import read_placement
from instructgen.scenegraph.saying import RIDDEN_BY, are_too_many
from instructgen.scenegraph.vocabulary import ADJECTIVES, GENDERS, NOUNS, Noun

_VIEWS = frozenset(
    ("picture", "photo", "image", "view", "shot", "photograph", "scene", "close", "up", "closeup", "pic")
)
_OPENERS = frozenset(
    (
        "a",
        "an",
        "the",
        "this",
        "is",
        "of",
        "there",
        "are",
        "very",
        "it",
        "that's",
        "there's",
        "and",
        "filtered",
        "blurry",
        "overhead",
        "aerial",
        "grainy",
        "blurred",
    )
)
_GROUPS = frozenset(
    (
        *("group", "herd", "flock", "crowd", "bunch", "row", "pile", "collection", "line", "number", "team"),
        *("family", "slice", "piece", "stack"),
    )
)
_PORTION_WORDS = ("slice", "piece", "stack", "basket", "bunch", "loaf", "box", "tray", "pile", "row")
_GROUPS_OF = frozenset(
    ("groups", "herds", "rows", "piles", "bunches", "slices", "pieces", "stacks", "boxes", "flocks")
)
_DIFFERENT = frozenset(("many", "several", "different", "various", "assorted"))
_KINDS = frozenset(("types", "kinds", "sorts"))
_PORTIONS = tuple(f"{word} of " for word in (*_PORTION_WORDS, *_GROUPS_OF))
_MANY = ("several", "many", "some")
_IN_BUNCHES = frozenset(("banana", "bananas", "carrot", "carrots", "grapes", "flowers", "broccoli"))
_IN_GROUPS = frozenset(("person", "animal", "vehicle"))
_BE = frozenset(("is", "are"))
_CROWDS = tuple(f"{an}{word} of " for an in ("a ", "a large ", "a small ") for word in ("herd", "flock", "crowd"))
# Every room has these, or everybody.
_OF_ALL = frozenset(
    ("floors", "a floor", "walls", "a wall", "ceilings", "a ceiling", "a shirt", "shirts", "hair", "a face")
)
# What lies on a thing, and says nothing as what the thing is "with": a plant with long grass on it.
_STUFF = frozenset(("grass", "snow", "water", "sand", "dirt", "mud", "hay", "gravel", "leaf"))
_UPON = frozenset((("on", "it"), ("on", "them"), ("in", "it"), ("around", "it"), ("under", "it")))
_SEES_DARK = ("person", "animal")  # these are in the dark, a stop sign is not
_PAIR = 2  # are no group
_FEW = 3  # animals or people that are no herd and no crowd


def skip_opener(tokens: tuple[str, ...]) -> int:
    """Return where the caption's own words begin, behind "there is" or "a picture of"."""
    last = 0
    for index, token in enumerate(tokens[:9]):
        is_view = index and token in ("of", "showing") and tokens[index - 1] in _VIEWS
        if is_view or (index == 1 and token in _BE and tokens[0] in ("there", "this")):
            last = index + 1
        elif not (token in _VIEWS or token in _OPENERS or token in ADJECTIVES or token in COLOURS):
            break
    return last


def read_subject(caption: Caption, start: int) -> tuple[Piece, NounPhrase, bool] | None:
    """Read who or what it is about, several joined by "and" too; return it with its first noun, and whether many."""
    group, at = read_group(caption, start)
    first = caption.by_start.get(at)
    if group and first is not None and first.noun.kind == "animal" and not first.is_plural:
        many = structs.replace(first, noun=structs.replace(first.noun, is_plural=True))  # "a herd of zebra"
        caption = caption._replace(by_start={**caption.by_start, at: many})
    piece = read_whole(caption, at, is_first=not group)
    if piece is None or caption.by_start[at].noun.kind == "game":
        return None
    phrase = caption.by_start[at]
    is_portion = group.endswith(_PORTIONS)
    if group and not phrase.is_plural and not (is_portion and phrase.noun.kind == "food"):
        return None
    if is_too_few(caption, phrase, group):
        return None
    is_some = phrase.noun.lemma == "sheep" and not piece.parts[0].text.startswith(("a ", "one ", "the "))
    piece = word_piece(group, at) + piece if group else piece
    is_plural = ((phrase.is_plural or is_some) and not group) or group.endswith(("several ", "s of ", "es of "))
    while caption.token(piece.end) in ("and", ","):
        after = piece.end + 1 + (caption.token(piece.end) == "," and caption.token(piece.end + 1) == "and")
        more = read_whole(caption, after, is_first=True)
        if more is None:
            return None
        joint = " and " if "and" in caption.tokens[piece.end : after] else ", "
        piece += word_piece(joint, after) + more
        is_plural = True
    return piece, phrase, is_plural


def is_too_few(caption: Caption, phrase: NounPhrase, group: str) -> bool:
    """True for a herd of two or three, or a group of two, as boxes or another caption count them."""
    most = _FEW if group.startswith(_CROWDS) else _PAIR if group.endswith(("several ", "group of ")) else 0
    if not most:
        return False
    entity = caption.sources.entities.get(phrase.noun.category or "")
    boxed = entity is not None and not entity.has_crowd and len(entity.boxes) <= most
    totals = caption.sources.totals.get(phrase.noun.category or phrase.noun.lemma)
    return boxed or any(0 < total <= most for total in totals or ())


def read_group(caption: Caption, start: int) -> tuple[str, int]:
    """Read "a group of", "a large herd of", "two slices of": how it is said, and where what it is of begins."""
    first = caption.token(start)
    at = start + (first in ("a", "an", "the", *_MANY) or first in NUMBER_WORDS)
    size = ""
    if caption.token(at) in ("large", "small", "big", "tall"):
        size, at = {"big": "large"}.get(caption.token(at), caption.token(at)), at + 1
    word = caption.token(at)
    is_many = word in _GROUPS_OF
    if not (is_many or word in _GROUPS) or caption.token(at + 1) != "of":
        return "", start
    behind = _skip_kinds(caption, at + 2)
    if word in ("bunch", "number") and _is_of_things(caption, behind):
        return "several ", behind
    word = {"bunch": "group", "number": "group"}.get(word, word)
    if word == "group" and caption.token(at) == "bunch" and caption.token(at + 2) in _IN_BUNCHES:
        word = "bunch"
    said = f"{size} {word}".strip()
    if is_many:
        return f"{first} {said} of " if first in _MANY or first in NUMBER_WORDS else f"{said} of ", behind
    return f"{with_article(said)} of ", behind


def _is_of_things(caption: Caption, at: int) -> bool:
    """True for what is no group: newspapers, signs; not for a bunch of bananas."""
    phrase = caption.by_start.get(at)
    is_bunch = caption.token(at - 2) == "bunch" and caption.token(at) in _IN_BUNCHES
    return phrase is not None and phrase.noun.kind not in _IN_GROUPS and phrase.is_plural and not is_bunch


def _skip_kinds(caption: Caption, at: int) -> int:
    """Return where the noun begins behind "a stack of": over "many different types of"."""
    end = at
    while caption.token(end) in _DIFFERENT:
        end += 1
    if caption.token(end) in _KINDS and caption.token(end + 1) == "of":
        return end + 2
    return end if caption.token(at) in ("different", "various", "assorted") else at


def owner_fits(parts: tuple[StatementPart, ...], lemma: str, *, is_plural: bool) -> bool:
    """True unless "his" or "her" is said of somebody who is called by another kind of word."""
    words = {word for part in parts for word in part.text.split()}
    if is_plural:
        return not words & {"his", "her", "its"}
    sex = GENDERS.get(lemma)
    if sex == "male":
        return "her" not in words
    return ("his" not in words) if sex == "female" else not words & {"his", "her"}


def say_owner(piece: Piece, noun: Noun, lemma: str, *, is_one: bool) -> Piece:
    """Say "a motorcycle" for "their motorcycle" of one who is called by a word that wants "his", "her" or "its"."""
    if not is_one or (noun.category == "person" and lemma not in GENDERS):
        return piece
    return structs.replace(piece, parts=tuple(_without_owner(part) for part in piece.parts))


def _without_owner(part: StatementPart) -> StatementPart:
    owned = part.text.removeprefix("their ")
    if owned == part.text:
        return part
    words = owned.split()
    noun = NOUNS.get(" ".join(words[-2:])) or NOUNS.get(words[-1])
    is_one = noun is not None and not noun.is_plural and noun.article == "a"
    return structs.replace(part, text=with_article(owned) if is_one else owned)


def read_place(caption: Caption, at: int) -> Piece | None:
    """Read a placement; not "with grass" of "a plant with grass on it"."""
    place = read_placement(caption, at)
    if place is None or place.last != "with" or place.keys.isdisjoint(_STUFF):
        return place
    return None if caption.tokens[place.end : place.end + 2] in _UPON else place


def is_worn_by_another(caption: Caption, at: int, place: Piece) -> bool:
    """True where somebody is "in" clothes, and what stands before is nobody who wears them."""
    phrases = caption.by_start.values()
    is_worn = any(one.end == place.end and one.noun.kind in ("wear", "pair") for one in phrases)
    return (
        place.last == "in" and is_worn and not any(one.end == at and one.noun.category == "person" for one in phrases)
    )


def drops_look(caption: Caption, piece: Piece, at: int) -> bool:
    """True for "in pants" where the caption has "in orange pants", and others dispute the color."""
    is_plain = len(piece.parts) > 0 and piece.parts[-1].text in EVERYDAY
    return is_plain and any(token in COLOURS or token in VALUES for token in caption.tokens[at : piece.end])


def is_in_dark(place: Piece, noun: Noun) -> bool:
    """True for a thing "in the dark", or "in a mirror", which nobody says of things by itself."""
    is_in = place.parts[0].text == " in "
    return ("dark" in place.keys and noun.kind not in _SEES_DARK) or ("mirror" in place.keys and is_in)


def rides_for_all(whole: Piece, phrase: NounPhrase, sources: Sources) -> bool:
    """True where people ride without a number, and there are more of them than what they ride can hold."""
    people = sources.entities.get("person")
    names = {RIDDEN_BY.get(key, key) for key in whole.keys}
    mounts = [one for key in sorted(names) if (one := sources.entities.get(key)) is not None]
    is_all = phrase.noun.category == "person" and phrase.is_plural and phrase.number is None
    is_all = is_all and whole.verb in ("ride", *RIDDEN_BY)
    if people is None or people.has_crowd or not is_all:
        return False
    return any(are_too_many(len(people.boxes), one.name, len(one.boxes)) for one in mounts)


def says_twice(parts: tuple[StatementPart, ...]) -> bool:
    """True for "a plate of pancakes on a plate": the caption may mean one thing by both."""
    nouns = [NOUNS.get(word) for part in parts for word in part.text.split()]
    lemmas = [noun.lemma if noun is not None and noun.kind != "game" else "" for noun in nouns]
    words = [word for word, behind in pairwise((*lemmas, "")) if word and word != behind]  # "a tabby cat" is one
    return len(words) > len(set(words)) or _has_what_all_have(parts)


def _has_what_all_have(parts: tuple[StatementPart, ...]) -> bool:
    """True for "a kitchen with floors": what the caption has to say of them is lost."""
    texts = [part.text.strip() for part in parts if part.text.strip()]
    return any(before == "with" and text in _OF_ALL for before, text in pairwise(texts))
