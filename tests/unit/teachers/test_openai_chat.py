"""What is sent, what it may cost at most, where it goes and with which key; nothing here sends."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from instructgen.config import ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.records import Decoding, Message, Request
from instructgen.teachers import choose_teacher
from instructgen.teachers.openai_chat import Bodies, OpenAIServer, find_address, read_key
from instructgen.teachers.openai_errors import read_retry_after_s

LOCAL = "http://127.0.0.1:8000/v1"
SCHEMAS: dict[str, dict[str, Any]] = {"conv": {"type": "object"}, "detail": {"type": "string"}}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def request(*contents: str, sample_type: str = "conv") -> Request:
    roles = ["system", *["user", "assistant"] * len(contents)]
    messages = [Message(role, content) for role, content in zip(roles, contents, strict=False)]  # type: ignore[arg-type]
    return Request("ab" * 32, sample_type, "coco/1", tuple(messages))


def make_server(decoding: Decoding, prices: Path | None = None) -> OpenAIServer:
    config = TeacherConfig(
        model="m", base_url=LOCAL, decoding=decoding, prices=str(prices) if prices is not None else None
    )
    return OpenAIServer(config, ServerConfig(), SCHEMAS)


def test_body_holds_model_messages_and_only_the_settings_that_are_set() -> None:
    asked = request('Rules: "strict".', "Ein Hund läuft \U0001f436\n", "A dog.", "And there?")
    body = json.loads(Bodies("org/m", Decoding(temperature=0.0, max_tokens=5), {}).write(asked))
    assert body == {
        "model": "org/m",
        "messages": msgspec.to_builtins(list(asked.messages)),
        "temperature": 0.0,
        "max_tokens": 5,
    }
    assert json.loads(Bodies("m", Decoding(), {}).write(asked)).keys() == {"model", "messages"}
    assert json.loads(Bodies("m", Decoding(top_p=0.5, seed=3), {}).write(request("One.")))["seed"] == 3
    named = json.loads(Bodies("m", Decoding(max_tokens=5), {}, "max_completion_tokens").write(asked))
    assert named.keys() == {"model", "messages", "max_completion_tokens"}


def test_json_is_asked_for_with_the_types_schema() -> None:
    bodies = Bodies("m", Decoding(output_format="json"), SCHEMAS)
    for sample_type, schema in SCHEMAS.items():
        asked = json.loads(bodies.write(request("a", "b", sample_type=sample_type)))["response_format"]
        assert asked == {
            "type": "json_schema",
            "json_schema": {"name": sample_type, "strict": True, "schema": schema},
        }


def test_requests_with_different_beginnings_keep_their_own() -> None:
    bodies = Bodies("m", Decoding(), {})
    for number in range(200):
        for _ in range(2):
            asked = request(f"Rules {number}.", f"Question {number}?")
            assert json.loads(bodies.write(asked))["messages"] == msgspec.to_builtins(list(asked.messages))


def test_most_is_bytes_and_room_for_the_template_and_the_longest_answer(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('[models."m"]\nprompt = 2.0\ncompletion = 8.0\n')
    most = make_server(Decoding(max_tokens=100), prices).most(request("Rules.", "Hündin"))
    prompt_tokens = 6 + 7 + 2 * 16 + 16
    assert (most.tokens, most.nano_usd) == (prompt_tokens + 100, prompt_tokens * 2000 + 100 * 8000)


def test_most_counts_the_schema() -> None:
    plain = make_server(Decoding(max_tokens=100)).most(request("a", "b"))
    with_schema = make_server(Decoding(max_tokens=100, output_format="json")).most(request("a", "b"))
    assert with_schema.tokens >= plain.tokens + len('{"type":"object"}')


def test_answer_without_a_limit_has_no_bound() -> None:
    assert make_server(Decoding(max_tokens=5)).has_bound
    assert not make_server(Decoding()).has_bound


def test_server_on_this_machine_is_free_and_elsewhere_the_price_is_unknown() -> None:
    assert make_server(Decoding(max_tokens=5)).most(request("a")).nano_usd == 0
    far = OpenAIServer(TeacherConfig(model="m", base_url="http://far.test/v1"), ServerConfig(), {})
    assert (far.has_price, far.most(request("a")).nano_usd) == (False, 0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "bad", "retry-after": "2"}, 2.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:00 GMT", "date": "Tue, 24 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 -0000"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after_s(headers) == seconds


def test_address_is_the_given_one_else_the_environments_else_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_address(None).base_url == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://10.0.0.1/v1")
    assert find_address(None).base_url == "http://10.0.0.1/v1"
    assert find_address(LOCAL).base_url == LOCAL


def test_password_leaves_the_address_and_the_rest_stays() -> None:
    address = find_address("http://user:p%40ss-word-1@[::1]:80/v1?version=2")
    assert address.base_url == "http://[::1]:80/v1?version=2"
    assert address.headers == {"Authorization": "Basic dXNlcjpwQHNzLXdvcmQtMQ=="}


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8000", "ftp://far.test", "http://", "http://far.test:99999", "http://[::1"]
)
def test_address_that_nothing_could_be_sent_to_is_refused(address: str) -> None:
    with pytest.raises(InstructgenError, match="wants an address such as"):
        find_address(address)


def test_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(InstructgenError) as caught:
        find_address("ftp://user:long-password-2@far.test/v1")
    assert "long-password-2" not in str(caught.value)


def test_only_openai_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_key("OPENAI_API_KEY", LOCAL)
    with pytest.raises(InstructgenError, match="needs a key in OPENAI_API_KEY"):
        read_key("OPENAI_API_KEY", "https://api.openai.com/v1")
    monkeypatch.setenv("OPENAI_API_KEY", " sk-0123456789 \n")
    assert read_key("OPENAI_API_KEY", "https://api.openai.com/v1") == "sk-0123456789"


def test_server_takes_from_the_teacher_what_it_does_not_say_itself() -> None:
    config = TeacherConfig(model="m", base_url=LOCAL, concurrency=7, requests_per_minute=60.0)
    limits = OpenAIServer(config, ServerConfig(tokens_per_minute=5.0), {}).limits
    assert limits is not None
    assert (limits.concurrency, limits.requests_per_minute, limits.tokens_per_minute) == (7, 60.0, 5.0)


def test_list_of_servers_asks_for_the_openai_teacher() -> None:
    assert choose_teacher(TeacherConfig(servers=(ServerConfig(LOCAL),))) == "openai"
