"""Quotes: a caption's clause in its own words, as far as other captions bear them out one by one.

Statements know what each word does in its clause, and leave a caption at the first that they do not know. A quote
keeps words that no table has, where another caption has them too: "an elephant draped with a colorful blanket".
"""

from collections.abc import Sequence

from msgspec import structs

from instructgen.scenegraph.agreement import Sources, key_of
from instructgen.scenegraph.clause_reader import ClauseReader
from instructgen.scenegraph.events import is_changed
from instructgen.scenegraph.garments import EVERYDAY
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.hearsay import is_form, stem_of
from instructgen.scenegraph.likenesses import begins_as_likeness
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import RUDE, Piece
from instructgen.scenegraph.placements import find_preposition
from instructgen.scenegraph.prepositions import is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import GAME_VERBS, PLAYED, is_done_to, says_nothing
from instructgen.scenegraph.subjects import is_too_few, read_group, says_twice
from instructgen.scenegraph.verbs import VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import PREPOSITIONS

_MOST_TOKENS = 22
_MOST_OTHERS = 2  # other captions that speak of what the quote is about
_FEWEST_KEYS = 2
_MOST_COUNTED = 3  # captions that bear a word out: more do not make it more important
_BE = frozenset(("is", "are"))
_WHO = frozenset(("that", "who", "which"))
_MANNERS = (
    "next to each other",
    "side by side",
    "each other",
    "together",
    "outside",
    "inside",
    "outdoors",
    "indoors",
)
_MUTUAL = ("at each other", "with each other", "to each other", "near each other", "next to each other")
_CLAUSE_ENDS = frozenset(("", ".", ",", "and", "while"))
_ENDS = _CLAUSE_ENDS | {"as", "that", "who", "which", "!", ";"} | {words.split()[0] for words in PREPOSITIONS}
_HAVING = frozenset(("containing", "featuring", "having"))  # what is told is the thing
# Of these a caption tells what they are of, and others have no word for them.
_PARTS = frozenset(
    ("side", "top", "back", "front", "part", "end", "corner", "edge", "bottom", "half", "area", "angle")
)
_ARRANGED = frozenset(("stack", "pile", "row", "line", "bunch"))
_ANY_NUMBER = frozenset(("fish", "sky"))  # one, or several; "skies" are mostly skis
# What may stand before a noun: the beginning, a group, a preposition, a verb, or a joint.
_BEFORE_NOUN = ("start", "group", "prep", "verb", "and")


def find_quotes(readings: tuple[CaptionReading, ...], sources: Sources) -> list[Statement]:
    """Return what captions tell in words that others have too, first what most of them speak of."""
    if any(begins_as_likeness(reading.tokens) for reading in readings):
        return []
    stems = [frozenset(map(stem_of, reading.tokens)) for reading in readings]
    found = []
    for number, reading in enumerate(readings):
        quote = _Quote(reading, sources, [*stems[:number], *stems[number + 1 :]])
        one = quote.make() if quote.read() else None
        if one is not None:
            found.append((-quote.rate(one), number, one))
    return [one for _, _, one in sorted(found, key=lambda one: one[:2])]


