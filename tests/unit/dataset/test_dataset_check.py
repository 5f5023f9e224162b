from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from instructgen.config import load_config
from instructgen.dataset.columns import Row
from instructgen.dataset.compare.measures import WORSE, compare_measures, find_worsening
from instructgen.dataset.gates.check import CheckReport, check_version, find_ancestors
from instructgen.dataset.gates.settings import load_gates
from instructgen.dataset.manifest import MANIFEST_NAME, Counts, Lineage, Parent, encode_manifest
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from instructgen.evaluate.quality import Tally
from instructgen.jobs.gates import KEPT_SHARE
from tests.support.cli import ROOT
from tests.support.versions import make_row_of, write_version

LONG = (
    "A brown dog with a red collar sleeps on a grey sofa beside a tall window while a small black cat watches it "
    "from the wooden table, and behind them a lamp, two books and a green plant stand on a shelf near the door."
)


def check(tmp_path: Path, gates: str, new: LocalVersion, old: LocalVersion | None = None) -> CheckReport:
    path = tmp_path / "gates.toml"
    path.write_text(gates, encoding="utf-8")
    return check_version(new, load_gates(path), old)


def statuses(report: CheckReport) -> dict[str, str]:
    return {finding.gate: finding.status for finding in report.findings}


def rows(num: int, sample_type: str = "conv", first: int = 0) -> list[Row]:
    return [
        make_row_of(number, sample_type, [("What is there?", f"A dog {number}.")])
        for number in range(first, first + num)
    ]


def with_messages(number: int, *turns: tuple[str, str]) -> Row:
    return {**make_row_of(number), "messages": [{"role": role, "content": text} for role, text in turns]}


def test_every_measure_has_a_direction() -> None:
    measures = [name for name, value in Tally().close(0, 0).items() if not isinstance(value, dict)]
    assert [*measures, KEPT_SHARE] == list(WORSE)


@pytest.mark.parametrize(
    ("measure", "old", "new", "worsening"),
    [
        ("chair_i", 0.1, 0.3, 0.2),
        ("chair_i", 0.3, 0.1, -0.2),
        ("distinct_2", 0.5, 0.4, 0.1),
        ("yes_share", 0.5, 0.7, 0.2),
        ("yes_share", 0.2, 0.7, -0.1),
        ("yes_share", 0.4, 0.6, 0.0),
        ("answer_words_mean", 1.0, 2.0, None),
        ("not_a_measure", 1.0, 2.0, None),
    ],
)
def test_worse_is_told_in_the_measures_own_direction(
    measure: str, old: float, new: float, worsening: float | None
) -> None:
    assert find_worsening(measure, old, new) == worsening


def test_measures_are_put_beside_each_other_with_their_trend() -> None:
    old = {"total": {"chair_i": 0.1, "claims": 3, "verdicts": {"supported": 1}}, "types": {"conv": {"chair_i": 0.2}}}
    new = {"total": {"chair_i": 0.2, "claims": 4, "yes_share": None}, "types": {"detail": {"chair_i": 0.0}}}
    found = {(change.sample_type, change.measure): change for change in compare_measures(old, new)}
    assert {key: change.trend for key, change in found.items()} == {
        ("", "chair_i"): "worse",
        ("", "claims"): "other",
        ("conv", "chair_i"): "other",
        ("detail", "chair_i"): "other",
    }
    assert compare_measures(None, None) == ()


def test_counts_are_held_against_bounds_and_against_the_earlier_version(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [*rows(10), *rows(10, "detail")])
    new = write_version(tmp_path / "new", [*rows(10), *rows(7, "detail")])
    gates = (
        "[rows]\nmin = 17\nmax = 16\nmax_drop = 0.15\n[rows.types.detail]\nmax_drop = 0.2\n[rows.types.x]\nmin = 1\n"
    )
    assert statuses(check(tmp_path, gates, new, old)) == {
        "rows.min": "passed",
        "rows.max": "failed",
        "rows.max_drop": "passed",
        "rows.types.detail.max_drop": "failed",
        "rows.types.x": "failed",
    }


def test_gate_on_what_became_worse_is_skipped_without_an_earlier_version(tmp_path: Path) -> None:
    new = write_version(tmp_path / "new", rows(2), metrics={"total": {"chair_i": 0.1}, "types": {}})
    gates = (
        "[rows]\nmin = 1\nmax_drop = 0.0\n[rejected]\nmax_rise = 0.0\n[changes]\nmax_changed = 0.0\n[lineage]\n"
        "[metrics.total]\nchair_i = { max_worsening = 0.0 }\n"
    )
    report = check(tmp_path, gates, new)
    assert statuses(report) == {
        "rows.min": "passed",
        "rows.max_drop": "skipped",
        "rejected.max_rise": "skipped",
        "metrics.total.chair_i.max_worsening": "skipped",
        "changes": "skipped",
        "lineage.from_old": "skipped",
    }
    assert report.failed == ()


