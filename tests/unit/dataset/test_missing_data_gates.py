"""What is not there, or cannot be seen, passes no gate."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.compare.diff import diff_versions
from instructgen.dataset.gates.check import CheckReport, check_version
from instructgen.dataset.gates.settings import load_gates
from instructgen.dataset.manifest import MANIFEST_NAME, Counts, encode_manifest
from instructgen.dataset.stored import LocalVersion
from tests.support.versions import make_row_of, write_version


def check(tmp_path: Path, gates: str, new: LocalVersion, old: LocalVersion | None = None) -> CheckReport:
    path = tmp_path / "gates.toml"
    path.write_text(gates, encoding="utf-8")
    return check_version(new, load_gates(path), old)


def found(report: CheckReport) -> list[tuple[str, str, str]]:
    return [(finding.gate, finding.status, finding.detail) for finding in report.findings]


def rows(num: int) -> list[Row]:
    return [make_row_of(number, pairs=[("What?", f"A dog {number}.")]) for number in range(num)]


def rewrite_shard(version: LocalVersion, drop: str | None) -> LocalVersion:
    """Take a column, or all rows, out of the shard, and leave the manifest as it is."""
    path = version.folder / version.manifest.shards[0].path
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 0) if drop is None else table.drop_columns([drop]), path)
    return version


@pytest.mark.parametrize("bound", ["min = 0", "max = 5", "max_drop = 0.0"])
def test_gate_on_a_type_that_no_version_has_fails(tmp_path: Path, bound: str) -> None:
    new = write_version(tmp_path / "new", rows(2))
    report = check(tmp_path, f"[rows.types.convv]\n{bound}\n", new, new)
    assert found(report) == [("rows.types.convv", "failed", "no rows of this type; there are: conv")]


def test_type_that_must_not_be_there_is_none(tmp_path: Path) -> None:
    report = check(tmp_path, "[rows.types.vqa]\nmax = 0\n", write_version(tmp_path / "new", rows(2)))
    assert found(report) == [("rows.types.vqa.max", "passed", "")]


def test_measure_of_a_type_that_was_not_measured_fails(tmp_path: Path) -> None:
    metrics = {"total": {}, "types": {"conv": {"chair_i": 0.0}}}
    report = check(
        tmp_path,
        "[metrics.types.convv]\nchair_i = { max = 0.0 }\n",
        write_version(tmp_path / "new", rows(2), metrics=metrics),
    )
    assert found(report) == [("metrics.types.convv.chair_i", "failed", "NEW has no measures of this type")]


def test_measure_that_is_gone_fails_and_one_that_never_was_is_skipped(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", rows(2), metrics={"total": {"distinct_2": 0.5, "yes_share": None}})
    new = write_version(tmp_path / "new", rows(2), metrics={"total": {"distinct_2": None, "yes_share": None}})
    gates = "[metrics.total]\ndistinct_2 = { max_worsening = 0.1 }\nyes_share = { max = 0.6 }\n"
    assert found(check(tmp_path, gates, new, old)) == [
        ("metrics.total.distinct_2", "failed", "OLD had 0.5, NEW has none"),
        ("metrics.total.yes_share", "skipped", "nothing to measure"),
    ]


ROW_GATES = '[schema]\n[licences]\nallowed = ["CC0-1.0"]\n[splits]\n[duplicates]\nmax_exact = 0.0\n'


def test_version_without_rows_passes_no_gate_on_rows(tmp_path: Path) -> None:
    report = check(tmp_path, ROW_GATES, write_version(tmp_path / "new", []))
    assert found(report) == [("rows.read", "failed", "no rows")]


@pytest.mark.parametrize("gates", ["", ROW_GATES])
def test_shard_with_fewer_rows_than_the_manifest_says_fails(tmp_path: Path, gates: str) -> None:
    new = rewrite_shard(write_version(tmp_path / "new", rows(3)), None)
    report = check(tmp_path, f"[rows]\nmin = 3\n{gates}", new)
    told = f"{new.manifest.shards[0].path} has 0 rows, the manifest says 3"
    assert [(finding.gate, finding.detail) for finding in report.failed] == [("rows.read", told)]


@pytest.mark.parametrize(
    ("column", "gates"),
    [("source", "[splits]\n"), ("image_id", "[duplicates]\nmax_near = 0.5\n"), ("sample_type", "[splits]\n")],
)
def test_column_that_a_gate_needs_is_told_where_it_is_not_there(tmp_path: Path, column: str, gates: str) -> None:
    report = check(tmp_path, gates, rewrite_shard(write_version(tmp_path / "new", rows(2)), column))
    assert [finding.gate for finding in report.failed] == ["schema.columns", "rows.read"]
    assert f"no column {column}" in report.failed[0].detail


def test_every_picture_needs_a_licence_and_text_alone_needs_none(tmp_path: Path) -> None:
    two = {**make_row_of(1), "images": [{"bytes": None, "path": f"{at}.jpg"} for at in (1, 2)]}
    short = {**two, "image_licences": ["CC0-1.0"]}
    text = {**make_row_of(2), "images": [], "image_licences": []}
    gates = '[licences]\nallowed = ["CC0-1.0"]\n'
    report = check(tmp_path, gates, write_version(tmp_path / "short", [short]))
    assert [(finding.gate, finding.value) for finding in report.failed] == [("licences.unknown", 1)]
    assert not check(tmp_path, gates, write_version(tmp_path / "text", [text])).failed


def test_rejected_share_of_an_old_version_that_planned_nothing_is_told_as_such(tmp_path: Path) -> None:
    none = {"conv": 0}
    old = write_version(tmp_path / "old", rows(2), counts=Counts(none, {"conv": 2}, none, none, {}))
    report = check(tmp_path, "[rejected]\nmax_rise = 0.1\n", write_version(tmp_path / "new", rows(2)), old)
    assert found(report) == [
        ("rejected.max_rise", "skipped", "nothing was planned in OLD: no build of ours made it"),
    ]


def test_pictures_without_a_path_are_told_apart_by_their_rows(tmp_path: Path) -> None:
    def write(name: str, number: int, split: str) -> LocalVersion:
        row = {**make_row_of(number), "images": [{"bytes": b"x", "path": None}]}
        return write_version(tmp_path / name, [row], split=split)

    def join(one: LocalVersion, other: LocalVersion) -> LocalVersion:
        path = other.manifest.shards[0].path
        (one.folder / path).write_bytes((other.folder / path).read_bytes())
        manifest = replace(one.manifest, shards=(*one.manifest.shards, *other.manifest.shards))
        (one.folder / MANIFEST_NAME).write_bytes(encode_manifest(manifest))
        return LocalVersion(one.folder)

    apart = join(write("a", 1, "train"), write("b", 2, "val"))
    assert not check(tmp_path, "[splits]\n", apart).failed
    shared = join(write("c", 1, "train"), write("d", 1, "val"))
    assert [finding.value for finding in check(tmp_path, "[splits]\n", shared).failed] == [1]


def test_imported_samples_that_went_are_units_of_their_own(tmp_path: Path) -> None:
    all_rows = [{**make_row_of(at), "sample_id": name} for at, name in enumerate(["33471", "vqa/1", "vqa/2"])]
    old, new = write_version(tmp_path / "old", all_rows), write_version(tmp_path / "new", all_rows[:1])
    moves = [(one.sample_type, one.before, one.after, one.num_units) for one in diff_versions(old, new).moves]
    assert moves == [("conv", "accepted", "absent", 2)]
    new = write_version(tmp_path / "other", all_rows[1:])
    assert [one.example for one in diff_versions(old, new).moves] == ["33471"]


def test_unit_that_keeps_one_of_its_samples_did_not_move(tmp_path: Path) -> None:
    second = {**make_row_of(1), "sample_id": "coco/000000000001/conv/1"}
    old = write_version(tmp_path / "old", [make_row_of(1), second, make_row_of(2)])
    new = write_version(tmp_path / "new", [make_row_of(1)])
    moves = [(one.sample_type, one.num_units, one.example) for one in diff_versions(old, new).moves]
    assert moves == [("conv", 1, "coco/000000000002/conv")]
