"""Actions and placements that captions tell in full and boxes bear out: who does what to what, and where."""

from msgspec import structs

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.consensus import find_agreed
from instructgen.scenegraph.corroboration import Voices
from instructgen.scenegraph.disputes import drop_disputed
from instructgen.scenegraph.doers import drop_half_told, drop_part_acts
from instructgen.scenegraph.events import Event
from instructgen.scenegraph.graph import Action, Contradiction, Entity, Evidence
from instructgen.scenegraph.people import PersonWords
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import FACING
from instructgen.scenegraph.postures import is_parking_disputed
from instructgen.scenegraph.prepositions import Placings
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import (
    GAME_VERBS,
    PLAYED,
    WATCHED,
    hides_toy,
    is_done_to,
    is_way,
    say_bare,
    say_phrase,
    say_preposition,
)
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.weighing import Sources, fits_boxes, weigh_against

_BARE = frozenset({"with", "of", "from", "by"})  # behind these what is no countable thing has no article
_COVERED = frozenset({"cover", "fill", "coat", "bury"})
_NO_PLACE = frozenset({"photo", "picture"})
_WORN = frozenset({"wear", "pair"})
# "Skateboarding on a skateboard" says it twice.
_GEAR = {"skateboard": "skateboard", "surf": "surfboard", "snowboard": "snowboard", "ski": "skis"}
_AS_BE = frozenset({"be", "sit", "lie", "lay", "rest", "place", "stack"})


def find_actions(
    readings: tuple[CaptionReading, ...],
    entities: list[Entity],
    person: PersonWords,
    voices: Voices,
    placings: Placings,
) -> tuple[list[Action], list[Contradiction]]:
    """Return actions, the best supported first; postures of one subject that disagree are contradictions."""
    sources = weigh_against(readings, entities, person, voices, placings)
    roles = {one.word: one for one in entities if one.member_of is not None}
    found: dict[tuple[str, str, str], Action] = {}
    for event in sorted((one for reading in readings for one in reading.events), key=lambda one: one.is_parsed):
        action = _make_action(event, sources, roles)
        if action is None:
            continue
        key = (action.category, action.subject, action.doing or action.where)
        known = found.get(key)
        if known is None or (not known.where and action.where):
            found[key] = action
    _add_agreed(found, sources, roles)
    ordered = sorted(found.values(), key=lambda one: (-one.num_bearing_out, not one.where, one.doing, one.subject))
    ordered = drop_half_told(drop_part_acts(ordered, readings), readings)
    captions = [reading.tokens for reading in readings]
    ordered = [
        one
        for one in ordered
        if one.kind != "vehicle" or not is_parking_disputed(one.verb, one.where.split(), captions)
    ]
    return drop_disputed(ordered, captions)


def _add_agreed(found: dict[tuple[str, str, str], Action], sources: Sources, roles: dict[str, Entity]) -> None:
    """Add what most captions tell in their own words; what was understood word by word is agreed by them too."""
    for agreed in find_agreed(sources.readings, sources.voices):
        for event, tellings, num_captions in agreed:
            checked = _check(event, sources)
            if checked is None or _is_renamed(checked[0], sources):
                continue
            spans = [(one.reading, one.subject.start, one.end) for one in tellings]
            action = _build(event, *checked, spans, sources, roles)
            action = structs.replace(action, num_alike=num_captions, is_agreed=True)
            key = (action.category, action.subject, action.doing or action.where)
            known = found.get(key)
            if known is not None and (known.where == action.where or (known.is_place_agreed and not action.where)):
                action = structs.replace(known, num_alike=num_captions, is_agreed=True)
            found[key] = action
            break