def test_rejected_share_is_of_what_was_planned(tmp_path: Path) -> None:
    def version(name: str, rejected: int, failed: int) -> LocalVersion:
        counts = Counts({"conv": 10}, {"conv": 10 - rejected - failed}, {"conv": rejected}, {"conv": failed}, {})
        return write_version(tmp_path / name, rows(2), counts=counts)

    old, new = version("old", 1, 0), version("new", 2, 1)
    report = check(tmp_path, "[rejected]\nmax = 0.3\nmax_rise = 0.1\n", new, old)
    assert statuses(report) == {"rejected.max": "passed", "rejected.max_rise": "failed"}
    assert report.failed[0].value == 0.2


def metrics(**total: float | None) -> dict[str, Any]:
    return {"total": total, "types": {"conv": dict(total)}}


def test_measures_are_held_against_bounds_in_their_own_direction(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", rows(2), metrics=metrics(chair_i=0.01, distinct_2=0.6, yes_share=None))
    new = write_version(tmp_path / "new", rows(2), metrics=metrics(chair_i=0.03, distinct_2=0.5, yes_share=None))
    gates = (
        "[metrics.total]\nchair_i = { max = 0.05, max_worsening = 0.01 }\nyes_share = { max = 0.6 }\n"
        "distinct_2 = { min = 0.4, max_worsening = 0.2 }\n[metrics.types.conv]\nchair_i = { max = 0.02 }\n"
        "[metrics.types.detail]\nchair_i = { max = 0.02 }\n"
    )
    assert statuses(check(tmp_path, gates, new, old)) == {
        "metrics.total.chair_i.max": "passed",
        "metrics.total.chair_i.max_worsening": "failed",
        "metrics.total.yes_share": "skipped",
        "metrics.total.distinct_2.min": "passed",
        "metrics.total.distinct_2.max_worsening": "passed",
        "metrics.types.conv.chair_i.max": "failed",
        "metrics.types.detail.chair_i": "failed",
    }


def test_version_without_measures_does_not_slip_through(tmp_path: Path) -> None:
    report = check(tmp_path, "[metrics.total]\nchair_i = { max = 1.0 }\n", write_version(tmp_path / "new", rows(2)))
    assert [finding.detail for finding in report.failed] == ["the manifest has no measures"]


def test_samples_that_repeat_are_found_whatever_their_ids(tmp_path: Path) -> None:
    same = [
        make_row_of(number, "conv", [("What?", text)]) for number, text in enumerate(["A dog.", "a  DOG.", "A cat."])
    ]
    near = [make_row_of(5, "conv", [("What?", LONG)]), make_row_of(5, "conv", [("What?", LONG + " It is day.")])]
    new = write_version(tmp_path / "new", [*same, *near])
    report = check(tmp_path, "[duplicates]\nmax_exact = 0.1\nmax_near = 0.1\nnear = { threshold = 0.7 }\n", new)
    assert {finding.gate: finding.value for finding in report.failed} == {
        "duplicates.max_exact": 0.2,
        "duplicates.max_near": 0.2,
    }
    assert report.failed[1].detail == "coco/000000000005/conv/0"


def test_samples_of_evaluation_images_are_found_beside_the_gates_file(tmp_path: Path) -> None:
    (tmp_path / "eval.jsonl").write_text('{"image": "COCO_val2014_000000000002.jpg"}\n', encoding="utf-8")
    two = {**make_row_of(7), "images": [{"bytes": None, "path": f"{at:012d}.jpg"} for at in (8, 2, 9, 7)]}
    new = write_version(tmp_path / "new", [make_row_of(1), make_row_of(2), two])
    report = check(tmp_path, '[contamination]\nagainst = ["eval.jsonl"]\n', new)
    assert [(finding.value, finding.detail) for finding in report.failed] == [
        (2, "coco/000000000002/conv/0, coco/000000000007/conv/0")
    ]
    assert statuses(check(tmp_path, '[contamination]\nagainst = ["eval.jsonl"]\nmax_samples = 2\n', new)) == {
        "contamination.max_samples": "passed"
    }


def join_splits(tmp_path: Path, train: Sequence[Row], val: Sequence[Row]) -> LocalVersion:
    one, other = write_version(tmp_path / "new", train), write_version(tmp_path / "val", val, split="val")
    path = other.manifest.shards[0].path
    (one.folder / path).write_bytes((other.folder / path).read_bytes())
    manifest = replace(one.manifest, shards=(*one.manifest.shards, *other.manifest.shards))
    (one.folder / MANIFEST_NAME).write_bytes(encode_manifest(manifest))
    return LocalVersion(one.folder)


def test_image_in_two_splits_is_found_also_as_the_first_of_two(tmp_path: Path) -> None:
    pair = {
        **make_row_of(9),
        "images": [{"bytes": None, "path": "000000000002.jpg"}, {"bytes": None, "path": "9.jpg"}],
    }
    new = join_splits(tmp_path, [make_row_of(1), make_row_of(2)], [pair, make_row_of(4)])
    report = check(tmp_path, "[splits]\n", new)
    assert [(finding.value, finding.detail) for finding in report.failed] == [
        (1, "coco/000000000002.jpg (train and val)")
    ]
    assert not check(tmp_path, "[splits]\nmax_shared_images = 1\n", new).failed


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ((), "no_messages"),
        ((("user", "What?"),), "turns_do_not_alternate"),
        ((("assistant", "A dog."), ("user", "What?")), "turns_do_not_alternate"),
        ((("user", "What?"), ("user", "Where?")), "turns_do_not_alternate"),
        ((("human", "What?"), ("gpt", "A dog.")), "turns_do_not_alternate"),
        ((("user", "What?"), ("system", "x")), "turns_do_not_alternate"),
        ((("system", "x"),), "turns_do_not_alternate"),
        ((("user", "What?"), ("assistant", " \n")), "empty_turn"),
        ((("user", "<image>\nWhat?"), ("assistant", "A dog.")), "placeholder"),
        ((("user", "What?"), ("assistant", "A {{ object }}.")), "placeholder"),
        ((("user", "What?"), ("assistant", "[Insert answer here]")), "placeholder"),
    ],
)
def test_messages_that_cannot_be_trained_on_are_found(
    tmp_path: Path, turns: tuple[tuple[str, str], ...], reason: str
) -> None:
    good = with_messages(1, ("system", "Be brief."), ("user", "A < b > c?"), ("assistant", "The sign says {3}."))
    new = write_version(tmp_path / "new", [good, with_messages(2, *turns), make_row_of(3)])
    report = check(tmp_path, "[schema]\n", new)
    assert {finding.gate: finding.detail for finding in report.failed} == {
        f"schema.{reason}": "coco/000000000002/conv/0"
    }
    assert not check(tmp_path, "[schema]\nmessages = false\nplaceholders = true\n", new).failed


