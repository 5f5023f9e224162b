"""Which proxy is asked, and what it gets to see: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

import base64

import pytest

from instructgen.attempts import AttemptError
from instructgen.records import Reply
from tests.support.raw_server import RawServer, attempt, http, make_server, run

KEY = "sk-planted-key-0123456789"
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_NAMES, *map(str.lower, PROXY_NAMES), "OPENAI_BASE_URL", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def text_of(outcome: Reply | AttemptError) -> str:
    assert isinstance(outcome, Reply), outcome
    return outcome.text


def test_far_server_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        raw = RawServer(http())
        host = (await raw.start()).removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass%21@{host}")
        server = make_server("http://far.test/v1")
        assert text_of(await attempt(server, close=True)) == "A dog."
        assert raw.lines == ["POST http://far.test/v1/chat/completions HTTP/1.1"]
        assert raw.headers[0]["proxy-authorization"] == f"Basic {base64.b64encode(b'user:pass!').decode()}"
        assert raw.headers[0]["authorization"] == f"Bearer {KEY}"
        raw.stop()

    run(test)


def test_proxy_that_makes_a_tunnel_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        raw = RawServer(http(b"no tunnel", 502))
        host = (await raw.start()).removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass%21@{host}")
        outcome = await attempt(make_server("https://far.test/v1"), close=True)
        assert isinstance(outcome, AttemptError)
        assert (outcome.reason, outcome.may_have_cost) == ("connection", False)
        assert raw.lines == ["CONNECT far.test:443 HTTP/1.1"]
        assert raw.headers[0]["proxy-authorization"] == f"Basic {base64.b64encode(b'user:pass!').decode()}"
        assert KEY not in str(raw.headers)
        raw.stop()

    run(test)


@pytest.mark.parametrize("no_proxy", ["far.invalid", ".invalid", "*", "near.test,far.invalid:80"])
def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    async def test() -> None:
        raw = RawServer(http())
        monkeypatch.setenv("HTTP_PROXY", (await raw.start()).removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", no_proxy)
        outcome = await attempt(make_server("http://far.invalid/v1"), close=True)
        assert isinstance(outcome, AttemptError)
        assert (outcome.reason, outcome.may_have_cost) == ("connection", False)
        assert raw.num_connections == 0
        raw.stop()

    run(test)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_server_on_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("HTTP_PROXY", proxy)

    async def test() -> None:
        raw = RawServer(http())
        assert text_of(await attempt(make_server(await raw.start()), close=True)) == "A dog."
        raw.stop()

    run(test)
