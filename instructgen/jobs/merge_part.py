"""What a build of one share leaves for `instructgen merge`, beside the version that it publishes.

part.json                 which share it is, of what, with which settings
part-units.zst            in the source's order, what each unit came to, as far as rows and rejected.jsonl lack it
part-ngrams.msgpack       the n-grams of its answers, by type: what the measures count and rows alone can give
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import msgspec
from msgspec import Struct

import instructgen
from instructgen.config import GatesConfig
from instructgen.dataset.columns import Row, hash_picture, hash_row
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import StoredVersion
from instructgen.errors import InstructgenError
from instructgen.evaluate.chair import ChairCounts
from instructgen.evaluate.distinct import DistinctCounter
from instructgen.evaluate.pope import YesNoCounts
from instructgen.evaluate.quality import Metrics, Tally
from instructgen.grounding.claims import Findings
from instructgen.grounding.evidence import Evidence
from instructgen.records import Reply, Sample
from instructgen.sources.shares import Share, ShareOfSource

if TYPE_CHECKING:
    from instructgen.jobs.parts import BuildParts

PART_TAG = "part"
PART_NAME = "part.json"
UNITS_NAME = "part-units.zst"
NGRAMS_NAME = "part-ngrams.msgpack"
PART_FORMAT = 1
_BLOCK_UNITS = 500
_LENGTH_BYTES = 4


class PartFacts(Struct, frozen=True):
    """`num_images` is of the whole source; `before` and `last` are the ids of the image before the share's first and
    of its last, so that it is seen whether one share goes on where another ends.
    """

    format: int
    share: Share
    num_images: int
    before: str
    last: str
    package: str
    gates: GatesConfig


class Use(Struct, frozen=True, array_like=True):
    """A reply that is used for the first time in the part."""

    request_id: bytes
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


class Measures(Struct, frozen=True, array_like=True):
    """What the measures count of one sample, but for its n-grams."""

    truth: str
    is_leak: bool
    claims: tuple[tuple[str, str, int], ...]
    """Kind, truth, how many."""
    chair: tuple[int, int, int]
    """Mentions, hallucinated ones, and whether there are such."""
    yes_no: tuple[int, int]
    answer_words: tuple[tuple[int, int], ...]
    coverage: float | None
    digest: int


class RowFacts(Struct, frozen=True, array_like=True):
    """An accepted sample. `end` and `text` are what rejected.jsonl says of it if another part's sample drops it."""

    sample_id: str
    sample_type: str
    split: str
    digest: bytes
    """Of the row, as in the version's contents."""
    measures: Measures
    end: dict[str, Any]
    text: str
    other_ids: tuple[str, ...]
    """Of the images that it speaks of beside its own, in the order of its row."""


class PartUnit(Struct, frozen=True, array_like=True):
    """One unit; `row` is None where it has a line in rejected.jsonl."""

    uses: tuple[Use, ...]
    row: RowFacts | None


_decode_units = msgspec.msgpack.Decoder(list[PartUnit]).decode


@dataclass(slots=True)
class _KeptHash:
    """The digest of the latest picture: the rows of an image share it."""

    picture: bytes | None = None
    digest: str = ""

    def __call__(self, picture: bytes | None) -> str:
        if picture is None or picture is not self.picture:
            self.picture, self.digest = picture, hash_picture(picture)
        return self.digest


