"""What several reviewers say together: conflicts settled, how far they agree, how much is kept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import median

from msgspec import Struct

from instructgen.dataset.manifest import ReviewAgreement
from instructgen.review.decisions import Choice, Decision, Reviews

MINIGPT4_KEEP_RATE = 0.7  # about 3,500 of 5,000 (MiniGPT-4, arXiv 2304.10592)
_KEPT = ("accept", "edit")


class Settled(Struct, frozen=True):
    """What becomes of a sample; `by` are all who decided on it, `answers` an edit's."""

    choice: Choice
    by: tuple[str, ...]
    answers: tuple[str, ...] = ()
    why: str = ""


class Numbers(Struct, frozen=True):
    """`keep_rate` is the accepted and edited share of what was reviewed; None where nothing was."""

    reviewed: int
    accepted: int
    edited: int
    rejected: int
    keep_rate: float | None


class ReviewerNumbers(Struct, frozen=True):
    numbers: Numbers
    median_seconds: float


class Pooled(Struct, frozen=True):
    """Of all pairs of reviewers; None where no two share a sample, or kappa has no value."""

    num_samples: int
    share: float | None
    kappa: float | None


def settle(reviews: Reviews) -> dict[str, Settled]:
    """Return what becomes of each reviewed sample: reject wins over edit over accept, the latest edit wins."""
    by_sample: dict[str, list[Decision]] = {}
    for standing in reviews.values():
        for sample_id, decision in standing.items():
            by_sample.setdefault(sample_id, []).append(decision)
    return {sample_id: _settle_one(by_sample[sample_id]) for sample_id in sorted(by_sample)}


def _settle_one(decisions: Sequence[Decision]) -> Settled:
    by = tuple(sorted(decision.by for decision in decisions))
    for choice in ("reject", "edit"):
        found = [decision for decision in decisions if decision.decision == choice]
        if found:
            last = max(found, key=lambda decision: (decision.at, decision.by))
            return Settled(choice, by, last.answers, last.why)
    return Settled("accept", by)


def count_choices(choices: Iterable[str]) -> Numbers:
    counts = Counter(choices)
    reviewed = counts.total()
    kept = sum(counts[choice] for choice in _KEPT)
    rate = round(kept / reviewed, 4) if reviewed else None
    return Numbers(reviewed, counts["accept"], counts["edit"], counts["reject"], rate)


def count_by_reviewer(reviews: Reviews) -> dict[str, ReviewerNumbers]:
    return {
        by: ReviewerNumbers(
            count_choices(decision.decision for decision in standing.values()),
            round(median(decision.seconds for decision in standing.values()), 1),
        )
        for by, standing in reviews.items()
    }


def compare_reviewers(reviews: Reviews) -> tuple[ReviewAgreement, ...]:
    """Return the agreement of every two reviewers who share a sample."""
    pairs = []
    for (a, of_a), (b, of_b) in combinations(sorted(reviews.items()), 2):
        shared = sorted(of_a.keys() & of_b.keys())
        if shared:
            said = [(of_a[sample_id].decision, of_b[sample_id].decision) for sample_id in shared]
            kept = [(str(x in _KEPT), str(y in _KEPT)) for x, y in said]
            pairs.append(
                ReviewAgreement(
                    (a, b), len(shared), find_share(said), find_kappa(said), find_share(kept), find_kappa(kept)
                )
            )
    return tuple(pairs)


def find_share(pairs: Sequence[tuple[str, str]]) -> float:
    return round(sum(x == y for x, y in pairs) / len(pairs), 4)


def find_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa (1960): agreement beyond what the two raters' own habits would give by chance."""
    num = len(pairs)
    observed = sum(x == y for x, y in pairs)
    first, second = Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    by_chance = sum(first[label] * second[label] for label in first)  # num squared times the expected share
    if by_chance == num * num:
        return None
    return round((observed * num - by_chance) / (num * num - by_chance), 4)


def pool_agreement(pairs: Sequence[ReviewAgreement]) -> Pooled:
    """Return the mean over all pairs of reviewers, each weighted by the samples that it shares."""
    return Pooled(
        sum(pair.num_samples for pair in pairs),
        _weigh([(pair.share, pair.num_samples) for pair in pairs]),
        _weigh([(pair.kappa, pair.num_samples) for pair in pairs]),
    )


def _weigh(found: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in found if value is not None]
    total = sum(weight for _, weight in known)
    return round(sum(value * weight for value, weight in known) / total, 4) if total else None
