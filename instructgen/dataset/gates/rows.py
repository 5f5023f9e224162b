"""One pass over the rows of a version for what its gates ask of them; no picture is read."""

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from instructgen.dataset.columns import make_schema
from instructgen.dataset.gates.settings import CheckGates, SchemaGate
from instructgen.dataset.stored import StoredVersion, told
from instructgen.filters.contamination import Contamination, ContaminationPass
from instructgen.filters.near_duplicate import NearDuplicatePass
from instructgen.records import ImageRecord, Message, Sample

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from instructgen.dataset.shards import Shard

LICENCES = "image_licences"
UNKNOWN_LICENCE = ""
NUM_SHOWN = 3
_BATCH_ROWS = 4096
_DIGEST_BYTES = 16
# Columns that versions of older builds lack.
_OPTIONAL = frozenset({LICENCES, "image_urls"})
# Columns that a gate cannot do without.
_NEEDED = frozenset({"sample_id", "image_id", "sample_type", "messages", "images", "source"})
_PLACEHOLDER = (
    r"(?i)</?(?:image|img|video|audio)[ _]?\d*>|<\|[^|<>\n]{1,40}\|>|\{\{[^{}\n]*\}\}|\{%|\{[a-z_]+\}"
    r"|\[(?:insert|placeholder|todo|your)\b[^\]\n]*\]|\[image\]|lorem ipsum"
)


@dataclass(slots=True)
class Faulty:
    """How many, and the first of them."""

    num: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, names: list[str]) -> None:
        self.num += len(names)
        self.shown += names[: NUM_SHOWN - len(self.shown)]


@dataclass(slots=True)
class RowFacts:
    """What was found; parts that no gate asks for stay empty."""

    num_rows: int = 0
    schema_faults: list[str] = field(default_factory=list)
    wrong_counts: list[str] = field(default_factory=list)
    """Shards that do not hold as many rows as the manifest says."""
    message_faults: dict[str, Faulty] = field(default_factory=dict)
    """Reason word -> samples."""
    num_exact: int = 0
    near: Faulty = field(default_factory=Faulty)
    contaminated: Faulty = field(default_factory=Faulty)
    shared_images: Faulty = field(default_factory=Faulty)
    licences: Counter[str] = field(default_factory=Counter)
    """Pictures by licence, "" for one that is not told."""
    has_licences: bool = True


def scan_rows(version: StoredVersion, gates: CheckGates) -> RowFacts:
    """Read the rows once. Where the columns are not as they must be, only that is told.

    Raises InstructgenError for a shard that cannot be read.
    """
    import pyarrow.parquet as pq

    facts = RowFacts()
    looks = _make_looks(gates, facts)
    for shard in version.manifest.shards:
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
            parquet = pq.ParquetFile(file)
            found = list(_find_schema_faults(parquet.schema_arrow, gates.schema))
            facts.schema_faults += [f"{shard.path}: {fault}" for fault in found]
            facts.has_licences &= LICENCES in parquet.schema_arrow.names
            num_rows = parquet.metadata.num_rows
            facts.num_rows += num_rows
            if num_rows != shard.num_rows:
                facts.wrong_counts.append(f"{shard.path} has {num_rows:,} rows, the manifest says {shard.num_rows:,}")
            if looks and not facts.schema_faults:
                for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=_columns(parquet)):
                    for look in looks:
                        look.see(batch, shard)
    for look in looks:
        look.close()
    return facts


class _Look(ABC):
    """Something that is looked for in each batch of rows; `close` writes what takes all rows to say."""

    def __init__(self, facts: RowFacts) -> None:
        self.facts = facts

    @abstractmethod
    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:
        """Look at rows of a shard."""

    def close(self) -> None:
        """Say what takes all rows; most looks have said everything by then."""
        return


