"""What other captions have of one caption's words, and nouns that no table has but another caption does."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of, with_article
from instructgen.scenegraph.agreement import Sources, fits
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import Caption
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import (
    ADJECTIVES,
    BOUNDARIES,
    DETERMINERS,
    LIKENESS,
    NOUNS,
    PREPOSITIONS,
    UNREAL,
    Noun,
    looks_plural,
)

_LIKENED = LIKENESS | UNREAL | {"like", "figures", "model", "art"}
_NO_NOUNS = frozenset((
    "there", "persons", "upside", "it", "this", "they", "something", "someone", "one", "each", "way", "lot", "lots",
))  # fmt: skip
_UNCLEAR = frozenset(("this", "that", "each", "any", "both", "one", "another", "few", "some", "many", "several"))
_ONE = frozenset(("a", "an", "one", "another"))
_BEFORE_BARE = frozenset((*PREPOSITIONS, "of", "and", ",")) | VERB_FORMS.keys()
_NO_DOINGS = frozenset((
    "evening", "morning", "ceiling", "wedding", "clothing", "during", "railing", "frosting", "topping", "setting",
    "building", "lighting", "dressing", "landing", "crossing", "something", "nothing", "including", "icing",
    "stuffed", "seasoning", "string", "wing", "awning", "siding", "painting", "drawing",
))  # fmt: skip
_IRREGULAR = frozenset((
    "drawn", "worn", "shown", "taken", "made", "seen", "hung", "grown", "thrown", "built", "lit", "written", "held",
))  # fmt: skip
_ENDINGS = ("ing", "ies", "ied", "es", "ed", "s", "y", "e")
_SHORTEST_STEM = 3
_FOODS = frozenset(("meat", "rice", "bread", "cheese", "beans", "potatoes", "carrots", "broccoli", "chicken", "fish"))
_SEVERAL_FOODS = frozenset(("veggies", "vegetables", "beans", "potatoes", "carrots", "broccoli", "rice", "fries"))
_KEPT_WORDS = 1 << 14


class Unknown(Struct, frozen=True):
    """A noun that no table has: how it is said, the token behind it, and its words that are borne out."""

    said: str
    end: int
    words: tuple[str, ...]
    is_plural: bool


@lru_cache(maxsize=_KEPT_WORDS)
def stem_of(token: str) -> str:
    """Return what the forms of a word have in common."""
    noun = NOUNS.get(token)
    if noun is not None:
        return noun.lemma
    verb = VERB_FORMS.get(token) or TOLD_VERBS.get(token)
    if verb is not None:
        return verb.base
    for ending in _ENDINGS:
        if token.endswith(ending) and len(token) - len(ending) >= _SHORTEST_STEM:
            return token.removesuffix(ending)
    return token


def is_form(token: str) -> bool:
    """True for a doing or a participle that no table has."""
    is_known = token in NOUNS or token in ADJECTIVES or token in _NO_DOINGS
    is_regular = token.endswith(("ing", "ed")) and len(token) > len("being")
    return token in _IRREGULAR or (is_regular and not is_known)


class Hearsay:
    """One caption's words, each held against the stems of the other captions."""

    def __init__(self, caption: Caption, others: Sequence[frozenset[str]]) -> None:
        self.caption = caption
        self.sources: Sources = caption.sources
        self._others = others

    def count(self, word: str) -> int:
        """Return how many other captions have the word in whatever form."""
        return sum(stem_of(word) in stems or word in stems for stems in self._others)

    def is_likened(self) -> bool:
        """True where a caption has a word by which what others name is a toy, or a picture."""
        return any(not _LIKENED.isdisjoint(reading.tokens) for reading in self.sources.readings)

    def read_unknown(self, at: int, *, is_first: bool) -> Unknown | None:
        """Read a noun with what stands before it; what of this no other caption has is left out."""
        first = self.caption.token(at) if self.caption.token(at) in DETERMINERS else ""
        end = self._find_end(at + bool(first))
        words = self.caption.tokens[at + bool(first) : end]
        if first in _UNCLEAR or self.caption.token(at) in NUMBER_WORDS or not self._is_clear(words):
            return None
        is_many = looks_plural(words[-1])
        if not (first or is_many or self._stands_bare(words[-1])) or (is_many and first in _ONE):
            return None
        if not self._fits(words, at, end):
            return None
        kept = tuple(word for word in words if self._is_sure(word))
        said = " ".join(kept)
        if first in ("a", "an") or (first == "the" and is_first and not is_many):
            said = with_article(said)
        elif first and not (first == "the" and is_first):
            said = f"{first} {said}"
        return Unknown(said, end, kept, is_many)

    def disputes_number(self, word: str, noun: Noun | None) -> bool:
        """True for several where as many captions have one of it, and for one where more have several."""
        if noun is not None and (noun.article != "a" or noun.kind in ("wear", "pair")):
            return False
        is_many = noun.is_plural if noun is not None else looks_plural(word)
        lemma = noun.lemma if noun is not None else _singular_of(word) if is_many else word
        return self.sources.voices.disputes_number(lemma, is_plural=is_many)

    def _find_end(self, start: int) -> int:
        end = start
        token = self.caption.token
        while token(end) and token(end) not in BOUNDARIES and not (end > start and self._begins_clause(end)):
            end += 1
        return end

    def _begins_clause(self, at: int) -> bool:
        """True for a verb; not in "a horse drawn carriage"."""
        token, behind = self.caption.token(at), self.caption.token(at + 1)
        return _is_doing(token) and (token not in _IRREGULAR or not behind or behind in BOUNDARIES)

    def _is_clear(self, words: Sequence[str]) -> bool:
        """True for words that end with a noun of another caption, and hold no verb, plural or likeness before it."""
        if not words or not _is_noun_like(words[-1]) or not self._is_sure(words[-1]):
            return False
        if not _LIKENED.isdisjoint(words) or not _NO_NOUNS.isdisjoint(words) or any(map(self._is_odd, words[:-1])):
            return False
        if (words[-1] == "back" and len(words) > 1) or lists_food(words):
            return False  # "an elephant back", "meat veggies"
        left_out = [word for word in words if not self._is_sure(word)]
        # Not "the cakes look fresh", nor the eaten pizza that is half eaten.
        return not any(word in BASE_FORMS or word == "half" or word.endswith("ly") for word in left_out)

    def _is_odd(self, word: str) -> bool:
        """True for a plural, a determiner, or what no box holds before a noun: "dogs teeth", "a ball game"."""
        noun = NOUNS.get(word)
        if noun is None:
            return word in DETERMINERS
        return noun.is_plural or (bool(noun.category) and noun.category not in self.sources.entities)

    def _is_sure(self, word: str) -> bool:
        """True for a word of another caption that is no number or color, and names nobody."""
        noun = NOUNS.get(word)
        is_person = noun is not None and noun.category == "person"
        if is_person or word in NUMBER_WORDS or word in COLOURS or word in BOUNDARIES or not word.isalpha():
            return False
        return self.count(word) > 0

    def _stands_bare(self, word: str) -> bool:
        """True for what captions name without an article: "on display", "with mustard"."""
        noun = NOUNS.get(word)
        if noun is not None and noun.article == "a":
            return False
        pairs = [pair for reading in self.sources.readings for pair in pairwise(reading.tokens) if pair[1] == word]
        is_single = any(before in _ONE for before, _ in pairs)
        return sum(before in _BEFORE_BARE for before, _ in pairs) > 1 and not is_single

    def _fits(self, words: Sequence[str], at: int, end: int) -> bool:
        """True unless boxes or other captions dispute the noun that the words end with.

        What is not boxed another caption has in the same number.
        """
        noun = NOUNS.get(" ".join(words[-2:])) or NOUNS.get(words[-1])
        if noun is None or not noun.category:
            return self.sources.num_captions[words[-1]] > 1 and not self.disputes_number(words[-1], noun)
        if at in self.caption.by_start:
            return False
        is_unboxed = noun.category not in self.sources.entities
        phrase = NounPhrase(noun, end - 1, end, None, None, is_likeness=False, is_negated=False)
        return fits(phrase, self.sources) and not (is_unboxed and self.is_likened())


def lists_food(words: Sequence[str]) -> bool:
    """True for foods that no comma parts."""
    return len(words) > 1 and words[-2] in _FOODS and words[-1] in _SEVERAL_FOODS


def _singular_of(word: str) -> str:
    cut = (word.removesuffix("s"), word.removesuffix("es"))
    return next((one for one in cut if plural_of(one) == word), word)


def _is_doing(token: str) -> bool:
    return is_form(token) or ((token in VERB_FORMS or token in TOLD_VERBS) and token not in NOUNS)


def _is_noun_like(word: str) -> bool:
    is_verb = word in VERB_FORMS or word in TOLD_VERBS or word.endswith(("ing", "ed", "ly"))
    return not is_verb and word not in ADJECTIVES and word not in _NO_NOUNS and len(word) >= _SHORTEST_STEM
