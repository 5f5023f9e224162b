"""Image-caption pairs out of the tables that people have: CC3M, SBU, LAION, img2dataset's output (docs/pairs.md).

Reading takes two passes. The first gives each row its fate, one byte a row: kept, bad, a copy of an earlier key, or
left out by the balance, a cap or the ratio. The second yields what is kept, and tells what became of the rest.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from instructgen.config import SourceConfig, TableConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.sources.mixture import draw_order
from instructgen.sources.pairs_files import find_files
from instructgen.sources.pairs_rows import Pair, PairFile
from instructgen.sources.pairs_survey import ISSUE_DETAILS, Fate, Survey, Table, survey_tables

_Found = ImageRecord | Rejected | SourceIssue
_SCHEMES = ("http://", "https://")


class PairsSource:
    """`limit` counts the pairs that are kept; what is turned away on the way to the last of them comes besides."""

    name = "pairs"
    split: str | None = None

    def __init__(self, config: SourceConfig, seed: int) -> None:
        """Raises InstructgenError where no table can be found, or told from another."""
        self._config = config
        self._seed = seed
        self._tables = open_tables(config)
        self._survey: Survey | None = None
        self._latest: tuple[str, bytes] | None = None
        self.num_images: int | None = None
        self.title = _describe(self._tables, config)

    def records(self) -> Iterator[_Found]:
        """Yield the pairs in the order of the tables, or interleaved where these have weights."""
        if self._survey is None:
            self._survey = survey_tables(self._tables, self._config, self._seed)
        survey = self._survey
        self.num_images = survey.num_images
        self.title = f"{_describe(self._tables, self._config)}: {survey.describe(self._tables)}"
        streams = [self._read(table, fates) for table, fates in zip(self._tables, survey.fates, strict=True)]
        if survey.mixture is not None:
            for index in draw_order(survey.mixture, self._seed):
                yield from _take_one(streams[index])
        for stream in streams:
            yield from stream

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        """Return the picture out of the archive or the folder; None where the table has nothing but its address."""
        if self._latest is not None and self._latest[0] == record.image_id:
            return self._latest[1]
        for table in self._tables:
            if record.file_name.startswith(table.prefix):
                name = record.file_name.removeprefix(table.prefix)
                pictures = (file.read_picture(name) for file in table.files)
                return next((picture for picture in pictures if picture is not None), None)
        return None

    def _read(self, table: Table, fates: bytearray) -> Iterator[_Found]:
        """Yield a table's rows as far as they have a fate."""
        for fate, (file, pair) in zip(fates, table.rows(with_pictures=True), strict=False):
            image_id = f"{self.name}/{table.prefix}{make_row_id(file, table, pair)}"
            if fate == Fate.KEPT or fate == Fate.BAD:
                yield self._make_record(image_id, table, file, pair)
            else:
                issue = ISSUE_DETAILS[Fate(fate)]
                yield SourceIssue(image_id, issue[0], f"{_where(file, pair)}: {issue[1]}")

    def _make_record(self, image_id: str, table: Table, file: PairFile, pair: Pair) -> ImageRecord | Rejected:
        if pair.reason:
            return Rejected(image_id, "source", pair.reason, f"{_where(file, pair)}: {pair.detail}")
        if pair.picture is not None:
            self._latest = image_id, pair.picture
        # Two tables may both have a 00000.tar.
        name = pair.file_name if pair.file_name.startswith(_SCHEMES) else f"{table.prefix}{pair.file_name}"
        return ImageRecord(image_id, name, pair.width_px, pair.height_px, (pair.caption,), (), url=pair.url)


def _where(file: PairFile, pair: Pair) -> str:
    return f"{file.path.name} {file.row_noun} {pair.row}"


def make_row_id(file: PairFile, table: Table, pair: Pair) -> str:
    """Return the row's own key, or its file and its number there."""
    return pair.key or f"{table.file_ids[id(file)]}-{pair.row:09d}"


def _take_one(stream: Iterator[_Found]) -> Iterator[_Found]:
    """Yield up to the next record, that with it."""
    for found in stream:
        yield found
        if isinstance(found, ImageRecord):
            return


def open_tables(config: SourceConfig) -> tuple[Table, ...]:
    """Return the tables of the settings; raises InstructgenError where they are not enough to tell."""
    if config.split is not None:
        raise InstructgenError("pairs have no --split; give the files themselves with --root")
    if (config.root is None) == (not config.tables):
        raise InstructgenError(
            "pairs are read from --root PATH (a table, a folder of shards), or from [[source.tables]] of a pipeline: "
            "give one of them"
        )
    if config.root is not None:
        return (Table("", find_files(Path(config.root), config.columns), TableConfig(config.root)),)
    weights = {table.weight is None for table in config.tables}
    if len(weights) > 1:
        raise InstructgenError("[[source.tables]]: give a weight for every table, or for none")
    tables = tuple(
        Table(f"{_name_of(one)}/", find_files(Path(one.path), config.columns), one) for one in config.tables
    )
    names = [table.prefix for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise InstructgenError(
                f"[[source.tables]]: two tables are called '{name[:-1]}', and their pairs could not be told apart; "
                'give each a name = "..."'
            )
    return tables


def _name_of(table: TableConfig) -> str:
    name = table.name or Path(os.path.abspath(table.path)).name.partition(".")[0]  # noqa: PTH100
    if not name or "/" in name or " " in name or not name.isprintable():
        raise InstructgenError(f"[[source.tables]] {table.path}: '{name}' cannot be part of an id; set another name")
    return name


def _describe(tables: tuple[Table, ...], config: SourceConfig) -> str:
    """Return what is read, without folders."""
    names = ", ".join(table.prefix[:-1] for table in tables if table.prefix)
    parts = [f"image-caption pairs of {names}" if names else "image-caption pairs"]
    balance = config.balance
    if balance is not None:
        seed = "" if balance.seed is None else f", seed {balance.seed}"
        parts.append(
            f"balanced by noun phrases ({balance.phrases}; at least {balance.min_frequency}, at most "
            f"{balance.max_per_phrase} of {balance.counts}{seed})"
        )
    return ", ".join(parts)
