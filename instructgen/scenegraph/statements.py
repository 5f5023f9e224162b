"""Statements: a caption's main clause read as a whole, so that it can be said anew in full.

Where events tell one doing and one place, a statement keeps every part that is understood, in the caption's order:
"a young man" + "doing a trick on a skateboard in a skate park". It ends before the first part that is not understood,
and leaves out opinions. The parts stay in their order, so it does not matter to which of them another belongs.
"""

import re
from itertools import pairwise

from msgspec import structs

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.agreement import Sources, is_disputed, key_of
from instructgen.scenegraph.events import MANNERS, is_changed, letter_of, read_manner
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import RUDE, Caption, Piece, find_more, read_whole, safe_lemma, word_piece
from instructgen.scenegraph.placements import say_placed, stands_before_doubt
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import (
    GAME_VERBS,
    PLAYED,
    RIDDEN,
    WATCHED,
    hides_toy,
    is_beside,
    is_done_to,
    say_bare,
    says_nothing,
)
from instructgen.scenegraph.subjects import (
    drops_look,
    is_in_dark,
    is_worn_by_another,
    owner_fits,
    read_place,
    read_subject,
    rides_for_all,
    say_owner,
    says_twice,
    skip_opener,
)
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import PREPOSITIONS

_MAX_TOKENS = 24
_ON = frozenset(("on", "in", "at", "on top of"))
_BE = frozenset(("is", "are"))
_PICTURES = frozenset(("picture", "photo", "photograph", "painting", "poster", "drawing", "image"))
_WHO = frozenset(("that", "who", "which"))
_FILLERS = frozenset(("currently", "just", "both", "all", "also"))
_ENDS = frozenset(("", ".", ",", "and", "while", "with", "!", ";", "as", "when", "after", "before", "during"))
_LISTED_ENDS = _ENDS | PREPOSITIONS.keys()
# How several stand to one another, and where somebody is: as captions have it, and as it is said.
_MANNERS = {
    **MANNERS,
    **{words: words for words in ("to each other", "with each other", "close together", "together")},
    **{words: words for words in ("outside", "outdoors", "inside", "indoors")},
    "beside one another": "next to each other",
    "in doors": "indoors",
}
_PARTICLES = frozenset(("to", "out", "off", "up", "away", "back", "over", "for"))
_JOINERS = frozenset((
    "with", "of", "near", "by", "next to", "between", "behind", "hold", "carry", "wear", "eat", "make", "prepare",
    "use", "serve", "sell", "fly", "fill", "top", "cover", "surround", "watch", "feed", "enjoy", "have",
))  # fmt: skip
_EACH = re.compile(r"\b(?:each other|their|together|themselves)\b")
_NAMED_OTHERWISE = frozenset(("animal", "vehicle", "food", "sports"))
_FILLED = frozenset(("fill", "top", "cover", "decorate", "load", "pack", "stuff"))
_LYING = frozenset(("lie", "lay"))
_SHOWN_WITH = frozenset(("with", "against"))  # a tower against a blue sky is shown, and does nothing
_WHERE = frozenset(_MANNERS.values()) - {"together"}


def find_statements(readings: tuple[CaptionReading, ...], sources: Sources) -> list[Statement]:
    """Return what the captions state, first what most of them speak of."""
    said = [_keys_of(reading) for reading in readings]
    found = [(one, _score(one, said)) for reading in readings if (one := _read(reading, sources)) is not None]
    found.sort(key=lambda pair: (-pair[1], pair[0].span.caption))
    return [one for one, _ in found]


def _keys_of(reading: CaptionReading) -> frozenset[str]:
    nouns = {key_of(phrase) for phrase in reading.phrases}
    verbs = {VERB_FORMS[token].base for token in reading.tokens if token in VERB_FORMS}
    return frozenset(nouns | verbs | {COLOURS[token] for token in reading.tokens if token in COLOURS})


def _score(statement: Statement, said: list[frozenset[str]]) -> int:
    """Return how much of it other captions speak of too; what it alone tells counts a little against it.

    In whole numbers: a sum of fractions over a set would depend on the order in which a process walks the set.
    """
    score = 5 * bool(statement.verb)
    for key in statement.keys:
        others = sum(key in keys for number, keys in enumerate(said) if number != statement.span.caption)
        score += 6 + 4 * min(others, 3) if others else -2
    return score


