"""Each claim proved from the record alone, by its kind."""

from collections.abc import Callable, Iterator

from instructgen.scenegraph.claims import Claim
from tests.provers import captions, frame, told
from tests.provers.evidence import Evidence, category_of

_Prove = Callable[[Evidence, Claim], Iterator[str]]


def _prove_exists(evidence: Evidence, claim: Claim) -> Iterator[str]:
    prove = captions.prove_exists if category_of(claim.subject) is None else frame.prove_exists
    yield from prove(evidence, claim)


PROOFS: dict[str, _Prove] = {
    "exists": _prove_exists,
    "absent": frame.prove_absent,
    "count": frame.prove_count,
    "more": frame.prove_more,
    "attribute": captions.prove_attribute,
    "doing": captions.prove_doing,
    "region": frame.prove_region,
    "relation": frame.prove_relation,
    "larger": frame.prove_larger,
    "order": frame.prove_order,
    "largest": frame.prove_largest,
    "overlap": frame.prove_overlap,
    "edge": frame.prove_edge,
    "extent": frame.prove_extent,
    "half": frame.prove_half,
    "sides": frame.prove_sides,
    "place": captions.prove_place,
    "time": captions.prove_circumstance,
    "weather": captions.prove_circumstance,
    "inferred": frame.prove_inferred,
    "located": frame.prove_located,
    "main": frame.prove_main,
    "told": told.prove_told,
}


def doubt_claim(evidence: Evidence, claim: Claim) -> list[str]:
    """Return why the record does not prove the claim; nothing where it does."""
    try:
        faults = list(PROOFS[claim.kind](evidence, claim))
    except ValueError as fault:
        faults = [str(fault)]
    return [f"claim {claim.kind}: {fault}" for fault in faults]
