"""What the claims of a sample come to."""

import pytest

from instructgen.grounding.claims import Truth
from tests.support.grounded import claim, findings

S, C, U = "supported", "contradicted", "unverifiable"


@pytest.mark.parametrize(
    ("truths", "verdict"),
    [
        ((S, S, C), C),
        ((S, U), S),
        ((S, U, U), U),
        ((U,), U),
        ((), U),
        ((S,), S),
    ],
)
def test_one_fault_contradicts_and_half_must_be_borne_out(truths: tuple[Truth, ...], verdict: str) -> None:
    assert findings(*(claim("object", truth, "dog") for truth in truths)).truth == verdict


def test_faults_are_the_contradicted_claims_in_order() -> None:
    one, two = claim("object", "contradicted", "cat"), claim("count", "contradicted", "dog")
    found = findings(one, claim("object", "supported", "dog"), two)
    assert found.faults == (one, two)
    assert (found.count("supported"), found.count("contradicted"), found.count("unverifiable")) == (1, 2, 0)
