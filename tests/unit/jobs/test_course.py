"""The course of a unit, walked over answers that are given by hand."""

from collections.abc import Callable

import pytest

from instructgen.config import FiltersConfig, RefineConfig
from instructgen.filters import make_filters
from instructgen.filters.grounding import Grounding
from instructgen.jobs.course import Answer, Course, Ended, Wanted
from instructgen.jobs.outcomes import Judge
from instructgen.records import Failed, Rejected, Reply, Sample
from instructgen.refine.prompts import load_refine_prompts
from instructgen.sample_types import SAMPLE_TYPES
from tests.support.make import make_reply, make_unit
from tests.support.teachers import TestTeacher

UNIT = make_unit(sample_type="detail")
TRUE = (
    "A brown dog lies on the grass of a park. Beside the dog there is a red ball. The dog takes up the left half of "
    "the picture, and the ball lies on the right."
)
LIE = f"{TRUE} A cat sits on a sofa."
LONG = {"completion_tokens": 200}
# What a step is answered with: a text, a reply's other fields, or a failure.
Script = dict[tuple[str, int], str | dict[str, object] | Failed]


class OtherTeacher(TestTeacher):
    model = "other-model"


class Refiner(TestTeacher):
    model = "refiner"


def make_course(*, fallback: bool = False, refiner: bool = False, **refine: object) -> Course:
    config = RefineConfig(**refine)  # type: ignore[arg-type]
    teachers = [TestTeacher(), *([OtherTeacher()] if fallback else []), *([Refiner()] if refiner else [])]
    filters = make_filters(FiltersConfig(use=("refusal", "length"))) | {"grounding": Grounding()}
    questions = {"detail": ("What is there?",), "conv": ()}
    return Course(
        tuple(teachers),
        Judge(SAMPLE_TYPES, questions, filters, 0),
        config,
        load_refine_prompts(None, config),
        fallback_lane=1 if fallback else None,
        refine_lane=len(teachers) - 1 if refiner else 0,
    )


class Books:
    """Answers each request that a course wants by its step and number, and remembers what was wanted."""

    def __init__(self, course: Course, script: Script, unit: object = UNIT) -> None:
        self.asked: list[tuple[str, int]] = []
        self.wanted: list[Wanted] = []
        self._answers: dict[str, Answer] = {}
        self._script = script
        self.ended = self._walk(course, unit)

    @property
    def steps(self) -> list[str]:
        return [wanted.asked.step for wanted in self.wanted]

    def find(self, request_id: str) -> Answer | None:
        return self._answers.get(request_id)

    def _walk(self, course: Course, unit: object) -> Ended:
        while True:
            found = course.walk(unit, self.find)  # type: ignore[arg-type]
            if isinstance(found, Ended):
                return found
            request_id = found.asked.request.request_id
            assert request_id not in self._answers, "asked twice"
            self.wanted.append(found)
            self._answers[request_id] = self._answer(found, request_id)

    def _answer(self, wanted: Wanted, request_id: str) -> Answer:
        step = wanted.asked.step
        number = self.steps.count(step) - 1
        given = self._script[step, number]
        if isinstance(given, Failed):
            return given
        fields = {"text": given} if isinstance(given, str) else given
        return make_reply(**{"text": TRUE, **LONG, **fields, "request_id": request_id})  # type: ignore[arg-type]


def answer_of(ended: Ended) -> str:
    assert isinstance(ended.outcome, Sample), ended.outcome
    return ended.outcome.turns[1].content


def test_course_without_refinement_is_one_request_and_what_the_judge_says() -> None:
    course = make_course()
    books = Books(course, {("generate", 0): TRUE})
    assert course.is_single
    assert books.steps == ["generate"]
    assert isinstance(books.ended.answer, Reply)
    assert books.ended.outcome == course.judge.judge(UNIT, books.ended.answer)
    assert books.ended.changes == ()
    assert books.ended.written == books.ended.answer


