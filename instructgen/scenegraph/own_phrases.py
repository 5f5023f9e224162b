"""Which noun phrases of a caption may be told in its own words: those that boxes and the other captions allow."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of
from instructgen.scenegraph.agreement import Sources, fits, is_outnumbered, key_of
from instructgen.scenegraph.corroboration import count_forms
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import is_renamed, safe_lemma
from instructgen.scenegraph.plain_words import BARE, IN_PICTURES
from instructgen.scenegraph.prepositions import is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.sharing import FUNCTION_WORDS, share
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS, LIKENESS, NOUNS, PREPOSITIONS, Noun

_SEVERAL, _MOST = 2, 3  # captions that are believed on a number; most, where boxes have another
# These say that what they go with is no real one, or is shown: told where another caption has the word too.
SHOWN = LIKENESS | IN_PICTURES
_BARE = frozenset(("bed", "court", "town", "church", "school", "board", "stage", "home plate", "air", "side", "sale"))
_FREE = frozenset(("with", "of", "for", "as", "like", "up", "down", "off", "over", "to", "at"))
_LONGEST = 3  # words of a preposition


class PhraseReader:
    """One caption's phrases, each held against boxes and the other captions; `start` and `end` bound what is told."""

    def __init__(self, reading: CaptionReading, sources: Sources, start: int, end: int) -> None:
        self.reading, self.sources, self.sharing = reading, sources, share(sources)
        self.start, self.end = start, end
        self.phrases: list[NounPhrase] = []

    def token(self, at: int) -> str:
        return self.reading.tokens[at] if self.start <= at < self.end else ""

    def phrase_at(self, at: int) -> NounPhrase | None:
        return next((one for one in self.phrases if one.start == at), None)

    def is_shared(self, word: str) -> bool:
        return self.sharing.is_shared(word, self.reading.number)

    def may_tell(self, phrase: NounPhrase) -> bool:
        """True where the thing is real, and neither its number, its look nor its place is disputed."""
        before = self.reading.tokens[phrase.start : phrase.end]
        if phrase.is_negated or self._lacks_article(phrase) or not self._is_real(phrase, before):
            return False
        if self._is_color_disputed(phrase, before) or not self._is_number_told(phrase, before):
            return False
        if phrase.noun.category == "person" and safe_lemma(phrase, self.sources) != phrase.noun.lemma:
            return False
        return not self._is_misplaced(phrase)

    def _is_real(self, phrase: NounPhrase, before: Sequence[str]) -> bool:
        """True for what is there, or is told as a likeness by others too."""
        sources, noun = self.sources, phrase.noun
        if phrase.is_likeness:
            return all(self.is_shared(word) for word in before if word in SHOWN)
        if key_of(phrase) in sources.unreal or (noun.category and not fits(phrase, sources)):
            return False
        entity = sources.entities.get(noun.category or "")
        return entity is None or noun.category == "person" or not is_renamed(noun, entity, sources)

    def _is_color_disputed(self, phrase: NounPhrase, before: Sequence[str]) -> bool:
        key, colors = key_of(phrase), {COLOURS[word] for word in before if word in COLOURS}
        others = self.sources.colors.get(key, frozenset()) - colors
        return bool(colors) and (bool(others) or (key, "color") in self.sources.disputed)

    def lacks_article(self, at: int) -> bool:
        """True for a preposition before what has no article, and no other caption has so: "on snowy forest path"."""
        word, behind = self.token(at), self.token(at + 1)
        is_top = word == "of" and self.token(at - 1) == "top"
        if not is_top and (word not in PREPOSITIONS or word in _FREE):
            return False
        end = at + 1
        while self.token(end) and self.token(end) not in BOUNDARIES and self.token(end) not in VERB_FORMS:
            end += 1
        head, noun = self.token(end - 1), NOUNS.get(self.token(end - 1))
        is_bare = not any(behind in words for words in (DETERMINERS, NUMBER_WORDS, FUNCTION_WORDS))
        if not is_bare or end == at + 1 or head in BARE or head in _BARE or head.endswith(("s", "ing", "ly")):
            return False
        is_mass = noun is not None and (noun.article != "a" or noun.is_plural)
        alike = ((word, behind) in pairwise(one.tokens) for one in self.sources.readings if one is not self.reading)
        return not is_mass and not any(alike)

    def _lacks_article(self, phrase: NounPhrase) -> bool:
        """True for "sitting in chair"."""
        if phrase.start == self.start or phrase.noun.article != "a" or phrase.is_plural or phrase.noun.lemma in _BARE:
            return False
        first, before = self.reading.tokens[phrase.start], self.reading.tokens[phrase.start - 1]
        is_open = before in PREPOSITIONS or before in VERB_FORMS
        return is_open and first not in DETERMINERS and first not in NUMBER_WORDS

    def _is_number_told(self, phrase: NounPhrase, before: Sequence[str]) -> bool:
        """True for the number that boxes or most captions have, of which none has another."""
        noun, entity = phrase.noun, self.sources.entities.get(phrase.noun.category or "")
        if is_outnumbered(phrase, self.sources):
            return False
        if entity is not None and phrase.is_plural and not entity.is_many and noun.article == "a":
            return False
        told = [NUMBER_WORDS[word] for word in before if word in NUMBER_WORDS]
        if not told:
            is_free = bool(noun.category) or noun.article != "a"
            return is_free or not self.sources.voices.disputes_number(noun.lemma, is_plural=phrase.is_plural)
        totals = self.sources.totals.get(key_of(phrase), Counter())
        is_boxed = entity is not None and len(entity.boxes) == told[0] and not entity.has_crowd
        enough = _MOST if entity is not None else _SEVERAL
        return set(totals) <= {told[0], 0} and (is_boxed or totals[told[0]] >= enough)

    def _is_misplaced(self, phrase: NounPhrase) -> bool:
        for length in range(_LONGEST, 0, -1):
            words = self.reading.tokens[max(self.start, phrase.start - length) : phrase.start]
            said = PREPOSITIONS.get(" ".join(words))
            if said is not None:
                return is_misplaced(said, key_of(phrase), self.sources.placings)
        return False

    def is_denied(self, at: int) -> bool:
        """True for a noun that boxes do not hold, or not as many of, and for one without its article: "at market"."""
        word, behind, before = self.token(at), self.token(at + 1), self.token(at - 1)
        noun, other = NOUNS.get(word), NOUNS.get(behind)
        if noun is None or noun.article != "a":
            return False
        is_name = f"{word} {behind}" in NOUNS and word != "ball"  # a ball game has a ball
        is_part = is_name or (other is not None and (other.is_plural or other.article != "a"))
        if before in PREPOSITIONS and not noun.is_plural and noun.lemma not in _BARE and not is_part:
            return True
        return word not in COLOURS and not is_name and not self._is_boxed(noun)

    def _is_boxed(self, noun: Noun) -> bool:
        """True for what no box needs to hold, what one does, in its number, and what most captions name."""
        entity = self.sources.entities.get(noun.category or "")
        if entity is not None or not noun.category:
            return entity is None or entity.is_many or not noun.is_plural
        single, several = count_forms(noun.lemma, plural_of(noun.lemma), self.sources.voices.captions)
        return single + several >= _MOST
