import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.compare.diff import DatasetDiff, diff_versions, write_changes
from instructgen.dataset.compare.fingerprints import fingerprint
from instructgen.dataset.compare.rows import Change, RowCounts, compare_rows
from instructgen.dataset.compare.texts import compare_sample
from instructgen.dataset.manifest import MANIFEST_NAME, Counts, TeacherFacts, encode_manifest
from instructgen.dataset.shards import MIXED, Shard
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores import open_store
from instructgen.dataset.versions import open_version
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version


def changed_row(number: int, **fields: Any) -> Row:
    return {**make_row_of(number), **fields}


def diff(tmp_path: Path, old: Sequence[Row], new: Sequence[Row]) -> DatasetDiff:
    return diff_versions(write_version(tmp_path / "old", old), write_version(tmp_path / "new", new))


def naive_changes(old: Sequence[Row], new: Sequence[Row]) -> Counter[str]:
    """The multiset difference in plain Python, by id."""
    found: Counter[str] = Counter()
    for sample_id in {row["sample_id"] for row in (*old, *new)}:
        left, right = ([repr(row) for row in rows if row["sample_id"] == sample_id] for rows in (old, new))
        same = sum((Counter(left) & Counter(right)).values())
        num_left, num_right = len(left) - same, len(right) - same
        found["unchanged"] += same
        found["changed"] += min(num_left, num_right)
        found["removed"] += max(0, num_left - num_right)
        found["added"] += max(0, num_right - num_left)
    return +found


def counts_of(rows: RowCounts) -> Counter[str]:
    return +Counter({name: getattr(rows, name) for name in ("unchanged", "changed", "removed", "added")})


def test_sample_is_added_removed_changed_or_the_same(tmp_path: Path) -> None:
    old = [make_row_of(number) for number in range(4)]
    new = [make_row_of(0), changed_row(1, teacher="other"), make_row_of(3), make_row_of(9)]
    found = diff(tmp_path, old, new)
    assert found.rows == RowCounts(old=4, new=4, unchanged=2, changed=1, added=1, removed=1)
    assert found.types == {"conv": found.rows}
    assert found.fields == {"teacher": 1}
    assert {(example.what, example.sample_id) for example in found.examples} == {
        ("changed", "coco/000000000001/conv/0"),
        ("added", "coco/000000000009/conv/0"),
        ("removed", "coco/000000000002/conv/0"),
    }


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        (
            "messages",
            [{"role": "user", "content": "What is there?"}, {"role": "assistant", "content": "A cat."}],
            "messages",
        ),
        (
            "messages",
            [{"role": "user", "content": "What is there?A dog."}, {"role": "assistant", "content": ""}],
            "messages",
        ),
        ("messages", [{"role": "user", "content": "What is there?"}], "messages"),
        ("messages", None, "messages"),
        ("images", [{"bytes": None, "path": "other.jpg"}], "images"),
        ("images", [], "images"),
        ("teacher", None, "teacher"),
        ("model", "other", "model"),
        ("prompt_sha256", "1" * 64, "prompt_sha256"),
        ("request_ids", ["request1", ""], "request_ids"),
        ("prompt_tokens", 1_000_000, "prompt_tokens"),
        ("cost_usd", None, "cost_usd"),
        ("scores", {"length": 2.0}, "scores.length"),
        ("scores", {"length": None}, "scores.length"),
    ],
)
def test_every_field_that_differs_is_named(tmp_path: Path, field: str, value: object, named: str) -> None:
    old, new = [make_row_of(number) for number in range(3)], [make_row_of(number) for number in range(3)]
    new[1][field] = value
    if field == "scores":
        old[0]["scores"] = new[0]["scores"] = {"length": 7.0}
    before = write_version(tmp_path / "old", old)
    after = write_version(tmp_path / "new", new)
    assert list(compare_rows(before, after).changes()) == [
        Change("coco/000000000001/conv/0", "conv", "changed", (named,))
    ]


