"""One attempt at a real server on loopback that says byte for byte what each test wants."""

import asyncio
import gzip
import json
import socket
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from instructgen.attempts import AttemptError
from instructgen.errors import InstructgenError
from instructgen.records import Reply
from tests.support.raw_server import Act, RawServer, attempt, completion, http, make_server, run

PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_NAMES, *map(str.lower, PROXY_NAMES), "OPENAI_BASE_URL", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-key-0123456789")


def ask(*acts: Act, **settings: Any) -> Reply | AttemptError:
    """Return what comes of one request."""
    outcomes: list[Reply | AttemptError] = []

    async def test() -> None:
        raw = RawServer(*acts)
        outcomes.append(await attempt(make_server(await raw.start(), **settings), close=True))
        raw.stop()

    run(test)
    return outcomes[0]


def fail(*acts: Act, **settings: Any) -> AttemptError:
    outcome = ask(*acts, **settings)
    assert isinstance(outcome, AttemptError), outcome
    return outcome


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


def refusal(code: str | None = None, message: str = "no", **more: str) -> dict[str, object]:
    return {"error": {"message": message, "code": code, **more}}


def test_answer_is_read_whole() -> None:
    reply = ask(http())
    assert reply == Reply("ab" * 32, "A dog.", "stop", 7, 3, 0.0, "m", "openai")


@pytest.mark.parametrize(
    ("status", "code", "reason", "is_worth_retry", "may_have_cost"),
    [
        (400, None, "bad_request", False, False),
        (401, None, "unauthorized", False, False),
        (402, None, "quota_exhausted", False, False),
        (403, None, "unauthorized", False, False),
        (404, None, "unknown_model", False, False),
        (400, "model_not_found", "unknown_model", False, False),
        (408, None, "timeout", True, True),
        (409, None, "server_error", True, False),
        (413, None, "bad_request", False, False),
        (422, None, "bad_request", False, False),
        (429, None, "rate_limited", True, False),
        (429, "insufficient_quota", "quota_exhausted", False, False),
        (429, "billing_hard_limit_reached", "quota_exhausted", False, False),
        (500, None, "server_error", True, False),
        (502, None, "server_error", True, False),
        (503, None, "overloaded", True, False),
        (504, None, "server_error", True, True),
        (529, None, "overloaded", True, False),
        (307, None, "unknown_model", False, False),
    ],
)
def test_status_has_its_reason(
    status: int, code: str | None, reason: str, is_worth_retry: bool, may_have_cost: bool
) -> None:
    error = fail(http(refusal(code), status))
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == (reason, is_worth_retry, may_have_cost)
    assert f"HTTP {status}" in error.detail


def test_quota_is_also_known_by_its_type() -> None:
    assert fail(http(refusal(type="insufficient_quota"), 429)).reason == "quota_exhausted"


def test_servers_wish_to_wait_is_passed_on() -> None:
    assert fail(http(refusal(), 429, retry_after="7")).retry_after_s == 7
    assert fail(http(refusal(), 503, retry_after_ms="250", retry_after="7")).retry_after_s == 0.25


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (refusal(message="the context is too long"), "HTTP 400: the context is too long"),
        ({"detail": "Not Found"}, 'HTTP 400: {"detail": "Not Found"}'),
        ([refusal(message="in a list")], "in a list"),
        (b"<html><body>Bad</body></html>", "HTTP 400: a page of HTML"),
        (b"upstream\n  connect error", "HTTP 400: upstream connect error"),
        (b"", "HTTP 400"),
        (b"\xff\xfe\x00", "HTTP 400"),
    ],
)
def test_refusal_says_what_the_server_said(body: object, said: str) -> None:
    assert said in fail(http(body, 400)).detail


def test_error_page_of_any_length_is_cut_short() -> None:
    error = fail(http(b"x" * 3_000_000, 500))
    assert error.reason == "server_error"
    assert len(error.detail) == 300


@pytest.mark.parametrize(
    "act",
    [
        http(json.dumps(completion()).encode().replace(b"A dog", b"A \xff\xfe")),
        http(json.dumps(completion()).encode()[:-30]),
        http(b"<html>Welcome to the hotel's network</html>", content_type="text/html"),
        http(completion(), content_type="text/html"),
        http(b"data: {}\n\n", content_type="text/event-stream"),
        http(b""),
        http(b"[]"),
        http(b"null"),
        http(b"[" * 100_000),
        http(b'{"choices":' + b"[" * 100_000),
        http(completion(choices=["x"])),
        http(completion(choices=[{"index": 0, "finish_reason": "stop"}])),
        http(completion(choices=[{"message": {"content": {"a": 1}}}])),
        http(completion(choices=[{"_fields_set": 1, "message": {"content": "x"}}])),
        http(completion(model=5)),
    ],
)
def test_broken_answer_is_asked_for_again_and_may_be_billed(act: bytes) -> None:
    error = fail(act)
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("bad_response", True, True)


