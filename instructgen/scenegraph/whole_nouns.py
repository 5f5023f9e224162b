"""The nouns of a caption that is told whole: in its own words, where no box and no other caption disputes them."""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import structs

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, with_article
from instructgen.scenegraph.agreement import Sources, fits, key_of
from instructgen.scenegraph.clause_reader import ClauseReader
from instructgen.scenegraph.garments import EVERYDAY
from instructgen.scenegraph.graph import StatementPart
from instructgen.scenegraph.hearsay import is_form, lists_food, stem_of
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import is_renamed
from instructgen.scenegraph.placements import find_preposition
from instructgen.scenegraph.plain_words import BARE, NO_HEADS
from instructgen.scenegraph.prepositions import is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.saying import GAME_VERBS, PLAYED, is_done_to
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, looks_plural

_MOST = 3  # captions that have one of a thing
_KEPT_WORDS = 1 << 14
_UNCLEAR = frozenset(("this", "that", "each", "any", "both", "one", "another", "few", "other"))
_DETERMINED = DETERMINERS | NUMBER_WORDS.keys()
_COLORS = frozenset(COLOURS.values())
_ONE = frozenset(("a", "an"))
_OF_FOOD = frozenset(("box", "boxes", "slice", "slices", "shop", "truck", "stand", "pan", "crust", "bun", "buns"))
_SCREENS = frozenset(("screen", "screens", "monitor", "monitors"))
_STILL = frozenset(("sit", "stand", "lie"))  # "standing a home plate" lacks a word
_UPON = frozenset(
    ("on", "in", "at", "down", "along", "across", "through", "under", "over", "on top of", "in front of")
)
_BEFORE_NOUN = ("start", "group", "prep", "verb", "and", "have")


@lru_cache(maxsize=_KEPT_WORDS)
def name_key(token: str) -> str:
    """Return what the words for one thing have in common: its category, or the stem."""
    noun = NOUNS.get(token)
    return noun.category or noun.lemma if noun is not None else stem_of(token)