@dataclass(slots=True)
class PartWriter:
    """Writes the part's files into the folder that becomes its version. Use it as a context manager."""

    folder: Path
    parts: "BuildParts"
    _file: BinaryIO | None = None
    _waiting: list[PartUnit] = field(default_factory=list)
    _uses: list[Use] = field(default_factory=list)
    _hash: _KeptHash = field(default_factory=_KeptHash)

    def __enter__(self) -> Self:
        import pyarrow as pa

        self._file = pa.output_stream(str(self.folder / UNITS_NAME), compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        assert self._file is not None
        self._file.close()

    def use(self, reply: Reply) -> None:
        """Note a reply that counts for the unit which is settled next."""
        request_id = bytes.fromhex(reply.request_id)
        self._uses.append(Use(request_id, reply.prompt_tokens, reply.completion_tokens, reply.cost_usd))

    def set_aside(self) -> None:
        """A unit went to rejected.jsonl."""
        self._add(None)

    def publish(
        self, sample: Sample, split: str, row: Row, measures: Measures, end: tuple[dict[str, Any], str]
    ) -> None:
        """A unit's row was written."""
        described, text = end
        is_compared = bool(self.parts.corpus_filters)
        self._add(
            RowFacts(
                sample_id=sample.sample_id,
                sample_type=sample.sample_type,
                split=split,
                digest=hash_row(row, self._hash),
                measures=measures,
                end=described if is_compared else {},
                text=text if is_compared else "",
                other_ids=tuple(one.image_id for one in sample.others),
            )
        )

    def finish(self, metrics: Metrics) -> None:
        """Write what is known once all units are settled."""
        source, share = self.parts.source, self.parts.share
        assert isinstance(source, ShareOfSource)
        assert share is not None
        before, last = source.neighbours
        facts = PartFacts(
            PART_FORMAT,
            share,
            source.num_all or 0,
            before,
            last,
            instructgen.__version__,
            self.parts.config.gates,
        )
        (self.folder / PART_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
        ngrams = {name: pack_ngrams(tally) for name, tally in sorted(metrics.by_type.items())}
        (self.folder / NGRAMS_NAME).write_bytes(msgspec.msgpack.encode(ngrams))

    def _add(self, row: RowFacts | None) -> None:
        self._waiting.append(PartUnit(tuple(self._uses), row))
        self._uses.clear()
        if len(self._waiting) >= _BLOCK_UNITS:
            self._flush()

    def _flush(self) -> None:
        assert self._file is not None
        if self._waiting:
            block = msgspec.msgpack.encode(self._waiting)
            self._file.write(len(block).to_bytes(_LENGTH_BYTES, "big") + block)
            self._waiting.clear()


def measure_sample(sample: Sample, findings: Findings, evidence: Evidence) -> Measures:
    """Return what the measures count of one sample, as Metrics does, without its n-grams."""
    metrics = Metrics()
    tally = metrics.by_type[sample.sample_type] = Tally(distinct={})
    metrics.observe(sample.turns, sample.sample_type, findings, evidence)
    chair = tally.chair
    return Measures(
        truth=next(iter(tally.truths)),
        is_leak=tally.num_leaks > 0,
        claims=tuple((kind, truth, num) for (kind, truth), num in tally.claims.items()),
        chair=(chair.num_mentions, chair.num_hallucinated, chair.num_samples_with),
        yes_no=(tally.yes_no.num_yes, tally.yes_no.num_no),
        answer_words=tuple(tally.answer_words.items()),
        coverage=tally.coverage_sum if tally.num_with_boxes else None,
        digest=tally.digests[0],
    )


def make_tally(measures: Measures) -> Tally:
    """Return the tally of one sample, without n-grams."""
    return Tally(
        num_samples=1,
        num_leaks=int(measures.is_leak),
        truths=Counter({measures.truth: 1}),
        claims=Counter({(kind, truth): num for kind, truth, num in measures.claims}),
        chair=ChairCounts(measures.chair[0], measures.chair[1], 1, measures.chair[2]),
        yes_no=YesNoCounts(*measures.yes_no),
        answer_words=Counter(dict(measures.answer_words)),
        coverage_sum=measures.coverage or 0.0,
        num_with_boxes=int(measures.coverage is not None),
        digests=array("Q", [measures.digest]),
    )


def pack_ngrams(tally: Tally) -> dict[int, tuple[int, bytes]]:
    """Return of each n how many n-grams there are, and the hashes that are kept of them."""
    packed: dict[int, tuple[int, bytes]] = {}
    for n, counter in tally.distinct.items():
        counter.count()  # puts what is kept together
        packed[n] = counter.num_all, b"".join(hashes.tobytes() for hashes in counter.kept)
    return packed


def read_ngrams(version: StoredVersion) -> dict[str, dict[int, DistinctCounter]]:
    """Return the n-grams of a part by type and n."""
    import numpy as np

    with version.open(NGRAMS_NAME) as file:
        packed = msgspec.msgpack.decode(file.read(), type=dict[str, dict[int, tuple[int, bytes]]])
    found: dict[str, dict[int, DistinctCounter]] = {}
    for name, by_n in packed.items():
        found[name] = {}
        for n, (num_all, hashes) in by_n.items():
            counter = found[name][n] = DistinctCounter()
            counter.add(np.frombuffer(hashes, np.uint64))
            counter.num_all = num_all
    return found


def read_facts(version: StoredVersion) -> PartFacts:
    """Return what a part is; InstructgenError for a version that is none, or one of a later instructgen."""
    try:
        with version.open(PART_NAME) as file:
            facts = msgspec.json.decode(file.read(), type=PartFacts)
    except FileNotFoundError:
        raise InstructgenError(
            f"{version.place} is no part of a build: build it with --shard i/N, or use `instructgen dataset merge` "
            "for versions that stand by themselves"
        ) from None
    except msgspec.DecodeError as error:
        raise InstructgenError(
            f"{version.place}: {PART_NAME} cannot be read: {error}; build the part again"
        ) from None
    if facts.format != PART_FORMAT:
        raise InstructgenError(
            f"{version.place} is a part of format {facts.format}, and this instructgen merges format {PART_FORMAT}; "
            "build the parts and merge them with one version of instructgen"
        )
    return facts


def read_units(version: StoredVersion) -> Iterator[PartUnit]:
    """Yield what each unit of the part came to, in the source's order."""
    import pyarrow as pa

    with version.open(UNITS_NAME) as raw, pa.input_stream(raw, compression="zstd") as file:
        while length := file.read(_LENGTH_BYTES):
            yield from _decode_units(file.read(int.from_bytes(length, "big")))


def list_settings(manifest: Manifest, facts: PartFacts) -> dict[str, Any]:
    """Return by a name for people all that the parts of one build have in common."""
    config = {name: value for name, value in manifest.config.items() if name != "share"}
    return {
        "the version of instructgen": facts.package,
        "the number of shares": facts.share.num_shares,
        **{f"the setting '{name}'": value for name, value in sorted(config.items())},
        "the source": [manifest.source.name, manifest.source.title, facts.num_images],
        "the teacher": [manifest.teacher.name, manifest.teacher.model, manifest.teacher.decoding],
        "the prompts": dict(manifest.prompts),
        "whether rows hold pictures": manifest.embeds_images,
        "the gates": msgspec.to_builtins(facts.gates),
        "the format": manifest.format,
    }


def hash_settings(manifest: Manifest, facts: PartFacts) -> str:
    """Return a short digest of what the parts of one build have in common."""
    content = msgspec.json.encode(list_settings(manifest, facts), order="deterministic")
    return hashlib.sha256(content).hexdigest()[:12]