def test_sample_that_moved_to_another_split_is_changed(tmp_path: Path) -> None:
    rows = [make_row_of(1), make_row_of(2)]
    found = diff_versions(write_version(tmp_path / "a", rows), write_version(tmp_path / "b", rows, split="val"))
    assert found.rows.changed == 2
    assert found.fields == {"split": 2}
    assert found.examples[0].old is not None
    assert found.examples[0].old.values["split"] == '"train"'


def test_embedded_picture_counts_by_its_bytes(tmp_path: Path) -> None:
    old = [make_row_of(1, picture=b"one"), make_row_of(2, picture=b"two")]
    new = [make_row_of(1, picture=b"one"), make_row_of(2, picture=b"owt")]
    found = diff(tmp_path, old, new)
    assert found.rows.changed == 1
    assert found.fields == {"images": 1}
    assert b"owt" not in msgspec.json.encode(found)


def test_shard_with_equal_content_is_not_opened(tmp_path: Path) -> None:
    same = [make_row_of(number, "detail") for number in range(3)]
    old = write_version(tmp_path / "old", [*same, make_row_of(1)])
    new = write_version(tmp_path / "new", [*same, make_row_of(2)])
    for version in (old, new):
        shard = next(shard for shard in version.manifest.shards if shard.sample_type == "detail")
        (version.folder / shard.path).unlink()
    found = diff_versions(old, new)
    assert found.types["detail"] == RowCounts(old=3, new=3, unchanged=3, changed=0, added=0, removed=0)
    assert (found.types["conv"].added, found.types["conv"].removed) == (1, 1)


def test_shard_that_comes_twice_is_left_out_once(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [make_row_of(1), make_row_of(2)])
    twice = replace(old.manifest, shards=old.manifest.shards * 2)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / MANIFEST_NAME).write_bytes(encode_manifest(twice))
    (tmp_path / "new" / "data").symlink_to(old.folder / "data")
    found = compare_rows(old, LocalVersion(tmp_path / "new")).count()["conv"]
    assert counts_of(found) == {"unchanged": 2, "added": 2}


def test_version_in_a_store_is_compared_as_one_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="a store of the machine's memory")
    old = write_version(tmp_path / "old", [make_row_of(1), make_row_of(2)], rejected=line("coco/9/conv", "length"))
    store = open_store(f"memory://{tmp_path.name}/data")
    store.add(old)
    new = write_version(tmp_path / "new", [make_row_of(1), make_row_of(2, pairs=[("What?", "A cat.")])])
    found = diff_versions(open_version(f"{store.address}@{old.manifest.version}"), new)
    assert counts_of(found.rows) == {"unchanged": 1, "changed": 1}
    assert found.examples[0].old is not None
    assert found.examples[0].old.turns[1].content == "A dog."


def test_ids_that_come_twice_are_matched_by_content_first(tmp_path: Path) -> None:
    old = [changed_row(1, model=name) for name in "abcdefgh"]
    new = [changed_row(1, model=name) for name in "hgzfedcbyb"]
    found = diff(tmp_path, old, new)
    assert counts_of(found.rows) == naive_changes(old, new) == {"unchanged": 7, "changed": 1, "added": 2}


def test_column_that_only_one_side_has_changes_no_sample(tmp_path: Path) -> None:
    old = [changed_row(number, scores={"length": 1.0}) for number in range(2)]
    new = [changed_row(number, scores={"length": 1.0, "leakage": 0.0}) for number in range(2)]
    found = diff(tmp_path, old, new)
    assert found.rows.unchanged == 2
    assert found.columns_added == ("scores.leakage",)
    assert found.columns_removed == ()


def write_foreign(folder: Path, table: pa.Table) -> LocalVersion:
    """A version whose one shard another writer has written."""
    version = write_version(folder, [])
    path = folder / "data" / "train-00000-of-00001.parquet"
    pq.write_table(table, path, row_group_size=2)
    shard = Shard("data/" + path.name, "train", "conv", table.num_rows, 0, "", str(folder))
    (folder / MANIFEST_NAME).write_bytes(encode_manifest(replace(version.manifest, shards=(shard,))))
    return LocalVersion(folder)