class NounReader(ClauseReader):
    """A caption of which every noun is read in its own words; `doings` are the verbs told so far."""

    def __init__(self, reading: CaptionReading, sources: Sources, others: Sequence[frozenset[str]]) -> None:
        super().__init__(reading, sources, others)
        self.doings: list[str] = []
        self.is_finite = self.is_list = False
        self.behind = ""  # the preposition that the last noun stands behind

    def read_noun(self) -> bool:
        is_doing = self.state == "and" and self.is_finite and self.token() in BASE_FORMS
        if self.state not in _BEFORE_NOUN or is_doing:
            return False
        phrase = self.caption.by_start.get(self.at)
        is_known = phrase is not None and self._may_tell(phrase) and self._read_known(phrase)
        if not is_known and not self._read_free():
            return False
        self.behind, self.preposition = self.preposition, ""
        return True

    def begins_another(self) -> bool:
        """True before "and people in the water" behind "is walking on a beach": nobody walks on people."""
        phrase = self.caption.by_start.get(self.at + 1)
        if phrase is None or not (self.verb or self.split) or self.state != "noun" or self.behind not in _UPON:
            return False
        has_place = find_preposition(self.caption, phrase.end)[0] not in ("", "of")
        return has_place or phrase.noun.kind in ("person", "animal", "vehicle")

    def _may_tell(self, phrase: NounPhrase) -> bool:
        noun = phrase.noun
        if noun.category and noun.category not in self.sources.entities and self.others.is_likened():
            return False
        if noun.category == "baseball bat" and self.preposition == "at":
            return False
        if self.state == "verb" and (self.keys[-1] in _STILL or not is_done_to(self.keys[-1], phrase)):
            return False
        return not (self.preposition and is_misplaced(self.preposition, key_of(phrase), self.sources.placings))

    def _read_known(self, phrase: NounPhrase) -> bool:
        if self.state == "group" and phrase.noun.kind == "animal":  # "a herd of sheep"
            phrase = structs.replace(phrase, noun=structs.replace(phrase.noun, is_plural=True))
        if self.state == "group" and not phrase.is_plural:
            return False
        piece = self.read_counted(phrase)
        if piece is None or piece.parts[0].text in EVERYDAY:
            return False
        part = piece.parts[0]
        before = self.caption.tokens[self.at : phrase.end]
        if self.state in ("and", "prep") and part.text == "people" != before[-1]:
            return False  # "a man and women" are no man and people, and nobody is "in people"
        if self._names_unboxed(before):
            return False
        if self.preposition == "of" and any(word in COLOURS for word in before) and not piece.keys & _COLORS:
            return False  # without its color "a glass of red wine" is not what the caption names
        if self.state == "verb" and self.keys[-1] in GAME_VERBS and phrase.noun.lemma in PLAYED:
            part = StatementPart(PLAYED[phrase.noun.lemma], None)
        if (
            phrase.noun.article == "a"
            and not phrase.is_plural
            and self.state in ("and", "prep")
            and self.preposition != "of"
        ):
            is_bare = part.text.split()[0] not in _DETERMINED
            part = StatementPart(with_article(part.text), None) if is_bare else part
        self.note_subject(phrase, phrase.noun.lemma, is_plural=phrase.is_plural)
        self.parts += [StatementPart(" ", None), part] if self.parts else [part]
        self.keys.extend(sorted(piece.keys))
        self.looks |= piece.looks
        self.at, self.state = piece.end, "noun"
        return True

    def _read_free(self) -> bool:
        """Read a noun that no table has, or no other caption: in the caption's words, where nothing disputes it."""
        first = self.token() if self.token() in DETERMINERS else ""
        start = self.at + bool(first)
        end = self._find_end(start)
        words = list(self.caption.tokens[start:end])
        is_part = self.state == "start" and first == "the" and self.caption.token(end) == "of"
        if is_part or first in _UNCLEAR or not words or not self._is_clear(words):
            return False
        noun = NOUNS.get(" ".join(words[-2:])) or NOUNS.get(words[-1])
        if noun is not None and not self._fits(noun.lemma, words, end):
            return False
        if (noun is None or not noun.category) and self.others.disputes_number(words[-1], noun):
            return False
        is_plural = noun.is_plural if noun is not None else looks_plural(words[-1])
        if (is_plural and first in _ONE) or (self.state == "group" and not is_plural):
            return False
        if not (first or is_plural or words[-1] in BARE or (noun is not None and noun.article == "mass")):
            return False
        said = " ".join(words)
        is_new = first == "the" and not is_plural and (self.state == "start" or bool(noun and noun.category))
        if first in _ONE or is_new:
            said = with_article(said)
        elif first and not (first == "the" and (self.state == "start" or is_new)):
            said = f"{first} {said}"
        self.note_subject(None, words[-1] if noun is None else noun.lemma, is_plural=is_plural)
        colors = {COLOURS[word] for word in words if word in COLOURS}
        self.looks |= {f"color {name_key(words[-1])}"} if colors else set()
        self.keys.extend(map(name_key, words))
        self.keys.extend(sorted(colors))
        return self.add(said, end, "noun")

    def _find_end(self, start: int) -> int:
        end, token = start, self.caption.token
        while token(end) and token(end) not in BOUNDARIES and not (end > start and self._begins_clause(end)):
            end += 1
        return end

    def _begins_clause(self, at: int) -> bool:
        token = self.caption.token(at)
        return is_form(token) or ((token in VERB_FORMS or token in TOLD_VERBS) and token not in NOUNS)

    def _is_clear(self, words: Sequence[str]) -> bool:
        last = words[-1]
        if "bunch" in words[:-1] or self._is_list(words):
            return False
        is_noun = last in NOUNS or not (
            last in ADJECTIVES or last in COLOURS or last in VERB_FORMS or last in TOLD_VERBS
        )
        if not is_noun or last in NO_HEADS or (last not in NOUNS and _is_other(last)):
            return False
        if (
            self._names_unboxed(words)
            or not NUMBER_WORDS.keys().isdisjoint(words)
            or any(word in DETERMINERS for word in words)
        ):
            return False
        colors = {COLOURS[word] for word in words if word in COLOURS}
        known = self.sources.colors.get(name_key(last), frozenset())
        return not (colors and (known - colors or (name_key(last), "color") in self.sources.disputed)) and not any(
            (noun := NOUNS.get(word)) is not None and noun.is_plural for word in words[:-1]
        )

    def _names_unboxed(self, words: Sequence[str]) -> bool:
        """True for a part that is a word for what no box holds: "a baby grand piano", "a snowboard trick"."""
        names = [" ".join(words[at : at + length]) for at in range(len(words)) for length in (1, 2)]
        known = [noun for name in names[:-2] if (noun := NOUNS.get(name)) is not None]
        is_unboxed = any(noun.category and noun.category not in self.sources.entities for noun in known)
        return is_unboxed or (words[-1] in _SCREENS and "tv" not in self.sources.entities)

    def _is_list(self, words: Sequence[str]) -> bool:
        """True for things that no comma parts: "a pizza pepperoni", "sausage tomato green peppers"."""
        foods = [word for word in words[:-1] if (noun := NOUNS.get(word)) is not None and noun.kind == "food"]
        boxed = [word for word in words if (noun := NOUNS.get(word)) is not None and noun.category]
        if len(boxed) >= _MOST or lists_food(words) or " ".join(words[:-1]) == "cell phone":
            return True  # "a cup plate laptop monitor", "her cell phone tie"
        is_late = any(word in COLOURS and words[at - 1] in NOUNS for at, word in enumerate(words) if at)
        return is_late or (bool(foods) and words[-1] not in _OF_FOOD)

    def _fits(self, lemma: str, words: Sequence[str], end: int) -> bool:
        noun = NOUNS.get(" ".join(words[-2:])) or NOUNS.get(words[-1])
        if noun is None or noun.category == "person":
            return noun is None
        phrase = NounPhrase(noun, end - 1, end, None, None, is_likeness=False, is_negated=False)
        entity = self.sources.entities.get(noun.category or "")
        if entity is not None and is_renamed(noun, entity, self.sources):
            return False
        if noun.category:
            is_unboxed = noun.category not in self.sources.entities
            is_one = self._is_mostly_one(phrase) or fits(phrase, self.sources)
            return is_one and not (is_unboxed and self.others.is_likened()) and self._may_tell(phrase)
        return lemma not in self.sources.denied | self.sources.unreal and self._may_tell(phrase)

    def _is_mostly_one(self, phrase: NounPhrase) -> bool:
        """True where most captions have one, and no more than one caption several: boxes hold others behind it."""
        key = key_of(phrase)
        singles, plurals = self.sources.numbers.get(key, (0, 0))
        is_there = key in self.sources.entities and key not in self.sources.unreal
        return is_there and not phrase.is_plural and singles >= _MOST and plurals <= 1


def _is_other(word: str) -> bool:
    """True for what is a doing, or tells how, rather than a thing."""
    return word.endswith(("ing", "ed", "ly")) or word in BASE_FORMS
