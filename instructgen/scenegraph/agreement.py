"""What all captions and boxes of an image tell, for the reading of one caption: where they agree and where not."""

from collections import Counter
from collections.abc import Collection, Iterable

from msgspec import Struct

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.circumstances import ROOMS
from instructgen.scenegraph.graph import Contradiction, Entity
from instructgen.scenegraph.people import PersonWords, tells_several
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.postures import is_posture_disputed
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.rivals import is_outvoted

_SOME = frozenset(("several", "many", "numerous", "bunch", "lots", "group", "few"))
_SPORTS = frozenset(("baseball", "batter", "pitcher", "umpire", "soccer", "football", "cricket", "rugby", "polo"))
_WATERS = {word: at for at, word in enumerate(("lake", "river", "ocean", "pool", "pond", "stream"))}


class Sources(Struct, frozen=True):
    """What all captions and boxes tell, for the reading of one caption.

    `unreal` are categories that captions name as likenesses only, `kinds` what they call a category's things;
    `denied` are nouns of which a caption says that there is none, `plural` the keys of those that one has in the
    plural, `disputed` pairs of a thing and a kind of look on which captions disagree, `colors` all colors by the key
    of what they stand before; `num_captions` tells in how many captions a token stands, `numbers` how many have a
    key in the singular only, and how many in the plural, `totals` the numbers that captions give of a key (0 for
    "several"), `num_of_several` how many captions speak of several people; `is_sport` is true of a game on a field.
    """

    readings: tuple[CaptionReading, ...]
    entities: dict[str, Entity]
    unboxed: dict[str, Entity]
    person: PersonWords
    unreal: frozenset[str]
    kinds: dict[str, frozenset[str]]
    denied: frozenset[str]
    plural: frozenset[str]
    disputed: frozenset[tuple[str, str]]
    colors: dict[str, frozenset[str]]
    num_captions: Counter[str]
    numbers: dict[str, tuple[int, int]]
    totals: dict[str, frozenset[int]]
    num_of_several: int
    is_sport: bool


def key_of(phrase: NounPhrase) -> str:
    return phrase.noun.category or phrase.noun.lemma


def collect_sources(
    readings: tuple[CaptionReading, ...],
    entities: Collection[Entity],
    person: PersonWords,
    contradictions: Iterable[Contradiction],
) -> Sources:
    disputes = tuple(contradictions)
    return Sources(
        readings=readings,
        unreal=frozenset(one.about for one in disputes if one.kind == "entity" and "likeness" in one.values),
        kinds=_find_kinds(readings),
        entities={one.category: one for one in entities if one.category and one.member_of is None},
        unboxed={one.name: one for one in entities if not one.category and one.is_single},
        person=person,
        denied=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_negated),
        plural=frozenset(key_of(p) for reading in readings for p in reading.phrases if p.is_plural),
        disputed=frozenset((one.about, one.kind) for one in disputes),
        colors=_find_colors(readings),
        numbers=_count_numbers(readings),
        totals=_find_totals(readings),
        num_of_several=sum(tells_several(reading.phrases) for reading in readings),
        is_sport=any(not _SPORTS.isdisjoint(reading.tokens) for reading in readings),
        num_captions=Counter(token for reading in readings for token in set(reading.tokens)),
    )


def _find_kinds(readings: tuple[CaptionReading, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for phrase in (one for reading in readings for one in reading.phrases if one.noun.category):
        found.setdefault(phrase.noun.category or "", set()).add(phrase.noun.lemma)
    return {name: frozenset(lemmas) for name, lemmas in found.items()}


def _find_colors(readings: tuple[CaptionReading, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for reading in readings:
        for phrase in reading.phrases:
            tokens = reading.tokens[phrase.start : phrase.end]
            found.setdefault(key_of(phrase), set()).update(COLOURS[token] for token in tokens if token in COLOURS)
    return {key: frozenset(colors) for key, colors in found.items()}


def _find_totals(readings: tuple[CaptionReading, ...]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for reading in readings:
        for phrase in reading.phrases:
            tokens = reading.tokens[max(0, phrase.start - 3) : phrase.end]
            if not _SOME.isdisjoint(tokens):
                found.setdefault(key_of(phrase), set()).add(0)
            elif (phrase.number or 1) > 1:
                found.setdefault(key_of(phrase), set()).add(phrase.number or 0)
    return {key: frozenset(totals) for key, totals in found.items()}


def _count_numbers(readings: tuple[CaptionReading, ...]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for reading in readings:
        many = {key_of(phrase) for phrase in reading.phrases if phrase.is_plural}
        for key in {key_of(phrase) for phrase in reading.phrases}:
            singles, plurals = found.get(key, (0, 0))
            found[key] = (singles + (key not in many), plurals + (key in many))
    return found


def _is_other_place(keys: frozenset[str], kinds: dict[str, int], sources: Sources) -> bool:
    """True where it names a place of one of the kinds, and as many captions name one of another kind."""
    own = {kinds[key] for key in keys if key in kinds}
    if not own:
        return False
    said = [{kinds[p.noun.lemma] for p in one.phrases if p.noun.lemma in kinds} for one in sources.readings]
    return sum(bool(rooms - own) for rooms in said) >= sum(bool(rooms & own) for rooms in said)


def is_disputed(
    keys: frozenset[str], words: tuple[str, ...], verb: str, sources: Sources, *, is_vehicle: bool
) -> bool:
    """True where other captions tell another place, posture or doing, or that what one says is done is only tried."""
    captions = [one.tokens for one in sources.readings]
    if any(_is_other_place(keys, kinds, sources) for kinds in (ROOMS, _WATERS)) or is_outvoted(words, verb, captions):
        return True
    return any(is_posture_disputed(key, captions, is_vehicle=is_vehicle) for key in sorted({verb, *keys}))
