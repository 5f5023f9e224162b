"""Actions and placements that captions tell in full and boxes bear out: who does what to what, and where."""

from msgspec import Struct, structs

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.corroboration import Voices, hear
from instructgen.scenegraph.disputes import drop_disputed
from instructgen.scenegraph.events import Event
from instructgen.scenegraph.graph import Action, Contradiction, Entity, Evidence
from instructgen.scenegraph.people import PersonWords, tells_several
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.settings import SETTINGS
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.verbs import VERB_FORMS

GAME_VERBS = frozenset({"play", "watch", "enjoy"})
_BARE = frozenset({"with", "of", "from", "by"})  # behind these what is no countable thing has no article
_HIGH = frozenset(("mountain", "hill"))  # one may be on top of these
# What one is on, not on top of.
_FLAT = frozenset((
    "table", "desk", "bench", "bed", "couch", "chair", "surfboard", "skateboard", "snowboard", "skis", "motorcycle",
    "bicycle", "horse", "counter", "plate", "tray", "stool", "blanket", "towel", "rug", "snow", "grass", "ground",
    "floor", "dirt", "sand", "ramp", "wave", "court", "elephant", "cutting board", "shelf", "mat", "pan", "track",
    "runway", "tracks", "skateboard ramp", "kitchen counter", "wooden table", "coffee table", "keyboard", "laptop",
))  # fmt: skip
_OPEN = frozenset(("field", "pasture", "meadow", "yard", "park", "forest", "parking lot"))  # one is in these
_NO_PLACE = frozenset({"photo", "picture"})
_WORN = frozenset({"wear", "pair"})
_TAKEN = frozenset(("picture", "photo", "photograph", "selfie", "nap", "bite", "swing", "shot", "bath", "shower"))
_UNDERFOOT = frozenset({"skis", "snowboard", "skateboard", "surfboard"})
# What one plays, and how it is said.
PLAYED = {
    **{game: game for game in ("tennis", "baseball", "soccer", "frisbee", "basketball", "volleyball", "football")},
    **{game: game for game in ("golf", "cricket", "polo", "video games", "a video game", "a game of tennis")},
    **{game: game for game in ("a game of frisbee", "a game of baseball", "a game of soccer")},
    **{
        f"a game of {game}": f"a game of {game}"
        for game in ("basketball", "football", "volleyball", "polo", "cricket", "rugby", "golf")
    },
    "a wii game": "a Wii game",
    "wii": "a Wii game",
    "guitar": "a guitar",
    "instrument": "an instrument",
}
_AS_BE = frozenset({"be", "sit", "lie", "lay", "rest", "place", "stack"})


class Sources(Struct, frozen=True):
    """What all captions and boxes of the image say, to weigh one event against.

    `nouns` holds a set for each caption; `plural` are the nouns that some caption has in the plural, `denied` those
    of which one says that there is none; `num_of_several` tells how many captions speak of several people.
    """

    readings: tuple[CaptionReading, ...]
    nouns: tuple[frozenset[str], ...]
    plural: frozenset[str]
    denied: frozenset[str]
    entities: dict[str, Entity]
    person: PersonWords
    num_of_several: int
    voices: Voices

    def num_captions(self, lemma: str) -> int:
        return sum(1 for said in self.nouns if lemma in said)

    def number(self, category: str | None) -> int:
        """Return how many boxes there are; a crowd counts as two more, as it holds several."""
        entity = self.entities.get(category or "")
        if entity is None:
            return 0
        return 1 if entity.is_single else len(entity.boxes) + 2 * entity.has_crowd

    def is_sure(self, phrase: NounPhrase) -> bool:
        """True if a box holds it or two captions name it, and the boxes allow the number."""
        if phrase.noun.lemma in self.denied:
            return False
        number = self.number(phrase.noun.category)
        many = phrase.is_plural and phrase.noun.article != "plural"
        if phrase.noun.category:
            return number > 1 if many else number > 0
        if phrase.noun.article == "a" and not many and phrase.noun.lemma in self.plural:
            return False
        return self.num_captions(phrase.noun.lemma) > 0

    def is_agreed(self, phrase: NounPhrase | None) -> bool:
        """True for what a box or two captions have."""
        return phrase is None or phrase.noun.category in self.entities or self.voices.is_named(phrase.noun.lemma)


def find_actions(
    readings: tuple[CaptionReading, ...], entities: list[Entity], person: PersonWords
) -> tuple[list[Action], list[Contradiction]]:
    """Return actions, the best supported first; postures of one subject that disagree are contradictions."""
    sources = Sources(
        readings=readings,
        nouns=tuple(frozenset(phrase.noun.lemma for phrase in reading.phrases) for reading in readings),
        plural=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_plural),
        denied=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_negated),
        entities={one.category: one for one in entities if one.category and one.member_of is None},
        person=person,
        num_of_several=sum(tells_several(reading.phrases) for reading in readings),
        voices=hear(readings),
    )
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
    ordered = sorted(found.values(), key=lambda one: (-one.num_captions, not one.where, one.doing, one.subject))
    return drop_disputed(ordered, [reading.tokens for reading in readings])


