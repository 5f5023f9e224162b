"""What a version's rows hold, counted: statistics.json beside the shards, and the tables and plots of the card.

Memory does not grow with the texts: lengths are counted in bins of one word, first words up to a bound, and of each
picture eight bytes of its name's digest stay.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from instructgen.dataset.cards.features import Feature, make_feature
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion, told
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow as pa

STATISTICS_NAME = "statistics.json"
FORMAT = 1
_BATCH_ROWS = 500
_MAX_WORDS = 2_000  # longer texts are counted as this long
_MAX_FIRST_WORDS = 10_000
_NUM_FIRST_WORDS = 40
_MAX_NAMES = 1_000  # of teachers and licences; what comes after is counted as OTHER
OTHER = "(other)"
_IMAGE_MARK = "<image>"  # stands in texts of other projects where the picture goes
_COLUMNS = (
    *("image_id", "messages", "images.list.element.path", "image_licences", "source"),
    *("teacher", "model", "prompt_tokens", "completion_tokens", "cost_usd"),
)


class Lengths(Struct, frozen=True):
    """Words, turns or rows: how many texts, samples or pictures have how many. `counts` is by number, rising."""

    num: int
    mean: float
    low: int
    p10: int
    median: int
    p90: int
    high: int
    counts: dict[str, int]


class TypeStatistics(Struct, frozen=True):
    rows: int
    turns: Lengths
    """Answers of a sample."""
    question_words: Lengths
    answer_words: Lengths


class SplitStatistics(Struct, frozen=True):
    rows: int
    images: int
    """Different pictures; one is known by its source and path."""
    samples_per_image: Lengths
    num_bytes: dict[str, int]
    """Sample type -> bytes of its rows, unpacked."""
    rows_by_type: dict[str, int]


class TeacherStatistics(Struct, frozen=True):
    """Of the answers that the rows hold; what was paid for rejected ones is in the manifest alone."""

    teacher: str
    model: str
    rows: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    """Of the rows with a price."""
    rows_without_price: int


class LicenceStatistics(Struct, frozen=True):
    """`name` is "" for pictures of which nobody told one."""

    name: str
    images: int


class FirstWords(Struct, frozen=True):
    words: str
    questions: int


class Statistics(Struct, frozen=True):
    format: int
    rows: int
    columns: tuple[Feature, ...]
    types: dict[str, TypeStatistics]
    splits: dict[str, SplitStatistics]
    first_words: tuple[FirstWords, ...]
    """The first two words of questions, the most frequent first."""
    teachers: tuple[TeacherStatistics, ...]
    licences: tuple[LicenceStatistics, ...]


def measure(version: StoredVersion) -> Statistics:
    """Read the rows, but not the pictures' bytes, and count.

    Raises InstructgenError for a shard that cannot be read.
    """
    counting = _Counting()
    columns: tuple[Feature, ...] = ()
    for shard in version.manifest.shards:
        for batch in _read_shard(version, shard, counting):
            counting.add(shard, batch)
        columns = columns or counting.columns
    return counting.close(columns)


def encode_statistics(statistics: Statistics) -> bytes:
    return msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n"


def read_statistics(version: StoredVersion) -> Statistics | None:
    """Return what the version's statistics.json holds, or None where it has none, or one of another format."""
    try:
        with version.open(STATISTICS_NAME) as file:
            text = file.read()
        found = msgspec.json.decode(text, type=Statistics)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, OSError) as error:
        raise InstructgenError(f"{version.place}: {STATISTICS_NAME} cannot be read: {error}; copy it again") from None
    return found if found.format == FORMAT else None


def _read_shard(version: StoredVersion, shard: Shard, counting: "_Counting") -> "Iterator[pa.RecordBatch]":
    import pyarrow.parquet as pq

    with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
        parquet = pq.ParquetFile(file)
        counting.open(shard, parquet)
        names = set(parquet.schema_arrow.names)
        wanted = [name for name in _COLUMNS if name.partition(".")[0] in names]
        yield from parquet.iter_batches(batch_size=_BATCH_ROWS, columns=wanted, use_threads=False)


