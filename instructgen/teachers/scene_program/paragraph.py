"""A detailed description in the making."""

import random
import re
from collections.abc import Iterable
from functools import cache
from itertools import chain

from msgspec import Struct

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import COLOURS, plural_of, with_article
from instructgen.scenegraph.attributes import VALUES
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, Circumstance, Entity, SceneGraph, Statement, StatementPart
from instructgen.scenegraph.postures import excludes
from instructgen.scenegraph.saying import SPORTS
from instructgen.scenegraph.settings import SETTINGS, UNNAMED
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.vocabulary import ADJECTIVES, AIRLINERS, NOUNS
from instructgen.teachers.scene_program.generators.outdone import are_alike
from instructgen.teachers.scene_program.phrasing import Phrase, say_described, say_parts
from instructgen.teachers.scene_program.speech import (
    PICTURE_WORDS,
    is_countable,
    polish,
    say_number,
    say_one,
    say_region,
    say_thing,
)
from instructgen.teachers.scene_program.talk import circumstance_claim
from instructgen.teachers.scene_program.wordings import Family

MAX_SENTENCES = 8
_WORD = re.compile(r"\w+")
_STUNTS = frozenset(("jump", "leap", "fly", "flip", "grind"))
_TRICKS = frozenset(("trick", "skateboard trick", "snow board trick", "stunt", "jump"))
# Of "a kitchen with appliances" it may be told where the stove is.
_TOLD_BY_PLACE = ("appliance", "furniture", "electronic")
_HELD = ("hold", "carry")
_THROWN = ("throw", "toss", "launch", "serve", "catch")
_GROUPS = frozenset(("couple", "team", "family", "crowd", "others"))
_OF_TRAFFIC = re.compile(r"\btraffic (?=light|sign|signal|cone)")
# Of several things only some may be there: the bikes on the sidewalk, and the car beside it.
_WAYS = frozenset(
    (
        *("sidewalk", "street", "road", "dirt road", "highway", "crosswalk", "driveway", "trail", "bridge", "pier"),
        *("dock", "platform", "runway", "tarmac"),
    )
)
_NARROW = _WAYS | frozenset(
    (
        *("field", "pasture", "meadow", "pen", "enclosure", "lawn", "yard", "grass", "slope", "ski slope", "hill"),
        *("mountain", "ocean", "lake", "river", "pond", "water", "snow", "patio", "porch", "deck"),
    )
)
_SEVERAL = 2  # captions
_LOOKS = frozenset((*COLOURS, *VALUES, *ADJECTIVES, "wooden", "and"))


class Doer(Struct, frozen=True):
    """Who was told to do what: `word` as it was said, without article."""

    word: str
    lemma: str
    category: str
    kind: str
    verb: str
    is_plural: bool


def doer_of(one: Action | Statement) -> Doer:
    word = one.subject if isinstance(one, Action) else one.word
    return Doer(word, one.lemma or word, one.category, one.kind, one.verb, one.is_plural)


