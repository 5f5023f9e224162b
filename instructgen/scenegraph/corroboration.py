"""What more than one source tells: of a caption's details only those are told on that a box or another caption has.

Measured on read samples: nearly all that was wrong in descriptions was a thing, a place or a doing of which one of
five captions told, and another told otherwise in words that no table of opposites has.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from functools import lru_cache

from msgspec import Struct, structs

from instructgen.lexicon.meanings import BORNE_OUT, TOLD_BY
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import Action
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS, doing_tokens
from instructgen.scenegraph.vocabulary import AGES, NOUNS

_ENOUGH = 2  # captions
MOST = 3  # captions that bear a word out by other words
FEW = 5  # captions of an image below which one is enough: nothing else can be asked
_KEPT_WORDS = 1 << 16
# Verbs by which people tell much the same; a row is a family.
_FAMILIES = """
ride ski snowboard surf skateboard skate paddle
ride drive travel move go race pull approach
perform do jump
jump leap hop
hold carry use
sit seat perch rest lounge relax
lie lay sleep nap rest lounge relax
stand pose wait
walk cross move go roam run travel
eat enjoy graze feed chew bite
fly float
wear dress
hit swing serve
look watch stare face peer overlook
cut prepare make cook
park stop dock
fill cover top
place arrange display
smile pose
mount hang attach
surround cover
gather stand
put place pack load
photograph take
throw toss
play fight wrestle
roast grill cook
repair fix
surf windsurf parasail kiteboard
lift hold carry
"""
_IN_FAMILY = [frozenset(row.split()) for row in _FAMILIES.strip().splitlines()]
_NO_DOINGS = frozenset((
    "evening", "morning", "ceiling", "wedding", "nothing", "something", "anything", "everything", "clothing",
    "during", "railing", "frosting", "topping", "parking", "setting", "interesting", "including", "building",
    "lighting", "amazing", "dressing", "dining", "shopping", "meeting", "landing", "crossing",
))  # fmt: skip
# What one does while doing something else.
_AT_ONCE = frozenset((
    "sit", "stand", "lie", "lay", "seat", "rest", "perch", "lean", "kneel", "hold", "carry", "wear", "look", "watch",
    "smile", "pose", "wait", "stare", "use", "face", "park", "surround", "hang", "have", "gather", "lounge", "relax",
))  # fmt: skip
# Of these one caption has one and another several, and both are right.
_EITHER = frozenset((
    "trick", "track", "slope", "picture", "photo", "game", "uniform", "floor", "wall", "cabinet", "counter", "grass",
    "appliance", "tile", "blanket", "mountain",
))  # fmt: skip
_BARE = frozenset(("be", "have", "wear", "hold"))  # what one has, in whatever words


class Voices(Struct, frozen=True):
    """The words of each caption, nouns in the spelling of the tables too; in how many a verb or a doing is told."""

    captions: tuple[frozenset[str], ...]
    verbs: Counter[str]
    num_telling: int
    doings: Counter[str]

    @property
    def enough(self) -> int:
        return _ENOUGH if len(self.captions) >= FEW else 1

    def is_named(self, lemma: str) -> bool:
        """True if two captions have the noun, in the singular or the plural, or one has and others bear it out.

        Of several words the last counts, but for a room of some kind: a dorm room is no hotel room.
        """
        forms = _forms_of(lemma)
        if lemma.endswith(" room"):
            kind = lemma.rpartition(" ")[0]
            return sum(kind in words for words in self.captions) >= self.enough
        named = sum(not forms.isdisjoint(words) for words in self.captions)
        if named >= self.enough or not named:
            return named >= self.enough
        others = BORNE_OUT.get(lemma) or BORNE_OUT.get(lemma.rpartition(" ")[2], frozenset())
        return sum(not (forms | others).isdisjoint(words) for words in self.captions) >= MOST

    def tells_number(self, lemma: str, *, is_plural: bool) -> bool:
        """True unless as many captions have the noun in the other number."""
        single, many = _single_and_plural(lemma)
        if single == many:
            return True
        num_single, num_many = count_forms(single, many, self.captions)
        return (num_many > num_single if is_plural else num_single > num_many) or num_many + num_single == 0

    def disputes_number(self, lemma: str, *, is_plural: bool, is_boxed: bool = False) -> bool:
        """True for several where as many have one, or far more where boxes tell; for one where more have several."""
        single, many = _single_and_plural(lemma)
        if single == many or single in _EITHER:
            return False
        num_single, num_many = count_forms(single, many, self.captions)
        if not is_plural:
            return num_many > num_single
        return num_single > 2 * num_many if is_boxed else num_single >= num_many > 0

    def is_word(self, word: str) -> bool:
        return sum(word in words for words in self.captions) >= self.enough

    def is_done(self, verb: str) -> bool:
        """True if two captions tell the verb or one that is much the same, or none of the others tells a doing."""
        if verb in _BARE or self.num_telling < _ENOUGH:
            return True
        return self.verbs[verb] >= self.enough and not self._is_outvoted(verb)

    def _is_outvoted(self, verb: str) -> bool:
        """True for a doing where more captions, and three at least, tell by one word something else."""
        own = self.verbs[verb]
        most = [doing for doing, number in self.doings.items() if number > max(own, _ENOUGH)]
        return verb not in _AT_ONCE and any(verb not in verbs_of(doing) for doing in most)


@lru_cache(maxsize=_KEPT_WORDS)
def count_forms(single: str, many: str, captions: Iterable[Set[str]]) -> tuple[int, int]:
    """Return how many captions have a noun in the singular only, and how many in the plural."""
    has = [(single in words, many in words) for words in captions]
    return sum(one and not several for one, several in has), sum(several for _, several in has)


def _single_and_plural(lemma: str) -> tuple[str, str]:
    head = lemma.rpartition(" ")[2]
    return head, plural_of(head)


@lru_cache(maxsize=_KEPT_WORDS)
def _forms_of(lemma: str) -> frozenset[str]:
    return frozenset(_single_and_plural(lemma))


@lru_cache(maxsize=_KEPT_WORDS)
def verbs_of(token: str) -> frozenset[str]:
    """Return the verbs that a word tells of, with those that are much the same."""
    verb = VERB_FORMS.get(token) or TOLD_VERBS.get(token)
    if verb is None and token not in NOUNS:
        verb = BASE_FORMS.get(token)
    told = {verb.base} if verb is not None else {base for base, words in TOLD_BY.items() if token in words}
    return frozenset(told).union(*(family for family in _IN_FAMILY if told & family))


@lru_cache(maxsize=_KEPT_WORDS)
def families_of(verb: str) -> frozenset[str]:
    """Return the other verbs by which people tell much the same."""
    return frozenset[str]().union(*(family for family in _IN_FAMILY if verb in family)) - {verb}


@lru_cache(maxsize=_KEPT_WORDS)
def tells_itself(lemma: str, verb: str) -> bool:
    """True for a doer whose word tells the doing: a skier who skis."""
    return not TOLD_BY.get(verb, frozenset[str]()).isdisjoint(_forms_of(lemma))


@lru_cache(maxsize=_KEPT_WORDS)
def _is_doing(token: str) -> bool:
    """True for "shaking" and other verbs that no table has, by their ending."""
    return token.endswith("ing") and len(token) > len("string") and token not in NOUNS and token not in _NO_DOINGS


@lru_cache(maxsize=_KEPT_WORDS)
def _is_rival(token: str) -> bool:
    """True for a doing that fills somebody's time, as eating does, and not for sitting, which may go with it."""
    told = VERB_FORMS.get(token) or TOLD_VERBS.get(token)
    return (told.base not in _AT_ONCE) if told is not None else _is_doing(token)


