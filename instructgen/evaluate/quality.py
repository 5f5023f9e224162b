"""The measures of a body of data, gathered record by record; what two processes gathered can be put together."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructgen.evaluate.chair import ChairCounts, is_mention
from instructgen.evaluate.distinct import DistinctCounter, WordHashes, hash_ngrams
from instructgen.evaluate.pope import YesNoCounts
from instructgen.grounding.claims import KINDS, Findings
from instructgen.grounding.evidence import Evidence
from instructgen.records import Message
from instructgen.text import split_words

NGRAMS = (1, 2, 3)
TRUTHS = ("supported", "contradicted", "unverifiable")
_DIGITS = 6


@dataclass(slots=True)
class Tally:
    """What is counted of some samples; every part adds up."""

    num_samples: int = 0
    num_leaks: int = 0
    truths: Counter[str] = field(default_factory=Counter)
    claims: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and truth."""
    chair: ChairCounts = field(default_factory=ChairCounts)
    yes_no: YesNoCounts = field(default_factory=YesNoCounts)
    answer_words: Counter[int] = field(default_factory=Counter)
    """How many answers have how many words."""
    coverage_sum: float = 0.0
    num_with_boxes: int = 0
    distinct: dict[int, DistinctCounter] = field(default_factory=lambda: {n: DistinctCounter() for n in NGRAMS})
    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    """One for the text of each sample."""

    def merge(self, other: "Tally") -> None:
        self.num_samples += other.num_samples
        self.num_leaks += other.num_leaks
        self.truths.update(other.truths)
        self.claims.update(other.claims)
        self.chair.merge(other.chair)
        self.yes_no.merge(other.yes_no)
        self.answer_words.update(other.answer_words)
        self.coverage_sum += other.coverage_sum
        self.num_with_boxes += other.num_with_boxes
        for n, counter in self.distinct.items():
            counter.merge(other.distinct[n])
        self.digests.extend(other.digests)

    def close(self, num_all: int, num_near_duplicates: int | None) -> dict[str, Any]:
        """Return the measures; shares are 0 to 1, and None where there is nothing to take a share of."""
        by_truth = {truth: sum(self.claims[kind, truth] for kind in KINDS if kind != "leakage") for truth in TRUTHS}
        num_claims = sum(by_truth.values())
        num_told = self.claims["count", "supported"] + self.claims["count", "contradicted"]
        return {
            "samples": self.num_samples,
            "type_share": _share(self.num_samples, num_all),
            "verdicts": {truth: self.truths[truth] for truth in TRUTHS},
            "contradicted_samples": _share(self.truths["contradicted"], self.num_samples),
            "unverifiable_samples": _share(self.truths["unverifiable"], self.num_samples),
            "claims": num_claims,
            "contradicted_claims": _share(by_truth["contradicted"], num_claims),
            "unverifiable_claims": _share(by_truth["unverifiable"], num_claims),
            "claims_by_kind": self._claims_by_kind(),
            "chair_i": _rounded(self.chair.chair_i),
            "chair_s": _rounded(self.chair.chair_s),
            "count_accuracy": _share(self.claims["count", "supported"], num_told),
            "yes_no_questions": self.yes_no.num_yes + self.yes_no.num_no,
            "yes_share": _rounded(self.yes_no.yes_share),
            "answers": self.answer_words.total(),
            "answer_words_mean": self._mean_words(),
            "answer_words_median": self._median_words(),
            "duplicate_share": _share(self.num_samples - len(set(self.digests)), self.num_samples),
            "near_duplicate_share": (
                None if num_near_duplicates is None else _share(num_near_duplicates, self.num_samples)
            ),
            "leakage_share": _share(self.num_leaks, self.num_samples),
            **{f"distinct_{n}": _share(counter.count(), counter.num_all) for n, counter in self.distinct.items()},
            "object_coverage": _rounded(self.coverage_sum / self.num_with_boxes if self.num_with_boxes else None),
        }

    def _claims_by_kind(self) -> dict[str, dict[str, int]]:
        kinds = [kind for kind in KINDS if any(self.claims[kind, truth] for truth in TRUTHS)]
        return {kind: {truth: self.claims[kind, truth] for truth in TRUTHS} for kind in kinds}

    def _mean_words(self) -> float | None:
        num_words = sum(length * number for length, number in self.answer_words.items())
        return _rounded(num_words / self.answer_words.total()) if self.answer_words else None

    def _median_words(self) -> float | None:
        """The middle length; the mean of the two middle ones of an even number."""
        total = self.answer_words.total()
        middles = []
        seen = 0
        for length in sorted(self.answer_words):
            before, seen = seen, seen + self.answer_words[length]
            middles += [length for place in ((total - 1) // 2, total // 2) if before <= place < seen]
        return sum(middles) / 2 if middles else None


class Metrics:
    """A tally for each sample type. `observe` takes one sample with what the grounding found in it."""

    def __init__(self, hashes: WordHashes | None = None) -> None:
        self.by_type: dict[str, Tally] = {}
        self._hashes = hashes or WordHashes()

    def observe(self, turns: Sequence[Message], sample_type: str, findings: Findings, evidence: Evidence) -> None:
        tally = self.by_type.setdefault(sample_type, Tally())
        tally.num_samples += 1
        tally.num_leaks += any(claim.kind == "leakage" for claim in findings.claims)
        tally.truths[findings.truth] += 1
        tally.claims.update((claim.kind, claim.truth) for claim in findings.claims)
        tally.chair.observe(findings, evidence)
        tally.yes_no.observe(turns)
        answers = [turn.content for turn in turns if turn.role == "assistant"]
        tally.answer_words.update(len(answer.split()) for answer in answers)
        tally.digests.append(_digest(turns))
        _add_coverage(tally, findings, evidence)
        words = [split_words(answer) for answer in answers]
        hashes = self._hashes.hash_words([word for of_answer in words for word in of_answer])
        for n, counter in tally.distinct.items():
            counter.add(hash_ngrams(hashes, [len(of_answer) for of_answer in words], n))

    def merge(self, by_type: Mapping[str, Tally]) -> None:
        """Take in what others have gathered: their `by_type`."""
        for sample_type, tally in by_type.items():
            self.by_type.setdefault(sample_type, Tally()).merge(tally)

    def close(
        self, near_duplicates: Mapping[str, int] | None = None, planned: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return {"total": measures, "types": {type: measures}}, with the types by name.

        A type that was planned is there without a sample too, so that nothing passes unseen.
        How many samples all but repeat an earlier one takes all samples at once to say; it is given, by type, by
        who has asked instructgen.filters.near_duplicate.
        """
        total = Tally()
        for tally in self.by_type.values():
            total.merge(tally)
        num_all = total.num_samples
        found = None if near_duplicates is None else Counter(near_duplicates)
        types = {
            name: self.by_type.get(name, Tally()).close(num_all, None if found is None else found[name])
            for name in sorted({*self.by_type, *planned})
        }
        return {"total": total.close(num_all, None if found is None else found.total()), "types": types}


def _add_coverage(tally: Tally, findings: Findings, evidence: Evidence) -> None:
    """Take the share of the image's boxed categories that the answers mention."""
    boxed = {box.category for box in evidence.record.boxes}
    if boxed:
        mentioned = {claim.subject for claim in findings.claims if is_mention(claim, evidence)}
        tally.coverage_sum += len(boxed & mentioned) / len(boxed)
        tally.num_with_boxes += 1


def _digest(turns: Sequence[Message]) -> int:
    """Return 64 bits of the text of all turns; case and white space do not count."""
    text = "\0".join(" ".join(turn.content.lower().split()) for turn in turns)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _share(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