def test_missing_column_fails_and_the_rows_are_not_looked_at(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    new = write_version(tmp_path / "new", rows(2))
    path = new.folder / new.manifest.shards[0].path
    table = pq.read_table(path)
    odd = (
        table.drop_columns(["model"])
        .set_column(0, "sample_id", table["prompt_tokens"])
        .append_column("x", table["source"])
    )
    pq.write_table(odd, path)
    report = check(tmp_path, '[schema]\nextra_columns = false\ncolumns = ["y"]\n[duplicates]\nmax_exact = 0\n', new)
    assert statuses(report) == {"schema.columns": "failed", "rows.read": "failed"}
    assert report.failed[0].value == 4
    assert "sample_id is int64, not string" in report.failed[0].detail


def test_licences_that_are_not_allowed_or_not_known_fail(tmp_path: Path) -> None:
    licences = [["CC-BY-2.0"], ["CC-BY-NC-2.0", None], [None], None]
    new = write_version(
        tmp_path / "new", [{**make_row_of(number), "image_licences": names} for number, names in enumerate(licences)]
    )
    report = check(tmp_path, '[licences]\nallowed = ["CC-BY-2.0"]\n', new)
    assert {finding.gate: finding.value for finding in report.failed} == {
        "licences.allowed": 1,
        "licences.unknown": 3,
    }
    assert report.failed[0].detail == "1 x CC-BY-NC-2.0"
    both = '[licences]\nallowed = ["CC-BY-2.0", "CC-BY-NC-2.0"]\nunknown = true\n'
    assert statuses(check(tmp_path, both, new)) == {"licences.allowed": "passed"}


def test_version_without_licences_fails_where_they_are_required(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    new = write_version(tmp_path / "new", rows(2))
    path = new.folder / new.manifest.shards[0].path
    pq.write_table(pq.read_table(path).drop_columns(["image_licences"]), path)
    assert statuses(check(tmp_path, "[licences]\nallowed = []\n", new)) == {"licences": "failed"}
    assert statuses(check(tmp_path, "[licences]\nallowed = []\nrequired = false\n", new)) == {"licences": "skipped"}


def test_share_of_changed_samples_has_a_bound(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", rows(10))
    new = write_version(
        tmp_path / "new", [*rows(7), {**make_row_of(7), "model": "x"}, {**make_row_of(8), "model": "x"}]
    )
    report = check(tmp_path, "[changes]\nmax_changed = 0.1\nmax_removed = 0.1\n", new, old)
    assert statuses(report) == {"changes.max_changed": "failed", "changes.max_removed": "passed"}
    assert (report.failed[0].value, report.failed[0].detail) == (0.2, "2 of 10 samples")


def test_earlier_version_must_be_an_ancestor(tmp_path: Path) -> None:
    grand = write_version(tmp_path / "grand", rows(1))
    parent = write_version(tmp_path / "parent", rows(2), parent=grand.manifest.version)
    lineage = Lineage("sample", {}, (Parent(parent.manifest.version, "", "", 1),))
    new = write_version(tmp_path / "new", rows(1), lineage=lineage)
    known = {version.manifest.version: version.manifest for version in (grand, parent)}
    path = tmp_path / "gates.toml"
    path.write_text("[lineage]\n", encoding="utf-8")
    gates = load_gates(path)
    assert not check_version(new, gates, grand, known.get).failed
    assert not check_version(new, gates, parent).failed
    assert not check_version(new, gates, new).failed
    assert len(check_version(new, gates, grand).failed) == 1
    assert len(check_version(parent, gates, new, known.get).failed) == 1
    assert find_ancestors(new.manifest, known.get) == {*known, new.manifest.version}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[row]\nmin = 1\n", r"gates\.toml: .*unknown field `row`"),
        ("[rows]\nmininum = 1\n", r"gates\.toml: .*`mininum`.*\$\.rows"),
        ("[rows]\nmax_drop = 5\n", r"gates\.toml: .*<= 1.*max_drop"),
        ("[metrics.total]\nchairs = { max = 0.1 }\n", r"gates\.toml: \[metrics\.total\]: no measure called 'chairs'"),
        ("[metrics.types.conv]\nchair_i = {}\n", r"\[metrics\.types\.conv\] chair_i: give a min, a max"),
        ("[metrics.total]\nanswers = { max_worsening = 1 }\n", "answers: more is neither better nor worse"),
        ("[contamination]\nagainst = []\n", r"gates\.toml: .*against"),
        ("[licences]\n", r"gates\.toml: .*allowed"),
        ("[rows]\n", r"gates\.toml: \[rows\] has no bound; give min or max or max_drop"),
        ("[rows]\nmin = 1\n[rows.types.conv]\n", r"\[rows\.types\.conv\] has no bound"),
        ("[rejected]\n", r"\[rejected\] has no bound"),
        ("[duplicates]\nnear = { threshold = 0.8 }\n", r"\[duplicates\] has no bound; give max_exact or max_near"),
        ("[changes]\n", r"\[changes\] has no bound"),
        ("[metrics]\n", r"\[metrics\] has a table without a measure"),
        ("[metrics.types.conv]\n", r"\[metrics\] has a table without a measure"),
        ("[lineage]\nfrom_old = false\n", r"\[lineage\] from_old = false holds nothing"),
        ("", r"gates\.toml holds no gate"),
        ("[rows\n", r"gates\.toml is not valid TOML"),
    ],
)
def test_mistake_in_a_gates_file_is_told_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InstructgenError, match=message):
        load_gates(path)


def test_evaluation_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    new = write_version(tmp_path / "new", rows(1))
    with pytest.raises(InstructgenError, match=r"nowhere\.jsonl"):
        check(tmp_path, '[contamination]\nagainst = ["nowhere.jsonl"]\n', new)


def test_shipped_gates_can_be_read_and_are_documented() -> None:
    gates = load_gates(ROOT / "data" / "gates.toml")
    assert gates.rows is not None
    documented = (ROOT / "docs" / "dataset-diff.md").read_text(encoding="utf-8")
    for part in gates.__struct_fields__:
        assert f"[{part}" in documented
    load_config(ROOT / "pipelines" / "smoke.toml")
    load_gates(ROOT / "data" / "smoke-gates.toml")