class Paragraph:
    """`named` are the things it has introduced, `told` the keys of facts, so that none comes twice.

    `mentioned` are the words of single things that it has spoken of: from then on these are "the", not "a".
    """

    def __init__(self, graph: SceneGraph, draw: random.Random, wordings: dict[str, Family]) -> None:
        self.graph = graph
        self.draw = draw
        self.wordings = wordings
        self.pic = draw.choice(PICTURE_WORDS)
        self.sentences: list[str] = []
        self.claims: list[Claim] = []
        self.named: set[str] = set()
        self.told: set[str] = set()
        self.openings: set[str] = set()
        self.doers: list[Doer] = []
        self.mentioned: set[str] = set()
        self._known: list[str] = []  # the sentences that these are of
        self._text = ""
        self._words: frozenset[str] = frozenset()

    def add(self, family: str, claims: tuple[Claim, ...], **slots: str) -> None:
        """Add a sentence; a form serves once, and no two sentences open alike where that can be helped."""
        forms = list(self.wordings[family].plain)
        self.draw.shuffle(forms)
        if self.sentences and self.sentences[-1].endswith(f" {self.pic}."):
            forms.sort(key=lambda form: form.endswith("{pic}."))
        words = {"pic": self.pic, "apic": with_article(self.pic), **slots}
        said = (self.refer_back(form.format(**words)) for form in forms)
        first = next(said)
        sentence = next((one for one in chain((first,), said) if _opening_of(one) not in self.openings), first)
        self.openings.add(_opening_of(sentence))
        self.sentences.append(polish(sentence))
        self.claims += claims
        self.mentioned |= {one.word for one in self.graph.entities if one.is_single and _has(sentence, one.word)}

    def mark(self) -> tuple[int, int]:
        """Return the end of what is written so far, for `turn`."""
        return len(self.sentences), len(self.claims)

    def turn(self, start: tuple[int, int], middle: tuple[int, int]) -> None:
        """Put what was written from `middle` on before what was written from `start` to there."""
        (low, at), (high, to) = start, middle
        self.sentences[low:] = [*self.sentences[high:], *self.sentences[low:high]]
        self.claims[at:] = [*self.claims[to:], *self.claims[at:to]]

    def set_scene(self, things: Iterable[Entity] = ()) -> tuple[str, tuple[Claim, ...]]:
        """Return the place to end the first sentence with, led by a space, and its claim; "" where it is no such.

        Of a road or the like two captions have to tell; where several `things` are, one has to name them all there.
        """
        place = self.graph.circumstance("place")
        if place is None or place.value in UNNAMED or not self._holds(place, list(things)):
            return "", ()
        self.told.update(("setting", place.value))
        return f" {place.phrase}", (circumstance_claim(place),)

    def _holds(self, place: Circumstance, things: list[Entity]) -> bool:
        captions = {span.caption for span in place.evidence.spans}
        if not things:
            return place.value not in _WAYS or len(captions) >= min(_SEVERAL, self.graph.num_captions)
        named = ({span.caption for span in one.evidence.spans} for one in things)
        return place.value not in _NARROW or bool(captions.intersection(*named))

    def refer_back(self, text: str) -> str:
        """Put "the" for the "a" of single things that were mentioned before."""
        for word in sorted(self.mentioned, key=lambda one: (-len(one), one)):
            if word in text:
                text = _indefinite(word).sub(_put_definite, text)
        return text

    def say(self, parts: tuple[StatementPart, ...]) -> Phrase:
        """Say a part of a statement, with the looks of things that were not mentioned before."""
        return say_parts(self.graph, parts, self.is_new, self.mentioned)

    def name(self, entity: Entity) -> str:
        """Say "the" of what was named before, "a" of what is new, and from now on "the"."""
        known = entity.word in self.mentioned
        self.named.add(entity.name)
        return f"the {entity.word}" if known else say_one(entity.word)

    def say_region(self, region: str) -> str:
        return say_region(region, self.draw, self.pic).removeprefix("over ")

    def has_said(self, word: str) -> bool:
        return word in self.text()

    def has_opened_with(self, entity: Entity) -> bool:
        """True for what the first sentence names: the others are not worth a sentence on their size."""
        first = self.sentences[0].lower()
        return any(_has(first, word) for word in (entity.word, entity.plural, entity.name))

    def has_word(self, word: str) -> bool:
        text = self.text()
        return word.lower() in self._words if word.isalnum() else _has(text, word)

    def text(self) -> str:
        """Return what was said, in lower case."""
        if self._known != self.sentences:
            self._known = list(self.sentences)
            self._text = " ".join(self.sentences).lower()
            self._words = frozenset(_WORD.findall(self._text))
        return self._text

    def has_said_several(self, entity: Entity) -> bool:
        """True where the things of a category came as several: "two boys", "a man and a woman" of two people."""
        words = self.text().replace(".", " ").replace(",", " ").split()
        found = [
            NOUNS.get(phrase) for at in range(len(words)) for phrase in (words[at], " ".join(words[at : at + 2]))
        ]
        own = [noun for noun in found if noun is not None and noun.category == entity.category]
        is_group = entity.category == "person" and not _GROUPS.isdisjoint(words)
        return (
            is_group or any(noun.is_plural for noun in own) or len({noun.lemma for noun in own}) == len(entity.boxes)
        )

    def has_told_otherwise(self, word: str) -> bool:
        """True for what may have been told of by another name, or a general one: a post as a pole, pizza as food.

        That one is on skis is told by "skiing".
        """
        if any(one.verb == SPORTS.get(word) for one in self.doers):
            return True
        if word in self.named:
            return False
        boxed = {one.category for one in self.graph.entities}
        if word in boxed:
            others = SAID_TWICE.get(word, frozenset()) - boxed
            return is_meant(word, self.text()) or not self.named.isdisjoint(others)
        return is_meant(word, self.text()) or not self.named.isdisjoint(SAID_TWICE.get(word, ()))

    def is_told_by_place(self, entity: Entity) -> bool:
        """True for one of the appliances or the furniture that a general word told: its place is told."""
        return entity.kind in _TOLD_BY_PLACE and is_meant(entity.category, self.text())

    def may_have_said(self, entity: Entity) -> bool:
        """True if a word that may mean the same thing was said: "bag" of a handbag, "plate" of a bowl."""
        said = _OF_TRAFFIC.sub("", self.text())  # a traffic light is no traffic
        if entity.kind in ("animal", "vehicle") and any(self.has_word(word) for word in _names_of(entity.category)):
            return True  # a kitten, and then a cat
        last = entity.word.split()[-1]
        others = {*SAID_TWICE.get(entity.word, ()), *SAID_TWICE.get(last, ())}
        if entity.category:  # who boxed a chair and a bench saw both
            others -= {word for one in self.graph.boxed_entities() for word in (one.word, one.plural)}
        words = {entity.word, last, *others}
        is_held = entity.kind not in _TOLD_BY_PLACE and is_meant(entity.category, said)
        if is_held:
            return True
        told = frozenset(_WORD.findall(said)) if said != self.text() else self._words
        forms = (form for word in words for form in (word, plural_of(word)))
        return any(form.lower() in told if form.isalnum() else _has(said, form) for form in forms)

    def note(self, action: Action) -> None:
        """Keep in mind what an action told."""
        self.named.update(action.things | {action.category, action.subject, action.object, action.place})
        self.told.update((f"{action.verb} {action.subject}", action.place))
        self.doers.append(doer_of(action))
        if action.place in SETTINGS:
            self.told.add("setting")

    def note_statement(self, statement: Statement) -> None:
        """Keep in mind what a statement told."""
        word = statement.word
        self.named.update(statement.keys | {word, statement.lemma, statement.category})
        self.told.update(statement.keys | statement.looks | {f"{statement.verb} {word}"})
        self.doers.append(doer_of(statement))
        if statement.keys & SETTINGS.keys():
            self.told.add("setting")

    def does_alike(self, word: str, verb: str) -> bool:
        """True if this subject was told to do much the same ("riding skis", "skiing"), or may not do this too."""
        own = [one.verb for one in self.doers if one.word == word]
        if own and word == "people" and verb != "wear":
            return True  # of people some may do this and some that
        has_done_it = not _TRICKS.isdisjoint(self.told | self.named) or not _STUNTS.isdisjoint(own)
        if own and verb in _STUNTS and has_done_it:
            return True  # who does a trick in the air jumps
        return any(are_alike(one, verb) or excludes(one, verb) or _lets_go(one, verb) for one in own)

    def room(self) -> int:
        return MAX_SENTENCES - 1 - len(self.sentences)

    def is_new(self, *keys: str) -> bool:
        return not self.told.intersection(keys)


