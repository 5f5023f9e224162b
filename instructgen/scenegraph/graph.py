"""The scene graph's parts. Every fact names the captions and boxes that it rests on, and how far it can be trusted.

Facts are "sure" where two sources agree (captions, or a caption and a box) and none disagrees, and "likely" where
one says it and none disagrees. What sources disagree on is no fact: it is kept as a contradiction.
"""

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from instructgen.lexicon.words import plural_of
from instructgen.records import Box
from instructgen.scenegraph.people import PersonWords

if TYPE_CHECKING:
    from instructgen.scenegraph.agreement import Sources

_MOST = 3  # captions
Certainty = Literal["sure", "likely"]
AttributeKind = Literal["color", "material", "size", "age", "pattern", "state"]
CircumstanceKind = Literal["place", "time", "weather"]


class Span(Struct, frozen=True, gc=False):
    """Characters `start` up to `end` of a caption, by its number in the record."""

    caption: int
    start: int
    end: int


class Evidence(Struct, frozen=True):
    """`boxes` are numbers in the record's order, crowd boxes included."""

    spans: tuple[Span, ...] = ()
    boxes: tuple[int, ...] = ()


class Entity(Struct, frozen=True):
    """One thing, or all things of a category that cannot be told apart.

    `category` is empty for a thing that no box holds; `name` is the category or else the lemma. `word` and `plural`
    are how it is said of this image. `boxes` leave out crowds; of one thing that is boxed in parts there are none.
    `count` is None where captions do not confirm the number of boxes, `num_plural` in how many captions it is
    several. `member_of` is the number of the group that it is one of: a man among two people of whom it is not clear
    which box is his. `is_listed` is false for what is too vague to be told as a thing of its own.
    """

    number: int
    name: str
    category: str
    kind: str
    word: str
    plural: str
    boxes: tuple[Box, ...]
    has_crowd: bool
    num_captions: int
    is_single: bool
    count: int | None
    evidence: Evidence
    certainty: Certainty
    member_of: int | None = None
    is_plural_noun: bool = False
    is_listed: bool = True
    num_plural: int = 0

    @property
    def is_many(self) -> bool:
        """True where at least two are certain."""
        return self.has_crowd or len(self.boxes) > 1 or self.is_plural_noun

    @property
    def is_unclear(self) -> bool:
        """True for one box of what some caption has in the plural: it may hold several."""
        return len(self.boxes) == 1 and not self.has_crowd and not self.is_single and self.category != "person"

    @property
    def said(self) -> str:
        """The word for it as it is here: "dog" or "dogs"."""
        return self.plural if self.is_many else self.word

    @property
    def area(self) -> float:
        """Share of the image that the largest box takes; a crowd is not measured."""
        return max((box.area for box in self.boxes), default=0.0)


class Attribute(Struct, frozen=True):
    """`value` is the word as we say it ("gray", "wood", "old"); several colors are joined by "and"."""

    entity: int
    kind: AttributeKind
    value: str
    evidence: Evidence
    certainty: Certainty
    num_captions: int


class Action(Struct, frozen=True):
    """`doing` follows "is" or "are" ("holding an umbrella"); `where` is its place ("on a beach") or "".

    `subject` has no article, `lemma` is its singular; `entity` is who does it, None where only the word is known.
    `verb` is the base form, "be" for what merely lies somewhere; `held` is its object as it is said ("an umbrella").
    `object` and `place` are lemmas or ""; `things` are the other categories it names. `number` is how many do it if
    the caption's number is that of the boxes, else 0. `is_agreed` and `is_place_agreed` tell whether boxes or
    two captions have what it names. `num_captions` are those that tell it so, and are cited; `num_alike` counts all
    that tell it in whatever words, and is 0 where that was not asked.
    """

    entity: int | None
    subject: str
    category: str
    kind: str
    is_plural: bool
    verb: str
    object: str
    preposition: str
    place: str
    doing: str
    where: str
    held: str
    things: frozenset[str]
    evidence: Evidence
    certainty: Certainty
    num_captions: int
    number: int = 0
    lemma: str = ""
    is_agreed: bool = True
    is_place_agreed: bool = True
    num_alike: int = 0

    @property
    def num_bearing_out(self) -> int:
        return max(self.num_captions, self.num_alike)

    @property
    def is_main(self) -> bool:
        """True for what most of five captions tell, each in its own words."""
        return self.num_bearing_out >= _MOST and bool(self.doing)


