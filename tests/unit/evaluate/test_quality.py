"""The measures of a body of data by hand."""

import pickle
from typing import Any

from instructgen.evaluate.quality import Metrics
from instructgen.grounding.claims import Findings
from tests.support.grounded import claim, findings, make_evidence, talk

EVIDENCE = make_evidence("dog", "cat", "bench", "person")
DOG = claim("object", "supported", "dog")
BUS = claim("object", "contradicted", "bus")
HAT = claim("thing", "unverifiable", "hat")


def observed(*samples: tuple[str, Findings, tuple[str, ...]]) -> Metrics:
    metrics = Metrics()
    for sample_type, found, texts in samples:
        metrics.observe(talk(*texts), sample_type, found, EVIDENCE)
    return metrics


def total(*samples: tuple[str, Findings, tuple[str, ...]]) -> dict[str, Any]:
    closed: dict[str, Any] = observed(*samples).close()["total"]
    return closed


def test_claims_are_shared_out_by_truth_and_by_kind() -> None:
    found = total(("conv", findings(DOG, BUS), ("?", "x")), ("conv", findings(DOG, HAT), ("?", "y")))
    assert (found["claims"], found["contradicted_claims"], found["unverifiable_claims"]) == (4, 0.25, 0.25)
    assert found["claims_by_kind"] == {
        "object": {"supported": 2, "contradicted": 1, "unverifiable": 0},
        "thing": {"supported": 0, "contradicted": 0, "unverifiable": 1},
    }
    assert found["verdicts"] == {"supported": 1, "contradicted": 1, "unverifiable": 0}
    assert (found["chair_i"], found["chair_s"]) == (0.333333, 0.5)


def test_counts_accuracy_leaves_out_what_cannot_be_verified() -> None:
    counts = [claim("count", truth, "dog") for truth in ("supported", "contradicted", "unverifiable")]
    assert total(("conv", findings(*counts), ("?", "x")))["count_accuracy"] == 0.5


def test_lengths_are_of_answers_in_words() -> None:
    found = total(("conv", findings(), ("one two three", "a", "?", "a b c")), ("conv", findings(), ("?", "a b")))
    assert (found["answers"], found["answer_words_mean"], found["answer_words_median"]) == (3, 2.0, 2.0)


def test_median_of_an_even_number_is_between_the_middle_two() -> None:
    found = total(("conv", findings(), ("?", "a", "?", "a b", "?", "a b c d e", "?", "a b c d e f")))
    assert found["answer_words_median"] == 3.5


def test_a_sample_said_again_is_a_duplicate_whatever_its_case_and_spacing() -> None:
    samples = [("conv", findings(), ("Is it?", answer)) for answer in ("Yes, it is.", "yes,  it is.", "No.", "Yes.")]
    assert total(*samples)["duplicate_share"] == 0.25


def test_leakage_is_a_share_of_samples_and_no_claim() -> None:
    leak = claim("leakage", "contradicted", "")
    found = total(("conv", findings(leak, leak), ("?", "x")), ("conv", findings(DOG), ("?", "y")))
    assert (found["leakage_share"], found["claims"], found["contradicted_claims"]) == (0.5, 1, 0.0)


def test_distinct_ngrams_are_shares_of_all_ngrams_of_the_answers() -> None:
    found = total(("conv", findings(), ("x y z", "A dog. A dog.")))
    assert (found["distinct_1"], found["distinct_2"], found["distinct_3"]) == (0.5, 0.666667, 1.0)


def test_object_coverage_is_the_mean_share_of_boxed_categories_that_are_mentioned() -> None:
    cat = claim("object", "supported", "cat")
    found = total(("conv", findings(DOG, DOG, cat, BUS), ("?", "x")), ("conv", findings(), ("?", "y")))
    assert found["object_coverage"] == 0.25


def test_types_are_apart_and_in_all() -> None:
    closed = observed(
        ("conv", findings(DOG), ("?", "x")),
        ("conv", findings(DOG), ("?", "x")),
        ("detail", findings(BUS), ("?", "x")),
        ("conv", findings(DOG), ("?", "z")),
    ).close()
    assert {name: of_type["type_share"] for name, of_type in closed["types"].items()} == {
        "conv": 0.75,
        "detail": 0.25,
    }
    assert closed["types"]["conv"]["chair_i"] == 0.0
    assert closed["types"]["detail"]["chair_i"] == 1.0
    assert closed["total"]["chair_i"] == 0.25
    assert closed["types"]["conv"]["duplicate_share"] == 0.333333
    assert closed["total"]["duplicate_share"] == 0.5


def test_what_two_processes_gathered_gives_what_one_gathers() -> None:
    samples = [
        ("conv", findings(DOG, BUS), ("Is there a dog?", "Yes, a dog and a bus.")),
        ("detail", findings(HAT), ("?", "Somebody wears a hat.")),
        ("conv", findings(claim("count", "supported", "cat")), ("Is there a cat?", "No, two of them.")),
    ]
    merged = Metrics()
    for part in (samples[:2], samples[2:]):
        merged.merge(pickle.loads(pickle.dumps(observed(*part).by_type)))
    assert merged.close() == observed(*samples).close()


def test_nothing_observed_has_no_shares() -> None:
    closed = Metrics().close()
    assert closed["types"] == {}
    assert (closed["total"]["samples"], closed["total"]["chair_i"], closed["total"]["distinct_1"]) == (0, None, None)


def test_planned_type_without_a_sample_has_measures_of_nothing() -> None:
    closed = Metrics().close({}, ("conv",))
    assert set(closed["types"]) == {"conv"}
    assert (closed["types"]["conv"]["samples"], closed["types"]["conv"]["chair_i"]) == (0, None)
