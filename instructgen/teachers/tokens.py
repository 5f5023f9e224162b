"""Counts prompt tokens before anything is sent: with the model's own vocabulary where it lies on this disk."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from instructgen.errors import InstructgenError
from instructgen.records import Message

# What chat templates write around a message, and before the answer (OpenAI's; others differ by a few tokens).
_TOKENS_PER_MESSAGE = 4
_TOKENS_PER_CHAT = 3

# Fitted to o200k_base, cl100k_base and Claude 2's vocabulary on the prompts of 600 images of COCO val2017
# (docs/cost.md): box lines are numbers and commas, which take 1.6 bytes a token where captions take 4.5.
_TOKENS_PER_LETTER_BYTE = 1 / 4.5
_TOKENS_PER_DIGIT = 0.85
_TOKENS_PER_MARK = 0.75
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_WITHOUT_MARKS = str.maketrans("", "", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

_MAX_REMEMBERED = 1000  # texts; a build's examples are a few dozen

# tiktoken's vocabularies: where it would fetch them from, and the sha256 of the file that it keeps.
_VOCABULARIES = {
    "cl100k_base": (
        "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}


@dataclass(slots=True)
class TokenCounter:
    """Counts tokens of messages. `how` says in a sentence how, and how far it can be trusted."""

    how: str
    is_exact: bool
    """Whether the model's own vocabulary counts, so that only the chat template is not known."""
    count_text: Callable[[str], int]
    _remembered: dict[str, int] = field(default_factory=dict)
    _last: tuple[str, int] = ("", 0)

    def count(self, messages: Sequence[Message]) -> int:
        """Return the prompt tokens of a chat; what requests have alike is counted once."""
        *prefix, query = messages
        if query.content != self._last[0]:  # an image's sample types often show the same surrogate
            self._last = (query.content, self.count_text(query.content))
        total = sum(self._count_again(message.content) for message in prefix) + self._last[1]
        return total + _TOKENS_PER_MESSAGE * len(messages) + _TOKENS_PER_CHAT

    def _count_again(self, text: str) -> int:
        num = self._remembered.get(text)
        if num is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            num = self._remembered[text] = self.count_text(text)
        return num


def make_counter(model: str, tokenizer: str | None) -> TokenCounter:
    """Return the best counter that this machine has for the model. Never uses the network.

    `tokenizer` is the path of a tokenizer.json, or of the folder that holds one. Raises InstructgenError where
    there is none, or one that cannot be read.
    """
    if tokenizer is not None:
        path = Path(tokenizer)
        return _count_with_file(path / "tokenizer.json" if path.is_dir() else path)
    return _count_with_tiktoken(model)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has for today's models, by its letters, digits and punctuation."""
    num_chars = len(text)
    num_digits = num_chars - len(text.translate(_WITHOUT_DIGITS))
    num_marks = num_chars - len(text.translate(_WITHOUT_MARKS))
    num_letter_bytes = len(text.encode("utf-8", "surrogatepass")) - num_digits - num_marks
    estimate = (
        _TOKENS_PER_LETTER_BYTE * num_letter_bytes + _TOKENS_PER_DIGIT * num_digits + _TOKENS_PER_MARK * num_marks
    )
    return round(estimate)


def _make_estimate(why: str) -> TokenCounter:
    how = f"estimate from letters, digits and punctuation, mostly within 10% for English ({why})"
    return TokenCounter(how, is_exact=False, count_text=estimate_tokens)


def _count_with_file(path: Path) -> TokenCounter:
    if not path.is_file():
        raise InstructgenError(f"teacher.tokenizer: no file {path}; wants the model's tokenizer.json")
    if find_spec("tokenizers") is None:
        return _make_estimate(f"{path} is not read, for the package `tokenizers` is not installed")
    try:
        tokenizer = import_module("tokenizers").Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001  the package raises Exception itself for a file that is no tokenizer
        raise InstructgenError(f"teacher.tokenizer: {path} is not a tokenizer.json: {error}") from None

    def count_text(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return TokenCounter(
        f"tokenizer {path}, exact up to the server's chat template", is_exact=True, count_text=count_text
    )


def _count_with_tiktoken(model: str) -> TokenCounter:
    if find_spec("tiktoken") is None:
        return _make_estimate("for OpenAI's models install tiktoken; for others set teacher.tokenizer")
    import tiktoken

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return _make_estimate(f"tiktoken does not know the model {model}; teacher.tokenizer names its tokenizer.json")
    if not _is_on_disk(name):
        return _make_estimate(f"tiktoken has not fetched {name} to this machine yet, and a plan uses no network")
    encoding = tiktoken.get_encoding(name)

    def count_text(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    return TokenCounter(
        f"tiktoken {name}, exact up to the server's chat template", is_exact=True, count_text=count_text
    )


def _is_on_disk(name: str) -> bool:
    """Return whether tiktoken would find the vocabulary in its cache; it fetches one that is damaged anew."""
    if name not in _VOCABULARIES:
        return False
    address, sha256 = _VOCABULARIES[name]
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False
    place = Path(folder) if folder else Path(tempfile.gettempdir()) / "data-gym-cache"
    path = place / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
