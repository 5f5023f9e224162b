"""The parts of a statement: noun phrases of a caption, said anew with article, number, colors and looks."""

from collections import Counter
from typing import NamedTuple

from msgspec import Struct, structs

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import COLOURS, NUMBER_NAMES, NUMBER_WORDS, plural_of, with_article
from instructgen.scenegraph.agreement import COUPLES, Sources, fits, is_agreed, is_number_agreed, key_of
from instructgen.scenegraph.graph import Entity, StatementPart
from instructgen.scenegraph.looks import is_single, read_looks
from instructgen.scenegraph.new_nouns import find_noun
from instructgen.scenegraph.phrases import NounPhrase, read_phrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS, NOUNS, Noun

RUDE = frozenset(("butt", "ass", "sexy", "naked", "nude", "crotch", "boobs", "breasts", "genitals", "penis", "fat"))
_BARE = frozenset(("with", "of", "filled", "drinking", "drinks", "drink"))  # before water: "a glass of water"
_NEW_KINDS = frozenset(("person", "animal", "wear", "food"))  # what is new of these is "a", not "the"
_UNMET_KINDS = frozenset(("surface", "thing", "vehicle", "furniture"))  # "a tower of the building": of a building
# "In the container", "near the building": nobody has spoken of it yet.
_UNMET = frozenset((
    "building", "container", "plate", "tray", "box", "basket", "house", "pole", "sign", "tree", "bush", "window",
    "door", "branch",
))  # fmt: skip
FACING = frozenset(("at", "for", "to", "into", "toward", "towards"))  # before a camera
_OWNERS = frozenset(("his", "her", "their", "its"))
_SOME = frozenset(("several", "many", "some"))
# What a caption that has one of these does not see as another has it.
_QUANTITIES = {
    "many": frozenset(("several", "few", "couple", "pair", "two", "three", "four", "five")),
    "several": frozenset(("many", "few", "couple", "pair", "numerous", "two")),
}
_UNCLEAR = frozenset(("this", "that", "any", "each", "both", "few"))


class Piece(Struct, frozen=True):
    """A part of a caption that was read: how it is said, the token behind it, and the keys of what it tells.

    `verb` is the first verb in it, `last` the last verb or preposition.
    """

    parts: tuple[StatementPart, ...]
    end: int
    keys: frozenset[str] = frozenset()
    looks: frozenset[str] = frozenset()
    verb: str = ""
    last: str = ""

    def __add__(self, other: "Piece") -> "Piece":
        parts, looks = (*self.parts, *other.parts), self.looks | other.looks
        verb, last = self.verb or other.verb, other.last or self.last
        return Piece(parts, other.end, self.keys | other.keys, looks, verb, last)


class Caption(NamedTuple):
    """A caption to read from: tokens, and its noun phrases by the token that they start at."""

    tokens: tuple[str, ...]
    by_start: dict[int, NounPhrase]
    sources: Sources

    def token(self, at: int) -> str:
        return self.tokens[at] if at < len(self.tokens) else ""


def word_piece(text: str, end: int) -> Piece:
    return Piece((StatementPart(text, None),), end)


def find_more(reading: CaptionReading, num_captions: Counter[str]) -> dict[int, NounPhrase]:
    """Return all phrases by their first token: those read before, and those with words that only statements know.

    These are words of a table of their own, words that two captions have where a noun stands, "a couple", and nouns
    before another noun ("a kitchen table").
    """
    tokens = reading.tokens
    found: dict[int, NounPhrase] = {}
    for at in range(len(tokens)):
        noun = _noun_of(tokens, at, num_captions)
        phrase = read_phrase(tokens, at, at + 1, noun) if noun is not None else None
        if phrase is None or noun is None:
            continue
        opens = noun.is_plural or noun.article == "mass" or tokens[phrase.start] in DETERMINERS
        if opens or tokens[phrase.start] in NUMBER_WORDS:
            found[phrase.start] = phrase
    # "A body of water" is one, "a tennis court" no mere court, and "a snow board" a snowboard.
    longer = {
        at: one
        for at, one in ((one.start, one) for one in reading.phrases)
        if at not in found
        or (one.end, " " in one.noun.lemma or one.noun.category is not None)
        > (found[at].end, found[at].noun.lemma in COUPLES)
    }
    found |= longer
    wider = [_widen(tokens, phrase) for phrase in found.values()]
    return {**found, **{phrase.start: phrase for phrase in wider}}


