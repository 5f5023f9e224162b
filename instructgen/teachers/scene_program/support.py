"""How far the captions of an image bear each other out, for the choice of what a reasoning answer starts from."""

import re
from collections import defaultdict
from collections.abc import Set
from functools import cached_property

from msgspec import structs

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.corroboration import count_forms
from instructgen.scenegraph.graph import Action, Circumstance, Entity, SceneGraph, Statement
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import GENDERS

_SHARED = 2  # captions that tell one thing
_MOST = 3
_SHORTEST = 3  # letters: "as" is no plural of "a"
_ALONE = -1.5  # what a word costs that one caption has
_DENIED = -3.0  # what it costs to tell of benches where more captions have one bench
_ONE_OF = -1.5  # what it costs to tell of one person where most captions tell of several
_FEW = 0.5
_MANY = 1.0
# Of a group one may be told; "tracks" and "a track" are the same.
_WORDS = frozenset(
    ("person", "man", "woman", "child", "boy", "girl", "guy", "lady", "hot", "dog", "track", "rail", "wave", "wood")
)
_GROUPS = frozenset(("group", "couple", "pair", "bunch", "crowd", "family", "team"))
_LIVELY = ("person", "animal")
# Words for people by their sex, those for several too.
_SEXES = {form: sex for word, sex in GENDERS.items() for form in (word, plural_of(word))}
# Words for people, True for several of them.
_PEOPLE = dict.fromkeys(find_category("person").synonyms, False)
_PEOPLE |= dict.fromkeys(map(plural_of, _PEOPLE), True)
_PEOPLE |= dict.fromkeys(("people", *_GROUPS, "another", "together"), True)
_AMID = ("through", "among", "between")  # one is not amid a single mountain
_VERB = 1.5  # a doing weighs more than a noun


def is_clear(entity: Entity) -> bool:
    """True where it is known whether it is one or several: of one box captions may agree that it holds several."""
    return not entity.is_unclear or entity.num_plural >= _MOST


def is_several(entity: Entity) -> bool:
    """True for several boxes, unless captions speak of one, and for one box of what most captions have several."""
    if entity.is_unclear:
        return entity.num_plural >= _MOST
    return entity.is_many and not is_number_denied(entity)


def is_number_denied(entity: Entity) -> bool:
    """True for several boxes of what captions name as one: pieces of a table have a box each."""
    is_denied = entity.is_many and entity.num_captions > 0 and not entity.num_plural and entity.name != "person"
    if entity.is_many and entity.kind not in _LIVELY:  # of a cow and her calf captions tell one by one
        is_denied = is_denied or (entity.num_plural < _SHARED and entity.num_captions > _MOST)
    return is_denied and not (entity.is_plural_noun or entity.has_crowd or entity.word == entity.plural)


def _are_several(words: Set[str]) -> bool:
    return len(words) > 1 or any(_PEOPLE[word] for word in words)


