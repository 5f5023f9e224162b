"""The last step of a unit's course: a model marks what the filters accepted. Walked over answers given by hand."""

import pytest

from instructgen.config import FiltersConfig, JudgeConfig, RefineConfig, TeacherConfig
from instructgen.evaluate.assess import load_assessor
from instructgen.filters import make_filters
from instructgen.filters.grounding import Grounding
from instructgen.jobs.course import Answer, Course, Ended, Wanted
from instructgen.jobs.outcomes import Judge
from instructgen.records import Failed, Rejected, Sample
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
GOOD, LOW = "9 8\nAll of it is known.", "3 8\nThe grass is made up."


class Fallback(TestTeacher):
    model = "fallback"


class Assessing(TestTeacher):
    model = "judge"


def make_course(*, fallback: bool = False, unreadable: str = "reject", **refine: object) -> Course:
    config = RefineConfig(**refine)  # type: ignore[arg-type]
    teachers = (TestTeacher(), *([Fallback()] if fallback else []), Assessing())
    filters = make_filters(FiltersConfig(use=("refusal", "length"))) | {"grounding": Grounding()}
    judge = JudgeConfig(teacher=TeacherConfig(model="judge"), unreadable=unreadable)  # type: ignore[arg-type]
    return Course(
        teachers,
        Judge(SAMPLE_TYPES, {"detail": ("What is there?",)}, filters, 0),
        config,
        load_refine_prompts(None, config),
        fallback_lane=1 if fallback else None,
        assessor=load_assessor(None, judge),
        judge_lane=len(teachers) - 1,
    )


def walk(course: Course, *answers: str | Failed | dict[str, object]) -> tuple[Ended, list[Wanted]]:
    """Answer each request that the course wants by the next of the answers, all of which it must want."""
    known: dict[str, Answer] = {}
    wanted: list[Wanted] = []
    for given in answers:
        found = course.walk(UNIT, known.get)
        assert isinstance(found, Wanted)
        wanted.append(found)
        request_id = found.asked.request.request_id
        assert request_id not in known, "asked twice"
        fields = {"text": given} if isinstance(given, str) else given
        known[request_id] = (
            fields if isinstance(fields, Failed) else make_reply(**{**fields, "request_id": request_id})  # type: ignore[arg-type]
        )
    ended = course.walk(UNIT, known.get)
    assert isinstance(ended, Ended)
    return ended, wanted


def ids_of(wanted: list[Wanted]) -> tuple[str, ...]:
    return tuple(one.asked.request.request_id for one in wanted)


def test_accepted_sample_is_marked_by_the_judge_and_carries_its_marks() -> None:
    ended, wanted = walk(make_course(), TRUE, GOOD)
    assert [(one.asked.step, one.asked.lane) for one in wanted] == [("generate", 0), ("judge", 1)]
    assert isinstance(ended.outcome, Sample)
    assert ended.outcome.request_ids == ids_of(wanted)
    assert ended.outcome.checks.keys() == {"refusal", "length", "grounding", "judge_accuracy", "judge_relevancy"}
    assert (ended.outcome.checks["judge_accuracy"], ended.outcome.checks["judge_relevancy"]) == (9.0, 8.0)
    assert ended.written.cost_usd == 0.5
    assert not make_course().is_single


def test_judge_is_shown_what_is_known_and_what_was_accepted() -> None:
    ended, wanted = walk(make_course(), TRUE, GOOD)
    assert isinstance(ended.outcome, Sample)
    request = wanted[1].asked.request
    shown = request.messages[1].content
    assert UNIT.surrogate.text in shown
    assert all(turn.content in shown for turn in ended.outcome.turns)


def test_sample_that_is_marked_low_is_rejected_with_its_marks() -> None:
    ended, wanted = walk(make_course(), TRUE, LOW)
    detail = "accuracy 3, relevancy 8: The grass is made up."
    assert ended.outcome == Rejected(UNIT.unit_id, "filter", "judged_low", detail)
    assert (ended.answer, ended.judged) == ended.replies
    assert ids_of(wanted) == tuple(reply.request_id for reply in ended.replies)


def test_what_a_filter_turned_away_is_not_judged() -> None:
    ended, _ = walk(make_course(), "A dog.")
    assert isinstance(ended.outcome, Rejected)
    assert ended.outcome.reason == "answer_too_short"
    assert ended.judged is None


@pytest.mark.parametrize(
    "reply",
    ["I like it.", "11 9", {"text": "", "notes": ("refused",)}, {"text": "", "finish_reason": "content_filter"}],
)
def test_marks_that_cannot_be_read_reject_or_keep_as_the_settings_say(reply: str | dict[str, object]) -> None:
    ended, _ = walk(make_course(), TRUE, reply)
    assert isinstance(ended.outcome, Rejected)
    assert (ended.outcome.stage, ended.outcome.reason) == ("filter", "judge_unreadable")
    kept, wanted = walk(make_course(unreadable="keep"), TRUE, reply)
    assert isinstance(kept.outcome, Sample)
    assert kept.outcome.checks.keys() == {"refusal", "length", "grounding"}
    assert kept.outcome.request_ids == ids_of(wanted)


def test_marks_count_where_only_the_reason_was_cut_off() -> None:
    ended, _ = walk(make_course(), TRUE, {"text": GOOD, "finish_reason": "length"})
    assert isinstance(ended.outcome, Sample)


def test_marks_of_another_model_do_not_count() -> None:
    reply = {"text": GOOD, "notes": ("wrong_model",), "model": "other"}
    ended, _ = walk(make_course(unreadable="keep"), TRUE, reply)
    assert ended.outcome == Rejected(UNIT.unit_id, "filter", "wrong_model", "answered by other")


def test_failure_of_the_judge_fails_the_unit_so_that_it_is_asked_again() -> None:
    ended, _ = walk(make_course(), TRUE, Failed("r", "teacher", "timeout", "after 5 s"))
    assert ended.outcome == Failed(UNIT.unit_id, "filter", "timeout", "after 5 s")


def test_fallback_writes_for_what_was_marked_low_and_is_judged_too() -> None:
    other = f"{TRUE} It is quiet."
    ended, wanted = walk(make_course(fallback=True), TRUE, LOW, other, GOOD)
    assert [(one.asked.step, one.asked.lane) for one in wanted] == [
        *(("generate", 0), ("judge", 2)),
        *(("generate", 1), ("judge", 2)),
    ]
    assert isinstance(ended.outcome, Sample)
    assert ended.outcome.turns[1].content == other
    assert ended.first is not None
    assert ended.first.reason == "judged_low"
    assert (ended.answer, ended.first_answer) == (ended.replies[2], ended.replies[0])
    assert ended.own_replies == ended.replies[2:]


def test_fallbacks_answer_may_be_marked_low_as_well() -> None:
    ended, _ = walk(make_course(fallback=True), TRUE, LOW, f"{TRUE} It is quiet.", "2 2\nWorse.")
    assert ended.outcome == Rejected(UNIT.unit_id, "filter", "judged_low", "accuracy 2, relevancy 2: Worse.")
    assert (ended.answer, ended.judged) == ended.replies[2:]


def test_repaired_text_is_judged_once_and_its_change_ends_as_the_judge_says() -> None:
    ended, wanted = walk(make_course(repair_rounds=1), LIE, TRUE, LOW)
    assert [one.asked.step for one in wanted] == ["generate", "repair", "judge"]
    assert LIE not in wanted[2].asked.request.messages[1].content
    assert [change.outcome for change in ended.changes] == ["judged_low"]
