"""CHAIR by hand."""

from instructgen.evaluate.chair import ChairCounts
from instructgen.grounding.check import check_turns
from tests.support.grounded import claim, findings, make_evidence, talk


def counts_of(evidence_of: tuple[str, ...], *samples: tuple[str, ...]) -> ChairCounts:
    counts = ChairCounts()
    evidence = make_evidence(*evidence_of)
    for texts in samples:
        counts.observe(check_turns(talk(*texts), evidence), evidence)
    return counts


def test_a_dog_and_a_cat_where_only_the_dog_is_give_one_half() -> None:
    counts = counts_of(("dog",), ("What is there?", "There is a dog and a cat."))
    assert (counts.chair_i, counts.chair_s) == (0.5, 1.0)


def test_chair_s_is_the_share_of_samples_with_a_hallucinated_object() -> None:
    counts = counts_of(("dog",), ("What is there?", "There is a dog."), ("And?", "There is a cat."))
    assert (counts.chair_i, counts.chair_s) == (0.5, 0.5)


def test_an_object_of_the_captions_alone_is_not_hallucinated() -> None:
    evidence = make_evidence("dog", captions=("A dog chases a cat.",))
    counts = ChairCounts()
    counts.observe(check_turns(talk("What is there?", "There is a dog and a cat."), evidence), evidence)
    assert counts.chair_i == 0


def test_a_denial_is_no_mention_right_or_wrong() -> None:
    counts = ChairCounts()
    right = claim("object", "supported", "cat", "no cat")
    said_otherwise = claim("object", "supported", "cat", "cat")
    wrong = claim("object", "contradicted", "dog", "no dog")
    counts.observe(findings(right, said_otherwise, wrong), make_evidence("dog"))
    assert (counts.num_mentions, counts.chair_i, counts.chair_s) == (0, None, 0.0)


def test_a_category_that_is_there_is_not_hallucinated_whatever_is_wrong_with_its_name() -> None:
    counts = ChairCounts()
    counts.observe(findings(claim("object", "contradicted", "person", "a man")), make_evidence("person"))
    assert (counts.num_mentions, counts.chair_i) == (1, 0.0)


def test_claims_of_other_kinds_do_not_count() -> None:
    counts = ChairCounts()
    counts.observe(
        findings(claim("count", "contradicted", "dog"), claim("thing", "contradicted", "hat")), make_evidence()
    )
    assert (counts.num_mentions, counts.chair_i, counts.chair_s) == (0, None, 0.0)


def test_nothing_observed_gives_no_share() -> None:
    assert (ChairCounts().chair_i, ChairCounts().chair_s) == (None, None)
