"""Which word is safe for the people of an image: captions may disagree on who somebody is."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.vocabulary import AGES, GENDERS, NOUNS

_MOST = 3  # captions of five
_ADULTS = frozenset(("man", "woman", "bride", "groom"))
_COUPLE = re.compile(r"\bcouple\b(?! of\b)")
# Key: a token that is by itself a word for somebody of known sex.
_WORDS = {token: noun.lemma for token, noun in NOUNS.items() if noun is not None and noun.lemma in GENDERS}


class PersonWords(Struct, frozen=True):
    """`singular` is safe for a single person; `safe` are the words that no other caption contradicts.

    Of these `mixed` are no word for several: where one caption has "girls", another has "a boy and a girl".
    """

    singular: str
    safe: frozenset[str]
    mixed: frozenset[str] = frozenset()

    def is_safe(self, lemma: str, *, is_plural: bool) -> bool:
        return lemma in self.safe and not (is_plural and lemma in self.mixed)


def read_person_words(
    phrases_by_caption: list[list[NounPhrase]], tokens_by_caption: Sequence[tuple[str, ...]] = ()
) -> PersonWords:
    """Return the words that all captions can agree on; "person" where they cannot.

    A word in a phrase that is not understood counts against the others, not for itself.
    """
    lemmas_by_caption = [
        {phrase.noun.lemma for phrase in phrases if phrase.noun.category == "person" and not phrase.is_likeness}
        for phrases in phrases_by_caption
    ]
    votes: dict[str, int] = {}
    for lemmas in lemmas_by_caption:
        for lemma in sorted(lemmas):
            votes[lemma] = votes.get(lemma, 0) + 1
    strays = [_find_strays(*both) for both in zip(phrases_by_caption, tokens_by_caption, strict=False)]
    named = [own | (strays[at] if at < len(strays) else set()) for at, own in enumerate(lemmas_by_caption)]
    unsafe = {
        lemma
        for table in (GENDERS, AGES)
        for lemma in votes
        if lemma in table
        and _is_contradicted(table[lemma], table, named)
        and not (table is AGES and _is_age_of_most(lemma, named))
    }
    num_couples = sum(_COUPLE.search(" ".join(tokens)) is not None for tokens in tokens_by_caption)
    unsafe |= {lemma for lemma in votes if _is_tied(lemma, phrases_by_caption, named, num_couples)}
    mixed = frozenset(one for one in votes if one in GENDERS and _is_mixed(one, phrases_by_caption, named))
    safe = frozenset(votes) - unsafe - {"person"}
    singular = max(sorted(safe), key=lambda lemma: votes[lemma], default="person")
    return PersonWords(singular if votes.get(singular, 0) > 1 else "person", safe, mixed)


def _find_strays(phrases: list[NounPhrase], tokens: tuple[str, ...]) -> set[str]:
    read = {at for phrase in phrases for at in range(phrase.start, phrase.end)}
    return {_WORDS[token] for at, token in enumerate(tokens) if at not in read and token in _WORDS}


def _is_contradicted(value: str, table: dict[str, str], lemmas_by_caption: list[set[str]]) -> bool:
    """True if another caption names somebody of the other kind only, and no caption names both."""
    kinds = [{table[lemma] for lemma in lemmas if lemma in table} for lemmas in lemmas_by_caption]
    return any(found and value not in found for found in kinds) and not any(len(found) > 1 for found in kinds)


def _is_tied(lemma: str, phrases_by_caption: list[list[NounPhrase]], named: list[set[str]], num_couples: int) -> bool:
    """True where as many captions have two people or more, all of another sex, or all adults beside a child."""
    young = {one: age for one, age in AGES.items() if age == "adult" or one == lemma} if lemma not in _ADULTS else {}
    against = 0
    for phrases, lemmas in zip(phrases_by_caption, named, strict=False):
        people = [one for one in phrases if one.noun.category == "person" and not one.is_likeness]
        is_several = len(people) > 1 or any(one.is_plural for one in people)
        against += is_several and any(
            lemma in table and all(one in table and table[one] != table[lemma] for one in lemmas)
            for table in (GENDERS, young)
        )
    told = sum(lemma in lemmas for lemmas in named) + (num_couples if lemma in _ADULTS else 0)
    return told <= against


def _is_age_of_most(lemma: str, lemmas_by_caption: list[set[str]]) -> bool:
    """True for a word of three captions that one alone speaks against; a woman may be a girl to two."""
    others = {other for other, age in AGES.items() if age != AGES[lemma]}
    against = sum(1 for lemmas in lemmas_by_caption if lemmas & others and lemma not in lemmas)
    is_loose = all(GENDERS.get(one) == "female" for lemmas in lemmas_by_caption for one in lemmas & AGES.keys())
    return sum(lemma in lemmas for lemmas in lemmas_by_caption) >= _MOST > against + (not is_loose)


def _is_mixed(lemma: str, phrases_by_caption: list[list[NounPhrase]], lemmas_by_caption: list[set[str]]) -> bool:
    """True if one caption has several of the sex, and another one of the other sex without several of this."""
    several = [any(one.noun.lemma == lemma and one.is_plural for one in phrases) for phrases in phrases_by_caption]
    mixed = [
        any(GENDERS.get(other, GENDERS[lemma]) != GENDERS[lemma] for other in lemmas) for lemmas in lemmas_by_caption
    ]
    return any(several) and any(other and not many for other, many in zip(mixed, several, strict=True))


def tells_several(phrases: Iterable[NounPhrase]) -> bool:
    """True if a caption speaks of more than one person."""
    people = [one for one in phrases if one.noun.category == "person" and not one.is_likeness and not one.is_negated]
    return any(one.is_plural for one in people) or len({one.noun.lemma for one in people}) > 1
