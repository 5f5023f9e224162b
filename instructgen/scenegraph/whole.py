"""A caption told whole: one clause read to its very end, where most of it is what others tell too.

Statements and quotes end before the first word that is not borne out, and so may lose what every caption tells, each
in its own words. Here a caption's own details are kept as well: as long as every word is spelled like one, no other
caption or box disputes what is told, and enough of it is shared. What ends a caption and is not so is left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from itertools import chain

from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.graph import Statement
from instructgen.scenegraph.hearsay import stem_of
from instructgen.scenegraph.likenesses import begins_as_likeness
from instructgen.scenegraph.pieces import RUDE
from instructgen.scenegraph.plain_words import DOUBTFUL, EMPTY, IN_PICTURES, PLAIN_WORDS
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.subjects import skip_opener
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import ADJECTIVES, NOUNS
from instructgen.scenegraph.whole_clause import Clause
from instructgen.scenegraph.whole_nouns import name_key

_MOST_TOKENS = 20
_STOPS = frozenset((".", ","))
_SEVERAL, _MOST = 2, 3  # captions that have a word
_KEPT_TOGETHER = (
    ("t", "shirt"),
    ("getting", "off"),
    ("getting", "on"),
    ("getting", "out"),
    ("in", "front", "of"),
    ("each", "other"),
    ("one", "another"),
    ("made", "of"),
    ("part", "of"),
    ("to", "each", "side"),
)
_FIRST_WORDS = frozenset(words[0] for words in _KEPT_TOGETHER)
_TABLES = (ADJECTIVES, EMPTY, PLAIN_WORDS, VERB_FORMS, TOLD_VERBS, BASE_FORMS)
KNOWN_WORDS = frozenset(chain(chain.from_iterable(words.split() for words in NOUNS), *_TABLES))


def find_whole(
    sources: Sources,
    said: str,
    margin: int,
    *,
    needs_verb: bool,
    may_end_early: bool = False,
    may_end_at_doing: bool = False,
) -> Statement | None:
    """Return the caption that tells most of what several tell, said anew; None where no one tells clearly more.

    It is more than what was `said` by the margin: what two captions have a word for counts once, what most have
    twice. Of captions that tell as much the one that tells a doing is taken. One that may end early is told as far
    as it is understood, or only if that tells a doing of which another caption tells, too.
    """
    is_any = may_end_early or may_end_at_doing
    readings = sources.readings
    told = [frozenset(map(name_key, reading.tokens)) for reading in readings]
    weights = weigh_told(told)
    rates = [sum(weights[key] for key in keys) for keys in told]
    numbers = sorted(range(len(readings)), key=lambda one: (-rates[one], one))
    enough = 2 * (rate_told(said.lower().split(), weights) + margin)
    best: dict[bool, Statement] = {}  # by whether their ends are left out: those that are whole are better
    least = {False: enough, True: enough}
    for number in numbers:
        if 2 * rates[number] + 1 < (min(least.values()) if is_any else least[False]):
            break
        one, is_cut = _read(number, sources, may_end_early=is_any)
        if one is None or (needs_verb and one.verb in ("", "be")):
            continue
        if is_cut and not may_end_early and not _tells_shared_doing(one, sources):
            continue
        rated = (one.verb not in ("", "be")) + 2 * rate_told(
            [word for part in (*one.subject, *one.predicate) for word in part.text.split()], weights
        )
        if rated >= least[is_cut]:
            best[is_cut], least[is_cut] = one, rated + 1
    if not best or any(begins_as_likeness(reading.tokens) for reading in readings):
        return None
    return best.get(False) or best[True]


def weigh_told(told: Iterable[Set[str]]) -> dict[str, int]:
    """Return what each key of the captions' words counts: once if several captions have it, twice if most do."""
    counted = Counter(chain.from_iterable(told))
    return {key: 0 if key in EMPTY else (num >= _SEVERAL) + (num >= _MOST) for key, num in counted.items()}


def rate_told(words: Iterable[str], weights: Mapping[str, int]) -> int:
    """Return how much of what several captions tell is in a text."""
    return sum(weights.get(key, 0) for key in {name_key(word.strip(".,")) for word in words})


def count_told(sources: Sources) -> Counter[str]:
    """Return how many captions have a word for each thing and doing, by the keys of `name_key`."""
    counted = Counter(chain.from_iterable({name_key(token) for token in one.tokens} for one in sources.readings))
    return Counter({key: num for key, num in counted.items() if key.isalpha() and key not in EMPTY})


def read_wholes(sources: Sources) -> list[Statement]:
    """Return all captions that are told whole, or as far as they are understood."""
    if any(begins_as_likeness(reading.tokens) for reading in sources.readings):
        return []
    read = (_read(number, sources, may_end_early=True) for number in range(len(sources.readings)))
    return [one for one, _ in read if one is not None]


def _read(number: int, sources: Sources, *, may_end_early: bool) -> tuple[Statement | None, bool]:
    reading = sources.readings[number]
    stop = _find_stop(reading.tokens, sources)
    if not stop or (not may_end_early and stop < len(reading.tokens)):
        return None, False
    others = [frozenset(map(stem_of, one.tokens)) for one in sources.readings if one is not reading]
    clause = Clause(reading, sources, others, stop)
    return clause.make(may_end_early=may_end_early), clause.is_cut


def _tells_shared_doing(one: Statement, sources: Sources) -> bool:
    is_doing = one.verb not in ("", "be") and (one.verb not in POSTURES or one.kind in ("person", "animal"))
    return is_doing and bool(one.category) and sources.voices.verbs[one.verb] >= _SEVERAL


def _find_stop(tokens: tuple[str, ...], sources: Sources) -> int:
    """Return the first token that may not be told: none knows it, or it makes doubtful what it is said of.

    0 where something rude is told, or what is not told might be that a thing is no real one.
    """
    at = start = skip_opener(tokens)
    most = min(len(tokens), start + _MOST_TOKENS)
    while at < most:
        is_first = tokens[at] in _FIRST_WORDS
        together = _find_together(tokens, at) if is_first else ()
        if not together and not _is_plain(tokens[at], sources):
            break
        at += max(1, len(together))
    if not RUDE.isdisjoint(tokens) or (at < len(tokens) and not IN_PICTURES.isdisjoint(tokens[at:])):
        return 0
    return at


def _find_together(tokens: tuple[str, ...], at: int) -> tuple[str, ...]:
    return next((one for one in _KEPT_TOGETHER if tokens[at : at + len(one)] == one), ())


def _is_plain(word: str, sources: Sources) -> bool:
    if word in _STOPS:
        return True
    is_known = word in KNOWN_WORDS or sources.num_captions[word] > 1
    return is_known and word not in DOUBTFUL and word.isalpha() and (len(word) > 1 or word == "a")
