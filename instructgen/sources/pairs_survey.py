"""What becomes of each row of the tables: one byte a row, made before the first pair is yielded."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from instructgen.config import BalanceConfig, SourceConfig, TableConfig
from instructgen.errors import InstructgenError
from instructgen.sources.balance import BalanceRule, PhraseTable
from instructgen.sources.hash_draws import draw_rows, make_key
from instructgen.sources.mixture import count_mixture
from instructgen.sources.noun_phrases import make_finder
from instructgen.sources.pairs_keys import KeyIndex
from instructgen.sources.pairs_rows import Pair, PairFile

_CAPTIONS_AT_ONCE = 4_096


class Fate(IntEnum):
    KEPT = 0
    BAD = 1
    COPY = 2
    UNBALANCED = 3
    CAPPED = 4
    BEYOND_RATIO = 5


ISSUE_DETAILS = {
    Fate.COPY: ("duplicate_key", "an earlier row has this key, and is kept"),
    Fate.UNBALANCED: ("left_by_balance", "no phrase of it chose this caption"),
    Fate.CAPPED: ("left_by_cap", "not drawn among the table's cap"),
    Fate.BEYOND_RATIO: ("left_by_ratio", "not drawn among the table's share"),
}


@dataclass(frozen=True)
class Table:
    """`prefix` parts its pairs' ids from those of other tables: "" or "cc3m/"."""

    prefix: str
    files: tuple[PairFile, ...]
    config: TableConfig

    @cached_property
    def file_ids(self) -> dict[int, str]:
        """Of each file, by its `id`: its name without the suffix, and a number where another one has that too."""
        stems = [file.path.stem for file in self.files]
        return {
            id(file): stem if stems.count(stem) == 1 else f"{stem}-{number}"
            for number, (file, stem) in enumerate(zip(self.files, stems, strict=True), 1)
        }

    def rows(self, *, with_pictures: bool) -> Iterator[tuple[PairFile, Pair]]:
        for file in self.files:
            try:
                for pair in file.rows(with_pictures=with_pictures):
                    yield file, pair
            except OSError as error:
                raise InstructgenError(f"{file.path} cannot be read: {error.strerror or error}") from None


@dataclass(frozen=True)
class Survey:
    """`fates` ends where reading ends. `mixture` is how many pairs each table gives, where they have weights."""

    fates: tuple[bytearray, ...]
    mixture: tuple[int, ...] | None

    @property
    def num_images(self) -> int:
        return sum(fates.count(Fate.KEPT) + fates.count(Fate.BAD) for fates in self.fates)

    def describe(self, tables: tuple[Table, ...]) -> str:
        """Return how many pairs are kept, of each table where there are several."""
        kept = [fates.count(Fate.KEPT) for fates in self.fates]
        if len(tables) == 1:
            return f"{kept[0]} pairs"
        total = max(1, sum(kept))
        parts = [
            f"{table.prefix[:-1]} {num} ({num / total:.4%}{'' if weight is None else f', weight {weight:g}'})"
            for table, num, weight in zip(tables, kept, [table.config.weight for table in tables], strict=True)
        ]
        return ", ".join(parts)


def survey_tables(tables: tuple[Table, ...], config: SourceConfig, seed: int) -> Survey:
    """Read every row once and settle its fate; raises InstructgenError for tables that cannot be used."""
    has_weights = tables[0].config.weight is not None
    stop_after = None if has_weights or config.balance or any(one.config.cap for one in tables) else config.limit
    fates = _read_rows(tables, config.balance, seed, stop_after)
    for index, table in enumerate(tables):
        if not any(fate in fates[index] for fate in (Fate.KEPT, Fate.BAD)) and stop_after is None:
            raise InstructgenError(f"{table.config.path} has no pairs; its pictures and captions are missing")
        if table.config.cap is not None:
            _thin(fates[index], table.config.cap, make_key(seed, f"cap {table.prefix}"), Fate.CAPPED)
    mixture = _apply_weights(tables, fates, config.limit, seed) if has_weights else None
    if config.limit is not None:
        _cut(fates, config.limit, in_turn=mixture is None)
    return Survey(tuple(fates), mixture)