class Support:
    """Counts captions; of an image with one caption everything is as sure as can be."""

    def __init__(self, graph: SceneGraph) -> None:
        self._graph = graph
        self._shared = min(_SHARED, graph.num_captions)

    def rate(self, statement: Statement) -> float:
        """Return how much of a statement other captions tell too, less what they do not."""
        nouns = sum(self._weigh(self._keys[key]) for key in statement.keys if key != statement.verb)
        doing = self._weigh(self._count_doing(statement)) * _VERB if statement.verb not in ("", "be") else 0.0
        number = 0.0 if self.tells_number(statement.text) else _DENIED
        return nouns + doing + number + (_ONE_OF if self._is_one_of_several(statement) else 0.0)

    def tells_number(self, text: str) -> bool:
        """True unless the text has in the plural what more captions have in the singular."""
        return not any(self._is_denied(word, self._singles[word]) for word in text.split() if word in self._singles)

    def is_undisputed(self, statement: Statement) -> bool:
        """False where two captions deny who it is or how many, or what several share where there are as many."""
        if statement.is_plural and self._shares_one(statement.said):
            return False
        return statement.category != "person" or (self._tells_who(statement) and not self._denies_many(statement))

    def _shares_one(self, text: str) -> bool:
        """True for cats that look out of one window, though two captions tell of windows."""
        return any(re.search(rf"\ban? (?:[a-z]+ )?{word}\b(?! [a-z]+s\b)", text) for word in self._several)

    def _tells_who(self, statement: Statement) -> bool:
        """False for a woman whom one caption tells of where two have a man alone."""
        said = {_SEXES[word] for part in statement.subject for word in part.text.split() if word in _SEXES}
        told = [{_SEXES[word] for word in words if word in _SEXES} for words in self._graph.words_by_caption]
        return not any(
            sum(sex in one for one in told) < _SHARED and sum(bool(one) and sex not in one for one in told) >= _SHARED
            for sex in said
        )

    def _denies_many(self, statement: Statement) -> bool:
        """True where one caption alone has several people and two have one."""
        said = statement.said_of.split()
        if not _are_several(_PEOPLE.keys() & set(said)):
            return False
        told = [words & _PEOPLE.keys() for words in self._graph.words_by_caption]
        many = sum(map(_are_several, told))
        return many < _SHARED and sum(map(bool, told)) - many >= _SHARED

    def settle_place(self, action: Action) -> Action:
        """Tell of one bench where captions deny that there are more, or leave the place out."""
        if action.is_plural and self._shares_one(action.where):
            return structs.replace(action, where="", place="", preposition="")
        if not action.where or self.tells_number(action.where):
            return action
        word = action.where.removeprefix(f"{action.preposition} ")
        single = self._singles.get(word)
        if single is not None and action.preposition not in _AMID:
            return structs.replace(action, where=f"{action.preposition} {with_article(single)}", place=single)
        return structs.replace(action, where="", place="", preposition="")

    def is_shared(self, statement: Statement) -> bool:
        """True if another caption tells the doing, or, of what only is there, its thing."""
        if statement.verb and statement.verb != "be":
            return self._count_doing(statement) >= self._shared
        return self._keys[statement.category or statement.lemma] >= self._shared

    def is_shared_doing(self, action: Action) -> bool:
        return action.num_bearing_out >= self._shared

    def is_shared_thing(self, entity: Entity) -> bool:
        """True for what captions name: a box is the second witness."""
        return entity.num_captions >= (1 if entity.boxes else self._shared)

    def is_named_by_two(self, entity: Entity) -> bool:
        """True for what two captions name, or the only one."""
        return entity.num_captions >= self._shared

    def is_shared_circumstance(self, circumstance: Circumstance) -> bool:
        return circumstance.num_captions >= self._shared

    def bears_out(self, key: str) -> bool:
        """True for a number, and for a look ("color dog") that two captions tell."""
        return key.startswith("count ") or key in self._looks

    def _is_denied(self, many: str, single: str) -> bool:
        num_single, num_many = count_forms(single, many, self._graph.words_by_caption)
        return num_single > num_many

    def _is_one_of_several(self, statement: Statement) -> bool:
        said = statement.said_of.split()
        is_one = statement.category == "person" and not statement.is_plural and _GROUPS.isdisjoint(said)
        people = self._graph.find("person") if is_one else None
        return people is not None and people.num_plural >= _MOST

    def _count_doing(self, statement: Statement) -> int:
        return self._doings[statement.verb, statement.category or statement.lemma]

    @staticmethod
    def _weigh(num_captions: int) -> float:
        if num_captions >= _MOST:
            return _MANY
        return _FEW if num_captions >= _SHARED else _ALONE

    @cached_property
    def _looks(self) -> frozenset[str]:
        entities = self._graph.entities
        shared = [one for one in self._graph.attributes if one.num_captions >= self._shared]
        return frozenset(f"{one.kind} {entities[one.entity].name}" for one in shared)

    @cached_property
    def _singles(self) -> dict[str, str]:
        """Words of the captions by their plurals."""
        return {many: word for word in self._graph.words if (many := plural_of(word)) != word and word not in _WORDS}

    @cached_property
    def _several(self) -> frozenset[str]:
        """Words for one thing of which two captions tell in the plural."""
        captions = self._graph.words_by_caption
        return frozenset(
            word
            for many, word in self._singles.items()
            if len(word) >= _SHORTEST and sum(many in words for words in captions) >= _SHARED
        )

    @cached_property
    def _doings(self) -> dict[tuple[str, str], int]:
        """In how many captions somebody or something does what is told of them."""
        captions: dict[tuple[str, str], set[int]] = defaultdict(set)
        for statement in self._graph.statements:
            captions[statement.verb, statement.category or statement.lemma].add(statement.span.caption)
        found: dict[tuple[str, str], int] = defaultdict(int)
        found.update({key: len(numbers) for key, numbers in captions.items()})
        for one in self._graph.actions:
            key = one.verb, one.category or one.lemma
            found[key] = max(found[key], one.num_bearing_out)
        return found

    @cached_property
    def _told_words(self) -> tuple[frozenset[str], ...]:
        """The words of each caption, those in the plural and forms of verbs as statements have them too."""
        return tuple(
            words
            | {self._singles[word] for word in words if word in self._singles}
            | {form.base for word in words if (form := VERB_FORMS.get(word))}
            for words in self._graph.words_by_caption
        )

    @cached_property
    def _keys(self) -> dict[str, int]:
        """In how many captions each word of a statement is told."""
        captions: dict[str, set[int]] = defaultdict(set)
        for statement in self._graph.statements:
            for key in statement.keys:
                captions[key].add(statement.span.caption)
        found: dict[str, int] = defaultdict(int)
        for key, numbers in captions.items():
            numbers.update(number for number, words in enumerate(self._told_words) if key in words)
        found.update({key: len(numbers) for key, numbers in captions.items()})
        for entity in self._graph.entities:
            if entity.member_of is None:
                found[entity.name] = max(found[entity.name], entity.num_captions)
        return found
