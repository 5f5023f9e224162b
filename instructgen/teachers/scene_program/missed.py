"""Things that annotators missed: no box holds them, and most captions name them all the same."""

from collections.abc import Iterator

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading, Mentions, evidence_of

_MOST = 3  # captions
_NO_REAL = frozenset(("toy", "fake", "painted", "miniature", "plastic", "lego"))
_GROUPS = ("furniture", "food", "kitchen", "appliance", "electronic", "outdoor")


def _is_no_real_one(reading: CaptionReading, phrase: NounPhrase) -> bool:
    """True for what is denied, or a likeness: a toy table."""
    before = reading.tokens[phrase.start : phrase.end]
    return phrase.is_likeness or phrase.is_negated or not _NO_REAL.isdisjoint(before)


def find_missed(graph: SceneGraph) -> Iterator[Entity]:
    """Yield the categories that have no box and that most captions have in one number, none as a likeness."""
    sources = graph.sources
    said: dict[str, Mentions] = {}
    for reading in sources.readings if sources is not None else ():
        for phrase in reading.phrases:
            if phrase.noun.category is not None:
                said.setdefault(phrase.noun.category, []).append((reading, phrase))
    number = len(graph.entities)
    for name, found in said.items():
        lemmas = {phrase.noun.lemma for _, phrase in found}
        is_unclear = any(_is_no_real_one(reading, phrase) for reading, phrase in found) or len(lemmas) > 1
        many = {phrase.is_plural for _, phrase in found}
        captions = {reading.number for reading, _ in found}
        is_new = name not in graph.boxed and graph.find(name) is None and find_category(name).group in _GROUPS
        is_real = sources is not None and name not in sources.unreal and not lemmas & sources.denied
        if not is_new or not is_real or is_unclear or len(captions) < _MOST or len(many) > 1:
            continue
        lemma = next(iter(lemmas))
        yield Entity(
            number=number,
            name=lemma,
            category="",
            kind="thing",
            word=lemma,
            plural=plural_of(lemma),
            boxes=(),
            has_crowd=False,
            num_captions=len(captions),
            is_single=many == {False},
            count=None,
            evidence=evidence_of(found),
            certainty="sure",
            is_plural_noun=many == {True},
            num_plural=len(captions) if many == {True} else 0,
        )
        number += 1
