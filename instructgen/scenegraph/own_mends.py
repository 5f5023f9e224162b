"""What of a caption's own words is put otherwise, so that the rest can be told: a number, a color, a sex in dispute.

"Three zebras in a field", where boxes have five, is told as "zebras in a field"; "a man in white shirt" gets its
article. What is put is a word, or nothing.
"""

from collections.abc import Mapping, Sequence

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of, with_article
from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import safe_lemma
from instructgen.scenegraph.vocabulary import GENDERS, NOUNS

Mends = dict[int, str]
_JOINTS = ("and", ",")
_HIS = frozenset(("his", "her"))
_NEVER_THEIRS = frozenset(("him", "himself", "herself", "she", "he"))


def drop_number(phrase: NounPhrase, tokens: Sequence[str]) -> Mends:
    """Leave out the number of several."""
    at = [one for one in range(phrase.start, phrase.end) if tokens[one] in NUMBER_WORDS]
    return dict.fromkeys(at, "") if phrase.noun.is_plural else {}


def drop_colors(phrase: NounPhrase, tokens: Sequence[str]) -> Mends | None:
    """Leave out colors, with what joins them; None where joints are left: "a blue, shiny and red bus"."""
    told = range(phrase.start, phrase.end - 1)
    at = {one for one in told if tokens[one] in COLOURS}
    joints = {one for one in told if tokens[one] in _JOINTS}
    if not all(min(at) < one < max(at) for one in joints):
        return None
    between = range(min(at), max(at) + 1)
    is_list = all(one in at | joints for one in between)
    return dict.fromkeys(between, "") if is_list else None


def put_plural(phrase: NounPhrase, tokens: Sequence[str]) -> Mends:
    """Put the plural for "two giraffe"."""
    last = phrase.end - 1
    is_bare = (phrase.number or 1) > 1 and not phrase.noun.is_plural and phrase.noun.article == "a"
    return {last: plural_of(tokens[last])} if is_bare else {}


def rename_person(phrase: NounPhrase, tokens: Sequence[str], sources: Sources) -> Mends:
    """Put the word for somebody that no caption contradicts."""
    lemma = safe_lemma(phrase, sources)
    if lemma == phrase.noun.lemma:
        return {}
    start = _find_noun(phrase, tokens)
    word = plural_of(lemma) if phrase.noun.is_plural else lemma
    return {**dict.fromkeys(range(start, phrase.end - 1), ""), phrase.end - 1: word}


def _find_noun(phrase: NounPhrase, tokens: Sequence[str]) -> int:
    whole = (at for at in range(phrase.start, phrase.end) if " ".join(tokens[at : phrase.end]) in NOUNS)
    return next(whole, phrase.end - 1)


def add_article(phrase: NounPhrase, tokens: Sequence[str], mends: Mapping[int, str]) -> Mends:
    """Put an article before the first word of a thing that is left."""
    at = next(one for one in range(phrase.start, phrase.end) if mends.get(one, tokens[one]))
    return {at: with_article(mends.get(at, tokens[at]))}


def share_owners(lemma: str, words: Sequence[str]) -> list[str] | None:
    """Put "their" where it is not known whether somebody is a man; None where other words tell that too."""
    if GENDERS.get(lemma):
        return list(words)
    if not _NEVER_THEIRS.isdisjoint(words) or "her" in words[-1:]:
        return None
    return ["their" if word in _HIS else word for word in words]