def _read_rows(
    tables: tuple[Table, ...], balance: BalanceConfig | None, seed: int, stop_after: int | None
) -> list[bytearray]:
    fates = [bytearray() for _ in tables]
    chooser = None if balance is None else _Chooser(balance, seed)
    num_kept = 0
    for index, table in enumerate(tables):
        keys = KeyIndex(fates[index], Fate.COPY)
        for _, pair in table.rows(with_pictures=False):
            fates[index].append(Fate.BAD if pair.reason else Fate.KEPT)
            if pair.key:
                keys.add(pair.key)
            if chooser is not None:
                chooser.add(pair.caption)
            num_kept += not pair.reason
            if stop_after is not None and num_kept >= stop_after:
                keys.settle()
                num_kept = sum(one.count(Fate.KEPT) for one in fates)
                if num_kept >= stop_after:
                    break
        keys.settle()
    if chooser is not None:
        chooser.apply(fates)
    return fates


class _Chooser:
    """Collects the captions of all rows, and takes those out that the balance does not choose.

    Captions of bad rows are blank, and so have no phrase; those of copies count.
    """

    def __init__(self, config: BalanceConfig, seed: int) -> None:
        own_seed = seed if config.seed is None else config.seed
        self._rule = BalanceRule(config.min_frequency, config.max_per_phrase, config.counts, own_seed)
        self._find = make_finder(config.phrases)
        self._table = PhraseTable(keeps_texts=config.counts == "remaining")
        self._waiting: list[str] = []

    def add(self, caption: str) -> None:
        self._waiting.append(caption)
        if len(self._waiting) == _CAPTIONS_AT_ONCE:
            self._store()

    def _store(self) -> None:
        for phrases in self._find(self._waiting):
            self._table.add(phrases)
        self._waiting.clear()

    def apply(self, fates: list[bytearray]) -> None:
        self._store()
        with self._table:
            is_kept = self._table.balance(self._rule).is_kept
        start = 0
        for one in fates:
            codes = np.frombuffer(one, np.uint8)
            chosen = is_kept[start : start + len(codes)]
            codes[(codes == Fate.KEPT) & ~chosen] = Fate.UNBALANCED
            start += len(codes)


def _thin(fates: bytearray, num_rows: int, key: int, fate: Fate) -> None:
    """Keep so many of the kept rows, drawn; the others get the fate."""
    codes: NDArray[np.uint8] = np.frombuffer(fates, np.uint8)
    is_kept = codes == Fate.KEPT
    codes[is_kept & ~draw_rows(is_kept, num_rows, key)] = fate


def _apply_weights(
    tables: tuple[Table, ...], fates: list[bytearray], limit: int | None, seed: int
) -> tuple[int, ...]:
    weights = [table.config.weight or 1.0 for table in tables]
    counts = count_mixture(weights, [one.count(Fate.KEPT) for one in fates], limit)
    for table, one, num in zip(tables, fates, counts, strict=True):
        _thin(one, num, make_key(seed, f"ratio {table.prefix}"), Fate.BEYOND_RATIO)
    return tuple(counts)


def _cut(fates: list[bytearray], limit: int, *, in_turn: bool) -> None:
    """End reading behind the last row that is kept; `in_turn` gives the limit to the tables one after the other."""
    left = limit
    for one in fates:
        kept = np.flatnonzero(np.frombuffer(bytes(one), np.uint8) == Fate.KEPT)
        num = min(left, len(kept)) if in_turn else len(kept)
        left -= num
        if not in_turn or num < len(kept) or not left:
            del one[int(kept[num - 1]) + 1 if num else 0 :]
