import pytest

from instructgen.review.agreement import (
    Settled,
    compare_reviewers,
    count_by_reviewer,
    count_choices,
    find_kappa,
    pool_agreement,
    settle,
)
from instructgen.review.decisions import Decision, Reviews


def make_reviews(**said: str) -> Reviews:
    """`ann="aer-"` says what ann decided on samples 0 to 3: accept, edit, reject, nothing."""
    words = {"a": "accept", "e": "edit", "r": "reject"}
    return {
        by: {
            str(k): Decision(str(k), words[letter], by, f"2026-01-0{k + 1}", float(k))  # type: ignore[arg-type]
            for k, letter in enumerate(letters)
            if letter != "-"
        }
        for by, letters in said.items()
    }


def test_kappa_of_a_worked_example() -> None:
    # Of 50: 20 yes-yes, 15 no-no, 5 yes-no, 10 no-yes; observed 0.7, by chance 0.5.
    pairs = [("y", "y")] * 20 + [("n", "n")] * 15 + [("y", "n")] * 5 + [("n", "y")] * 10
    assert find_kappa(pairs) == 0.4


def test_kappa_is_zero_at_chance_and_one_at_full_agreement() -> None:
    assert find_kappa([("y", "y"), ("y", "n"), ("n", "y"), ("n", "n")]) == 0
    assert find_kappa([("y", "y"), ("n", "n")]) == 1


def test_kappa_has_no_value_where_both_always_say_the_same() -> None:
    assert find_kappa([("y", "y")] * 5) is None


@pytest.mark.parametrize(("ann", "bob", "choice"), [("a", "r", "reject"), ("r", "e", "reject"), ("a", "e", "edit")])
def test_reject_wins_over_edit_over_accept(ann: str, bob: str, choice: str) -> None:
    assert settle(make_reviews(ann=ann, bob=bob))["0"].choice == choice
    assert settle(make_reviews(ann=bob, bob=ann))["0"].choice == choice


def test_latest_edit_wins_whoever_made_it() -> None:
    reviews = {
        "ann": {"0": Decision("0", "edit", "ann", "2026-01-02", 1.0, ("newer",))},
        "bob": {"0": Decision("0", "edit", "bob", "2026-01-01", 1.0, ("older",))},
    }
    assert settle(reviews) == {"0": Settled("edit", ("ann", "bob"), ("newer",))}


def test_keep_rate_counts_accepted_and_edited() -> None:
    assert count_choices(["accept", "edit", "reject", "reject"]).keep_rate == 0.5
    assert count_choices([]).keep_rate is None


def test_agreement_is_of_the_samples_that_both_decided() -> None:
    (pair,) = compare_reviewers(make_reviews(ann="aer-a", bob="aar-", cyd="-----"))
    assert (pair.reviewers, pair.num_samples) == (("ann", "bob"), 3)
    assert (pair.share, pair.keep_share, pair.keep_kappa) == (0.6667, 1.0, 1.0)


def test_no_agreement_is_told_where_nobody_shares_a_sample() -> None:
    pairs = compare_reviewers(make_reviews(ann="a-", bob="-r"))
    assert pairs == ()
    assert pool_agreement(pairs).share is None


def test_pooled_agreement_weighs_pairs_by_their_samples() -> None:
    pooled = pool_agreement(compare_reviewers(make_reviews(ann="arar", bob="arar", cyd="r---")))
    assert (pooled.num_samples, pooled.share) == (6, 0.6667)  # 4 of 4, 0 of 1, 0 of 1


def test_median_of_seconds_is_told_for_each_reviewer() -> None:
    assert count_by_reviewer(make_reviews(ann="aaaa"))["ann"].median_seconds == 1.5