def _read(reading: CaptionReading, sources: Sources) -> Statement | None:
    caption = Caption(reading.tokens, find_more(reading, sources.num_captions), sources)
    start = skip_opener(caption.tokens)
    found = read_subject(caption, start)
    if found is None or RUDE.intersection(reading.tokens):
        return None
    subject, phrase, is_plural = found
    is_new = phrase.noun.category is None and phrase.noun not in [one.noun for one in reading.phrases]
    if is_new and _may_be_boxed(reading, sources):
        return None  # an unknown word may be one for somebody, a toucan is the bird
    found_more = _read_details(caption, subject)
    if found_more is None:
        return None
    bare, (subject, between) = subject, found_more
    predicate = _read_predicate(caption, subject.end, phrase, between, is_plural=phrase.is_plural or is_plural)
    if predicate is None and phrase.noun.kind != "place":
        where = read_place(caption, bare.end)
        is_there = where is not None and _stands_there(where, phrase) and not drops_look(caption, where, bare.end)
        if where is not None and is_there:  # "a cat on a couch" is on it
            subject, predicate = bare, _read_on(caption, say_placed(where, between[0]))
    lemma = safe_lemma(phrase, sources)
    is_one = not (is_plural or phrase.is_plural)
    subject = say_owner(subject, phrase.noun, lemma, is_one=is_one)
    predicate = predicate and say_owner(predicate, phrase.noun, lemma, is_one=is_one)
    whole = subject + predicate if predicate is not None else subject
    is_plural = is_plural or (phrase.is_plural and _is_of_several(predicate))
    is_clear = predicate is not None or bool(between)
    is_clear = is_clear and whole.end - start <= _MAX_TOKENS and not says_twice(whole.parts)
    if not is_clear or not owner_fits(whole.parts, lemma, is_plural=is_plural):
        return None
    words = tuple(word for part in whole.parts for word in part.text.split())
    if is_plural and whole.verb == "wear" and predicate and predicate.parts[1].text.startswith(("a ", "an ")):
        return None  # of "a bride and a man wearing a suit" one does
    if any(
        word in _PICTURES and behind == "of" and sources.num_captions[word] < 2 for word, behind in pairwise(words)
    ):
        return None  # what it is a picture of may be there itself
    is_false = is_disputed(whole.keys, words, whole.verb, sources, is_vehicle=phrase.noun.kind == "vehicle")
    is_false = is_false or hides_toy(caption.by_start.values(), words, sources.readings)
    if is_false or rides_for_all(whole, phrase, sources):
        return None
    return Statement(
        span=reading.span(start, whole.end),
        subject=subject.parts,
        predicate=predicate.parts if predicate is not None else (),
        verb=whole.verb,
        is_plural=is_plural,
        lemma=lemma,
        category=phrase.noun.category or "",
        kind=phrase.noun.kind,
        keys=whole.keys,
        looks=whole.looks,
    )


def _stands_there(where: Piece, phrase: NounPhrase) -> bool:
    return where.last not in _SHOWN_WITH and not is_in_dark(where, phrase.noun)


def _may_be_boxed(reading: CaptionReading, sources: Sources) -> bool:
    """True where a person, or what lives, moves or flies, is boxed and the caption names it by no word of ours."""
    named = {phrase.noun.category for phrase in reading.phrases}
    return any(
        one.name == "person" or (one.kind in _NAMED_OTHERWISE and one.name not in named)
        for one in sources.entities.values()
    )


def _read_details(caption: Caption, subject: Piece) -> tuple[Piece, list[NounPhrase]] | None:
    """Read what the subject has and where it is, with the nouns of this; None where what it has is not clear."""
    nouns: list[NounPhrase] = []
    has_at = subject.end + (caption.token(subject.end) == "that" and caption.token(subject.end + 1) == "has")
    if caption.token(has_at) in ("has", "have"):
        owned = read_whole(caption, has_at + 1)
        is_whole = owned is not None and not is_changed(caption.tokens, owned.end)  # "has his face up to a screen"
        if owned is None or not is_whole or caption.by_start[has_at + 1].noun.lemma == "dark":
            return None
        nouns.append(caption.by_start[has_at + 1])
        subject += _read_list(caption, Piece((StatementPart(" with ", None),), has_at + 1, last="with") + owned)
    while (place := read_place(caption, subject.end)) is not None:
        if drops_look(caption, place, subject.end):
            subject = structs.replace(subject, end=place.end)
            continue
        place = _read_list(caption, place)
        nouns += [caption.by_start[at] for at in range(subject.end, place.end) if at in caption.by_start]
        subject += place
    return subject, nouns


