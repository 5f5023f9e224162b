"""Placements of a statement: a preposition of a caption and the thing behind it, said anew."""

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.agreement import is_agreed, key_of
from instructgen.scenegraph.graph import StatementPart
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import Caption, Piece, read_whole, word_piece
from instructgen.scenegraph.prepositions import is_misplaced
from instructgen.scenegraph.saying import lacks_from, say_preposition
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import PREPOSITIONS, Noun

_MAX_PREPOSITION = 4
_RIDING = frozenset(("riding", "rides"))
_SITTING = frozenset(("seated", "sitting", "sits", "sit"))
_MOST_HANGING = 5
# Where the thing is that somebody is "with", and how it is said; "behind it" or "next to him" is left out.
_TAILS = {
    **{f"in {the}background": "in the background" for the in ("", "the ", "a ")},
    "in the distance": "in the distance",
    "in the foreground": "in the foreground",
    "on top": "on top",
    "on the back": "on the back",
    "on the front": "on the front",
    "on both sides": "on both sides",
}
_UNSAID = frozenset(
    ("down", "open", "up", "off", "under", "underneath", "beneath", "beside", "behind", "above", "over", "near")
)
_NEAR = frozenset(("near", "nearby", "next", "close"))
_PRONOUNS = frozenset(("it", "him", "her", "them"))
# A part that everybody has says nothing by itself: a bear with a mouth.
_OF_ALL = frozenset((
    "mouth", "face", "eye", "head", "hand", "arm", "leg", "body", "nose", "ear", "tail", "back", "foot", "hair",
    "tooth", "tongue", "finger", "neck", "skin", "fur",
))  # fmt: skip
_OWN = frozenset(("face", "head", "body"))
_EVERYWHERE = frozenset(("floor", "wall", "ceiling"))
_LOOSE = frozenset(("underneath", "beneath", "under", "below", "above", "around"))
_WHOLE = (
    *("in the back of", "on the back of", "at the end of", "at the top of", "on the edge of", "at the edge of"),
    *("in the corner of", "in the center of", "on both sides of", "on each side of", "at the bottom of", "below"),
)
_PREPOSITIONS = {
    **PREPOSITIONS,
    **{words: words for words in _WHOLE},
    "of": "of",
    "between": "between",
    "in between": "between",
    "off of": "off",
    "by the side of": "by the side of",
}


def read_placement(caption: Caption, at: int) -> Piece | None:
    for length in range(_MAX_PREPOSITION, 0, -1):
        preposition = _PREPOSITIONS.get(" ".join(caption.tokens[at : at + length]))
        if preposition is None:
            continue
        thing = read_whole(caption, at + length)
        if thing is None or preposition == "of":
            return None
        if is_misplaced(preposition, key_of(caption.by_start[at + length]), caption.sources.placings):
            return None
        said = say_preposition(preposition, caption.by_start[at + length].noun.lemma)
        if said == "in" and preposition != "in" and caption.sources.is_sport:
            said = "on"  # a field of a game is stood on
        noun = caption.by_start[at + length].noun
        if _is_no_place(caption, at, said, noun):
            return None
        if preposition == "between" and not caption.by_start[at + length].is_plural:
            return None
        if caption.token(thing.end) == "from" or lacks_from(said, caption.token(at - 1)):
            return None  # "across the street from a house" is not on it
        if said == "with" and _is_unclear_with(caption, thing, noun):
            return None
        return _say_place(caption, at, said, thing, noun)
    return None


def _is_no_place(caption: Caption, at: int, said: str, noun: Noun) -> bool:
    return (
        (_is_worn(noun) and caption.token(at - 1) in _SITTING)  # "a man seated in a tie"
        or noun.kind == "game"
        or (noun.lemma in ("photo", "picture") and said == "in")  # it is the picture itself
        or (noun.category == "baseball bat" and said in ("at", "to"))
        or (noun.lemma == "dark" and said != "in")
    )


def _say_place(caption: Caption, at: int, said: str, thing: Piece, noun: Noun) -> Piece:
    """Join the preposition and the thing behind it, as they are said of one another."""
    before = caption.token(at - 1)
    if said == "with":
        thing = _read_tail(caption, thing)
    if said == "at" and noun.lemma == "bench" and before in _SITTING:
        said = "on"
    is_ridden = noun.lemma == "wave" and said == "on" and before in _RIDING  # one rides a wave, not on it
    return Piece((StatementPart(" " if is_ridden else f" {said} ", None),), thing.end, last=said) + thing


