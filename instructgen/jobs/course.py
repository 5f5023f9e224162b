"""The course of one unit: what is asked for it, one request after the other, and what becomes of the answers.

    generate -> continue -> clean -> rewrite -> filters -> repair -> filters -> ... -> judge
    -> fallback: all of it again

Both passes of a build walk it, and a walk is a pure function of the unit and of the answers that are there. So the
first pass asks what the walk still wants, the second finds every answer, and neither remembers anything between.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import RefineConfig
from instructgen.evaluate.assess import Assessor
from instructgen.filters.grounding import Grounding
from instructgen.generate.asked import Asked, AskedStep
from instructgen.grounding.samples import find_claims
from instructgen.jobs.outcomes import Judge, Judged, Outcome, wants_fallback
from instructgen.prompting.requests import make_request
from instructgen.records import Decoding, Failed, Fault, Message, Rejected, Reply, Sample, Unit
from instructgen.refine.joining import join_texts
from instructgen.refine.prompts import Draft, RefinePrompts
from instructgen.refine.repair import list_faults
from instructgen.refine.rewrite import says_unchanged
from instructgen.refine.rules import CleanedTurns, clean_turns, drop_chatter_in_front
from instructgen.teachers.base import Teacher
from instructgen.teachers.tokens import estimate_tokens

Answer = Reply | Failed
FindAnswer = Callable[[str], Answer | None]
ChangeStep = Literal["continue", "clean", "rewrite", "repair", "cut"]
Turns = tuple[Message, ...]

_TEXT = Decoding()  # the form in which texts are shown: labels and prose, never JSON


class Change(Struct, frozen=True):
    """What one step made of a text. `outcome` is what came next: "accepted", or why it was turned away."""

    step: ChangeStep
    request_id: str
    before: str
    after: str
    rules: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The request that a course cannot go on without; `because` is what it is to make good, if anything."""

    asked: Asked
    because: Rejected | Failed | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a course. `answer` is the one that the text was read from, `replies` all that were used.

    `own_replies` are of the teacher whose text it is, and `judged` is what a judge said of it; `first` is what became
    of another teacher's before it.
    """

    outcome: Outcome
    answer: Answer
    replies: tuple[Reply, ...]
    own_replies: tuple[Reply, ...]
    changes: tuple[Change, ...]
    first: Rejected | Failed | None = None
    first_answer: Answer | None = None
    judged: Answer | None = None

    @property
    def written(self) -> Reply:
        """The reply that the text began as, with the tokens and the cost of all that it took."""
        begun, *others = self.own_replies
        if not others:
            return begun
        costs = [reply.cost_usd for reply in self.own_replies]
        return replace(
            begun,
            prompt_tokens=sum(reply.prompt_tokens for reply in self.own_replies),
            completion_tokens=sum(reply.completion_tokens for reply in self.own_replies),
            cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        )


_Walk = Generator[Wanted, Answer, Ended]


@dataclass(slots=True)
class _Trail:
    """What is known of a unit so far."""

    unit: Unit
    lane: int = 0
    because: Rejected | Failed | None = None
    answers: list[Answer] = field(default_factory=list)
    judged: Answer | None = None
    num_before: int = 0  # answers of the lane before this one
    changes: list[Change] = field(default_factory=list)

    @property
    def latest(self) -> Answer:
        """The answer that the text was read from."""
        return self.answers[-1] if self.judged is None else self.answers[-2]

    @property
    def request_ids(self) -> tuple[str, ...]:
        return tuple(answer.request_id for answer in self.answers if isinstance(answer, Reply))

    def settle(self, outcome: Outcome) -> None:
        """Note what became of the changes that nothing was said of yet."""
        word = "accepted" if isinstance(outcome, Sample) else outcome.reason
        self.changes = [change if change.outcome else replace(change, outcome=word) for change in self.changes]


@dataclass(frozen=True, slots=True)
class Course:
    """How a build's units go; `teachers` are its lanes. Without [refine] and a fallback it is one request."""

    teachers: tuple[Teacher, ...]
    judge: Judge
    config: RefineConfig = field(default_factory=RefineConfig)
    prompts: RefinePrompts = field(default_factory=RefinePrompts)
    fallback_lane: int | None = None
    refine_lane: int = 0
    assessor: Assessor | None = None
    judge_lane: int = 0

    @property
    def is_single(self) -> bool:
        return self.fallback_lane is None and not self.config.asks and self.assessor is None

    def begin(self, unit: Unit) -> Asked:
        """Return the first request, which every course has."""
        return self._make_asked(unit, 0, "generate", self.teachers[0].messages(unit))

    def walk(self, unit: Unit, find: FindAnswer) -> Wanted | Ended:
        """Go as far as the answers reach; `find` gives what came of a request, or None."""
        steps = self._run(_Trail(unit))
        wanted = next(steps)
        while (answer := find(wanted.asked.request.request_id)) is not None:
            try:
                wanted = steps.send(answer)
            except StopIteration as end:
                ended: Ended = end.value
                return ended
        return wanted

    def _run(self, trail: _Trail) -> _Walk:
        outcome = yield from self._write(trail)
        first, first_answer = None, None
        if self.fallback_lane is not None and wants_fallback(outcome):
            assert not isinstance(outcome, Sample)
            first, first_answer = outcome, trail.latest
            trail.lane, trail.because, trail.num_before = self.fallback_lane, outcome, len(trail.answers)
            trail.judged = None
            outcome = yield from self._write(trail)
        replies = [answer for answer in trail.answers if isinstance(answer, Reply)]
        own = [answer for answer in trail.answers[trail.num_before :] if isinstance(answer, Reply)]
        return Ended(
            outcome, trail.latest, tuple(replies), tuple(own), tuple(trail.changes), first, first_answer, trail.judged
        )

    def _write(self, trail: _Trail) -> Generator[Wanted, Answer, Outcome]:
        """Have one teacher write a text, make it better, and judge it."""
        turns = yield from self._draft(trail)
        if isinstance(turns, tuple) and self.config.rewrite:
            turns = yield from self._rewrite(trail, turns)
        outcome = turns if not isinstance(turns, tuple) else (yield from self._judge(trail, turns))
        if isinstance(outcome, Sample) and self.assessor is not None:
            outcome = yield from self._assess(trail, outcome, self.assessor)
        trail.settle(outcome)
        return outcome

    def _draft(self, trail: _Trail) -> Generator[Wanted, Answer, Turns | Rejected | Failed]:
        """Return the turns of the teacher's own answer, gone on with where it is short."""
        messages = self.teachers[trail.lane].messages(trail.unit)
        reply = yield from self._ask(trail, trail.lane, "generate", messages)
        if isinstance(reply, Failed):
            return replace(reply, record_id=trail.unit.unit_id)
        text = reply.text
        if self._is_short(trail, reply):
            chat = (*messages, Message("assistant", text), Message("user", self.prompts.go_on))
            more = yield from self._ask(trail, trail.lane, "continue", chat)
            if isinstance(more, Failed):
                return replace(more, record_id=trail.unit.unit_id, stage="refine")
            joined = join_texts(text, more.text)
            trail.changes.append(Change("continue", more.request_id, text, joined))
            text, reply = joined, more
        refused = self.judge.refuse(trail.unit, reply, may_be_cut=self.config.clean)
        if refused is not None:
            return refused
        return self._read(trail, reply, text) if self.config.clean else self.judge.parse(trail.unit, text)

    def _is_short(self, trail: _Trail, reply: Reply) -> bool:
        """Return whether an answer is one to go on with: MiniGPT-4's rule, of so many tokens or fewer."""
        limit = self.config.continue_below_tokens
        if limit is None or not reply.text.strip() or self.teachers[trail.lane].name == "scene-program":
            return False
        num_tokens = reply.completion_tokens or estimate_tokens(reply.text)
        return num_tokens <= limit and self.judge.refuse(trail.unit, reply, may_be_cut=True) is None

    def _read(self, trail: _Trail, reply: Reply, text: str) -> Turns | Rejected:
        """Return the turns as the cleaning rules leave them."""
        opened = drop_chatter_in_front(text)
        turns = self.judge.parse(trail.unit, opened)
        if isinstance(turns, Rejected):
            return turns
        found = clean_turns(turns, is_opened=opened != text, is_cut=reply.finish_reason == "length")
        if found.rules:
            plain = turns if opened == text else self.judge.parse(trail.unit, text)
            before = text if isinstance(plain, Rejected) else self._show(trail, plain)
            trail.changes.append(
                Change("clean", reply.request_id, before, self._show(trail, found.turns), found.rules)
            )
        return _reject_empty(trail, found)

    def _rewrite(self, trail: _Trail, turns: Turns) -> Generator[Wanted, Answer, Turns | Rejected | Failed]:
        """Return the turns with the answers as the second model gives them back; questions stay as they are."""
        assert self.prompts.rewrite is not None
        decoding = self.teachers[self.refine_lane].decoding
        draft = Draft(self._write_as(trail, turns, decoding))
        chat = self.prompts.rewrite.messages(draft, decoding)
        reply = yield from self._ask(trail, self.refine_lane, "rewrite", chat)
        if isinstance(reply, Failed):
            return replace(reply, record_id=trail.unit.unit_id, stage="refine")
        before = self._show(trail, turns)
        if says_unchanged(reply.text, draft.text) and self.judge.refuse(trail.unit, reply) is None:
            trail.changes.append(Change("rewrite", reply.request_id, before, before, ("says_unchanged",)))
            return turns
        found, rules = self._reread(trail, reply)
        if not isinstance(found, Rejected) and len(found) != len(turns):
            detail = f"{len(turns)} turns became {len(found)}"
            found = Rejected(trail.unit.unit_id, "refine", "turns_changed", detail)
        if isinstance(found, Rejected):
            trail.changes.append(Change("rewrite", reply.request_id, before, reply.text, rules))
            return found
        after = tuple(old if old.role == "user" else new for old, new in zip(turns, found, strict=True))
        trail.changes.append(Change("rewrite", reply.request_id, before, self._show(trail, after), rules))
        return after

    def _reread(self, trail: _Trail, reply: Reply) -> tuple[Turns | Rejected, tuple[str, ...]]:
        """Return the turns of a text that was given back, cleaned; what is wrong with it is wrong with refinement."""
        opened = drop_chatter_in_front(reply.text)
        turns = self.judge.refuse(trail.unit, reply) or self.judge.parse(trail.unit, opened)
        if isinstance(turns, Rejected):
            return replace(turns, stage="refine"), ()
        found = clean_turns(turns, is_opened=opened != reply.text)
        return _reject_empty(trail, found), found.rules

    def _judge(self, trail: _Trail, turns: Turns) -> Generator[Wanted, Answer, Outcome]:
        """Pass the turns through the filters; correct them while that helps and rounds are left."""
        judged = self._sift(trail, turns)
        for _ in range(self.config.repair_rounds):
            mended = yield from self._repair(trail, judged)
            if mended is None:
                break
            if isinstance(mended, Failed):
                return mended
            judged = self._sift(trail, mended)
        return judged.outcome

    def _sift(self, trail: _Trail, turns: Turns) -> Judged:
        judged = self.judge.sift(trail.unit, turns, trail.request_ids)
        if judged.changed_by:
            before, after = self._show(trail, turns), self._show(trail, judged.turns)
            trail.changes.append(Change("cut", trail.request_ids[-1], before, after, judged.changed_by))
        if isinstance(judged.outcome, Rejected):  # what is accepted may still be judged
            trail.settle(judged.outcome)
        return judged

    def _repair(self, trail: _Trail, judged: Judged) -> Generator[Wanted, Answer, Turns | Failed | None]:
        """Return the turns with their faults corrected; None where there is nothing to correct, or no way to."""
        outcome, unit = judged.outcome, trail.unit
        if isinstance(outcome, Sample) or outcome.reason not in Grounding.reasons:
            return None
        findings = find_claims(judged.turns, unit.record, unit.sample_type, unit.partner, unit.shots)
        faults = list_faults(judged.turns, findings, with_unverifiable=outcome.reason != "contradicted_claim")
        if not faults:
            return None
        assert self.prompts.repair is not None
        decoding = self.teachers[self.refine_lane].decoding
        draft = Draft(self._write_as(trail, judged.turns, decoding), unit.surrogate.text, faults)
        trail.because = outcome
        reply = yield from self._ask(trail, self.refine_lane, "repair", self.prompts.repair.messages(draft, decoding))
        if isinstance(reply, Failed):
            failed = replace(reply, record_id=unit.unit_id, stage="refine")
            return None if wants_fallback(failed) else failed
        before = self._show(trail, judged.turns)
        mended, rules = self._reread(trail, reply)
        if isinstance(mended, Rejected):  # what it was to correct stays the reason
            trail.changes.append(Change("repair", reply.request_id, before, reply.text, rules, mended.reason))
            return None
        trail.changes.append(Change("repair", reply.request_id, before, self._show(trail, mended), rules))
        return None if mended == judged.turns else mended

    def _assess(self, trail: _Trail, sample: Sample, assessor: Assessor) -> Generator[Wanted, Answer, Outcome]:
        """Have a model mark what the filters accepted, and turn away what it marks low."""
        unit = trail.unit
        messages = assessor.messages(unit.surrogate.text, sample.turns, self.teachers[self.judge_lane].decoding)
        trail.judged = reply = yield from self._ask(trail, self.judge_lane, "judge", messages)
        if isinstance(reply, Failed):
            return replace(reply, record_id=unit.unit_id, stage="filter")
        refused = self.judge.refuse(unit, reply, may_be_cut=True)
        if refused is not None and refused.reason == "wrong_model":
            return replace(refused, stage="filter")
        found = assessor.read(reply.text)
        if isinstance(found, Fault):
            return Rejected(unit.unit_id, "filter", found.reason, found.detail)
        return replace(sample, request_ids=trail.request_ids, checks=sample.checks | found)

    def _ask(
        self, trail: _Trail, lane: int, step: AskedStep, messages: tuple[Message, ...]
    ) -> Generator[Wanted, Answer, Answer]:
        because, trail.because = trail.because, None
        answer = yield Wanted(self._make_asked(trail.unit, lane, step, messages), because)
        trail.answers.append(answer)
        return answer

    def _make_asked(self, unit: Unit, lane: int, step: AskedStep, messages: tuple[Message, ...]) -> Asked:
        teacher = self.teachers[lane]
        return Asked(unit, make_request(unit, messages, teacher.model, teacher.decoding), lane, step)

    def _write_as(self, trail: _Trail, turns: Sequence[Message], decoding: Decoding) -> str:
        return self.judge.sample_types[trail.unit.sample_type].write(turns, decoding)

    def _show(self, trail: _Trail, turns: Sequence[Message]) -> str:
        return self._write_as(trail, turns, _TEXT)


def _reject_empty(trail: _Trail, found: CleanedTurns) -> Turns | Rejected:
    """Return the turns, or why they cannot stand: the rules left nothing of an answer."""
    if all(turn.content for turn in found.turns):
        return found.turns
    return Rejected(trail.unit.unit_id, "refine", "nothing_left", ", ".join(found.rules))
