"""The report of a version says what its files say, the same way each time, and lets no text of the data run."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from instructgen.dataset.manifest import Counts
from instructgen.errors import InstructgenError
from instructgen.report.write import ReportOptions, ReportResult, write_report
from tests.support.coco_folder import make_coco
from tests.support.reports import (
    HOSTILE,
    NUM_ROWS,
    Annotations,
    make_dataset,
    make_picture,
    make_rows,
    write_run,
)
from tests.support.versions import make_row_of, write_version


class Visible(HTMLParser):
    """Gathers a page's elements, and its text but for scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._hidden = ""
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._hidden = tag

    def handle_endtag(self, tag):
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data):
        if not self._hidden:
            self.texts.append(data)


def report_on(version: Path, out: Path, **options: object) -> tuple[ReportResult, Visible]:
    said: list[str] = []
    result = write_report(version, ReportOptions(out=out, **options), said.append)  # type: ignore[arg-type]
    return result, Visible(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> tuple[ReportResult, Visible]:
    folder = tmp_path_factory.mktemp("reported")
    version = make_dataset(folder / "out", make_picture())
    return report_on(version, folder / "page.html", source=Annotations())


def test_headline_funnel_and_reasons_are_those_of_the_files(reported) -> None:
    _, page = reported
    assert f"samples {NUM_ROWS} of {NUM_ROWS + 3} planned" in page.text
    assert "kept 72.7% 2 rejected, 1 failed" in page.text
    funnel = page.text.partition("From planned to kept")[2].partition("type planned kept")[0]
    assert "planned 11 100.0%" in funnel
    assert "answered 10 90.9% 1 lost: 1 timeout" in funnel
    assert "parsed 9 81.8% 1 lost: 1 no_question" in funnel
    assert "refined 9 81.8%" in funnel
    assert "kept 8 72.7% 1 lost: 1 too_short" in funnel
    assert f"prompt of conv {'ab' * 6}" in page.text


def test_measures_are_held_against_gates_and_the_version_before(reported) -> None:
    _, page = reported
    row = page.text.partition("contradicted claims ")[2].partition("distributions")[0]
    assert row.startswith("25.0% at most 10.0% failed 50.0% -25.0 points (better) 25.0%")
    assert "kept of what was planned 80.0% 80.0% same 80.0%" in page.text


def test_run_is_told_with_the_log_of_the_last_run_alone(reported) -> None:
    _, page = reported
    assert "took 1 min 01 s" in page.text
    assert "12 sent, 11 answered" in page.text
    assert "in the log 1 paused" in page.text
    assert "attempt_failed" not in page.text


def test_run_of_another_version_is_not_taken_for_this_one(tmp_path: Path) -> None:
    version = make_dataset(tmp_path / "out")
    run = tmp_path / "out" / "run" / "run.json"
    run.write_text(run.read_text().replace(version.name, "0" * 12))
    _, page = report_on(version, tmp_path / "page.html")
    assert "The run" not in page.text
    assert "at most 10.0%" not in page.text


def test_folder_that_the_run_was_built_from_is_found_again(tmp_path: Path) -> None:
    rows = [make_row_of(number) for number in range(10, 14)]
    version = write_version(tmp_path / "v", rows, config={"source": {"split": "val2017"}})
    folder = tmp_path / "out" / "versions" / version.manifest.version
    folder.parent.mkdir(parents=True)
    version.folder.rename(folder)
    write_run(tmp_path / "out", folder.name, root=make_coco(tmp_path / "coco"))
    assert report_on(folder, tmp_path / "page.html")[0].num_checked == 4
    (tmp_path / "coco").rename(tmp_path / "gone")
    assert report_on(folder, tmp_path / "page.html")[0].num_checked == 0
    assert report_on(folder, tmp_path / "page.html", root=tmp_path / "gone")[0].num_checked == 4


def test_text_of_the_data_is_shown_and_never_markup(reported) -> None:
    _, page = reported
    assert page.text.count("document.title = 'stolen'") >= 3  # a question, an answer, a rejected text
    assert not [attrs for tag, attrs in page.tags if "onerror" in attrs or attrs.get("src") == "x"]
    scripts = [attrs for tag, attrs in page.tags if tag == "script" and attrs.get("type") != "application/json"]
    assert scripts == [{}, {}, {}]  # house.js, the charts' library, charts.js


def test_claims_are_marked_with_their_evidence_and_boxes_are_drawn(reported) -> None:
    result, page = reported
    assert result.num_checked == NUM_ROWS
    marks = [attrs for tag, attrs in page.tags if tag == "mark"]
    kinds = {(attrs.get("class") or "").split()[-1] for attrs in marks}
    assert kinds == {"supported", "contradicted", "unverifiable"}
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert all(attrs["aria-describedby"] in ids and attrs["tabindex"] == "0" for attrs in marks)
    assert "no box of cat, and no caption names one" in page.text
    assert {attrs["data-label"] for tag, attrs in page.tags if "data-label" in attrs} == {"dog", "sports ball"}


def test_ids_of_a_page_are_each_there_once(reported) -> None:
    _, page = reported
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_worst_are_the_contradicted_and_then_the_most_doubted(reported) -> None:
    _, page = reported
    worst = page.text.partition("The worst that was kept")[2].partition("The strangest")[0]
    assert "of its claims contradicted: the most of 8 checked rows" in worst
    assert "doubt 0.70: the highest of all rows" in worst
    strange = page.text.partition("The strangest")[2].partition("Rejected All of it")[0]
    assert "the longest answer:" in strange
    assert "nothing but short answers:" in strange


def test_same_version_gives_the_same_bytes(tmp_path: Path) -> None:
    version = make_dataset(tmp_path / "out", make_picture())
    first, _ = report_on(version, tmp_path / "one.html", source=Annotations())
    second, _ = report_on(version, tmp_path / "two.html", source=Annotations())
    assert first.path.read_bytes() == second.path.read_bytes()


def test_without_annotations_and_pictures_the_page_says_what_to_give(tmp_path: Path) -> None:
    result, page = report_on(make_dataset(tmp_path / "out"), tmp_path / "page.html")
    assert result.num_checked == 0
    assert "No annotations are at hand" in page.text
    assert "000000000001.jpg: the picture is not at hand; give --images FOLDER" in page.text
    assert not [tag for tag, _ in page.tags if tag == "mark"]


def test_boxes_are_drawn_where_only_the_picture_is_missing(tmp_path: Path) -> None:
    _, page = report_on(make_dataset(tmp_path / "out"), tmp_path / "page.html", source=Annotations())
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert [attrs for tag, attrs in page.tags if attrs.get("viewbox") == "0 0 480 360"]
    assert [attrs for tag, attrs in page.tags if attrs.get("data-label") == "dog"]


def test_pictures_are_encoded_anew_and_small(tmp_path: Path) -> None:
    secret = make_picture(3000, 2000) + b"GPS of a home"
    version = make_dataset(tmp_path / "out", secret)
    result, page = report_on(version, tmp_path / "page.html", source=Annotations())
    sizes = {(attrs["width"], attrs["height"]) for tag, attrs in page.tags if tag == "img"}
    assert sizes == {("480", "320")}
    assert result.num_bytes < 2_500_000


def test_picture_that_cannot_be_read_is_said_and_not_embedded(tmp_path: Path) -> None:
    _, page = report_on(make_dataset(tmp_path / "out", b"<svg onload=alert(1)>"), tmp_path / "page.html")
    assert "the picture cannot be read" in page.text
    assert not [tag for tag, _ in page.tags if tag == "img"]


def test_version_of_the_charts_that_the_page_names_is_the_one_inside(reported) -> None:
    result, page = reported
    named = re.search(r"Apache ECharts ([\d.]+)", page.text)
    assert named is not None
    assert f'.version="{named[1]}"' in result.path.read_text(encoding="utf-8")


def test_version_without_a_row_has_a_report_of_what_was_rejected(tmp_path: Path) -> None:
    line = b'{"unit_id":"coco/1/conv","outcome":"rejected","stage":"filter","reason":"too_short","text":"No."}\n'
    counts = Counts({"conv": 1}, {"conv": 0}, {"conv": 1}, {"conv": 0}, {"conv": {"too_short": 1}})
    version = write_version(tmp_path / "v", [], rejected=line, counts=counts)
    result, page = report_on(version.folder, tmp_path / "page.html")
    assert result.num_rows == 0
    assert "too_short 1, at filter" in page.text
    assert "Gallery" not in page.text
    assert 'class="chart"' not in result.path.read_text(encoding="utf-8")


def test_units_that_rejected_jsonl_does_not_name_are_counted_as_unknown(tmp_path: Path) -> None:
    counts = Counts({"conv": 9}, {"conv": 8}, {"conv": 1}, {"conv": 0}, {"conv": {}})
    version = write_version(tmp_path / "v", make_rows(), counts=counts)
    _, page = report_on(version.folder, tmp_path / "page.html")
    assert "kept 8 88.9% 1 lost: 1 not in rejected.jsonl" in page.text
    counts = Counts({"conv": 9}, {"conv": 8}, {"conv": 1}, {"conv": 0}, {"conv": {"over_cap": 1}})
    version = write_version(tmp_path / "w", make_rows(), counts=counts)
    _, page = report_on(version.folder, tmp_path / "page.html")
    assert "kept 8 88.9% 1 lost: 1 over_cap" in page.text
    assert "1 were left out; rejected.jsonl has no line of them" in page.text


def test_rejected_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", make_rows(), rejected=b'{"unit_id":"a/b","reason":"x"}\nnonsense\n')
    with pytest.raises(InstructgenError, match=r"rejected\.jsonl line 2 cannot be read"):
        report_on(version.folder, tmp_path / "page.html")


def test_report_of_a_version_outside_of_a_dataset_wants_a_place(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", make_rows())
    with pytest.raises(InstructgenError, match="--out FILE"):
        write_report(version.folder, ReportOptions(), print)


def test_report_lies_beside_the_versions_and_never_inside_of_one(tmp_path: Path) -> None:
    version = make_dataset(tmp_path / "out")
    before = sorted(path.name for path in version.rglob("*"))
    assert write_report(version, ReportOptions(), print).path == tmp_path / "out" / "report.html"
    (tmp_path / "out" / "tags").mkdir()
    (tmp_path / "out" / "tags" / "latest").write_text("f" * 12)
    assert write_report(version, ReportOptions(), print).path == tmp_path / "out" / f"report-{version.name}.html"
    assert sorted(path.name for path in version.rglob("*")) == before


def test_long_texts_are_cut_so_that_the_page_stays_small(tmp_path: Path) -> None:
    long = HOSTILE * 50
    rows = [make_row_of(number, pairs=[(long, long)] * 20) for number in range(1, 25)]
    version = write_version(tmp_path / "v", rows)
    result, page = report_on(version.folder, tmp_path / "page.html")
    assert result.num_bytes < 4_000_000
    assert re.search(r"\[[\d,]+ characters more\]", page.text)
    assert "turns more" in page.text


def test_samples_of_one_id_are_counted_each_and_shown_once(tmp_path: Path) -> None:
    row = {**make_row_of(1), "scores": {"grounding": 0.5}}
    version = write_version(tmp_path / "v", [row] * 9)
    result, page = report_on(version.folder, tmp_path / "r.html")
    assert result.num_rows == 9
    assert page.text.count("doubt 0.50: the highest of all rows") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": None},
        {"messages": [None, {"role": "assistant", "content": "A dog."}]},
        {"messages": [{"role": None, "content": None}, {"role": "assistant", "content": None}]},
        {"images": [{"bytes": None, "path": "a\0b.png"}]},
        {"images": [{"bytes": None, "path": "a" * 5000}]},
        {"images": [{"bytes": b"", "path": None}]},
    ],
)
def test_row_that_lacks_something_is_shown_without_it(tmp_path: Path, changes: dict) -> None:
    version = write_version(tmp_path / "v", [{**make_row_of(1), **changes}, make_row_of(2)])
    result, _ = report_on(version.folder, tmp_path / "r.html", images=tmp_path)
    assert (result.num_rows, result.num_shown >= 2) == (2, True)
