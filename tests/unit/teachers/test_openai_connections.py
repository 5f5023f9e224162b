"""Where requests go and on what connection: late answers, idle connections, proxies, addresses, headers, secrets."""

import asyncio
import base64
import contextlib
import socket
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion

from instructgen.attempts import AttemptError
from instructgen.config import ServerConfig, TeacherConfig
from instructgen.records import Reply
from instructgen.teachers.openai_chat import OpenAIChatTeacher, OpenAIServer
from instructgen.teachers.openai_client import AiohttpOpenAI, Timeouts
from tests.support.raw_server import RawServer, attempt, completion, http, make_server, request, run

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


def make_client(base_url: str, **headers: str) -> AiohttpOpenAI:
    return AiohttpOpenAI(
        api_key=KEY,
        base_url=base_url,
        timeouts=Timeouts(5, 5, 5),
        max_answer_bytes=1_000_000,
        default_headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def answer_late(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.3)
    writer.write(http(completion("late")))


def test_late_answer_is_not_read_by_the_next_request() -> None:
    async def test() -> None:
        raw = RawServer(answer_late, http(completion("second")))
        server = make_server(await raw.start(), timeout_s=0.1)
        first = await attempt(server)
        assert isinstance(first, AttemptError)
        assert first.reason == "timeout"
        assert text_of(await attempt(server)) == "second"
        await asyncio.sleep(0.4)
        assert text_of(await attempt(server)) == "second"
        assert raw.num_connections == 2
        await server.close()
        raw.stop()

    run(test)


def test_connection_of_a_cancelled_request_is_given_up() -> None:
    async def test() -> None:
        raw = RawServer(answer_late, http(completion("second")))
        server = make_server(await raw.start())
        task = asyncio.create_task(server.send(request()))
        while not raw.bodies:
            await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert text_of(await attempt(server)) == "second"
        assert raw.num_connections == 2
        await server.close()
        raw.stop()

    run(test)


@pytest.mark.parametrize("pause_s", [0.0, 0.1])
def test_answer_that_nobody_asked_for_is_not_read(pause_s: float) -> None:
    async def answer_twice(writer: asyncio.StreamWriter) -> None:
        writer.write(http(completion("first")))
        await asyncio.sleep(pause_s)
        writer.write(http(completion("unasked")))

    async def test() -> None:
        raw = RawServer(answer_twice, http(completion("second")))
        server = make_server(await raw.start())
        assert text_of(await attempt(server)) == "first"
        await asyncio.sleep(0.2)
        assert text_of(await attempt(server)) == "second"
        await server.close()
        raw.stop()

    run(test)


def test_connection_that_the_server_closed_meanwhile_costs_no_attempt() -> None:
    async def answer_and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(http())
        writer.close()

    async def test() -> None:
        raw = RawServer(answer_and_close)
        server = make_server(await raw.start())
        for _ in range(30):
            assert text_of(await attempt(server)) == "A dog."
        assert (len(raw.bodies), raw.num_connections) == (30, 30)
        await server.close()
        raw.stop()

    run(test)


def test_connection_closed_unnoticed_by_the_event_loop_costs_no_attempt() -> None:
    """The server closes while the client's event loop is busy: only the socket itself knows."""
    ready = http()

    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(3)
            server = make_server(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
            for _ in range(5):
                task = asyncio.create_task(attempt(server))
                loop = asyncio.get_running_loop()
                connection, _ = await loop.run_in_executor(None, listener.accept)
                await loop.run_in_executor(None, connection.recv, 65_536)
                connection.sendall(ready)
                assert text_of(await task) == "A dog."
                connection.close()  # nothing is awaited from here to the next request
        await server.close()

    run(test)


def test_connection_is_kept_between_requests() -> None:
    async def test() -> None:
        raw = RawServer(http())
        server = make_server(await raw.start())
        for _ in range(5):
            await server.send(request())
        assert raw.num_connections == 1
        await server.close()
        raw.stop()

    run(test)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_address_may_be_an_ipv6_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def test() -> None:
        raw = RawServer(http())
        server = make_server(await raw.start("::1"))
        assert text_of(await attempt(server, close=True)) == "A dog."
        assert raw.headers[0]["host"].startswith("[::1]:")
        raw.stop()

    run(test)


@pytest.mark.parametrize(
    ("end", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/deployments/my%20model/", "/v1/deployments/my%20model/chat/completions"),
        ("?api-version=2024-06-01", "/v1/chat/completions?api-version=2024-06-01"),
    ],
)
def test_path_is_added_to_the_address(end: str, path: str) -> None:
    async def test() -> None:
        raw = RawServer(http())
        assert text_of(await attempt(make_server(await raw.start() + end), close=True)) == "A dog."
        assert raw.lines == [f"POST {path} HTTP/1.1"]
        raw.stop()

    run(test)


def test_headers_are_the_openai_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")

    async def test() -> None:
        raw = RawServer(http())
        client = make_client(await raw.start(), X_Team="vision")
        await client.post("/chat/completions", content=b"{}", cast_to=ChatCompletion)
        await client.close()
        sent = raw.headers[0]
        assert (sent["authorization"], sent["openai-organization"]) == (f"Bearer {KEY}", "org-1")
        assert (sent["x-team"], sent["content-type"]) == ("vision", "application/json")
        assert "OpenAI" in sent["user-agent"]
        assert "openai-project" not in sent
        raw.stop()

    run(test)


def test_password_in_the_address_is_sent_and_never_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    async def test() -> None:
        raw = RawServer(http(b"Basic realm: user:long-password-1", 401))
        url = (await raw.start()).replace("http://", "http://user:long-password-1@") + "?key=other-secret-1"
        server = make_server(url)
        outcome = await attempt(server, close=True)
        assert raw.headers[0]["authorization"] == f"Basic {base64.b64encode(b'user:long-password-1').decode()}"
        assert isinstance(outcome, AttemptError)
        assert "long-password" not in outcome.detail
        assert server.name.startswith("m@127.0.0.1:")
        assert not {"user", "long-password-1", "other-secret-1"} & set(server.name.replace("@", " ").split())
        assert "secret" not in server.name
        raw.stop()

    run(test)


def test_key_in_an_error_page_is_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    page = f"Incorrect API key provided: {KEY}. " + "x" * 250 + f" authorization: Bearer {KEY}"

    async def test() -> None:
        raw = RawServer(http({"error": {"message": page}}, 401))
        outcome = await attempt(make_server(await raw.start()), close=True)
        assert isinstance(outcome, AttemptError)
        assert KEY not in str(outcome)
        assert KEY[:12] not in str(outcome)
        assert "[key]" in outcome.detail
        raw.stop()

    run(test)


def test_headers_of_every_answer_are_passed_on_in_lower_case() -> None:
    async def test() -> None:
        raw = RawServer(http(b"{}", 429, X_RateLimit_Remaining="0"), http(None, 200, X_RateLimit_Remaining="5"))
        server = make_server(await raw.start())
        seen: list[str] = []
        server.on_headers = lambda headers: seen.append(headers["x-ratelimit-remaining"])
        await attempt(server)
        await attempt(server, close=True)
        assert seen == ["0", "5"]
        raw.stop()

    run(test)


def test_key_follows_no_redirect() -> None:
    async def test() -> None:
        other = RawServer(http())
        target = await other.start() + "/chat/completions?key=in-the-address"
        raw = RawServer(http(b"", 307, location=target))
        outcome = await attempt(make_server(await raw.start()), close=True)
        assert other.num_connections == 0
        assert isinstance(outcome, AttemptError)
        assert target.partition("?")[0] in outcome.detail
        assert "in-the-address" not in outcome.detail
        raw.stop()
        other.stop()

    run(test)


def test_errors_are_the_openai_packages() -> None:
    async def test() -> None:
        raw = RawServer(
            http({"error": {"message": "slow down", "code": "c"}}, 429, retry_after="3", x_request_id="r9")
        )
        client = make_client(await raw.start())
        with pytest.raises(openai.RateLimitError, match="slow down") as caught:
            await client.post("/chat/completions", content=b"{}", cast_to=ChatCompletion)
        assert (caught.value.code, caught.value.request_id) == ("c", "r9")
        assert caught.value.response.headers["retry-after"] == "3"
        await client.close()
        raw.stop()

    run(test)


def test_other_endpoints_work_as_ever(tmp_path: Path) -> None:
    listed = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us"}]}
    stored = {"id": "f1", "object": "file", "bytes": 2, "created_at": 1, "filename": "b.jsonl", "purpose": "batch"}
    (tmp_path / "b.jsonl").write_text("{}")

    async def test() -> None:
        raw = RawServer(http(listed), http(stored), http())
        client = make_client(await raw.start())
        assert [model.id async for model in client.models.list()] == ["m"]
        assert (await client.files.create(file=tmp_path / "b.jsonl", purpose="batch")).id == "f1"
        created = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        assert created.choices[0].message.content == "A dog."
        await client.close()
        raw.stop()

    run(test)


def test_teacher_sends_to_each_of_its_servers_what_that_one_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_KEY", "sk-second-key-0123456789")

    async def test() -> None:
        first, second = RawServer(http()), RawServer(http(completion(model="org/m-7b")))
        config = TeacherConfig(
            model="m-7b",
            servers=(
                ServerConfig(base_url=await first.start(), weight=3),
                ServerConfig(
                    base_url=await second.start(), model="org/m-7b", api_key_env="SECOND_KEY", concurrency=5
                ),
            ),
        )
        teacher = OpenAIChatTeacher(config, lambda unit: (), {})
        for server in teacher.servers:
            await server.send(request())
        await teacher.close()
        assert (b'"m-7b"' in first.bodies[0], b'"org/m-7b"' in second.bodies[0]) == (True, True)
        assert first.headers[0]["authorization"] == f"Bearer {KEY}"
        assert second.headers[0]["authorization"] == "Bearer sk-second-key-0123456789"
        assert [server.weight for server in teacher.servers] == [3, 1]
        assert [server.limits.concurrency for server in teacher.servers if server.limits] == [32, 5]
        first.stop()
        second.stop()

    run(test)


def test_servers_of_the_same_name_are_numbered() -> None:
    own = ServerConfig(base_url="http://127.0.0.1:1/v1")
    teacher = OpenAIChatTeacher(TeacherConfig(model="m", servers=(own, own)), lambda unit: (), {})
    assert [server.name for server in teacher.servers] == ["m@127.0.0.1:1/v1", "m@127.0.0.1:1/v1#2"]
    assert isinstance(teacher.servers[0], OpenAIServer)