def mix_types(folder: Path, rows: Sequence[Row]) -> LocalVersion:
    """A version whose one shard holds rows of all types."""
    version = write_version(folder, rows)
    paths = [folder / shard.path for shard in version.manifest.shards]
    pq.write_table(pa.concat_tables([pq.read_table(path) for path in paths]), paths[0])
    shard = replace(version.manifest.shards[0], sample_type=MIXED, num_rows=len(rows), content_sha256=str(folder))
    (folder / MANIFEST_NAME).write_bytes(encode_manifest(replace(version.manifest, shards=(shard,))))
    return LocalVersion(folder)


def test_rows_of_a_shard_of_several_types_count_for_their_own(tmp_path: Path) -> None:
    old = mix_types(tmp_path / "old", [make_row_of(1), make_row_of(2, "detail")])
    new = mix_types(tmp_path / "new", [make_row_of(1), make_row_of(3, "detail"), make_row_of(4, "detail")])
    found = diff_versions(old, new).types
    assert found["conv"] == RowCounts(old=1, new=1, unchanged=1, changed=0, added=0, removed=0)
    assert found["detail"] == RowCounts(old=1, new=2, unchanged=0, changed=0, added=2, removed=1)
    assert {name: counts.unchanged for name, counts in diff_versions(new, new).types.items()} == {
        "conv": 1,
        "detail": 2,
    }


def test_another_writers_types_make_no_difference(tmp_path: Path) -> None:
    names = ["a", "b", None]
    plain = pa.table({"sample_id": ["1", "2", "3"], "model": names, "tokens": [1, None, 3], "ids": [["x"], [], None]})
    large = pa.table(
        {
            "tokens": pa.array([1, None, 3], pa.int16()),
            "ids": pa.array([["x"], [], None], pa.large_list(pa.large_string())),
            "model": pa.array(names).dictionary_encode(),
            "sample_id": pa.array(["1", "2", "3"], pa.large_string()),
        }
    )
    found = diff_versions(write_foreign(tmp_path / "a", plain), write_foreign(tmp_path / "b", large))
    assert found.rows.unchanged == 3


def test_number_that_became_a_text_is_a_change(tmp_path: Path) -> None:
    numbers = pa.table({"sample_id": ["1", "2"], "tokens": [1, 2]})
    texts = pa.table({"sample_id": ["1", "2"], "tokens": ["1", "2"]})
    found = diff_versions(write_foreign(tmp_path / "a", numbers), write_foreign(tmp_path / "b", texts))
    assert found.fields == {"tokens": 2}


def test_columns_that_no_build_writes_are_compared_too(tmp_path: Path) -> None:
    def table(last: float) -> pa.Table:
        values = [[("k", 1.0)], [("k", last)]]
        maps = pa.array(values, pa.map_(pa.string(), pa.float64()))
        return pa.table({"sample_id": ["1", "2"], "odd": maps})

    found = diff_versions(write_foreign(tmp_path / "a", table(1.0)), write_foreign(tmp_path / "b", table(2.0)))
    assert (found.rows.unchanged, found.fields) == (1, {"odd": 1})


def test_sample_of_a_later_row_group_is_shown_as_it_is(tmp_path: Path) -> None:
    def table(models: list[str]) -> pa.Table:
        return pa.table({"sample_id": ["1", "2", "3", "4", "5"], "model": models})

    old = write_foreign(tmp_path / "a", table(["a", "b", "c", "d", "e"]))
    new = write_foreign(tmp_path / "b", table(["a", "b", "c", "x", "e"]))
    for example in (*diff_versions(old, new).examples, compare_sample(old, new, "4")):
        assert example.old is not None
        assert example.new is not None
        assert (example.sample_id, example.fields) == ("4", ("model",))
        assert (example.old.values["model"], example.new.values["model"]) == ('"d"', '"x"')


def test_shard_without_ids_is_told(tmp_path: Path) -> None:
    version = write_foreign(tmp_path / "a", pa.table({"text": ["x"]}))
    with pytest.raises(InstructgenError, match="has no column sample_id"):
        compare_rows(version, write_version(tmp_path / "b", [make_row_of(1)]))


