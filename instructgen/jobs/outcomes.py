"""What becomes of each unit, and the counts that must add up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase as fnmatch

from msgspec.structs import replace

from instructgen.dataset.manifest import Counts
from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.filters.base import Filter
from instructgen.filters.refusal import find_refusal
from instructgen.records import Failed, Fault, Message, Rejected, Reply, Sample, Unit
from instructgen.sample_types.base import SampleType

Outcome = Sample | Rejected | Failed
# Failures of the one request, which the same teacher would meet again.
_FINAL_FAILURES = frozenset({"bad_request", "answer_too_large", "no_choices", "image_unreadable"})


@dataclass(frozen=True, slots=True)
class Judge:
    """Turns a reply into a sample, or says why not. Pure: the same unit and reply give the same outcome."""

    sample_types: Mapping[str, SampleType]
    questions: Mapping[str, tuple[str, ...]]
    filters: Mapping[str, Filter]
    seed: int
    accept_models: tuple[str, ...] = ()

    def judge(self, unit: Unit, reply: Reply | Failed) -> Outcome:
        """Return the one sample that a reply makes, or the first stage that turned it away."""
        if isinstance(reply, Failed):
            return Failed(unit.unit_id, reply.stage, reply.reason, reply.detail)
        turns = self.refuse(unit, reply) or self.parse(unit, reply.text)
        return turns if isinstance(turns, Rejected) else self.sift(unit, turns, (reply.request_id,)).outcome

    def refuse(self, unit: Unit, reply: Reply, *, may_be_cut: bool = False) -> Rejected | None:
        """Return why a reply is no use whatever its text says; `may_be_cut` lets one pass that breaks off."""
        if "wrong_model" in reply.notes and not any(fnmatch(reply.model, name) for name in self.accept_models):
            return Rejected(unit.unit_id, "teacher", "wrong_model", f"answered by {reply.model}")
        if "refused" in reply.notes:
            return Rejected(unit.unit_id, "teacher", "refused", reply.text)
        if reply.finish_reason == "length" and not may_be_cut:
            return Rejected(unit.unit_id, "teacher", "truncated_reply", f"{reply.completion_tokens} tokens")
        if reply.finish_reason == "content_filter":
            return Rejected(unit.unit_id, "teacher", "content_filtered")
        return None

    def parse(self, unit: Unit, text: str) -> tuple[Message, ...] | Rejected:
        """Return the turns that a reply's text holds."""
        draw = make_generator(self.seed, "parse", unit.unit_id)
        turns = self.sample_types[unit.sample_type].parse(text, self.questions[unit.sample_type], draw)
        if not isinstance(turns, Fault):
            return turns
        # "I'm sorry, but ..." is no conversation either; to be counted for what it is.
        refusal = find_refusal(text) if "refusal" in self.filters else None
        if refusal is not None:
            return Rejected(unit.unit_id, "filter", refusal.reason, refusal.detail)
        return Rejected(unit.unit_id, "parse", turns.reason, turns.detail)

    def sift(self, unit: Unit, turns: tuple[Message, ...], request_ids: tuple[str, ...]) -> "Judged":
        """Pass the turns through the filters, all over again where one cut: what is left must hold by itself.

        Filters that add to the turns come last, and once.
        """
        sample = Sample(
            sample_id=f"{unit.unit_id}/0",
            image_id=unit.record.image_id,
            sample_type=unit.sample_type,
            turns=turns,
            request_ids=request_ids,
            checks={},
            partner=unit.partner,
            shots=unit.shots,
        )
        changed_by: dict[str, None] = {}
        adding = [name for name, rule in self.filters.items() if getattr(rule, "adds", False)]
        waiting = [name for name in self.filters if name not in adding]
        while waiting:
            before = sample.turns
            for name in waiting:
                verdict = self.filters[name].check(sample, unit.record)
                if verdict.fault is not None:
                    rejected = Rejected(unit.unit_id, "filter", verdict.fault.reason, verdict.fault.detail)
                    return Judged(rejected, sample.turns, tuple(changed_by))
                if verdict.turns is not None and verdict.turns != sample.turns:
                    sample = replace(sample, turns=verdict.turns)
                    changed_by[name] = None
                sample.checks[name] = verdict.score
            if waiting is adding:
                break
            waiting = adding if sample.turns == before else waiting
        if unit.shots and len(sample.turns) != len(turns):
            # Which image a turn is of is told by its place alone.
            rejected = Rejected(unit.unit_id, "filter", "image_without_turn", f"{len(sample.turns)} of {len(turns)}")
            return Judged(rejected, sample.turns, tuple(changed_by))
        return Judged(sample, sample.turns, tuple(changed_by))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the filters make of a sample. `turns` are those that the last one saw, `changed_by` who cut them."""

    outcome: Sample | Rejected
    turns: tuple[Message, ...]
    changed_by: tuple[str, ...]


def wants_fallback(outcome: Outcome) -> bool:
    """Return whether another teacher may do better: not where asking this one again may help."""
    return isinstance(outcome, Rejected) or (isinstance(outcome, Failed) and outcome.reason in _FINAL_FAILURES)


@dataclass(slots=True)
class Tally:
    """Counts units by type and outcome. `type_of` a record id is its last part."""

    types: tuple[str, ...]
    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, sample_type: str, outcome: Outcome) -> None:
        match outcome:
            case Sample():
                self.accepted[sample_type] += 1
            case Rejected(reason=reason):
                self.rejected[sample_type] += 1
                self.reasons.setdefault(sample_type, Counter())[reason] += 1
            case Failed(reason=reason):
                self.failed[sample_type] += 1
                self.reasons.setdefault(sample_type, Counter())[reason] += 1

    def close(self, num_images: int) -> Counts:
        """Return the counts of a finished build in which every image was planned once for each type."""
        for name in self.types:
            seen = self.accepted[name] + self.rejected[name] + self.failed[name]
            assert seen == num_images, f"{name}: {seen} outcomes for {num_images} units"
        return Counts(
            planned=dict.fromkeys(self.types, num_images),
            accepted={name: self.accepted[name] for name in self.types},
            rejected={name: self.rejected[name] for name in self.types},
            failed={name: self.failed[name] for name in self.types},
            reasons={name: dict(sorted(self.reasons.get(name, Counter()).items())) for name in self.types},
        )


def check_types(types: tuple[str, ...], known: Mapping[str, SampleType]) -> None:
    """Raise InstructgenError for a type that is not known or is asked for twice."""
    if not types:
        raise InstructgenError(f"no sample types are given; there are: {', '.join(known)}")
    for name in types:
        if name not in known:
            raise InstructgenError(f"no sample type called '{name}'; there are: {', '.join(known)}")
        if types.count(name) > 1:
            raise InstructgenError(f"the sample type '{name}' is given twice")