def _is_unclear_with(caption: Caption, thing: Piece, noun: Noun) -> bool:
    """True for what is not simply with it.

    "With cups replaced by numbers" is not "with cups", nor is "an umbrella with people underneath" one with people.
    """
    behind = caption.token(thing.end)
    if noun.lemma in _EVERYWHERE and thing.parts[0].text in (noun.lemma, plural_of(noun.lemma)):
        return True  # every kitchen is one with floors
    if noun.lemma in _OF_ALL and thing.parts[0].text in (noun.lemma, plural_of(noun.lemma), with_article(noun.lemma)):
        return True
    if noun.lemma in _OWN and thing.parts[0].text.split()[0] in ("his", "her", "their", "its"):
        return True  # "a dog with its head"
    if _is_elsewhere(caption, thing.end):
        return True
    return behind in VERB_FORMS or behind.endswith(("ing", "ed")) or _hangs_over(caption, thing.end)


def _find_tail(caption: Caption, at: int) -> tuple[str, int]:
    """Return how it is said where the thing before is, and the token behind; "" where nothing of the table stands."""
    for length in (3, 2):
        said = _TAILS.get(" ".join(caption.tokens[at : at + length]), "")
        if said and caption.token(at + length) == "of" and caption.token(at + length + 1) in _PRONOUNS:
            return said, at + length + 2  # "on the back of it"
        if said and caption.token(at + length) != "of" and len(caption.tokens) >= at + length:
            return said, at + length
    return "", at


def _read_tail(caption: Caption, thing: Piece) -> Piece:
    said, end = _find_tail(caption, thing.end)
    return thing + word_piece(f" {said}", end) if said else thing


def say_placed(where: Piece, noun: NounPhrase) -> Piece:
    """Say that it is there; who is "in a hat" wears it."""
    if where.last == "in" and noun.noun.kind in ("wear", "pair"):
        parts = (StatementPart(" wearing ", None), *where.parts[1:])
        return Piece(parts, where.end, where.keys | {"wear"}, where.looks, "wear", "wear")
    return Piece((), where.end, verb="be") + where


def find_preposition(caption: Caption, at: int) -> tuple[str, int]:
    """Return the longest preposition that stands there, as tables have it, and the token behind; "" for none."""
    for length in range(_MAX_PREPOSITION, 0, -1):
        preposition = _PREPOSITIONS.get(" ".join(caption.tokens[at : at + length]))
        if preposition is not None:
            return preposition, at + length
    return "", at


def stands_before_doubt(caption: Caption, at: int) -> bool:
    """True before a place that one caption alone names, or others dispute: what comes before is told without."""
    for length in range(_MAX_PREPOSITION, 0, -1):
        if " ".join(caption.tokens[at : at + length]) in _PREPOSITIONS:
            phrase = caption.by_start.get(at + length)
            if phrase is None:
                return False
            said = _PREPOSITIONS[" ".join(caption.tokens[at : at + length])]
            is_doubted = is_misplaced(said, key_of(phrase), caption.sources.placings)
            return is_doubted or not is_agreed(phrase, (), caption.token(phrase.end), caption.sources)
    return False


def _is_worn(noun: Noun) -> bool:
    return noun.kind in ("wear", "pair") or noun.category == "tie"


def _is_elsewhere(caption: Caption, at: int) -> bool:
    """True where it goes on with "next to him", "under it", "down": it is not simply with the one told of."""
    behind, end = caption.token(at), at + 1 + (caption.tokens[at : at + 2] in (("next", "to"), ("close", "to")))
    is_alone = caption.token(end) in ("", ".", ",", "and")
    if behind in ("on", "open", "off") and (is_alone or caption.token(end) in VERB_FORMS):
        return True  # "with lights on"
    return (behind in _UNSAID | _NEAR) and (caption.token(end) in _PRONOUNS or is_alone)


def _hangs_over(caption: Caption, at: int) -> bool:
    """True where a word that has no noun behind it ends what follows: "and a woman underneath"."""
    for index in range(at, min(at + _MOST_HANGING, len(caption.tokens))):
        if caption.tokens[index] in _LOOSE and caption.token(index + 1) in ("", ".", ","):
            return True
    return False
