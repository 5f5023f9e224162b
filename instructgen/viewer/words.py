"""Texts as a search sees them: words in lower case without accents; where each stands, what things they name."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instructgen.lexicon.mentions import CATEGORY_PHRASES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_NO_WORD = re.compile(r"[^\w]+|_+")
# Of ASCII, what is no letter and no digit parts words; the rest is in lower case.
_TO_WORDS = bytes(ord(chr(code).lower()) if code > 127 or chr(code).isalnum() else 32 for code in range(128)) + bytes(
    range(128, 256)
)
_MAX_PHRASE_WORDS = 4


def split_words(text: str) -> list[str]:
    """Return the words of a text as they are looked up; "Dog's café" gives dog, s, cafe."""
    if text.isascii():
        return text.encode().translate(_TO_WORDS).decode().split()
    bare = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    return _NO_WORD.sub(" ", bare).split()


@dataclass(slots=True)
class WordTable:
    """Collects which words, and which categories of things, stand in which rows. Rows come in order, in batches."""

    words: dict[str, int] = field(default_factory=dict)
    _places: "list[tuple[Numbers, Numbers]]" = field(default_factory=list)
    _objects: "list[tuple[Numbers, Numbers]]" = field(default_factory=list)
    _categories: dict[str, int] = field(default_factory=dict)

    def add(self, texts: "pa.Array", rows: "Numbers", first_row: int, num_rows: int) -> "pa.Array":
        """Take one batch: the texts, and of each the row (from 0 in the batch, rising) that it belongs to.

        Returns the batch's rows as texts, their words parted by one space, and one at either end.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        split = pc.ascii_split_whitespace(_plain(texts))
        counts = split.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
        tokens = split.flatten()
        is_word = pc.greater(pc.binary_length(tokens), 0).to_numpy(zero_copy_only=False)
        row_of = np.repeat(rows, counts)[is_word]
        encoded = tokens.filter(pa.array(is_word)).dictionary_encode()
        names = encoded.dictionary.to_pylist()
        codes = np.array([self.words.setdefault(name, len(self.words)) for name in names], dtype=np.int64)
        codes = codes[encoded.indices.to_numpy(zero_copy_only=False)] if len(names) else np.zeros(0, np.int64)
        self._places.append(_pair_up(codes, row_of, first_row, num_rows))
        self._add_objects(codes, row_of, first_row, num_rows)
        offsets = np.searchsorted(row_of, np.arange(num_rows + 1))
        words = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), encoded.dictionary_decode())
        joined = pc.binary_join(words.cast(pa.list_(pa.string())), " ")
        return pc.binary_join_element_wise("", joined, "", " ")

    def words_table(self) -> "pa.Table":
        """Return (word, places), by word."""
        return _make_table("word", list(self.words), self._places)

    def objects_table(self) -> "pa.Table":
        """Return (name, places): the categories that each row speaks of, be it to say that there are none."""
        return _make_table("name", list(self._categories), self._objects)

    def _add_objects(self, codes: "Numbers", row_of: "Numbers", first_row: int, num_rows: int) -> None:
        """Find the lexicon's phrases, long ones first: the "dog" of "hot dog" is none."""
        import numpy as np

        is_left = np.ones(len(codes), dtype=np.bool_)
        found: list[tuple[Numbers, Numbers]] = []
        for length in range(_MAX_PHRASE_WORDS, 0, -1):
            for at, category in self._find_phrases(codes, row_of, is_left, length):
                if category is not None and len(at):
                    number = self._categories.setdefault(category, len(self._categories))
                    found.append((np.full(len(at), number, dtype=np.int64), row_of[at]))
        if found:
            numbers, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
            self._objects.append(_pair_up(numbers, rows, first_row, num_rows))

    def _find_phrases(
        self, codes: "Numbers", row_of: "Numbers", is_left: "NDArray[np.bool_]", length: int
    ) -> "list[tuple[Numbers, str | None]]":
        """Return where phrases of so many words begin, among the words that are left; they are taken from those."""
        import numpy as np

        known = [
            ([self.words[word] for word in words], category)
            for words, category in _PHRASES[length]
            if all(word in self.words for word in words)
        ]
        if not known or len(codes) < length:
            return []
        is_first = np.zeros(len(self.words), dtype=np.bool_)
        is_first[[words[0] for words, _ in known]] = True
        last = len(codes) - length + 1
        starts = np.flatnonzero(is_first[codes[:last]] & (row_of[:last] == row_of[length - 1 :]))
        # A phrase as one number: its words' numbers in the base of the vocabulary.
        keys = np.zeros(len(starts), dtype=np.int64)
        base = len(self.words)
        for offset in range(length):
            keys = keys * base + codes[starts + offset]
            starts, keys = starts[is_left[starts + offset]], keys[is_left[starts + offset]]
        found = []
        for words, category in known:
            key = 0
            for word in words:
                key = key * base + word
            at = starts[keys == _wrap(key)]
            found.append((at, category))
        for at, _ in found:
            for offset in range(length):
                is_left[at + offset] = False
        return found