def _noun_of(tokens: tuple[str, ...], at: int, num_captions: Counter[str]) -> Noun | None:
    if tokens[at] in COUPLES:
        behind = tokens[at + 1] if at + 1 < len(tokens) else "."
        is_one = (behind in BOUNDARIES or behind in VERB_FORMS) and behind != "of"
        return Noun("couple", "person", "a", is_plural=False, category="person") if is_one else None
    return find_noun(tokens, at, num_captions)


def _widen(tokens: tuple[str, ...], phrase: NounPhrase) -> NounPhrase:
    """Take the noun before a noun, with what stands before it, as a part of its phrase: "a large kitchen table"."""
    at = phrase.start - 1
    before = NOUNS.get(tokens[at]) if at > 0 else None
    if (
        before is None
        or before.is_plural
        or before.category == "person"
        or phrase.start != _noun_start(tokens, phrase)
    ):
        return phrase
    whole = read_phrase(tokens, at, at + 1, before)
    if whole is None or tokens[whole.start] not in DETERMINERS:
        return phrase
    return structs.replace(phrase, start=whole.start, number=whole.number)


def read_noun(caption: Caption, at: int, *, is_first: bool = False, is_whole: bool = False) -> Piece | None:
    """Read a noun phrase that boxes and the other captions allow; what comes first in a statement is never "the".

    With `is_whole` it is known that the word behind it is no part of it.
    """
    phrase = caption.by_start.get(at)
    if phrase is None or phrase.is_likeness or phrase.is_negated or not fits(phrase, caption.sources):
        return None
    noun_at = _noun_start(caption.tokens, phrase)
    if noun_at is None:
        return None
    before = caption.tokens[phrase.start : noun_at]
    if not is_agreed(phrase, before, "" if is_whole else caption.token(phrase.end), caption.sources):
        return None
    looks, keys = read_looks(before, phrase, caption.sources)
    noun = _word_of(phrase, caption.sources)
    if noun == "island" and caption.sources.num_captions["kitchen"]:
        return None  # without its kitchen it is one in the sea
    words = " ".join([*(look for look in looks if look not in noun.split()), noun])
    is_material = phrase.start > 0 and caption.token(phrase.start - 1) in _BARE
    if not is_number_agreed(phrase, caption.sources):
        phrase = structs.replace(phrase, number=None)
    determiner = _determiner_of(caption, phrase, before, is_first=is_first)
    if "other" in before and caption.token(phrase.start - 1) == "and":
        words = f"other {words}"  # "a giraffe and other animals"
    said = _with_determiner(determiner, words, phrase, is_first=is_first, is_bare=is_material)
    if not said:
        return None
    entity = caption.sources.entities.get(phrase.noun.category or "") or caption.sources.unboxed.get(key_of(phrase))
    is_bare = entity is not None and entity.is_single and said == with_article(entity.word)
    part = StatementPart(said, entity.number if entity is not None and is_bare else None)
    colours = frozenset(COLOURS[token] for token in before if token in COLOURS and keys)
    counted = frozenset({f"count {key_of(phrase)}"}) if (phrase.number or 1) > 1 else frozenset()
    return Piece((part,), phrase.end, frozenset({key_of(phrase)}) | colours, keys | counted)


def _determiner_of(caption: Caption, phrase: NounPhrase, before: tuple[str, ...], *, is_first: bool) -> str:
    determiner = next((t for t in before if t in DETERMINERS or t in NUMBER_WORDS or t.isdigit()), "")
    if is_first and determiner == "the":
        determiner = ""
    if not determiner and phrase.noun.lemma == "sheep" and is_single(phrase, caption.sources):
        determiner = "a"
    if determiner == "the" and caption.token(phrase.start - 1) == "with":
        determiner = "a"  # "a room with the tv"
    if phrase.noun.lemma == "camera" and caption.token(phrase.start - 1) in FACING:
        determiner = "the"  # the one that the picture was taken with
    is_disputed = determiner in _QUANTITIES and _is_other_quantity(determiner, phrase, caption.sources)
    return "" if is_disputed else determiner


def _is_other_quantity(determiner: str, phrase: NounPhrase, sources: Sources) -> bool:
    """True for "many" where another caption has "a few", or "several"."""
    return any(
        not _QUANTITIES[determiner].isdisjoint(one.tokens[max(0, other.start - 3) : other.end])
        for one in sources.readings
        for other in one.phrases
        if key_of(other) == key_of(phrase)
    )