@pytest.mark.parametrize(("num_tokens", "steps"), [(1, 2), (79, 2), (80, 2), (81, 1), (300, 1)])
def test_answer_that_does_not_exceed_80_tokens_is_gone_on_with_once(num_tokens: int, steps: int) -> None:
    course = make_course(continue_below_tokens=80)
    first = {"text": TRUE, "completion_tokens": num_tokens}
    books = Books(course, {("generate", 0): first, ("continue", 0): {"text": "It is day.", "completion_tokens": 3}})
    assert books.steps == ["generate", "continue"][:steps]
    assert answer_of(books.ended) == (f"{TRUE} It is day." if steps == 2 else TRUE)


def test_going_on_shows_the_whole_talk_and_says_continue() -> None:
    course = make_course(continue_below_tokens=80)
    books = Books(course, {("generate", 0): {"completion_tokens": 9}, ("continue", 0): "It is day."})
    first, second = (wanted.asked.request.messages for wanted in books.wanted)
    assert second[: len(first)] == first
    assert [(message.role, message.content) for message in second[len(first) :]] == [
        ("assistant", TRUE),
        ("user", "Continue"),
    ]


def test_tokens_that_no_server_counted_are_estimated() -> None:
    course = make_course(continue_below_tokens=30)
    books = Books(course, {("generate", 0): {"completion_tokens": 0}})
    assert books.steps == ["generate"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": " "}, "empty_reply"),
        ({"notes": ("refused",)}, "refused"),
        ({"finish_reason": "content_filter"}, "content_filtered"),
    ],
)
def test_answer_that_is_no_use_is_not_gone_on_with(changes: dict[str, object], reason: str) -> None:
    course = make_course(continue_below_tokens=80, rewrite=True)
    books = Books(course, {("generate", 0): {"completion_tokens": 5, **changes}})
    assert books.steps == ["generate"]
    assert isinstance(books.ended.outcome, Rejected)
    assert books.ended.outcome.reason == reason


def test_short_answer_that_was_cut_off_goes_on() -> None:
    course = make_course(continue_below_tokens=80)
    first = {"text": f"{TRUE} The", "completion_tokens": 64, "finish_reason": "length"}
    books = Books(course, {("generate", 0): first, ("continue", 0): "dog is brown."})
    assert answer_of(books.ended) == f"{TRUE} The dog is brown."


def test_cleaning_takes_no_request_and_keeps_both_texts() -> None:
    text = f"Sure! Here is the description:\n\n{TRUE} I'm sorry for the mistake. {TRUE}"
    books = Books(make_course(clean=True), {("generate", 0): text})
    assert books.steps == ["generate"]
    assert answer_of(books.ended) == TRUE
    (change,) = books.ended.changes
    assert (change.before, change.after, change.outcome) == (text, TRUE, "accepted")
    assert change.rules == ("chatter_in_front", "apology", "repeated_sentence")


def test_text_that_needs_no_cleaning_leaves_no_trace() -> None:
    assert Books(make_course(clean=True), {("generate", 0): TRUE}).ended.changes == ()


def test_cut_off_answer_loses_its_last_sentence_where_texts_are_cleaned() -> None:
    reply = {"text": f"{TRUE} The grass", "finish_reason": "length"}
    assert answer_of(Books(make_course(clean=True), {("generate", 0): reply}).ended) == TRUE
    outcome = Books(make_course(), {("generate", 0): reply}).ended.outcome
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "truncated_reply"


def test_answer_that_cleaning_leaves_nothing_of_is_rejected() -> None:
    outcome = Books(make_course(clean=True), {("generate", 0): "I'm sorry for the mistake."}).ended.outcome
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.reason) == ("refine", "nothing_left")


