"""The clause of a caption that is told whole, read to its very end."""

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS
from instructgen.scenegraph.agreement import key_of
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.hearsay import is_form, stem_of
from instructgen.scenegraph.placements import find_preposition
from instructgen.scenegraph.plain_words import DOUBTFUL, OF_LIVING, STATES
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.saying import say_preposition
from instructgen.scenegraph.subjects import read_group, says_twice
from instructgen.scenegraph.verbs import BASE_FORMS, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS
from instructgen.scenegraph.whole_nouns import NounReader

_MOST_ALONE = 2  # words that no other caption has
_FEWEST_SHARED = 2
_MOST_DOINGS = 2
_BE = frozenset(("is", "are"))
_WHO = frozenset(("that", "who", "which"))
_ENDS = frozenset(("", ".", ",", ";", "!"))
_MANNERS = (
    "next to each other", "side by side", "each other", "together", "outside", "inside", "outdoors", "indoors",
    "in mid air", "in the air", "closely", "neatly", "on display", "for sale", "alone",
)  # fmt: skip
_PARTICLES = frozenset(("up", "down", "out", "off", "away", "back", "over", "around", "along", "by"))
_IRREGULAR = frozenset(("been", "made", "put", "cut", "set", "fallen", "eaten", "taken", "replaced"))
# Words that tell nothing by themselves.
EMPTY = frozenset((*BOUNDARIES, *DETERMINERS, *(ADJECTIVES - NOUNS.keys()), *COLOURS, *NUMBER_WORDS, *DOUBTFUL)) | {
    word for words in PREPOSITIONS for word in words.split()
}


class Clause(NounReader):
    """A caption's clause; `split` is the part that its predicate begins with."""

    def make(self) -> Statement | None:
        """Read it; None where it is not understood to its end, or where something speaks against it."""
        if not self._read() or not self._is_shared():
            return None
        parts, keys = tuple(self.parts), frozenset(self.keys)
        split = self.split or len(parts)
        verb = self.verb or ("be" if split < len(parts) else "")
        return None if says_twice(parts) else self.state_it(parts, keys, self.at, split, verb)

    def _is_shared(self) -> bool:
        """True where others speak of its subject and of most else that it tells."""
        words = [word for part in self.parts for word in part.text.split()]
        stems = {word for word in words if word not in EMPTY}
        shared = sum(self.others.count(word) > 0 or self._is_boxed(word) for word in stems)
        alone = len(stems) - shared
        rest = [word for part in self.parts[1:] for word in part.text.split() if word not in EMPTY]
        agreed = {stem_of(word) for word in rest if self.others.count(word)}
        if not (
            self.others.count(self.head) or (self.phrase is not None and key_of(self.phrase) in self.sources.entities)
        ):
            return False
        is_all = self.phrase is not None and self.phrase.is_plural and self.phrase.noun.kind == "person"
        singles, plurals = self.sources.numbers.get("person", (0, 0))
        if is_all and (
            plurals < singles or not all(base in POSTURES or self.others.count(base) for base in self.doings)
        ):
            return False  # what one of several does is not told of all
        return bool(agreed) and shared >= _FEWEST_SHARED and alone <= min(shared, _MOST_ALONE)

    def _is_boxed(self, word: str) -> bool:
        noun = NOUNS.get(word)
        return noun is not None and noun.category in self.sources.entities

    def _read(self) -> bool:
        self.group, at = read_group(self.caption, self.start)
        if self.group:
            self.add(self.group.strip(), at, "group")
        while self.token() not in _ENDS or self._read_comma():
            if not self._step():
                return False
        return not self.is_list and self.state in ("noun", "manner", "alone", "pronoun") and bool(self.head)

    def _step(self) -> bool:
        return (
            self.read_noun()
            or self._read_be()
            or self._read_manner()
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

    def _read_verb(self) -> bool:
        if self.state not in ("noun", "be", "and", "manner", "alone", "pronoun", "to"):
            return False
        token, verb = self.token(), self.find_verb()
        if self.state == "to":
            return token in BASE_FORMS and self._add_verb(token, token)
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
        self.keys.append(base)
        verb = self.find_verb()
        self.doings.append(base)
        is_alone = is_state or verb is None or verb.may_stand_alone
        text = "lying" if base == "lay" and self.token(1) not in DETERMINERS else text
        self.add(text, self.at + 1, "verb")
        if self.token() in (*_ENDS, "and") and is_alone:
            self.state = "alone"
        return True

    def _read_particle(self) -> bool:
        behind = self.token(1)
        is_open = behind in _ENDS or behind in ("and", "to", "with", "from", "at", "on", "in", "next", "near")
        if self.state not in ("verb", "noun") or not self.verb or self.token() not in _PARTICLES or not is_open:
            return False
        return self.add(self.token(), self.at + 1, "manner")

    def _read_preposition(self) -> bool:
        said, end = find_preposition(self.caption, self.at)
        if (
            not said
            or self.state not in ("noun", "be", "verb", "manner", "alone")
            or (said == "of" and self.state != "noun")
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
        return self.add("on" if is_flat else " ".join(self.caption.tokens[self.at : end]), end, "prep")

    def _read_joint(self) -> bool:
        if self.token() == "and" and self.state in ("noun", "manner", "alone"):
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
            if " ".join(self.caption.tokens[self.at : end]) == manner and self.caption.token(end) not in NOUNS:
                return self.add(manner, end, "manner")
        return False