def _make_action(event: Event, sources: Sources, roles: dict[str, Entity]) -> Action | None:
    if not _fits_boxes(event, sources):
        return None
    thing, place = event.object, event.place
    if place is not None and (
        place.noun.lemma in _NO_PLACE
        or place.noun.kind == "game"
        or (place.noun.category == "tie" and event.verb.base not in ("be", "dress"))
        or not sources.is_sure(place)
    ):
        place = None
    if thing is not None and (thing.noun.lemma == event.subject.noun.lemma or not sources.is_sure(thing)):
        return None
    if thing is None and place is None and event.place is not None:
        return None
    if place is not None and event.preposition == "in" and place.noun.lemma == "tree" and _is_large(event.subject):
        return None  # they are among trees
    if thing is not None and not is_done_to(event.verb.base, thing):
        return None
    if event.verb.base == "be" and place is not None and place.noun.kind in _WORN:
        return _make_worn(event, place, sources, roles)
    supporters = _supporters(event, thing or place, sources)
    if len(supporters) < 2 and thing is None and place is None and not event.manner:
        return None
    return _build(event, thing, place, supporters, sources, roles)


def _is_large(subject: NounPhrase) -> bool:
    return subject.noun.category in ("giraffe", "elephant", "zebra", "horse", "cow", "sheep")


def is_done_to(verb: str, thing: NounPhrase) -> bool:
    """True unless a game is thrown, something other than a game is played, or skis are ridden or worn."""
    if verb == "ride" and thing.noun.category == "skis":
        return False
    if verb == "take" and thing.noun.lemma not in _TAKEN:
        return False  # "taking a dog for a walk", "taking a horse and carriage ride"
    if verb == "wear" and thing.noun.category in _UNDERFOOT:
        return False
    if thing.noun.kind == "game":
        return verb in GAME_VERBS
    return verb != "play" or thing.noun.lemma in PLAYED


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
        held = played or _say_object(thing, sources, after_verb=True)
        doing = f"{doing} {held}"
    preposition = say_preposition(event.preposition, place.noun.lemma) if place is not None else ""
    where = (
        f"{preposition} {_say_object(place, sources, after_verb=event.preposition in _BARE)}"
        if place is not None
        else ""
    )
    where = f"{event.manner} {where}".strip().replace("at a camera", "at the camera")
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


def say_preposition(preposition: str, lemma: str) -> str:
    """Return how a place is said: one is "on" a bench, not "on top of" it, and "in" a field."""
    if (
        preposition == "on top of"
        and lemma not in _HIGH
        and (lemma.rsplit(maxsplit=1)[-1] in _FLAT or lemma in SETTINGS)
    ):
        preposition = "on"
    if (preposition, lemma) in (("on", "pier"), ("on", "dock")):
        return "at"
    if preposition == "in" and lemma in ("window sill", "ledge"):
        return "on"
    return "in" if preposition == "on" and lemma in _OPEN else preposition


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


def _fits_boxes(event: Event, sources: Sources) -> bool:
    """True if boxes hold the subject in the number that the caption says."""
    noun = event.subject.noun
    if not noun.category:
        if event.is_plural:
            named = [p.is_plural for r in sources.readings for p in r.phrases if p.noun.lemma == noun.lemma]
            return all(named) and (sources.num_captions(noun.lemma) > 1 or noun.lemma not in SAID_TWICE)
        return noun.lemma not in sources.plural and sources.num_captions(noun.lemma) > 1
    number = sources.number(noun.category)
    if event.is_plural:
        return number > 1
    if noun.category == "person":
        if number == 1 and sources.num_of_several > 1:
            return False  # one is boxed, and captions speak of several
        return number == 1 or (number > 1 and noun.lemma not in sources.plural and noun.lemma in sources.person.safe)
    return number == 1


def _say_subject(event: Event, sources: Sources) -> str:
    noun = event.subject.noun
    lemma = noun.lemma
    if noun.category == "person":
        is_pair = event.is_plural and not noun.is_plural
        if is_pair or not sources.person.is_safe(lemma, is_plural=event.is_plural):
            lemma = "person"
        if not event.is_plural and sources.number("person") == 1:
            lemma = sources.person.singular
    entity = sources.entities.get(noun.category or "")
    if entity is not None and noun.category != "person":
        return entity.plural if event.is_plural else entity.word
    return plural_of(lemma) if event.is_plural and noun.article != "plural" else lemma


def say_phrase(phrase: NounPhrase, *, after_verb: bool) -> str:
    """Word a thing with its article: "an umbrella", "kites", "the ocean", "the snow", "tennis"."""
    noun = phrase.noun
    if noun.lemma == "scissors":
        return "a pair of scissors"
    if phrase.is_plural:
        return noun.lemma if noun.article == "plural" or noun.kind == "game" else plural_of(noun.lemma)
    if noun.article == "a":
        return with_article(noun.lemma)
    if noun.article == "the":
        return f"the {noun.lemma}"
    if noun.article == "mass" and not after_verb and noun.kind != "game":
        return f"the {noun.lemma}"
    return noun.lemma