def _check(event: Event, sources: Sources) -> tuple[NounPhrase | None, NounPhrase | None] | None:
    """Return what it is done to and where, as far as captions and boxes have it; None where they do not."""
    if not fits_boxes(event, sources):
        return None
    thing, place = event.object, event.place
    if place is not None and (
        place.noun.lemma in _NO_PLACE
        or place.noun.kind == "game"
        or (place.noun.kind == "person" and event.preposition == "in")  # of "a crowd of people" the crowd is lost
        or (event.verb.base in _GEAR and place.noun.category == _GEAR[event.verb.base])
        or (place.noun.category == "tie" and event.verb.base not in ("be", "dress"))
        or (event.verb.base == "eat" and place.noun.lemma.endswith("table") and event.preposition == "on")  # at one
        or not sources.is_sure(place)
        or not sources.is_placed(event.preposition, place)
        or not is_way(event.preposition, place)
    ):
        place = None
    if thing is not None and (thing.noun.lemma == event.subject.noun.lemma or not sources.is_sure(thing)):
        return None
    if thing is None and place is None and event.place is not None:
        return None
    if _hides_toy(event, sources):
        return None
    if place is not None and event.preposition == "in" and place.noun.lemma == "tree" and _is_large(event.subject):
        return None  # they are among trees
    is_used = event.verb.base == "use" and thing is not None and thing.noun.kind in ("person", "animal")
    if thing is not None and (is_used or not is_done_to(event.verb.base, thing)):
        return None  # "using horses to plow" is no using of horses
    return thing, place


def _hides_toy(event: Event, sources: Sources) -> bool:
    named = [one for one in (event.subject, event.object, event.place) if one is not None]
    return hides_toy(named, [word for one in named for word in one.noun.lemma.split()], sources.readings)


def _make_action(event: Event, sources: Sources, roles: dict[str, Entity]) -> Action | None:
    checked = _check(event, sources)
    if checked is None:
        return None
    thing, place = checked
    if event.verb.base == "be" and place is not None and _is_worn(place):
        return _make_worn(event, place, sources, roles)
    supporters = _supporters(event, thing or place, sources)
    if len(supporters) < 2 and thing is None and place is None and not event.manner:
        return None
    return _build(event, thing, place, supporters, sources, roles)


def _is_worn(thing: NounPhrase) -> bool:
    return thing.noun.kind in _WORN or thing.noun.category == "tie"


def _is_large(subject: NounPhrase) -> bool:
    return subject.noun.category in ("giraffe", "elephant", "zebra", "horse", "cow", "sheep")


def _make_worn(event: Event, worn: NounPhrase, sources: Sources, roles: dict[str, Entity]) -> Action | None:
    """Read "a man in a suit" as what he wears."""
    if event.subject.noun.category != "person" or event.preposition != "in":
        return None
    event = structs.replace(event, verb=VERB_FORMS["wearing"])
    found = [
        (reading, one.start, one.end)
        for reading in sources.readings
        for one in reading.events
        if (one.verb.base in ("wear", "be") and worn.noun.lemma in _lemmas_of(one))
    ]
    return _build(event, worn, None, found, sources, roles)


def _build(
    event: Event,
    thing: NounPhrase | None,
    place: NounPhrase | None,
    supporters: list[tuple[CaptionReading, int, int]],
    sources: Sources,
    roles: dict[str, Entity],
) -> Action:
    lies = event.subject.noun.kind not in ("animal", "person") and event.verb.base in _AS_BE
    verb = "be" if lies else event.verb.base
    doing = "" if verb == "be" else "lying" if verb == "lay" else event.verb.ing
    held = ""
    if thing is not None:
        played = PLAYED.get(thing.noun.lemma) if verb in GAME_VERBS else None
        watched = WATCHED.get(thing.noun.category or "") if verb == "watch" and not thing.is_plural else None
        held = played or watched or say_bare(verb, thing, _say_object(thing, sources, after_verb=True))
        doing = f"{doing} {held}"
    preposition = say_preposition(event.preposition, place.noun.lemma) if place is not None else ""
    where = (
        f"{preposition} {_say_object(place, sources, after_verb=event.preposition in _BARE or verb in _COVERED)}"
        if place is not None
        else ""
    )
    if verb == "sit" and where == "at a bench":
        where = "on a bench"
    if place is not None and place.noun.lemma == "camera" and preposition in FACING:
        where = f"{preposition} the camera"  # the one that the picture was taken with
    where = f"{event.manner} {where}".strip()
    subject = _say_subject(event, sources)
    entity = roles.get(subject) or sources.entities.get(event.subject.noun.category or "")
    boxes = tuple(
        number
        for category in {event.subject.noun.category, *(p.noun.category for p in (thing, place) if p)}
        if category in sources.entities
        for number in sources.entities[category].evidence.boxes
    )
    return Action(
        entity=entity.number if entity is not None else None,
        subject=subject,
        category=event.subject.noun.category or "",
        kind=event.subject.noun.kind,
        is_plural=event.is_plural,
        verb=verb,
        object=thing.noun.lemma if thing is not None else "",
        preposition=preposition,
        place=place.noun.lemma if place is not None else "",
        doing=doing,
        where=where,
        held=held,
        things=frozenset(other.noun.category for other in (thing, place) if other and other.noun.category),
        evidence=Evidence(
            tuple(reading.span(start, end) for reading, start, end in supporters), tuple(sorted(boxes))
        ),
        certainty="sure" if len(supporters) > 1 else "likely",
        num_captions=len({reading.number for reading, _, _ in supporters}),
        number=_number_of(event, entity),
        is_agreed=not _is_renamed(thing, sources)
        and (len(supporters) > 1 or (sources.voices.is_done(verb) and sources.is_agreed(thing))),
        is_place_agreed=sources.is_agreed(place),
        lemma=event.subject.noun.lemma if subject not in ("person", "people") else "person",
    )