def _read_list(caption: Caption, piece: Piece) -> Piece:
    """Read on a list of things: "with a stove, a sink and a table"; a list that is not understood is left at one."""
    whole, at = piece, piece.end
    while piece.last in _JOINERS and caption.token(at) in ("and", ","):
        is_last = "and" in caption.tokens[at : at + 2]
        start = at + 1 + (caption.tokens[at : at + 2] == (",", "and"))
        thing = _read_listed(caption, start)
        if thing is None:
            return piece
        whole += word_piece(" and " if is_last else ", ", start) + thing
        at = thing.end
        if is_last:
            return whole
    return piece


def _read_listed(caption: Caption, at: int) -> Piece | None:
    """Read one more thing of a list; not "a dog" of "and a dog is running"."""
    thing = read_whole(caption, at)
    return thing if thing is not None and caption.token(thing.end) in _LISTED_ENDS else None


def _read_predicate(
    caption: Caption, at: int, subject: NounPhrase, between: list[NounPhrase], *, is_plural: bool
) -> Piece | None:
    """Read what is done, or where it is; None where it is not clear who does it."""
    verb_at = at + (caption.token(at) in _WHO)
    has_be = caption.token(verb_at) in _BE
    verb_at += has_be
    while caption.token(verb_at) in _FILLERS:
        verb_at += 1
    # Where somebody else stands right before the verb, it may be theirs.
    is_clear = not between or (has_be and caption.token(at) not in _WHO)
    verb = _find_verb(caption, verb_at, is_plural=is_plural)
    groups = verb.groups if verb is not None else frozenset()
    others = frozenset(letter_of(other) for other in between)
    is_clear = is_clear or (others <= {"t"} and (letter_of(subject) in "pa" or not others & groups))
    predicate = _read_verb(caption, verb_at, is_plural=is_plural) if is_clear else None
    is_bare = predicate is not None and len(predicate.parts) == 1
    if predicate is not None and is_bare and says_nothing(predicate.verb, subject):
        return None  # "a vase is sitting"
    if (
        predicate is not None
        and predicate.verb == "fill"
        and "grass" in predicate.keys
        and subject.noun.kind == "place"
    ):
        return None  # a park is
    if predicate is None and has_be and not between:
        place = read_place(caption, verb_at)
        is_odd = place is None or is_in_dark(place, subject.noun)
        predicate = None if place is None or is_odd else Piece((), verb_at, verb="be") + place
    return _read_on(caption, predicate) if predicate is not None else None


def _find_verb(caption: Caption, at: int, *, is_plural: bool) -> Verb | None:
    token = caption.token(at)
    verb = VERB_FORMS.get(token) or TOLD_VERBS.get(token)
    if verb is None and is_plural:
        verb = BASE_FORMS.get(token)
    return verb if verb is not None and verb.base != "be" else None