def _lets_go(one: str, verb: str) -> bool:
    """True for holding and throwing: who does the one has done with the other, or not begun."""
    return (one in _HELD and verb in _THROWN) or (one in _THROWN and verb in _HELD)


@cache
def _names_of(category: str) -> frozenset[str]:
    named = {word for word, noun in NOUNS.items() if noun is not None and noun.category == category}
    return frozenset(named | AIRLINERS if category == "airplane" else named)


def _opening_of(sentence: str) -> str:
    words = sentence.lower().split()[:2]
    return words[0] if words[:1] == ["neither"] else " ".join(words)


def _has(text: str, word: str) -> bool:
    return _word(word).search(text) is not None


@cache
def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)


@cache
def _indefinite(word: str) -> re.Pattern[str]:
    looks = r"(?P<looks>(?:(?!an? )[a-z-]+,? )*?)"
    return re.compile(rf"\b[Aa]n? (?P<what>{looks}(?P<word>{re.escape(word)}))\b(?P<after>(?: [a-z]+)?)")


def _put_definite(match: re.Match[str]) -> str:
    """Leave "a bus" of "a bus stop" as it is, and what has other words before it than looks."""
    after = match["after"]
    if after and f"{match['word']}{after}" in NOUNS:
        return match[0]
    if not all(look.rstrip(",") in _LOOKS for look in match["looks"].split()):
        return match[0]
    the = "The" if match[0].startswith("A") else "the"
    return f"{the} {match['what']}{after}"


def say_counted(page: Paragraph, entity: Entity) -> Phrase:
    """Word a thing for a list with its number or its looks, whichever is certain, and keep these in mind."""
    if (entity.count or 0) > 1 and is_countable(entity) and page.is_new(f"count {entity.name}"):
        page.told.add(f"count {entity.name}")
        claim = Claim("count", entity.plural, number=entity.count or 0, evidence=entity.evidence)
        return Phrase(f"{say_number(entity.count or 0)} {entity.plural}", (claim,))
    if entity.is_many:
        return Phrase(say_thing(entity))
    described = say_described(page.graph, entity, page.is_new)
    page.told.update(described.keys)
    return Phrase(say_one(described.words), described.claims)