def test_text_is_rewritten_by_the_refiner_and_cleaned() -> None:
    shorter = TRUE.partition(" The dog takes")[0] + " It is sunny and quiet in the park."
    script: Script = {("generate", 0): TRUE, ("rewrite", 0): f"Sure! Here is the corrected text:\n{shorter}"}
    books = Books(make_course(rewrite=True, refiner=True), script)
    assert books.steps == ["generate", "rewrite"]
    asked = books.wanted[1].asked
    assert asked.lane == 1
    assert asked.request.messages[1].content == TRUE
    assert answer_of(books.ended) == shorter
    assert [change.step for change in books.ended.changes] == ["rewrite"]
    assert isinstance(books.ended.outcome, Sample)
    assert books.ended.outcome.request_ids == tuple(each.asked.request.request_id for each in books.wanted)


@pytest.mark.parametrize("text", [TRUE, "No changes are needed.", "The paragraph is already correct."])
def test_text_that_is_right_already_is_accepted_unchanged(text: str) -> None:
    books = Books(make_course(rewrite=True), {("generate", 0): TRUE, ("rewrite", 0): text})
    assert answer_of(books.ended) == TRUE
    (change,) = books.ended.changes
    assert change.before == change.after == TRUE


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"finish_reason": "length"}, "truncated_reply"),
        ({"text": ""}, "empty_reply"),
        ({"notes": ("wrong_model",), "model": "x"}, "wrong_model"),
        ({"text": "I apologize for the confusion."}, "nothing_left"),
    ],
)
def test_rewriting_that_brings_no_text_rejects_the_unit_at_its_own_stage(
    reply: dict[str, object], reason: str
) -> None:
    outcome = Books(make_course(rewrite=True), {("generate", 0): TRUE, ("rewrite", 0): reply}).ended.outcome
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.reason) == ("refine", reason)


def test_failure_of_the_refiner_fails_the_unit_so_that_it_is_asked_again() -> None:
    failed = Failed("r", "teacher", "timeout", "after 5 s")
    ended = Books(make_course(rewrite=True), {("generate", 0): TRUE, ("rewrite", 0): failed}).ended
    assert ended.outcome == Failed(UNIT.unit_id, "refine", "timeout", "after 5 s")


CONVERSATION = (
    "Question:\nWhat lies there?\n===\nAnswer:\nA brown dog.\n===\nQuestion:\nWhere?\n===\nAnswer:\nOn the grass."
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONVERSATION.replace("A brown dog.", "A brown dog lies there."), "A brown dog lies there."),
        (CONVERSATION.replace("What lies there?", "What is it?"), "A brown dog."),
        (CONVERSATION.partition("\n===\nQuestion:\nWhere")[0], "turns_changed"),
        ("A brown dog lies there.", "no_question_found"),
    ],
)
def test_rewritten_conversation_keeps_its_questions_and_their_number(text: str, expected: str) -> None:
    script: Script = {("generate", 0): CONVERSATION, ("rewrite", 0): text}
    outcome = Books(make_course(rewrite=True), script, make_unit(sample_type="conv")).ended.outcome
    if isinstance(outcome, Rejected):
        assert (outcome.stage, outcome.reason) == ("refine", expected)
        return
    assert isinstance(outcome, Sample)
    assert [turn.content for turn in outcome.turns[::2]] == ["What lies there?", "Where?"]
    assert outcome.turns[1].content == expected


