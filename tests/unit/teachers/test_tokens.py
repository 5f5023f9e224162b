import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.records import Message
from instructgen.teachers import tokens
from instructgen.teachers.tokens import TokenCounter, estimate_tokens, make_counter
from tests.support.cli import environment

CAPTIONS = "A woman stands in the dining area at the table.\nA room with chairs, a table, and a woman in it."
BOXES = "potted plant: [0.37, 0.335, 0.409, 0.498]\ntv: [0.011, 0.394, 0.244, 0.617]"
# Counted by tiktoken 0.14 with o200k_base.
CAPTION_TOKENS, BOX_TOKENS = 25, 46


def count_words(text: str) -> int:
    return len(text.split())


def make_word_level(path: Path) -> Path:
    """Write a tokenizer.json in which every word and every mark is one token."""
    path.write_text(
        json.dumps(
            {
                "version": "1.0",
                "added_tokens": [],
                "pre_tokenizer": {"type": "Whitespace"},
                "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
            }
        )
    )
    return path


def test_box_lines_take_far_more_tokens_for_their_length_than_captions() -> None:
    assert estimate_tokens(CAPTIONS) == pytest.approx(CAPTION_TOKENS, rel=0.12)
    assert estimate_tokens(BOXES) == pytest.approx(BOX_TOKENS, rel=0.12)
    assert len(CAPTIONS) / estimate_tokens(CAPTIONS) > 2 * len(BOXES) / estimate_tokens(BOXES)


def test_estimate_grows_with_the_text_and_is_0_for_none() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(CAPTIONS * 10) == pytest.approx(10 * estimate_tokens(CAPTIONS), rel=0.02)
    assert estimate_tokens("\ud800 half a pair") > 0


def test_chat_is_its_texts_and_a_few_tokens_for_each_message() -> None:
    counter = TokenCounter("by words", is_exact=True, count_text=count_words)
    messages = (Message("system", "one two"), Message("user", "three four five"))
    assert counter.count(messages) == 5 + 2 * 4 + 3


def test_what_prompts_have_alike_is_counted_once() -> None:
    asked: list[str] = []

    def count(text: str) -> int:
        asked.append(text)
        return count_words(text)

    counter = TokenCounter("by words", is_exact=True, count_text=count)
    prefix = (Message("system", "rules"), Message("user", "an example"))
    counts = [counter.count((*prefix, Message("user", text))) for text in ("a", "b c", "b c", "a")]
    assert counts[0] == counts[3]
    assert counts[1] == counts[2] == counts[0] + 1
    assert sorted(asked) == ["a", "a", "an example", "b c", "rules"]


def test_memory_of_prefixes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MAX_REMEMBERED", 10)
    counter = TokenCounter("by words", is_exact=True, count_text=count_words)
    for number in range(100):
        counter.count((Message("system", f"rules {number}"), Message("user", "x")))
    assert len(counter._remembered) <= 10


def test_tokenizer_file_counts_where_the_package_is_installed(tmp_path: Path) -> None:
    path = make_word_level(tmp_path / "tokenizer.json")
    counter = make_counter("m", str(path))
    assert str(path) in counter.how
    if find_spec("tokenizers") is None:
        assert not counter.is_exact
        assert counter.how.startswith("estimate")
        assert counter.count_text(BOXES) == estimate_tokens(BOXES)
    else:
        assert counter.is_exact
        assert counter.count_text("tv: 0.5") == 5
        assert make_counter("m", str(tmp_path)).count_text("tv: 0.5") == 5


def test_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"no file .*none\.json"):
        make_counter("m", str(tmp_path / "none.json"))


@pytest.mark.skipif(find_spec("tokenizers") is None, reason="needs the package tokenizers")
def test_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(InstructgenError, match="not a tokenizer"):
        make_counter("m", str(path))


SCRIPT = """
import socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("a counter asked the network")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
from instructgen.teachers.tokens import make_counter
counter = make_counter(sys.argv[1], None)
print(counter.is_exact, counter.count_text("A dog sleeps."), counter.how)
"""


def count_without_network(model: str, cache: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, model],
        capture_output=True,
        text=True,
        env=environment(TIKTOKEN_CACHE_DIR=cache),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4", "no-such-model", "gpt2"])
def test_counter_never_asks_the_network(tmp_path: Path, model: str) -> None:
    for cache in (str(tmp_path), str(tmp_path / "none"), ""):
        assert count_without_network(model, cache).startswith("False 3 estimate")
    assert list(tmp_path.iterdir()) == []


def test_damaged_vocabulary_is_neither_used_nor_fetched_anew(tmp_path: Path) -> None:
    for address, _ in tokens._VOCABULARIES.values():
        (tmp_path / hashlib.sha1(address.encode()).hexdigest()).write_text("IQ== 0\n")
    before = sorted(tmp_path.iterdir())
    assert count_without_network("gpt-4o-mini", str(tmp_path)).startswith("False 3 estimate")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(
    find_spec("tiktoken") is None or not tokens._is_on_disk("o200k_base"),
    reason="needs tiktoken with o200k_base in its cache",
)
def test_tiktoken_counts_where_its_vocabulary_is_on_disk() -> None:
    counter = make_counter("gpt-4o-mini", None)
    assert counter.is_exact
    assert "o200k_base" in counter.how
    assert (counter.count_text(CAPTIONS), counter.count_text(BOXES)) == (CAPTION_TOKENS, BOX_TOKENS)


def test_vocabulary_is_looked_for_where_tiktoken_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, content = "https://example.org/v.tiktoken", b"IQ== 0\n"
    monkeypatch.setattr(tokens, "_VOCABULARIES", {"v": (address, hashlib.sha256(content).hexdigest())})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "data-gym-cache"
    folder.mkdir()
    assert not tokens._is_on_disk("v")
    (folder / hashlib.sha1(address.encode()).hexdigest()).write_bytes(content)
    assert tokens._is_on_disk("v")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")  # tiktoken keeps nothing then, and fetches each time
    assert not tokens._is_on_disk("v")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    assert tokens._is_on_disk("v")
