"""A caption told in its own words: one each of whose words another caption has too, or bears out by another.

Statements and wholes are read by tables, and a caption with a noun or a turn that no table has is told by halves or
not at all. Where its author and another one agree on every thing, look and doing, its words can be trusted as they
stand; only how things stand to one another is the author's alone.
"""

from functools import lru_cache

from instructgen.scenegraph.agreement import Sources
from instructgen.scenegraph.graph import Statement
from instructgen.scenegraph.own_reader import OwnWordsReader
from instructgen.scenegraph.sharing import Held
from instructgen.scenegraph.whole import rate_told, weigh_told
from instructgen.scenegraph.whole_nouns import name_key

_KEPT = 64  # images


def find_own_words(sources: Sources, said: str, margin: int, most_alone: int = 0) -> Statement | None:
    """Return the caption that tells most of what several tell, and by the margin more than was `said`; or None.

    `most_alone` of its words may be its author's own, if they are spelled like words.
    """
    weights = weigh_told(frozenset(map(name_key, one.tokens)) for one in sources.readings)
    least, best = rate_told(said.lower().split(), weights) + margin, None
    for one in read_own_words(sources, most_alone):
        rate = rate_told(one.text.lower().split(), weights)
        if rate >= least:
            best, least = one, rate + 1
    return best


def read_own_words(sources: Sources, most_alone: int = 0) -> tuple[Statement, ...]:
    """Return all captions that are told in their own words, as far as others have these too."""
    return _read(Held(sources), most_alone)


@lru_cache(maxsize=_KEPT)
def _read(held: Held, most_alone: int) -> tuple[Statement, ...]:
    """Read them once for an image whose graph is at hand."""
    read = (OwnWordsReader(reading, held.sources, most_alone).read() for reading in held.sources.readings)
    return tuple(one for one in read if one is not None)
