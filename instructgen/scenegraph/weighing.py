"""What all captions and boxes of an image say, to weigh one doing against."""

from msgspec import Struct

from instructgen.scenegraph.corroboration import Voices
from instructgen.scenegraph.events import Event
from instructgen.scenegraph.graph import Entity
from instructgen.scenegraph.people import PersonWords, tells_several
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.prepositions import Placings, is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import are_too_many
from instructgen.scenegraph.unboxed import SAID_TWICE

_WORN = ("wear", "pair")  # of several each has one
_BESIDE = 1  # somebody may stand by of whom captions do not speak


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
    placings: Placings

    def num_captions(self, lemma: str) -> int:
        return sum(1 for said in self.nouns if lemma in said)

    def number(self, category: str | None) -> int:
        """Return how many boxes there are; a crowd counts as two more, as it holds several."""
        entity = self.entities.get(category or "")
        if entity is None:
            return 0
        return 1 if entity.is_single else len(entity.boxes) + 2 * entity.has_crowd

    def is_placed(self, preposition: str, place: NounPhrase) -> bool:
        """True unless as many captions place something otherwise by it: near a fence, not on it."""
        return not is_misplaced(preposition, place.noun.category or place.noun.lemma, self.placings)

    def is_sure(self, phrase: NounPhrase) -> bool:
        """True if a box holds it or two captions name it, and the boxes allow the number."""
        if phrase.noun.lemma in self.denied:
            return False
        number = self.number(phrase.noun.category)
        many = phrase.is_plural and phrase.noun.article != "plural"
        if many and phrase.noun.category != "person" and self._is_other_number(phrase):
            return False
        if phrase.noun.category:
            return number > 1 if many else number > 0
        if phrase.noun.article == "a" and not many and phrase.noun.lemma in self.plural:
            return False
        return self.num_captions(phrase.noun.lemma) > 0

    def _is_other_number(self, phrase: NounPhrase) -> bool:
        """True for several where more captions have one, or as many have and no box tells."""
        lemma = phrase.noun.lemma
        if phrase.noun.category:
            return self.voices.disputes_number(lemma, is_plural=True, is_boxed=True)
        is_counted = phrase.noun.article == "a" and phrase.noun.kind not in _WORN
        return is_counted and self.voices.disputes_number(lemma, is_plural=True)

    def is_agreed(self, phrase: NounPhrase | None) -> bool:
        """True for what a box or two captions have."""
        return phrase is None or phrase.noun.category in self.entities or self.voices.is_named(phrase.noun.lemma)


def weigh_against(
    readings: tuple[CaptionReading, ...],
    entities: list[Entity],
    person: PersonWords,
    voices: Voices,
    placings: Placings,
) -> Sources:
    return Sources(
        readings=readings,
        nouns=tuple(frozenset(phrase.noun.lemma for phrase in reading.phrases) for reading in readings),
        plural=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_plural),
        denied=frozenset(p.noun.lemma for reading in readings for p in reading.phrases if p.is_negated),
        entities={one.category: one for one in entities if one.category and one.member_of is None},
        person=person,
        num_of_several=sum(tells_several(reading.phrases) for reading in readings),
        voices=voices,
        placings=placings,
    )


def fits_boxes(event: Event, sources: Sources) -> bool:
    """True if boxes hold the subject in the number that the caption says."""
    noun = event.subject.noun
    if not noun.category:
        if event.is_plural:
            named = [p.is_plural for r in sources.readings for p in r.phrases if p.noun.lemma == noun.lemma]
            return all(named) and (sources.num_captions(noun.lemma) > 1 or noun.lemma not in SAID_TWICE)
        return noun.lemma not in sources.plural and sources.num_captions(noun.lemma) > 1
    number = sources.number(noun.category)
    entity = sources.entities.get(noun.category)
    if entity is not None and noun.category != "person" and not (entity.boxes or entity.has_crowd):
        return False  # of what is boxed in parts it is not clear which box is meant
    if event.is_plural and noun.lemma == "person" and 0 < (event.subject.number or 0) < number - _BESIDE:
        return False  # of many people a couple cuts the cake
    if event.is_plural:
        mount = event.object.noun.category if event.object is not None and event.verb.base == "ride" else ""
        is_all = noun.category == "person" and event.subject.number is None
        return number > 1 and not (is_all and are_too_many(number, mount or "", sources.number(mount)))
    if noun.category == "person":
        if number == 1 and sources.num_of_several > 1:
            return False  # one is boxed, and captions speak of several
        is_safe = noun.lemma not in sources.plural and noun.lemma in sources.person.safe
        return number == 1 or (number > 1 and (is_safe or sources.num_of_several == 0))
    return number == 1
