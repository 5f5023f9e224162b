"""Segments as token ids, each by itself, so that no text can change what stands beside it.

A string that a template wrote is read as the tokenizer reads any string, control tokens and all. A text of a person
is read with every control token switched off: "</s>" in an answer is four characters.

Some tokenizers put a space before a text that begins a string ("Metaspace"). Tokenised piece by piece, each piece
would get one. So there are two readings, the tokenizer's own and one without that space, and a segment gets the one
that the whole string would have had there (docs/templates.md).
"""

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from tokenizers import AddedToken, Encoding, Tokenizer
    from transformers import PreTrainedTokenizerBase

Place = Literal["start", "fresh", "inside"]
"""At the start of everything, right after a control token or an image, or after other text."""

_BLANKS = " \t\r\n▁"
_BYTE_NAME = "<0x"
"""How the name of a token for a byte begins; one kind of model takes these names in a text for the bytes."""


class Speller:
    """Tokenises what stands in one place; safe to pickle and to use from threads."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        from tokenizers import Tokenizer as Backend

        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise InstructgenError(f"{type(tokenizer).__name__} has no fast tokenizer (tokenizer.json); take one")
        settings = json.loads(backend.to_str())
        settings.update(truncation=None, padding=None, post_processor=None)
        self._own: Tokenizer = Backend.from_str(json.dumps(settings))
        self.identity = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
        bare = _without_space(settings)
        self._bare: Tokenizer = self._own if bare == settings else Backend.from_str(json.dumps(bare))
        added = self._own.get_added_tokens_decoder()
        self._added = {token.content: number for number, token in added.items()}
        self._scanner = _make_scanner(self._own, added.values())
        self._forbidden = frozenset(
            number for number, token in added.items() if token.special or _is_markup(token.content)
        ) - {tokenizer.unk_token_id}
        model = settings["model"]
        self._takes_byte_names = model["type"] == "Unigram" and bool(model.get("byte_fallback"))
        self._is_spaced = self._bare is not self._own and self._puts_space_after_control()
        self._own.encode_special_tokens = self._bare.encode_special_tokens = True
        self._known: dict[tuple[str, Place], tuple[list[int], Place]] = {}

    def control(self, text: str, place: Place) -> tuple[list[int], Place]:
        """Return the ids of a template's string and where they leave off."""
        key = (text, place)
        if key not in self._known:
            self._known[key] = self._read_control(text, place)
        return self._known[key]

    def text(self, text: str, place: Place) -> list[int]:
        """Return the ids of a person's text, none of which is a control token."""
        return self.texts([(text, place)])[0]

    def texts(self, texts: Sequence[tuple[str, Place]]) -> list[list[int]]:
        """Return the same for many at once."""
        found: list[list[int]] = [[]] * len(texts)
        for is_own in (True, False):
            chosen = [at for at, (_, place) in enumerate(texts) if self._takes_own(place) == is_own]
            backend = self._own if is_own else self._bare
            encodings = backend.encode_batch_fast([texts[at][0] for at in chosen], add_special_tokens=False)
            for at, encoding in zip(chosen, encodings, strict=True):
                ids: list[int] = encoding.ids
                if not self._forbidden.isdisjoint(ids) or (self._takes_byte_names and _BYTE_NAME in texts[at][0]):
                    ids = self._spell(texts[at][0], is_own=is_own)
                found[at] = ids
        return found

    def _takes_own(self, place: Place) -> bool:
        return self._bare is self._own or place == "start" or (place == "fresh" and self._is_spaced)

    def _spell(self, text: str, *, is_own: bool) -> list[int]:
        """Return the ids of a text that is cut wherever its plain reading has a control token."""
        ids: list[int] = []
        waiting = deque([(text, is_own)])
        while waiting:
            part, takes_own = waiting.popleft()
            encoding = (self._own if takes_own else self._bare).encode(part, add_special_tokens=False)
            cuts = self._find_cuts(part, encoding)
            if not cuts:
                ids += encoding.ids
            edges = [0, *cuts, len(part)]
            pieces = [(part[start:end], takes_own and start == 0) for start, end in pairwise(edges)] if cuts else []
            waiting.extendleft(reversed(pieces))
        return ids

    def _find_cuts(self, text: str, encoding: "Encoding") -> list[int]:
        """Return the places after the first character of each control token that has several."""
        cuts = {found.start() + 1 for found in re.finditer(_BYTE_NAME, text)} if self._takes_byte_names else set()
        for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if number in self._forbidden:
                blank = len(text[start:end]) - len(text[start:end].lstrip())  # a token may hold the space before it
                if end - start - blank > 1:
                    cuts.add(start + blank + 1)
        return sorted(cuts)

    def _read_control(self, text: str, place: Place) -> tuple[list[int], Place]:
        ids: list[int] = []
        at = 0
        for number, start, end in self._find_added(text):
            if start > at:
                ids += self.text(text[at:start], place)
            ids.append(number)
            at, place = end, "fresh"
        if at < len(text):
            ids += self.text(text[at:], place)
            place = "inside"
        return ids, place

    def _find_added(self, text: str) -> list[tuple[int, int, int]]:
        """Return the control tokens in a template's string: id, start and end."""
        encoding = self._scanner.encode(text, add_special_tokens=False)
        spans = zip(encoding.tokens, encoding.offsets, strict=True)
        return [(self._added[token], start, end) for token, (start, end) in spans]

    def _puts_space_after_control(self) -> bool:
        """Return whether the tokenizer puts its space before text after a control token, too."""
        from tokenizers import Tokenizer as Backend

        probe = Backend.from_str(self._own.to_str())
        probe.add_special_tokens(["<|probe|>"])
        ids: list[int] = probe.encode("<|probe|>a", add_special_tokens=False).ids
        return ids[1:] == probe.encode("a", add_special_tokens=False).ids


def _is_markup(token: str) -> bool:
    """Return whether an added token is a sign, and neither white space nor a word that a vocabulary was given."""
    content = token.strip(_BLANKS)
    return bool(content) and not content.isalnum()


def _make_scanner(own: "Tokenizer", added: Iterable["AddedToken"]) -> "Tokenizer":
    """Return a tokenizer that finds the control tokens of a string, and nothing else."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models

    scanner = Backend(models.BPE())
    if own.normalizer is not None:
        scanner.normalizer = own.normalizer
    for token in added:
        (scanner.add_special_tokens if token.special else scanner.add_tokens)([token])
    return scanner


def _without_space(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a tokenizer's settings with nothing that puts a space before a text."""
    return {
        **settings,
        "normalizer": _strip_step(settings.get("normalizer"), "normalizers"),
        "pre_tokenizer": _strip_step(settings.get("pre_tokenizer"), "pretokenizers"),
    }


def _strip_step(step: dict[str, Any] | None, children: str) -> dict[str, Any] | None:
    if step is None or step["type"] == "Prepend":
        return None
    if step["type"] == "Sequence":
        steps = [_strip_step(child, children) for child in step[children]]
        return {**step, children: [child for child in steps if child is not None]}
    if step["type"] == "Metaspace":
        return {**step, "prepend_scheme": "never"}
    if "add_prefix_space" in step:
        return {**step, "add_prefix_space": False}
    return step
