"""Writes the report of a version: one page that holds all it shows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.publish import read_tag
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores.base import LATEST
from instructgen.disk import replace_text
from instructgen.errors import InstructgenError
from instructgen.pages.charts import Chart
from instructgen.pages.render import render_static
from instructgen.records import ImageRecord
from instructgen.report.facts import VersionFacts, list_origin, list_run, list_tiles, list_version, read_facts
from instructgen.report.funnel import make_funnel
from instructgen.report.measures import MeasureRow, list_measures
from instructgen.report.names import REPORT_NAME
from instructgen.report.picks import Pick, pick_gallery, pick_strange, pick_worst, read_picked
from instructgen.report.plots import (
    plot_answer_words,
    plot_claims,
    plot_coverage,
    plot_first_words,
    plot_positions,
    plot_yes_no,
)
from instructgen.report.refined import read_refined
from instructgen.report.rejections import read_rejections
from instructgen.report.shown import SampleShower, ShownSample
from instructgen.report.spoken import Spoken, check_rows
from instructgen.report.survey import Survey, survey_texts
from instructgen.report.texts import TextRow, read_texts
from instructgen.review.annotations import PictureFinder, open_annotations, read_records
from instructgen.sources.base import Source

Say = Callable[[str], None]


class ReportOptions(Struct, frozen=True):
    """Where to write, and where captions, boxes and pictures are that the version does not hold.

    `source` is what the version was built from, where it is open already; it stands before `root`, and `root` before
    the one that run.json names.
    """

    out: Path | None = None
    root: Path | None = None
    split: str | None = None
    images: Path | None = None
    source: Source | None = None


class ReportResult(Struct, frozen=True):
    """`num_shown` rows are in the page, some of them twice; `num_checked` had their claims held against annotations
    for it.
    """

    path: Path
    version: str
    num_rows: int
    num_shown: int
    num_checked: int
    num_rejected_shown: int
    num_bytes: int

    def as_object(self) -> dict[str, str | int]:
        """Return what --json prints (docs/report.md)."""
        return {
            "report": str(self.path),
            "version": self.version,
            "rows": self.num_rows,
            "shown": self.num_shown,
            "checked": self.num_checked,
            "rejected_shown": self.num_rejected_shown,
            "bytes": self.num_bytes,
        }


class _Evidence(Struct, frozen=True):
    """What is at hand of the rows' images."""

    records: Mapping[str, ImageRecord]
    finder: PictureFinder
    title: str
    """Of what was read; "" where no annotations are at hand."""

    def has_picture(self, image_id: str) -> bool:
        """Return whether the picture of an image is at hand, as far as its annotations tell where."""
        record = self.records.get(image_id)
        return record is not None and self.finder.read(image_id, record.file_name) is not None


def write_report(version_folder: Path, options: ReportOptions, say: Say) -> ReportResult:
    """Write the report of a published version and return what is in it; the same version gives the same bytes.

    Without `options.out` it is report.html in the dataset's folder, or report-<version>.html where another version
    is the latest.
    Raises InstructgenError for a version that cannot be read.
    """
    version = LocalVersion(version_folder)
    facts = read_facts(version)
    survey = survey_texts(read_texts(version), len({shard.sample_type for shard in facts.manifest.shards}))
    survey.find_unusual(read_texts(version))
    drawn, strange = list(survey.walk_drawn()), pick_strange(survey)
    rows = read_picked(version_folder, facts.manifest, pick_gallery(drawn))
    evidence = _find_evidence(facts, options, _list_images(survey, drawn, strange, rows), say)
    spoken = check_rows(drawn, evidence.records, _find_two_image_types(rows))
    gallery = pick_gallery(drawn, None if facts.manifest.embeds_images else evidence.has_picture)
    picks = [*gallery, *pick_worst(survey, spoken), *strange]
    shown = _show(picks, read_picked(version_folder, facts.manifest, picks), facts, evidence)
    rejections = read_rejections(version)
    rejected = [(key, rejections.list_shown(key)) for key in rejections.list_keys()]
    html = render_static(
        "report/build.html",
        has_charts=bool(survey.num_rows),
        facts=facts,
        manifest=facts.manifest,
        tiles=list_tiles(facts),
        origin=list_origin(facts),
        about_version=list_version(facts),
        about_run=list_run(facts),
        funnel=make_funnel(facts.manifest.counts, rejections),
        rejections=rejections,
        rejected=rejected,
        refined=read_refined(version).list_shown(),
        measures=_list_measures(facts),
        charts=_plot(survey, spoken, facts),
        survey=survey,
        spoken=spoken,
        evidence=evidence.title,
        prefers_pictures=not facts.manifest.embeds_images and _have_pictures(shown),
        shown={group: [one for pick, one in shown if pick.group == group] for group in _GROUPS},
    )
    path = options.out or _find_place(version_folder)
    _write(path, html)
    return ReportResult(
        path=path,
        version=facts.manifest.version,
        num_rows=survey.num_rows,
        num_shown=len({(pick.row.shard, pick.row.row) for pick, _ in shown}),
        num_checked=spoken.num_checked,
        num_rejected_shown=sum(len(lines) for _, lines in rejected),
        num_bytes=len(html.encode()),
    )