def _read_verb(caption: Caption, at: int, *, is_plural: bool) -> Piece | None:
    verb = _find_verb(caption, at, is_plural=is_plural)
    if verb is None or not caption.sources.voices.is_done(verb.base):
        return None
    said = "lying" if verb.base == "lay" else verb.ing
    piece = Piece((StatementPart(f" {said}", None),), at + 1, frozenset({verb.base}), verb=verb.base, last=verb.base)
    thing = read_whole(caption, piece.end)
    if thing is not None and verb.base == "wear" and drops_look(caption, thing, piece.end):
        return None
    if thing is not None:
        phrase = caption.by_start[piece.end]
        if verb.base == "ride" and phrase.noun.category in RIDDEN:
            verb = VERB_FORMS[RIDDEN[phrase.noun.category]]
            keys = frozenset({verb.base, phrase.noun.category})
            piece = Piece((StatementPart(f" {verb.ing}", None),), thing.end, keys, verb=verb.base, last=verb.base)
            return _read_where(caption, piece, verb, None)
        goes_on = caption.token(thing.end) in _PARTICLES  # "taking a dog out for a walk"
        if not verb.takes_object or not is_done_to(verb.base, phrase) or goes_on:
            return None
        played = PLAYED.get(phrase.noun.lemma) if verb.base in GAME_VERBS else None
        if verb.base == "watch" and not phrase.is_plural:
            played = WATCHED.get(phrase.noun.category or "")
        if played is not None:
            thing = Piece((StatementPart(played, None),), thing.end, thing.keys)
        elif len(thing.parts) == 1:
            said = say_bare(verb.base, phrase, thing.parts[0].text)
            thing = structs.replace(thing, parts=(structs.replace(thing.parts[0], text=said),))
        piece = piece + word_piece(" ", piece.end) + thing
    elif piece.end in caption.by_start:
        return None
    return _read_where(caption, piece, verb, thing)


def _read_where(caption: Caption, piece: Piece, verb: Verb, thing: Piece | None) -> Piece | None:
    """Read how and where it is done; None for a doing that says nothing without."""
    is_whole = verb.may_stand_alone or thing is not None
    manner, end = _read_manner(caption, piece.end)
    if manner:
        piece += word_piece(f" {manner}", end)
        is_whole = is_whole or manner in _WHERE
    place = read_place(caption, piece.end)
    if place is not None and not (thing is not None and is_worn_by_another(caption, piece.end, place)):
        return piece + _read_list(caption, place)
    if thing is not None and not manner and is_changed(caption.tokens, piece.end):
        return None
    is_down = verb.base in _LYING and thing is None and not manner and caption.token(piece.end) == "down"
    if is_down:
        piece += word_piece(" down", piece.end + 1)
    ends = caption.token(piece.end) in _ENDS - {"with"} or stands_before_doubt(caption, piece.end)
    is_whole = is_whole or (verb.base in POSTURES - _LYING and thing is None) or is_down
    is_whole = is_whole and (thing is not None or bool(manner) or ends)
    return piece if is_whole else None


def _read_manner(caption: Caption, at: int) -> tuple[str, int]:
    said, end = read_manner(caption.tokens, at, _MANNERS)
    behind = caption.token(end)
    ends = behind in _ENDS or (behind in PREPOSITIONS and behind != "of")
    return (said, end) if ends else ("", at)


def _read_on(caption: Caption, piece: Piece) -> Piece:
    """Read further places, things and doings, as far as they are understood."""
    while piece.end < len(caption.tokens):
        manner, end = _read_manner(caption, piece.end)
        place = None if manner else read_place(caption, piece.end)
        if place is not None and is_worn_by_another(caption, piece.end, place):
            return piece  # "riding a horse in uniform": not the horse is in it
        if place is not None and piece.verb in _FILLED and piece.last == "with" and place.last in _ON:
            return piece  # "a vase is filled with flowers on a table": not the flowers are on it
        more = word_piece(f" {manner}", end) if manner else place and _read_list(caption, place)
        if more is None and caption.token(piece.end) in ("and", "while"):
            more = _read_joined(caption, piece.end, piece.last)
        if more is None:
            return piece
        piece += more
    return piece


def _is_of_several(predicate: Piece | None) -> bool:
    """True for what a herd does as several: "a herd is next to each other" is no English."""
    return predicate is not None and any(_EACH.search(part.text) for part in predicate.parts)


def _read_joined(caption: Caption, at: int, last: str) -> Piece | None:
    """Read "and a cup", "and holding a cup", "while holding a cup"; not "and a dog is running"."""
    word = caption.token(at)
    doing = _read_verb(caption, at + 1, is_plural=False)
    if doing is not None:
        return word_piece(f" {word}", at + 1) + doing
    thing = _read_listed(caption, at + 1) if word == "and" and last in _JOINERS else None
    if thing is not None and is_beside(last, caption.by_start[at + 1].noun):
        return None  # of "a woman holding a dog and a truck" she holds the dog
    return word_piece(" and ", at + 1) + thing if thing is not None else None