def test_cut_shard_is_told_with_its_path(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [make_row_of(1)])
    path = old.folder / old.manifest.shards[0].path
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InstructgenError, match=r"train-00000-of-00001\.parquet cannot be read"):
        compare_rows(old, write_version(tmp_path / "new", [make_row_of(2)]))


def test_versions_without_rows_can_be_compared(tmp_path: Path) -> None:
    assert diff(tmp_path, [], []).is_empty
    found = diff_versions(write_version(tmp_path / "a", []), write_version(tmp_path / "b", [make_row_of(1)]))
    assert found.rows == RowCounts(old=0, new=1, unchanged=0, changed=0, added=1, removed=0)


def line(unit_id: str, reason: str) -> bytes:
    return (
        json.dumps({"unit_id": unit_id, "outcome": "rejected", "stage": "filter", "reason": reason}).encode() + b"\n"
    )


def test_units_that_moved_are_counted_by_where_from_and_where_to(tmp_path: Path) -> None:
    units = [f"coco/{number:012d}/conv" for number in range(5)]
    old_rows, new_rows = [make_row_of(0), make_row_of(1)], [make_row_of(1), make_row_of(2)]
    old_lines = line(units[2], "leakage") + line(units[3], "length") + line(units[4], "length")
    new_lines = line(units[0], "grounding") + line(units[3], "length") + line(units[4], "leakage")
    old = write_version(tmp_path / "old", old_rows, rejected=old_lines, unpublished_sha256="a")
    new = write_version(tmp_path / "new", new_rows, rejected=new_lines, unpublished_sha256="b")
    moves = {(move.before, move.after): (move.num_units, move.example) for move in diff_versions(old, new).moves}
    assert moves == {
        ("accepted", "grounding"): (1, units[0]),
        ("leakage", "accepted"): (1, units[2]),
        ("length", "leakage"): (1, units[4]),
    }


def test_unit_that_nobody_names_any_more_is_absent(tmp_path: Path) -> None:
    found = diff(tmp_path, [make_row_of(0)], [make_row_of(1)])
    assert {(move.before, move.after) for move in found.moves} == {("accepted", "absent"), ("absent", "accepted")}


def test_broken_line_of_rejected_is_told_with_its_number(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [make_row_of(1)], rejected=line("coco/1/conv", "length") + b"{\n")
    with pytest.raises(InstructgenError, match=r"rejected\.jsonl line 2"):
        diff_versions(old, write_version(tmp_path / "new", [make_row_of(2)]))


def test_settings_prompts_costs_and_counts_are_beside_each_other(tmp_path: Path) -> None:
    one, other = {"conv": 3}, {"conv": 1}
    teacher = TeacherFacts("openai", "m", {"temperature": 0.7}, 10, 5, 0.25)
    old = write_version(
        tmp_path / "old",
        [make_row_of(1)],
        config={"seed": 0, "filters": {"length": {"min_words": 1}}},
        prompts={"conv": "aa"},
        counts=Counts(one, other, {"conv": 2}, {"conv": 0}, {"conv": {"length": 2}}),
    )
    new = write_version(
        tmp_path / "new",
        [make_row_of(1)],
        config={"seed": 0, "filters": {"length": {"min_words": 5}}},
        prompts={"conv": "bb"},
        teacher=teacher,
        counts=Counts(one, other, {"conv": 1}, {"conv": 1}, {"conv": {"length": 1, "timeout": 1}}),
    )
    found = diff_versions(old, new)
    changes = {setting.key: (setting.old, setting.new) for setting in found.settings}
    assert changes["config.filters.length.min_words"] == ("1", "5")
    assert changes["prompts.conv"] == ('"aa"', '"bb"')
    assert changes["teacher.decoding.temperature"] == ("", "0.7")
    assert "config.seed" not in changes
    assert found.cost.cost_usd == (0.0, 0.25)
    outcomes = {change.outcome: (change.old, change.new) for change in found.outcomes}
    assert outcomes["rejected"] == (2, 1)
    assert outcomes["failed"] == (0, 1)
    assert (outcomes["length"], outcomes["timeout"]) == ((2, 1), (0, 1))