class _Quote(ClauseReader):
    """A clause that is read as far as others bear it out.

    `ends` is where it may end: tokens, parts and keys up to there; `safe` is how many of these stand before the last
    joint, `verb_at` where its verb stands; `is_arranged` is true of "a stack of" what most captions have in a stack.
    """

    def __init__(self, reading: CaptionReading, sources: Sources, others: Sequence[frozenset[str]]) -> None:
        super().__init__(reading, sources, others)
        self.ends: list[tuple[int, int, int]] = []
        self.safe = self.verb_at = 0
        self.is_arranged = False

    def read(self) -> bool:
        """Read as far as it is borne out; False where no clause is."""
        if not RUDE.isdisjoint(self.reading.tokens):
            return False
        self._read_group()
        while self.at < len(self.reading.tokens) and self._step():
            pass
        if self.token() in _BE or self._is_finite():
            del self.ends[self.safe :]
        self.ends = [end for end in self.ends if end[0] - self.start <= _MOST_TOKENS]
        return bool(self.ends) and bool(self.head)

    def make(self) -> Statement | None:
        """Return it as a statement; None where it says nothing, or others dispute it."""
        end, num_parts, num_keys = self.ends[-1]
        parts, keys = tuple(self.parts[:num_parts]), frozenset(self.keys[:num_keys])
        split = self.split if 0 < self.split < num_parts else num_parts
        verb = self.verb if self.verb_at < end else ""
        verb = verb or ("be" if split < num_parts else "")
        words = tuple(word for part in parts for word in part.text.split())
        is_bare = len(keys) < _FEWEST_KEYS or not (verb or any(word in PREPOSITIONS for word in words))
        is_bare = is_bare and not self.is_arranged
        if is_bare or self._says_twice(parts, self.keys[:num_keys]) or not self._is_known():
            return None
        return self.state_it(parts, keys, end, split, verb)

    def rate(self, one: Statement) -> int:
        """Return how much of it other captions speak of too."""
        told = sum(2 + 2 * min(self.others.count(key), _MOST_COUNTED) for key in one.keys)
        return told + 5 * (one.verb not in ("", "be"))

    def _step(self) -> bool:
        return (
            self._read_noun()
            or self._read_be()
            or self._read_verb()
            or self._read_manner(_MUTUAL)
            or self._read_preposition()
            or self._read_joint()
            or self._read_manner(_MANNERS)
            or self._read_unknown()
        )

    def _is_known(self) -> bool:
        """True where most captions speak of what the quote is about, or boxes hold it."""
        is_boxed = self.phrase is not None and key_of(self.phrase) in self.sources.entities
        return self.head not in _PARTS and (is_boxed or self.others.count(self.head) >= _MOST_OTHERS)

    def _says_twice(self, parts: tuple[StatementPart, ...], keys: list[str]) -> bool:
        """True for "in an area fighting in an area"; of people there may be two kinds."""
        things = [key for key in keys if key not in ("person", self.verb)]
        return says_twice(parts) or len(set(things)) < len(things)

    def _add(self, text: str, end: int, state: str, *, may_end: bool = False) -> bool:
        self.add(text, end, state)
        if may_end:
            self._mark()
        return True

    def _mark(self) -> None:
        is_cut = self.state == "noun" and is_changed(self.caption.tokens, self.at)
        if self.token() in _ENDS and not is_cut:
            self.ends.append((self.at, len(self.parts), len(self.keys)))

    def _read_group(self) -> None:
        self.group, at = read_group(self.caption, self.start)
        if self.group:
            self._add(self.group.strip(), at, "group")
        word = self.group.rpartition(" of ")[0].rpartition(" ")[2]
        self.is_arranged = word in _ARRANGED and self.others.count(word) >= _MOST_OTHERS

    def _read_noun(self) -> bool:
        phrase = self.caption.by_start.get(self.at)
        if phrase is None or self.state not in _BEFORE_NOUN or not self._may_tell(phrase):
            return False
        if self.state == "group" and is_too_few(self.caption, phrase, self.group):
            return False
        if self.state == "group" and phrase.noun.kind == "animal":  # "a herd of zebra"
            phrase = structs.replace(phrase, noun=structs.replace(phrase.noun, is_plural=True))
        piece = self._read_whole(phrase) if self.state != "group" or phrase.is_plural else None
        if piece is None or piece.parts[0].text in EVERYDAY:
            return False
        part = piece.parts[0]
        if self.state == "verb" and self.keys[-1] in GAME_VERBS and phrase.noun.lemma in PLAYED:
            part = StatementPart(PLAYED[phrase.noun.lemma], None)
        self.parts += [StatementPart(" ", None), part] if self.parts else [part]
        self.keys.extend(sorted(piece.keys))
        self.looks |= piece.looks
        self.note_subject(phrase, phrase.noun.lemma, is_plural=phrase.is_plural)
        self.at, self.state, self.preposition = piece.end, "noun", ""
        self._mark()
        return True

    def _may_tell(self, phrase: NounPhrase) -> bool:
        """False for what may be a toy or a picture, or is placed or treated otherwise by others."""
        noun = phrase.noun
        if noun.category and noun.category not in self.sources.entities and self.others.is_likened():
            return False
        if noun.lemma in _ANY_NUMBER or (noun.category == "baseball bat" and self.preposition == "at"):
            return False
        if self.state == "verb" and not is_done_to(self.keys[-1], phrase):
            return False
        return not (self.preposition and is_misplaced(self.preposition, key_of(phrase), self.sources.placings))

    def _read_whole(self, phrase: NounPhrase) -> Piece | None:
        """Read a noun that is known; without its number where boxes have another."""
        if not PREPOSITIONS.keys().isdisjoint(self.caption.tokens[phrase.start : phrase.end]):
            return None  # "a cut in half sandwich"
        return self.read_counted(phrase)

    def _read_unknown(self) -> bool:
        if self.state not in _BEFORE_NOUN:
            return False
        found = self.others.read_unknown(self.at, is_first=self.state == "start")
        if found is None:
            return False
        if self.state in ("start", "group"):
            self.head, self.is_plural = found.words[-1], found.is_plural and not self.group
        self.keys.extend(map(stem_of, found.words))
        self.preposition = ""
        return self._add(found.said, found.end, "noun", may_end=True)

    def _read_be(self) -> bool:
        if self.token() not in _BE:
            return False
        if self.state == "who":
            return self._add(self.token(), self.at + 1, "be")
        behind = self.caption.token(self.at + 1)
        is_doing = behind.endswith(("ing", "ed")) or behind in VERB_FORMS or behind in PREPOSITIONS
        if self.state != "noun" or self.split or self.verb or not is_doing or self.num_preps:
            return False
        self.split = len(self.parts)
        self.at, self.state = self.at + 1, "be"
        return True

    def _is_finite(self) -> bool:
        """True where the next word may be the verb of another clause."""
        verb = self.find_verb()
        return verb is not None and self.token() == verb.third != verb.ing

    def _read_verb(self) -> bool:
        if self.state not in ("noun", "be", "and", "manner", "who"):
            return False
        token, verb = self.token(), self.find_verb()
        if verb is not None:
            return self.sources.voices.is_done(verb.base) and self._read_known(verb)
        if not is_form(token) or not (token in _HAVING or self.others.count(token)):
            return False
        if not token.endswith("ing") and self.caption.token(self.at + 1) not in _ENDS:
            return False  # "a wall papered bathroom"
        return self._add_verb(token, stem_of(token))

    def _read_known(self, verb: Verb) -> bool:
        """Read a verb that tables have; in the third person it is told as what is being done."""
        if not self._is_finite() or self.state == "who":
            return self._add_verb(self.token(), verb.base)
        if self.verb or self.split or self.state != "noun" or self.num_preps:
            return False
        return self._add_verb(verb.ing, verb.base)

    def _add_verb(self, text: str, base: str) -> bool:
        if not self.verb:
            self.verb, self.verb_at = base, self.at
            if self.state == "noun" and not self.num_preps and text not in _HAVING:
                self.split = len(self.parts)
        self.keys.append(base)
        verb = self.find_verb()
        is_whole = self.caption.token(self.at + 1) in _CLAUSE_ENDS or (verb is not None and verb.may_stand_alone)
        is_empty = self.phrase is not None and says_nothing(base, self.phrase)
        return self._add(text, self.at + 1, "verb", may_end=is_whole and not is_empty)

    def _read_preposition(self) -> bool:
        said, end = find_preposition(self.caption, self.at)
        if not said or self.state not in ("noun", "be", "verb", "manner") or (said == "of" and self.state != "noun"):
            return False
        self.preposition = said
        self.num_preps += said != "of"
        return self._add(" ".join(self.caption.tokens[self.at : end]), end, "prep")

    def _read_joint(self) -> bool:
        token = self.token()
        if token in ("and", "while") and self.state in ("noun", "manner"):
            self.safe = len(self.ends)
            return self._add(token, self.at + 1, "and")
        if token in _WHO and self.state == "noun" and self.caption.token(self.at + 1) in (*_BE, *VERB_FORMS):
            return self._add(token, self.at + 1, "who")
        return False

    def _read_manner(self, manners: tuple[str, ...]) -> bool:
        for manner in manners if self.state in ("noun", "verb", "manner") else ():
            end = self.at + len(manner.split())
            if " ".join(self.caption.tokens[self.at : end]) == manner:
                return self._add(manner, end, "manner", may_end=True)
        return False