def hear(readings: Iterable[CaptionReading]) -> Voices:
    """Collect what the captions name and tell."""
    verbs: Counter[str] = Counter()
    doings: Counter[str] = Counter()
    captions = []
    num_telling = 0
    for reading in readings:
        told = frozenset[str]().union(*map(verbs_of, doing_tokens(reading.tokens)))
        doings.update(token for token in set(reading.tokens) if token.endswith("ing") and _is_rival(token))
        captions.append(frozenset((*reading.tokens, *(phrase.noun.lemma for phrase in reading.phrases))))
        verbs.update(told)
        num_telling += bool(told) or any(map(_is_doing, reading.tokens))
    return Voices(tuple(captions), verbs, num_telling, doings)


def find_told(actions: Iterable[Action]) -> Iterator[Action]:
    """Yield the actions that two sources agree on, without a place that only one names."""
    for one in actions:
        if one.doing == "playing" and one.kind == "person" and AGES.get(one.lemma) != "young" and not one.place:
            continue  # what a woman plays has to be told
        if one.is_agreed and one.is_place_agreed:
            yield one
        elif one.is_agreed and (one.object or (one.doing and VERB_FORMS[one.doing.split()[0]].may_stand_alone)):
            yield structs.replace(one, where="", place="", preposition="")