def test_one_sample_is_found_in_both_versions(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [make_row_of(number) for number in range(5)])
    new = write_version(tmp_path / "new", [make_row_of(4, pairs=[("What is there?", "A cat.")]), make_row_of(7)])
    one = compare_sample(old, new, "coco/000000000004/conv/0")
    assert (one.what, one.fields) == ("changed", ("messages",))
    assert one.old is not None
    assert one.new is not None
    assert (one.old.turns[1].content, one.new.turns[1].content) == ("A dog.", "A cat.")
    assert compare_sample(old, new, "coco/000000000003/conv/0").what == "removed"
    with pytest.raises(InstructgenError, match="has a sample coco/5"):
        compare_sample(old, new, "coco/5")


def test_changes_are_written_one_a_line(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", [make_row_of(1), make_row_of(2)])
    new = write_version(tmp_path / "new", [changed_row(2, model="x", teacher="y"), make_row_of(3)])
    assert write_changes(compare_rows(old, new), tmp_path / "changes.jsonl") == 3
    lines = (tmp_path / "changes.jsonl").read_text(encoding="utf-8").splitlines()
    found = [msgspec.json.decode(line, type=Change) for line in lines]
    assert [(change.what, change.fields) for change in found] == [
        ("removed", ()),
        ("changed", ("teacher", "model")),
        ("added", ()),
    ]


def test_value_has_one_fingerprint_whatever_stands_around_it() -> None:
    values = [[{"role": "user", "content": "a"}], None, [], [{"role": None, "content": ""}, None]]
    values += [[{"role": "", "content": ""}, None], [None, {"role": None, "content": ""}]]
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    whole = fingerprint(pa.array(values, kind))
    assert len({(int(high), int(low)) for high, low in zip(*whole, strict=True)}) == 6
    for at in range(6):
        alone = fingerprint(pa.array([*values[:2], *values], kind).slice(2 + at, 1))
        assert (alone[0][0], alone[1][0]) == (whole[0][at], whole[1][at])
    repeated = fingerprint(pa.array(["x"] * 20 + [None]))
    once = fingerprint(pa.array(["y", "x"]))
    assert repeated[0][3] == once[0][1]
    assert repeated[0][20] == repeated[1][20] == 0


TEXTS = st.sampled_from(["", "a", "b", "ab", "é", "a b", "\x00"])
ROWS = st.lists(
    st.builds(
        lambda number, kind, texts, path, model, tokens, score: {
            **make_row_of(number, kind),
            "messages": [{"role": "user", "content": text} for text in texts],
            "images": [{"bytes": None, "path": path}],
            "model": model,
            "prompt_tokens": tokens,
            "scores": {"length": score},
        },
        st.integers(0, 4),
        st.sampled_from(["conv", "detail"]),
        st.lists(TEXTS, max_size=2),
        TEXTS,
        st.none() | TEXTS,
        st.none() | st.integers(0, 2),
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=ROWS, new=ROWS, kept=st.integers(0, 8))
def test_diff_of_random_versions_is_what_plain_python_finds(
    tmp_path_factory: pytest.TempPathFactory, old: list[Row], new: list[Row], kept: int
) -> None:
    new = [*old[:kept], *new]
    folder = tmp_path_factory.mktemp("versions")
    compared = compare_rows(write_version(folder / "old", old), write_version(folder / "new", new))
    counts = compared.count().values()
    found: Counter[str] = Counter()
    for of_type in counts:
        found += counts_of(of_type)
    assert found == naive_changes(old, new)
    assert sum(of_type.old for of_type in counts) == len(old)
    assert sum(of_type.new for of_type in counts) == len(new)
    once = {row["sample_id"]: row for row in new if sum(row["sample_id"] == other["sample_id"] for other in new) == 1}
    for change in compared.changes():
        before = [row for row in old if row["sample_id"] == change.sample_id]
        if change.what == "changed" and len(before) == 1 and change.sample_id in once:
            after = once[change.sample_id]
            differing = {name.replace("scores", "scores.length") for name in after if after[name] != before[0][name]}
            assert set(change.fields) == differing