class Circumstance(Struct, frozen=True):
    """The place ("kitchen"), the time ("night") or the weather ("rain"), and how it is said ("in a kitchen")."""

    kind: CircumstanceKind
    value: str
    phrase: str
    evidence: Evidence
    certainty: Certainty
    num_captions: int


class StatementPart(Struct, frozen=True):
    """Words of a statement; `entity` is the single thing they name by "a" and no look, of which looks may be told."""

    text: str
    entity: int | None


class Statement(Struct, frozen=True):
    """A caption's clause, said anew: `subject` ("two men in jackets") + `predicate` (" sitting at a table").

    The predicate follows "is" or "are"; it is empty where the caption tells what is there and nothing that is done.
    `verb` is the base form ("be" for what merely is somewhere) or ""; `lemma`, `category` and `kind` are those of
    the subject's first noun. `keys` are the categories, nouns, verbs and colors that it tells, `looks` the kinds of
    looks with the thing they are of ("color dog"), and "count dog" where it tells a number.
    """

    span: Span
    subject: tuple[StatementPart, ...]
    predicate: tuple[StatementPart, ...]
    verb: str
    is_plural: bool
    lemma: str
    category: str
    kind: str
    keys: frozenset[str]
    looks: frozenset[str]

    @property
    def word(self) -> str:
        """The word for its subject, without article: "man" or "men"."""
        return plural_of(self.lemma) if self.is_plural else self.lemma

    @property
    def said_of(self) -> str:
        """The subject as it reads: "two men in jackets"."""
        return "".join(part.text for part in self.subject)

    @property
    def said(self) -> str:
        """The predicate as it reads: " sitting at a table"."""
        return "".join(part.text for part in self.predicate)

    @property
    def text(self) -> str:
        return self.said_of + self.said


class Contradiction(Struct, frozen=True):
    """What sources disagree on, and so nothing is said of: the values in the order of their first mention."""

    about: str
    kind: str
    values: tuple[str, ...]
    evidence: Evidence


class SceneGraph(Struct, frozen=True):
    """An image read. `entities` begin with the most important, each at the place that its number names.

    `told` are the actions that may be told: those that two sources agree on, without a place that one alone names.
    `outdoors` is what shows that the image is taken there, None where that is not certain.
    `common` are the things that most captions have a word for, by category or lemma: no list of the image lacks them.
    `quotes` are clauses in a caption's own words, read where no statement tells a doing.
    `sources` are for reading more of a caption later on, None where that would tell of pictures in the picture.
    `words` are all words of the captions, `words_by_caption` those of each.
    `boxed` are the categories of all boxes, trusted or not.
    """

    image_id: str
    entities: tuple[Entity, ...]
    attributes: tuple[Attribute, ...]
    actions: tuple[Action, ...]
    told: tuple[Action, ...]
    circumstances: tuple[Circumstance, ...]
    statements: tuple[Statement, ...]
    contradictions: tuple[Contradiction, ...]
    num_captions: int
    words: frozenset[str]
    outdoors: Evidence | None
    boxed: frozenset[str]
    person: PersonWords
    common: frozenset[str] = frozenset()
    quotes: tuple[Statement, ...] = ()
    words_by_caption: tuple[frozenset[str], ...] = ()
    sources: "Sources | None" = None

    def find(self, name: str) -> Entity | None:
        """Return the entity of this name that is no member of a group."""
        return next((one for one in self.entities if one.name == name and one.member_of is None), None)

    def boxed_entities(self) -> list[Entity]:
        return [one for one in self.entities if one.category and one.member_of is None]

    def attributes_of(self, entity: Entity) -> list[Attribute]:
        return [found for found in self.attributes if found.entity == entity.number]

    def circumstance(self, kind: CircumstanceKind) -> Circumstance | None:
        """Return the best supported one of the kind."""
        return next((found for found in self.circumstances if found.kind == kind), None)
