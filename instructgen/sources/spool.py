"""A file's annotations on disk, by ranges of image ids: they come in any order, images are wanted in theirs."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError

Int64s = NDArray[np.int64]
Rows = np.ndarray

_IMAGES_IN_RANGE = 2048  # 128, 512 and 2,048 took 4.9, 5.1 and 4.6 CPU s at train2017 size: noise
_MAX_WAITING = 16_384  # rows in memory before they are sorted by range and written


class _Segment(NamedTuple):
    """Some rows of one range, where they lie in the files."""

    first_row: int
    num_rows: int
    first_byte: int
    num_bytes: int


class Spool:
    """Takes rows in the order of the file, gives them back by range, in that order within one.

    Rows are of a structured type with `id`, `image_id`, and `row`, their place in the file. Where they have texts,
    `num_chars` tells each one's length. The files have no name: they go with the process, however it ends.
    Memory does not grow with the annotations, as long as the ranges are known before they come.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.dtype = dtype
        self.num_rows = 0
        self._is_rising, self._last_id = True, -1
        self._firsts: Int64s | None = None
        self._waiting: list[Rows] = []
        self._texts: list[str] = []
        self._num_waiting = 0
        self._num_stored = self._num_bytes = 0
        self._segments: list[list[_Segment]] = []
        with _naming_the_folder():
            self._row_file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
            self._text_file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115

    def set_ranges(self, image_ids: Int64s) -> None:
        """Cut the ids of images, in any order, into ranges of some thousand."""
        self._firsts = np.unique(image_ids)[::_IMAGES_IN_RANGE]
        self._segments = [[] for _ in range(max(1, len(self._firsts)))]

    @property
    def has_ranges(self) -> bool:
        return self._firsts is not None

    @property
    def num_ranges(self) -> int:
        return len(self._segments)

    def bounds(self, image_ids: Int64s) -> Int64s:
        """Return where each range begins among the sorted ids, and where the last ends."""
        assert self._firsts is not None
        return np.concatenate([[0], np.searchsorted(image_ids, self._firsts[1:]), [len(image_ids)]])

    def add(self, rows: Rows, texts: Sequence[str] = ()) -> None:
        rows["row"] = np.arange(self.num_rows, self.num_rows + len(rows))
        self.num_rows += len(rows)
        ids = rows["id"]
        if len(ids):
            self._is_rising = self._is_rising and ids[0] > self._last_id and bool((ids[1:] > ids[:-1]).all())
            self._last_id = ids[-1]
        self._waiting.append(rows)
        self._texts += texts
        self._num_waiting += len(rows)
        if self._num_waiting >= _MAX_WAITING and self.has_ranges:
            self.store()

    def store(self) -> None:
        """Bring what waits to disk. Raises InstructgenError where that takes nothing."""
        if not self._waiting:
            return
        assert self._firsts is not None
        rows = np.concatenate(self._waiting)
        places = np.searchsorted(self._firsts[1:], rows["image_id"], side="right")
        is_sorted = bool((places[1:] >= places[:-1]).all())
        order = None if is_sorted else np.argsort(places, kind="stable")
        ends = np.cumsum(np.bincount(places, minlength=self.num_ranges)).tolist()
        texts = self._texts
        if order is not None:
            rows = rows[order]
            texts = [texts[place] for place in order.tolist()] if texts else []
        with _naming_the_folder():
            self._row_file.write(rows.tobytes())
            for segments, start, end in zip(self._segments, [0, *ends], ends, strict=False):
                if start < end:
                    text = "".join(texts[start:end]).encode("utf-8", "surrogatepass")
                    self._text_file.write(text)
                    segments.append(_Segment(self._num_stored + start, end - start, self._num_bytes, len(text)))
                    self._num_bytes += len(text)
        self._num_stored += len(rows)
        self._waiting, self._texts, self._num_waiting = [], [], 0

    def read_rows(self, number: int) -> Rows:
        """Return the rows of a range."""
        size = self.dtype.itemsize
        places = [(segment.first_row * size, segment.num_rows * size) for segment in self._segments[number]]
        return np.frombuffer(_read(self._row_file, places), self.dtype)

    def read_text(self, number: int) -> str:
        """Return the texts of a range, one behind the other."""
        places = [(segment.first_byte, segment.num_bytes) for segment in self._segments[number]]
        return _read(self._text_file, places).decode("utf-8", "surrogatepass")

    def find_copies(self) -> Int64s:
        """Return the rows whose `id` an earlier row has, rising."""
        if self._is_rising:
            return np.empty(0, np.int64)
        ids = self._read_ids()
        ids.sort()
        if not (ids[1:] == ids[:-1]).any():
            return np.empty(0, np.int64)
        ids = self._read_ids()
        return np.setdiff1d(np.arange(len(ids)), np.unique(ids, return_index=True)[1])

    def _read_ids(self) -> Int64s:
        ids = np.empty(self.num_rows, np.int64)
        for rows in self._all_rows():
            ids[rows["row"]] = rows["id"]
        return ids

    def find_unknown(self, image_ids: Int64s) -> Rows:
        """Return the rows of images that are not among the sorted ids, in the order of the file."""
        found = [rows[~is_among(rows["image_id"], image_ids)] for rows in self._all_rows()]
        unknown = np.concatenate(found) if found else np.empty(0, self.dtype)
        return unknown[np.argsort(unknown["row"])]

    def close(self) -> None:
        self._row_file.close()
        self._text_file.close()

    def _all_rows(self) -> Iterator[Rows]:
        return map(self.read_rows, range(self.num_ranges))


def is_among(ids: Int64s, sorted_ids: Int64s) -> NDArray[np.bool_]:
    if not len(sorted_ids):
        return np.zeros(len(ids), np.bool_)
    places = np.minimum(np.searchsorted(sorted_ids, ids), len(sorted_ids) - 1)
    is_known: NDArray[np.bool_] = sorted_ids[places] == ids
    return is_known


def _read(file: BinaryIO, places: Sequence[tuple[int, int]]) -> bytes:
    pieces = []
    with _naming_the_folder():
        for start, num_bytes in places:
            file.seek(start)
            pieces.append(file.read(num_bytes))
    return b"".join(pieces)


@contextmanager
def _naming_the_folder() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InstructgenError(
            f"the folder for temporary files, {tempfile.gettempdir()}, does not take the annotations ({error}); "
            "free space there, or name another one in TMPDIR"
        ) from None