def test_answer_without_choices_is_its_own_reason() -> None:
    error = fail(http(completion(choices=[])))
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("no_choices", True, True)


@pytest.mark.parametrize(
    "act",
    [
        http({"choices": [{"message": {"content": "A dog."}}], "usage": completion()["usage"]}),
        http(completion(created="now", id=5, timings={"ms": 1}, choices=[
            {"finish_reason": "eos_token", "message": {"role": "assistant", "content": "A dog.", "extra": []}}])),
        http(completion(), content_type="text/plain; charset=utf-8"),
        http(completion(choices=[{"message": {"content": [{"type": "text", "text": "A "}, {"text": "dog."}]}}])),
        http(gzip.compress(json.dumps(completion()).encode()), content_encoding="gzip"),
        http().replace(b"content-length", b"x-length").replace(b"said\r\n", b"said\r\nconnection: close\r\n"),
    ],
)  # fmt: skip
def test_good_answer_of_a_careless_server_is_read(act: bytes) -> None:
    async def send_and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(act)
        writer.close()

    reply = ask(send_and_close)
    assert isinstance(reply, Reply), reply
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("A dog.", 7, 3)


def test_half_of_a_surrogate_pair_is_mended() -> None:
    reply = ask(http(completion("A dog \ud83d.")))
    assert isinstance(reply, Reply)
    assert reply.text == "A dog \ufffd."


def in_chunks(payload: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for start in range(0, len(payload), 50_000):
            part = payload[start : start + 50_000]
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    return write


LONG = json.dumps(completion("x" * 2_000_000)).encode()


@pytest.mark.parametrize("act", [http(LONG), in_chunks(LONG), http(gzip.compress(LONG), content_encoding="gzip")])
def test_answer_has_a_bound_in_bytes(act: Act) -> None:
    error = fail(act, max_answer_mb=1)
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("answer_too_large", False, True)
    whole = ask(act, max_answer_mb=3)
    assert isinstance(whole, Reply)
    assert len(whole.text) == 2_000_000


def test_packed_answer_is_not_unpacked_beyond_its_bound() -> None:
    bomb = http(gzip.compress(b" " * 200_000_000), content_encoding="gzip")
    tracemalloc.start()
    try:
        error = fail(bomb, max_answer_mb=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.reason == "answer_too_large"
    assert peak < 20_000_000


def test_connection_of_an_answer_that_is_too_large_is_closed() -> None:
    async def test() -> None:
        raw = RawServer(in_chunks(LONG), http())
        server = make_server(await raw.start(), max_answer_mb=1)
        assert isinstance(await attempt(server), AttemptError)
        assert isinstance(await attempt(server), Reply)
        assert raw.num_connections == 2
        await server.close()
        raw.stop()

    run(test)


async def trickle(writer: asyncio.StreamWriter) -> None:
    for place in range(1000):
        writer.write(http()[place : place + 1])
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("act", "settings"),
    [(hang, {"timeout_s": 0.2}), (hang, {"read_timeout_s": 0.2}), (trickle, {"timeout_s": 0.3})],
)
def test_server_that_does_not_answer_in_time_may_bill(act: Act, settings: dict[str, float]) -> None:
    error = fail(act, **settings)
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("timeout", True, True)


def test_server_that_takes_no_connection_costs_nothing() -> None:
    async def test() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = [socket.socket() for _ in range(4)]  # they fill the queue of the listener, which accepts none
            for one in waiting:
                one.settimeout(0)
                one.connect_ex(address)
            error = await attempt(make_server(f"http://127.0.0.1:{address[1]}/v1", connect_timeout_s=0.3), close=True)
            for one in waiting:
                one.close()
        assert isinstance(error, AttemptError)
        assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("timeout", True, False)
        assert "0.3 s" in error.detail

    run(test)


def test_refused_connection_costs_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    async def test() -> None:
        error = await attempt(make_server(url), close=True)
        assert isinstance(error, AttemptError)
        assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("connection", True, False)

    run(test)


async def cut_body(writer: asyncio.StreamWriter) -> None:
    writer.write(http()[:-20])
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize("act", [hang_up, cut_body, reset])
def test_connection_lost_after_sending_may_be_billed(act: Act) -> None:
    error = fail(act)
    assert (error.reason, error.is_worth_retry, error.may_have_cost) == ("connection", True, True)


def test_proxy_kind_that_is_not_spoken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(InstructgenError, match=r"socks5 proxy for far\.test"):
        run(lambda: attempt(make_server("http://far.test/v1"), close=True))  # type: ignore[arg-type,return-value]