def test_contradicted_claim_is_repaired_with_its_evidence_and_checked_again() -> None:
    books = Books(make_course(repair_rounds=2), {("generate", 0): LIE, ("repair", 0): TRUE})
    assert books.steps == ["generate", "repair"]
    prompt = books.wanted[1].asked.request.messages[1].content
    assert UNIT.surrogate.text in prompt
    assert LIE in prompt
    assert '"A cat" in the sentence "A cat sits on a sofa."' in prompt
    assert isinstance(books.wanted[1].because, Rejected)
    assert answer_of(books.ended) == TRUE
    (change,) = books.ended.changes
    assert (change.step, change.before, change.after, change.outcome) == ("repair", LIE, TRUE, "accepted")


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_text_is_repaired_in_no_more_rounds_than_allowed(rounds: int) -> None:
    animals = ("horse", "zebra", "giraffe", "bear")
    script: Script = {("repair", number): f"{TRUE} A {animals[number]} runs by." for number in range(4)}
    books = Books(make_course(repair_rounds=rounds), {("generate", 0): LIE, **script})
    assert books.steps == ["generate", *["repair"] * rounds]
    assert isinstance(books.ended.outcome, Rejected)
    assert books.ended.outcome.reason == "contradicted_claim"
    assert animals[rounds - 1] in books.ended.outcome.detail
    assert [change.outcome for change in books.ended.changes] == ["contradicted_claim"] * rounds


@pytest.mark.parametrize(
    "reply", [LIE, {"finish_reason": "length"}, {"text": ""}, Failed("r", "teacher", "bad_request")]
)
def test_repair_that_does_not_help_leaves_the_first_reason(reply: str | dict[str, object] | Failed) -> None:
    books = Books(make_course(repair_rounds=3), {("generate", 0): LIE, ("repair", 0): reply})
    assert books.steps == ["generate", "repair"]
    assert isinstance(books.ended.outcome, Rejected)
    assert books.ended.outcome.reason == "contradicted_claim"


def test_what_other_filters_turn_away_is_not_repaired() -> None:
    books = Books(make_course(repair_rounds=2), {("generate", 0): "A dog."})
    assert books.steps == ["generate"]
    assert isinstance(books.ended.outcome, Rejected)
    assert books.ended.outcome.reason == "answer_too_short"


def test_fallbacks_answer_goes_through_the_same_course() -> None:
    course = make_course(fallback=True, refiner=True, rewrite=True, repair_rounds=1)
    script: Script = {
        ("generate", 0): LIE,
        ("rewrite", 0): LIE,
        ("repair", 0): f"{TRUE} A horse runs by.",
        ("generate", 1): f"{TRUE} A bear runs by.",
        ("rewrite", 1): "Unchanged.",
        ("repair", 1): TRUE,
    }
    books = Books(course, script)
    assert books.steps == ["generate", "rewrite", "repair"] * 2
    assert [wanted.asked.lane for wanted in books.wanted] == [0, 2, 2, 1, 2, 2]
    assert answer_of(books.ended) == TRUE
    assert books.ended.first is not None
    assert books.ended.first.reason == "contradicted_claim"
    assert len(books.ended.replies) == 6
    assert [reply.request_id for reply in books.ended.own_replies] == [
        wanted.asked.request.request_id for wanted in books.wanted[3:]
    ]


def test_tokens_and_cost_of_a_row_are_those_of_all_that_its_text_took() -> None:
    ended = Books(make_course(rewrite=True), {("generate", 0): TRUE, ("rewrite", 0): TRUE}).ended
    assert (ended.written.prompt_tokens, ended.written.completion_tokens) == (20, 400)
    assert ended.written.cost_usd == 0.5
    assert ended.written.request_id == ended.replies[0].request_id


@pytest.mark.parametrize("num_known", range(4))
def test_walk_goes_on_from_whatever_answers_are_there(num_known: int) -> None:
    course = make_course(continue_below_tokens=80, rewrite=True, repair_rounds=1)
    script: Script = {
        ("generate", 0): {"text": LIE, "completion_tokens": 50},
        ("continue", 0): "It is day.",
        ("rewrite", 0): LIE,
        ("repair", 0): TRUE,
    }
    books = Books(course, script)
    known = [wanted.asked.request.request_id for wanted in books.wanted[:num_known]]
    find: Callable[[str], Answer | None] = lambda request_id: books.find(request_id) if request_id in known else None  # noqa: E731
    assert course.walk(UNIT, find) == books.wanted[num_known]
