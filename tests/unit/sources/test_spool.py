"""Annotations on disk by ranges of image ids."""

import random
from pathlib import Path

import numpy as np
import pytest

from instructgen.errors import InstructgenError
from instructgen.sources import spool
from instructgen.sources.spool import Spool

ROW = np.dtype([("id", np.int64), ("image_id", np.int64), ("row", np.int64), ("num_chars", np.int64)])


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_IMAGES_IN_RANGE", 10)
    monkeypatch.setattr(spool, "_MAX_WAITING", 64)


def make_rows(ids: list[int], image_ids: list[int], texts: list[str]) -> np.ndarray:
    rows = np.empty(len(ids), ROW)
    rows["id"], rows["image_id"], rows["num_chars"] = ids, image_ids, list(map(len, texts))
    return rows


def fill(image_ids: list[int], ranges: range, ids: list[int] | None = None) -> tuple[Spool, list[str]]:
    texts = [f"caption {number} é" if number % 7 else "" for number in range(len(image_ids))]
    ids = list(range(len(image_ids))) if ids is None else ids
    made = Spool(ROW)
    made.set_ranges(np.array(ranges))
    for start in range(0, len(ids), 30):
        part = slice(start, start + 30)
        made.add(make_rows(ids[part], image_ids[part], texts[part]), texts[part])
    made.store()
    return made, texts


def read_all(made: Spool) -> list[tuple[int, int, str]]:
    found = []
    for number in range(made.num_ranges):
        rows, text = made.read_rows(number), made.read_text(number)
        ends = np.cumsum(rows["num_chars"]).tolist()
        pieces = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        found += list(zip(rows["image_id"].tolist(), rows["row"].tolist(), pieces, strict=True))
    return found


@pytest.mark.parametrize("is_shuffled", [False, True])
def test_every_row_comes_back_with_its_text_in_the_order_of_ranges_and_then_of_the_file(is_shuffled: bool) -> None:
    image_ids = [number // 3 for number in range(300)]
    if is_shuffled:
        random.Random(0).shuffle(image_ids)
    made, texts = fill(image_ids, range(100))
    assert made.num_ranges == 10
    found = read_all(made)
    assert sorted(row for _, row, _ in found) == list(range(300))
    assert [(image // 10, row) for image, row, _ in found] == sorted((image // 10, row) for image, row, _ in found)
    assert all(image == image_ids[row] and text == texts[row] for image, row, text in found)


def test_copies_are_the_later_rows_of_an_id_wherever_they_lie() -> None:
    made, _ = fill([0, 95, 50, 3, 95], range(100), ids=[7, 8, 7, 9, 8])
    assert made.find_copies().tolist() == [2, 4]
    made, _ = fill([0, 95, 50], range(100))
    assert made.find_copies().tolist() == []


def test_rows_of_unknown_images_are_found_in_the_order_of_the_file() -> None:
    made, _ = fill([500, 3, -4, 105, 55], range(100))
    assert made.find_unknown(np.arange(100))["image_id"].tolist() == [500, -4, 105]


def test_a_file_without_images_has_one_range() -> None:
    made, _ = fill([5, 1], range(0))
    assert made.num_ranges == 1
    assert made.bounds(np.array([1, 5])).tolist() == [0, 2]
    assert [image for image, _, _ in read_all(made)] == [5, 1]


def test_a_full_disk_names_the_folder_and_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(InstructgenError, match=r"missing.*TMPDIR"):
        Spool(ROW)
