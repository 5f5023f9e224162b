"""The clause of a caption that is told whole, read to its very end."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from instructgen.scenegraph.agreement import Sources, key_of
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.hearsay import is_form, stem_of
from instructgen.scenegraph.placements import find_preposition
from instructgen.scenegraph.plain_words import DOING, EMPTY, IN_PICTURES, OF_LIVING, STATES
from instructgen.scenegraph.postures import POSTURES, is_posture_disputed
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import lacks_from, say_preposition
from instructgen.scenegraph.subjects import read_group, says_twice
from instructgen.scenegraph.verbs import BASE_FORMS, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS
from instructgen.scenegraph.whole_nouns import NounReader, name_key

_MOST_ALONE = 1  # words that no other caption has
_FOR_TWO = 3  # shared words for which two may be alone
_FEWEST_SHARED = 2
_MOST_DOINGS = 2
_BE = frozenset(("is", "are"))
_WHO = frozenset(("that", "who", "which"))
_ENDS = frozenset(("", ".", ",", ";", "!"))
_MANNERS = (
    "next to each other", "side by side", "at each other", "with each other", "to each other", "each other",
    "together", "outside", "inside", "outdoors", "indoors",
    "in mid air", "in the air", "upside down", "closely", "neatly", "on display", "for sale", "alone",
)  # fmt: skip
_HAVING = frozenset(("containing", "featuring", "having"))
_WITHIN = ("inside", "outside")
_PUT = frozenset((
    "sit", "stand", "lie", "lay", "rest", "park", "stop", "place", "locate", "position", "situate", "display", "post",
    "seat", "plac", "locat", "situat",
))  # fmt: skip
_BY = frozenset((
    "on", "on top of", "in", "at", "near", "next to", "by", "beside", "behind", "in front of", "under", "inside",
    "between", "among", "on the side of", "in the middle of",
))  # fmt: skip
# Nobody disputes these.
_SLIGHT = frozenset((
    "very", "multiple", "style", "colored", "dirt", "city", "body", "piece", "pieces", "pile", "pair", "all",
    "distance", "background", "corner", "display", "side",
))  # fmt: skip
_NEXT = frozenset(("while", "as", "that", "which", "who", "during", "for"))
_BACK = frozenset(("it", "them"))
_BOUND = frozenset(("", "of", "to", "into", "off", "up", "out of", "like"))  # these belong to what stands before
_PARTICLES = frozenset(("up", "down", "out", "off", "away", "back", "over", "around", "along", "by"))
_STATES_OF_PARTS = frozenset(("on", "off", "open"))
_IRREGULAR = frozenset(("been", "made", "put", "cut", "set", "fallen", "eaten", "taken", "replaced"))


class _End(NamedTuple):
    """Where a clause may end too: how much of it is read there."""

    at: int
    num_parts: int
    num_keys: int
    num_doings: int
    split: int
    verb: str
    looks: frozenset[str]
    is_plural: bool


class Clause(NounReader):
    """A caption's clause; `split` is the part that its predicate begins with, `stop` the first token not to tell."""

    def __init__(
        self, reading: CaptionReading, sources: Sources, others: Sequence[frozenset[str]], stop: int
    ) -> None:
        super().__init__(reading, sources, others)
        self.stop = stop
        self.ends: list[_End] = []
        self.may_end_early = self.is_cut = False

    def make(self, *, may_end_early: bool = False) -> Statement | None:
        """Read it; None where it is not understood, or where something speaks against it, wherever it may end."""
        self.may_end_early = may_end_early
        found = self._state() if self._read() and self.at <= self.stop else None
        while found is None and self.ends:
            self.is_cut = True
            self._go_back(self.ends.pop())
            found = self._state()
        return found

    def _state(self) -> Statement | None:
        if not self._is_shared():
            return None
        parts, keys = tuple(self.parts), frozenset(self.keys)
        split = self.split or len(parts)
        verb = self.verb or ("be" if split < len(parts) else "")
        return None if says_twice(parts) else self.state_it(parts, keys, self.at, split, verb)

    def _go_back(self, end: _End) -> None:
        self.at, self.split, self.verb, self.is_plural = end.at, end.split, end.verb, end.is_plural
        self.looks = set(end.looks)
        del self.parts[end.num_parts :], self.keys[end.num_keys :], self.doings[end.num_doings :]

    def _note_end(self) -> None:
        """Keep in mind that what follows may be left out: it is no part of the noun, of a list or of the verb."""
        is_whole = self.state in ("noun", "manner") and (bool(self.verb) or self.num_preps > 0) and not self.is_list
        if is_whole and self.at <= self.stop and self._may_leave_out():
            sizes = (len(self.parts), len(self.keys), len(self.doings))
            self.ends.append(_End(self.at, *sizes, self.split, self.verb, frozenset(self.looks), self.is_plural))

    def _may_leave_out(self) -> bool:
        token, behind = self.token(), self.token(1)
        if behind in _BACK or not IN_PICTURES.isdisjoint(self.caption.tokens[self.at :]):
            return False
        if token.endswith("ed"):
            return is_form(token) and behind in PREPOSITIONS  # not of "a snow covered slope"
        is_doing = is_form(token) or (self.find_verb() is not None and token not in NOUNS)
        return token in _NEXT or is_doing or find_preposition(self.caption, self.at)[0] not in _BOUND

    def _is_shared(self) -> bool:
        """True where others speak of its subject and of most else that it tells."""
        told = [word for part in self.parts for word in part.text.strip(",").split()]
        words = {word for word in told[len(self.group.split()) :] if self._tells(word) and word not in _SLIGHT}
        alone = sum(not self._is_shared_word(word) for word in words)
        shared = len(words) - alone
        rest = [word for part in self.parts[1:] for word in part.text.split() if self._tells(word)]
        agreed = any(self.others.count(word) for word in rest)
        if not self._is_shared_subject():
            return False
        is_all = self.phrase is not None and self.phrase.is_plural and self.phrase.noun.kind == "person"
        singles, plurals = self.sources.numbers.get("person", (0, 0))
        if is_all and (
            plurals < singles or not all(base in POSTURES or self.others.count(base) for base in self.doings)
        ):
            return False  # what one of several does is not told of all
        return agreed and shared >= _FEWEST_SHARED and alone <= _MOST_ALONE + (shared >= _FOR_TWO)

    def _tells(self, word: str) -> bool:
        """True unless the word is empty; "flying" is, but not where others tell it too of what does it."""
        base = stem_of(word)
        is_doing = word.endswith("ing") and base in self.doings and base not in POSTURES
        if base == "fly" and self.phrase is not None and self.phrase.noun.kind == "person":
            return False  # who jumps or is drawn by a kite
        return word not in EMPTY or (is_doing and self.others.count(word) > 0)

    def _is_shared_subject(self) -> bool:
        others = (one for one in self.sources.readings if one is not self.reading)
        key = key_of(self.phrase) if self.phrase is not None else self.head
        return self._is_shared_word(self.head) or any(
            key_of(one) == key for reading in others for one in reading.phrases
        )

    def _is_shared_word(self, word: str) -> bool:
        """True for a word of another caption, or one of another word for the thing."""
        return name_key(word) in self._other_keys or self.others.count(word) > 0

    @cached_property
    def _other_keys(self) -> frozenset[str]:
        others = (one.tokens for one in self.sources.readings if one is not self.reading)
        return frozenset(map(name_key, chain.from_iterable(others)))

    def _read(self) -> bool:
        self.group, at = read_group(self.caption, self.start)
        if self.group:
            self.add(self.group.strip(), at, "group")
        while self.token() not in _ENDS or self._read_comma():
            if self.may_end_early:
                self._note_end()
            if not self._step():
                return False
        return not self.is_list and self.state in ("noun", "manner", "alone", "pronoun") and bool(self.head)

    def _step(self) -> bool:
        return (
            self.read_noun()
            or self._read_be()
            or self._read_manner()
            or self._skip_posture()
            or self._read_verb()
            or self._read_particle()
            or self._read_preposition()
            or self._read_joint()
        )

    def _read_be(self) -> bool:
        if (
            self.token() in _WHO
            and self.token(1) in ("has", "have", *_BE)
            and self.state == "noun"
            and not self.split
        ):
            self.at += 1
        if self.token() in ("has", "have") and self.state == "noun" and not self.split and not self.verb:
            if is_form(self.token(1)) or self.token(1) in _IRREGULAR:
                return False
            self.num_preps += 1
            return self.add("with", self.at + 1, "have")
        if self.token() not in _BE or self.state != "noun" or self.split or self.verb:
            return False
        self.split = len(self.parts)
        self.at, self.state = self.at + 1, "be"
        return True

    def _skip_posture(self) -> bool:
        """Pass over how something is put where captions differ on that: where it is, is told."""
        base = stem_of(self.token())
        is_first = self.state in ("noun", "be") and not self.verb and not self.num_preps
        if not is_first or base not in _PUT or find_preposition(self.caption, self.at + 1)[0] not in _BY:
            return False
        captions = [one.tokens for one in self.sources.readings]
        is_vehicle = self.phrase is not None and self.phrase.noun.kind == "vehicle"
        is_sure = base in POSTURES or self.sources.voices.is_done(base)
        if is_sure and not is_posture_disputed(base, captions, is_vehicle=is_vehicle):
            return False
        self.split = self.split or len(self.parts)
        self.at, self.state = self.at + 1, "be"
        return True

    def _read_verb(self) -> bool:
        if self.state not in ("noun", "be", "and", "manner", "alone", "pronoun", "to"):
            return False
        token, verb = self.token(), self.find_verb()
        is_place = self.phrase is not None and self.phrase.noun.kind == "place"
        is_having = token in _HAVING or (is_place and token.startswith("showing"))
        if is_having and self.state == "noun" and not self.verb and not self.split:
            self.num_preps += 1
            return self.add(token, self.at + 1, "have")
        if self.state == "to":
            return token in BASE_FORMS and self._add_verb(token, token)
        if self._is_told_of_several():
            return self._read_finite(BASE_FORMS[token])
        if token in OF_LIVING and not self._is_living():
            return False
        if token in STATES and token not in VERB_FORMS:
            is_state = self.token(1) in _ENDS or self.token(1) in BOUNDARIES
            return is_state and self._add_verb(token, stem_of(token), is_state=True)
        if verb is not None and token == verb.third != verb.ing:
            return self._read_finite(verb)
        if verb is None and not (token.endswith("ing") and is_form(token)):
            return False
        if self.state == "and" and self.is_finite:
            return False
        return self._add_verb(token, verb.base if verb is not None else stem_of(token))

    def _is_told_of_several(self) -> bool:
        """True for "play" of "a group of people play": no noun, or one that something is done to."""
        is_many = self.is_plural or self.group.endswith(" of ")
        token, is_first = self.token(), self.state == "noun" and not self.split and not self.verb
        is_first = is_first or (self.state == "and" and self.is_finite)
        is_verb = token in BASE_FORMS and (token not in NOUNS or self.token(1) in DETERMINERS)
        return is_many and is_first and is_verb and token not in ADJECTIVES

    def _is_living(self) -> bool:
        return self.phrase is not None and self.phrase.noun.kind in ("person", "animal", "toy")

    def _read_finite(self, verb: Verb) -> bool:
        is_first = self.state == "noun" and not self.verb and not self.split
        if not is_first and not (self.state == "and" and self.is_finite):
            return False
        self.is_finite = True
        return self._add_verb(verb.ing, verb.base)

    def _add_verb(self, text: str, base: str, *, is_state: bool = False) -> bool:
        if len(self.doings) == _MOST_DOINGS or (base == "use" and self.verb):
            return False  # "a man at a table using a computer": it is far from him
        if not self.verb:
            if base in BASE_FORMS and base not in POSTURES and not self.sources.voices.is_done(base):
                return False
            self.verb = base
            if self.state == "noun" and (not self.num_preps or self.is_finite):
                self.split = len(self.parts)
        elif self.state == "noun" and not self.behind and text.endswith("ing") and self._is_done_beside():
            self.parts.append(StatementPart(" and", None))
        self.keys.append(base)
        verb = self.find_verb()
        self.doings.append(base)
        is_alone = is_state or verb is None or verb.may_stand_alone
        text = "lying" if base == "lay" and self.token(1) not in DETERMINERS else text
        self.add(text, self.at + 1, "verb")
        if self.token() in (*_ENDS, "and") and is_alone:
            self.state = "alone"
        return True

    def _is_done_beside(self) -> bool:
        """True behind a thing that does not do what comes next: "holding a cup smiling"."""
        return any(one.end == self.at and one.noun.kind not in DOING for one in self.caption.by_start.values())

    def _read_particle(self) -> bool:
        behind = self.token(1)
        if self._is_owned_state() and behind in (*_ENDS, "and", *VERB_FORMS):
            return self.add(self.token(), self.at + 1, "manner")
        is_open = behind in _ENDS or behind in ("and", "to", "with", "from", "at", "on", "in", "next", "near")
        if self.state not in ("verb", "noun") or not self.verb or self.token() not in _PARTICLES or not is_open:
            return False
        return self.add(self.token(), self.at + 1, "manner")

    def _is_owned_state(self) -> bool:
        """True for "on" of "a train with its lights on"."""
        is_with = any(part.text == " with" for part in self.parts[-3:])
        return self.state == "noun" and is_with and self.token() in _STATES_OF_PARTS

    def _read_preposition(self) -> bool:
        said, end = find_preposition(self.caption, self.at)
        if (
            not said
            or self.state not in ("noun", "be", "verb", "manner", "alone")
            or (said == "of" and self.state != "noun")
            or lacks_from(said, self.caption.token(self.at - 1))
        ):
            return False
        if said == "to" and self.caption.token(end) in BASE_FORMS and self.caption.token(end) not in NOUNS:
            return self.verb != "" and self.add("to", end, "to")
        if self.caption.token(end) == "it" and self.caption.token(end + 1) in _ENDS and self.num_preps:
            return self.add(" ".join(self.caption.tokens[self.at : end + 1]), end + 1, "pronoun")
        self.preposition = said
        self.num_preps += said != "of"
        phrase = self.caption.by_start.get(end)
        is_flat = said == "on top of" and phrase is not None and say_preposition(said, phrase.noun.lemma) == "on"
        is_flat = is_flat or (
            said == "in" and phrase is not None and say_preposition(said, phrase.noun.lemma) == "on"
        )
        words = "on" if is_flat else " ".join(self.caption.tokens[self.at : end])
        return self.add(words, end, "prep")

    def _read_joint(self) -> bool:
        if self.token() == "and" and self.state in ("noun", "manner", "alone") and not self.begins_another():
            self.is_list = False
            return self.add("and", self.at + 1, "and")
        return False

    def _read_comma(self) -> bool:
        """Read the comma of a list that goes on up to an "and"."""
        if self.token() != "," or self.state != "noun" or "and" not in self.caption.tokens[self.at : self.at + 8]:
            return False
        self.is_list = self.token(1) != "and"
        if self.is_list:
            self.parts.append(StatementPart(",", None))
        self.at, self.state = self.at + 1, "and" if self.is_list else "noun"
        return True

    def _read_manner(self) -> bool:
        for manner in _MANNERS if self.state in ("noun", "verb", "manner", "be") else ():
            end = self.at + len(manner.split())
            if manner in _WITHIN and self.state == "noun" and find_preposition(self.caption, end)[0]:
                continue  # "a train with a man inside on the track"
            if " ".join(self.caption.tokens[self.at : end]) == manner and self.caption.token(end) not in NOUNS:
                return self.add(manner, end, "manner")
        return False