@dataclass(slots=True)
class _OfType:
    rows: int = 0
    turns: Counter[int] = field(default_factory=Counter)
    question_words: Counter[int] = field(default_factory=Counter)
    answer_words: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _OfSplit:
    """`pictures` has the digest of each picture of each row, `licences` its licence's place in the list."""

    rows_by_type: Counter[str] = field(default_factory=Counter)
    num_bytes: Counter[str] = field(default_factory=Counter)
    pictures: "array[int]" = field(default_factory=lambda: array("Q"))
    licences: "array[int]" = field(default_factory=lambda: array("H"))


class _Counting:
    def __init__(self) -> None:
        self.columns: tuple[Feature, ...] = ()
        self._types: dict[str, _OfType] = {}
        self._splits: dict[str, _OfSplit] = {}
        self._first_words: Counter[str] = Counter()
        self._teachers: dict[tuple[str, str], list[float]] = {}
        self._licences: dict[str, int] = {"": 0}

    def open(self, shard: Shard, parquet: Any) -> None:
        footer = parquet.metadata
        split = self._splits.setdefault(shard.split, _OfSplit())
        sizes = (footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
        split.num_bytes[shard.sample_type] += sum(sizes)
        self.columns = tuple(make_feature(one.name, one.type) for one in parquet.schema_arrow)

    def add(self, shard: Shard, batch: "pa.RecordBatch") -> None:
        split = self._splits[shard.split]
        split.rows_by_type[shard.sample_type] += batch.num_rows
        columns = {name: batch.column(name) for name in batch.schema.names}
        self._add_messages(self._types.setdefault(shard.sample_type, _OfType()), columns["messages"])
        self._add_pictures(split, columns, batch.num_rows)
        self._add_teachers(columns, batch.num_rows)

    def _add_messages(self, of_type: _OfType, messages: "pa.ListArray") -> None:
        of_type.rows += len(messages)
        offsets = messages.offsets.to_pylist()  # for flatten and value_lengths would load pyarrow.compute
        flat = messages.values.slice(offsets[0], offsets[-1] - offsets[0])
        roles, texts = flat.field("role").to_pylist(), flat.field("content").to_pylist()
        for start, end in pairwise(offset - offsets[0] for offset in offsets):
            of_type.turns[roles[start:end].count("assistant")] += 1
        for role, text in zip(roles, texts, strict=True):
            words = (text or "").split()
            if role == "user":
                of_type.question_words[min(len(words), _MAX_WORDS)] += 1
                self._add_first_words(words)
            elif role == "assistant":
                of_type.answer_words[min(len(words), _MAX_WORDS)] += 1

    def _add_first_words(self, words: Sequence[str]) -> None:
        asked = [word for word in words[:4] if word != _IMAGE_MARK][:2]
        first = " ".join(word.strip(".,:;!?\"'()").lower()[:30] for word in asked)
        if first not in self._first_words and len(self._first_words) >= _MAX_FIRST_WORDS:
            first = OTHER
        self._first_words[first] += 1

    def _add_pictures(self, split: _OfSplit, columns: "dict[str, pa.Array]", num_rows: int) -> None:
        none = [None] * num_rows
        sources = columns["source"].to_pylist() if "source" in columns else none
        licences = columns["image_licences"].to_pylist() if "image_licences" in columns else none
        ids = columns["image_id"].to_pylist() if "image_id" in columns else none
        pictures = columns["images"].to_pylist() if "images" in columns else none
        for source, image_id, images, named in zip(sources, ids, pictures, licences, strict=True):
            for place, image in enumerate(images or ()):
                name = image.get("path") or f"{image_id}\0{place}"
                digest = hashlib.blake2b(f"{source}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8)
                split.pictures.append(int.from_bytes(digest.digest(), "little"))
                licence = named[place] if named and place < len(named) else None
                split.licences.append(self._place_licence(licence or ""))

    def _place_licence(self, name: str) -> int:
        if name not in self._licences and len(self._licences) >= _MAX_NAMES:
            name = OTHER
        return self._licences.setdefault(name, len(self._licences))

    def _add_teachers(self, columns: "dict[str, pa.Array]", num_rows: int) -> None:
        none: list[Any] = [None] * num_rows
        names = ("teacher", "model", "prompt_tokens", "completion_tokens", "cost_usd")
        values = [columns[name].to_pylist() if name in columns else none for name in names]
        for teacher, model, prompt_tokens, completion_tokens, cost_usd in zip(*values, strict=True):
            key = (teacher or "", model or "")
            if key not in self._teachers and len(self._teachers) >= _MAX_NAMES:
                key = (OTHER, OTHER)
            sums = self._teachers.setdefault(key, [0, 0, 0, 0.0, 0])
            sums[0] += 1
            sums[1] += prompt_tokens or 0
            sums[2] += completion_tokens or 0
            sums[3] += cost_usd or 0.0
            sums[4] += cost_usd is None

    def close(self, columns: tuple[Feature, ...]) -> Statistics:
        ranked = sorted(self._first_words.items(), key=lambda pair: (pair[0] == OTHER, -pair[1], pair[0]))
        return Statistics(
            format=FORMAT,
            rows=sum(found.rows for found in self._types.values()),
            columns=columns,
            types={name: _close_type(found) for name, found in sorted(self._types.items())},
            splits={name: _close_split(found) for name, found in sorted(self._splits.items())},
            first_words=tuple(FirstWords(words, count) for words, count in ranked[:_NUM_FIRST_WORDS] if words),
            teachers=tuple(
                TeacherStatistics(*key, int(rows), int(prompt), int(completion), round(cost, 9), int(unpriced))
                for key, (rows, prompt, completion, cost, unpriced) in sorted(self._teachers.items())
            ),
            licences=self._close_licences(),
        )

    def _close_licences(self) -> tuple[LicenceStatistics, ...]:
        """Count each picture once, also where it is in two splits; of two licences the first in the rows stands."""
        import numpy as np

        pictures = np.concatenate([np.empty(0, np.uint64), *(_as_array(one.pictures) for one in self._in_order())])
        licences = np.concatenate([np.empty(0, np.uint16), *(_as_array(one.licences) for one in self._in_order())])
        firsts = np.unique(pictures, return_index=True)[1]
        counts = np.bincount(licences[firsts], minlength=len(self._licences)).tolist()
        found = sorted(zip(self._licences, counts, strict=True), key=lambda pair: (pair[0] == "", -pair[1], pair[0]))
        return tuple(LicenceStatistics(name, count) for name, count in found if count)

    def _in_order(self) -> Iterator[_OfSplit]:
        return (found for _, found in sorted(self._splits.items()))


def _close_type(found: _OfType) -> TypeStatistics:
    return TypeStatistics(
        found.rows, summarize(found.turns), summarize(found.question_words), summarize(found.answer_words)
    )


def _close_split(found: _OfSplit) -> SplitStatistics:
    import numpy as np

    num_samples = np.unique(_as_array(found.pictures), return_counts=True)[1]
    per_image = Counter(num_samples.tolist())
    return SplitStatistics(
        rows=found.rows_by_type.total(),
        images=per_image.total(),
        samples_per_image=summarize(per_image),
        num_bytes=dict(sorted(found.num_bytes.items())),
        rows_by_type=dict(sorted(found.rows_by_type.items())),
    )


def _as_array(numbers: "array[int]") -> Any:
    import numpy as np

    return np.asarray(numbers)


def summarize(counts: Counter[int]) -> Lengths:
    """Return what there is to say of counted numbers; a percentile is a number that was counted, 0 of none."""
    num = counts.total()
    rising = sorted(counts.items())
    mean = sum(number * count for number, count in rising) / max(1, num)
    low, high = (rising[0][0], rising[-1][0]) if rising else (0, 0)
    p10, median, p90 = (_find_percentile(rising, share * num) for share in (0.1, 0.5, 0.9))
    by_number = {str(number): count for number, count in rising}
    return Lengths(num, round(mean, 2), low, p10, median, p90, high, by_number)


def _find_percentile(rising: list[tuple[int, int]], rank: float) -> int:
    passed = 0
    for number, count in rising:
        passed += count
        if passed >= rank:
            return number
    return 0
