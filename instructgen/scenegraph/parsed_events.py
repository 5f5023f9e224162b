"""Events by the parse: subjects and objects that hang on one verb, however far apart they stand."""

from collections.abc import Iterator

from msgspec import Struct, structs

from instructgen.scenegraph.events import Event, letter_of, read_preposition
from instructgen.scenegraph.parsed import Word, words_of
from instructgen.scenegraph.parsed_phrases import GROUPS, NEW, PhraseFinder
from instructgen.scenegraph.parsed_verbs import WHERE, active, may_do, read_verb
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.verbs import BE, Verb
from instructgen.scenegraph.vocabulary import Noun

_PEOPLE = Noun("person", "person", "a", is_plural=True, category="person")
_MOVING = frozenset("pav")
_JOINED = frozenset({"and", "while", ","})
# What may hang on a verb that is understood; whatever else does makes it unclear.
_PLAIN = words_of("nsubj nsubjpass aux auxpass dobj prep advmod punct cc conj prt agent advcl mark npadvmod preconj")
_MARKS = frozenset({"while", "as"})
_AUXILIARIES = frozenset({"is", "are", "'s", "being", "am"})
_ADVERBS = words_of(
    """down up together outside around currently just alone all there outdoors indoors inside while also along right
    away still"""
)
_ALSO_WORN = words_of("tie backpack skis handbag belt necklace bracelet ribbon crown collar harness ring wig glove")
_WORN_WITH = words_of("hat glasses sunglasses goggles helmet cap headphones scarf backpack")


class Doer(Struct, frozen=True):
    phrase: NounPhrase
    is_plural: bool


