"""Which noun phrases of a caption may be told in its own words: those that boxes and the other captions allow."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from msgspec import structs

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of
from instructgen.scenegraph.agreement import Sources, fits, is_outnumbered, key_of
from instructgen.scenegraph.corroboration import count_forms
from instructgen.scenegraph.hearsay import is_form
from instructgen.scenegraph.own_mends import Mends, add_article, drop_colors, drop_number, put_plural, rename_person
from instructgen.scenegraph.own_tables import GROUPS, LOOKS, SHOWN
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import is_renamed
from instructgen.scenegraph.plain_words import BARE
from instructgen.scenegraph.prepositions import is_misplaced
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.sharing import FUNCTION_WORDS, share
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import (
    ADJECTIVES,
    BOUNDARIES,
    DETERMINERS,
    NOUNS,
    PREPOSITIONS,
    Noun,
    looks_plural,
)

_SEVERAL, _MOST = 2, 3  # captions that are believed on a number; most, where boxes have another
_EVERYDAY, _WORN = frozenset(("pants", "shirt", "clothes", "clothing", "shoes")), ("in", "wearing", "a")
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

    def mend(self, phrase: NounPhrase) -> Mends | None:
        """Return what has to be put otherwise for a thing to be told; None where it is not real, or cannot be told.

        Its number and color are left out where captions dispute them, and who it is where they do not agree on that.
        """
        tokens = self.reading.tokens
        if phrase.is_negated or not self._is_real(phrase, tokens[phrase.start : phrase.end]):
            return None
        mends: Mends = {}
        is_disputed = self._is_color_disputed(phrase, tokens[phrase.start : phrase.end])
        plain = drop_colors(phrase, tokens) if is_disputed else {}
        fitting = self._fit_number(phrase)
        is_bare = bool(plain) and phrase.noun.kind in ("wear", "pair")  # "pants" say nothing without their color
        if plain is None or is_bare or fitting is None or self._is_misplaced(phrase):
            return None
        mends |= plain | fitting | put_plural(phrase, tokens)
        if phrase.noun.category == "person":
            renamed = rename_person(phrase, tokens, self.sources)
            if renamed and sum(one.noun.category == "person" for one in self.phrases) > 1:
                return None  # "people and women"
            mends |= renamed
        is_played = self.token(phrase.start - 1) == "playing" and phrase.noun.category == "frisbee"
        if is_played or not self._lacks_article(phrase):
            return mends
        return mends | add_article(phrase, tokens, mends) if self._may_take_article(phrase) else None

    def _fit_number(self, phrase: NounPhrase) -> Mends | None:
        """Return {} where the number may be told, or what leaves it out; None where neither will do."""
        tokens = self.reading.tokens
        for mends in ({}, drop_number(phrase, tokens)):
            one = structs.replace(phrase, number=None) if mends else phrase
            before = [tokens[at] for at in range(phrase.start, phrase.end) if at not in mends]
            is_free = one.is_likeness or not one.noun.category
            if (is_free or fits(one, self.sources)) and self._is_number_told(one, before):
                return mends
        return None

    def _is_real(self, phrase: NounPhrase, before: Sequence[str]) -> bool:
        """True for what is there, or is told as a likeness by others too."""
        sources, noun = self.sources, phrase.noun
        if phrase.is_likeness:
            return all(self.is_shared(word) for word in before if word in SHOWN)
        if key_of(phrase) in sources.unreal:
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
        if behind.endswith("ing") and self.is_single(at + 2):
            return True  # "in sleeping bag"
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

    def is_single(self, at: int) -> bool:
        """True for a noun in the singular."""
        noun = NOUNS.get(self.token(at))
        return noun is not None and noun.article == "a" and not noun.is_plural

    def _lacks_article(self, phrase: NounPhrase) -> bool:
        """True for "sitting in chair"."""
        if phrase.start == self.start or phrase.noun.article != "a" or phrase.is_plural or phrase.noun.lemma in _BARE:
            return False
        first, before = self.reading.tokens[phrase.start], self.reading.tokens[phrase.start - 1]
        is_open = before in PREPOSITIONS or before in VERB_FORMS
        return is_open and first not in DETERMINERS and first not in NUMBER_WORDS

    def _may_take_article(self, phrase: NounPhrase) -> bool:
        """True behind "holding", or a preposition behind a noun; not for what has none by custom: "up to bat"."""
        before, ahead = self.token(phrase.start - 1), self.token(phrase.start - 2)
        is_placed = before in PREPOSITIONS and (ahead in NOUNS or ahead in VERB_FORMS)
        is_done = before.endswith("ing") and ahead not in DETERMINERS and before != "playing"
        return phrase.noun.category != "baseball bat" and (is_placed or is_done)

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
        if word in _EVERYDAY and before in _WORN:
            return True  # everybody has these: "a man in pants"
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

    def find_looks(self, told: Sequence[str]) -> frozenset[str]:
        """Return of which things looks and numbers are told, so that no sentence tells them again."""
        found: set[str] = set()
        for phrase in self.phrases:
            before = self.reading.tokens[phrase.start : phrase.end]
            if any(word in LOOKS and word in told for word in before):
                found |= {f"{kind} {key_of(phrase)}" for kind in ("color", "looks", "material")}
            if any(word in NUMBER_WORDS and word in told for word in before):
                found.add(f"count {key_of(phrase)}")
        return frozenset(found)

    def is_odd(self, at: int) -> bool:
        """True for what may be a verb that no table has, or lacks a word: "a bunch food", "on aircraft carrier"."""
        word, behind, before = self.token(at), self.token(at + 1), self.token(at - 1)
        if word in GROUPS:
            return behind != "of"
        if word in NOUNS or any(one.start <= at < one.end for one in self.phrases):
            return False  # "stop" of "a stop sign"
        verb = VERB_FORMS.get(word) or TOLD_VERBS.get(word)
        is_finite = (verb is not None and word == verb.third != verb.ing) or word in BASE_FORMS
        if is_finite and word not in ADJECTIVES:
            return True
        if looks_plural(word):
            return behind in DETERMINERS or (behind in PREPOSITIONS and self.sources.num_captions[word] == 1)
        is_noun = verb is None and not is_form(word) and word not in BARE and word not in LOOKS
        return is_noun and before in PREPOSITIONS and before != "with"