def _make_looks(gates: CheckGates, facts: RowFacts) -> list[_Look]:
    looks: list[_Look] = []
    if gates.schema is not None and (gates.schema.messages or not gates.schema.placeholders):
        looks.append(_MessageLook(facts, gates.schema))
    if gates.duplicates is not None and gates.duplicates.max_exact is not None:
        looks.append(_ExactLook(facts))
    if gates.splits is not None:
        looks.append(_SplitLook(facts))
    if gates.licences is not None:
        looks.append(_LicenceLook(facts))
    filters: list[tuple[NearDuplicatePass | ContaminationPass, Faulty]] = []
    if gates.duplicates is not None and gates.duplicates.max_near is not None:
        filters.append((gates.duplicates.near.start(), facts.near))
    if gates.contamination is not None:
        asked = gates.contamination
        options = Contamination(asked.against, asked.n, asked.max_share)
        filters.append((ContaminationPass(options, [Path(name) for name in asked.against]), facts.contaminated))
    if filters:
        looks.append(_FilterLook(facts, filters))
    return looks


def _columns(parquet: "pq.ParquetFile") -> list[str]:
    """Return what is read: everything that a look may ask for, by Parquet's names."""
    wanted = ("sample_id", "image_id", "sample_type", "messages", "images", "source", LICENCES)
    paths = [parquet.schema.column(at).path for at in range(len(parquet.schema))]
    return [path for path in paths if path.partition(".")[0] in wanted and not path.endswith(".bytes")]


def _find_schema_faults(schema: "pa.Schema", gate: SchemaGate | None) -> Iterator[str]:
    """Yield what is wrong; without a gate, only what keeps the rows from being read."""
    import pyarrow as pa

    expected = make_schema((), embeds_images=False)
    strict = gate is not None
    for column in expected:
        if column.name not in schema.names:
            if column.name not in _OPTIONAL and (strict or column.name in _NEEDED):
                yield f"no column {column.name}"
        elif not schema.field(column.name).type.equals(column.type):
            yield f"{column.name} is {schema.field(column.name).type}, not {column.type}"
    if gate is None:
        return
    yield from (f"no column {name}" for name in gate.columns if name not in schema.names)
    if "scores" in schema.names:
        kind = schema.field("scores").type
        if not pa.types.is_struct(kind) or not all(part.type.equals(pa.float64()) for part in kind):
            yield f"scores is {kind}, not numbers by filter"
    known = {*expected.names, "scores", *gate.columns}
    if not gate.extra_columns:
        yield from (f"a column {name} that no build writes" for name in schema.names if name not in known)


class _MessageLook(_Look):
    def __init__(self, facts: RowFacts, gate: SchemaGate) -> None:
        super().__init__(facts)
        self._gate = gate

    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:  # noqa: ARG002
        for reason, rows in self._find(batch.column("messages")).items():
            names = [str(batch.column("sample_id")[row].as_py()) for row in rows.tolist()]
            if names:
                self.facts.message_faults.setdefault(reason, Faulty()).add(names)

    def _find(self, messages: "pa.ListArray") -> "Mapping[str, NDArray[np.int64]]":
        """Return the rows by reason."""
        import numpy as np
        import pyarrow.compute as pc

        lengths = pc.list_value_length(messages).fill_null(0).to_numpy(zero_copy_only=False)
        turns = messages.flatten()
        row_of = np.repeat(np.arange(len(messages)), lengths)
        roles, contents = (turns.field(name).fill_null("") for name in ("role", "content"))
        found: dict[str, NDArray[np.int64]] = {}
        if self._gate.messages:
            is_wrong = _find_wrong_roles(roles, lengths, row_of)
            found["no_messages"] = np.flatnonzero(lengths == 0)
            found["turns_do_not_alternate"] = np.flatnonzero((lengths > 0) & is_wrong)
            is_empty = pc.equal(pc.utf8_trim_whitespace(contents), "").to_numpy(zero_copy_only=False)
            found["empty_turn"] = np.unique(row_of[is_empty])
        if not self._gate.placeholders:
            holds = pc.match_substring_regex(contents, _PLACEHOLDER).to_numpy(zero_copy_only=False)
            found["placeholder"] = np.unique(row_of[holds])
        return found


