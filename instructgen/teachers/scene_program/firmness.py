"""How much speaks for what a turn tells: what most captions bear out is asked about before what one of them has.

Measured on read samples: of answers about things that three captions name or of doings that three bear out, 1 in 180
was wrong, and of the others 1 in 27 (docs/scene-program.md).
"""

from collections.abc import Iterable
from functools import cached_property

from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import is_collage
from instructgen.scenegraph.graph import Evidence, SceneGraph, Statement
from instructgen.scenegraph.verbs import VERB_FORMS

FIRM = 3  # captions: most of five
_AGREED = 2  # captions that have one look, place or time: a third seldom tells the same detail
_OF_CAPTIONS = ("attribute", "place", "time", "weather")
_LIVELY = ("person", "animal")
_UNCITED = ("absent", "more")  # these rest on all captions and boxes, or on counts that are claims of their own


class Firmness:
    """Of the claims about one image."""

    def __init__(self, graph: SceneGraph) -> None:
        self._graph = graph

    def is_firm(self, claims: Iterable[Claim], least: int = FIRM) -> bool:
        """True if `least` captions bear out each claim, or as many as there are; of details two are enough."""
        enough = min(least, self._graph.num_captions)
        return all(
            self._count(claim) >= (min(enough, _AGREED) if self._is_detail(claim) else enough) for claim in claims
        )

    @staticmethod
    def _is_detail(claim: Claim) -> bool:
        return claim.kind in _OF_CAPTIONS

    def _count(self, claim: Claim) -> int:
        if claim.kind in _UNCITED:
            return self._graph.num_captions
        if claim.kind == "doing":
            return self._doings.get((claim.subject, claim.value), _captions_of(claim.evidence))
        if claim.kind == "told":
            return self._told.get(claim.evidence, 1)
        if claim.kind in _OF_CAPTIONS or not claim.evidence.boxes:
            return _captions_of(claim.evidence)
        return min(self._boxed.get(number, 0) for number in claim.evidence.boxes)

    @cached_property
    def _boxed(self) -> dict[int, int]:
        """In how many captions the thing of each box is named; what none names none calls otherwise."""
        return {
            number: one.num_captions or _AGREED
            for one in self._graph.entities
            if one.member_of is None
            for number in one.evidence.boxes
        }

    @cached_property
    def _named(self) -> list[set[str]]:
        """What each caption names, by category or lemma."""
        named: list[set[str]] = [set() for _ in range(self._graph.num_captions)]
        for one in self._graph.entities:
            for span in one.evidence.spans:
                named[span.caption].add(one.name)
        return named

    @cached_property
    def _doings(self) -> dict[tuple[str, str], int]:
        return {(one.subject, one.doing): one.num_bearing_out for one in reversed(self._graph.told)}

    @cached_property
    def _verbs(self) -> dict[tuple[str, str], int]:
        return {(one.verb, one.subject): one.num_bearing_out for one in reversed(self._graph.actions)}

    @cached_property
    def _told(self) -> dict[Evidence, int]:
        return {Evidence((one.span,)): self.count(one) for one in (*self._graph.statements, *self._graph.quotes)}

    def count(self, one: Statement) -> int:
        """Return how many captions bear out a statement: its doing, or what it names."""
        if is_collage(one):
            return self._graph.num_captions
        return max(self._verbs.get((one.verb, one.word), 0), self._count_named(one))

    def _count_named(self, one: Statement) -> int:
        """Return how many captions name all things of a statement, or tell that somebody does so to one of them."""
        if one.verb not in ("", "be") and one.kind in _LIVELY:
            return max(1, sum(self._is_alike(one, number) for number in range(len(self._graph.words_by_caption))))
        named = [thing.num_captions for thing in self._graph.entities if thing.name in one.keys]
        return max(1, min(named, default=1))

    def _is_alike(self, one: Statement, number: int) -> bool:
        """True for a caption that has the doer, the verb and a thing that a statement tells, if it tells any."""
        words = self._graph.words_by_caption[number]
        if not any(word in VERB_FORMS and VERB_FORMS[word].base == one.verb for word in words):
            return False
        named = self._named[number]
        things = one.keys - {one.verb, one.category, one.lemma}
        told = things & named or any(thing in words or plural_of(thing) in words for thing in things)
        is_doer = one.category in named or one.word in words
        return is_doer and (bool(told) or not things)


def _captions_of(evidence: Evidence) -> int:
    return len({span.caption for span in evidence.spans})