def _wrap(number: int) -> int:
    """Return the number as 64 bits with a sign hold it: of four words of a large vocabulary it may pass them."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _sort_phrases() -> dict[int, list[tuple[tuple[str, ...], str | None]]]:
    """Return the lexicon's phrases by their number of words; a category of None is one that names no box."""
    phrases: dict[int, list[tuple[tuple[str, ...], str | None]]] = {n: [] for n in range(1, _MAX_PHRASE_WORDS + 1)}
    for phrase, known in CATEGORY_PHRASES.items():
        words = tuple(split_words(phrase))
        if len(words) in phrases:
            phrases[len(words)].append((words, None if known is None else known[0]))
    return phrases


_PHRASES = _sort_phrases()


def _plain(texts: "pa.Array") -> "pa.Array":
    """Return the texts in lower case, without accents, and with nothing between words but spaces."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.fill_null(texts.cast(pa.large_string()), "")
    is_ascii = pc.string_is_ascii(texts)
    if not pc.all(is_ascii, min_count=0).as_py():
        others = [" ".join(split_words(text)) for text in texts.filter(pc.invert(is_ascii)).to_pylist()]
        texts = pc.replace_with_mask(texts, pc.invert(is_ascii), pa.array(others, pa.large_string()))
    texts = pa.concat_arrays([texts])  # a slice becomes an array of its own
    _, offsets, data = texts.buffers()
    if data is None:
        return texts
    translated = pa.py_buffer(data.to_pybytes().translate(_TO_WORDS))
    return pa.Array.from_buffers(pa.large_string(), len(texts), [None, offsets, translated], offset=texts.offset)


def _pair_up(codes: "Numbers", rows: "Numbers", first_row: int, num_rows: int) -> "tuple[Numbers, Numbers]":
    """Return each pair of code and row once, by code and then row; rows are counted from `first_row`."""
    import numpy as np

    pairs = np.sort(codes * max(num_rows, 1) + rows)  # half the time of np.unique, which hashes first
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
    return (pairs // max(num_rows, 1)).astype(np.int32), (pairs % max(num_rows, 1) + first_row).astype(np.int32)


def _make_table(key: str, names: Sequence[str], parts: "Sequence[tuple[Numbers, Numbers]]") -> "pa.Table":
    import numpy as np
    import pyarrow as pa

    codes = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int32)
    places = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, np.int32)
    # Rows rise from part to part, so a stable sort by code leaves each word's places in order.
    order = np.argsort(codes, kind="stable")
    offsets = np.searchsorted(codes[order], np.arange(len(names) + 1))
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(places[order], pa.int32()))
    return pa.table({key: pa.array(names, pa.string()), "places": lists}).sort_by(key)
