"""Answers that are broken, odd, huge or for somebody else: asked again where that helps, else named and counted."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.faults.engine import Engine, check_adds_up, first_tries
from tests.support.chat_server import Act, ChatServer, prompt_key

ONCE = "[teacher]\nmax_attempts = 1\n"
HTML = b"<!DOCTYPE html><html><body>It works!</body></html>"
SAYS_HTML = {"content-type": "text/html; charset=utf-8"}
BROKEN = {
    "truncated JSON": Act(body=b'{"choices": [{"mess'),
    "a page of HTML": Act(headers=SAYS_HTML, body=HTML),
    "a page of HTML that is said to be JSON": Act(body=HTML),
    "a page of HTML with a 502": Act(502, SAYS_HTML, HTML),
    "invalid UTF-8": Act(body=b'{"choices": [{"message": {"content": "\xff\xfe"}, "finish_reason": "stop"}]}'),
    "an empty body": Act(body=b""),
    "an empty object": Act(body=b"{}"),
    "a list": Act(body=b"[]"),
    "null": Act(body=b"null"),
    "not compressed though it says so": Act(headers={"content-encoding": "gzip"}, body=b'{"choices": []}'),
    "compressed data cut short": Act(headers={"content-encoding": "gzip"}, body=gzip.compress(b"[" * 999)[:-12]),
    "nested too deeply": Act(body=b'{"choices":' * 20_000),
    "no choices": Act(body=b'{"choices": []}'),
    "text that is a number": Act(body=b'{"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}'),
    "a message that is text": Act(body=b'{"choices": [{"message": "x", "finish_reason": "stop"}]}'),
    "a length that is no number": Act(headers={"content-length": "many"}, body=b"{}", then="close"),
}


def change(server: ChatServer, body: dict[str, Any], **changes: object) -> Act:
    """Return a whole answer with fields of its own, of the choice where they begin with `choice_`."""
    completion = server.complete(body)
    for name, value in changes.items():
        owner, key = (completion["choices"][0], name[7:]) if name.startswith("choice_") else (completion, name)
        if value is None:
            del owner[key]
        else:
            owner[key] = value
    return Act(body=json.dumps(completion).encode(), is_answer=True)


def test_every_kind_of_broken_answer_is_asked_for_again(engine: Engine) -> None:
    server = engine.serve(fault=first_tries(list(BROKEN.values())))
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images + len(BROKEN)
    assert set(server.answered.values()) == {1}


def test_every_kind_of_broken_answer_is_a_counted_failure_and_nothing_else_is_lost(engine: Engine) -> None:
    server = engine.serve(fault=first_tries(list(BROKEN.values())))
    ended = engine.run(toml=ONCE)
    assert ended.code == 4, ended.err[-500:]
    check_adds_up(ended)
    assert ended.total("failed") == len(BROKEN)
    assert ended.total("accepted") == engine.num_images - len(BROKEN)
    assert set(ended.result["reasons"]) <= {"bad_response", "no_choices", "server_error", "connection"}
    assert server.num_requests == engine.num_images
    engine.run(toml=ONCE)
    engine.check_complete()
    assert engine.num_requests(life=1) == len(BROKEN)


ODD: dict[str, tuple[dict[str, object], str | None]] = {
    "usage missing": ({"usage": None}, None),
    "usage that makes no sense": ({"usage": {"prompt_tokens": "many", "completion_tokens": -3}}, None),
    "identity missing": ({"id": None, "object": None, "created": None}, None),
    "another model": ({"model": "somebody-else"}, "wrong_model"),
    "cut off": ({"choice_finish_reason": "length"}, "truncated_reply"),
    "content filter": ({"choice_finish_reason": "content_filter"}, "content_filtered"),
    "refusal beside the text": (
        {"choice_message": {"role": "assistant", "content": None, "refusal": "I will not."}},
        "refused",
    ),
    "empty text": ({"choice_message": {"role": "assistant", "content": ""}}, "empty_reply"),
    "text left out": ({"choice_message": {"role": "assistant"}}, None),
}


def test_every_kind_of_odd_answer_is_named_and_never_paid_for_twice(engine: Engine) -> None:
    kinds = list(ODD.values())[:-1]
    seen: list[str] = []

    def answer_oddly(number: int, body: dict[str, Any]) -> Act:
        prompt = prompt_key(body)
        seen.extend([prompt] if prompt not in seen else [])
        place = seen.index(prompt)
        return change(server, body, **kinds[place][0]) if place < len(kinds) else Act()

    server = engine.serve(fault=answer_oddly)
    ended = engine.run()
    reasons = [reason for _, reason in kinds if reason]
    assert ended.result["reasons"] == dict.fromkeys(reasons, 1), ended.err[-500:]
    engine.check_complete(num_rejected=len(reasons))
    again = engine.run()
    engine.check_complete(num_rejected=len(reasons))
    assert again.result["version"] == ended.result["version"]
    assert server.num_requests == engine.num_images


def test_several_choices_make_one_sample_each(engine: Engine) -> None:
    def repeat_choices(number: int, body: dict[str, Any]) -> Act:
        choice = server.complete(body)["choices"][0]
        return change(server, body, choices=[choice, choice, {**choice, "index": 1}])

    server = engine.serve(fault=repeat_choices)
    engine.run()
    engine.check_complete()


def deflate_bomb(num_mb: int) -> bytes:
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [squeeze.compress(b'{"choices": [{"message": {"content": "')]
    piece = b" " * 1_000_000
    parts += [squeeze.compress(piece) for _ in range(num_mb)]
    return b"".join([*parts, squeeze.compress(b'"}, "finish_reason": "stop"}]}'), squeeze.flush()])


def make_huge() -> list[Act]:
    text = b'{"choices": [{"message": {"content": "%b"}, "finish_reason": "stop"}]}' % (b"long " * 10_000_000)
    return [
        Act(body=text, is_answer=False),
        Act(body=b"\x00" * 50_000_000),
        Act(headers={"content-encoding": "gzip"}, body=deflate_bomb(300), is_answer=False),
        Act(headers={"x-padding": "x" * 2_000_000}, body=b"{}"),
        Act(headers={"content-type": "text/html"}, body=b"x" * 50_000_000, status=500),
        Act(headers={f"x-{number}": "y" * 200 for number in range(20_000)}, body=b"{}"),
    ]


def test_huge_answers_do_not_fill_the_memory(engine: Engine) -> None:
    engine.set_num_images(20)
    server = engine.serve()
    plain_mb = engine.run().peak_mb
    engine.set_num_images(40)
    server.fault = first_tries(make_huge())
    ended = engine.run(toml=ONCE)
    assert ended.code == 4, ended.err[-500:]
    assert ended.total("failed") == 6
    assert ended.total("accepted") == engine.num_images - 6
    assert ended.peak_mb < plain_mb + 60
    engine.check_nothing_bought_twice()


def test_one_refused_request_among_200_fails_alone_and_is_the_only_one_asked_again(engine: Engine) -> None:
    engine.set_num_images(200)
    refusal = Act(400, {}, b'{"error": {"message": "this prompt is not allowed", "code": "bad"}}')
    server = engine.serve(fault=lambda number, body: refusal if number == 77 else None)
    ended = engine.run(concurrency=32)
    assert ended.code == 4
    assert (ended.total("accepted"), ended.total("failed")) == (199, 1)
    assert ended.result["reasons"] == {"bad_request": 1}
    assert server.num_requests == 200
    server.fault = None
    engine.run(concurrency=32)
    engine.check_complete()
    assert engine.num_requests(life=1) == 1


@pytest.mark.parametrize("num_bad", [6])
def test_fallback_is_asked_only_where_the_first_answer_is_rejected(engine: Engine, num_bad: int) -> None:
    bad: set[str] = set()

    def answer_badly(number: int, body: dict[str, Any]) -> Act | None:
        if len(bad) == num_bad:
            return None
        bad.add(prompt_key(body))
        return change(first, body, choice_message={"role": "assistant", "content": "As an AI, I cannot see it."})

    first, second = engine.serve(fault=answer_badly), engine.serve()
    toml = f"[teacher.fallback]\nmodel = 'better'\nbase_url = '{second.base_url}'\n"
    ended = engine.run(toml=toml)
    assert ended.code == 0, ended.err[-500:]
    assert ended.total("accepted") == engine.num_images, ended.result["reasons"]
    assert first.num_requests == engine.num_images
    assert set(second.asked) == bad
    assert {body["model"] for body in second.bodies} == {"better"}
    engine.run(toml=toml)
    engine.check_complete()
    assert len(engine.exchanges) == engine.num_images + num_bad
