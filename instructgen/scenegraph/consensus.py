"""Doings that most captions tell, each in its own words: what they share is told, though no clause is like another.

"A skier going down a hill", "a person skiing" and "someone riding skis down a slope" agree that somebody skis. One of
them at least has to tell it as it is told: who, then the verb, then what it is done to.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import structs

from instructgen.lexicon.meanings import BORNE_OUT
from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.corroboration import FEW, Voices, families_of, verbs_of
from instructgen.scenegraph.events import Event, find_doer, is_changed
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import RIDDEN
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS, Verb, doing_tokens, tells_doing
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS

_MOST = 3  # captions of five
_AGREED = 2  # captions that have the same thing behind the verb
_REACH = 6  # tokens behind a verb in which what it is done to begins
_LONGEST = 4  # words of a preposition
# Verbs that tell nothing by themselves, or of which "with" and "in" are other words.
_NEVER = frozenset((
    "be", "wear", "dress", "make", "take", "do", "go", "have", "surround", "attach", "arrange", "display", "top",
    "fill", "cover", "decorate", "line", "tie", "plug", "place", "mount", "pass", "enter", "leave", "return",
    "board", "face", "overlook", "point", "bend", "operate", "touch", "gather", "seat", "park", "stop",
    "dock", "pull", "put", "open", "perform", "enjoy", "work", "wait", "move", "travel", "hang", "cross", "approach",
    "type",
))  # fmt: skip
_ONE_VERB = {"leap": "jump"}  # counted as one
_SPORTS = frozenset(("ski", "snowboard", "surf", "skateboard"))  # told by "skier" as well
_PARTED = frozenset(("hold", "lift", "cut", "throw", "blow"))  # "holding up a phone" is holding one
_PARTICLES = frozenset(("up", "out", "onto", "on"))
_KEPT = frozenset(("blow",))  # candles are blown out
# "Rather than brushing" denies it, and "a hitting helmet" is a kind of helmet.
_NO_VERB_BEHIND = frozenset(("than", "of", "not", "without", "from", "like")) | DETERMINERS
_PORTIONS = frozenset((
    "piece", "pieces", "slice", "slices", "bunch", "plate", "bowl", "bite", "some", "pair", "couple", "lot", "lots",
    "pile", "bag", "box",
))  # fmt: skip
_BEFORE_NOUN = DETERMINERS | ADJECTIVES | COLOURS.keys() | _PORTIONS
_AWAY = frozenset(("from", "to", "toward", "towards", "at", "past", "by", "near"))
_WHO = frozenset(("that", "who", "which", "is", "are", "and", "while", "as", "he", "she", "it", "they"))


class Telling(NamedTuple):
    """A verb in a caption, who does it, and what stands behind it; `end` is the token behind its last word."""

    reading: CaptionReading
    at: int
    verb: Verb
    subject: NounPhrase
    is_plural: bool
    target: NounPhrase | None
    preposition: str
    end: int

    @property
    def doer(self) -> str:
        return self.subject.noun.category or self.subject.noun.lemma

    @property
    def key(self) -> str:
        """The name of what stands behind the verb; pizza is pizza, be it a slice."""
        if self.target is None:
            return ""
        noun = self.target.noun
        return noun.category or noun.lemma.rpartition(" ")[2]


class Agreed(NamedTuple):
    """A doing to be told, with the captions that tell it so, and in how many it is told in whatever words."""

    event: Event
    tellings: list[Telling]
    num_captions: int


def find_agreed(readings: tuple[CaptionReading, ...], voices: Voices) -> Iterator[list[Agreed]]:
    """Yield what most captions tell of one doer, the oftenest told first; each in full, then more barely."""
    need = _MOST if len(readings) >= FEW else max(_AGREED, len(readings) - 1)
    if len(readings) < _AGREED:
        return
    by_verb: dict[str, list[Telling]] = {}
    for reading in readings:
        seen: set[str] = set()
        for telling in find_tellings(reading):
            if telling.verb.base not in seen:
                seen.add(telling.verb.base)
                by_verb.setdefault(_ONE_VERB.get(telling.verb.base, telling.verb.base), []).append(telling)
    for base, tellings in sorted(by_verb.items(), key=lambda pair: (-voices.verbs[pair[0]], pair[0])):
        votes = voices.verbs[base]
        if votes >= need and voices.is_done(base):
            alike = families_of(base)
            voiced = [one for one in readings if any(base in verbs_of(token) for token in doing_tokens(one.tokens))]
            others = [one for other in alike for one in by_verb.get(other, ())]
            agreed = _agree(tellings, others, voiced)
            yield [Agreed(_make_event(one[0]), _with_same_verb(one), votes) for one in agreed]


def _with_same_verb(tellings: list[Telling]) -> list[Telling]:
    return [one for one in tellings if one.verb == tellings[0].verb]


def find_tellings(reading: CaptionReading) -> Iterator[Telling]:
    tokens = reading.tokens
    for at, token in enumerate(tokens):
        verb = VERB_FORMS.get(token) or TOLD_VERBS.get(token) or BASE_FORMS.get(token)
        if verb is None or verb.base in _NEVER or not tells_doing(tokens, at):
            continue
        if any(one.start <= at < one.end for one in reading.phrases) or (at and tokens[at - 1] in _NO_VERB_BEHIND):
            continue
        found = find_doer(tokens, reading.phrases, at, verb)
        if found is None or (token != verb.ing and not _stands_behind(tokens, found[0], at, verb, token)):
            continue
        if verb.base in POSTURES and _stands_by_another(reading, at, found[0]):
            continue
        target, preposition, end = _find_target(reading, at + 1, verb)
        if verb.base == "ride" and target is not None and target.noun.category in RIDDEN:
            verb, target = VERB_FORMS[RIDDEN[target.noun.category]], None
        yield Telling(reading, at, verb, *found, target, preposition, end)


def _stands_by_another(reading: CaptionReading, at: int, doer: NounPhrase) -> bool:
    """True for "lying" of "the woman walks from the frisbee lying near a tree"."""
    other = next((one for one in reading.phrases if one.end == at and one is not doer), None)
    return other is not None and other.start > 0 and reading.tokens[other.start - 1] in _AWAY


def _stands_behind(tokens: tuple[str, ...], subject: NounPhrase, at: int, verb: Verb, token: str) -> bool:
    """True for "a man skis" and "men ski", where the word may be a noun elsewhere."""
    if token == verb.base and not subject.is_plural:
        return False
    return at > 0 and (subject.end == at or tokens[at - 1] in _WHO)


def _find_target(reading: CaptionReading, start: int, verb: Verb) -> tuple[NounPhrase | None, str, int]:
    """Return what it is done to, or else the place behind a preposition that the verb may have, and the end."""
    tokens = reading.tokens
    by_start = {one.start: one for one in reading.phrases}
    if verb.takes_object:
        found = _scan(tokens, by_start, start)
        if found is None and verb.base in _PARTED and tokens[start : start + 1] and tokens[start] in _PARTICLES:
            found = _scan(tokens, by_start, start + 1)
        if found is not None and found.noun.kind != "place":
            return (None, "", start) if is_changed(tokens, found.end) else (found, "", found.end)
    for length in range(_LONGEST, 0, -1):
        preposition = PREPOSITIONS.get(" ".join(tokens[start : start + length]))
        if preposition is not None:
            place = _scan_place(tokens, by_start, start + length) if preposition in verb.prepositions else None
            return (place, preposition, place.end) if place is not None else (None, "", start)
    return None, "", start


def _scan(tokens: tuple[str, ...], by_start: dict[int, NounPhrase], start: int) -> NounPhrase | None:
    """Return the next thing, over adjectives and portions, up to what may begin something else."""
    for at in range(start, min(start + _REACH, len(tokens))):
        if at in by_start:
            phrase = by_start[at]
            if at > start and tokens[at] in DETERMINERS and tokens[at - 1] != "of":
                return None  # "feeding a llama a carrot": the carrot is the second thing
            return None if phrase.is_likeness or phrase.is_negated else phrase
        is_of = tokens[at] == "of" and at > start and tokens[at - 1] in _PORTIONS
        if not is_of and not _may_precede(tokens[at]):
            return None
    return None


def _scan_place(tokens: tuple[str, ...], by_start: dict[int, NounPhrase], start: int) -> NounPhrase | None:
    """Return the thing right behind a preposition: "down a street smoking a cigarette" is not down a cigarette."""
    found = _scan(tokens, by_start, start)
    # A noun before it is a part of its name: "down a mountain slope".
    between = tokens[start : found.start - (tokens[found.start] not in DETERMINERS)] if found is not None else ()
    return None if any(token in NOUNS and token not in _BEFORE_NOUN for token in between) else found


def _may_precede(token: str) -> bool:
    if token in _BEFORE_NOUN:
        return True
    ends = token in VERB_FORMS or token in TOLD_VERBS or token in BOUNDARIES or token.endswith("ing")
    return token.isalnum() and not ends and token not in PREPOSITIONS and token not in _WHO


def _agree(tellings: list[Telling], others: list[Telling], telling: list[CaptionReading]) -> Iterator[list[Telling]]:
    """Yield the captions' tellings that agree on who does it and on what to, then those on who alone.

    `others` are tellings by verbs that are much the same, `telling` all captions that tell it by any word.
    """
    doers = Counter(one.doer for one in (*tellings, *others))
    doer, most = Counter(one.doer for one in tellings).most_common(1)[0]
    if len(doers) > 1 and 2 * doers[doer] < doers.total() + 1:
        return
    own = [one for one in tellings if one.doer == doer]
    num_many = sum(one.is_plural for one in own)
    numbers = (True, False) if 2 * num_many > len(own) else (False, True)
    keys = Counter(one.key for one in own if one.target is not None)
    for key in sorted(keys, key=lambda key: -keys[key]):
        for is_plural in numbers:
            kept = [one for one in own if one.key == key and one.is_plural == is_plural]
            # "A man riding" and "two people riding horses": of several he rides one.
            kept = [one for one in kept if is_plural or one.target is None or not _is_shared(one)]
            if kept and sum(_names(reading, key) for reading in telling) >= _AGREED:
                yield sorted(kept, key=_rank)
    bare = [one if one.target is None else one._replace(target=None, preposition="", end=one.at + 1) for one in own]
    for is_plural in numbers:
        kept = [one for one in bare if one.is_plural == is_plural]
        if kept and _may_stand_alone(own[0]) and (most >= _AGREED or own[0].verb.base in _SPORTS):
            yield sorted(kept, key=_rank)


def _may_stand_alone(one: Telling) -> bool:
    """True for "skiing"; what people play has to be told."""
    return one.verb.may_stand_alone and not (one.verb.base == "play" and one.doer == "person")


def _is_shared(one: Telling) -> bool:
    return one.verb.base in ("ride", "drive") and one.target is not None and one.target.is_plural


def _names(reading: CaptionReading, key: str) -> bool:
    """True for a caption that names the thing, or bears it out by another word."""
    words = BORNE_OUT.get(key, frozenset[str]())
    named = key in reading.tokens or not words.isdisjoint(reading.tokens)
    return named or any(key in (one.noun.category, one.noun.lemma) for one in reading.phrases)


def _rank(one: Telling) -> tuple[bool, bool, int]:
    """Put first what is told word by word: no unknown word between who does it and the verb, or behind it."""
    behind = one.target is not None and one.target.start > one.at + 1 + len(one.preposition.split())
    return one.verb.base in _ONE_VERB, behind or one.subject.end != one.at, one.reading.number


def _make_event(one: Telling) -> Event:
    subject = one.subject
    target = one.target
    if target is not None and target.number is not None and target.is_plural:
        target = structs.replace(target, number=None)
    thing = target if not one.preposition else None
    place = target if one.preposition else None
    verb, particle = one.verb, one.reading.tokens[one.at + 1 : one.at + 2]
    if thing is not None and verb.base in _KEPT and particle and particle[0] in _PARTICLES:
        verb = structs.replace(verb, ing=f"{verb.ing} {particle[0]}", third=f"{verb.third} {particle[0]}")
    return Event(subject, one.is_plural, verb, thing, one.preposition, place, subject.start, one.end)