def _number_of(event: Event, entity: Entity | None) -> int:
    """Return the number that the caption gives the subject, if it is that of all boxes; else 0."""
    said = event.subject.number or 0
    whole = entity is not None and entity.member_of is None and len(entity.boxes) == said and not entity.has_crowd
    return said if event.is_plural and whole and said > 1 else 0


def _lemmas_of(event: Event) -> set[str]:
    return {phrase.noun.lemma for phrase in (event.object, event.place) if phrase is not None}


def _is_renamed(phrase: NounPhrase | None, sources: Sources) -> bool:
    """True for remotes that are told as game controllers, by the word of other captions."""
    entity = sources.entities.get("remote") if phrase is not None and phrase.noun.category == "remote" else None
    return (
        entity is not None
        and phrase is not None
        and phrase.is_plural
        and entity.word.split()[-1] != (phrase.noun.lemma.split()[-1])
    )


def _say_object(phrase: NounPhrase, sources: Sources, *, after_verb: bool) -> str:
    """Word what something is done to, or where: a single boxed thing by the word that it has everywhere else."""
    entity = sources.entities.get(phrase.noun.category or "")
    if entity is not None and entity.is_many and phrase.noun.lemma == "sheep":
        return "sheep"
    if entity is not None and entity.name == "remote" and phrase.is_plural:
        return entity.plural  # a game controller by one name
    if entity is not None and entity.is_single and entity.kind != "person" and phrase.noun.article == "a":
        return with_article(entity.word)
    return say_phrase(phrase, after_verb=after_verb)


def _supporters(event: Event, main: NounPhrase | None, sources: Sources) -> list[tuple[CaptionReading, int, int]]:
    """Return the captions that say so, with the tokens of their own event."""
    found = []
    for reading in sources.readings:
        for one in reading.events:
            alike = one.verb.base == event.verb.base and _is_same_doer(one, event) and one.manner == event.manner
            if alike and (main is None or main.noun.lemma in _lemmas_of(one)):
                found.append((reading, one.start, one.end))
                break
    return found


def _is_same_doer(one: Event, other: Event) -> bool:
    """True where both are of one category, or of one word without a category."""
    a, b = one.subject.noun, other.subject.noun
    return (a.category or a.lemma) == (b.category or b.lemma) and one.is_plural == other.is_plural


def _say_subject(event: Event, sources: Sources) -> str:
    noun = event.subject.noun
    lemma = noun.lemma
    entity = sources.entities.get(noun.category or "")
    if noun.category == "person":
        is_pair = event.is_plural and not noun.is_plural
        if is_pair or not sources.person.is_safe(lemma, is_plural=event.is_plural):
            lemma = "person"
        if not event.is_plural and entity is not None and entity.is_single and entity.boxes:
            lemma = sources.person.singular
    if entity is not None and noun.category != "person":
        return entity.plural if event.is_plural else entity.word
    return plural_of(lemma) if event.is_plural and noun.article != "plural" else lemma
