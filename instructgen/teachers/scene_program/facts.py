"""Events that more than one source confirms, worded to be said of the image."""

from msgspec import Struct

from instructgen.lexicon.words import plural_of, with_article
from instructgen.teachers.scene_program.events import Event
from instructgen.teachers.scene_program.people import PersonWords
from instructgen.teachers.scene_program.phrases import NounPhrase

# What one plays, and how it is said.
_PLAYED = {
    **{game: game for game in ("tennis", "baseball", "soccer", "frisbee", "basketball", "volleyball", "football")},
    **{game: game for game in ("golf", "cricket", "polo", "video games", "a video game", "a game of tennis")},
    **{game: game for game in ("a game of frisbee", "a game of baseball", "a game of soccer")},
    "a wii game": "a Wii game",
    "wii": "a Wii game",
    "guitar": "a guitar",
    "instrument": "an instrument",
}


class Fact(Struct, frozen=True):
    """`doing` follows "is" or "are" ("holding an umbrella"); `where` is its place ("on a beach") or "".

    `subject` has no article; `category` is the subject's, `things` are the other categories it names.
    `verb` is the base form, "be" for something that merely lies somewhere.
    """

    subject: str
    category: str
    kind: str
    is_plural: bool
    verb: str
    doing: str
    where: str
    things: frozenset[str]
    place: str
    support: int


_POSTURES = frozenset({"sit", "stand", "lie", "lay", "rest", "walk", "run", "perch", "seat", "be"})
_AS_BE = frozenset({"be", "sit", "lie", "lay", "rest", "place", "stack"})


class Evidence(Struct, frozen=True):
    """What all captions and boxes of the image say, to weigh one event against.

    `numbers` counts boxes by category; `nouns` and `verbs` hold a set for each caption; `plural` are the
    nouns that some caption has in the plural.
    """

    nouns: tuple[frozenset[str], ...]
    verbs: tuple[frozenset[str], ...]
    plural: frozenset[str]
    numbers: dict[str, int]
    person: PersonWords

    def num_captions(self, lemma: str) -> int:
        return sum(1 for said in self.nouns if lemma in said)

    def is_sure(self, phrase: NounPhrase) -> bool:
        """True if a box holds it or two captions name it, and the boxes allow the number."""
        number = self.numbers.get(phrase.noun.category or "", 0)
        many = phrase.is_plural and phrase.noun.article != "plural"
        if phrase.noun.category:
            return number > 1 if many else number > 0
        return self.num_captions(phrase.noun.lemma) > 1


def make_facts(
    events_by_caption: list[list[Event]],
    phrases_by_caption: list[list[NounPhrase]],
    numbers: dict[str, int],
    person: PersonWords,
) -> list[Fact]:
    """Return facts, the best supported first; postures of one subject that disagree are left out."""
    evidence = Evidence(
        nouns=tuple(frozenset(phrase.noun.lemma for phrase in found) for found in phrases_by_caption),
        verbs=tuple(frozenset(event.verb.base for event in found) for found in events_by_caption),
        plural=frozenset(phrase.noun.lemma for found in phrases_by_caption for phrase in found if phrase.is_plural),
        numbers=numbers,
        person=person,
    )
    facts: dict[tuple[str, str, str], Fact] = {}
    for event in (event for events in events_by_caption for event in events):
        fact = _make_fact(event, evidence)
        if fact is None:
            continue
        key = (fact.category, fact.subject, fact.doing or fact.where)
        known = facts.get(key)
        if known is None or (not known.where and fact.where):
            facts[key] = fact
    ordered = sorted(facts.values(), key=lambda fact: (-fact.support, not fact.where, fact.doing, fact.subject))
    return _drop_rivals(ordered)


def _make_fact(event: Event, evidence: Evidence) -> Fact | None:
    if not _fits_boxes(event, evidence):
        return None
    thing, place = event.object, event.place
    if place is not None and not evidence.is_sure(place):
        place = None
    if thing is not None and not evidence.is_sure(thing):
        return None
    if thing is None and place is None and event.place is not None:
        return None
    if thing is not None and event.verb.base == "play" and thing.noun.lemma not in _PLAYED:
        return None
    support = _support(event, thing or place, evidence)
    if support < 2 and (event.verb.base == "be" or (thing is None and place is None)):
        return None
    lies = event.subject.noun.kind not in ("animal", "person") and event.verb.base in _AS_BE
    verb = "be" if lies else event.verb.base
    doing = "" if verb == "be" else "lying" if verb == "lay" else event.verb.ing
    if thing is not None:
        doing = f"{doing} {_PLAYED.get(thing.noun.lemma) or say_phrase(thing, after_verb=True)}"
    where = f"{event.preposition} {say_phrase(place, after_verb=False)}" if place is not None else ""
    return Fact(
        subject=_say_subject(event, evidence),
        category=event.subject.noun.category or "",
        kind=event.subject.noun.kind,
        is_plural=event.is_plural,
        verb=verb,
        doing=doing,
        where=where,
        things=frozenset(other.noun.category for other in (thing, place) if other and other.noun.category),
        place=place.noun.lemma if place is not None else "",
        support=support,
    )


def _support(event: Event, main: NounPhrase | None, evidence: Evidence) -> int:
    """Count the captions with this verb and its object or place."""
    return sum(
        1
        for said, done in zip(evidence.nouns, evidence.verbs, strict=True)
        if event.verb.base in done and (main is None or main.noun.lemma in said)
    )


def _fits_boxes(event: Event, evidence: Evidence) -> bool:
    """True if boxes hold the subject in the number that the caption says."""
    noun = event.subject.noun
    if not noun.category:
        return noun.lemma not in evidence.plural and evidence.num_captions(noun.lemma) > 1
    number = evidence.numbers.get(noun.category, 0)
    if event.is_plural:
        return number > 1
    if noun.category == "person":
        return number == 1 or (
            number > 1 and noun.lemma not in evidence.plural and noun.lemma in evidence.person.safe
        )
    return number == 1


def _say_subject(event: Event, evidence: Evidence) -> str:
    noun = event.subject.noun
    lemma = noun.lemma
    if noun.category == "person":
        is_pair = event.is_plural and not noun.is_plural
        if is_pair or lemma not in evidence.person.safe:
            lemma = "person"
        if not event.is_plural and evidence.numbers.get("person") == 1:
            lemma = evidence.person.singular
    return plural_of(lemma) if event.is_plural else lemma


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


def _drop_rivals(facts: list[Fact]) -> list[Fact]:
    """Keep the best supported posture of each subject."""
    kept: list[Fact] = []
    taken: set[tuple[str, str]] = set()
    for fact in facts:
        key = (fact.category, fact.subject)
        if fact.verb in _POSTURES:
            if key in taken:
                continue
            taken.add(key)
        kept.append(fact)
    return kept
