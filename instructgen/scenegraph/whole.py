"""A caption told whole: one clause read to its very end, where most of it is what others tell too.

Statements and quotes end before the first word that is not borne out, and so may lose what every caption tells, each
in its own words. Here a caption's own details are kept as well: as long as every word is spelled like one, no other
caption or box disputes what is told, and enough of it is shared.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.graph import Statement
from instructgen.scenegraph.hearsay import stem_of
from instructgen.scenegraph.likenesses import begins_as_likeness
from instructgen.scenegraph.pieces import RUDE
from instructgen.scenegraph.plain_words import DOUBTFUL, PLAIN_WORDS
from instructgen.scenegraph.subjects import skip_opener
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import ADJECTIVES, NOUNS
from instructgen.scenegraph.whole_clause import EMPTY, Clause
from instructgen.scenegraph.whole_nouns import name_key

_MOST_TOKENS = 20
_STOPS = frozenset((".", ","))
_SEVERAL, _MOST = 2, 3  # captions that have a word
_KEPT_TOGETHER = (
    "in front of",
    "next to each other",
    "each other",
    "one another",
    "made of",
    "part of",
    "to each side",
)
_TABLES = (ADJECTIVES, EMPTY, PLAIN_WORDS, VERB_FORMS, TOLD_VERBS, BASE_FORMS)
_KNOWN = frozenset(chain(chain.from_iterable(words.split() for words in NOUNS), *_TABLES))


def find_whole(sources: Sources, said: str, margin: int, *, needs_verb: bool) -> Statement | None:
    """Return the caption that tells most of what several tell, said anew; None where no one tells clearly more.

    It is more than what was `said` by the margin: what two captions have a word for counts once, what most have
    twice. Of captions that tell as much the one that tells a doing is taken.
    """
    readings = sources.readings
    told = [frozenset(map(name_key, reading.tokens)) for reading in readings]
    counted = Counter(chain.from_iterable(told))
    weights = {key: 0 if key in EMPTY else (num >= _SEVERAL) + (num >= _MOST) for key, num in counted.items()}
    rates = [sum(weights[key] for key in keys) for keys in told]
    best, least = None, 2 * (_rate(said.lower().split(), weights) + margin)
    for number in sorted(range(len(readings)), key=lambda one: (-rates[one], one)):
        if 2 * rates[number] + 1 < least:
            break
        if not _is_clean(readings[number].tokens, sources):
            continue
        if any(begins_as_likeness(reading.tokens) for reading in readings):
            return None
        others = [frozenset(map(stem_of, one.tokens)) for at, one in enumerate(readings) if at != number]
        one = Clause(readings[number], sources, others).make()
        if one is None or (needs_verb and one.verb in ("", "be")):
            continue
        rated = (one.verb not in ("", "be")) + 2 * _rate(
            [word for part in (*one.subject, *one.predicate) for word in part.text.split()], weights
        )
        if rated >= least:
            best, least = one, rated + 1
    return best


def _rate(words: Sequence[str], weights: dict[str, int]) -> int:
    """Return how much of what several captions tell is in a text."""
    return sum(weights.get(key, 0) for key in {name_key(word.strip(".,")) for word in words})


def _is_clean(tokens: tuple[str, ...], sources: Sources) -> bool:
    """True where all words are known or another caption's, and none makes it doubtful, rude or a likeness."""
    told = [word for word in tokens[skip_opener(tokens) :] if word not in _STOPS]
    if len(told) > _MOST_TOKENS or not RUDE.isdisjoint(told):
        return False
    if not all(word in _KNOWN or sources.num_captions[word] > 1 for word in told):
        return False
    text = f" {' '.join(told)} "
    for words in _KEPT_TOGETHER:
        text = text.replace(f" {words} ", " ")
    return DOUBTFUL.isdisjoint(text.split()) and all(map(str.isalpha, told))
