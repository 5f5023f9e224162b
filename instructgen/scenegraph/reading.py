"""Captions read once: tokens, noun phrases and events, with the way back to the characters."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from instructgen.lexicon.categories import CATEGORIES
from instructgen.records import ImageRecord
from instructgen.scenegraph.events import Event, find_events
from instructgen.scenegraph.graph import Evidence, Span
from instructgen.scenegraph.phrases import NounPhrase, find_noun_phrases, find_offsets, tokenise
from instructgen.scenegraph.vocabulary import NOUNS

_LISTED_KINDS = frozenset(CATEGORIES[name].group for name in CATEGORIES) | {"surface", "mass", "thing"}
# What is no thing of the picture, or only holds one.
_UNLISTED = frozenset((
    "photo", "picture", "camera", "corner", "trick", "paper", "shade", "stage", "track", "plate", "platter", "tray",
))  # fmt: skip


class Quality(Struct, frozen=True):
    """What a parse says of the phrase at `start` up to `end`; `first` up to `last` are the tokens that say so."""

    start: int
    end: int
    word: str
    first: int
    last: int


class CaptionReading(Struct, frozen=True):
    """`qualities` are what only a parse tells (parsing.py); rules read the others where they stand.

    `names` are the tokens that are written as names, with a capital within the sentence.
    """

    number: int
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    phrases: tuple[NounPhrase, ...]
    events: tuple[Event, ...]
    qualities: tuple[Quality, ...] = ()
    names: frozenset[int] = frozenset()

    def span(self, start: int, end: int) -> Span:
        """Return the characters of the tokens `start` up to `end`."""
        return Span(self.number, self.offsets[start][0], self.offsets[max(start, end - 1)][1])


Mentions = list[tuple[CaptionReading, NounPhrase]]


def read_captions(record: ImageRecord) -> tuple[CaptionReading, ...]:
    readings = []
    for number, caption in enumerate(record.captions):
        tokens = tokenise(caption)
        phrases = find_noun_phrases(tokens)
        events = find_events(tokens, phrases)
        offsets = find_offsets(caption)
        names = _find_names(caption, offsets)
        readings.append(CaptionReading(number, tokens, offsets, tuple(phrases), tuple(events), names=names))
    return tuple(readings)


def _find_names(caption: str, offsets: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the tokens that begin with a capital, but for the first; none where most do."""
    found = frozenset(at for at, (start, _) in enumerate(offsets) if at and caption[start].isupper())
    return found if 2 * len(found) < len(offsets) else frozenset()


def find_common(readings: Sequence[CaptionReading]) -> frozenset[str]:
    """Return the things, by category or lemma, that most of the captions have a word for, in whatever phrase."""
    counts: Counter[str] = Counter()
    for reading in readings:
        whole = [phrase for phrase in reading.phrases if " " in phrase.noun.lemma]
        inside = {at for phrase in whole for at in range(phrase.start, phrase.end)}
        nouns = [NOUNS.get(token) for at, token in enumerate(reading.tokens) if at not in inside]
        nouns += [phrase.noun for phrase in whole]
        told = (noun for noun in nouns if noun is not None and noun.kind in _LISTED_KINDS)
        counts.update({noun.category or noun.lemma for noun in told} - _UNLISTED)
    return frozenset(key for key, number in counts.items() if 2 * number > len(readings))


def spans_of(said: Mentions) -> tuple[Span, ...]:
    return tuple(reading.span(phrase.start, phrase.end) for reading, phrase in said)


def evidence_of(said: Mentions, boxes: tuple[int, ...] = ()) -> Evidence:
    return Evidence(spans_of(said), boxes)