def read_whole(caption: Caption, at: int, *, is_first: bool = False) -> Piece | None:
    """Read a noun with what it is of: "a bowl of fruit"; None where that is not understood."""
    piece = read_noun(caption, at, is_first=is_first)
    if piece is None or caption.token(piece.end) != "of":
        return piece
    # "A tower of the building" is one of a building that nobody has spoken of yet.
    is_new = piece.parts[0].text.startswith(("a ", "an ")) and caption.token(piece.end + 1) == "the"
    known = caption.by_start.get(piece.end + 1)
    is_new = is_new and known is not None and known.noun.kind in _UNMET_KINDS
    of = read_noun(caption, piece.end + 1, is_first=is_new)
    colors = {COLOURS[token] for token in caption.tokens[piece.end : of.end if of else 0] if token in COLOURS}
    if of is None or caption.token(of.end) == "of" or not colors <= of.keys:
        return None  # without its color "a glass of red wine" is not what the caption names
    phrase = caption.by_start[at]
    if phrase.noun.kind == caption.by_start[piece.end + 1].noun.kind == "place":
        return None  # "a hill of a street"
    if phrase.is_plural and caption.token(at) == "the" and piece.parts[0].text and not is_first:
        piece = structs.replace(piece, parts=(StatementPart(f"the {piece.parts[0].text}", None),))
    return piece + word_piece(" of ", piece.end + 1) + of


def _with_determiner(determiner: str, words: str, phrase: NounPhrase, *, is_first: bool, is_bare: bool) -> str:
    noun = phrase.noun
    several = (phrase.number or 1) > 1
    if noun.lemma == "scissors" and not determiner.isdigit():
        return f"a pair of {words}"
    if several and noun.lemma != "skis":
        return f"{NUMBER_NAMES.get(phrase.number or 0, phrase.number)} {words}"
    if determiner in _OWNERS:
        return f"{determiner} {words}"
    if phrase.is_plural or (noun.lemma == "sheep" and determiner in ("", *_SOME)):
        return f"{determiner} {words}" if determiner in _SOME else words
    return _with_article(determiner, words, noun, is_first=is_first, is_bare=is_bare)


def _with_article(determiner: str, words: str, noun: Noun, *, is_first: bool, is_bare: bool) -> str:
    """Return a single thing with its article; "" where a determiner is not clear."""
    if determiner in _UNCLEAR:
        return ""
    is_new = noun.kind in _NEW_KINDS or noun.category is not None or noun.lemma in _UNMET
    is_known = determiner == "the" and noun.article in ("a", "mass") and not is_new
    if noun.article == "the" and determiner in ("a", "an") and words != noun.lemma:
        return with_article(words)  # "a sky background"
    is_water = noun.lemma == "water" and determiner != "the" and is_bare
    if (noun.article == "the" and not is_water) or is_known:
        return f"the {words}"
    if determiner == "another":
        return f"another {words}"
    is_food = noun.kind == "food" and not determiner and not is_first  # "eating pizza"
    return with_article(words) if noun.article == "a" and not is_food else words


def _word_of(phrase: NounPhrase, sources: Sources) -> str:
    noun = phrase.noun
    lemma = safe_lemma(phrase, sources)
    entity = sources.entities.get(noun.category or "")
    is_one = entity is not None and entity.name != "person" and entity.is_single and noun.article == "a"
    is_one = is_one or noun.category == "remote"  # "a remote" is a game controller elsewhere
    if noun.category != "person" and entity is not None and (is_one or is_renamed(noun, entity, sources)):
        lemma = entity.word
    if not phrase.is_plural or noun.article == "plural" or noun.kind == "game":
        return lemma
    return plural_of(lemma)


def is_renamed(noun: Noun, entity: Entity, sources: Sources) -> bool:
    """True where another caption has another narrow word: one's ducks are another's swans."""
    category = find_category(entity.name)
    others = sources.kinds.get(entity.name, frozenset()) - {noun.lemma, category.spoken, category.name}
    return noun.lemma not in (category.spoken, category.name) and bool(others)


def safe_lemma(phrase: NounPhrase, sources: Sources) -> str:
    """Return the singular that no other caption contradicts."""
    lemma = phrase.noun.lemma
    if phrase.noun.category != "person" or lemma in COUPLES:
        return lemma
    entity = sources.entities.get("person")
    if entity is not None and entity.is_single and entity.boxes:
        return sources.person.singular
    return lemma if sources.person.is_safe(lemma, is_plural=phrase.is_plural) else "person"


def _noun_start(tokens: tuple[str, ...], phrase: NounPhrase) -> int | None:
    for start in range(phrase.start, phrase.end):
        noun = NOUNS.get(" ".join(tokens[start : phrase.end]))
        if noun is not None and noun.lemma == phrase.noun.lemma:
            return start
    last = tokens[phrase.end - 1]
    return phrase.end - 1 if last not in NOUNS or last in COUPLES else None
