"""What all captions and boxes of an image tell, for the reading of one caption: where they agree and where not."""

from collections import Counter
from collections.abc import Collection, Iterable

from msgspec import Struct

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.circumstances import ROOMS
from instructgen.scenegraph.corroboration import Voices
from instructgen.scenegraph.graph import Contradiction, Entity
from instructgen.scenegraph.likenesses import find_applied_nouns
from instructgen.scenegraph.people import PersonWords, tells_several
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.postures import is_parking_disputed, is_posture_disputed
from instructgen.scenegraph.prepositions import Placings
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.rivals import is_outvoted
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS

_SOME = frozenset(("several", "many", "numerous", "bunch", "lots", "group", "few"))
_SPORTS = frozenset(("baseball", "batter", "pitcher", "umpire", "soccer", "football", "cricket", "rugby", "polo"))
_SEVERAL = 2  # captions that speak of several people where one is boxed
_MOST = 3  # captions that are believed where no box is
_MEANT_OTHERWISE = frozenset(("cell phone", "clock"))  # "a phone" on the wall is no cell phone
COUPLES = frozenset(("couple",))
_WATERS = {word: at for at, word in enumerate(("lake", "river", "ocean", "pool", "pond", "stream"))}


class Sources(Struct, frozen=True):
    """What all captions and boxes tell, for the reading of one caption.

    `unreal` are categories that captions name as likenesses only, `kinds` what they call a category's things;
    `denied` are nouns of which a caption says that there is none, `plural` the keys of those that one has in the
    plural, `disputed` pairs of a thing and a kind of look on which captions disagree, `colors` all colors by the key
    of what they stand before, `looks` in how many captions a word stands there; `num_captions` tells in how many a
    token stands, `numbers` how many have a key in the singular only, and how many in the plural, `totals` in how many
    each number stands with a key (0 for "several"), `num_of_several` how many captions speak of several people;
    `first_numbers` as `numbers`, but where a caption first names it; `is_sport` is true of a game on a
    field; `voices` tell what two captions have, `placings` what is where by what.
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
    looks: dict[str, Counter[str]]
    num_captions: Counter[str]
    numbers: dict[str, tuple[int, int]]
    first_numbers: dict[str, tuple[int, int]]
    totals: dict[str, Counter[int]]
    num_of_several: int
    is_sport: bool
    voices: Voices
    placings: Placings


def key_of(phrase: NounPhrase) -> str:
    return phrase.noun.category or phrase.noun.lemma


def collect_sources(
    readings: tuple[CaptionReading, ...],
    entities: Collection[Entity],
    person: PersonWords,
    contradictions: Iterable[Contradiction],
    voices: Voices,
    placings: Placings,
) -> Sources:
    disputes = tuple(contradictions)
    return Sources(
        readings=readings,
        unreal=frozenset(one.about for one in disputes if one.kind == "entity" and "likeness" in one.values)
        | find_applied_nouns(readings),
        kinds=_find_kinds(readings),
        entities={one.category: one for one in entities if one.category and one.member_of is None},
        unboxed={one.name: one for one in entities if not one.category and one.is_single},
        person=person,
        denied=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_negated),
        plural=frozenset(key_of(p) for reading in readings for p in reading.phrases if p.is_plural),
        disputed=frozenset((one.about, one.kind) for one in disputes),
        colors=_find_colors(readings),
        looks=_count_looks(readings),
        numbers=_count_numbers(readings),
        first_numbers=_count_first(readings),
        totals=_find_totals(readings),
        num_of_several=sum(tells_several(reading.phrases) for reading in readings),
        is_sport=any(not _SPORTS.isdisjoint(reading.tokens) for reading in readings),
        num_captions=Counter(token for reading in readings for token in set(reading.tokens)),
        voices=voices,
        placings=placings,
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


def _count_looks(readings: tuple[CaptionReading, ...]) -> dict[str, Counter[str]]:
    """Return in how many captions each word stands before a noun, by the key of the noun."""
    found: dict[str, Counter[str]] = {}
    for reading in readings:
        looks: dict[str, set[str]] = {}
        for phrase in reading.phrases:
            looks.setdefault(key_of(phrase), set()).update(reading.tokens[phrase.start : phrase.end])
        for key, words in looks.items():
            found.setdefault(key, Counter()).update(words)
    return found


def _find_totals(readings: tuple[CaptionReading, ...]) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {}
    for reading in readings:
        totals: dict[str, set[int]] = {}
        for phrase in reading.phrases:
            tokens = reading.tokens[max(0, phrase.start - 3) : phrase.end]
            if not _SOME.isdisjoint(tokens):
                totals.setdefault(key_of(phrase), set()).add(0)
            elif (phrase.number or 1) > 1:
                totals.setdefault(key_of(phrase), set()).add(phrase.number or 0)
        for key, numbers in totals.items():
            found.setdefault(key, Counter()).update(numbers)
    return found


def _count_numbers(readings: tuple[CaptionReading, ...]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for reading in readings:
        many = {key_of(phrase) for phrase in reading.phrases if phrase.is_plural}
        for key in {key_of(phrase) for phrase in reading.phrases}:
            singles, plurals = found.get(key, (0, 0))
            found[key] = (singles + (key not in many), plurals + (key in many))
    return found


def _count_first(readings: tuple[CaptionReading, ...]) -> dict[str, tuple[int, int]]:
    """Return how many captions have one, and how many several, where they first name it."""
    found: dict[str, tuple[int, int]] = {}
    for reading in readings:
        first = {key_of(phrase): phrase.is_plural for phrase in reversed(reading.phrases)}
        for key, is_plural in first.items():
            singles, plurals = found.get(key, (0, 0))
            found[key] = (singles + (not is_plural), plurals + is_plural)
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
    if is_vehicle and is_parking_disputed(verb, words, captions):
        return True
    return any(is_posture_disputed(key, captions, is_vehicle=is_vehicle) for key in sorted({verb, *keys}))


def is_agreed(phrase: NounPhrase, before: tuple[str, ...], behind: str, sources: Sources) -> bool:
    """True for what a box or a second caption has too, named as a whole: no "parade" of "a parade float"."""
    if not _ends_whole(behind) or _is_of_train(phrase, sources):
        return False
    parts = [token for token in before if token in NOUNS and token not in COLOURS and token not in ADJECTIVES]
    if not all(sources.voices.is_word(token) for token in parts if token not in DETERMINERS):
        return False
    return phrase.noun.category in sources.entities or sources.voices.is_named(phrase.noun.lemma)


def _is_of_train(phrase: NounPhrase, sources: Sources) -> bool:
    """True for cars where there is a train: they may be its own."""
    return phrase.noun.category == "car" and "train" in sources.entities


def _ends_whole(behind: str) -> bool:
    """True where the token behind a phrase is no noun that it may be a part of."""
    tables = (BOUNDARIES, VERB_FORMS, TOLD_VERBS, BASE_FORMS, PREPOSITIONS)
    return not behind or any(behind in table for table in tables)


def is_number_agreed(phrase: NounPhrase, sources: Sources) -> bool:
    """True for the number of the boxes, or one of a second caption; none where captions give several."""
    totals = sources.totals.get(key_of(phrase), Counter())
    entity = sources.entities.get(phrase.noun.category or "")
    boxed = entity is not None and len(entity.boxes) == phrase.number
    return set(totals) <= {phrase.number} and (boxed or totals[phrase.number or 0] >= sources.voices.enough)


def is_outnumbered(phrase: NounPhrase, sources: Sources) -> bool:
    """True for one where more captions have several, or several where more have one, the first time they name it."""
    key = key_of(phrase)
    if phrase.noun.lemma == "sheep" or phrase.noun.lemma in COUPLES:
        return False  # one, or several
    singles, plurals = sources.first_numbers.get(key, (0, 0))
    return singles > plurals if phrase.is_plural else plurals > singles


def fits(phrase: NounPhrase, sources: Sources) -> bool:
    """True if boxes and the other captions allow the number, and none denies the thing."""
    if key_of(phrase) in sources.unreal:
        return False
    if phrase.noun.lemma in sources.denied or (phrase.noun.article == "mass" and (phrase.number or 1) > 1):
        return False
    entity = sources.entities.get(phrase.noun.category or "")
    singles, plurals = sources.numbers.get(key_of(phrase), (0, 0))
    if phrase.noun.category is not None and entity is None:
        # Boxes may be missing, or be of what is only shaped so; what most captions name is there.
        if phrase.noun.category in _MEANT_OTHERWISE or (phrase.noun.category, "count") in sources.disputed:
            return False
        return singles + plurals >= _MOST and (plurals == 0 or singles == 0)
    if entity is not None and phrase.noun.lemma in COUPLES:
        return entity.is_many
    is_asked = phrase.noun.article == "a" and sources.voices.enough > 1
    if entity is None and is_asked and not sources.voices.tells_number(phrase.noun.lemma, is_plural=phrase.is_plural):
        return False
    if entity is None:
        return phrase.is_plural or phrase.number is None or key_of(phrase) not in sources.plural
    if phrase.noun.article == "plural":
        return phrase.number is None  # one box of skis is a pair
    return _fits_boxes(phrase, entity, sources)


def _fits_boxes(phrase: NounPhrase, entity: Entity, sources: Sources) -> bool:
    singles, plurals = sources.numbers.get(key_of(phrase), (0, 0))
    if phrase.is_plural:
        # Where most captions speak of one, the boxes may hold others in the background.
        is_agreed = plurals > 1 or singles < 2 or plurals >= singles
        return is_agreed and entity.is_many and (phrase.number is None or entity.count == phrase.number)
    if phrase.noun.category == "person":
        return len(entity.boxes) > 1 or entity.has_crowd or sources.num_of_several < _SEVERAL
    return entity.is_single or plurals == 0
