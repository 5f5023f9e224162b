"""Where keys come from, and that nothing that is printed holds one."""

import base64
import io
import sys
import threading
from types import ModuleType, SimpleNamespace
from urllib.parse import quote

import pytest

from instructgen import secrets
from instructgen.errors import InstructgenError
from instructgen.secrets import RedactedStream, read_secret, redact, register, register_url, strip_url

KEY = "sk-planted-0123456789+/abc"
NAME = "INSTRUCTGEN_TEST_KEY"


class KeyringError(Exception):
    """As in the keyring package."""


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_secrets", set())
    monkeypatch.setattr(secrets, "_forms", ())
    monkeypatch.setattr(secrets, "_is_keyring_stuck", False)
    monkeypatch.delenv(NAME, raising=False)


def put_keyring(monkeypatch: pytest.MonkeyPatch, get_password: object) -> None:
    """Stand in for the optional package: what the system's keyring does is not ours to test."""
    errors = ModuleType("keyring.errors")
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    keyring = SimpleNamespace(get_password=get_password, errors=errors)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_environment_comes_before_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    put_keyring(monkeypatch, lambda service, user: "from-the-keyring")
    monkeypatch.setenv(NAME, f"  {KEY}\n")
    assert read_secret(NAME) == KEY
    assert redact(f"a {KEY} b") == "a [key] b"


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_keyring_is_asked_where_the_environment_has_nothing(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    asked: list[tuple[str, str]] = []

    def get_password(service: str, user: str) -> str:
        asked.append((service, user))
        return "from-the-keyring"

    put_keyring(monkeypatch, get_password)
    if value is not None:
        monkeypatch.setenv(NAME, value)
    assert read_secret(NAME) == "from-the-keyring"
    assert asked == [("instructgen", NAME)]
    assert redact("from-the-keyring") == "[key]"


def test_keyring_without_backend_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_password(service: str, user: str) -> str:
        raise KeyringError("no backend")

    put_keyring(monkeypatch, get_password)
    assert read_secret(NAME) is None


def test_real_keyring_package_without_backend_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring", reason="the optional keyring package is not installed")
    fail = pytest.importorskip("keyring.backends.fail")
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        assert read_secret(NAME) is None
    finally:
        keyring.set_keyring(before)


def test_without_the_keyring_package_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert read_secret(NAME) is None


def test_other_errors_of_a_keyring_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_password(service: str, user: str) -> str:
        raise ZeroDivisionError

    put_keyring(monkeypatch, get_password)
    with pytest.raises(ZeroDivisionError):
        read_secret(NAME)


def test_keyring_that_waits_for_ever_is_asked_once_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    never = threading.Event()

    def get_password(service: str, user: str) -> None:
        calls.append(user)
        assert threading.current_thread().daemon, "the process could not end"
        never.wait()

    put_keyring(monkeypatch, get_password)
    monkeypatch.setattr(secrets, "_KEYRING_TIMEOUT_S", 0.05)
    try:
        assert read_secret(NAME) is None
        assert read_secret(NAME) is None
    finally:
        never.set()
    assert calls == [NAME]


@pytest.mark.parametrize("bad", ["sk-\x1b[31mplanted", "sk-plantéd-key", "sk-planted\n-key"])
def test_key_that_no_server_could_be_sent_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv(NAME, bad)
    with pytest.raises(InstructgenError, match=f"environment variable {NAME} has characters") as caught:
        read_secret(NAME)
    assert "plant" not in str(caught.value)


@pytest.mark.parametrize(
    "spelling",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
        quote(KEY),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        base64.b64encode(b"me:" + KEY.encode()).decode(),
        base64.b64encode(b"user:" + KEY.encode() + b"\n").decode(),
    ],
)
def test_every_spelling_of_a_key_is_replaced(spelling: str) -> None:
    assert spelling in redact(spelling), "nothing is registered yet"
    register(KEY)
    text = redact(f"before {spelling} after")
    assert "[key]" in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    # Of base64 the few characters that are shared with the neighbours stay.
    assert len(text) <= len("before [key] after") + len("dXNlcjp" + "wo=")


def test_key_that_begins_like_another_leaves_nothing_behind() -> None:
    register("sk-planted")
    register("sk-planted-longer")
    assert redact("sk-planted-longer sk-planted") == "[key] [key]"


def test_key_with_quotes_is_found_in_json_and_html() -> None:
    register('sk-"quoted"<key>\\')
    assert redact('{"error": "sk-\\"quoted\\"<key>\\\\"}') == '{"error": "[key]"}'
    assert redact("<p>sk-&quot;quoted&quot;&lt;key&gt;\\</p>") == "<p>[key]</p>"


@pytest.mark.parametrize("short", ["", "a", "the", "EMPTY", "no-keys"])
def test_short_key_garbles_no_text(short: str) -> None:
    register(short)
    assert redact("the EMPTY answer has no-keys") == "the EMPTY answer has no-keys"


def test_eight_characters_are_enough_to_be_a_secret() -> None:
    register("12345678")
    assert redact("x12345678x") == "x[key]x"


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("https://me:pass@api.example.com:8080/v1?api_key=1#top", "https://api.example.com:8080/v1"),
        ("http://p@ss@127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("http://me:pass@[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://me:pass@[::1/v1?k=1", "[::1/v1"),
        ("not an address", "not an address"),
    ],
)
def test_stripped_address_has_neither_user_nor_query(url: str, stripped: str) -> None:
    assert strip_url(url) == stripped


def test_secret_parts_of_an_address_are_registered_and_others_are_not() -> None:
    register_url("https://somebody:pass-word-1@api.example.com/v1?api-version=2024-02-01&api_key=query-key-1")
    register_url("https://lone-token-1@api.example.com/")
    register_url("http://[broken/")
    text = "somebody pass-word-1 2024-02-01 query-key-1 lone-token-1 api.example.com"
    assert redact(text) == "somebody [key] 2024-02-01 [key] [key] api.example.com"


def test_stream_writes_no_secret_and_is_otherwise_the_stream() -> None:
    plain = io.StringIO()
    stream = RedactedStream(plain)
    register(KEY)
    print("a", KEY, file=stream)
    stream.writelines([KEY, "\n"])
    stream.flush()
    assert plain.getvalue() == "a [key]\n[key]\n"
    assert not stream.isatty()
