"""What statistics.json counts, against rows whose counts are known."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.cards.presentation import present
from instructgen.dataset.cards.statistics import Statistics, encode_statistics, measure, read_statistics, summarize
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version

LONG = [("What is the dog doing?", "It lies there."), ("Is it brown?", "Yes, it is brown.")]


def measure_rows(folder: Path, rows: list[dict[str, Any]], **fields: Any) -> Statistics:
    return measure(write_version(folder, rows, **fields))


def test_turns_and_words_are_counted_by_type(tmp_path: Path) -> None:
    found = measure_rows(tmp_path / "v", [make_row_of(1, "conv", LONG), make_row_of(2, "detail"), make_row_of(3)])
    conv = found.types["conv"]
    assert (conv.rows, conv.turns.counts, conv.turns.num) == (2, {"1": 1, "2": 1}, 2)
    assert conv.answer_words.counts == {"2": 1, "3": 1, "4": 1}
    assert conv.question_words.counts == {"3": 2, "5": 1}
    assert found.types["detail"].answer_words.median == 2
    assert found.rows == 3


def test_first_words_are_ranked_without_case_and_marks(tmp_path: Path) -> None:
    pairs = [("What is there?", "A dog."), ('"What IS it?"', "A dog."), ("<image>\nIs it?", "Yes."), ("Why?", "So.")]
    found = measure_rows(tmp_path / "v", [make_row_of(1, "conv", pairs)])
    assert [(one.words, one.questions) for one in found.first_words] == [("what is", 2), ("is it", 1), ("why", 1)]


def test_picture_counts_once_however_many_samples_show_it(tmp_path: Path) -> None:
    found = measure_rows(tmp_path / "v", [make_row_of(1), make_row_of(1, "detail"), make_row_of(2)])
    split = found.splits["train"]
    assert (split.rows, split.images, split.samples_per_image.counts) == (3, 2, {"1": 1, "2": 1})


def test_same_path_of_two_sources_is_two_pictures(tmp_path: Path) -> None:
    other = {**make_row_of(1), "source": "scenes"}
    assert measure_rows(tmp_path / "v", [make_row_of(1), other]).splits["train"].images == 2


def test_licences_are_counted_by_picture_with_the_unknown_last(tmp_path: Path) -> None:
    known = [{**make_row_of(number), "image_licences": ["CC-BY-2.0"]} for number in (1, 1, 2)]
    free = {**make_row_of(3), "image_licences": ["CC0-1.0"]}
    found = measure_rows(tmp_path / "v", [make_row_of(4), make_row_of(5), make_row_of(6), *known, free])
    assert [(one.name, one.images) for one in found.licences] == [("CC-BY-2.0", 2), ("CC0-1.0", 1), ("", 3)]


def test_cost_and_tokens_are_by_teacher_and_a_missing_price_is_told(tmp_path: Path) -> None:
    unpriced = {**make_row_of(2), "cost_usd": None}
    other = {**make_row_of(3), "model": "small"}
    found = measure_rows(tmp_path / "v", [make_row_of(1), unpriced, other])
    assert [(one.model, one.rows, one.cost_usd, one.rows_without_price) for one in found.teachers] == [
        ("small", 1, 0.25, 0),
        ("test-model", 2, 0.25, 1),
    ]
    assert found.teachers[1].prompt_tokens == 20


def test_statistics_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [make_row_of(number, sample_type) for number in range(3) for sample_type in ("conv", "detail")]
    one, other = measure_rows(tmp_path / "a", rows), measure_rows(tmp_path / "b", rows[::-1])
    assert encode_statistics(one) == encode_statistics(other)


def test_percentiles_are_numbers_that_were_counted() -> None:
    found = summarize(Counter({1: 8, 50: 1, 100: 1}))
    assert (found.low, found.p10, found.median, found.p90, found.high, found.mean) == (1, 1, 1, 50, 100, 15.8)
    assert summarize(Counter()).num == 0


def test_rows_of_a_version_from_elsewhere_need_not_have_all_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    version = write_version(tmp_path / "v", [make_row_of(1)])
    path = version.folder / version.manifest.shards[0].path
    pq.write_table(pq.read_table(path).select(["messages", "images", "sample_type"]), path)
    found = measure(version)
    assert found.rows == 1
    assert [(one.name, one.images) for one in found.licences] == [("", 1)]


def test_statistics_are_read_back_and_a_version_without_any_has_none(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row_of(1)])
    assert read_statistics(version) is None
    present(version.folder, version.manifest)
    assert read_statistics(version) == measure(version)
    (version.folder / "statistics.json").write_text("[]")
    with pytest.raises(InstructgenError, match=r"statistics\.json cannot be read"):
        read_statistics(LocalVersion(version.folder))


def test_pictures_bytes_are_not_read(tmp_path: Path) -> None:
    """A shard whose picture pages are overwritten is measured all the same."""
    picture = bytes(range(256)) * 40
    version = write_version(tmp_path / "v", [make_row_of(1, picture=picture)])
    path = version.folder / version.manifest.shards[0].path
    whole = path.read_bytes()
    at = whole.index(picture)
    path.write_bytes(whole[: at - 40] + bytes(40 + len(picture)) + whole[at + len(picture) :])
    assert measure(version).splits["train"].images == 1