def _find_wrong_roles(
    roles: "pa.Array", lengths: "NDArray[np.int64]", row_of: "NDArray[np.int64]"
) -> "NDArray[np.bool_]":
    """Return for each row whether its roles are anything but user, assistant, and so on, after one system at most."""
    import numpy as np

    names = roles.to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    has_system = np.zeros(len(lengths), dtype=np.int64)
    filled = np.flatnonzero(lengths)
    has_system[filled] = names[starts[filled]] == "system"
    place = np.arange(len(names)) - starts[row_of] - has_system[row_of]
    expected = np.where(place < 0, "system", np.where(place % 2 == 0, "user", "assistant"))
    num_wrong = np.bincount(row_of[names != expected], minlength=len(lengths))
    num_turns = lengths - has_system
    wrong: NDArray[np.bool_] = (num_wrong > 0) | (num_turns % 2 == 1) | (num_turns == 0)
    return wrong


class _ExactLook(_Look):
    """Keeps 16 bytes of each sample."""

    def __init__(self, facts: RowFacts) -> None:
        super().__init__(facts)
        self._seen: set[bytes] = set()

    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:  # noqa: ARG002
        for turns in batch.column("messages").to_pylist():
            texts = (" ".join((turn["content"] or "").lower().split()) for turn in turns or ())
            digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=_DIGEST_BYTES).digest()
            self.facts.num_exact += digest in self._seen
            self._seen.add(digest)


class _SplitLook(_Look):
    """Keeps the name of each image with the split that it was first seen in."""

    def __init__(self, facts: RowFacts) -> None:
        super().__init__(facts)
        self._splits: dict[str, str] = {}
        self._shared: dict[str, str] = {}

    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:
        columns = (batch.column(name).to_pylist() for name in ("source", "image_id", "images"))
        for source, image_id, images in zip(*columns, strict=True):
            for image in images or ():
                # A picture that is stored without a path is known by its row's id alone.
                name = f"{source}/{image['path']}" if image["path"] else str(image_id)
                first = self._splits.setdefault(name, shard.split)
                if first != shard.split:
                    self._shared.setdefault(name, f"{name} ({first} and {shard.split})")

    def close(self) -> None:
        self.facts.shared_images.add(list(self._shared.values()))


class _LicenceLook(_Look):
    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:  # noqa: ARG002
        if LICENCES not in batch.schema.names:
            return
        columns = (batch.column(name).to_pylist() for name in ("images", LICENCES))
        for images, names in zip(*columns, strict=True):
            pairs = zip_longest(images or (), names or ())
            self.facts.licences.update(name or UNKNOWN_LICENCE for _, name in pairs)


class _FilterLook(_Look):
    """Shows the samples to filters over the whole version; their rows' numbers stand for ids that may come twice."""

    def __init__(self, facts: RowFacts, filters: list[tuple[NearDuplicatePass | ContaminationPass, Faulty]]) -> None:
        super().__init__(facts)
        self._filters = filters
        self._ids: list[str] = []

    def see(self, batch: "pa.RecordBatch", shard: "Shard") -> None:  # noqa: ARG002
        columns = ["sample_id", "image_id", "sample_type", "messages", "images"]
        for row in batch.select(columns).to_pylist():
            first, *others = _make_samples(row, str(len(self._ids)))
            self._ids.append(str(row["sample_id"]))
            for each, _ in self._filters:
                each.observe(*first)
                for other in others if isinstance(each, ContaminationPass) else ():
                    each.observe(*other)

    def close(self) -> None:
        for each, faulty in self._filters:
            faulty.add([self._ids[int(number)] for number in each.decide()])


def _make_samples(row: dict[str, Any], number: str) -> list[tuple[Sample, ImageRecord]]:
    """Return the row as filters take it: with its last image and the first as partner, then with each in between."""
    image_id = str(row["image_id"])
    paths = [image["path"] or "" for image in row["images"] or ()] or [""]
    own = ImageRecord(image_id, paths[-1], 0, 0, (), ())
    partners = [ImageRecord(path, path, 0, 0, (), ()) for path in paths[:-1]]
    turns = tuple(Message(turn["role"], turn["content"] or "") for turn in row["messages"] or ())
    sample = Sample(number, image_id, str(row["sample_type"]), turns, (), {}, partners[0] if partners else None)
    return [(sample, own), *((msgspec.structs.replace(sample, turns=(), partner=one), own) for one in partners[1:])]
