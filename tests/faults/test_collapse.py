"""Answers that become useless stop the run before the money is gone."""

import re
from typing import Any

import pytest

from tests.faults.engine import Engine
from tests.faults.test_broken_answers import change
from tests.support.chat_server import Act, answer_like_shots

NUM_IMAGES = 400
SAME = "Question:\nWhat is in the picture?\n===\nAnswer:\nA picture of something or other, seen from quite close by."


def say(text: str) -> dict[str, object]:
    return {"choice_message": {"role": "assistant", "content": text}}


KINDS: dict[str, tuple[dict[str, object], str]] = {
    "one answer for all": (say(SAME), "the same text"),
    "refusals": (say("I'm sorry, but I cannot help with request {number}."), "refusal"),
    "empty": (say(""), "empty_reply"),
    "cut off": ({"choice_finish_reason": "length"}, "truncated_reply"),
}


@pytest.mark.parametrize(("changes", "word"), KINDS.values(), ids=KINDS.keys())
def test_collapse_in_the_middle_stops_the_run(engine: Engine, changes: dict[str, object], word: str) -> None:
    engine.set_num_images(NUM_IMAGES)
    # One text for all is seen although hardly any answer is judged by then.
    first = 130 if word == "the same text" else 60

    def collapse(number: int, body: dict[str, Any]) -> Act | None:
        if number < first:
            return None
        message = changes.get("choice_message")
        if isinstance(message, dict):
            own = {**message, "content": message["content"].replace("{number}", str(number))}
            return change(server, body, choice_message=own)
        return change(server, body, **changes)

    server = engine.serve(fault=collapse)
    stopped = engine.run()
    assert stopped.code == 6, (stopped.code, stopped.err[-500:])
    assert re.search(word, stopped.err)
    assert "Traceback" not in stopped.err
    assert server.num_requests < NUM_IMAGES // 2


def test_a_server_that_takes_no_request_stops_the_run_with_its_words(engine: Engine) -> None:
    engine.set_num_images(NUM_IMAGES)
    refusal = b'{"error": {"message": "max_tokens is not known, use max_completion_tokens"}}'
    server = engine.serve(fault=lambda _number, _body: (400, {}, refusal))
    stopped = engine.run()
    assert stopped.code == 6, (stopped.code, stopped.err[-500:])
    assert "took none: HTTP 400: max_tokens is not known, use max_completion_tokens" in stopped.err
    assert server.num_requests < NUM_IMAGES // 2


def test_good_answers_raise_no_alarm(engine: Engine) -> None:
    """Short answers to likely prompts repeat: a quarter of them may be one text."""

    def repeat_some(number: int, body: dict[str, Any]) -> Act | None:
        return change(server, body, **say(SAME)) if number % 4 == 0 else None

    server = engine.serve(fault=repeat_some)
    engine.set_num_images(120)
    ended = engine.run()
    assert ended.code == 0, ended.err[-500:]
    assert ended.total("accepted") == server.num_requests == 120
    assert answer_like_shots(server.bodies[0]) != answer_like_shots(server.bodies[1])
