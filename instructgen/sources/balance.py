"""LLaVA's balanced subset of captions (arXiv 2304.08485, appendix E), in some 30 bytes for each phrase of a caption.

Phrases that fewer than `min_frequency` captions have choose nothing. The others choose from the rarest to the most
frequent, of equal ones by their text: all captions that have the phrase, or `max_per_phrase` drawn ones where there
are more. The paper does not say which captions a phrase chooses from; that is `counts`:

"all"        all that have it, whether chosen by now or not. The order of the phrases does not matter then.
"remaining"  those that have it and no earlier phrase chose; more captions are kept.
"""

import hashlib
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.sources.hash_draws import Int64s, UInt64s, make_key, mix_bits

Bools = NDArray[np.bool_]
UInt32s = NDArray[np.uint32]

_MAX_PHRASES = 65_535  # of one caption, as they are counted in 16 bits
_MAX_MEMORY = 100_000  # phrases whose number is kept; past that many it is hashed anew


class BalanceRule(Struct, frozen=True):
    min_frequency: int = 3
    max_per_phrase: int = 100
    counts: Literal["all", "remaining"] = "all"
    seed: int = 0


class Balanced(Struct, frozen=True):
    """`is_kept` has a place for each caption, in their order."""

    is_kept: Bools
    num_phrases: int
    num_frequent: int
    """Phrases of at least the least frequency."""


def balance_captions(phrases_by_caption: Iterable[Sequence[str]], rule: BalanceRule) -> Balanced:
    """Return which captions the rule keeps; the phrases are read once."""
    with PhraseTable(keeps_texts=rule.counts == "remaining") as table:
        for phrases in phrases_by_caption:
            table.add(phrases)
        return table.balance(rule)


class PhraseTable:
    """The phrases of many captions as numbers of 64 bits; texts lie in a nameless file, if they are needed at all.

    Two phrases share a number once in ten million tables of two million phrases.
    """

    def __init__(self, *, keeps_texts: bool) -> None:
        self._ids = array("Q")
        self._lengths = array("H")
        self._known: dict[str, int] = {}
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") if keeps_texts else None  # noqa: SIM115

    def __enter__(self) -> "PhraseTable":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, phrases: Sequence[str]) -> None:
        """Take the phrases of the next caption, each of which is there once."""
        phrases = phrases[:_MAX_PHRASES]
        known = self._known
        self._ids.extend([known.get(phrase) or self._number(phrase) for phrase in phrases])
        self._lengths.append(len(phrases))
        if self._file is not None and phrases:
            self._write("".join([f"{phrase}\n" for phrase in phrases]))

    def _number(self, phrase: str) -> int:
        digest = hashlib.blake2b(phrase.encode("utf-8", "replace"), digest_size=8).digest()
        number = int.from_bytes(digest, "little")
        if len(self._known) < _MAX_MEMORY:
            self._known[phrase] = number
        return number

    def _write(self, lines: str) -> None:
        assert self._file is not None
        try:
            self._file.write(lines)
        except OSError as error:
            raise InstructgenError(
                f"the folder for temporary files, {tempfile.gettempdir()}, does not take the phrases of the captions "
                f"({error}); free space there, or name another one in TMPDIR"
            ) from None

    def balance(self, rule: BalanceRule) -> Balanced:
        """Return what the rule keeps of the captions that were added."""
        self._known.clear()
        ids: UInt64s = np.frombuffer(self._ids, np.uint64)
        captions = np.repeat(np.arange(len(self._lengths), dtype=np.uint32), np.frombuffer(self._lengths, np.uint16))
        order = np.argsort(ids, kind="stable")
        starts = _find_starts(ids, order)
        frequencies = np.diff(starts)
        frequent = np.flatnonzero(frequencies >= rule.min_frequency)
        groups = _Groups(ids, captions, order, starts, make_key(rule.seed, "balance"))
        is_kept = np.zeros(len(self._lengths), np.bool_)
        if rule.counts == "all":
            _keep_from_all(groups, frequent, frequencies, rule.max_per_phrase, is_kept)
        else:
            texts = self._texts_of(order[starts[frequent]])
            rising = sorted(zip(frequencies[frequent].tolist(), texts, frequent.tolist(), strict=True))
            _keep_from_remaining(groups, [place for _, _, place in rising], rule.max_per_phrase, is_kept)
        return Balanced(is_kept, len(frequencies), len(frequent))

    def _texts_of(self, lines: Int64s) -> list[str]:
        """Return the texts of phrases, each given as its line in the file."""
        assert self._file is not None
        self._file.seek(0)
        wanted = dict.fromkeys(np.sort(lines).tolist(), "")
        waiting = iter(wanted)
        line_wanted = next(waiting, None)
        for number, text in enumerate(self._file):
            if number == line_wanted:
                wanted[number] = text.rstrip("\n")
                line_wanted = next(waiting, None)
        return [wanted[line] for line in lines.tolist()]


class _Groups(Struct, frozen=True):
    """The captions of each phrase: those at `order[starts[place]:starts[place + 1]]`."""

    ids: UInt64s
    captions: UInt32s
    order: Int64s
    starts: Int64s
    key: int

    def captions_of(self, place: int) -> UInt32s:
        found: UInt32s = self.captions[self.order[self.starts[place] : self.starts[place + 1]]]
        return found

    def draw(self, place: int, captions: UInt32s, num: int) -> UInt32s:
        """Return `num` of the captions, drawn by the phrase and each caption's place alone."""
        if len(captions) <= num:
            return captions
        own_key = self.key ^ int(self.ids[self.order[self.starts[place]]])
        numbers = mix_bits(captions.astype(np.uint64), own_key)
        drawn: UInt32s = captions[np.argpartition(numbers, num)[:num]]
        return drawn


def _find_starts(ids: UInt64s, order: Int64s) -> Int64s:
    """Return where each phrase begins in the order, and the end."""
    if not len(ids):
        return np.zeros(1, np.int64)
    by_phrase = ids[order]
    inner = np.flatnonzero(by_phrase[1:] != by_phrase[:-1]) + 1
    return np.concatenate([[0], inner, [len(ids)]])


def _keep_from_all(groups: _Groups, frequent: Int64s, frequencies: Int64s, most: int, is_kept: Bools) -> None:
    is_whole = np.zeros(len(frequencies), np.bool_)
    is_whole[frequent] = frequencies[frequent] <= most
    is_kept[groups.captions[groups.order[np.repeat(is_whole, frequencies)]]] = True
    for place in frequent[frequencies[frequent] > most].tolist():
        is_kept[groups.draw(place, groups.captions_of(place), most)] = True


def _keep_from_remaining(groups: _Groups, rising: Sequence[int], most: int, is_kept: Bools) -> None:
    for place in rising:
        captions = groups.captions_of(place)
        is_kept[groups.draw(place, captions[~is_kept[captions]], most)] = True
