import pytest

from instructgen.generate.alarm import Alarm, Lookout, find_plain_reason
from instructgen.records import Failed, Rejected
from tests.support.make import make_reply, make_sample


def count(alarm: Alarm, number: int, text: str | None = None, reason: str | None = None) -> None:
    reply = make_reply(number, text=f"Answer {number}." if text is None else text)
    outcome = make_sample(number) if reason is None else Rejected("unit", "parse", reason)
    alarm.count(reply, outcome)


def test_answers_that_differ_and_are_accepted_raise_no_alarm() -> None:
    alarm = Alarm()
    for number in range(1000):
        count(alarm, number)
    assert alarm.verdict is None


def test_one_answer_for_many_prompts_is_noticed_although_it_is_accepted() -> None:
    alarm = Alarm()
    for number in range(29):
        count(alarm, number, text="A dog  sits there.\n")
    assert alarm.verdict is None
    count(alarm, 29, text="A dog sits there.")
    assert alarm.verdict == "the answers are the same text: 30 of the last 30 answers to different prompts"


@pytest.mark.parametrize("reason", ["refusal", "refused", "empty_reply", "truncated_reply", "content_filtered"])
def test_useless_answers_are_noticed(reason: str) -> None:
    alarm = Alarm()
    for number in range(40):
        count(alarm, number, reason=reason if number % 3 else None)
    assert alarm.verdict is not None
    assert reason in alarm.verdict


def test_it_looks_at_the_latest_answers_alone() -> None:
    alarm = Alarm()
    for number in range(500):
        count(alarm, number)
    for number in range(500, 530):
        count(alarm, number, text="", reason="empty_reply")
    assert alarm.verdict is None
    count(alarm, 530, text="", reason="empty_reply")
    assert alarm.verdict is not None


def test_a_teacher_that_is_often_rejected_may_go_on_but_not_one_that_always_is() -> None:
    often = Alarm()
    for number in range(300):
        count(often, number, reason="no_question_found" if number % 5 else None)
    assert often.verdict is None
    always = Alarm()
    for number in range(30):
        count(always, number, reason="no_question_found")
    assert always.verdict is not None
    assert "no_question_found" in always.verdict


def test_one_answer_for_all_is_noticed_among_answers_that_were_not_judged() -> None:
    same, fine = Alarm(), Alarm()
    text = "Question:\nWhat is this?\n===\nAnswer:\n" + "A street. " * 50
    for number in range(40):
        same.count(make_reply(number, text=f"{' ' * (number % 4)}{text}\n"), None)
        fine.count(make_reply(number, text=f"{text}{number} red cars. {text}"), None)
    assert "same text" in str(same.verdict)
    assert fine.verdict is None


def test_what_is_no_use_shows_without_reading() -> None:
    assert find_plain_reason(make_reply(1)) == ""
    assert find_plain_reason(make_reply(1, text=" \n")) == "empty_reply"
    assert find_plain_reason(make_reply(1, finish_reason="length")) == "truncated_reply"
    assert find_plain_reason(make_reply(1, finish_reason="content_filter")) == "content_filtered"
    assert find_plain_reason(make_reply(1, notes=("refused",))) == "refused"


def test_all_that_follow_a_rejected_answer_are_looked_at() -> None:
    lookout = Lookout()
    assert all(lookout.wants() for _ in range(100))
    later = [lookout.wants() for _ in range(320)]
    assert sum(later) == 20
    lookout.saw_bad()
    assert all(lookout.wants() for _ in range(16))


def test_a_server_that_takes_no_request_at_all_is_noticed_with_its_words() -> None:
    alarm, other = Alarm(), Alarm()
    other.count(make_reply(1), None)
    for number in range(30):
        assert alarm.verdict is None
        for one in (alarm, other):
            one.refuse(Failed(f"{number:064x}", "teacher", "bad_request", "HTTP 400: use max_completion_tokens"))
    assert alarm.verdict == "it refused 30 requests and took none: HTTP 400: use max_completion_tokens"
    assert other.verdict is None


def test_the_verdict_names_a_unit_and_what_was_found() -> None:
    alarm = Alarm()
    for number in range(30):
        alarm.count(
            make_reply(number, text=f"{number}"), Rejected(f"coco/{number}/detail", "filter", "control_string", "###")
        )
    assert "most of them for control_string (30), such as coco/29/detail: ###" in str(alarm.verdict)


def test_same_text_for_all_is_no_fault_where_it_may_be_right() -> None:
    alarm = Alarm(compares_texts=False)
    for number in range(100):
        count(alarm, number, text="No changes are needed.")
    assert alarm.verdict is None
    for number in range(40):
        count(alarm, number, text="", reason="empty_reply")
    assert alarm.verdict is not None