class EventReader:
    """Reads the events of one caption that the rules have not read."""

    def __init__(self, finder: PhraseFinder) -> None:
        self._finder = finder
        self._parse = finder.parse
        self._tokens = finder.reading.tokens
        self._used: list[NounPhrase] = []

    def read(self) -> tuple[list[Event], list[NounPhrase]]:
        """Return events, and the phrases that they are made of where the rules have none."""
        found: list[Event] = []
        for word in self._parse.words:
            for event in (*self._read_verb(word), *self._read_worn(word)):
                if not any(_is_same(event, other) for other in (*self._finder.reading.events, *found)):
                    found.append(event)
        used = [p for event in found for p in (event.subject, event.object, event.place) if p is not None]
        known = set(self._finder.reading.phrases)
        taken = {at for phrase in known for at in range(phrase.start, phrase.end)}
        return found, [p for p in used if p not in known and not taken.intersection(range(p.start, p.end))]

    def _read_verb(self, word: Word) -> Iterator[Event]:
        before = self._parse.words[word.at - 1] if word.at else word
        if word.tag == "VBG" and before.tag in ("VBG", "VBZ", "VBP") and before.text not in ("is", "are", word.text):
            return  # "surfing rocking waves"
        verb = read_verb(word, self._parse)
        if verb is None or not self._is_plain(word):
            if word.tag == "VBN" and self._is_plain(word):
                yield from self._read_passive(word)
            return
        doer = self._find_doer(word, word)
        if doer is None or not _is_able(doer.phrase, verb):
            return
        for thing in self._find_objects(word, verb):
            place = self._find_place(word, verb, doer.phrase)
            if thing is not None or place is not None or (verb.may_stand_alone and not self._governs(word)):
                yield self._make(doer, verb, thing, place, word)

    def _make(
        self, doer: Doer, verb: Verb, thing: NounPhrase | None, place: tuple[str, NounPhrase] | None, word: Word
    ) -> Event:
        preposition, where = place or ("", None)
        parts = [p for p in (doer.phrase, thing, where) if p is not None]
        ends = [one.end for one in (word, *self._parse.children(word, "prt"))]
        start, end = min(p.start for p in parts), max((*ends, *(p.end for p in parts)))
        return Event(doer.phrase, doer.is_plural, verb, thing, preposition, where, start, end, is_parsed=True)

    def _is_plain(self, word: Word) -> bool:
        """True for a verb of which everything that hangs on it is understood."""
        for at in word.children:
            child = self._parse.words[at]
            if child.dep not in _PLAIN and not (child.dep == "xcomp" and child.tag == "VBG"):
                return False
            if child.dep in ("aux", "auxpass") and child.text not in _AUXILIARIES:
                return False
            if child.dep == "advmod" and child.text not in _ADVERBS and not child.text.endswith("ly"):
                return False
            if child.dep == "mark" and child.text not in _MARKS:
                return False
        return True

    def _governs(self, word: Word) -> bool:
        return bool(self._parse.children(word, "dobj", "prep", "xcomp", "agent", "npadvmod"))

    def _find_doer(self, word: Word, verb: Word) -> Doer | None:
        """Return who does it: the verb's own subject, or that of the verb it is joined to."""
        subjects = self._parse.children(word, "nsubj", "nsubjpass")
        head = self._parse.head(word)
        if len(subjects) > 1:
            return None
        if subjects:
            subject = subjects[0]
            if subject.tag in ("WDT", "WP"):
                direct = word.dep == "relcl" and self._tokens[subject.start - 1] != "of"
                return self._check_doer(head, verb) if direct else None
            return self._check_doer(subject, verb)
        if word.dep == "acl":
            return self._check_doer(head, verb)
        joined = word.dep == "conj" and any(one.text in _JOINED for one in self._parse.children(head, "cc", "punct"))
        beside = word.dep in ("advcl", "xcomp") and word.tag == "VBG"
        if (joined or beside) and head.tag in ("VBG", "VBZ", "VBP", "VBN") and self._is_same_mood(word, head):
            return self._find_doer(head, verb)
        return None

    def _is_same_mood(self, word: Word, head: Word) -> bool:
        finite = {"VBZ", "VBP"}
        return word.dep != "conj" or (word.tag in finite) == (head.tag in finite) or head.tag == "VBN"

    def _check_doer(self, noun: Word, verb: Word) -> Doer | None:
        """Return the doer if it is boxed or a person, and nobody else stands between it and the verb."""
        if noun.lemma in GROUPS:
            of = next((one for one in self._parse.children(noun, "prep") if one.text == "of"), None)
            noun = (self._parse.child(of, "pobj") if of is not None else None) or noun
            if noun.tag != "NNS" and noun.text != "people":
                return None
        phrase = self._finder.find(noun)
        if phrase is None or phrase.start > verb.start:
            return None
        category = phrase.noun.category
        if category is None or (category != "person" and category not in self._finder.boxed):
            return None
        if phrase.is_plural and self._tokens[phrase.start] in ("a", "an") and phrase.noun.is_plural:
            return None  # a slip of the pen: "a women"
        if "one" in self._tokens[phrase.end : verb.start]:
            return None  # "two girls, and one is talking"
        others = [p for p in self._finder.reading.phrases if phrase.end <= p.start < verb.start]
        plain = noun.dep == "nsubj" and noun.head == verb.at and bool(self._parse.children(verb, "aux"))
        may_be_theirs = letter_of(phrase) == "t" or any(letter_of(one) in _MOVING for one in others)
        if others and may_be_theirs and not plain:
            return None
        return self._count(phrase, noun)

    def _count(self, phrase: NounPhrase, noun: Word) -> Doer | None:
        """Return the doer, who may be two: "a man and a woman"."""
        joined = self._parse.children(noun, "conj")
        if noun.dep == "conj":
            joined = [self._parse.head(noun), *joined]
        if not joined:
            return Doer(phrase, phrase.is_plural)
        other = self._finder.find(joined[0])
        if len(joined) > 1 or other is None or other.noun.kind != "person" or phrase.noun.kind != "person":
            return None
        first, last = sorted((phrase, other), key=lambda one: one.start)
        if self._tokens[first.end : last.start] != ("and",):
            return None
        noun_of_both = phrase.noun if phrase.noun.lemma == other.noun.lemma else _PEOPLE
        return Doer(structs.replace(last, noun=noun_of_both), is_plural=True)

    def _find_objects(self, word: Word, verb: Verb) -> list[NounPhrase | None]:
        """Return the objects, [None] for a verb without one; none where one is not clear."""
        given = self._parse.children(word, "dobj")
        if not given:
            return [None]
        if len(given) > 1 or given[0].start < word.start:
            return []
        found: list[NounPhrase | None] = []
        for noun in [given[0], *self._joined(given[0])]:
            thing = self._find_thing(noun)
            if thing is None or not may_do(verb, thing.noun.lemma) or not _is_worn(verb, thing):
                return found
            if found and letter_of(thing) in _MOVING:
                return found
            found.append(thing)
        return found

    def _joined(self, noun: Word) -> list[Word]:
        joined = self._parse.children(noun, "conj")
        return [one for first in joined for one in (first, *self._joined(first))]

    def _find_thing(self, noun: Word) -> NounPhrase | None:
        """Return what is meant: "bananas" of "a bunch of bananas"."""
        if noun.lemma in GROUPS:
            of = next((one for one in self._parse.children(noun, "prep") if one.text == "of"), None)
            inner = self._parse.child(of, "pobj") if of is not None else None
            return self._finder.find(inner) if inner is not None and inner.tag == "NNS" else None
        return self._finder.find(noun)

    def _find_place(self, word: Word, verb: Verb, doer: NounPhrase) -> tuple[str, NounPhrase] | None:
        """Return the first place behind the verb that hangs on it."""
        for child in self._parse.children(word, "prep", "advmod"):
            if child.start < word.start or child.start == child.end:
                continue
            preposition, length = read_preposition(self._tokens, child.start, verb.prepositions | WHERE)
            if not preposition:
                continue
            place = self._phrase_from(child.start + length, child)
            if place is None or place.noun.kind == "wear" or place.noun.category == doer.noun.category:
                return None
            return preposition, place
        return None

    def _phrase_from(self, start: int, preposition: Word) -> NounPhrase | None:
        """Return the phrase that begins at the token and hangs on the preposition."""
        for noun in self._parse.words:
            if noun.dep != "pobj" or noun.start < start:
                continue
            above, hops = noun, 0
            while above.at != preposition.at and above.head != above.at and hops < 4:
                above, hops = self._parse.head(above), hops + 1
            whole = above.at == preposition.at and not self._is_measure(noun)
            phrase = self._finder.find(noun) if whole else None
            return phrase if phrase is not None and phrase.start == start else None
        return None

    def _is_measure(self, noun: Word) -> bool:
        """True for "a cloud" of "a cloud of dust"."""
        return any(one.text == "of" for one in self._parse.children(noun, "prep"))

    def _read_passive(self, word: Word) -> Iterator[Event]:
        """Read "a kite flown by a boy" as what the boy does."""
        agent = self._parse.child(word, "agent")
        by = self._parse.child(agent, "pobj") if agent is not None else None
        verb = active(word) if by is not None else None
        if by is None or verb is None or word.dep not in ("acl", "root", "relcl"):
            return
        subject = self._parse.child(word, "nsubjpass")
        done = self._parse.head(word) if word.dep != "root" else subject
        thing = self._finder.find(done) if done is not None else None
        doer = self._finder.find(by)
        if thing is None or doer is None or doer.noun.kind not in ("person", "animal") or self._joined(by):
            return
        able = _is_able(doer, verb) and may_do(verb, thing.noun.lemma) and thing.end <= word.start
        if able and doer.noun.category in {"person", *self._finder.boxed}:
            yield self._make(Doer(doer, doer.is_plural), verb, thing, None, word)

    def _read_worn(self, word: Word) -> Iterator[Event]:
        """Read "a man ... in a red shirt" and "with a hat": what a person has on."""
        if word.dep != "prep" or word.text not in ("in", "with"):
            return
        noun = self._parse.head(word)
        given = self._parse.child(word, "pobj")
        doer = self._finder.find(noun) if noun.tag in ("NN", "NNS") else None
        if doer is None or given is None or doer.noun.category != "person" or doer.end != word.start:
            return
        person = self._count(doer, noun)
        for one in [given, *self._joined(given)]:
            worn = self._finder.find(one)
            if person is None or worn is None or worn.noun.kind != "wear":
                return
            if word.text == "with" and worn.noun.lemma not in _WORN_WITH:
                return
            shared = worn.is_plural or person.phrase != doer
            if shared and person.is_plural != worn.is_plural and worn.noun.article == "a":
                return  # a slip ("a man in suits"), or what one of two wears
            yield self._make(person, BE, None, ("in", worn), word)


def _is_able(doer: NounPhrase, verb: Verb) -> bool:
    return letter_of(doer) in verb.groups or (doer.noun.category == "teddy bear" and verb.base in ("wear", "sit"))


def _is_worn(verb: Verb, thing: NounPhrase) -> bool:
    """True for any other verb, and for what one can have on."""
    noun = thing.noun
    return verb.base != "wear" or noun.kind in ("wear", NEW) or (noun.category or noun.lemma) in _ALSO_WORN


def _is_same(event: Event, other: Event) -> bool:
    """True where the other tells it already, or reads the same verb of the same subject in another way."""
    if event.verb.base != other.verb.base or event.subject.noun.category != other.subject.noun.category:
        return False
    if event.subject.start != other.subject.start and event.subject.end != other.subject.end:
        return False
    a, b = (one.object or one.place for one in (event, other))
    return a is None or b is None or a.noun.lemma == b.noun.lemma or event.object is None or other.object is None


def find_parsed_events(finder: PhraseFinder) -> tuple[list[Event], list[NounPhrase]]:
    """Return the events that only the parse tells, and their phrases that the rules do not have."""
    return EventReader(finder).read()
