"""Entities: boxes joined with the mentions of captions, and things without a box that captions name."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

from msgspec import structs

from instructgen.lexicon.categories import Category, find_category
from instructgen.lexicon.words import NUMBER_WORDS, plural_of
from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.doubts import find_doubt
from instructgen.scenegraph.graph import Contradiction, Entity, Evidence
from instructgen.scenegraph.likenesses import DRAWN, begins_as_likeness, find_likenesses, is_all_likeness
from instructgen.scenegraph.oneness import is_one, may_be_several
from instructgen.scenegraph.people import PersonWords, tells_several
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading, Mentions, evidence_of, spans_of
from instructgen.scenegraph.unboxed import find_unboxed
from instructgen.scenegraph.vocabulary import BOUNDARIES

_MIN_AREA = 0.0025  # a smaller box that no caption names is not spoken of
_REACH = 6  # words before a noun in which a number may be meant for it
_CONFUSED = {"toilet": frozenset(("bidet",))}  # one of several boxes may be of the other
_DISHES = frozenset(("cake", "sandwich", "pizza", "hot dog", "donut"))
_COUNTED = frozenset(("accessory", "vehicle", "kitchen", "electronic", "furniture", "outdoor", "appliance"))
_MANY = 99  # stands for three or more
_GOES_ON = frozenset(("and", ",", "of", "looking"))  # within a noun phrase: "four tired looking dogs"
_SOME = frozenset(("several", "many", "numerous", "dozens", "bunch", "herd", "flock", "rows", "lots", "few"))


def find_entities(
    record: ImageRecord, readings: tuple[CaptionReading, ...], words: frozenset[str], person: PersonWords
) -> tuple[list[Entity], list[Contradiction]]:
    """Return the entities, the most important first and numbered, and what sources disagree on."""
    contradictions: list[Contradiction] = []
    found = []
    captions = [reading.tokens for reading in readings]
    likened, is_pictured = find_likenesses(captions), is_all_likeness(captions)
    if "person" in likened:
        likened |= _find_held(record)
    named = {one.number: {p.noun.category for p in one.phrases} for one in readings}
    painted = [named[one.number] for one in readings if begins_as_likeness(one.tokens)]
    real = frozenset[str | None]().union(*named.values()) - frozenset[str | None]().union(*painted)
    for name, numbers in _boxes_by_category(record).items():
        if name in likened or (is_pictured and name not in real):
            contradictions.append(Contradiction(name, "entity", (name, "likeness"), Evidence(boxes=tuple(numbers))))
            continue
        entity, dispute = _read_category(name, numbers, record, readings, words, person)
        contradictions += [dispute] if dispute is not None else []
        if entity is not None:
            found.append(entity)
    for name in sorted(likened - {box.category for box in record.boxes}):
        contradictions.append(Contradiction(name, "entity", (name, "likeness"), Evidence()))
    found.sort(key=lambda one: (-_weight(one, readings), one.name))
    found += [one for one in find_unboxed(readings, words) if not (is_pictured and _is_painted(one, readings))]
    numbered = [structs.replace(one, number=number) for number, one in enumerate(found)]
    group = next((one for one in numbered if one.name == "person" and one.is_many), None)
    if group is not None:
        for lemma, said in _find_roles(readings, person):
            numbered.append(_make_role(len(numbered), lemma, said, group))
    return numbered, contradictions


def _is_painted(one: Entity, readings: tuple[CaptionReading, ...]) -> bool:
    """True for what no caption names but those of a painting; the painting itself is there."""
    return one.name not in DRAWN and all(begins_as_likeness(readings[at.caption].tokens) for at in one.evidence.spans)


def _find_held(record: ImageRecord) -> set[str]:
    """Return the rackets, bats and the like that all lie on people: whose likeness these are, theirs is that too."""
    people = [box for box in record.boxes if box.category == "person"]
    gear = {box.category for box in record.boxes if find_category(box.category).group == "sports"}
    apart = {
        box.category
        for box in record.boxes
        if not any(
            one.x0 <= (box.x0 + box.x1) / 2 <= one.x1 and one.y0 <= (box.y0 + box.y1) / 2 <= one.y1 for one in people
        )
    }
    return gear - apart


def _boxes_by_category(record: ImageRecord) -> dict[str, list[int]]:
    numbers: dict[str, list[int]] = {}
    for number, box in enumerate(record.boxes):
        numbers.setdefault(box.category, []).append(number)
    return numbers


@cache
def _words_for(name: str) -> frozenset[str]:
    return frozenset(form for word in find_category(name).synonyms for form in (word, plural_of(word)))


def _weight(entity: Entity, readings: tuple[CaptionReading, ...]) -> float:
    """Return how much it is what the image is about: by captions with a word for it, in whatever phrase, and size."""
    words = _words_for(entity.name)
    naming = sum(not words.isdisjoint(reading.tokens) for reading in readings)
    named = max(entity.num_captions, (entity.num_captions + naming) / 2 if entity.num_captions else 0)
    more = {"person": 0.5, "animal": 0.5, "furniture": -0.5}.get(entity.kind, 0.0)
    return named + 2 * entity.area + more


def _read_category(
    name: str,
    numbers: list[int],
    record: ImageRecord,
    readings: tuple[CaptionReading, ...],
    words: frozenset[str],
    person: PersonWords,
) -> tuple[Entity | None, Contradiction | None]:
    category = find_category(name)
    boxes = [record.boxes[number] for number in numbers]
    said = [
        (reading, phrase)
        for reading in readings
        for phrase in reading.phrases
        if phrase.noun.category == name and not phrase.is_negated
    ]
    plain = tuple(box for box in boxes if not box.is_crowd)
    denied = any(
        phrase.is_negated for reading in readings for phrase in reading.phrases if phrase.noun.category == name
    )
    if (said and 2 * sum(phrase.is_likeness for _, phrase in said) > len(said)) or (denied and not said):
        values = (name, "none" if denied else "likeness")
        return None, Contradiction(name, "entity", values, Evidence(spans_of(said), tuple(numbers)))
    num_captions = len({reading.number for reading, _ in said})
    doubt = find_doubt(name, boxes, record.boxes, said, readings, words)
    if doubt is not None:
        return None, Contradiction(name, "entity", (name, *doubt), Evidence(spans_of(said), tuple(numbers)))
    if not num_captions and name in _DISHES:
        return None, None  # what is boxed as a cake may be a casserole
    if not num_captions and max((box.area for box in plain), default=0.0) < _MIN_AREA:
        return None, None
    if _is_miscounted(name, boxes, said, readings, words):
        return None, Contradiction(
            name, "count", (str(len(plain)), "other"), Evidence(spans_of(said), tuple(numbers))
        )
    if is_one(name, plain, said, readings):
        spoken = (person.singular, "people") if name == "person" else _say(category, words, said, is_single=True)
        whole = _make_whole(category, spoken, num_captions, said, numbers)
        return whole, Contradiction(name, "count", (str(len(plain)), "other"), whole.evidence)
    has_crowd = len(plain) < len(boxes)
    several = any(phrase.is_plural for _, phrase in said) or may_be_several(name, readings)
    single = len(plain) == 1 and not has_crowd and not several
    word, plural = _say(category, words, said, is_single=single)
    if name == "person":
        word, plural = person.singular if single else "person", "people"
    stated = _stated_totals(readings, name)
    rival = any(number != len(plain) for reading in readings for number in _numbers_near(reading.tokens, category))
    if len(plain) == 1:
        rival = rival or any(plural_of(one) in words for one in category.synonyms if plural_of(one) != one)
    count = None if has_crowd or rival else _confirmed_count(len(plain), stated)
    entity = Entity(
        number=0,
        name=name,
        category=name,
        kind=category.group,
        word=word,
        plural=plural,
        boxes=plain,
        has_crowd=has_crowd,
        num_captions=num_captions,
        is_single=single,
        count=count,
        evidence=evidence_of(said, tuple(numbers)),
        certainty="sure" if num_captions else "likely",
        num_plural=len({reading.number for reading, phrase in said if phrase.is_plural}),
    )
    told = {total for total in stated if total is not None}
    if count is None and told and not has_crowd and not told <= {len(plain), 1}:
        numbers_told = (str(len(plain)), *map(str, sorted(told)))
        return entity, Contradiction(name, "count", numbers_told, entity.evidence)
    return entity, None


def _make_whole(
    category: Category, words: tuple[str, str], num_captions: int, said: Mentions, numbers: list[int]
) -> Entity:
    """Make what is one and boxed in parts: it is there, and no box is all of it."""
    return Entity(
        number=0,
        name=category.name,
        category=category.name,
        kind=category.group,
        word=words[0],
        plural=words[1],
        boxes=(),
        has_crowd=False,
        num_captions=num_captions,
        is_single=True,
        count=None,
        evidence=evidence_of(said, tuple(numbers)),
        certainty="sure" if num_captions else "likely",
    )


def _is_miscounted(
    name: str, boxes: list[Box], said: Mentions, readings: tuple[CaptionReading, ...], words: frozenset[str]
) -> bool:
    """True where boxes may be of another thing, or are fewer than captions tell."""
    plain = [box for box in boxes if not box.is_crowd]
    if len(plain) > 1 and not _CONFUSED.get(name, frozenset()).isdisjoint(words):
        return True
    # "Backpacks", of which one is boxed.
    is_fewer = len(boxes) == 1 == len(plain) and find_category(name).group in _COUNTED
    if is_fewer and said:
        return all(phrase.is_plural for _, phrase in said)
    if is_fewer:
        singular = frozenset(find_category(name).synonyms)
        return singular.isdisjoint(words) and not (_words_for(name) - singular).isdisjoint(words)
    return _tells_other_number(name, boxes, readings)


def _tells_other_number(name: str, boxes: list[Box], readings: tuple[CaptionReading, ...]) -> bool:
    """True for one boxed person where most captions speak of several."""
    is_one = name == "person" and len(boxes) == 1 and not boxes[0].is_crowd
    return is_one and 2 * sum(tells_several(reading.phrases) for reading in readings) > len(readings)


def _say(category: Category, words: frozenset[str], said: Mentions, *, is_single: bool) -> tuple[str, str]:
    """Choose the word of the people who saw it: what most captions call it, or what its category may hide."""
    votes = _vote(said, category.spoken)
    if category.name != "person" and votes:
        word, num = max(votes.items(), key=lambda pair: (pair[1], pair[0]))
        narrow = words.intersection(category.synonyms) - {word, category.name, category.spoken}
        common = (
            num > 1
            and 2 * num > votes.total()
            and not (narrow and category.group == "vehicle")  # one's ferry may be another's ship
            and votes.keys() <= {word, category.spoken}
            and word != category.spoken
        )
        if common and (is_single or all(phrase.is_plural for _, phrase in said if phrase.noun.lemma == word)):
            return word, plural_of(word)
    if category.name == "tv" and not words & {"tv", "television", "tvs", "televisions"}:
        return "screen", "screens"
    if category.name == "remote" and _is_of_game(words):
        return "game controller", "game controllers"
    if category.name == "oven" and "stove" in words and "oven" not in words:
        return "stove", "stoves"
    return category.spoken, category.plural


def _vote(said: Mentions, spoken: str) -> Counter[str]:
    """Count the captions by their last word for it; one that calls it a bus, too, has it as a double decker bus."""
    votes: dict[int, str] = {}
    for reading, phrase in said:
        if phrase.noun.lemma != spoken or reading.number not in votes:
            votes[reading.number] = phrase.noun.lemma
    return Counter(votes.values())


def _is_of_game(words: frozenset[str]) -> bool:
    """True where captions speak of a game; "a remote controller" alone is none for it."""
    named = bool(words & {"controller", "controllers"}) and bool(words & {"game", "games", "gaming", "video"})
    return named or bool(words & {"wii", "nintendo", "xbox", "playstation"})


def _stated_totals(readings: tuple[CaptionReading, ...], name: str) -> set[int | None]:
    totals: set[int | None] = set()
    for reading in readings:
        found = [phrase for phrase in reading.phrases if phrase.noun.category == name]
        if found:
            totals.add(_caption_total(found))
    return totals


@cache
def _plural_heads_of(name: str) -> frozenset[str]:
    return frozenset(plural_of(word).split()[-1] for word in find_category(name).synonyms)


def _numbers_near(tokens: tuple[str, ...], category: Category) -> Iterator[int]:
    """Yield the numbers before any plural word for the category, whether or not the phrase is fully understood.

    0 stands for a number that is not given: "several laptops".
    """
    heads = _plural_heads_of(category.name)
    for at in (index for index, token in enumerate(tokens) if token in heads):
        for index in range(at - 1, max(-1, at - _REACH), -1):
            word = tokens[index]
            if word in _SOME:
                yield 0
            elif word in NUMBER_WORDS:
                yield NUMBER_WORDS[word]
            if word in BOUNDARIES and word not in _GOES_ON and word not in _SOME:
                break


def _confirmed_count(num_boxes: int, totals: set[int | None]) -> int | None:
    stated = {total for total in totals if total is not None}
    if num_boxes == 1:
        return 1 if stated == {1} and None not in totals else None
    return num_boxes if num_boxes in stated and stated <= {num_boxes, 1} and num_boxes > 1 else None


def _caption_total(found: list[NounPhrase]) -> int | None:
    """Return how many the caption speaks of; None where that is not clear.

    Only different people are added up ("a man and a woman"): a thing may be mentioned twice.
    """
    if any(phrase.noun.is_plural and phrase.number is None for phrase in found):
        # "A man and kids" are three at least.
        apart = found[0].noun.category == "person" and len({phrase.noun.lemma for phrase in found}) > 1
        return _MANY if apart else None
    if len(found) == 1:
        return found[0].number or 1
    lemmas = {phrase.noun.lemma for phrase in found}
    apart = found[0].noun.category == "person" and len(lemmas) == len(found) and "person" not in lemmas
    return len(found) if apart and not any(phrase.is_plural for phrase in found) else None


def _find_roles(readings: tuple[CaptionReading, ...], person: PersonWords) -> list[tuple[str, Mentions]]:
    """Return the people whom two captions name in the singular, by a word that no caption contradicts."""
    by_lemma: dict[str, Mentions] = {}
    plural: set[str] = set()
    for reading in readings:
        for phrase in reading.phrases:
            if phrase.noun.category != "person" or phrase.is_likeness or phrase.is_negated:
                continue
            if phrase.is_plural:
                plural.add(phrase.noun.lemma)
            by_lemma.setdefault(phrase.noun.lemma, []).append((reading, phrase))
    return [
        (lemma, said)
        for lemma, said in by_lemma.items()
        if lemma in person.safe and lemma not in plural and len({reading.number for reading, _ in said}) > 1
    ]


def _make_role(number: int, lemma: str, said: Mentions, group: Entity) -> Entity:
    return Entity(
        number=number,
        name=lemma,
        category="person",
        kind="person",
        word=lemma,
        plural=plural_of(lemma),
        boxes=(),
        has_crowd=False,
        num_captions=len({reading.number for reading, _ in said}),
        is_single=True,
        count=None,
        evidence=evidence_of(said, group.evidence.boxes),
        certainty="sure",
        member_of=group.number,
        is_listed=False,
    )