def _have_pictures(shown: Sequence[tuple[Pick, ShownSample]]) -> bool:
    """Return whether the whole gallery has its pictures."""
    return all(picture.source for pick, one in shown if pick.group == "gallery" for picture in one.pictures)


_GROUPS = ("gallery", "worst", "strange")


def _find_place(version_folder: Path) -> Path:
    """Return where a report lies: beside `versions/`, under the version's name where another is the latest."""
    folder = version_folder.resolve()
    if folder.parent.name != "versions":
        raise InstructgenError(f"{version_folder} is in no dataset's folder; give the report's place with --out FILE")
    dataset = folder.parent.parent
    is_latest = read_tag(dataset, LATEST) in (None, folder.name)
    return dataset / (REPORT_NAME if is_latest else f"report-{folder.name}.html")


def _write(path: Path, html: str) -> None:
    try:
        replace_text(path, html)
    except OSError as error:
        raise InstructgenError(f"{path} cannot be written: {error}; give another --out") from None


def _list_images(survey: Survey, drawn: Sequence[TextRow], strange: Sequence[Pick], rows: Sequence[Row]) -> set[str]:
    """Return the ids of the images that the report may speak of."""
    wanted = {row.image_id for row in drawn}
    wanted |= {pick.row.image_id for pick in strange}
    wanted |= {row.image_id for _, row in survey.doubtful.rows()}
    for row in rows:  # of two pictures the first is named by its file alone
        prefix = row["image_id"].partition("/")[0]
        wanted |= {f"{prefix}/{PurePosixPath(picture['path'] or '').stem}" for picture in row["images"][:-1]}
    return wanted


def _find_evidence(facts: VersionFacts, options: ReportOptions, wanted: set[str], say: Say) -> _Evidence:
    root = options.root or facts.root
    source = options.source or open_annotations(facts.manifest, wanted, root, options.split)
    records = {} if source is None or not wanted else read_records(source, wanted, say)
    title = source.title if source is not None and records else ""
    return _Evidence(records, PictureFinder(options.images, source), title)


def _find_two_image_types(rows: Sequence[Row]) -> frozenset[str]:
    return frozenset(row["sample_type"] for row in rows if len(row["images"]) > 1)


def _show(
    picks: Sequence[Pick], rows: Sequence[Row], facts: VersionFacts, evidence: _Evidence
) -> list[tuple[Pick, ShownSample]]:
    shower = SampleShower(evidence.records, evidence.finder, facts.manifest.teacher.model)
    splits = [shard.split for shard in facts.manifest.shards]
    return [
        (pick, shower.show(row, splits[pick.row.shard], f"{pick.group}-{number}", pick.why))
        for number, (pick, row) in enumerate(zip(picks, rows, strict=True), 1)
    ]


def _list_measures(facts: VersionFacts) -> list[MeasureRow]:
    """Return the measures as the build took them; none of a version that was not measured."""
    metrics = facts.manifest.metrics
    if metrics is None:
        return []
    parent = None if facts.parent is None else facts.parent.metrics
    return list_measures(metrics, facts.gates, parent)


def _plot(survey: Survey, spoken: Spoken, facts: VersionFacts) -> list[list[Chart]]:
    """Return the charts in rows; those of a row stand side by side where there is room."""
    if not survey.num_rows:
        return []
    rows = (
        (plot_answer_words(survey), plot_claims(facts.manifest.metrics, spoken)),
        (plot_first_words(survey), plot_coverage(spoken)),
        (plot_yes_no(survey), *plot_positions(spoken)),
    )
    return [found for row in rows if (found := [chart for chart in row if chart is not None])]
